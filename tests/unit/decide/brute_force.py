"""A second evaluator that is slow and plain: it steps through real minutes and looks at the wall clock of zoneinfo.

It shares no code with `controller.decide.cron`: the grammar is expanded into sets, and Debian's rule for changes of the clock is followed
as the daemon does it, minute after minute.
"""

from calendar import monthrange
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

MINUTE = timedelta(minutes=1)
WARM_UP = 26 * 3600
"""Seconds walked before a window, so that the walker knows what the wall clock has shown already."""

LOOK = 6 * 86_400
"""Seconds from one look at a zone's offset to the next; every offset since 1970 lasted longer."""

NOT_ZONES = {"localtime", "Factory", "posixrules"}
"""Files beside the zones that name no place, or the machine's own."""

GAP_MAX = timedelta(hours=3)
NAMES = {
    "month": {n: i + 1 for i, n in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split())},  # noqa: SIM905
    "weekday": {n: i for i, n in enumerate("sun mon tue wed thu fri sat".split())},  # noqa: SIM905
}
FULL = {"minute": (0, 59), "hour": (0, 23), "day": (1, 31), "month": (1, 12), "weekday": (0, 6)}


def number(kind: str, text: str) -> int:
    """One value of a field."""
    return NAMES.get(kind, {}).get(text.lower(), -1) if text.isalpha() else int(text)


def expand(kind: str, text: str) -> set[int]:
    """The values of the plain items of a field."""
    found: set[int] = set()
    for item in text.split(","):
        if item[-1] in "LlWw" or "#" in item:
            continue
        body, _, step = item.partition("/")
        low, high = FULL[kind]
        if body not in "*?":
            first, _, last = body.partition("-")
            low = number(kind, first)
            high = number(kind, last) if last else max(low, high) if step else low
        found |= set(range(low, high + 1)[:: int(step or 1)])
    return {value % 7 for value in found} if kind == "weekday" else found


def last_of(day: date) -> int:
    """The number of the last day of a month."""
    return monthrange(day.year, day.month)[1]


def workday_near(wanted: int, month: date) -> int:
    """The workday of the month that is nearest to one of its days."""
    workdays = [n for n in range(1, last_of(month) + 1) if month.replace(day=n).weekday() < 5]
    return min(workdays, key=lambda n: abs(n - wanted))


def special_day(item: str, day: date) -> bool:
    """Whether a day is meant by L, LW or nW."""
    item = item.upper()
    if item == "L":
        return day.day == last_of(day)
    if item == "LW":
        return day.day == workday_near(last_of(day), day)
    return item.endswith("W") and int(item[:-1]) <= last_of(day) and day.day == workday_near(int(item[:-1]), day)


def special_weekday(item: str, day: date) -> bool:
    """Whether a day is meant by nL or n#k."""
    weekday = day.isoweekday() % 7
    name, mark, nth = item.partition("#")
    if mark:
        return number("weekday", name) % 7 == weekday and (day.day + 6) // 7 == int(nth)
    return item[-1] in "Ll" and number("weekday", item[:-1]) % 7 == weekday and day.day + 7 > last_of(day)


class Walker:
    """Slots of a cron expression, found by walking."""

    def __init__(self, expression: str) -> None:
        self.expression = expression
        self.minute, self.hour, self.day, self.month, self.weekday = expression.split()
        self.minutes, self.hours = expand("minute", self.minute), expand("hour", self.hour)
        self.days, self.months = expand("day", self.day), expand("month", self.month)
        self.weekdays = expand("weekday", self.weekday)
        self.known: dict[date, bool] = {}

    def on_day(self, day: date) -> bool:
        """Whether the expression has slots on a day."""
        if day.month not in self.months:
            return False
        by_day = day.day in self.days or any(special_day(item, day) for item in self.day.split(","))
        by_weekday = day.isoweekday() % 7 in self.weekdays or any(
            special_weekday(i, day) for i in self.weekday.split(",")
        )
        if self.day[0] in "*?" or self.weekday[0] in "*?":
            return by_day and by_weekday
        return by_day or by_weekday

    def matches(self, wall: datetime) -> bool:
        """Whether the expression names this minute of the wall clock."""
        if wall.minute not in self.minutes or wall.hour not in self.hours:
            return False
        day = wall.date()
        if day not in self.known:
            self.known[day] = self.on_day(day)
        return self.known[day]

    def slots(self, zone: str, start: int, end: int) -> list[int]:
        """The slots of [start, end), in seconds since the epoch."""
        if self.minute.startswith("*") or self.hour.startswith("*"):
            return [at for at, wall in walk(zone, start, end) if at >= start and self.matches(wall)]
        return [at for at in self._fixed(zone, start, end) if at >= start]

    def _fixed(self, zone: str, start: int, end: int) -> Iterator[int]:
        shown: datetime | None = None
        for at, wall in walk(zone, start, end):
            if shown is None or wall > shown:
                skipped = wall - shown - MINUTE if shown else timedelta()
                minutes = [wall]
                if skipped <= GAP_MAX:
                    minutes += [wall - MINUTE * n for n in range(1, skipped // MINUTE + 1)]
                if any(self.matches(minute) for minute in minutes):
                    yield at
                shown = wall


@lru_cache(maxsize=4)
def walk(zone: str, start: int, end: int) -> list[tuple[int, datetime]]:
    """Every real minute before ``end`` with its wall clock, from `WARM_UP` before ``start``."""
    place = ZoneInfo(zone)
    first = (start - WARM_UP) // 60 * 60
    return [(at, datetime.fromtimestamp(at, place).replace(tzinfo=None, fold=0)) for at in range(first, end, 60)]


@cache
def changes(zone: str, first_year: int, last_year: int) -> list[int]:
    """The first instants with another offset, found by looking at every sixth day and halving those in which it differs."""
    place = ZoneInfo(zone)

    def offset(at: int) -> timedelta | None:
        return datetime.fromtimestamp(at, place).utcoffset()

    begin = int(datetime(first_year, 1, 1, tzinfo=UTC).timestamp())
    end = int(datetime(last_year + 1, 1, 1, tzinfo=UTC).timestamp())
    looks = [(at, offset(at)) for at in [*range(begin, end, LOOK), end]]
    found: list[int] = []
    for (before, known), (after, now) in pairwise(looks):
        low, high = before, after
        while known != now and high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if offset(middle) == known else (low, middle)
        found += [high] if known != now else []
    return found
