"""Slots of a Quartz expression in a zone: next, previous, count and smallest distance, on whole seconds.

Quartz's rule for changes of the clock: a wall time that a jump skipped is lost, and one that is shown
twice is a slot only in its second copy. So every wall second is at most one instant and both run in the same order: a run of constant
offset keeps the wall seconds from its first one to before the first one of the next run.
"""

from bisect import bisect_right
from collections.abc import Iterator
from functools import lru_cache

from controller.decide.cron.evaluator import lowest, smallest_distance, times_of
from controller.decide.cron.zone import BEGIN, END, Segments
from controller.decide.quartz.days import days_of
from controller.decide.quartz.fields import QuartzFields

DAY = 86_400
MINUTE = 60
Block = tuple[int, int, int]
"""The wall second of a midnight, minutes of its day as bits, and the seconds of each of those minutes as bits."""


class QuartzCalendar:
    """The slots of one expression in one zone, from 1970 to before 2100. Instants are whole seconds since the epoch, UTC."""

    __slots__ = ("_days", "_highs", "_lows", "_minutes", "_offsets", "_seconds", "_starts")

    def __init__(self, fields: QuartzFields, segments: Segments) -> None:
        self._days = days_of(fields.day_rule, fields.years)
        self._minutes = times_of(fields.minutes, fields.hours)
        self._seconds = fields.seconds
        self._starts, self._offsets, self._lows = segments.starts, segments.offsets, segments.wall_lows
        self._highs = _highs(segments)

    def next_after(self, instant: int) -> int | None:
        """The first slot strictly after an instant; None when there is none before 2100."""
        at = max(instant + 1, BEGIN)
        if at >= END:
            return None
        here = bisect_right(self._starts, at) - 1
        wall = at + self._offsets[here]
        if wall >= self._highs[here]:
            # A first copy: what the clock shows next that counts is the beginning of the second one.
            here += 1
            wall = self._lows[here]
        while here < len(self._highs):
            wall = self._from(max(wall, self._lows[here]))
            if wall < self._highs[here]:
                return wall - self._offsets[here]
            here = bisect_right(self._highs, wall)
        return None

    def previous_at_or_before(self, instant: int) -> int | None:
        """The last slot at or before an instant; None when there is none since 1970."""
        if instant < BEGIN:
            return None
        at = min(instant, END - 1)
        here = bisect_right(self._starts, at) - 1
        wall = at + self._offsets[here]
        while here >= 0:
            wall = self._until(min(wall, self._highs[here] - 1))
            if wall >= self._lows[here]:
                return wall - self._offsets[here]
            here = bisect_right(self._lows, wall) - 1
        return None

    def count_between(self, after: int, until: int) -> int:
        """The exact number of slots in (after, until]."""
        return sum(self._count(low, high) for low, high, _ in self._runs(after + 1, until + 1))

    def smallest_gap(self, start: int, end: int) -> int | None:
        """The smallest distance in seconds between two consecutive slots of [start, end]; None when it holds fewer than two."""
        gaps: set[int] = set()
        previous: int | None = None
        for low, high, offset in self._runs(start, end + 1):
            for midnight, minutes, seconds in self._blocks(low, high):
                first = midnight + lowest(minutes) * MINUTE + lowest(seconds) - offset
                if previous is not None:
                    gaps.add(first - previous)
                if inside := _inside(minutes, seconds):
                    gaps.add(inside)
                previous = midnight + (minutes.bit_length() - 1) * MINUTE + seconds.bit_length() - 1 - offset
        return min(gaps, default=None)

    def _from(self, wall: int) -> int:
        """The first matching wall second at or after one."""
        day, of_day = divmod(wall, DAY)
        found = self._days.first_from(day)
        if found == day:
            minute, second = divmod(of_day, MINUTE)
            if self._minutes >> minute & 1 and (rest := self._seconds >> second):
                return wall + lowest(rest)
            if later := self._minutes >> minute + 1:
                return day * DAY + (minute + 1 + lowest(later)) * MINUTE + lowest(self._seconds)
            found = self._days.first_from(day + 1)
        return found * DAY + lowest(self._minutes) * MINUTE + lowest(self._seconds)

    def _until(self, wall: int) -> int:
        """The last matching wall second at or before one."""
        day, of_day = divmod(wall, DAY)
        last = self._seconds.bit_length() - 1
        found = self._days.last_until(day)
        if found == day:
            minute, second = divmod(of_day, MINUTE)
            if self._minutes >> minute & 1 and (rest := self._seconds & (2 << second) - 1):
                return wall - second + rest.bit_length() - 1
            if earlier := self._minutes & (1 << minute) - 1:
                return day * DAY + (earlier.bit_length() - 1) * MINUTE + last
            found = self._days.last_until(day - 1)
        return found * DAY + (self._minutes.bit_length() - 1) * MINUTE + last

    def _runs(self, begin: int, end: int) -> Iterator[tuple[int, int, int]]:
        """The wall clock over the instants [begin, end), as far as its seconds count: first, the one after the last, offset."""
        begin, end = max(begin, BEGIN), min(end, END)
        for here in range(bisect_right(self._starts, begin) - 1, len(self._offsets)):
            if self._starts[here] >= end:
                return
            offset = self._offsets[here]
            low, high = max(begin + offset, self._lows[here]), min(end + offset, self._highs[here])
            if low < high:
                yield low, high, offset

    def _count(self, low: int, high: int) -> int:
        """How many matching wall seconds lie from ``low`` to before ``high``."""
        whole = self._days.count(low // DAY, high // DAY) * self._minutes.bit_count() * self._seconds.bit_count()
        return whole + self._count_of_day(high) - self._count_of_day(low)

    def _count_of_day(self, wall: int) -> int:
        """How many matching wall seconds lie on the day of one and before it."""
        day, of_day = divmod(wall, DAY)
        if self._days.first_from(day) != day:
            return 0
        minute, second = divmod(of_day, MINUTE)
        whole = (self._minutes & (1 << minute) - 1).bit_count() * self._seconds.bit_count()
        return whole + (self._minutes >> minute & 1) * (self._seconds & (1 << second) - 1).bit_count()

    def _blocks(self, low: int, high: int) -> Iterator[Block]:
        """The matching wall seconds from ``low`` to before ``high`` in blocks: whole days, whole minutes and parts of one minute."""
        day = self._days.first_from(low // DAY)
        while (midnight := day * DAY) < high:
            begin, end = max(low - midnight, 0), min(high - midnight, DAY)
            first, last = -(-begin // MINUTE), end // MINUTE
            whole = self._minutes >> first << first & (1 << last) - 1
            if first > last:
                parts = [(last, begin - last * MINUTE, end - last * MINUTE)]
            else:
                parts = [(first - 1, begin - (first - 1) * MINUTE, MINUTE), (last, 0, end - last * MINUTE)]
            blocks = [
                (midnight, self._minutes & 1 << minute, self._seconds >> start << start & (1 << stop) - 1)
                for minute, start, stop in parts
                if minute >= 0
            ]
            blocks.insert(len(blocks) - 1 if first <= last else 0, (midnight, whole, self._seconds))
            yield from (block for block in blocks if block[1] and block[2])
            day = self._days.first_from(day + 1)


def _inside(minutes: int, seconds: int) -> int:
    """The smallest distance of two slots of one block; 0 when it has only one."""
    within = smallest_distance(seconds)
    if not (apart := smallest_distance(minutes)):
        return within
    across = apart * MINUTE - (seconds.bit_length() - 1 - lowest(seconds))
    return min(within, across) if within else across


@lru_cache(maxsize=1024)
def _highs(segments: Segments) -> tuple[int, ...]:
    """The wall second at which each run ends: that of the next run counts if both show it."""
    ends = [end + offset for end, offset in zip(segments.starts[1:], segments.offsets, strict=True)]
    return tuple(min(end, low) for end, low in zip(ends, (*segments.wall_lows[1:], ends[-1]), strict=True))
