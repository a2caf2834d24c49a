"""``events --follow``: goes on with what is recorded from now on, and ends when asked to."""

import asyncio
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from controller.adapters.stores.sqlite import SqliteStore, StoreMode
from controller.model.event import Event, EventName
from tests.golden.cli.scene import NOW, make_scene

DEADLINE_SECONDS = 30.0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The scene's folder."""
    return make_scene(tmp_path).folder


@pytest.fixture
def following(folder: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A follower of the newest event and all that come."""
    command = [sys.executable, "-m", "controller", "events", "--follow", "-n", "1", "-o", "json"]
    # A child inherits an ignored signal, and a shell starts what runs in the background with Ctrl-C ignored.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=folder, bufsize=0)
    signal.signal(signal.SIGINT, before)
    yield process
    process.kill()
    process.communicate(timeout=DEADLINE_SECONDS)


def next_line(process: "subprocess.Popen[bytes]") -> dict[str, Any]:
    """The next event, as soon as it is there."""
    assert process.stdout is not None
    ready, _, _ = select.select([process.stdout], [], [], DEADLINE_SECONDS)
    assert ready, "no line in time"
    row: dict[str, Any] = json.loads(process.stdout.readline())
    return row


def append(folder: Path, message: str) -> None:
    """Record an event, and a cycle's counts, as a controller would."""
    store = SqliteStore.open(folder / "state.db", mode=StoreMode.ACT)
    at = NOW + timedelta(seconds=1)
    events = [
        Event(EventName.CYCLE_FINISHED, at, {"revision": "", "considered": 0}),
        Event(EventName.CYCLE_FAILED, at, {"message": message}),
    ]
    asyncio.run(store.append_events(events))
    asyncio.run(store.close())


def test_new_events_come_one_object_a_line(folder: Path, following: "subprocess.Popen[bytes]") -> None:
    """First the newest, then each as it is recorded, each once, without the counts of cycles."""
    assert next_line(following)["event"] == "slot_skipped"
    append(folder, "first")
    assert next_line(following)["message"] == "first"
    append(folder, "second")
    assert next_line(following)["message"] == "second"


def test_ctrl_c_is_the_good_end(folder: Path, following: "subprocess.Popen[bytes]") -> None:
    """Whoever watched and had enough did nothing wrong: exit code 0 and no word about it."""
    next_line(following)
    append(folder, "now it polls")
    next_line(following)
    os.kill(following.pid, signal.SIGINT)
    _, error = following.communicate(timeout=DEADLINE_SECONDS)
    assert (following.returncode, error) == (0, b"")
