"""One job's process: started in a session of its own, listened to, and ended with everything that it started."""

import asyncio
import json
import os
import signal
import subprocess
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from controller.embedded.processes import group_members, identify

TERMINATION_GRACE_SECONDS = 3.0  # for a program's own clean-up; with it the platform still stops within 5 s
GROUP_POLL_SECONDS = 0.02  # the kernel tells when a process ends, but not when a group does
EXIT_POLL_SECONDS = 0.05  # only where the kernel has no pidfd
DEATH_SECONDS = 2.0  # a killed process is gone in milliseconds, unless the kernel holds it in a disk or network wait
DRAIN_SECONDS = 1.0  # a stranger may hold the pipe open for ever; what the job wrote is in the pipe already
READ_BYTES = 64 * 1024  # what a pipe holds
COUNT_MAX = 10**15  # of one line; sums of these fit the 64 bits of the database
LINE_BYTES_MAX = 2_000  # the rest of a longer line is dropped


@dataclass(frozen=True, slots=True)
class Launch:
    """What to start: an argument list, never a shell's text."""

    arguments: tuple[str, ...]
    directory: Path
    environment: Mapping[str, str]
    task: bytes | None = (
        None  # goes to standard input, which then stays open as long as the platform lives; None: it is empty
    )


@dataclass(frozen=True, slots=True)
class Listener:
    """Who is told what a process prints."""

    counted: Callable[[int, int], None]  # rows, bytes: what came since the line before
    logged: Callable[[str], None]


class Child:
    """A started process."""

    def __init__(self, launch: Launch, listener: Listener) -> None:
        self._loop = asyncio.get_running_loop()
        self._process = subprocess.Popen(
            launch.arguments,
            cwd=launch.directory,
            env=dict(launch.environment),
            stdin=subprocess.DEVNULL if launch.task is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            bufsize=0,
        )
        self.identity = identify(self._process.pid)
        self._ended = asyncio.Event()
        self._is_terminated = False
        self._kill_timer: asyncio.TimerHandle | None = None
        self._readers = [
            _LineReader(self._pipe(self._process.stdout), lambda line: _tell(listener, line)),
            _LineReader(self._pipe(self._process.stderr), lambda line: listener.logged(_text(line))),
        ]
        if launch.task is not None:
            self._give_task(launch.task)
        self._watch_exit()

    def terminate(self) -> None:
        """Ask the whole group to end; after the grace it is killed. Harmless when repeated or too late."""
        if self._is_terminated or self._ended.is_set():
            return
        self._is_terminated = True
        self._signal_group(signal.SIGTERM)
        self._kill_timer = self._loop.call_later(TERMINATION_GRACE_SECONDS, self._signal_group, signal.SIGKILL)

    async def wait(self) -> int:
        """Wait until the process and its group are gone and all their output has been told.

        Returns:
            The exit code; a negative one is the signal that ended the process.
        """
        await self._ended.wait()
        # The leader is dead but not reaped, so nobody else can get its id, which is the group's id.
        if self._is_terminated:
            deadline = self._loop.time() + TERMINATION_GRACE_SECONDS
            while group_members(self._process.pid) and self._loop.time() < deadline:
                await _turns(self._loop, GROUP_POLL_SECONDS)
        self._signal_group(signal.SIGKILL)
        if self._kill_timer is not None:
            self._kill_timer.cancel()
        code = self._process.wait()
        await self._group_gone()
        with suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_SECONDS):
                for reader in self._readers:
                    await reader.finished.wait()
        for reader in self._readers:
            reader.close()
        if self._process.stdin is not None:
            self._process.stdin.close()
        return code

    async def _group_gone(self) -> None:
        """Wait until what was killed is gone: a job is over only when none of its processes can write any more."""
        deadline = self._loop.time() + DEATH_SECONDS
        with suppress(ProcessLookupError):
            while self._loop.time() < deadline:
                os.killpg(self._process.pid, 0)  # the usual case, nobody left, costs one system call
                if not group_members(self._process.pid):
                    return
                await _turns(self._loop, GROUP_POLL_SECONDS)

    def _signal_group(self, number: signal.Signals) -> None:
        if self._process.returncode is None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, number)

    def _give_task(self, task: bytes) -> None:
        with suppress(BrokenPipeError):  # it died at once; its exit code says the rest
            self._pipe(self._process.stdin).write(task)

    def _watch_exit(self) -> None:
        if hasattr(os, "pidfd_open"):
            descriptor = os.pidfd_open(self._process.pid)
            self._loop.add_reader(descriptor, self._note_exit, descriptor)
        else:
            self._loop.call_later(EXIT_POLL_SECONDS, self._poll_exit)

    def _note_exit(self, descriptor: int) -> None:
        self._loop.remove_reader(descriptor)
        os.close(descriptor)
        self._ended.set()

    def _poll_exit(self) -> None:
        exited = os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if exited is None:
            self._loop.call_later(EXIT_POLL_SECONDS, self._poll_exit)
        else:
            self._ended.set()

    @staticmethod
    def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
        if pipe is None:
            raise RuntimeError("the process was started without its pipes")
        return pipe


class _LineReader:
    """Cuts what comes out of a pipe into lines of bounded length, without waiting for anything."""

    def __init__(self, pipe: IO[bytes], told: Callable[[bytes], None]) -> None:
        self.finished = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._pipe = pipe
        self._told = told
        self._begun = b""
        os.set_blocking(pipe.fileno(), False)
        self._loop.add_reader(pipe.fileno(), self._read)

    def close(self) -> None:
        """Stop listening; a last line without an end counts."""
        if self._pipe.closed:
            return
        self._loop.remove_reader(self._pipe.fileno())
        self._pipe.close()
        if self._begun:
            self._told(self._begun)
        self.finished.set()

    def _read(self) -> None:
        try:
            chunk = os.read(self._pipe.fileno(), READ_BYTES)
        except BlockingIOError:
            return
        if not chunk:
            self.close()
            return
        first, *others = chunk.split(b"\n")
        self._begun = (self._begun + first)[:LINE_BYTES_MAX]
        for piece in others:
            self._told(self._begun)
            self._begun = piece[:LINE_BYTES_MAX]


def _tell(listener: Listener, line: bytes) -> None:
    counts = counts_of(line)
    if counts is None:
        listener.logged(_text(line))
    else:
        listener.counted(*counts)


def counts_of(line: bytes) -> tuple[int, int] | None:
    """Read a progress line, `{"rows": 500, "bytes": 40960}` with one or both keys and nothing else; None for any other line."""
    if not line.startswith(b"{"):
        return None
    try:
        document = json.loads(line)
    except ValueError:
        return None
    if not document or not document.keys() <= {"rows", "bytes"}:
        return None
    if not all(type(value) is int and 0 <= value <= COUNT_MAX for value in document.values()):
        return None
    return document.get("rows", 0), document.get("bytes", 0)


def _text(line: bytes) -> str:
    return line.decode(errors="replace").rstrip("\r")


async def _turns(loop: asyncio.AbstractEventLoop, seconds: float) -> None:
    waited = loop.create_future()
    loop.call_later(seconds, waited.set_result, None)
    await waited
