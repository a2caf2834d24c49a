"""An event loop whose clock jumps to the next timer: hours pass in milliseconds, always in the same order."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context, ContextVar
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from itertools import count
from typing import Any, TypeVar, TypeVarTuple, Unpack

from controller.ports.cadence import NONE

T = TypeVar("T")
Given = TypeVarTuple("Given")

OWNER: ContextVar[object] = ContextVar("OWNER", default=None)
"""For whom tasks are made from here on; tasks that a task makes belong to the same owner."""


class DeadlockError(RuntimeError):
    """Nothing is ready and no timer is set: in real time the loop would wait for ever."""


class LivelockError(RuntimeError):
    """Something is always ready, so that time stands still: in real time a processor would be busy for ever."""


STEPS_AT_ONCE = 100_000
"""Rounds of the loop at one instant after which it counts as a livelock."""


class SerialTask(asyncio.Task[Any]):
    """A task that hashes by its number: sets of tasks, as in ``asyncio.wait``, are walked in the same order in every run."""

    def __init__(self, serial: int, coroutine: Coroutine[Any, Any, Any], **options: Any) -> None:
        # Before the constructor, which puts the task into a set.
        self.serial = serial
        self.owner = OWNER.get()
        super().__init__(coroutine, **options)

    def __hash__(self) -> int:
        return self.serial


class VirtualTimeLoop(asyncio.BaseEventLoop):
    """An asyncio loop on virtual time; ``start`` is what its wall clock shows at first. It has no sockets, threads or signals.

    It keeps its own timers and takes its own turns, because asyncio's ask the system for events in each of them.
    """

    def __init__(self, start: datetime) -> None:
        super().__init__()
        self.start = start
        self.elapsed = 0.0
        self._standing = 0
        self._ready: deque[asyncio.Handle]
        self._timers: list[tuple[float, int, asyncio.TimerHandle | asyncio.Future[None]]] = []
        self._numbers = count()
        serials = count(1)
        self.set_task_factory(lambda loop, coro, **more: SerialTask(next(serials), coro, loop=loop, **more))

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self.elapsed

    def suspend(self, seconds: float) -> None:
        """Let time pass in which nothing runs, as while the machine sleeps; what was due meanwhile comes late."""
        self.elapsed += seconds

    def tasks_of(self, owner: object) -> list[SerialTask]:
        """What is not done of an owner's tasks, oldest first."""
        found = [task for task in asyncio.all_tasks(self) if isinstance(task, SerialTask) and task.owner is owner]
        return sorted(found, key=lambda task: task.serial)

    def call_soon(
        self, callback: Callable[[Unpack[Given]], object], *args: *Given, context: Context | None = None
    ) -> asyncio.Handle:
        """In the next turn, after what is ready already."""
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def call_at(
        self,
        when: float,
        callback: Callable[[Unpack[Given]], object],
        *args: *Given,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """At a time of the loop; of two for the same time the one that was asked for first comes first."""
        timer = asyncio.TimerHandle(when, callback, args, self, context)
        heappush(self._timers, (when, next(self._numbers), timer))
        return timer

    def sleeper(self, seconds: float) -> asyncio.Future[None]:
        """What is done after some seconds: a timer without a callback, as most are."""
        woken: asyncio.Future[None] = asyncio.Future(loop=self)
        heappush(self._timers, (self.elapsed + seconds, next(self._numbers), woken))
        return woken

    def _run_once(self) -> None:
        """One turn: whatever is due or ready now; if that is nothing, time jumps to the next timer."""
        ready, timers = self._ready, self._timers
        while timers and timers[0][2].cancelled():
            heappop(timers)
        if ready or (timers and timers[0][0] <= self.elapsed):
            self._standing += 1
            if self._standing > STEPS_AT_ONCE:
                # Once: what ends the tasks afterwards needs steps as well.
                self._standing = 0
                raise LivelockError(f"{STEPS_AT_ONCE} steps and no time has passed")
        elif timers:
            self.elapsed, self._standing = timers[0][0], 0
        else:
            raise DeadlockError("nothing is ready and no timer is set")
        while timers and timers[0][0] <= self.elapsed:
            due = heappop(timers)[2]
            if isinstance(due, asyncio.Handle):
                ready.append(due)
            elif not due.done():
                # Whoever waits for it goes on in this turn.
                due.set_result(None)
        # What becomes ready in this turn has its turn in the next one.
        self._ready = deque()
        for handle in ready:
            if not handle._cancelled:  # noqa: SLF001 - a loop knows its handles
                handle._run()  # noqa: SLF001


class VirtualClock:
    """The clock port over a virtual loop; ``step`` moves the wall clock alone, as an operator or NTP might, ``drift`` lets it go wrong."""

    def __init__(self, loop: VirtualTimeLoop) -> None:
        self._loop = loop
        self._offset = timedelta()
        self._rate, self._since = 0.0, 0.0
        # It is read many times at each instant; None where it was set since.
        self._read_at: float | None = None
        self._shown = loop.start

    def now(self) -> datetime:
        """The virtual wall clock, aware UTC, to the microsecond."""
        elapsed = self._loop.elapsed
        if elapsed != self._read_at:
            self._read_at, self._shown = elapsed, self._look(elapsed)
        return self._shown

    def boottime(self) -> float:
        """Virtual seconds; no step moves them."""
        return self._loop.elapsed

    async def sleep(self, seconds: float) -> None:
        """Wait in virtual time."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        await self._loop.sleeper(seconds)

    def step(self, by: timedelta) -> None:
        """Move the wall clock."""
        self._set(self._offset + by)

    def drift(self, rate: float) -> None:
        """From now on let the wall clock gain that share of the time that passes."""
        self._set(self._offset + self._drifted())
        self._rate, self._since = rate, self._loop.elapsed

    def correct(self) -> None:
        """Set the wall clock right, and let it go right."""
        self._set(timedelta())
        self._rate = 0.0

    def _set(self, offset: timedelta) -> None:
        self._offset, self._read_at = offset, None

    def _look(self, elapsed: float) -> datetime:
        shown = self._loop.start + timedelta(microseconds=round(elapsed * 1e6)) + self._offset
        return shown + self._drifted() if self._rate else shown

    def _drifted(self) -> timedelta:
        return timedelta(microseconds=round((self._loop.elapsed - self._since) * self._rate * 1e6))


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
