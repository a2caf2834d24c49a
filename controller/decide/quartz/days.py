"""Which days match a Quartz day rule in given years, as one set of bits per kind of year (see `controller.decide.cron.days`)."""

from bisect import bisect_right
from calendar import monthrange
from functools import lru_cache

from controller.decide.cron.days import AFTER_ALL, BEFORE_ALL, KINDS, RULES_CACHED, YEAR_FIRST, YEAR_KINDS, YEAR_STARTS
from controller.decide.quartz.fields import YEARS, QuartzDays

_LENGTHS = tuple(tuple(monthrange(year, month)[1] for month in range(1, 13)) for year in (2001, 2000))
_WEEK = 7
_SUNDAY, _SATURDAY = 0, 6


class Days:
    """The days that a rule matches in the years that count."""

    __slots__ = ("_by_kind", "_rule", "_years")

    def __init__(self, rule: QuartzDays, years: int | None) -> None:
        self._rule = rule
        # Every year includes the ends of the calendar, which are 1969 or 2100 on some walls.
        self._years = (1 << len(YEAR_KINDS)) - 1 if years is None else years << YEARS[0] - YEAR_FIRST
        self._by_kind: list[int | None] = [None] * KINDS

    def first_from(self, day: int) -> int:
        """The first matching day at or after ``day``, or `AFTER_ALL`."""
        index = bisect_right(YEAR_STARTS, day) - 1
        skipped = day - YEAR_STARTS[index]
        while index < len(YEAR_KINDS):
            if bits := self._of_year(index) >> skipped << skipped:
                return YEAR_STARTS[index] + (bits & -bits).bit_length() - 1
            index, skipped = index + 1, 0
        return AFTER_ALL

    def last_until(self, day: int) -> int:
        """The last matching day at or before ``day``, or `BEFORE_ALL`."""
        index = bisect_right(YEAR_STARTS, day) - 1
        bits = self._of_year(index) & (2 << day - YEAR_STARTS[index]) - 1 if index >= 0 else 0
        while not bits and index > 0:
            index -= 1
            bits = self._of_year(index)
        return YEAR_STARTS[index] + bits.bit_length() - 1 if bits else BEFORE_ALL

    def count(self, first: int, end: int) -> int:
        """How many days match from ``first`` to before ``end``."""
        total = 0
        for index in range(bisect_right(YEAR_STARTS, first) - 1, bisect_right(YEAR_STARTS, end - 1)):
            start = YEAR_STARTS[index]
            bits = self._of_year(index) >> max(0, first - start) << max(0, first - start)
            total += (bits & (1 << end - start) - 1).bit_count()
        return total

    def _of_year(self, index: int) -> int:
        if not self._years >> index & 1:
            return 0
        kind = YEAR_KINDS[index]
        bits = self._by_kind[kind]
        if bits is None:
            bits = self._by_kind[kind] = _year_bits(self._rule, kind)
        return bits


@lru_cache(maxsize=RULES_CACHED)
def days_of(rule: QuartzDays, years: int | None) -> Days:
    """The days of a rule; equal rules share one."""
    return Days(rule, years)


def _year_bits(rule: QuartzDays, kind: int) -> int:
    """Bit n is the day n of a year of this kind, from 0."""
    weekday, leap = divmod(kind, 2)
    bits = start = 0
    for month, length in enumerate(_LENGTHS[leap], 1):
        if rule.months >> month & 1:
            first_weekday = (weekday + start) % _WEEK
            for day in range(1, length + 1):
                if rule.weekdays >> (first_weekday + day - 1) % _WEEK & 1 and _counts(rule, day, length):
                    bits |= 1 << start + day - 1
            for day in _by_number(rule, length):
                bits |= 1 << start + (_near_workday(day, first_weekday, length) if rule.workday else day) - 1
        start += length
    return bits


def _counts(rule: QuartzDays, day: int, length: int) -> bool:
    """Whether the weekday on this day is the one of its month that is meant."""
    if rule.last:
        return day > length - _WEEK
    return rule.nth in {0, (day - 1) // _WEEK + 1}


def _by_number(rule: QuartzDays, length: int) -> list[int]:
    if rule.before_last is not None:
        return [length - rule.before_last] if rule.before_last < length else []
    return [day for day in range(1, length + 1) if rule.days >> day & 1]


def _near_workday(day: int, first_weekday: int, length: int) -> int:
    weekday = (first_weekday + day - 1) % _WEEK
    if weekday == _SATURDAY:
        return day - 1 if day > 1 else day + 2
    if weekday == _SUNDAY:
        return day + 1 if day < length else day - 2
    return day
