"""Know a process again, and end what a job left behind: read from /proc, where there is one."""

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from controller.embedded.clock import monotonic_seconds, sleep_seconds
from controller.embedded.store import ChildIdentity

# Every job's process has its job's id here and hands it on to what it starts.
JOB_ID_VARIABLE = "MAINSPRING_JOB_ID"

DEATH_WAIT_SECONDS = (
    2.0  # a killed process is gone in milliseconds, unless the kernel holds it in a disk or network wait
)
DEATH_POLL_SECONDS = 0.01

_PROC = Path("/proc")


class _Stat(NamedTuple):
    process_id: int
    phase: str
    group_id: int
    start_ticks: str


def identify(process_id: int) -> ChildIdentity:
    """Return what tells a process from all others, past and to come; without /proc its id alone, which never matches later."""
    stat = _stat(process_id)
    return ChildIdentity(process_id, "" if stat is None else f"{_boot_id()}:{stat.start_ticks}")


def group_members(group_id: int) -> list[int]:
    """Return the living processes of a group (a dead one that nobody has reaped does not live)."""
    return [stat.process_id for stat in _all_stats() if stat.group_id == group_id and stat.phase not in "ZX"]


def end_leftovers(job_id: str, child: ChildIdentity | None) -> bool:
    """Kill what is still alive of a job that an earlier platform process started, and wait until it is gone.

    Its group is killed only while its leader is the very process that was recorded; everything else is known by the job's id in its
    environment, which no other program has.

    Returns:
        Whether anything was alive.
    """
    found = set(_carriers(job_id))
    if child is not None and child.started and identify(child.process_id) == child:
        found.update(group_members(child.process_id))
    for process_id in found:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(process_id, signal.SIGKILL)
    deadline = monotonic_seconds() + DEATH_WAIT_SECONDS
    while any(_is_alive(process_id) for process_id in found) and monotonic_seconds() < deadline:
        sleep_seconds(DEATH_POLL_SECONDS)
    return bool(found)


def _carriers(job_id: str) -> Iterator[int]:
    wanted = f"{JOB_ID_VARIABLE}={job_id}".encode()
    for stat in _all_stats():
        with suppress(OSError):  # gone, or another user's
            if wanted in (_PROC / str(stat.process_id) / "environ").read_bytes().split(b"\0"):
                yield stat.process_id


def _is_alive(process_id: int) -> bool:
    stat = _stat(process_id)
    return stat is not None and stat.phase not in "ZX"


def _all_stats() -> Iterator[_Stat]:
    if not _PROC.is_dir():
        return
    for folder in _PROC.iterdir():
        if folder.name.isdigit():
            stat = _stat(int(folder.name))
            if stat is not None:
                yield stat


def _stat(process_id: int) -> _Stat | None:
    try:
        text = (_PROC / str(process_id) / "stat").read_text(errors="replace")
    except OSError:
        return None
    # The second field is the program's name in parentheses and may contain anything, parentheses too. See proc(5).
    fields = text[text.rindex(")") + 2 :].split()
    return _Stat(process_id, phase=fields[0], group_id=int(fields[2]), start_ticks=fields[19])


def _boot_id() -> str:
    try:
        return (_PROC / "sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""
