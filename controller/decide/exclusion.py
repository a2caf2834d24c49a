"""Slots that do not exist: exclusions and the two bounds of a schedule (``spec-format.md``, ``exclude``, ``startDate``, ``endDate``).

An excluded slot is none at all: it is not counted, it supersedes nothing, and only forecasts name it.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import date
from functools import lru_cache
from typing import Protocol

from controller.decide.calendar import Calendar, compile_cron
from controller.decide.cron.zone import segments_of
from controller.model.calendar import ExcludedCron, ExcludedDates, Exclusion

MINUTE, DAY = 60, 86_400

EXCLUDED_IN_A_ROW_MAX = 20_000
"""How many excluded stretches (days, or minutes without a break) that hold slots a search passes before it says that there is no slot.

The slots of every quarter of an hour for half a year; it takes a third of a second. Without it a calendar that an exclusion covers
would be searched up to 2100, by every cycle.
"""

SPANS_CACHED = 4096
"""Distinct exclusions kept compiled; most schedules share a list of holidays."""

_EPOCH = date(1970, 1, 1).toordinal()


Span = tuple[int, int]
"""The instants from the first to before the second."""


class _Spans(Protocol):
    """Excluded time."""

    def around(self, instant: int) -> Span | None:
        """An excluded span that holds an instant; None when it is not excluded."""
        ...

    def next_begin(self, instant: int) -> int | None:
        """When the first span after an instant that is not excluded begins."""
        ...


def is_excluded(exclusions: Sequence[Exclusion], instant: int) -> bool:
    """Whether a slot at an instant would not exist; a forecast asks it of the slots of the calendar without exclusions.

    Raises:
        CalendarError: an exclusion cannot be compiled; validation has refused such a spec.
    """
    return any(_spans_of(each).around(instant) for each in exclusions)


def without(calendar: Calendar, exclusions: Sequence[Exclusion]) -> Calendar:
    """The slots of a calendar that no exclusion covers.

    `Calendar.next_after` and `Calendar.previous_at_or_before` end after `EXCLUDED_IN_A_ROW_MAX` excluded stretches with None.

    Raises:
        CalendarError: an exclusion cannot be compiled.
    """
    if not exclusions:
        return calendar
    return ExcludingCalendar(calendar, tuple(_spans_of(each) for each in dict.fromkeys(exclusions)))


def bounded(calendar: Calendar, start: int | None, end: int | None) -> Calendar:
    """The slots from ``start``, which is still one, to before ``end``, which is none any more; None = no bound on that side."""
    return calendar if start is None and end is None else BoundedCalendar(calendar, start, end)


class ExcludingCalendar:
    """The slots of a calendar outside excluded spans."""

    __slots__ = ("_calendar", "_excluded")

    def __init__(self, calendar: Calendar, excluded: tuple[_Spans, ...]) -> None:
        self._calendar = calendar
        self._excluded = excluded

    def next_after(self, instant: int) -> int | None:
        """The first slot strictly after an instant; None when there is none, or none soon (`EXCLUDED_IN_A_ROW_MAX`)."""
        slot = self._calendar.next_after(instant)
        for _ in range(EXCLUDED_IN_A_ROW_MAX):
            if slot is None or (span := self._around(slot)) is None:
                return slot
            slot = self._calendar.next_after(span[1] - 1)
        return None

    def previous_at_or_before(self, instant: int) -> int | None:
        """The last slot at or before an instant; None when there is none, or none soon (`EXCLUDED_IN_A_ROW_MAX`)."""
        slot = self._calendar.previous_at_or_before(instant)
        for _ in range(EXCLUDED_IN_A_ROW_MAX):
            if slot is None or (span := self._around(slot)) is None:
                return slot
            slot = self._calendar.previous_at_or_before(span[0] - 1)
        return None

    def count_between(self, after: int, until: int) -> int:
        """The exact number of slots in (after, until]; steps over the excluded spans that hold slots, not over the slots."""
        return sum(self._calendar.count_between(first - 1, last) for first, last in self._stretches(after, until))

    def smallest_gap(self, start: int, end: int) -> int | None:
        """The smallest distance in seconds between two consecutive slots of [start, end]; None when it holds fewer than two."""
        gaps: set[int] = set()
        previous: int | None = None
        for first, until in self._stretches(start - 1, end):
            if previous is not None:
                gaps.add(first - previous)
            if inside := self._calendar.smallest_gap(first, until):
                gaps.add(inside)
            previous = self._calendar.previous_at_or_before(until)
        return min(gaps, default=None)

    def _stretches(self, after: int, until: int) -> Iterator[Span]:
        """Where slots are in (after, until]: from a slot to an instant, both included, without anything excluded between them."""
        slot = self._calendar.next_after(after)
        while slot is not None and slot <= until:
            if span := self._around(slot):
                last = span[1] - 1
            else:
                begins = [begin for each in self._excluded if (begin := each.next_begin(slot)) is not None]
                last = min([until, *(begin - 1 for begin in begins)])
                yield slot, last
            slot = self._calendar.next_after(last)

    def _around(self, instant: int) -> Span | None:
        return next((span for each in self._excluded if (span := each.around(instant))), None)


class BoundedCalendar:
    """The slots of a calendar in [start, end)."""

    __slots__ = ("_calendar", "_end", "_start")

    def __init__(self, calendar: Calendar, start: int | None, end: int | None) -> None:
        self._calendar = calendar
        self._start = start
        self._end = end

    def next_after(self, instant: int) -> int | None:
        """The first slot strictly after an instant; None when there is none before the end."""
        slot = self._calendar.next_after(instant if self._start is None else max(instant, self._start - 1))
        return None if slot is None or (self._end is not None and slot >= self._end) else slot

    def previous_at_or_before(self, instant: int) -> int | None:
        """The last slot at or before an instant; None when there is none since the start."""
        slot = self._calendar.previous_at_or_before(instant if self._end is None else min(instant, self._end - 1))
        return None if slot is None or (self._start is not None and slot < self._start) else slot

    def count_between(self, after: int, until: int) -> int:
        """The exact number of slots in (after, until]."""
        start, end = self._within(after + 1, until)
        return self._calendar.count_between(start - 1, end) if start <= end else 0

    def smallest_gap(self, start: int, end: int) -> int | None:
        """The smallest distance in seconds between two consecutive slots of [start, end]; None when it holds fewer than two."""
        start, end = self._within(start, end)
        return self._calendar.smallest_gap(start, end) if start <= end else None

    def _within(self, start: int, end: int) -> Span:
        start = start if self._start is None else max(start, self._start)
        return start, end if self._end is None else min(end, self._end - 1)


class _ListedSpans:
    """Spans that are known one by one, ascending; one may begin where another ends."""

    __slots__ = ("_begins", "_ends")

    def __init__(self, spans: Sequence[Span]) -> None:
        self._begins = [begin for begin, _ in spans]
        self._ends = [end for _, end in spans]

    def around(self, instant: int) -> Span | None:
        here = bisect_right(self._begins, instant) - 1
        return (self._begins[here], self._ends[here]) if here >= 0 and instant < self._ends[here] else None

    def next_begin(self, instant: int) -> int | None:
        here = bisect_right(self._begins, instant)
        return self._begins[here] if here < len(self._begins) else None


class _CronSpans:
    """The minutes of a cron expression."""

    __slots__ = ("_calendar",)

    def __init__(self, calendar: Calendar) -> None:
        self._calendar = calendar

    def around(self, instant: int) -> Span | None:
        slot = self._calendar.previous_at_or_before(instant)
        if slot is None or instant >= slot + MINUTE:
            return None
        return run_begin(self._calendar, slot), run_end(self._calendar, slot)

    def next_begin(self, instant: int) -> int | None:
        return self._calendar.next_after(instant)


def run_end(cron: Calendar, slot: int) -> int:
    """When the minutes that follow each other without a break from a slot of a cron calendar on are over."""
    minutes, step = 1, 1
    while step:
        if cron.count_between(slot - 1, slot + (minutes + step - 1) * MINUTE) == minutes + step:
            minutes, step = minutes + step, step * 2
        else:
            step //= 2
    return slot + minutes * MINUTE


def run_begin(cron: Calendar, slot: int) -> int:
    """When the minutes that follow each other without a break up to a slot of a cron calendar began."""
    minutes, step = 1, 1
    while step:
        if cron.count_between(slot - (minutes + step - 1) * MINUTE - 1, slot) == minutes + step:
            minutes, step = minutes + step, step * 2
        else:
            step //= 2
    return slot - (minutes - 1) * MINUTE


@lru_cache(maxsize=SPANS_CACHED)
def _spans_of(exclusion: Exclusion) -> _Spans:
    if isinstance(exclusion, ExcludedCron):
        return _CronSpans(compile_cron(exclusion.cron, exclusion.time_zone))
    return _ListedSpans(sorted(_days(exclusion)))


def _days(exclusion: ExcludedDates) -> Iterator[Span]:
    """The instants of the listed days; a day that a change of the clock shows twice is two of them."""
    segments = segments_of(exclusion.time_zone)
    for each in exclusion.dates:
        midnight = (each.toordinal() - _EPOCH) * DAY
        for here in range(max(0, bisect_right(segments.starts, midnight - DAY) - 1), len(segments.offsets)):
            start, end = segments.starts[here : here + 2]
            if start > midnight + 2 * DAY:
                break
            begin = max(midnight - segments.offsets[here], start)
            end = min(midnight + DAY - segments.offsets[here], end)
            if begin < end:
                yield begin, end
