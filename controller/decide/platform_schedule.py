"""A connection's own schedule on its platform in one canonical form, in which it can be compared with a spec's and written as one.

An Airbyte-like platform shows a Quartz expression, perhaps with a zone behind it, or ``Every 24 HOURS``. Equal slots have one form here:
five fields of cron where those have the very same slots, else Quartz. Weekdays are written as names, because the two dialects count them
differently.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from controller.decide.calendar import Calendar, CalendarError, compile_cron, compile_quartz
from controller.decide.cron.fields import DayRule, parse_cron
from controller.decide.cron.zone import segments_of
from controller.decide.quartz.fields import YEARS, QuartzDays, QuartzFields, parse_quartz
from controller.model.calendar import CalendarEntry, EntryKind
from controller.model.connection import PlatformScheduleKind
from controller.model.span import span_text

WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")

UNITS = {
    "SECOND": timedelta(seconds=1),
    "MINUTE": timedelta(minutes=1),
    "HOUR": timedelta(hours=1),
    "DAY": timedelta(days=1),
    "WEEK": timedelta(weeks=1),
}
"""Units of basic schedules that have a length; months have none."""

AMOUNT_DIGITS_MAX = 6
"""A million minutes are two years; more is an accident."""

TRANSLATED_FROM = int(datetime(2020, 1, 1, tzinfo=UTC).timestamp())
"""From when on a translation must have the same slots: the past is over, and zones had changes of every kind in it."""

AROUND_CHANGE_SECONDS = 6 * 3600
"""The two dialects differ only where the clock changes: by at most 3 h made up, or shown twice. Farther away they agree."""

SLOTS_COMPARED_MAX = 750
"""Slots around one change of the clock; a minute each for both sides of it."""

_BASIC = re.compile(rf"(?:EVERY\s+)?([0-9]{{1,{AMOUNT_DIGITS_MAX}}})\s+({'|'.join(UNITS)})S?")
_ZONE = re.compile(r"[A-Za-z][A-Za-z0-9_+\-]*(?:/[A-Za-z0-9_+\-]+)*")
_UTC = frozenset({"UTC", "GMT", "Z", "ETC/UTC", "UNIVERSAL", "ETC/GMT", "ZULU", "ETC/ZULU", "ETC/UNIVERSAL"})
_FIELDS_MAX = 7


@dataclass(frozen=True, slots=True)
class PlatformTiming:
    """When a schedule is due; exactly one of ``cron``, ``quartz`` and ``every`` says it, ``time_zone`` (IANA) is for the first two."""

    cron: str | None = None
    quartz: str | None = None
    every: timedelta | None = None
    time_zone: str = "UTC"

    def __str__(self) -> str:
        if self.every is not None:
            return f"every {span_text(self.every)}"
        return f'cron "{self.cron}" {self.time_zone}' if self.cron else f'quartz "{self.quartz}" {self.time_zone}'


@lru_cache(maxsize=16_384)
def canonical(kind: PlatformScheduleKind, expression: str) -> PlatformTiming | None:
    """What a platform's own schedule says; None where it has none (``manual``), or where what it shows is not understood."""
    if kind is PlatformScheduleKind.BASIC:
        return _basic(expression)
    if kind is not PlatformScheduleKind.CRON:
        return None
    written, zone = _split_zone(expression)
    if zone is None:
        return None
    try:
        return _quartz_timing(written, zone)
    except CalendarError:
        return None


@lru_cache(maxsize=16_384)
def canonical_entry(entry: CalendarEntry) -> PlatformTiming | None:
    """What an entry of a spec says, in the same form; None for one that no platform's schedule can equal."""
    zone = _zone(entry.time_zone)
    match entry.kind:
        case EntryKind.CRON:
            return PlatformTiming(cron=_cron_text(entry.text), time_zone=zone)
        case EntryKind.QUARTZ:
            return _quartz_timing(entry.text, zone)
        case EntryKind.EVERY:
            return PlatformTiming(every=timedelta(seconds=entry.every))
        case EntryKind.FRESHNESS | EntryKind.MANUAL:
            return None


def entry_of(timing: PlatformTiming) -> CalendarEntry:
    """The entry of a spec with the same slots; an interval counts from the epoch there, and on the platform from the last job."""
    if timing.every is not None:
        return CalendarEntry(EntryKind.EVERY, span_text(timing.every), every=int(timing.every.total_seconds()))
    if timing.cron is not None:
        return CalendarEntry(EntryKind.CRON, timing.cron, timing.time_zone)
    return CalendarEntry(EntryKind.QUARTZ, timing.quartz or "", timing.time_zone)


def is_due_like(timing: PlatformTiming, entries: Iterable[CalendarEntry]) -> bool:
    """Whether a spec with these entries has the very slots of a platform's own schedule."""
    return [canonical_entry(entry) for entry in entries] == [timing]


def _basic(expression: str) -> PlatformTiming | None:
    found = _BASIC.fullmatch(expression.strip().upper())
    if found is None or int(found[1]) == 0:
        return None
    return PlatformTiming(every=int(found[1]) * UNITS[found[2]])


def _split_zone(expression: str) -> tuple[str, str | None]:
    """The expression, and the zone behind it; the zone is None where it is none that anybody knows."""
    words = expression.split()
    behind = words[-1] if len(words) > 1 else ""
    is_zone = len(words) > _FIELDS_MAX - 1 and bool(_ZONE.fullmatch(behind))
    if not is_zone:
        return " ".join(words), "UTC"
    zone = _zone(behind)
    try:
        segments_of(zone)
    except CalendarError:
        return "", None
    return " ".join(words[:-1]), zone


def _zone(name: str) -> str:
    return "UTC" if name.upper() in _UTC else name


def _quartz_timing(text: str, zone: str) -> PlatformTiming:
    """The canonical form of a Quartz expression.

    Raises:
        CalendarError: it cannot be read, or never fires.
    """
    calendar, fields = compile_quartz(text, zone), parse_quartz(text)
    cron = _as_cron(fields)
    if cron is not None and _has_same_slots(cron, calendar, zone):
        return PlatformTiming(cron=cron, time_zone=zone)
    return PlatformTiming(quartz=_as_quartz(fields), time_zone=zone)


def _has_same_slots(cron: str, calendar: Calendar, zone: str) -> bool:
    """Whether five fields have the same slots as the original, also where the clock changes: there the dialects have different rules."""
    translated = compile_cron(cron, zone)
    for change in segments_of(zone).starts:
        if change < TRANSLATED_FROM:
            continue
        first, last = change - AROUND_CHANGE_SECONDS, change + AROUND_CHANGE_SECONDS
        count = calendar.count_between(first, last)
        if count != translated.count_between(first, last) or count > SLOTS_COMPARED_MAX:
            return False
        for _ in range(count):
            ours, theirs = translated.next_after(first), calendar.next_after(first)
            if ours is None or ours != theirs:
                return False
            first = ours
    return True


def _as_cron(fields: QuartzFields) -> str | None:
    """Five fields with the same wall times, if there are any."""
    rule = fields.day_rule
    if fields.seconds != 1 or fields.years is not None or rule.before_last not in {None, 0}:
        return None
    return _joined(_field(fields.minutes, 0, 59), _field(fields.hours, 0, 23), *_days(rule, "*"))


def _as_quartz(fields: QuartzFields) -> str:
    seconds, minutes, hours = (
        _field(fields.seconds, 0, 59),
        _field(fields.minutes, 0, 59),
        _field(fields.hours, 0, 23),
    )
    day, month, weekday = _days(fields.day_rule, "?")
    if (day == "?") == (weekday == "?"):
        weekday = "?"
    years = [] if fields.years is None else [_field(fields.years << YEARS[0], *YEARS)]
    return _joined(seconds, minutes, hours, day, month, weekday, *years)


def _days(rule: QuartzDays, nothing: str) -> tuple[str, str, str]:
    """Day of month, month and day of week; ``nothing`` is what stands in the day field that says nothing."""
    month = _field(rule.months, 1, 12)
    if rule.weekdays:
        if rule.last or rule.nth:
            name = WEEKDAYS[rule.weekdays.bit_length() - 1]
            return nothing, month, f"{name}L" if rule.last else f"{name}#{rule.nth}"
        if rule.weekdays == 0b111_1111:
            return "*", month, nothing
        return nothing, month, _field(rule.weekdays, 0, 6, WEEKDAYS)
    if rule.before_last is not None:
        offset = f"-{rule.before_last}" if rule.before_last else ""
        return f"L{offset}{'W' if rule.workday else ''}", month, nothing
    if rule.workday:
        return f"{rule.days.bit_length() - 1}W", month, nothing
    return _field(rule.days, 1, 31), month, nothing


def _cron_text(text: str) -> str:
    """A cron expression in the form that translations have, unless that would change its slots where the clock changes."""
    fields = parse_cron(text)
    rule, words = fields.day_rule, " ".join(text.upper().split())
    if rule.last_day or rule.last_workday or rule.near_workdays or rule.last_weekdays or rule.nth_weekdays:
        return words
    day, weekday = _plain_days(rule)
    written = _joined(
        _field(fields.minutes, 0, 59), _field(fields.hours, 0, 23), day, _field(rule.months, 1, 12), weekday
    )
    return written if parse_cron(written) == fields else words


def _plain_days(rule: DayRule) -> tuple[str, str]:
    return _field(rule.days, 1, 31), _field(rule.weekdays, 0, 6, WEEKDAYS)


def _joined(*words: str) -> str:
    return " ".join(words)


def _field(bits: int, low: int, high: int, names: tuple[str, ...] = ()) -> str:
    """The values of one field in the shortest usual way: all, every n-th of all or of a range, a range, or a list."""
    values = [value for value in range(low, high + 1) if bits >> value & 1]
    if len(values) == high - low + 1:
        return "*"
    step = values[1] - values[0] if len(values) > 2 and not names else 0
    if step > 1 and values == list(range(values[0], values[-1] + 1, step)):
        return f"*/{step}" if values == list(range(low, high + 1, step)) else f"{values[0]}-{values[-1]}/{step}"
    return ",".join(_runs(values, names))


def _runs(values: list[int], names: tuple[str, ...]) -> list[str]:
    """Values with runs of three and more as ranges."""
    found: list[str] = []
    while values:
        length = next((n for n in range(1, len(values)) if values[n] != values[0] + n), len(values))
        run, values = values[:length], values[length:]
        words = [names[value] if names else str(value) for value in run]
        found += [f"{words[0]}-{words[-1]}"] if length > 2 else words
    return found
