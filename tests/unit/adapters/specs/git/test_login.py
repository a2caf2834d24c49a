"""Logins: the server is told, and nobody else; not the list of processes, not a file, not an error."""

import asyncio
import base64
import shlex
import subprocess
from pathlib import Path

import pytest

from controller.adapters.clock import SystemClock
from controller.adapters.specs.git.command import GitFailed
from controller.adapters.specs.git.login import login_of, read_token, ssh_command
from controller.adapters.specs.git.place import GitOptions, place_of
from controller.adapters.specs.git.source import GitSpecSource
from controller.errors import SpecSourceUnavailable
from tests.unit.adapters.specs.git.servers import command_lines, http, serving

CANARY = "canary-4f1d8e"


@pytest.fixture
def token(tmp_path: Path) -> Path:
    """A file with a token."""
    path = tmp_path / "token"
    path.write_text(f"{CANARY}\n")
    return path


def basic(user: str, password: str = CANARY) -> str:
    """The header of a login."""
    return f"Authorization: Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"


def rewrite(token: Path, text: str) -> None:
    """Rotate the token."""
    token.write_text(text)


def source_for(url: str, token: Path, username: str | None = None, seconds_max: float = 20) -> GitSpecSource:
    """A source that logs in with a token."""
    options = GitOptions(url, token.parent / "mirrors", token_file=token, username=username, seconds_max=seconds_max)
    return GitSpecSource(options, None, SystemClock())


async def fail(source: GitSpecSource) -> str:
    """Fetch in vain; returns what is said."""
    with pytest.raises(SpecSourceUnavailable) as failed:
        await source.fetch()
    return str(failed.value)


def test_the_token_is_sent_with_the_first_request_and_read_for_each_fetch(token: Path) -> None:
    """A rotation needs no restart; the user is the one that is set, else the one of the address, else a usual one."""

    async def main() -> None:
        async with serving(http("403 Forbidden", body=f"no entry for {CANARY} or {basic('bob')}")) as server:
            source = source_for(server.url, token)
            said = await fail(source)
            assert basic("x-access-token") in server.requests[-1]
            rewrite(token, "rotated")
            said += await fail(source)
            assert basic("x-access-token", "rotated") in server.requests[-1]
            rewrite(token, CANARY)
            said += await fail(source_for(server.url, token, "bob"))
            assert basic("bob") in server.requests[-1]
            said += await fail(source_for(server.url.replace("//", "//eve@"), token))
            assert basic("eve") in server.requests[-1]
            assert CANARY not in said
            assert "eve" not in said

    asyncio.run(main())


def test_a_redirect_carries_nothing_to_another_host(token: Path) -> None:
    """It is not followed, so the other host is never asked, with a token or without."""

    async def main() -> None:
        async with serving(http("200 OK")) as other:
            async with serving(http("302 Found", f"Location: {other.url}/info/refs")) as server:
                assert "another address" in await fail(source_for(server.url, token))
                assert len(server.requests) == 1
            assert other.requests == []

    asyncio.run(main())


def test_the_token_stands_in_no_argument_and_in_no_file(token: Path) -> None:
    """While git runs, nobody who lists processes sees it; afterwards no disk has it."""
    encoded = basic("x-access-token").split()[-1]

    async def main() -> None:
        async with serving(None) as server:
            fetching = asyncio.create_task(fail(source_for(server.url, token, seconds_max=1)))
            await asyncio.wait([fetching], timeout=0.4)
            lines = command_lines(str(server.port))
            assert lines
            assert [line for line in lines if CANARY in line or encoded in line] == []
            assert CANARY not in await fetching

    asyncio.run(main())
    written = [path for path in token.parent.rglob("*") if path.is_file() and path != token]
    assert [
        path for path in written if CANARY.encode() in path.read_bytes() or encoded.encode() in path.read_bytes()
    ] == []


@pytest.mark.parametrize("content", [b"", b"\n", b"two\nlines", b"a b", b"x" * 9000, "ü".encode(), b"a\r\n\r\n"])
def test_what_is_no_token_is_refused_without_being_shown(token: Path, content: bytes) -> None:
    """A file that holds something else is named; what it holds is not."""
    token.write_bytes(content)
    with pytest.raises(GitFailed, match="does not hold one token on one line"):
        read_token(token)
    token.unlink()
    said = asyncio.run(fail(source_for("http://127.0.0.1:9/x", token)))
    assert "the token file" in said
    assert "cannot be read" in said


def test_a_login_shows_itself_to_nobody(token: Path) -> None:
    """Neither a login nor a failure with it in has the token in its text."""
    options = GitOptions("https://git.example/x", token.parent, token_file=token)
    login = login_of(options, place_of(options))
    assert CANARY not in repr(login)
    assert login.blot(f"a {CANARY} b {basic('x-access-token')}") == "a *** b Authorization: Basic ***"
    assert [name for name, value in login.environment.items() if "Basic" in value] == ["GIT_CONFIG_VALUE_0"]
    assert login.environment["GIT_CONFIG_KEY_0"] == "http.https://git.example/.extraHeader"


def test_ssh_is_told_one_key_and_one_list_of_hosts(tmp_path: Path) -> None:
    """Whatever a path looks like, ssh understands it as that path, and asks nobody's configuration."""
    folder = tmp_path / "my keys; touch x & 100%h"
    folder.mkdir()
    options = GitOptions(
        "ssh://git@127.0.0.1/x", tmp_path, ssh_key_file=folder / "id", known_hosts_file=folder / "known hosts"
    )
    command = ssh_command(options)
    assert login_of(options, place_of(options)).configuration == (f"core.sshCommand={command}",)
    # As git does: a shell splits the words.
    said = subprocess.run(["sh", "-c", f"{command} -G 127.0.0.1"], capture_output=True, text=True, check=True).stdout
    found = dict(line.partition(" ")[::2] for line in said.splitlines())
    # Per cent signs are still doubled here: ssh resolves them when it opens the file.
    assert found["identityfile"].strip('"').replace("%%", "%") == str(folder / "id")
    assert found["userknownhostsfile"].strip('"').replace("%%", "%") == str(folder / "known hosts")
    expected = {"batchmode": "yes", "stricthostkeychecking": "true", "identitiesonly": "yes", "forwardagent": "no"}
    assert {name: found[name] for name in expected} == expected
    assert found["globalknownhostsfile"] == "/dev/null"
    assert shlex.split(command)[:3] == ["ssh", "-F", "/dev/null"]
