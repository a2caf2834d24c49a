"""When slots are: cron or Quartz in a zone, fixed intervals, and unions of them. Instants are whole seconds since the epoch, UTC.

Compiled calendars are values that never change; equal ones are one object, and cron expressions share the days, the times of day and
the zone that they have in common.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Protocol

from controller.decide.cron.days import days_of
from controller.decide.cron.evaluator import CronCalendar
from controller.decide.cron.fields import CronFields, parse_cron
from controller.decide.cron.refusal import CalendarError
from controller.decide.cron.zone import BEGIN, segments_of
from controller.decide.quartz.evaluator import QuartzCalendar
from controller.decide.quartz.fields import QuartzError, QuartzFields, parse_quartz

__all__ = ["Calendar", "CalendarError", "compile_cron", "compile_every", "compile_quartz", "union"]

CALENDARS_CACHED = 65_536
"""Distinct expressions kept compiled, some 200 bytes each beyond what they share."""

EVERY_SECONDS_MAX = 100 * 365 * 86_400
"""The next slot of a longer interval may lie beyond what a date can say."""


class Calendar(Protocol):
    """The slots of a schedule."""

    def next_after(self, instant: int) -> int | None:
        """The first slot strictly after an instant; None when there is none within the calendar's bounds."""
        ...

    def previous_at_or_before(self, instant: int) -> int | None:
        """The last slot at or before an instant; None when there is none within the calendar's bounds."""
        ...

    def count_between(self, after: int, until: int) -> int:
        """The exact number of slots in (after, until]."""
        ...

    def smallest_gap(self, start: int, end: int) -> int | None:
        """The smallest distance in seconds between two consecutive slots of [start, end]; None when it holds fewer than two."""
        ...


@lru_cache(maxsize=CALENDARS_CACHED)
def compile_cron(expression: str, time_zone: str = "UTC") -> Calendar:
    """Compile a cron expression (`cron.fields` has the grammar) in an IANA zone; its slots lie from 1970 to before 2100.

    Raises:
        CalendarError: ``cron-syntax``, ``cron-never-fires`` or ``zone-unknown``; the text says what to write instead.
    """
    fields = parse_cron(expression)
    if not days_of(fields.day_rule).any():
        raise CalendarError(
            "cron-never-fires",
            f"{expression[:60]!r} names no day that ever comes; write a day that the month has, or L for its last",
        )
    return _cron(fields, time_zone)


@lru_cache(maxsize=CALENDARS_CACHED)
def _cron(fields: CronFields, time_zone: str) -> Calendar:
    return CronCalendar(fields, segments_of(time_zone))


def compile_every(every_seconds: int, anchor: int = 0) -> Calendar:
    """Slots at k * ``every_seconds`` + ``anchor`` for every whole k, in real time: changes of the clock do not move them.

    Args:
        every_seconds: distance of the slots in seconds.
        anchor: one of the slots, in seconds since the epoch, UTC.

    Raises:
        CalendarError: ``interval``; the distance is not positive, or longer than 36500 days.
    """
    if not 0 < every_seconds <= EVERY_SECONDS_MAX:
        raise CalendarError("interval", f"an interval of {every_seconds} s cannot be used; write one from 1s to 36500d")
    return _every(every_seconds, anchor % every_seconds)


@lru_cache(maxsize=CALENDARS_CACHED)
def _every(every_seconds: int, phase: int) -> Calendar:
    return EveryCalendar(every_seconds, phase)


def union(calendars: Sequence[Calendar]) -> Calendar:
    """The slots of all calendars, of which there must be one at least; equal instants are one slot."""
    if not calendars:
        raise ValueError("a union needs at least one calendar")
    distinct = tuple(dict.fromkeys(calendars))
    return distinct[0] if len(distinct) == 1 else UnionCalendar(distinct)


class EveryCalendar:
    """Slots at a fixed distance in real time."""

    __slots__ = ("_every", "_phase")

    def __init__(self, every_seconds: int, phase: int) -> None:
        self._every = every_seconds
        self._phase = phase

    def next_after(self, instant: int) -> int:
        """The first slot strictly after an instant."""
        return self.previous_at_or_before(instant) + self._every

    def previous_at_or_before(self, instant: int) -> int:
        """The last slot at or before an instant."""
        return instant - (instant - self._phase) % self._every

    def count_between(self, after: int, until: int) -> int:
        """The exact number of slots in (after, until]."""
        return max(0, (until - self._phase) // self._every - (after - self._phase) // self._every)

    def smallest_gap(self, start: int, end: int) -> int | None:
        """The interval; None when [start, end] holds fewer than two slots."""
        return self._every if self.count_between(start - 1, end) > 1 else None


class UnionCalendar:
    """The slots of several calendars."""

    __slots__ = ("_calendars",)

    def __init__(self, calendars: tuple[Calendar, ...]) -> None:
        self._calendars = calendars

    def next_after(self, instant: int) -> int | None:
        """The first slot strictly after an instant."""
        found = (calendar.next_after(instant) for calendar in self._calendars)
        return min((slot for slot in found if slot is not None), default=None)

    def previous_at_or_before(self, instant: int) -> int | None:
        """The last slot at or before an instant."""
        found = (calendar.previous_at_or_before(instant) for calendar in self._calendars)
        return max((slot for slot in found if slot is not None), default=None)

    def count_between(self, after: int, until: int) -> int:
        """The exact number of slots in (after, until]; steps over all calendars but the one with the most slots."""
        fullest, *others = self._by_fullness(after, until)
        return fullest.count_between(after, until) + sum(
            all(each.previous_at_or_before(slot) != slot for each in [fullest, *others[:number]])
            for number, other in enumerate(others)
            for slot in _slots(other, after, until)
        )

    def smallest_gap(self, start: int, end: int) -> int | None:
        """The smallest distance of two consecutive slots; steps over all calendars but the one with the most slots.

        Two neighbours are of one calendar, or one of them is of a calendar that is stepped over.
        """
        fullest, *others = self._by_fullness(start - 1, end)
        gaps = [gap for each in (fullest, *others) if (gap := each.smallest_gap(start, end)) is not None]
        for other in others:
            for slot in _slots(other, start - 1, end):
                before, after = self.previous_at_or_before(slot - 1), self.next_after(slot)
                gaps += [slot - before] if before is not None and before >= start else []
                gaps += [after - slot] if after is not None and after <= end else []
        return min(gaps, default=None)

    def _by_fullness(self, after: int, until: int) -> list[Calendar]:
        return sorted(self._calendars, key=lambda calendar: calendar.count_between(after, until), reverse=True)


def _slots(calendar: Calendar, after: int, until: int) -> Iterator[int]:
    slot = calendar.next_after(after)
    while slot is not None and slot <= until:
        yield slot
        slot = calendar.next_after(slot)


@lru_cache(maxsize=CALENDARS_CACHED)
def compile_quartz(expression: str, time_zone: str = "UTC") -> Calendar:
    """Compile a Quartz expression (`quartz.fields` has the grammar) in an IANA zone; its slots lie from 1970 to before 2100.

    Raises:
        CalendarError: ``quartz-syntax``, ``quartz-never-fires`` or ``zone-unknown``; the text says what to write instead.
    """
    calendar = _quartz(parse_quartz(expression), time_zone)
    if calendar.next_after(BEGIN - 1) is None:
        raise QuartzError(
            "quartz-never-fires",
            f"{expression[:60]!r} names no time that ever comes in {time_zone}; write a day that its months and years have "
            "(L for the last) and a time that the clock shows on it",
        )
    return calendar


@lru_cache(maxsize=CALENDARS_CACHED)
def _quartz(fields: QuartzFields, time_zone: str) -> Calendar:
    return QuartzCalendar(fields, segments_of(time_zone))
