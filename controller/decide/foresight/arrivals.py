"""The slots of one schedule to come, in order, when those for the age of the data depend on what happens in between."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import ceil

from controller.decide.calendar import Calendar
from controller.decide.exclusion import bounded, is_excluded, without
from controller.decide.slots import again_after, calendar_of, freshness_ages, to_epoch
from controller.model.calendar import CalendarTerms, dump_terms, parse_terms
from controller.model.profile import PlatformProfile
from controller.model.record import Outcome, Reason, Standing


@dataclass(slots=True)
class _Age:
    """One ``freshness`` entry: its age, the pause between two of its slots without a success, and the next of them."""

    age: int
    again: int
    slot: int


class Arrivals:
    """Hands out slots one by one; instants are whole seconds since the epoch.

    A success re-arms ``freshness`` slots, but only those after it: one that comes while the sync is still going is a slot all the same.
    So an assumed success counts from its instant on, and until then it may be taken back.

    ``span``: the instant before which no slot matters, the one after which they are wanted, the one after which none matters again.

    Attributes:
        carried: the newest slot at the beginning that waits, or that passed undecided and is caught up; None where there is none.
    """

    def __init__(
        self, standing: Standing, profile: PlatformProfile, span: tuple[int, int, int], *, catch_up: bool
    ) -> None:
        key = standing.calendar_key or dump_terms(CalendarTerms(()))
        self._terms = parse_terms(key)
        begin = span[1]
        self._all = self._without_exclusions(span[0], span[2])
        self._static = calendar_of(key) if self._all is None else without(self._all, self._terms.exclude)
        since = begin if standing.effective_since is None else to_epoch(standing.effective_since)
        self._at = max(begin, since)
        self._next = None if self._static is None else self._static.next_after(self._at)
        self._later: tuple[int, int | None] = (-1, None)
        self._success: int | None = None
        self._start = None if self._terms.start_at is None else to_epoch(self._terms.start_at)
        self._end = None if self._terms.end_at is None else to_epoch(self._terms.end_at)
        shortest = int(profile.min_interval.total_seconds())
        fresh = None if standing.fresh_since is None else ceil(standing.fresh_since.timestamp())
        self._ages = [
            _Age(age, again_after(age, shortest), since + 1 if fresh is None else fresh + age)
            for age in freshness_ages(key)
        ]
        self.carried = self._carried(standing, catch_up=catch_up)
        for each in self._ages:
            each.slot = _beyond(each.slot, self._at, each.again)
        self._told = None if self._all is None else self._all.next_after(self._at)

    def _carried(self, standing: Standing, *, catch_up: bool) -> int | None:
        decided = self._at if standing.watermark is None else to_epoch(standing.watermark)
        open_ones = [
            to_epoch(record.slot.scheduled_at)
            for record in standing.pending
            if record.outcome is Outcome.HELD and record.reason is not Reason.OBSERVE
        ]
        due: list[int | None] = [] if self._static is None else [self._static.previous_at_or_before(self._at)]
        due += [
            each.slot + (self._at - each.slot) // each.again * each.again
            for each in self._ages
            if each.slot <= self._at
        ]
        fresh = [slot for slot in due if catch_up and slot is not None and slot > decided and self._exists(slot)]
        return max((slot for slot in (*open_ones, *fresh) if slot <= self._at), default=None)

    def _exists(self, slot: int) -> bool:
        within = (self._start is None or slot >= self._start) and (self._end is None or slot < self._end)
        return within and not is_excluded(self._terms.exclude, slot)

    def _without_exclusions(self, first: int, last: int) -> Calendar | None:
        """The calendar before anything is excluded; it has ends, or a search in what is excluded would go on to 2100."""
        calendar = calendar_of(dump_terms(replace(self._terms, exclude=()))) if self._terms.exclude else None
        return None if calendar is None else bounded(calendar, first, last)

    def take(self, until: int) -> int | None:
        """The next slot up to an instant; a ``freshness`` one may be excluded (`is_excluded`)."""
        slot = self.after(self._at)
        if slot is None or slot > until:
            return None
        self.settle(slot - 1)
        for each in self._ages:
            each.slot = _beyond(each.slot, slot, each.again)
        if slot == self._next and self._static is not None:
            self._next = self._later[1] if self._later[0] == slot else self._static.next_after(slot)
        self._at = slot
        return slot

    def after(self, instant: int) -> int | None:
        """The first slot after the last one taken, or after a later instant, as far as it is known now."""
        static = self._next
        if static is not None and static <= instant and self._static is not None:
            if self._later[0] != instant:
                self._later = instant, self._static.next_after(instant)
            static = self._later[1]
        if not self._ages:
            return static
        found = [slot for each in self._ages if (slot := self._age_after(each, instant)) is not None]
        return min([*found, static] if static is not None else found, default=None)

    def _age_after(self, each: _Age, instant: int) -> int | None:
        slot = _beyond(each.slot, instant, each.again)
        if self._success is not None and slot > self._success:
            slot = _beyond(self._success + each.age, instant, each.again)
        if self._start is not None:
            slot = _beyond(slot, self._start - 1, each.again)
        return slot if self._end is None or slot < self._end else None

    def is_for_age(self, slot: int) -> bool:
        """Whether a slot is there for the age of the data alone."""
        return bool(self._ages) and (self._static is None or self._static.previous_at_or_before(slot) != slot)

    def is_excluded(self, slot: int) -> bool:
        """Whether a slot that was taken does not exist after all; the calendar has left out its own already."""
        return bool(self._ages and self._terms.exclude) and is_excluded(self._terms.exclude, slot)

    def excluded_before(self, instant: int) -> Iterator[int]:
        """Excluded instants of the calendar before a slot that was taken, each told once."""
        if self._all is None:
            return
        while self._told is not None and self._told < instant:
            yield self._told
            self._told = self._all.next_after(self._told)
        if self._told == instant:
            self._told = self._all.next_after(instant)

    def success_at(self) -> int | None:
        """When the sync that is active is assumed to have succeeded, where that still matters."""
        return self._success

    def assume_success(self, at: int) -> None:
        """A sync is assumed to succeed at an instant to come."""
        if self._ages:
            self._success = at

    def withdraw_success(self) -> None:
        """It is cancelled before."""
        self._success = None

    def settle(self, now: int) -> None:
        """What was assumed up to an instant has happened."""
        if self._success is None or self._success > now:
            return
        for each in self._ages:
            if each.slot > self._success:
                each.slot = self._success + each.age
        self._success = None


def _beyond(slot: int, instant: int, step: int) -> int:
    """The first of the instants from a slot on, a step apart, that lies after another."""
    return slot if slot > instant else slot + ((instant - slot) // step + 1) * step


def slots_at_most(standing: Standing, profile: PlatformProfile, after: int, until: int) -> int:
    """How many slots a range may have, those that are excluded counted: exact but for ``freshness``, whose slots depend on successes."""
    key = standing.calendar_key or dump_terms(CalendarTerms(()))
    calendar = calendar_of(dump_terms(replace(parse_terms(key), exclude=())))
    since = after if standing.effective_since is None else max(after, to_epoch(standing.effective_since))
    counted = 0 if calendar is None else calendar.count_between(since, until)
    shortest = int(profile.min_interval.total_seconds())
    return counted + sum((until - since) // again_after(age, shortest) + 1 for age in freshness_ages(key))
