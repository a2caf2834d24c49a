"""Slots of a cron expression in a zone: next, previous, count and smallest distance, on whole numbers.

The rule for changes of the clock is Debian cron's in its closed form. A fixed-time expression has one
slot for every wall minute that matches: an ambiguous minute in its first copy, one that a jump of at most 3 h skipped at the first
instant after the jump (equal instants are one slot). Any other expression has a slot whenever the wall clock shows a matching minute.
Minutes are wall minutes since 1970-01-01T00:00 in the zone; inside a segment they are instants plus a constant.
"""

from bisect import bisect_right
from collections.abc import Iterator
from functools import lru_cache

from controller.decide.cron.days import Days, days_of
from controller.decide.cron.fields import CronFields
from controller.decide.cron.zone import BEGIN, END, Segments

MINUTES = 1440
"""Minutes of a day on the wall clock; a change of the clock is between segments, never inside one."""

DAY_SECONDS = 86_400
"""More than any offset, so a wall minute lies within a day of its instant; less than any segment."""

TIMES_CACHED = 16_384
"""Distinct times of day kept, some 200 bytes each; most schedules share a handful."""


class CronCalendar:
    """The slots of one expression in one zone, from 1970 to before 2100. Instants are whole seconds since the epoch, UTC.

    The slots before and after the instant whose next slot was last looked for are kept: a plan asks about the same instant again and
    again, and between two neighbouring slots the answers never change.
    """

    __slots__ = ("_days", "_first", "_last", "_lows", "_neighbours", "_segments", "_times")

    def __init__(self, fields: CronFields, segments: Segments) -> None:
        self._days: Days = days_of(fields.day_rule)
        self._times = times_of(fields.minutes, fields.hours)
        self._first = lowest(self._times)
        self._last = self._times.bit_length() - 1
        self._segments = segments
        self._lows = segments.fixed_lows if fields.fixed_time else segments.wall_lows
        # No slot lies there, so this is nobody's answer.
        self._neighbours = (END, END)

    def next_after(self, instant: int) -> int | None:
        """The first slot strictly after an instant; None when there is none before 2100."""
        before, after = self._neighbours
        if before <= instant < after:
            return after
        found = self._first_after(instant)
        last = instant if instant == after else self._last_until(instant)
        if found is not None and last is not None:
            self._neighbours = (last, found)
        return found

    def previous_at_or_before(self, instant: int) -> int | None:
        """The last slot at or before an instant; None when there is none since 1970."""
        before, after = self._neighbours
        return before if before <= instant < after else self._last_until(instant)

    def _first_after(self, instant: int) -> int | None:
        at = max(instant + 1, BEGIN)
        if at >= END:
            return None
        starts, offsets = self._segments.starts, self._segments.offsets
        here = bisect_right(starts, at) - 1
        offset = offsets[here]
        low = self._lows[here]
        found = self._wall_from(low if at == starts[here] else max(low, at + offset))
        if found < starts[here + 1] + offset:
            return max(found - offset, starts[here])
        # Only the run after this one may show minutes again that lay before `at`.
        here += 1
        while here < len(offsets):
            offset = offsets[here]
            found = self._wall_from(self._lows[here])
            if found < starts[here + 1] + offset:
                return max(found - offset, starts[here])
            here = max(here + 1, bisect_right(starts, found - DAY_SECONDS) - 1)
        return None

    def _last_until(self, instant: int) -> int | None:
        if instant < BEGIN:
            return None
        starts, offsets = self._segments.starts, self._segments.offsets
        at = min(instant, END - 1)
        here = bisect_right(starts, at) - 1
        found = self._wall_until(at + offsets[here])
        if found >= self._lows[here]:
            return max(found - offsets[here], starts[here])
        here -= 1
        while here >= 0:
            found = self._wall_until(starts[here + 1] + offsets[here] - 1)
            if found >= self._lows[here]:
                return max(found - offsets[here], starts[here])
            here = min(here - 1, bisect_right(starts, found + DAY_SECONDS) - 1)
        return None

    def count_between(self, after: int, until: int) -> int:
        """The exact number of slots in (after, until]."""
        return sum(
            self._count(low, high) + (merged and not self._matches(low))
            for low, high, _, merged in self._runs(after + 1, until + 1)
        )

    def smallest_gap(self, start: int, end: int) -> int | None:
        """The smallest distance in seconds between two consecutive slots of [start, end]; None when it holds fewer than two."""
        smallest: int | None = None
        previous: int | None = None
        for low, high, offset, merged in self._runs(start, end + 1):
            for first, last, inside in self._daily(low, high, merged=merged):
                gaps = [inside] if inside else []
                if previous is not None:
                    gaps.append(first - offset - previous)
                if gaps:
                    smallest = min(gaps) if smallest is None else min(smallest, *gaps)
                previous = last - offset
        return smallest

    def _wall_from(self, second: int) -> int:
        """The first matching wall minute at or after a wall second, as its wall second."""
        minute = -(-second // 60)
        day, of_day = divmod(minute, MINUTES)
        found = self._days.first_from(day)
        if found == day:
            if rest := self._times >> of_day:
                return (minute + (rest & -rest).bit_length() - 1) * 60
            found = self._days.first_from(day + 1)
        return (found * MINUTES + self._first) * 60

    def _wall_until(self, second: int) -> int:
        """The last matching wall minute at or before a wall second, as its wall second."""
        day, of_day = divmod(second // 60, MINUTES)
        found = self._days.last_until(day)
        if found == day:
            if rest := self._times & ((2 << of_day) - 1):
                return (day * MINUTES + rest.bit_length() - 1) * 60
            found = self._days.last_until(day - 1)
        return (found * MINUTES + self._last) * 60

    def _runs(self, begin: int, end: int) -> Iterator[tuple[int, int, int, bool]]:
        """The wall clock over the instants [begin, end), one run per segment.

        Yields:
            The first wall second, the one after the last, their distance from the instants, and whether a jump of the clock skipped a
            matching minute, which makes the first second a slot.
        """
        begin, end = max(begin, BEGIN), min(end, END)
        starts = self._segments.starts
        for here in range(bisect_right(starts, begin) - 1, len(starts) - 1):
            if starts[here] >= end:
                return
            offset, low = self._segments.offsets[here], self._lows[here]
            first, stop = max(begin, starts[here]) + offset, min(end, starts[here + 1]) + offset
            merged = begin <= starts[here] and low < first and self._wall_from(low) < first
            if max(first, low) < stop:
                yield max(first, low), stop, offset, merged

    def _matches(self, second: int) -> bool:
        return self._wall_from(second) == second

    def _count(self, low: int, high: int) -> int:
        """How many matching wall minutes begin from ``low`` to before ``high``, in wall seconds."""
        first_day, first = divmod(-(-low // 60), MINUTES)
        last_day, last = divmod(-(-high // 60), MINUTES)
        before_last = self._times & ((1 << last) - 1)
        if first_day == last_day:
            return (before_last >> first).bit_count() * self._days.count(first_day, first_day)
        return (
            (self._times >> first).bit_count() * self._days.count(first_day, first_day)
            + self._times.bit_count() * self._days.count(first_day + 1, last_day - 1)
            + before_last.bit_count() * self._days.count(last_day, last_day)
        )

    def _daily(self, low: int, high: int, *, merged: bool) -> Iterator[tuple[int, int, int]]:
        """Day by day the first and the last slot in wall seconds and the smallest distance on that day, 0 when it has only one."""
        if merged and not self._matches(low):
            yield low, low, 0
        begin, end = -(-low // 60), -(-high // 60)
        day = self._days.first_from(begin // MINUTES)
        while (midnight := day * MINUTES) < end:
            bits = self._times
            if midnight < begin:
                bits = bits >> (begin - midnight) << (begin - midnight)
            if end < midnight + MINUTES:
                bits &= (1 << (end - midnight)) - 1
            if bits:
                yield (
                    (midnight + lowest(bits)) * 60,
                    (midnight + bits.bit_length() - 1) * 60,
                    smallest_distance(bits) * 60,
                )
            day = self._days.first_from(day + 1)


def lowest(bits: int) -> int:
    """The number of the lowest bit that is set; there must be one."""
    return (bits & -bits).bit_length() - 1


@lru_cache(maxsize=TIMES_CACHED)
def times_of(minutes: int, hours: int) -> int:
    """The minutes of a day, as bits 0 to 1439, from those of an hour and the hours; equal ones share one number."""
    return sum(minutes << 60 * hour for hour in range(24) if hours >> hour & 1)


@lru_cache(maxsize=TIMES_CACHED)
def smallest_distance(bits: int) -> int:
    """The smallest distance between two bits that are set; 0 when there are fewer than two."""
    return next((distance for distance in range(1, bits.bit_length()) if bits & bits >> distance), 0)
