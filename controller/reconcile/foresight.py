"""Looks that are begun when a slot falls due: before such a look the slot could only be said to wait for it."""

from datetime import datetime, timedelta

from controller.model.identity import ConnectionRef
from controller.model.plan import ConnectionPlan, Listing, ListingNeed, NeedKind
from controller.reconcile.agenda import Agenda
from controller.reconcile.gather import Mind
from controller.reconcile.observed import ObservedPlatform

JUDGED_WITHIN = timedelta(seconds=4)
"""How long a slot that is due waits for its look and its turn before it is judged without: what a platform that hangs keeps from
starting is said then, well within the time after which a slot under ``catchUp: None`` counts as unseen."""


class Foresight:
    """What the next slot of each connection will wait to see, as its last plan foresaw it, and whose look is under way."""

    def __init__(self, mind: Mind, agenda: Agenda) -> None:
        self._mind, self._agenda = mind, agenda
        self._foreseen: dict[ConnectionRef, ListingNeed] = {}
        self._asked: dict[ConnectionRef, ListingNeed] = {}

    def note(self, decided: ConnectionPlan) -> None:
        """Take note of what a plan foresees, in the place of what an earlier one did."""
        self._asked.pop(decided.ref, None)
        if decided.foreseen is not None:
            self._foreseen[decided.ref] = decided.foreseen
        else:
            self._foreseen.pop(decided.ref, None)

    def take_due(self, now: datetime) -> set[ConnectionRef]:
        """Take what is due off the agenda; returns who is judged at once. The others are judged with the look that they only wait for."""
        due = self._agenda.pop_due(now)
        return {ref for ref in due if not self._asks(ref, now)} if due else due

    def _asks(self, ref: ConnectionRef, now: datetime) -> bool:
        """Ask for the look that a slot which is due needs first, where one can begin at once."""
        need, platform = self._foreseen.pop(ref, None), self._mind.platforms.get(ref.platform)
        if need is None or platform is None or ref in platform.needs or not self._comes_at_once(need, platform, now):
            return False
        self._asked[ref], platform.needs[ref] = need, (need,)
        self._agenda.put(ref, now + JUDGED_WITHIN)
        return True

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

        That is whoever waited for one, and not for one that is to begin later. A slot whose own look went well comes in its turn, the
        longest due first: to be judged while all write permits are in use would only make it wait for that.
        """
        last = platform.history.last
        waiting = {ref for ref, row in platform.needs.items() if last is None or not _is_for_later(row, last)}
        if last is not None and not platform.history.failures:
            seen = [ref for ref in waiting & self._asked.keys() if self._asked[ref].begun_after <= last.begun_at]
            for ref in sorted(seen, key=lambda ref: (self._asked[ref].begun_after, ref)):
                del self._asked[ref], platform.needs[ref]
                platform.waiting_turn.setdefault(ref)
            waiting.difference_update(seen)
        return waiting | set(platform.next_in_turn())


def _is_for_later(needs: tuple[ListingNeed, ...], last: Listing) -> bool:
    """Whether all that is waited for are settings that are to be read with a later look: a fleet that was switched off is many of them."""
    return all(need.kind is NeedKind.SETTINGS and need.begun_after > last.begun_at for need in needs)
