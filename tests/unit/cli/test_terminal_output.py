"""What a terminal shows and a pipe does not: colours, and lines that end at its edge."""

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.golden.cli.scene import AT, make_scene

ESCAPE = "\x1b"
COLOURS = re.compile(r"\x1b\[\d+m")
COLUMNS = 100
TIMEOUT_SECONDS = 30

COMMANDS = [
    ["get", "--at", AT],
    ["get", "orders", "--at", AT],
    ["explain", "clicks", "--at", AT],
    ["events"],
    ["validate", "specs"],
    ["next", "30 2 * * *"],
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The scene's folder."""
    return make_scene(tmp_path).folder


def environment(**more: str) -> dict[str, str]:
    """An environment without what decides about colours, and with these."""
    kept = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "TERM", "COLUMNS")}
    return {**kept, "TERM": "xterm", "COLUMNS": str(COLUMNS), **more}


def on_a_terminal(arguments: list[str], folder: Path, **more: str) -> str:
    """What a command writes where standard output and error are a terminal."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "controller", *arguments]
    process = subprocess.Popen(command, stdout=theirs, stderr=theirs, cwd=folder, env=environment(**more))
    os.close(theirs)
    written = b""
    try:
        while piece := os.read(ours, 65536):
            written += piece
    except OSError:
        pass  # how Linux says that nobody holds the other end any more
    finally:
        os.close(ours)
    process.wait(timeout=TIMEOUT_SECONDS)
    return written.decode().replace("\r\n", "\n")


@pytest.mark.parametrize("arguments", COMMANDS, ids=lambda each: each[0])
def test_a_terminal_gets_colours(arguments: list[str], folder: Path) -> None:
    """On a terminal every page has some, and each of them ends."""
    text = on_a_terminal(arguments, folder)
    assert COLOURS.search(text)
    assert text.count(f"{ESCAPE}[0m") * 2 == text.count(ESCAPE)


@pytest.mark.parametrize("arguments", [["get", "--at", AT], ["events"]], ids=lambda each: each[0])
def test_no_color_is_obeyed(arguments: list[str], folder: Path) -> None:
    """``NO_COLOR`` on a terminal: not one escape code, not even out of an event's own text."""
    assert ESCAPE not in on_a_terminal(arguments, folder, NO_COLOR="1")


def test_a_pipe_gets_plain_text(folder: Path) -> None:
    """Where the output goes into a program it is text and nothing else; the golden texts say so for every command."""
    command = [sys.executable, "-m", "controller", "events"]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=folder, env=environment(), timeout=TIMEOUT_SECONDS, check=False
    )
    assert done.stdout
    assert ESCAPE not in done.stdout + done.stderr


def test_a_table_ends_at_the_edge_of_the_terminal(folder: Path) -> None:
    """The last column is cut with a sign that it was; nothing wraps."""
    text = COLOURS.sub("", on_a_terminal(["explain", "orders", "--at", AT], folder))
    rows = text[text.index("LAST SLOTS") :].splitlines()
    assert max(len(line) for line in rows if not line.startswith("note:")) <= COLUMNS
    narrow = COLOURS.sub("", on_a_terminal(["explain", "orders", "--at", AT], folder, COLUMNS="90"))
    assert "…" in narrow
