"""Quartz expressions as the API takes them: six or seven fields, seconds first, with a time zone behind them if somebody wrote one."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from apscheduler.triggers.cron import CronTrigger

EXPRESSION_LENGTH_MAX = 512
YEARS = (1970, 2099)
FIELDS = "second minute hour day-of-month month day-of-week, and a year if wanted"
WEEKS = ("1st", "2nd", "3rd", "4th", "5th")
_FIELDS_MIN, _FIELDS_MAX = 6, 7
_BEGIN = datetime(YEARS[0], 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Field:
    """The values of one field, and how the trigger calls them, where it does not call them the same."""

    name: str
    low: int
    high: int
    words: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()

    def value(self, text: str) -> int:
        if text in self.words:
            return self.low + self.words.index(text)
        if not (text.isascii() and text.isdecimal()) or not self.low <= int(text[:9]) <= self.high:
            raise ValueError(f"{text[:20]!r} is no value of its {self.name} field; write {self.low} to {self.high}")
        return int(text)

    def values(self, text: str) -> list[int]:
        """Every value of a list of ``*``, ``n``, ``a-b``, each with a step if wanted; a range may run over the end."""
        found: set[int] = set()
        for item in text.split(","):
            body, slash, step_text = item.partition("/")
            step = self._step(item, step_text) if slash else 1
            first, last = self._range(body, is_open=bool(slash))
            cycle = self.high - self.low + 1
            stop = last if last >= first else last + cycle
            found.update((each - self.low) % cycle + self.low for each in range(first, stop + 1, step))
        return sorted(found)

    def _range(self, body: str, *, is_open: bool) -> tuple[int, int]:
        if body == "*" or (is_open and not body):
            return self.low, self.high
        if is_open and any(word in body for word in self.words):
            raise ValueError(
                f"Quartz ignores a step after the name in {body[:20]!r}; write its {self.name} field in numbers"
            )
        first_text, dash, last_text = body.partition("-")
        first = self.value(first_text)
        if dash:
            return first, self.value(last_text)
        return first, self.high if is_open else first

    def _step(self, item: str, text: str) -> int:
        if not (text.isascii() and text.isdecimal()) or not 1 <= int(text[:9]) <= self.high:
            raise ValueError(f"the step of {item[:20]!r} in its {self.name} field is no number from 1 to {self.high}")
        return int(text)

    def expression(self, text: str) -> str:
        """The field as the trigger reads it."""
        if text == "*":
            return text
        return ",".join(self.shown[value - self.low] if self.shown else str(value) for value in self.values(text))


_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_DAYS_SHOWN = tuple(day.lower() for day in _WEEKDAYS)
_SECOND, _MINUTE, _HOUR = _Field("second", 0, 59), _Field("minute", 0, 59), _Field("hour", 0, 23)
_DAY, _MONTH = _Field("day-of-month", 1, 31), _Field("month", 1, 12, _MONTHS)
# Quartz counts from Sunday = 1, the trigger from Monday = 0: only names mean the same to both.
_WEEKDAY = _Field("day-of-week", 1, 7, _WEEKDAYS, _DAYS_SHOWN)
_YEAR = _Field("year", *YEARS)


@dataclass(frozen=True, slots=True)
class Quartz:
    """An expression that fires; ``text`` is how it is shown: single blanks, upper case, the zone behind it."""

    text: str
    zone: ZoneInfo
    trigger: Any = field(compare=False, repr=False)

    def next_after(self, at: datetime) -> datetime | None:
        """The first tick later than an instant (aware); None when there is none before 2100."""
        # The trigger answers "at or after", in whole seconds.
        found = self.trigger.get_next_fire_time(None, at.astimezone(self.zone))
        while found is not None and found.astimezone(UTC) <= at:
            found = self.trigger.get_next_fire_time(found, found)
        return None if found is None else found.astimezone(UTC)


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


@lru_cache(maxsize=4_096)
def parse_quartz(text: str) -> Quartz:
    """Read an expression.

    Raises:
        ValueError: it is none, or never fires; the text says what to write instead.
    """
    if len(text) > EXPRESSION_LENGTH_MAX:
        raise ValueError(f"the expression is longer than {EXPRESSION_LENGTH_MAX} characters")
    words, zone = _split(text)
    if len(words) not in (_FIELDS_MIN, _FIELDS_MAX):
        raise ValueError(f"the expression has {len(words)} fields; Quartz has six or seven: {FIELDS}")
    second, minute, hour, day, month, weekday, *year = words
    day, weekday = _days(day, weekday)
    trigger = CronTrigger(
        year=_year(year[0] if year else "*"),
        month=_MONTH.expression(month),
        day=day,
        day_of_week=weekday,
        hour=_HOUR.expression(hour),
        minute=_MINUTE.expression(minute),
        second=_SECOND.expression(second),
        timezone=zone,
    )
    read = Quartz(" ".join([*words, zone.key]), zone, trigger)
    if read.next_after(_BEGIN) is None:
        raise ValueError("the expression names no day that ever comes")
    return read


def _split(text: str) -> tuple[list[str], ZoneInfo]:
    words = text.split()
    name = words[-1] if words else ""
    if name.upper() in ("UTC", "Z"):
        return [word.upper() for word in words[:-1]], ZoneInfo("UTC")
    if name in _zones():
        return [word.upper() for word in words[:-1]], ZoneInfo(name)
    if len(words) >= _FIELDS_MIN and name[:1].isalpha() and "/" in name and name.upper()[:3] not in _WEEKDAYS:
        raise ValueError(f"there is no time zone {name[:60]!r}; write an IANA name such as Europe/Zurich")
    return [word.upper() for word in words], ZoneInfo("UTC")


def _days(day: str, weekday: str) -> tuple[str, str]:
    """Both day fields as the trigger reads them; of Quartz's two exactly one is ``?``."""
    if (day == "?") == (weekday == "?"):
        raise ValueError("exactly one of day-of-month and day-of-week must be ?")
    if weekday == "?":
        if day == "L":
            return "last", "*"
        if "L" in day or "W" in day:
            raise ValueError(f"{day[:20]!r}: of L, L-3, LW and 15W this platform takes only L as day-of-month")
        return _DAY.expression(day), "*"
    if weekday == "L":
        return "*", "sat"
    if weekday.endswith("L") and "," not in weekday:
        return f"last {_day_word(weekday[:-1])}", "*"
    if "#" in weekday:
        name, _, nth = weekday.partition("#")
        if nth not in ("1", "2", "3", "4", "5"):
            raise ValueError(f"{weekday[:20]!r} counts no weekday; write for example 6#2 for the second Friday")
        return f"{WEEKS[int(nth) - 1]} {_day_word(name)}", "*"
    return "*", _WEEKDAY.expression(weekday)


def _day_word(text: str) -> str:
    return _DAYS_SHOWN[_WEEKDAY.value(text) - _WEEKDAY.low]


def _year(text: str) -> str:
    # The trigger's own years have no end worth waiting for.
    return f"{YEARS[0]}-{YEARS[1]}" if text == "*" else _YEAR.expression(text)
