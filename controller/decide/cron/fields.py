"""The cron grammar: five fields of text into sets of bits.

The dialect is Debian's cron with ``start/step``, ``L``, ``LW``, ``nW``, ``n#k``, ``nL`` and ``?``.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

from controller.decide.cron.refusal import CalendarError

EXPRESSION_CHARACTERS_MAX = 1000
"""Far longer than any list of all values; a hostile file costs no time, and no number is too long for ``int``."""

WEEKS_OF_MONTH = 5
"""No weekday comes more often in a month, so ``n#k`` ends at k = 5."""

MACROS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
"""As in Debian's cron; ``@reboot`` and ``@every`` are no calendars."""

_MONTH_NAMES = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_WEEKDAY_NAMES = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_MONTHS = {name: number for number, name in enumerate(_MONTH_NAMES, 1)}
_WEEKDAYS = {name: number for number, name in enumerate(_WEEKDAY_NAMES)}
_DIGITS = re.compile(r"[0-9]+")

_refuse = partial(CalendarError, "cron-syntax")


@dataclass(frozen=True, slots=True)
class DayRule:
    """Which days of a year match; bit n stands for the value n, weekdays count from Sunday = 0.

    Attributes:
        days: days of the month, 1 to 31.
        last_day: ``L``, the last day of the month.
        last_workday: ``LW``, the last day of the month from Monday to Friday.
        near_workdays: ``nW``, the workday nearest to day n and in the same month; none in a month without day n.
        months: 1 to 12.
        weekdays: 0 to 6.
        last_weekdays: ``nL``, the last such weekday of the month.
        nth_weekdays: ``n#k`` as bit 7 * (k - 1) + n.
        both: whether both day fields must match; otherwise one is enough.
    """

    days: int
    last_day: bool
    last_workday: bool
    near_workdays: int
    months: int
    weekdays: int
    last_weekdays: int
    nth_weekdays: int
    both: bool


@dataclass(frozen=True, slots=True)
class CronFields:
    """A parsed expression; equal ones have equal slots in every zone.

    Attributes:
        minutes: bits 0 to 59.
        hours: bits 0 to 23.
        fixed_time: neither the minute nor the hour field starts with ``*``, so a change of the clock neither loses nor doubles a slot.
    """

    minutes: int
    hours: int
    day_rule: DayRule
    fixed_time: bool


@dataclass(frozen=True, slots=True)
class _Field:
    """The values of one field. ``ceiling`` is the last one that may be written, ``end`` the last one of ``start/step``."""

    name: str
    low: int
    end: int
    ceiling: int
    names: dict[str, int]

    def value(self, text: str) -> int:
        if text in self.names:
            return self.names[text]
        if not _DIGITS.fullmatch(text):
            raise _refuse(f"{text[:20]!r} is no value of the {self.name} field; {self._allowed()}")
        if not self.low <= int(text) <= self.ceiling:
            raise _refuse(f"{text[:20]} is out of range for the {self.name} field; {self._allowed()}")
        return int(text)

    def _allowed(self) -> str:
        words = f" or {next(iter(self.names))} to {list(self.names)[-1]}" if self.names else ""
        return f"write {self.low} to {self.ceiling}{words}"

    def plain(self, item: str) -> range:
        """The values of ``*``, ``n``, ``a-b``, each with or without ``/step``."""
        body, slash, step_text = item.partition("/")
        step = self._step(item, step_text) if slash else 1
        if body == "*":
            return range(self.low, self.end + 1, step)
        first_text, dash, last_text = body.partition("-")
        first = self.value(first_text)
        if not dash:
            return range(first, max(first, self.end) + 1 if slash else first + 1, step)
        last = self.value(last_text)
        if last < first:
            raise _refuse(
                f"the range {body} in the {self.name} field runs backwards; write its two halves as a list, "
                f"for example {first_text}-{self.end},{self.low}-{last_text}"
            )
        return range(first, last + 1, step)

    def _step(self, item: str, text: str) -> int:
        if not _DIGITS.fullmatch(text) or int(text) == 0:
            raise _refuse(
                f"the step of {item[:20]!r} in the {self.name} field is no number above zero; write for example */5"
            )
        return int(text)


_MINUTE = _Field("minute", 0, 59, 59, {})
_HOUR = _Field("hour", 0, 23, 23, {})
_DAY = _Field("day-of-month", 1, 31, 31, {})
_MONTH = _Field("month", 1, 12, 12, _MONTHS)
# 7 is Sunday like 0. `start/step` ends with Saturday, as in Kubernetes and Quartz: a week has no eighth day.
_WEEKDAY = _Field("day-of-week", 0, 6, 7, _WEEKDAYS)


def parse_cron(expression: str) -> CronFields:
    """Read a cron expression: five fields or one of `MACROS`, names and letters in either case.

    Raises:
        CalendarError: ``cron-syntax``; the text says what to write instead.
    """
    if len(expression) > EXPRESSION_CHARACTERS_MAX:
        raise _refuse(
            f"the expression is longer than {EXPRESSION_CHARACTERS_MAX} characters; split it into several entries"
        )
    minute, hour, day, month, weekday = _five_fields(expression)
    return CronFields(
        minutes=_plain_bits(minute, _MINUTE),
        hours=_plain_bits(hour, _HOUR),
        day_rule=_day_rule(day, _plain_bits(month, _MONTH), weekday),
        fixed_time=not minute.startswith("*") and not hour.startswith("*"),
    )


def _five_fields(expression: str) -> list[str]:
    words = expression.split()
    if not words:
        raise _refuse("the expression is empty; write five fields: minute hour day-of-month month day-of-week")
    if words[0].startswith("@"):
        return _macro(words)
    if "=" in words[0]:
        raise _refuse(f"{words[0][:40]!r} does not belong into the expression; write the zone as timeZone beside it")
    if len(words) in {6, 7}:
        raise _refuse(
            f"the expression has {len(words)} fields; write five (minute hour day-of-month month day-of-week, no seconds, "
            "no year), or use quartz instead of cron"
        )
    if len(words) != len((_MINUTE, _HOUR, _DAY, _MONTH, _WEEKDAY)):
        raise _refuse(
            f"the expression has {len(words)} field{'s' * (len(words) != 1)}; write five: minute hour day-of-month month day-of-week"
        )
    return [word.upper() for word in words]


def _macro(words: list[str]) -> list[str]:
    name = words[0].lower()
    if name == "@every":
        raise _refuse("@every is no cron calendar; write the entry as every, for example every: 6h")
    if name not in MACROS or len(words) > 1:
        raise _refuse(f"{' '.join(words)[:40]!r} is not known; write one of {', '.join(MACROS)}, or five fields")
    return MACROS[name].split()


def _items(text: str, field: _Field) -> list[str]:
    items = text.split(",")
    if "" in items:
        raise _refuse(f"the {field.name} field {text[:40]!r} has an empty item; write values between the commas")
    return items


def _bits(values: Iterable[int]) -> int:
    bits = 0
    for value in values:
        bits |= 1 << value
    return bits


def _plain_bits(text: str, field: _Field) -> int:
    if text == "*":
        return _bits(range(field.low, field.end + 1))
    return _bits(value for item in _items(text, field) for value in field.plain(item))


def _day_rule(day: str, months: int, weekday: str) -> DayRule:
    day, weekday = _question_mark(day, _DAY), _question_mark(weekday, _WEEKDAY)
    plain_days: list[str] = []
    last_day = last_workday = False
    near_workdays = 0
    for item in _items(day, _DAY):
        if item == "L":
            last_day = True
        elif item == "LW":
            last_workday = True
        elif item.endswith("W"):
            near_workdays |= 1 << _DAY.value(item[:-1])
        elif item.startswith("L"):
            raise _refuse(
                f"{item[:20]!r} is Quartz's; write L for the last day of the month, or use quartz instead of cron"
            )
        else:
            plain_days.append(item)
    plain_weekdays: list[str] = []
    last_weekdays = nth_weekdays = 0
    for item in _items(weekday, _WEEKDAY):
        if item == "L":
            raise _refuse(
                "L alone is no day of the week; write SAT, or for example 5L for the last Friday of the month"
            )
        if item.endswith("L"):
            last_weekdays |= 1 << _WEEKDAY.value(item[:-1]) % 7
        elif "#" in item:
            nth_weekdays |= 1 << _nth_weekday(item)
        else:
            plain_weekdays.append(item)
    return DayRule(
        days=_bits(value for item in plain_days for value in _DAY.plain(item)),
        last_day=last_day,
        last_workday=last_workday,
        near_workdays=near_workdays,
        months=months,
        weekdays=_bits(value % 7 for item in plain_weekdays for value in _WEEKDAY.plain(item)),
        last_weekdays=last_weekdays,
        nth_weekdays=nth_weekdays,
        both=day.startswith("*") or weekday.startswith("*"),
    )


def _question_mark(text: str, field: _Field) -> str:
    if "?" not in text:
        return text
    if text != "?":
        raise _refuse(f"the ? in the {field.name} field {text[:40]!r} must stand alone; write * there")
    return "*"


def _nth_weekday(item: str) -> int:
    name, _, nth = item.partition("#")
    if not _DIGITS.fullmatch(nth) or not 1 <= int(nth) <= WEEKS_OF_MONTH:
        raise _refuse(
            f"{item[:20]!r} counts no weekday; write for example 5#2 for the second Friday of the month, up to #5"
        )
    return 7 * (int(nth) - 1) + _WEEKDAY.value(name) % 7
