"""A machine on which one controller runs, life after life: its wall clock, and what it cannot reach for a while."""

from controller.simulation.faults import FaultKind
from controller.simulation.virtual_time import VirtualClock, VirtualTimeLoop


class Machine:
    """One machine. Its clocks outlive the processes on it."""

    def __init__(self, number: int, loop: VirtualTimeLoop) -> None:
        self.number = number
        self.clock = VirtualClock(loop)
        self._loop = loop
        self._cut: dict[FaultKind, float] = {}

    def cut(self, kind: FaultKind, seconds: float) -> None:
        """Cut a connection for a while."""
        self._cut[kind] = max(self._cut.get(kind, 0.0), self._loop.time() + seconds)

    def is_cut(self, kind: FaultKind) -> bool:
        """Whether a connection is cut now."""
        return kind in self._cut and self._cut[kind] > self._loop.time()

    def heal(self) -> None:
        """From now on everything is within reach, and the wall clock right."""
        self._cut.clear()
        self.clock.correct()
