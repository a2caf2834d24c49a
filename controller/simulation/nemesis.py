"""Carries out a plan of faults: some wait for the next call that they fit, some last for a while."""

from collections.abc import Container
from datetime import datetime, timedelta

from controller.model.identity import ConnectionRef
from controller.ports.clock import Clock
from controller.simulation.chronicle import Chronicle, Trouble
from controller.simulation.faults import AFTERMATH, CRASHES, ON_POST, Fault, FaultKind

FOR_ALL = frozenset(
    {FaultKind.QUOTA, FaultKind.OUTAGE, FaultKind.LIST_FAILS, FaultKind.LIST_LAG, FaultKind.CLOCK_SKEW}
    | {FaultKind.SOURCE_FAILS, FaultKind.FETCH_HANGS, FaultKind.STORE_DOWN}
)
"""Those that last for a while and hit every call meanwhile."""


class Nemesis:
    """What is wrong now."""

    def __init__(self, chronicle: Chronicle, clock: Clock, longest_nap: float = 0.0) -> None:
        self.longest_nap = longest_nap
        self._chronicle = chronicle
        self._clock = clock
        self._waiting: list[Fault] = []
        self._standing: dict[FaultKind, tuple[datetime, Fault]] = {}

    def strike(self, fault: Fault) -> None:
        """Let a fault begin: wait for the call that it fits, or stand for its time."""
        if fault.kind in FOR_ALL:
            now = self._clock.now()
            until = now + timedelta(seconds=fault.seconds)
            self._standing[fault.kind] = (until, fault)
            # Who does not hold a platform, and could not ask for it, asks again when it looks around.
            felt = timedelta(seconds=self.longest_nap if fault.kind is FaultKind.STORE_DOWN else 0.0)
            self._chronicle.troubles.append(Trouble(fault.kind, now, until + felt + AFTERMATH))
        else:
            self._waiting.append(fault)

    def take(
        self, kinds: Container[FaultKind], ref: ConnectionRef | None = None, lasts: float | None = None
    ) -> Fault | None:
        """The oldest waiting fault of some kinds, which happens now; see `happens`."""
        if not self._waiting:
            return None
        for place, fault in enumerate(self._waiting):
            if fault.kind in kinds:
                del self._waiting[place]
                self.happens(fault, ref, lasts)
                return fault
        return None

    def happens(self, fault: Fault, ref: ConnectionRef | None = None, lasts: float | None = None) -> None:
        """Note that a fault happens now; ``lasts``: for how many seconds, if not for the fault's. How long a crash lasts, `Lives` notes."""
        self._chronicle.hit(fault.kind, ref)
        if fault.kind in CRASHES:
            return
        now, seconds = self._clock.now(), fault.seconds if lasts is None else lasts
        name = None if ref is None or fault.kind not in ON_POST else ref.connection_id
        self._chronicle.troubles.append(Trouble(fault.kind, now, now + timedelta(seconds=seconds) + AFTERMATH, name))

    def standing(self, kind: FaultKind, ref: ConnectionRef | None = None) -> tuple[Fault, float] | None:
        """A fault that lasts now, which hits the call that asks, and how many seconds of it are left."""
        if kind not in self._standing:
            return None
        found = self._standing[kind]
        if found[0] <= self._clock.now():
            return None
        self._chronicle.hit(kind, ref)
        return found[1], (found[0] - self._clock.now()).total_seconds()

    def calm(self) -> None:
        """Nothing is wrong from now on."""
        self._waiting.clear()
        self._standing.clear()
