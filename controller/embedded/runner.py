"""Jobs in motion: which waits, which has one of the slots, and how each ends."""

import asyncio
import json
import math
import os
import sys
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from controller.embedded.child import Child, Launch, Listener
from controller.embedded.clock import utc_now
from controller.embedded.definition import Command, Movement
from controller.embedded.processes import JOB_ID_VARIABLE, end_leftovers
from controller.embedded.store import LOG_LINES_MAX, Job, JobStatus, LogLine, Store

FLUSH_SECONDS = 0.25  # counts of a running job are written at most this often: four small writes a second per job

_PACKAGE_PARENT = Path(__file__).resolve().parents[2]
# `-I -S` skips site-packages and the user's environment: the engine needs the standard library only, and starts in half the time.
_PYTHON = (sys.executable, "-I", "-S", "-c")
_BOOTSTRAP = (
    "import sys; sys.path.insert(0, {parent!r}); from controller.embedded.worker.{module} import main; sys.exit(main())"
)

# What a connection's jobs do, or None when the connection is gone.
Work = Movement | Command | None
WorkOf = Callable[[str], Work]


@dataclass(slots=True)
class _Running:
    """A job that has a slot, and what is not written yet of what its process said."""

    job: Job
    child: Child | None = None
    is_cancelled: bool = False
    is_stopped: bool = False
    rows: int = 0
    size_bytes: int = 0
    lines: deque[LogLine] = field(default_factory=lambda: deque(maxlen=LOG_LINES_MAX))
    flushed_at: float = -math.inf  # in the event loop's time
    flush_timer: asyncio.TimerHandle | None = None
    task: asyncio.Task[None] | None = None


class Runner:
    """Starts pending jobs, oldest first, while there are free slots; ends them on request."""

    def __init__(self, store: Store, work_of: WorkOf, slots: int) -> None:
        self._store = store
        self._work_of = work_of
        self._slots = slots
        self._running: dict[str, _Running] = {}
        self._is_stopping = False

    @property
    def is_stopping(self) -> bool:
        """Whether the platform is about to end and starts nothing more."""
        return self._is_stopping

    def recover(self) -> None:
        """End what an earlier platform process left: its running jobs are over, and so are their processes. Pending ones stay."""
        for job in self._store.active_jobs():
            if job.status != "running":
                continue
            was_alive = end_leftovers(job.job_id, job.child)
            line = "the platform ended while this job was running" + ("; its process was killed" if was_alive else "")
            self._store.add_progress(job.job_id, 0, 0, [LogLine(utc_now(), line)])
            self._store.end_job(job, "cancelled" if job.is_cancel_requested else "failed", utc_now())
        self.wake()

    def set_slots(self, slots: int) -> None:
        """Change how many jobs may run at once; running ones are left alone."""
        self._slots = slots
        self.wake()

    def wake(self) -> None:
        """Look for pending jobs, after the present request has been answered."""
        asyncio.get_running_loop().call_soon(self._fill_slots)

    def cancel(self, job: Job) -> None:
        """End an active job: a pending one at once, a running one when its processes are gone."""
        running = self._running.get(job.job_id)
        if running is None:
            self._store.end_job(job, "cancelled", utc_now())
            return
        self._store.request_cancel(job.job_id)
        running.is_cancelled = True
        if running.child is not None:
            running.child.terminate()

    async def stop(self) -> None:
        """Start nothing more, end all running jobs as failed, and return when their processes are gone."""
        self._is_stopping = True
        for running in self._running.values():
            running.is_stopped = True
            if running.child is not None:
                running.child.terminate()
        tasks = [running.task for running in self._running.values() if running.task is not None]
        if tasks:
            await asyncio.wait(tasks)

    def _fill_slots(self) -> None:
        while not self._is_stopping and len(self._running) < self._slots:
            job = self._store.next_pending()
            if job is None:
                return
            # Written before the process exists: whoever finds a running job after a crash looks for its process.
            self._store.mark_running(job.job_id)
            running = _Running(job)
            self._running[job.job_id] = running
            running.task = asyncio.get_running_loop().create_task(self._attend(running))

    async def _attend(self, running: _Running) -> None:
        status: JobStatus = "failed"
        try:
            status = await self._finish(running)
        finally:
            del self._running[running.job.job_id]
            self._flush(running)
            self._store.end_job(running.job, status, utc_now())
            self._fill_slots()

    async def _finish(self, running: _Running) -> JobStatus:
        """Start the job's process, wait for its end, and judge it."""
        interrupted = self._interruption(running)
        if interrupted is not None:
            return interrupted
        job = running.job
        work = self._work_of(job.connection_id)
        if work is None:
            return self._fail(running, f"connection {job.connection_id} does not exist any more")
        try:
            launch = launch_of(job, work)
            listener = Listener(
                counted=lambda rows, size_bytes: self._count(running, rows, size_bytes),
                logged=lambda line: self._log(running, line),
            )
            running.child = Child(launch, listener)
        except OSError as error:
            return self._fail(running, f"the process could not be started: {error}")
        self._store.set_child(job.job_id, running.child.identity)
        code = await running.child.wait()
        interrupted = self._interruption(running)
        if interrupted is not None:
            return interrupted
        if code != 0:
            return self._fail(running, f"exit code {code}" if code > 0 else f"ended by signal {-code}")
        return "succeeded"

    def _interruption(self, running: _Running) -> JobStatus | None:
        """Judge a job that somebody ended, whatever its process has answered; None for a job left to itself."""
        if running.is_cancelled:
            self._log(running, "cancelled on request")
            return "cancelled"
        return self._fail(running, "platform stopped") if running.is_stopped else None

    def _fail(self, running: _Running, line: str) -> JobStatus:
        self._log(running, line)
        return "failed"

    def _count(self, running: _Running, rows: int, size_bytes: int) -> None:
        running.rows += rows
        running.size_bytes += size_bytes
        self._flush_soon(running)

    def _log(self, running: _Running, line: str) -> None:
        running.lines.append(LogLine(utc_now(), line))
        self._flush_soon(running)

    def _flush_soon(self, running: _Running) -> None:
        if running.flush_timer is None:
            due = running.flushed_at + FLUSH_SECONDS  # long past for the first page, which is shown at once
            running.flush_timer = asyncio.get_running_loop().call_at(due, self._flush, running)

    def _flush(self, running: _Running) -> None:
        if running.flush_timer is None:
            return
        running.flush_timer.cancel()
        running.flush_timer = None
        running.flushed_at = asyncio.get_running_loop().time()
        self._store.add_progress(running.job.job_id, running.rows, running.size_bytes, list(running.lines))
        running.rows, running.size_bytes = 0, 0
        running.lines.clear()


def launch_of(job: Job, work: Movement | Command) -> Launch:
    """Say which process does a job."""
    environment = {**os.environ, JOB_ID_VARIABLE: job.job_id}
    if isinstance(work, Movement):
        task = {"action": job.job_type, **work.model_dump(mode="json")}
        return Launch(
            arguments=(*_PYTHON, _bootstrap("__main__"), job.job_id),
            directory=_PACKAGE_PARENT,
            environment=environment,
            task=json.dumps(task).encode() + b"\n",
        )
    program, *arguments = work.sync if job.job_type == "sync" else work.reset or ()
    return Launch(
        # `python` means the one we run on, in whatever environment that is.
        arguments=(
            *_PYTHON,
            _bootstrap("launch"),
            str(os.getpid()),
            sys.executable if program == "python" else program,
            *arguments,
        ),
        directory=Path(work.directory),
        environment={**environment, **work.environment},
    )


def _bootstrap(module: str) -> str:
    return _BOOTSTRAP.format(parent=str(_PACKAGE_PARENT), module=module)
