"""Whether the exclusions and bounds of a schedule leave it any slot: searched for a while, and proved where the search does not end."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from controller.adapters.specs.fields import Effort
from controller.decide.calendar import Calendar, compile_cron, union
from controller.decide.cron.days import KINDS, YEAR_KINDS, YEAR_STARTS, days_of
from controller.decide.cron.evaluator import times_of
from controller.decide.cron.fields import CronFields, parse_cron
from controller.decide.cron.zone import END, segments_of
from controller.decide.exclusion import bounded, is_excluded, without
from controller.decide.slots import compile_entry, to_epoch
from controller.model.calendar import CalendarEntry, CalendarTerms, EntryKind, ExcludedCron, Exclusion

STRETCHES_MAX = 150
"""How many excluded stretches are passed for one schedule: about 40 ms at worst, and more than two years of excluded weekends."""

PROOFS_MAX = 5
"""How many exclusions are compared day by day with one entry, 7 ms each at worst."""


@dataclass(slots=True)
class _Limited:
    """A calendar that can be asked for the next slot only so often."""

    calendar: Calendar
    left: int

    def next_after(self, instant: int) -> int | None:
        """The first slot strictly after an instant; None also when it was asked too often."""
        self.left -= 1
        return self.calendar.next_after(instant) if self.left >= 0 else None

    def previous_at_or_before(self, instant: int) -> int | None:
        return self.calendar.previous_at_or_before(instant)

    def count_between(self, after: int, until: int) -> int:
        return self.calendar.count_between(after, until)

    def smallest_gap(self, start: int, end: int) -> int | None:
        return self.calendar.smallest_gap(start, end)


def never_fires(terms: CalendarTerms, year_start: int, effort: Effort) -> bool:
    """Whether it is certain that no slot lies from the start (without one: of a fixed year) to before 2100."""
    calendars = [calendar for entry in terms.entries if (calendar := compile_entry(entry)) is not None]
    # Freshness makes slots whenever a sync is long ago, and a manual schedule is meant to have none.
    if len(calendars) != len(terms.entries):
        return False
    first = year_start if terms.start_at is None else to_epoch(terms.start_at)
    last = END if terms.end_at is None else min(to_epoch(terms.end_at), END)
    if effort.left <= 0:
        return False
    limited = _Limited(bounded(union(calendars), first, last), min(STRETCHES_MAX, effort.left))
    allowed = limited.left
    found = without(limited, terms.exclude).next_after(first - 1)
    effort.left -= allowed - limited.left
    if found is not None or limited.left >= 0:
        return found is None
    return all(_covered(entry, terms.exclude, first) for entry in terms.entries)


def _covered(entry: CalendarEntry, exclude: Sequence[Exclusion], first: int) -> bool:
    """Whether one exclusion names every wall time that an entry names, and no change of the clock moves a slot out of it."""
    if entry.kind is not EntryKind.CRON:
        return False
    said = parse_cron(entry.text)
    here = (each for each in exclude if isinstance(each, ExcludedCron) and each.time_zone == entry.time_zone)
    candidates = [fields for each in here if _same_times(fields := parse_cron(each.cron), said)][:PROOFS_MAX]
    return any(_same_days(fields, said) for fields in candidates) and all(
        is_excluded(exclude, slot) for slot in _moved_slots(entry, first)
    )


def _same_times(excluded: CronFields, said: CronFields) -> bool:
    """Whether an exclusion names the times of day; one of fixed times leaves out what the clock shows again."""
    if excluded.fixed_time and not said.fixed_time:
        return False
    return not times_of(said.minutes, said.hours) & ~times_of(excluded.minutes, excluded.hours)


def _same_days(excluded: CronFields, said: CronFields) -> bool:
    """Whether an exclusion names the days, in every kind of year."""
    wanted, named = days_of(said.day_rule), days_of(excluded.day_rule)
    for kind in range(KINDS):
        index = YEAR_KINDS.index(kind)
        day = wanted.first_from(YEAR_STARTS[index])
        while day < YEAR_STARTS[index + 1]:
            if named.first_from(day) != day:
                return False
            day = wanted.first_from(day + 1)
    return True


def _moved_slots(entry: CalendarEntry, first: int) -> Iterator[int]:
    """The slots at instants at which a clock was put forward: their wall time may be another than the one that is named."""
    calendar, segments = compile_cron(entry.text, entry.time_zone), segments_of(entry.time_zone)
    for run in range(bisect_right(segments.starts, first), len(segments.offsets)):
        change = segments.starts[run]
        if segments.offsets[run] > segments.offsets[run - 1] and calendar.previous_at_or_before(change) == change:
            yield change
