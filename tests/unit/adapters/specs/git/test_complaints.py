"""What git and a server complain of: the end of it counts, and nothing in it may give a secret away or steer a terminal."""

import asyncio
import sys
from pathlib import Path

import pytest

from controller.adapters.clock import SystemClock
from controller.adapters.specs.git.command import (
    COMPLAINT_BYTES_MAX,
    MESSAGE_LENGTH_MAX,
    Git,
    GitFailed,
    Limits,
    kept_variables,
    run_program,
)
from controller.adapters.specs.git.place import GitOptions
from controller.adapters.specs.git.refs import find_tip
from controller.adapters.specs.git.source import GitSpecSource
from controller.adapters.specs.git.troubles import RemoteFailed
from controller.errors import SpecSourceUnavailable
from tests.unit.adapters.specs.git.servers import refusal, serving

CANARY = "canary-5b0f37aa91"


def complain(program: str, *secrets: str) -> GitFailed:
    """Run a program that fails; returns how."""
    arguments = [sys.executable, "-c", f"import sys\n{program}\nsys.exit(1)"]
    limits = Limits(20.0, 1 << 20, "a test")
    with pytest.raises(GitFailed) as failed:
        asyncio.run(run_program(arguments, limits, variables=kept_variables(), secrets=secrets))
    return failed.value


@pytest.mark.parametrize("size", [1, 3_000, 5_000, COMPLAINT_BYTES_MAX, 5 * COMPLAINT_BYTES_MAX])
def test_the_reason_is_found_behind_any_greeting(size: int) -> None:
    """A host greets at length, in one go or in many, and the reason stands last."""
    at_once = f"sys.stderr.write('x' * {size} + '\\n')"
    in_pieces = f"for _ in range({size // 50}):\n    sys.stderr.write('x' * 49 + '\\n'); sys.stderr.flush()"
    for greeting in (at_once, in_pieces):
        error = complain(f"{greeting}\nprint('fatal: Authentication failed', file=sys.stderr)")
        assert str(error) == "fatal: Authentication failed"
        assert len(error.complaint) <= COMPLAINT_BYTES_MAX


@pytest.mark.parametrize("before", [0, MESSAGE_LENGTH_MAX - 12, MESSAGE_LENGTH_MAX + 5])
def test_not_even_half_a_secret_is_shown(before: int) -> None:
    """It is struck out before what is too long is cut off, of the message and of what is kept to be judged."""
    error = complain(f"sys.stderr.write('fatal: ' + 'x' * {before} + '{CANARY}' + 'y' * 70_000 + '\\n')", CANARY)
    assert "canary" not in str(error) + error.complaint
    error = complain(f"sys.stderr.write('fatal: ' + 'x' * {before} + '{CANARY} rest\\n')", CANARY)
    assert "canary" not in str(error) + error.complaint + repr(error)
    assert str(error).startswith("fatal: x" if before else "fatal: ***")


def test_a_server_cannot_make_us_show_the_beginning_of_the_token(tmp_path: Path) -> None:
    """It pads its words so that ours would end in the middle of what it repeats."""
    (tmp_path / "token").write_text(CANARY)

    async def said(padding: int) -> str:
        async with serving(refusal("x" * padding + CANARY)) as server:
            options = GitOptions(server.url, tmp_path / "mirrors", token_file=tmp_path / "token")
            with pytest.raises(SpecSourceUnavailable) as refused:
                await GitSpecSource(options, None, SystemClock()).fetch()
            return str(refused.value)

    for padding in (460, 470, 480, 485):
        text = asyncio.run(said(padding))
        assert "xxx" in text
        assert "cana" not in text


def test_a_command_shows_neither_its_variables_nor_its_secrets() -> None:
    """Whoever prints how git is called prints no token."""
    assert CANARY not in repr(Git(environment={"TOKEN": CANARY}, secrets=(CANARY,)))


class SaysHead:
    """A remote whose HEAD stands for a branch of this name."""

    def __init__(self, name: str) -> None:
        self._name = name

    async def run(self, *_: str, **__: object) -> bytes:
        """What ls-remote prints."""
        return f"ref: refs/heads/{self._name}\tHEAD\n{'a' * 40}\tHEAD\n".encode()


@pytest.mark.parametrize("name", ["\x1b[2Jmain", "a b", "../x", "m\u202eniam", "x" * 5_000, "-x"])
def test_a_branch_that_a_server_makes_up_names_no_revision(name: str) -> None:
    """What HEAD stands for becomes part of the revision's name, which is logged, stored and shown."""
    with pytest.raises(RemoteFailed, match="cannot be one"):
        asyncio.run(find_tip(SaysHead(name), "https://git.example/x", ""))  # type: ignore[arg-type]
    assert asyncio.run(find_tip(SaysHead("trunk"), "https://git.example/x", "")).name == "trunk"  # type: ignore[arg-type]
