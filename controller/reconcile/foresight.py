"""Looks that are begun when a slot falls due: before such a look the slot could only be said to wait for it."""

from collections.abc import Collection
from datetime import datetime, timedelta

from controller.model.identity import ConnectionRef
from controller.model.plan import ConnectionPlan, ListingNeed
from controller.reconcile.gather import Mind
from controller.reconcile.observed import ObservedPlatform

LOOK_FIRST = timedelta(seconds=2)
"""How long a slot that is due waits for its look before it is judged without: what a platform that hangs keeps from starting is said
then, and well within the time after which a slot under ``catchUp: None`` counts as unseen."""


class Foresight:
    """What the next slot of each connection will wait to see, as its last plan foresaw it."""

    def __init__(self, mind: Mind) -> None:
        self._mind = mind
        self._needs: dict[ConnectionRef, ListingNeed] = {}

    def note(self, decided: ConnectionPlan) -> None:
        """Take note of what a plan foresees, in the place of what an earlier one did."""
        if decided.foreseen is not None:
            self._needs[decided.ref] = decided.foreseen
        else:
            self._needs.pop(decided.ref, None)

    def ask(self, due: Collection[ConnectionRef], now: datetime) -> set[ConnectionRef]:
        """Ask for the looks that slots which are due now need first; returns those for which one will begin at once."""
        asked: set[ConnectionRef] = set()
        for ref in due:
            need = self._needs.pop(ref, None)
            platform = self._mind.platforms.get(ref.platform)
            if need is not None and platform is not None and self._comes_at_once(need, platform, now):
                platform.needs[ref] = (*platform.needs.get(ref, ()), need)
                asked.add(ref)
        return asked

    def _comes_at_once(self, need: ListingNeed, platform: ObservedPlatform, now: datetime) -> bool:
        """Whether the look can begin now: a platform in trouble, or a clock in doubt, is judged as it stands."""
        history, watch = platform.history, self._mind.watch
        if watch.is_frozen or platform.clock_in_doubt or watch.skewed(platform.name):
            return False
        if history.last is None or history.failures or (history.quiet_until is not None and history.quiet_until > now):
            return False
        return history.last.begun_at < need.begun_after <= now
