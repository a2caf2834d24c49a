"""An event loop whose clock jumps to the next timer: hours pass in milliseconds, always in the same order."""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, TypeVar

from controller.ports.cadence import NONE

T = TypeVar("T")

OWNER: ContextVar[object] = ContextVar("OWNER", default=None)
"""For whom tasks are made from here on; tasks that a task makes belong to the same owner."""


class DeadlockError(RuntimeError):
    """Nothing is ready and no timer is set: in real time the loop would wait for ever."""


class LivelockError(RuntimeError):
    """Something is always ready, so that time stands still: in real time a processor would be busy for ever."""


STEPS_AT_ONCE = 100_000
"""Rounds of the loop at one instant after which it counts as a livelock."""


class _JumpingSelector(selectors.SelectSelector):
    """Instead of waiting, moves the loop's clock."""

    def __init__(self) -> None:
        super().__init__()
        self.elapsed = 0.0
        self._standing = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Look at what is ready now; if that is nothing, jump ahead by ``timeout`` seconds."""
        # The loop's own pipe to itself is always there, and nothing comes through it: threads and signals are banned.
        ready = super().select(0) if len(self.get_map()) > 1 else []
        if ready or timeout == 0:
            self._standing += 1
            if self._standing > STEPS_AT_ONCE:
                # Once: what ends the tasks afterwards needs steps as well.
                self._standing = 0
                raise LivelockError(f"{STEPS_AT_ONCE} steps and no time has passed")
            return ready
        if timeout is None:
            raise DeadlockError("nothing is ready and no timer is set")
        self.elapsed += max(timeout, 0.0)
        self._standing = 0
        return []


class SerialTask(asyncio.Task[Any]):
    """A task that hashes by its number: sets of tasks, as in ``asyncio.wait``, are walked in the same order in every run."""

    def __init__(self, serial: int, coroutine: Coroutine[Any, Any, Any], **options: Any) -> None:
        # Before the constructor, which puts the task into a set.
        self.serial = serial
        self.owner = OWNER.get()
        super().__init__(coroutine, **options)

    def __hash__(self) -> int:
        return self.serial


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """An asyncio loop on virtual time; ``start`` is what its wall clock shows at first."""

    def __init__(self, start: datetime) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)
        self.start = start
        serials = count(1)
        self.set_task_factory(lambda loop, coro, **more: SerialTask(next(serials), coro, loop=loop, **more))

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._jumping.elapsed

    def suspend(self, seconds: float) -> None:
        """Let time pass in which nothing runs, as while the machine sleeps; what was due meanwhile comes late."""
        self._jumping.elapsed += seconds

    def tasks_of(self, owner: object) -> list[SerialTask]:
        """What is not done of an owner's tasks, oldest first."""
        found = [task for task in asyncio.all_tasks(self) if isinstance(task, SerialTask) and task.owner is owner]
        return sorted(found, key=lambda task: task.serial)


class VirtualClock:
    """The clock port over a virtual loop; ``step`` moves the wall clock alone, as an operator or NTP might, ``drift`` lets it go wrong."""

    def __init__(self, loop: VirtualTimeLoop) -> None:
        self._loop = loop
        self._offset = timedelta()
        self._rate, self._since = 0.0, 0.0

    def now(self) -> datetime:
        """The virtual wall clock, aware UTC, to the microsecond."""
        shown = self._loop.start + timedelta(microseconds=round(self._loop.time() * 1e6)) + self._offset
        return shown + self._drifted() if self._rate else shown

    def boottime(self) -> float:
        """Virtual seconds; no step moves them."""
        return self._loop.time()

    async def sleep(self, seconds: float) -> None:
        """Wait in virtual time."""
        await asyncio.sleep(max(seconds, 0))

    def step(self, by: timedelta) -> None:
        """Move the wall clock."""
        self._offset += by

    def drift(self, rate: float) -> None:
        """From now on let the wall clock gain that share of the time that passes."""
        self._offset += self._drifted()
        self._rate, self._since = rate, self._loop.time()

    def correct(self) -> None:
        """Set the wall clock right, and let it go right."""
        self._offset, self._rate = timedelta(), 0.0

    def _drifted(self) -> timedelta:
        return timedelta(microseconds=round((self._loop.time() - self._since) * self._rate * 1e6))


class VirtualCadence:
    """The cadence port over a virtual loop's timers."""

    def __init__(self, loop: VirtualTimeLoop) -> None:
        self._loop = loop
        self._tasks: list[tuple[float, Callable[[], None]]] = []
        self._running = False

    def every(self, interval: timedelta, name: str, task: Callable[[], None], *, jitter: timedelta = NONE) -> None:
        """Call ``task`` every ``interval`` once started, at the instant: chance would tell two runs of one seed apart."""
        del name, jitter
        self._tasks.append((interval.total_seconds(), task))

    def start(self) -> None:
        """Begin calling."""
        self._running = True
        for seconds, task in self._tasks:
            self._loop.call_later(seconds, self._call, seconds, task)

    def stop(self) -> None:
        """Call nothing any more."""
        self._running = False

    def _call(self, seconds: float, task: Callable[[], None]) -> None:
        if self._running:
            task()
            self._loop.call_later(seconds, self._call, seconds, task)


def run_virtual(start: datetime, main: Callable[[VirtualTimeLoop], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine to its end on a new virtual loop."""
    if start.tzinfo is not UTC:
        raise ValueError("the start must be aware UTC")
    loop = VirtualTimeLoop(start)
    try:
        return loop.run_until_complete(main(loop))
    finally:
        _end_tasks(loop)
        loop.close()


def _end_tasks(loop: VirtualTimeLoop) -> None:
    """Let go of what a failed run left behind, so that nothing of it complains later."""
    left = [task for task in asyncio.all_tasks(loop) if not task.done()]
    for task in left:
        task.cancel()
    if left:
        loop.run_until_complete(asyncio.wait(left, timeout=60))
