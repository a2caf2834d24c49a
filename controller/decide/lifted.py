"""A platform's own schedule as an entry of ``spec.schedules``: cron where that has the very same slots, else Quartz, or an interval."""

import re
from collections.abc import Mapping

from controller.decide.calendar import CalendarError, compile_cron, compile_quartz
from controller.decide.cron.zone import segments_of
from controller.decide.quartz.fields import QuartzDays, QuartzFields, parse_quartz
from controller.model.calendar import CalendarEntry, EntryKind
from controller.model.connection import PlatformScheduleKind

TIMING = re.compile(r"every\s+([1-9][0-9]{0,5})\s+(second|minute|hour|day)s?", re.IGNORECASE | re.ASCII)
UNIT_SECONDS: Mapping[str, int] = {"second": 1, "minute": 60, "hour": 3_600, "day": 86_400}

AROUND = 6 * 3_600
"""Seconds before and after a change of the clock in which two dialects may differ: no clock was ever set by as much."""

CHANGES_SINCE = 1_735_689_600
"""2025-01-01T00:00:00Z: changes of the clock before it move no slot to come."""

LIST_MAX = 8
"""A longer list is no schedule that a person reads; Quartz' own text stays."""

FIELDS = 6
"""Of a Quartz expression without a year."""

_WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")


def lift(kind: PlatformScheduleKind, expression: str) -> CalendarEntry | None:
    """The entry with the slots of a platform's own schedule; None where there is none that can be trusted.

    Args:
        kind: what the platform's scheduler does with the connection.
        expression: a Quartz expression with or without a zone behind it (UTC), or ``Every 24 HOURS``.

    An interval counts from the epoch here, and from the last job on the platform.
    """
    if kind is PlatformScheduleKind.MANUAL:
        return CalendarEntry(EntryKind.MANUAL)
    if kind is PlatformScheduleKind.BASIC:
        return _interval(expression)
    return _calendar(expression) if kind is PlatformScheduleKind.CRON else None


def _interval(timing: str) -> CalendarEntry | None:
    found = TIMING.fullmatch(timing.strip())
    if found is None:
        return None
    unit = found[2].lower()
    return CalendarEntry(EntryKind.EVERY, f"{found[1]}{unit[0]}", every=int(found[1]) * UNIT_SECONDS[unit])


def _calendar(expression: str) -> CalendarEntry | None:
    text, zone = split_zone(expression)
    try:
        fields = parse_quartz(text)
        compile_quartz(text, zone)
        cron = as_cron(fields)
        if cron is not None and same_around_changes(cron, text, zone):
            return CalendarEntry(EntryKind.CRON, cron, zone)
    except CalendarError:
        return None
    return CalendarEntry(EntryKind.QUARTZ, text, zone)


def split_zone(expression: str) -> tuple[str, str]:
    """An expression without its zone, and the zone; UTC without one. Whether the zone exists is not asked."""
    *words, last = expression.split() or [""]
    if last.upper() in ("UTC", "Z"):
        return " ".join(words), "UTC"
    # Behind six fields there is a year, which holds no letters, or a zone.
    if len(words) >= FIELDS and last[:1].isalpha():
        return " ".join(words), last
    return " ".join([*words, last]), "UTC"


def as_cron(fields: QuartzFields) -> str | None:
    """Five fields that match the same wall minutes; None where cron cannot say it, or only in a list that nobody reads."""
    if fields.seconds != 1 or fields.years is not None:
        return None
    days = _days(fields.day_rule)
    if days is None:
        return None
    day, weekday = days
    month = _field(fields.day_rule.months, 1, 12)
    minute, hour = _field(fields.minutes, 0, 59), _field(fields.hours, 0, 23)
    if None in (minute, hour, day, month, weekday):
        return None
    return f"{minute} {hour} {day} {month} {weekday}"


def same_around_changes(cron: str, quartz: str, zone: str) -> bool:
    """Whether both have the same slots wherever the clock of the zone changes: the dialects have different rules there."""
    ours, theirs = compile_cron(cron, zone), compile_quartz(quartz, zone)
    for change in segments_of(zone).starts[1:-1]:
        if change < CHANGES_SINCE:
            continue
        at: int | None = change - AROUND
        while at is not None and at < change + AROUND:
            after = ours.next_after(at)
            if after != theirs.next_after(at):
                return False
            at = after
    return True


def _days(rule: QuartzDays) -> tuple[str | None, str | None] | None:
    if rule.before_last is not None:
        word = "LW" if rule.workday else "L"
        return None if rule.before_last else (word, "*")
    if rule.weekdays:
        if rule.nth or rule.last:
            name = _WEEKDAYS[rule.weekdays.bit_length() - 1]
            return "*", f"{name}L" if rule.last else f"{name}#{rule.nth}"
        return "*", _weekdays(rule.weekdays)
    if rule.workday:
        return f"{rule.days.bit_length() - 1}W", "*"
    return _field(rule.days, 1, 31), "*"


def _weekdays(bits: int) -> str | None:
    values = [value for value in range(7) if bits >> value & 1]
    if len(values) == len(_WEEKDAYS):
        return "*"
    if len(values) > 2 and values[-1] - values[0] == len(values) - 1:
        return f"{_WEEKDAYS[values[0]]}-{_WEEKDAYS[values[-1]]}"
    return ",".join(_WEEKDAYS[value] for value in values)


def _field(bits: int, low: int, high: int) -> str | None:
    """The values as ``*``, a step, a range or a list."""
    values = [value for value in range(low, high + 1) if bits >> value & 1]
    if len(values) == high - low + 1:
        return "*"
    if len(values) > 2:
        step = values[1] - values[0]
        if values == list(range(low, high + 1, step)):
            return f"*/{step}"
        if values == list(range(values[0], values[-1] + 1, step)):
            return f"{values[0]}-{values[-1]}" + (f"/{step}" if step > 1 else "")
    return ",".join(map(str, values)) if len(values) <= LIST_MAX else None
