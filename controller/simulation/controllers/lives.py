"""The lives of one or two controllers: each machine runs one after the other, and what befalls them is noted as long as it may matter."""

import asyncio
from collections.abc import Callable
from contextvars import copy_context
from dataclasses import dataclass, field
from datetime import timedelta

from controller.errors import StoreUnavailable
from controller.reconcile.loop import Loop
from controller.simulation.chronicle import Chronicle, Trouble
from controller.simulation.controllers.life import Life
from controller.simulation.controllers.machine import Machine
from controller.simulation.faults import AFTERMATH, Fault, FaultKind
from controller.simulation.virtual_time import OWNER, VirtualClock, VirtualTimeLoop

SUPERVISED_SECONDS = 5.0
"""After how long a process that ended by itself is started again."""


@dataclass(slots=True)
class _Seat:
    """A machine, the life on it, and until when what runs there cannot act."""

    machine: Machine
    life: Life | None = None
    task: asyncio.Task[None] | None = None
    back: asyncio.TimerHandle | None = None
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    stopped_for: float = 0.0
    out_until: float = 0.0


class Lives:
    """Every life that there was, and those that there are. ``make`` builds the controller of a life.

    ``takeover``: seconds after which another controller acts in the place of one that is gone; 0 with only one.
    """

    def __init__(
        self,
        loop: VirtualTimeLoop,
        chronicle: Chronicle,
        controllers: int,
        takeover: float,
        make: Callable[[Life], Loop],
    ) -> None:
        self.number = 0
        self._loop, self._chronicle, self._takeover, self._make = loop, chronicle, takeover, make
        self._clock = VirtualClock(loop)
        self._seats = [_Seat(Machine(number, loop)) for number in range(controllers)]
        self._dying: list[tuple[Life, asyncio.Task[None]]] = []
        self._is_ending = False

    def begin(self) -> None:
        """Let the first life on every machine begin."""
        for seat in self._seats:
            self._begin(seat)

    def _begin(self, seat: _Seat) -> None:
        seat.back, seat.stop, seat.stopped_for = None, asyncio.Event(), 0.0
        self.number += 1
        life = Life(self.number, seat.machine, lambda dead, back_after: self._ended(seat, dead, back_after))
        context = copy_context()
        context.run(OWNER.set, life)
        controller = self._make(life)
        seat.life = life
        seat.task = context.run(asyncio.create_task, controller.run(seat.stop))
        seat.task.add_done_callback(lambda task: self._came_to_an_end(seat, life, task))

    def _came_to_an_end(self, seat: _Seat, life: Life, task: asyncio.Task[None]) -> None:
        """A start that the store refuses ends the process, and so does a person; what supervises it starts it again."""
        if task.cancelled() or self._is_ending:
            return
        if isinstance(task.exception(), StoreUnavailable):
            life.kill(SUPERVISED_SECONDS)
        elif seat.stop.is_set():
            life.kill(seat.stopped_for)

    def _ended(self, seat: _Seat, dead: Life, back_after: float) -> None:
        """End every task of a life, and let the next one begin in time."""
        for task in self._loop.tasks_of(dead):
            task.cancel()
        assert seat.task is not None  # noqa: S101 - a life has its task
        self._dying.append((dead, seat.task))
        seat.life, seat.task = None, None
        seat.back = self._loop.call_later(back_after, self._begin, seat)
        kind = FaultKind.GRACEFUL_STOP if seat.stop.is_set() else FaultKind.CRASH
        self._trouble(kind, seat, back_after)

    async def bury(self) -> None:
        """Wait until dead tasks have let go; some wait in their ``finally`` for others and are cancelled once more.

        Raises:
            Exception: what a controller ended with, unless the store refused its start.
        """
        for dead, task in self._dying:
            while left := self._loop.tasks_of(dead):
                for each in left:
                    each.cancel()
                await self._clock.sleep(0)
            if task.done() and not task.cancelled():
                task.exception()
        self._dying.clear()
        for seat in self._seats:
            if seat.task is not None and seat.task.done() and not seat.task.cancelled():
                error = seat.task.exception()
                if error is not None and not isinstance(error, StoreUnavailable):
                    raise error

    async def end(self) -> None:
        """Stop every controller as a person would."""
        self._is_ending = True
        for seat in self._seats:
            seat.stop.set()
        for seat in self._seats:
            if seat.task is not None:
                await seat.task

    # What befalls them

    def strike(self, fault: Fault) -> None:
        """Let a fault befall one controller, or the machine that it runs on."""
        seat = self._seats[int(fault.choice * len(self._seats))]
        if seat.life is None or seat.life.is_paused or seat.stop.is_set():
            return
        self._chronicle.hit(fault.kind)
        match fault.kind:
            case FaultKind.CRASH:
                seat.life.kill(fault.seconds)
            case FaultKind.GRACEFUL_STOP:
                seat.stopped_for = fault.seconds
                seat.stop.set()
                self._trouble(fault.kind, seat, fault.seconds)
            case FaultKind.PAUSE:
                self._pause(fault, [seat])
            case FaultKind.SUSPEND_MACHINE:
                self._pause(fault, self._seats)
            case FaultKind.CUT_PLATFORM:
                seat.machine.cut(fault.kind, fault.seconds)
                # It still holds its lease, so nobody acts in its place.
                self._note(fault.kind, fault.seconds)
            case FaultKind.CUT_STORE:
                seat.machine.cut(fault.kind, fault.seconds)
                self._trouble(fault.kind, seat, fault.seconds)
            case FaultKind.CLOCK_STEP:
                # What a wrong time zone does.
                self._set_wrong(fault, seat, timedelta(hours=1))
            case FaultKind.CLOCK_NUDGE:
                self._set_wrong(fault, seat, timedelta(seconds=5 + 20 * (fault.choice * 997 % 1)))
            case FaultKind.CLOCK_RATE:
                # Up to 1/1000, which is ten times what a bad quartz does.
                seat.machine.clock.drift((fault.choice * 997 % 1 - 0.5) / 500)
                self._set_right_later(fault, seat)

    def _pause(self, fault: Fault, seats: list[_Seat]) -> None:
        for seat in seats:
            if seat.life is not None:
                seat.life.pause()
                self._loop.call_later(fault.seconds, seat.life.resume)
            self._trouble(fault.kind, seat, fault.seconds)

    def _set_wrong(self, fault: Fault, seat: _Seat, by: timedelta) -> None:
        is_ahead = fault.choice * 9973 % 1 < 0.5
        seat.machine.clock.step(by if is_ahead else -by)
        # A life that begins by a clock that is ahead may decide slots that have not come yet.
        self._set_right_later(fault, seat, by.total_seconds() if is_ahead else 0.0)

    def _set_right_later(self, fault: Fault, seat: _Seat, felt: float = 0.0) -> None:
        self._note(fault.kind, fault.seconds + felt)
        self._loop.call_later(fault.seconds, seat.machine.clock.correct)

    def _trouble(self, kind: FaultKind, seat: _Seat, seconds: float) -> None:
        """Note that a controller cannot act for a while: until it can again, or another one acts in its place."""
        now = self._loop.time()
        seat.out_until = max(seat.out_until, now + seconds)
        others = [each.out_until for each in self._seats if each is not seat]
        if others:
            # A new life is somebody new, and has to wait for the end of the old one's lease as well.
            in_its_place = max(min(others), now) + self._takeover
            seconds = in_its_place - now if kind is FaultKind.CRASH else min(seconds, in_its_place - now)
        self._note(kind, seconds)

    def _note(self, kind: FaultKind, seconds: float) -> None:
        now = self._clock.now()
        self._chronicle.troubles.append(Trouble(kind, now, now + timedelta(seconds=seconds) + AFTERMATH))

    def calm(self) -> None:
        """From now on nothing befalls them: every machine runs, and reaches everything."""
        for seat in self._seats:
            seat.machine.heal()
            seat.stopped_for = 0.0
            if seat.life is not None:
                seat.life.resume()
            if seat.back is not None:
                seat.back.cancel()
                self._begin(seat)
