"""A second Quartz evaluator that is slow and plain: it steps through real seconds and looks at the wall clock of zoneinfo.

It shares no code with `controller.decide.quartz`: fields are expanded into sets, days are looked up in Python's calendar, and of the
seconds that show the same wall time only the last one counts.
"""

from calendar import monthrange
from datetime import date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

AFTERWARDS = 4 * 3600
"""Seconds walked behind a window, more than the clock is ever set back: one of them may show the same wall time again."""

LIMITS = {"second": (0, 59), "minute": (0, 59), "hour": (0, 23), "day": (1, 31), "month": (1, 12), "weekday": (1, 7)}
LIMITS["year"] = (1970, 2099)
WORDS = {
    "month": "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split(),  # noqa: SIM905
    "weekday": "SUN MON TUE WED THU FRI SAT".split(),  # noqa: SIM905
}


def number(kind: str, text: str) -> int:
    """One value of a field."""
    return WORDS[kind].index(text.upper()) + 1 if text.isalpha() else int(text)


def expand(kind: str, text: str) -> set[int]:
    """The values of a field without special letters: walk up from the first value, round the end, to the last."""
    low, high = LIMITS[kind]
    found: set[int] = set()
    for item in text.split(","):
        body, slash, step = item.partition("/")
        if body in {"*", ""}:
            first, last = low, high
        elif "-" in body:
            first, last = (number(kind, end) for end in body.split("-"))
        else:
            first = number(kind, body)
            last = high if slash else first
        value, walked = first, 0
        while True:
            if walked % int(step or 1) == 0:
                found.add(value)
            if value == last:
                break
            value, walked = (value + 1 if value < high else low), walked + 1
    return found


def meant(text: str, day: date) -> bool:
    """Whether the day-of-month field means a day."""
    last = monthrange(day.year, day.month)[1]
    if "L" not in text.upper() and "W" not in text.upper():
        return day.day in expand("day", text)
    text = text.upper()
    wanted = last - int(text.strip("LW").lstrip("-") or 0) if text.startswith("L") else int(text[:-1])
    if not 1 <= wanted <= last:
        return False
    if not text.endswith("W"):
        return day.day == wanted
    workdays = [n for n in range(1, last + 1) if day.replace(day=n).weekday() < 5]
    return day.day == min(workdays, key=lambda n: abs(n - wanted))


def meant_weekday(text: str, day: date) -> bool:
    """Whether the day-of-week field means a day."""
    text, weekday = text.upper(), day.isoweekday() % 7 + 1
    if text == "L":
        return weekday == 7
    if text.endswith("L"):
        return weekday == number("weekday", text[:-1]) and day.day + 7 > monthrange(day.year, day.month)[1]
    name, mark, nth = text.partition("#")
    if mark:
        return weekday == number("weekday", name) and (day.day + 6) // 7 == int(nth)
    return weekday in expand("weekday", text)


class Stepper:
    """Slots of a Quartz expression, found by stepping."""

    def __init__(self, expression: str) -> None:
        self.expression = expression
        second, minute, hour, self.day, month, self.weekday, *year = expression.split()
        self.seconds, self.minutes, self.hours = (
            expand("second", second),
            expand("minute", minute),
            expand("hour", hour),
        )
        self.months = expand("month", month)
        self.years = expand("year", year[0]) if year else set(range(1969, 2101))
        self.known: dict[date, bool] = {}

    def on_day(self, day: date) -> bool:
        """Whether the expression has slots on a day."""
        if day.month not in self.months or day.year not in self.years:
            return False
        return meant_weekday(self.weekday, day) if self.day == "?" else meant(self.day, day)

    def matches(self, wall: datetime) -> bool:
        """Whether the expression names this second of the wall clock."""
        if wall.second not in self.seconds or wall.minute not in self.minutes or wall.hour not in self.hours:
            return False
        day = wall.date()
        if day not in self.known:
            self.known[day] = self.on_day(day)
        return self.known[day]

    def slots(self, zone: str, start: int, end: int) -> list[int]:
        """The slots of [start, end), in seconds since the epoch."""
        return [at for at, wall in shown_last(zone, start, end) if self.matches(wall)]


@lru_cache(maxsize=8)
def shown_last(zone: str, start: int, end: int) -> list[tuple[int, datetime]]:
    """Every real second of [start, end) whose wall time is not shown again later, with that wall time."""
    place = ZoneInfo(zone)
    walls = {
        datetime.fromtimestamp(at, place).replace(tzinfo=None, fold=0): at for at in range(start, end + AFTERWARDS)
    }
    return sorted((at, wall) for wall, at in walls.items() if at < end)
