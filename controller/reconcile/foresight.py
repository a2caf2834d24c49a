"""Looks that are begun when a slot falls due: before such a look the slot could only be said to wait for it."""

from collections.abc import Collection
from datetime import datetime, timedelta

from controller.model.identity import ConnectionRef
from controller.model.plan import ConnectionPlan, ListingNeed
from controller.reconcile.gather import Mind
from controller.reconcile.observed import ObservedPlatform

JUDGED_WITHIN = timedelta(seconds=4)
"""How long a slot that is due waits for its look and its turn before it is judged without: what a platform that hangs keeps from
starting is said then, well within the time after which a slot under ``catchUp: None`` counts as unseen."""


class Foresight:
    """What the next slot of each connection will wait to see, as its last plan foresaw it, and whose look is under way."""

    def __init__(self, mind: Mind) -> None:
        self._mind = mind
        self._foreseen: dict[ConnectionRef, ListingNeed] = {}
        self._asked: dict[ConnectionRef, ListingNeed] = {}

    def note(self, decided: ConnectionPlan) -> None:
        """Take note of what a plan foresees, in the place of what an earlier one did."""
        self._asked.pop(decided.ref, None)
        if decided.foreseen is not None:
            self._foreseen[decided.ref] = decided.foreseen
        else:
            self._foreseen.pop(decided.ref, None)

    def ask(self, due: Collection[ConnectionRef], now: datetime) -> set[ConnectionRef]:
        """Ask for the looks that slots which are due now need first; returns those for which one will begin at once."""
        for ref in due:
            need = self._foreseen.pop(ref, None)
            platform = self._mind.platforms.get(ref.platform)
            if (
                need is None
                or platform is None
                or ref in platform.needs
                or not self._comes_at_once(need, platform, now)
            ):
                continue
            self._asked[ref] = need
            platform.needs[ref] = (need,)
        return self._asked.keys() & due

    def _comes_at_once(self, need: ListingNeed, platform: ObservedPlatform, now: datetime) -> bool:
        """Whether the look can begin now: a platform in trouble, or a clock in doubt, is judged as it stands."""
        history, watch = platform.history, self._mind.watch
        if watch.is_frozen or platform.clock_in_doubt or watch.skewed(platform.name):
            return False
        if history.last is None or history.failures or (history.quiet_until is not None and history.quiet_until > now):
            return False
        return history.last.begun_at < need.begun_after <= now

    def looked(self, platform: ObservedPlatform) -> set[ConnectionRef]:
        """A look is over: returns who is judged now.

        That is whoever waited for one. A slot whose own look went well comes in its turn, the longest due first: to be judged while all
        write permits are in use would only make it wait for that.
        """
        last, waiting = platform.history.last, set(platform.needs)
        if last is not None and not platform.history.failures:
            seen = [ref for ref in waiting & self._asked.keys() if self._asked[ref].begun_after <= last.begun_at]
            for ref in sorted(seen, key=lambda ref: (self._asked[ref].begun_after, ref)):
                del self._asked[ref], platform.needs[ref]
                platform.waiting_turn.setdefault(ref)
            waiting.difference_update(seen)
        return waiting | set(platform.next_in_turn())
