"""Remotes that fail: each trouble is told as what it is, in bounded time, and nothing is left running."""

import asyncio
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from controller.adapters.clock import SystemClock
from controller.adapters.specs.git.command import GitFailed
from controller.adapters.specs.git.place import GitOptions
from controller.adapters.specs.git.source import GitSpecSource
from controller.adapters.specs.git.troubles import is_damage, told_of_remote
from controller.errors import SpecSourceUnavailable
from tests.fakes.spec_source import schedule_text
from tests.unit.adapters.specs.git.repositories import fetch, repository, source_of
from tests.unit.adapters.specs.git.servers import command_lines, http, serving
from tests.unit.adapters.specs.git.test_signatures import ssh_signer


def failure(tmp_path: Path, url: str, **given: Any) -> Callable[[], Any]:
    """A coroutine function that fetches from an address and returns the words of the failure."""

    async def fail() -> str:
        source = GitSpecSource(GitOptions(url, tmp_path / "mirrors", **given), None, SystemClock())
        with pytest.raises(SpecSourceUnavailable) as failed:
            await source.fetch()
        return str(failed.value)

    return fail


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (http("401 Unauthorized", 'WWW-Authenticate: Basic realm="x"'), "the login was refused"),
        (http("403 Forbidden"), "the login was refused"),
        (http("404 Not Found"), "there is no such repository"),
        (http("302 Found", "Location: http://127.0.0.1:9/x"), "sends us to another address"),
        (http("500 Oops"), "broke off or answered with nonsense"),
        (http("200 OK", body="<html>hello</html>"), "the address is of something else"),
        ("nonsense", "broke off or answered with nonsense"),
    ],
)
def test_what_a_server_answers_is_told_apart(tmp_path: Path, reply: str, said: str) -> None:
    """The failure names the repository and what to look at."""

    async def main() -> None:
        async with serving(reply) as server:
            text = await failure(tmp_path, server.url)()
            assert said in text
            assert text.startswith(f"http://127.0.0.1:{server.port}/team/specs.git: ")

    asyncio.run(main())
    assert not (tmp_path / "mirrors").exists()


def test_a_host_that_is_not_there_is_told(tmp_path: Path) -> None:
    """Nobody listens on the port, or nobody has the name."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        assert "the host cannot be reached" in asyncio.run(failure(tmp_path, f"http://127.0.0.1:{port}/x")())
    assert "the host cannot be reached" in asyncio.run(failure(tmp_path, "https://nowhere.invalid/x")())


@pytest.mark.parametrize("scheme", ["http", "ssh"])
def test_a_remote_that_hangs_is_given_up_with_all_its_processes(tmp_path: Path, scheme: str) -> None:
    """A server that takes the connection and never answers costs the time that one fetch may take, and no process."""
    signer = ssh_signer(tmp_path, "key")
    keys = {"ssh_key_file": tmp_path / "key", "known_hosts_file": signer.trusted} if scheme == "ssh" else {}

    async def main() -> None:
        async with serving(None) as server:
            url = server.url if scheme == "http" else f"ssh://git@127.0.0.1:{server.port}/x"
            fetching = asyncio.create_task(failure(tmp_path, url, seconds_max=1.0, **keys)())
            await asyncio.wait([fetching], timeout=0.5)
            assert command_lines(str(server.port))
            assert "no answer within 1 s while asking what the ref names" in await fetching
            assert command_lines(str(server.port)) == []

    asyncio.run(main())


def test_a_fetch_that_is_cancelled_leaves_no_process(tmp_path: Path) -> None:
    """A controller that stops in the middle of a fetch takes git along."""

    async def main() -> None:
        async with serving(None) as server:
            source = GitSpecSource(GitOptions(server.url, tmp_path / "mirrors"), None, SystemClock())
            fetching = asyncio.create_task(source.fetch())
            await asyncio.wait([fetching], timeout=0.3)
            assert command_lines(str(server.port))
            fetching.cancel()
            await asyncio.gather(fetching, return_exceptions=True)
            assert fetching.cancelled()
            assert command_lines(str(server.port)) == []

    asyncio.run(main())


def test_a_trouble_is_over_when_the_remote_is_back(tmp_path: Path) -> None:
    """The mirror outlives it, and so does the value of the last good revision."""
    origin = repository(tmp_path / "origin")
    origin.publish({"a.yaml": schedule_text("a")})
    reader = source_of(origin)
    before = fetch(reader)
    origin.path.rename(tmp_path / "away")
    with pytest.raises(SpecSourceUnavailable, match="no such repository"):
        fetch(reader)
    (tmp_path / "away").rename(origin.path)
    assert fetch(reader) is before


@pytest.mark.parametrize(
    ("complaint", "told"),
    [
        ("git@h: Permission denied (publickey).\nfatal: Could not read from remote repository.", "login was refused"),
        ("Host key verification failed.\nfatal: Could not read from remote repository.", "known_hosts_file"),
        ("ssh: Could not resolve hostname h: Name or service not known", "cannot be reached"),
        ("ssh: connect to host h port 22: Connection timed out", "cannot be reached"),
        ("Connection closed by 10.0.0.1 port 22", "cannot be reached"),
        ('Load key "/k": bad permissions\ngit@h: Permission denied (publickey).', "ssh_key_file"),
        ("fatal: unable to access 'https://h/': server certificate verification failed. CAfile: none", "ca_file"),
        ("fatal: could not read Username for 'https://h': terminal prompts disabled", "login was refused"),
        ("ERROR: Repository not found.\nfatal: Could not read from remote repository.", "no such repository"),
        ("fatal: the remote end hung up unexpectedly\nfatal: early EOF\nfatal: index-pack failed", "broke off"),
        ("error: object 1: gitmodulesUrl: disallowed\nfatal: fsck error in packed object", "is refused"),
        ("fatal: transport 'ext' not allowed", "not spoken"),
        ("error: object file objects/aa/bb is empty\nfatal: the remote end hung up unexpectedly", None),
        ("fatal: Unable to create '/m/shallow.lock': File exists.", None),
        ("fatal: not a git repository: '/m'", None),
        ("fatal: loose object abc (stored in /m/objects/ab/c) is corrupt", None),
    ],
)
def test_the_words_of_git_and_ssh_are_understood(complaint: str, told: str | None) -> None:
    """What a new clone would mend is damage; everything else is the remote's, told in words that help."""
    error = GitFailed(complaint.splitlines()[-1], 128, complaint)
    found = told_of_remote(error)
    assert (found is None) == is_damage(error if found is None else found)
    assert (told is None and found is None) or (told is not None and told in str(found))
