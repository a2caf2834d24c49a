"""What is valid in an expression and seldom meant: months without its day, wall times that a change of the clock skips."""

from bisect import bisect_right
from calendar import month_name
from datetime import UTC, datetime
from functools import lru_cache

from controller.decide.calendar import compile_cron, compile_quartz
from controller.decide.cron.fields import DayRule, parse_cron
from controller.decide.cron.zone import GAP_MADE_UP_SECONDS_MAX, segments_of
from controller.decide.quartz.fields import QuartzDays, parse_quartz
from controller.model.calendar import EntryKind

YEAR_SECONDS = 366 * 86_400
FEBRUARY = 2
DAYS = {month: 30 if month in {4, 6, 9, 11} else 29 if month == FEBRUARY else 31 for month in range(1, 13)}
"""The most days that a month can have."""

ALL_HOURS = (1 << 24) - 1


@lru_cache(maxsize=16_384)
def oddities(kind: EntryKind, expression: str, zone: str, warn_from: int) -> tuple[tuple[str, str], ...]:
    """Codes and messages of what is odd about a valid cron or Quartz expression; clocks are looked at from an instant for a year.

    Raises:
        CalendarError: the expression is not valid.
    """
    found = (missing_days(kind, expression), slot_in_gap(kind, expression, zone, warn_from))
    return tuple(each for each in found if each is not None)


def missing_days(kind: EntryKind, expression: str) -> tuple[str, str] | None:
    """Selected months that have none of the days of the month that an expression names."""
    if kind is EntryKind.CRON:
        rule = parse_cron(expression).day_rule
        by_number, months = (_cron_day if _needs_a_number(rule) else _any_day)(rule), rule.months
    else:
        day_rule = parse_quartz(expression).day_rule
        by_number, months = _quartz_day(day_rule), day_rule.months
    lacking = [month_name[month] for month, most in DAYS.items() if months >> month & 1 and by_number > most]
    # Of the days that it has only every fourth year.
    if months >> FEBRUARY & 1 and by_number == DAYS[FEBRUARY]:
        lacking.append("February of most years")
    if not lacking:
        return None
    names = " and ".join(filter(None, [", ".join(lacking[:-1]), lacking[-1]]))
    has = "has" if len(lacking) == 1 else "have"
    return (
        "missing-days",
        f"{names} {has} no slot, for want of day {by_number}; write L for the last day of every month",
    )


def _needs_a_number(rule: DayRule) -> bool:
    return rule.both or not (rule.weekdays or rule.last_weekdays or rule.nth_weekdays)


def _any_day(rule: DayRule) -> int:  # noqa: ARG001 - weekdays alone are enough
    return 0


def _cron_day(rule: DayRule) -> int:
    """The first day that a month must have, 0 = it always has one."""
    numbers = rule.days | rule.near_workdays
    return 0 if rule.last_day or rule.last_workday or not numbers else (numbers & -numbers).bit_length() - 1


def _quartz_day(rule: QuartzDays) -> int:
    if rule.before_last is not None:
        return rule.before_last + 1
    return (rule.days & -rule.days).bit_length() - 1 if rule.days else 0


def slot_in_gap(kind: EntryKind, expression: str, zone: str, warn_from: int) -> tuple[str, str] | None:
    """The first slot that lies where the clock is put forward, within a year of an instant.

    An expression for every hour means whatever hours there are: nothing that it means is skipped.
    """
    if kind is EntryKind.CRON and not parse_cron(expression).fixed_time:
        return None
    if kind is EntryKind.QUARTZ and parse_quartz(expression).hours == ALL_HOURS:
        return None
    # In a zone that never changes the slots of an expression are the wall times that it names.
    walls = compile_cron(expression) if kind is EntryKind.CRON else compile_quartz(expression)
    segments = segments_of(zone)
    for run in range(bisect_right(segments.starts, warn_from), len(segments.offsets)):
        change = segments.starts[run]
        if change > warn_from + YEAR_SECONDS:
            break
        before, after = change + segments.offsets[run - 1], change + segments.offsets[run]
        wall = walls.next_after(before - 1)
        if wall is not None and wall < after:
            made_up = kind is EntryKind.CRON and after - before <= GAP_MADE_UP_SECONDS_MAX
            return "slot-in-gap", _gap_message(wall, after, zone, made_up=made_up)
    return None


def _gap_message(wall: int, after: int, zone: str, *, made_up: bool) -> str:
    skipped, shown = (datetime.fromtimestamp(second, UTC) for second in (wall, after))
    comes = f"its slot is at {shown:%H:%M}, the first instant after the gap" if made_up else "its slot is lost"
    seconds = ":%S" if skipped.second else ""
    what = f"{skipped:%Y-%m-%d} has no {skipped:%H:%M{seconds}} in {zone}, because the clock is put forward: {comes}"
    return f"{what}; write an hour that every day has, or leave it if that is meant"
