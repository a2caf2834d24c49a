"""The fields of cron and Quartz expressions as plain sets, and which days they mean: read by a second grammar of its own.

It shares no code with `controller.decide`, so that a mistake there is not made here as well.
"""

from calendar import monthrange
from collections.abc import Mapping
from datetime import date

Limits = Mapping[str, tuple[int, int]]

_CRON: Limits = {"minute": (0, 59), "hour": (0, 23), "day": (1, 31), "month": (1, 12), "weekday": (0, 6)}
_QUARTZ: Limits = {**_CRON, "second": (0, 59), "weekday": (1, 7), "year": (1970, 2099)}
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")

EVERY_YEAR = frozenset(range(1969, 2101))


def _last_of(day: date) -> int:
    return monthrange(day.year, day.month)[1]


def _workday_near(wanted: int, month: date) -> int:
    """The workday of the month that is nearest to one of its days."""
    workdays = [n for n in range(1, _last_of(month) + 1) if month.replace(day=n).weekday() < 5]
    return min(workdays, key=lambda n: abs(n - wanted))


def _number(kind: str, text: str, first_weekday: int) -> int:
    if not text.isalpha():
        return int(text)
    words, first = (_MONTHS, 1) if kind == "month" else (_DAYS, first_weekday)
    return words.index(text.lower()) + first


class CronFields:
    """A five-field cron expression: which minutes, and on which days."""

    def __init__(self, expression: str) -> None:
        minute, hour, self._day, month, self._weekday = expression.split()
        self.is_fixed = not minute.startswith("*") and not hour.startswith("*")
        hours, minutes = sorted(self._expand("hour", hour)), sorted(self._expand("minute", minute))
        self.seconds_of_day = [h * 3600 + m * 60 for h in hours for m in minutes]
        self._days, self._months = self._expand("day", self._day), self._expand("month", month)
        self._weekdays = self._expand("weekday", self._weekday)

    def on_day(self, day: date) -> bool:
        """Whether it has slots on a day; Debian's rule for the two day fields."""
        if day.month not in self._months:
            return False
        by_day = day.day in self._days or any(_special_day(item.upper(), day) for item in self._day.split(","))
        by_weekday = day.isoweekday() % 7 in self._weekdays or any(
            _special_weekday(item, day) for item in self._weekday.split(",")
        )
        if self._day[0] in "*?" or self._weekday[0] in "*?":
            return by_day and by_weekday
        return by_day or by_weekday

    @staticmethod
    def _expand(kind: str, text: str) -> set[int]:
        found: set[int] = set()
        for item in text.split(","):
            if item[-1] in "LlWw" or "#" in item:
                continue
            body, _, step = item.partition("/")
            low, high = _CRON[kind]
            if body not in "*?":
                first, _, last = body.partition("-")
                low = _number(kind, first, 0)
                high = _number(kind, last, 0) if last else max(low, high) if step else low
            found.update(range(low, high + 1, int(step or 1)))
        return {value % 7 for value in found} if kind == "weekday" else found


def _special_day(item: str, day: date) -> bool:
    """Whether a day is meant by L, LW or nW."""
    if item == "L":
        return day.day == _last_of(day)
    if item == "LW":
        return day.day == _workday_near(_last_of(day), day)
    return item.endswith("W") and int(item[:-1]) <= _last_of(day) and day.day == _workday_near(int(item[:-1]), day)


def _special_weekday(item: str, day: date) -> bool:
    """Whether a day is meant by nL or n#k."""
    weekday = day.isoweekday() % 7
    name, mark, nth = item.partition("#")
    if mark:
        return _number("weekday", name, 0) % 7 == weekday and (day.day + 6) // 7 == int(nth)
    return item[-1] in "Ll" and _number("weekday", item[:-1], 0) % 7 == weekday and day.day + 7 > _last_of(day)


class QuartzFields:
    """A Quartz expression of six or seven fields: which seconds, and on which days."""

    def __init__(self, expression: str) -> None:
        second, minute, hour, self._day, month, self._weekday, *year = expression.split()
        seconds, minutes, hours = (
            sorted(self._expand(kind, text)) for kind, text in (("second", second), ("minute", minute), ("hour", hour))
        )
        self.seconds_of_day = [h * 3600 + m * 60 + s for h in hours for m in minutes for s in seconds]
        self._months = self._expand("month", month)
        self._years = self._expand("year", year[0]) if year else EVERY_YEAR

    def on_day(self, day: date) -> bool:
        """Whether it has slots on a day."""
        if day.month not in self._months or day.year not in self._years:
            return False
        return self._means_weekday(day) if self._day == "?" else self._means_day(day)

    def _means_day(self, day: date) -> bool:
        text, last = self._day.upper(), _last_of(day)
        if "L" not in text and "W" not in text:
            return day.day in self._expand("day", text)
        wanted = last - int(text.strip("LW").lstrip("-") or 0) if text.startswith("L") else int(text[:-1])
        if not 1 <= wanted <= last:
            return False
        return day.day == (_workday_near(wanted, day) if text.endswith("W") else wanted)

    def _means_weekday(self, day: date) -> bool:
        text, weekday = self._weekday.upper(), day.isoweekday() % 7 + 1
        if text == "L":
            return weekday == 7
        if text.endswith("L"):
            return weekday == _number("weekday", text[:-1], 1) and day.day + 7 > _last_of(day)
        name, mark, nth = text.partition("#")
        if mark:
            return _number("weekday", name, 1) == weekday and (day.day + 6) // 7 == int(nth)
        return weekday in self._expand("weekday", text)

    @staticmethod
    def _expand(kind: str, text: str) -> set[int]:
        """Walk up from the first value, round the end, to the last."""
        low, high = _QUARTZ[kind]
        found: set[int] = set()
        for item in text.split(","):
            body, slash, step = item.partition("/")
            if body in {"*", "", "?"}:
                first, last = low, high
            elif "-" in body:
                first, last = (_number(kind, end, 1) for end in body.split("-"))
            else:
                first = _number(kind, body, 1)
                last = high if slash else first
            value, walked = first, 0
            while True:
                if walked % int(step or 1) == 0:
                    found.add(value)
                if value == last:
                    break
                value, walked = (value + 1 if value < high else low), walked + 1
        return found
