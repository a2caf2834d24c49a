"""What is left of the writes that a platform gets between two full resyncs, starts apart."""

from collections import Counter
from collections.abc import Collection, Iterable

from controller.decide.blast_radius import spent_by
from controller.model.identity import ConnectionRef
from controller.model.plan import Plan
from controller.model.record import Reason
from controller.model.safety import SafetyLimits


class Allowance:
    """Counts what plans spend; a full resync gives it anew."""

    def __init__(self, limits: SafetyLimits | None = None) -> None:
        self._limits = limits or SafetyLimits()
        self._spent = Counter[str]()
        self._managed = Counter[str]()
        self._now = Counter[str]()
        self._waiting: set[ConnectionRef] = set()

    def manage(self, refs: Iterable[ConnectionRef]) -> None:
        """Take note of what is in force. What goes out of force still counts until the next full resync: it is what is being ended."""
        self._now = Counter(ref.platform for ref in refs)
        self._managed |= self._now

    def move(
        self, before: Collection[ConnectionRef], now: Collection[ConnectionRef], touched: Iterable[ConnectionRef]
    ) -> None:
        """The same where what is in force differs in no more than these connections."""
        for ref in touched:
            self._now[ref.platform] += (ref in now) - (ref in before)
        self._managed |= self._now

    def writes_max(self, platform: str) -> int:
        """How many a platform gets from one full resync to the next."""
        return self._limits.writes_max(self._managed[platform])

    def writes_left(self, platform: str) -> int:
        """How many of them are left."""
        return max(self.writes_max(platform) - self._spent[platform], 0)

    def triggers_max(self) -> int:
        """How many starts one cycle may decide."""
        return self._limits.triggers_max(self._managed.total())

    def spend(self, plan: Plan) -> None:
        """Take off what a plan does, and note who waits for more."""
        for name, count in spent_by(plan.connections).items():
            self._spent[name] += count
        for decided in plan.connections:
            if decided.holds and any(hold.reason is Reason.BLAST_RADIUS for hold in decided.holds):
                self._waiting.add(decided.ref)
            elif self._waiting:
                self._waiting.discard(decided.ref)

    def use_up(self, platform: str) -> None:
        """Nothing is left for a platform: so says another process, which counts what it does itself."""
        self._spent[platform] = self.writes_max(platform)

    def give_back(self, platform: str) -> None:
        """Nothing was sent of a write that a plan decided: trouble of a store or a platform must not use up what is allowed."""
        self._spent[platform] = max(self._spent[platform] - 1, 0)

    def renew(self) -> set[ConnectionRef]:
        """Give everything anew; returns the connections that have waited for it."""
        waiting, self._waiting = self._waiting, set()
        self._spent.clear()
        self._managed = Counter(self._now)
        return waiting
