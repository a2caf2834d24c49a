"""Which days match a day rule, as one set of bits per kind of year.

A day is a whole number, 0 = 1970-01-01; a year of the calendar is one of 14 kinds: its first weekday, leap or not. So a rule needs
at most 14 sets, whatever years are asked for.
"""

from bisect import bisect_right
from calendar import isleap, monthrange
from datetime import date
from functools import lru_cache

from controller.decide.cron.fields import WEEKS_OF_MONTH, DayRule

YEAR_FIRST = 1969
"""West of Greenwich the first instants of 1970 are still the last day of 1969."""

YEAR_LAST = 2100
"""East of Greenwich the last instants of 2099 are already the first day of 2100."""

KINDS = 14
"""7 weekdays on which a year can begin, leap or not."""

RULES_CACHED = 16_384
"""Distinct day rules kept; most schedules share a handful."""

_EPOCH = date(1970, 1, 1).toordinal()

YEAR_STARTS = tuple(date(year, 1, 1).toordinal() - _EPOCH for year in range(YEAR_FIRST, YEAR_LAST + 2))
"""The first day of each year from `YEAR_FIRST`, and of the one after `YEAR_LAST`."""


def _kind(year: int) -> int:
    return date(year, 1, 1).isoweekday() % 7 * 2 + isleap(year)


YEAR_KINDS = tuple(_kind(year) for year in range(YEAR_FIRST, YEAR_LAST + 1))
"""The kind of each year from `YEAR_FIRST`."""

_LENGTHS = tuple(tuple(monthrange(year, month)[1] for month in range(1, 13)) for year in (2001, 2000))
_SUNDAY, _SATURDAY = 0, 6
_WEEK = 0b111_1111
_EVERY_WEEK = sum(1 << 7 * week for week in range(WEEKS_OF_MONTH))

BEFORE_ALL = YEAR_STARTS[0] - 1
"""What a search backwards finds when nothing matches."""

AFTER_ALL = YEAR_STARTS[-1]
"""What a search forwards finds when nothing matches."""


class Days:
    """The days that a rule matches, from `YEAR_FIRST` to `YEAR_LAST`."""

    __slots__ = ("_by_kind", "_rule")

    def __init__(self, rule: DayRule) -> None:
        self._rule = rule
        self._by_kind: list[int | None] = [None] * KINDS

    def any(self) -> bool:
        """Whether there is such a day in any year at all."""
        return any(self._of_kind(kind) for kind in range(KINDS))

    def first_from(self, day: int) -> int:
        """The first matching day at or after ``day``, or `AFTER_ALL`."""
        index = bisect_right(YEAR_STARTS, day) - 1
        bits = (self._by_kind[YEAR_KINDS[index]] or self._of_kind(YEAR_KINDS[index])) >> (day - YEAR_STARTS[index])
        if bits:
            return day + (bits & -bits).bit_length() - 1
        for later in range(index + 1, len(YEAR_KINDS)):
            if bits := self._of_kind(YEAR_KINDS[later]):
                return YEAR_STARTS[later] + (bits & -bits).bit_length() - 1
        return AFTER_ALL

    def last_until(self, day: int) -> int:
        """The last matching day at or before ``day``, or `BEFORE_ALL`."""
        index = bisect_right(YEAR_STARTS, day) - 1
        bits = self._of_kind(YEAR_KINDS[index]) & ((2 << (day - YEAR_STARTS[index])) - 1)
        while not bits and index > 0:
            index -= 1
            bits = self._of_kind(YEAR_KINDS[index])
        return YEAR_STARTS[index] + bits.bit_length() - 1 if bits else BEFORE_ALL

    def count(self, first: int, last: int) -> int:
        """How many days match from ``first`` to ``last``, both included."""
        if last < first:
            return 0
        total = 0
        for index in range(bisect_right(YEAR_STARTS, first) - 1, bisect_right(YEAR_STARTS, last)):
            start = YEAR_STARTS[index]
            bits = self._of_kind(YEAR_KINDS[index])
            if first > start:
                bits >>= first - start
                start = first
            if last < YEAR_STARTS[index + 1] - 1:
                bits &= (2 << (last - start)) - 1
            total += bits.bit_count()
        return total

    def _of_kind(self, kind: int) -> int:
        bits = self._by_kind[kind]
        if bits is None:
            bits = self._by_kind[kind] = _year_bits(self._rule, kind)
        return bits


@lru_cache(maxsize=RULES_CACHED)
def days_of(rule: DayRule) -> Days:
    """The days of a rule; equal rules share one."""
    return Days(rule)


def _year_bits(rule: DayRule, kind: int) -> int:
    """Bit n is the day n of a year of this kind, from 0."""
    weekday, leap = divmod(kind, 2)
    bits = start = 0
    for month, length in enumerate(_LENGTHS[leap], 1):
        if rule.months >> month & 1:
            bits |= _month_bits(rule, (weekday + start) % 7, length) >> 1 << start
        start += length
    return bits


def _month_bits(rule: DayRule, first_weekday: int, length: int) -> int:
    """Bit n is the day n of the month, from 1."""
    by_day = rule.days | (rule.last_day << length)
    if rule.last_workday:
        by_day |= 1 << _near_workday(length, first_weekday, length)
    if rule.near_workdays:
        for day in range(1, length + 1):
            if rule.near_workdays >> day & 1:
                by_day |= 1 << _near_workday(day, first_weekday, length)
    by_weekday = _week_from(rule.weekdays, first_weekday) * _EVERY_WEEK << 1
    if rule.nth_weekdays:
        for week in range(WEEKS_OF_MONTH):
            by_weekday |= _week_from(rule.nth_weekdays >> 7 * week & _WEEK, first_weekday) << 7 * week + 1
    if rule.last_weekdays:
        by_weekday |= _week_from(rule.last_weekdays, (first_weekday + length) % 7) << length - 6
    bits = by_day & by_weekday if rule.both else by_day | by_weekday
    return bits & (2 << length) - 2


def _week_from(weekdays: int, first: int) -> int:
    """Seven days from the weekday ``first`` on: bit 0 is that day."""
    return (weekdays | weekdays << 7) >> first & _WEEK


def _near_workday(day: int, first_weekday: int, length: int) -> int:
    weekday = (first_weekday + day - 1) % 7
    if weekday == _SATURDAY:
        return day - 1 if day > 1 else day + 2
    if weekday == _SUNDAY:
        return day + 1 if day < length else day - 2
    return day
