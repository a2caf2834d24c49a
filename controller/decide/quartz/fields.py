"""The Quartz grammar: six or seven fields of text, seconds first, into sets of bits.

It is Quartz 2.3's (Airbyte's) dialect, never a translation into cron: weekdays count from Sunday = 1, ranges wrap, exactly one day field
is ``?``. What Quartz takes and then ignores (a step after a name, an item beside ``W`` or ``#``) is refused, because what it means there
is not what it says.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from controller.decide.cron.fields import EXPRESSION_CHARACTERS_MAX, WEEKS_OF_MONTH
from controller.decide.cron.refusal import CalendarError

YEARS = (1970, 2099)
"""What may be written in the year field; without it every year counts."""

OFFSET_MAX = 30
"""``L-30`` is the first day of a month of 31 days."""

FIELDS = "second minute hour day-of-month month day-of-week, and a year if wanted"
ITEM_SHOWN = 20


class QuartzError(CalendarError):
    """A Quartz expression that cannot be used."""

    def __init__(self, code: Literal["quartz-syntax", "quartz-never-fires"], sentence: str) -> None:
        super().__init__("cron-syntax", sentence)
        self.code = code


def _refuse(sentence: str) -> QuartzError:
    return QuartzError("quartz-syntax", sentence)


@dataclass(frozen=True, slots=True)
class QuartzDays:
    """Which days of a year match; bit n stands for the value n, weekdays count from Sunday = 0 here.

    Attributes:
        months: 1 to 12.
        days: days of the month, 1 to 31.
        before_last: ``L`` = 0, ``L-n`` = n days before the last day of the month.
        workday: ``W``: instead of that one day the workday nearest to it in the same month; none in a month without that day.
        weekdays: 0 to 6.
        nth: ``n#k``: only the k-th of the month; 0 = every one.
        last: ``nL``: only the last of the month.
    """

    months: int
    days: int = 0
    before_last: int | None = None
    workday: bool = False
    weekdays: int = 0
    nth: int = 0
    last: bool = False


@dataclass(frozen=True, slots=True)
class QuartzFields:
    """A parsed expression; equal ones have equal slots in every zone.

    Attributes:
        seconds: bits 0 to 59.
        minutes: bits 0 to 59.
        hours: bits 0 to 23.
        day_rule: which days of a year.
        years: bit n is the year 1970 + n; None = every year.
    """

    seconds: int
    minutes: int
    hours: int
    day_rule: QuartzDays
    years: int | None


@dataclass(frozen=True, slots=True)
class _Field:
    """The values of one field; ``step_max`` is Quartz's longest step after ``*`` or a single value."""

    name: str
    low: int
    high: int
    step_max: int
    names: dict[str, int] = field(default_factory=dict)
    wraps: bool = True

    def value(self, text: str) -> int:
        if text in self.names:
            return self.names[text]
        if not re.fullmatch(r"[0-9]+", text):
            raise _refuse(f"{text[:ITEM_SHOWN]!r} is no value of the {self.name} field; {self._allowed()}")
        if not self.low <= int(text) <= self.high:
            hint = " (Quartz counts from Sunday = 1)" if self is _WEEKDAY else ""
            raise _refuse(
                f"{text[:ITEM_SHOWN]} is out of range for the {self.name} field; {self._allowed()}{hint}, no other number"
            )
        return int(text)

    def _allowed(self) -> str:
        words = f" or {next(iter(self.names))} to {list(self.names)[-1]}" if self.names else ""
        return f"write {self.low} to {self.high}{words}"

    def plain(self, item: str) -> Iterable[int]:
        """The values of ``*``, ``n``, ``a-b``, with or without ``/step``, and of ``/step``."""
        body, slash, step_text = item.partition("/")
        step = self._step(item, step_text) if slash else 1
        if body == "*" or (slash and not body):
            self._check_step(item, step)
            return range(self.low, self.high + 1, step)
        first_text, dash, last_text = body.partition("-")
        first = self.value(first_text)
        if slash and (first_text in self.names or last_text in self.names):
            raise _refuse(
                f"Quartz ignores the step in {item[:ITEM_SHOWN]!r}; write the {self.name} field in numbers, {first}/{step} for example"
            )
        if not dash:
            self._check_step(item, step)
            return range(first, self.high + 1, step) if slash else (first,)
        last = self.value(last_text)
        if (first_text in self.names) != (last_text in self.names):
            raise _refuse(
                f"the range {body} mixes a name and a number, which Quartz refuses; write both in the same way"
            )
        if last >= first:
            return range(first, last + 1, step)
        if not self.wraps:
            raise _refuse(f"the range {body} in the {self.name} field runs backwards; write {last_text}-{first_text}")
        cycle = self.high - self.low + 1
        return ((n - self.low) % cycle + self.low for n in range(first, last + cycle + 1, step))

    def _step(self, item: str, text: str) -> int:
        if not re.fullmatch(r"[0-9]+", text) or int(text) == 0:
            raise _refuse(
                f"the step of {item[:ITEM_SHOWN]!r} in the {self.name} field is no number above zero; write for example */5"
            )
        return int(text)

    def _check_step(self, item: str, step: int) -> None:
        if step > self.step_max:
            raise _refuse(
                f"the step of {item[:ITEM_SHOWN]!r} is longer than the {self.name} field; write at most {self.step_max}"
            )

    def bits(self, text: str) -> int:
        """All values of a list of plain items."""
        found = 0
        for item in text.split(","):
            if not item:
                raise _refuse(f"the {self.name} field {text[:40]!r} has an empty item; write values between the commas")
            if "?" in item:
                raise _refuse(
                    f"the ? in the {self.name} field {text[:40]!r} means nothing; write * or a value (only one whole day field is ?)"
                )
            for value in self.plain(item):
                found |= 1 << value
        return found


_MONTH_NAMES = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_WEEKDAY_NAMES = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_SECOND = _Field("second", 0, 59, 59)
_MINUTE = _Field("minute", 0, 59, 59)
_HOUR = _Field("hour", 0, 23, 23)
_DAY = _Field("day-of-month", 1, 31, 31)
_MONTH = _Field("month", 1, 12, 12, {name: number for number, name in enumerate(_MONTH_NAMES, 1)})
_WEEKDAY = _Field("day-of-week", 1, 7, 7, {name: number for number, name in enumerate(_WEEKDAY_NAMES, 1)})
_YEAR = _Field("year", *YEARS, YEARS[1] - YEARS[0], wraps=False)
_ZONE = re.compile(r"(?:UTC|GMT|Z|[A-Z]+DT|[EMH]ST)|[A-Z][A-Z_]+(?:/[A-Z][A-Z0-9_+-]*)+")
_FIVE, _SIX, _SEVEN = 5, 6, 7


def parse_quartz(expression: str) -> QuartzFields:
    """Read a Quartz expression, names and letters in either case.

    Raises:
        QuartzError: ``quartz-syntax``; the text says what to write instead.
    """
    if len(expression) > EXPRESSION_CHARACTERS_MAX:
        raise _refuse(
            f"the expression is longer than {EXPRESSION_CHARACTERS_MAX} characters; split it into several entries"
        )
    second, minute, hour, day, month, weekday, *year = _words(expression)
    return QuartzFields(
        seconds=_SECOND.bits(second),
        minutes=_MINUTE.bits(minute),
        hours=_HOUR.bits(hour),
        day_rule=_day_rule(day, _MONTH.bits(month), weekday),
        years=_YEAR.bits(year[0]) >> YEARS[0] if year and year[0] != "*" else None,
    )


def _words(expression: str) -> list[str]:
    written = expression.split()
    words = [word.upper() for word in written]
    if not words:
        raise _refuse(f"the expression is empty; write six or seven fields: {FIELDS}")
    if words[0].startswith("@"):
        raise _refuse(f"{written[0][:40]!r} is no Quartz expression; write it as cron, or write six fields: {FIELDS}")
    zone = next((n for n in (0, len(words) - 1) if _is_zone(words[n], n)), None)
    if zone is not None:
        raise _refuse(
            f"{written[zone][:40]!r} does not belong into the expression; write the zone as timeZone beside it"
        )
    if len(words) == _FIVE:
        raise _refuse(f"the expression has five fields; write it as cron, or put the second before it: {FIELDS}")
    if len(words) not in {_SIX, _SEVEN}:
        fields = f"{len(words)} field{'s' * (len(words) != 1)}"
        raise _refuse(f"the expression has {fields}; write six or seven: {FIELDS}")
    return words


def _is_zone(word: str, place: int) -> bool:
    """Whether a word names a time zone; no field after the day of the week holds letters."""
    named = word.partition("/")[0] in _WEEKDAY.names
    return "=" in word or (bool(_ZONE.fullmatch(word)) and not named) or (place >= _SIX and word[0].isalpha())


def _day_rule(day: str, months: int, weekday: str) -> QuartzDays:
    if (day == "?") == (weekday == "?"):
        both = "are ?; write * or values in one of them" if day == "?" else "are restricted; write ? in one of them"
        raise _refuse(
            f"day-of-month {day[:ITEM_SHOWN]!r} and day-of-week {weekday[:ITEM_SHOWN]!r} both {both}"
            f"{'' if day == '?' else ', and two entries where either day counts'}"
        )
    return _by_day(day, months) if weekday == "?" else _by_weekday(weekday, months)


def _by_day(text: str, months: int) -> QuartzDays:
    if not re.search("[LW]", text):
        return QuartzDays(months, days=_DAY.bits(text))
    _alone(text, _DAY)
    workday = text.endswith("W")
    if not text.startswith("L"):
        if not workday:
            raise _refuse(f"{text[:ITEM_SHOWN]!r} is no day of the month; write L, L-3, LW or 15W")
        return QuartzDays(months, days=1 << _DAY.value(text[:-1]), workday=True)
    found = re.fullmatch(r"L(?:-([0-9]+))?W?", text)
    if found is None:
        raise _refuse(f"{text[:ITEM_SHOWN]!r} is no day of the month; write L, L-3, LW or 15W")
    before_last = int(found[1] or 0)
    if before_last > OFFSET_MAX:
        raise _refuse(f"{text[:ITEM_SHOWN]!r} lies before every month; write at most L-{OFFSET_MAX}")
    return QuartzDays(months, before_last=before_last, workday=workday)


def _by_weekday(text: str, months: int) -> QuartzDays:
    if text == "L":
        return QuartzDays(months, weekdays=1 << _WEEKDAY.high - 1)
    if text.endswith("L"):
        _alone(text, _WEEKDAY)
        return QuartzDays(months, weekdays=1 << _WEEKDAY.value(text[:-1]) - 1, last=True)
    if "#" in text:
        _alone(text, _WEEKDAY)
        name, _, nth = text.partition("#")
        if not re.fullmatch(r"[0-9]+", nth) or not 1 <= int(nth) <= WEEKS_OF_MONTH:
            raise _refuse(
                f"{text[:ITEM_SHOWN]!r} counts no weekday; write for example 6#2 for the second Friday of the month, up to #5"
            )
        return QuartzDays(months, weekdays=1 << _WEEKDAY.value(name) - 1, nth=int(nth))
    if re.search("L(,|$)", text):
        _alone(text, _WEEKDAY)
    return QuartzDays(months, weekdays=_WEEKDAY.bits(text) >> 1)


def _alone(text: str, of: _Field) -> None:
    if "," in text:
        raise _refuse(
            f"L, W and # stand alone in Quartz, so the {of.name} field cannot be {text[:40]!r}; write its items as entries of their own"
        )
