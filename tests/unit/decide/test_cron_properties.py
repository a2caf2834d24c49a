"""Promises of cron calendars, and agreement with the walker, on random expressions, zones and windows."""

from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from controller.decide.calendar import Calendar, CalendarError, compile_cron
from tests.unit.decide.brute_force import Walker, changes
from tests.unit.decide.calendar_laws import assert_neighbours

DAY = 86_400
AROUND = 2 * DAY
YEARS = (2000, 2036)
ZONES = (
    "UTC",
    "America/New_York",
    "Europe/Berlin",
    "Pacific/Auckland",
    "America/Havana",
    "America/Sao_Paulo",
    "America/Santiago",
    "Asia/Tehran",
    "Asia/Beirut",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Pacific/Chatham",
    "Pacific/Apia",
    "Antarctica/Troll",
    "Antarctica/Casey",
    "Africa/Cairo",
    "Africa/Casablanca",
    "America/Caracas",
    "Asia/Pyongyang",
    "Europe/Dublin",
)


def plain_fields(low: int, high: int) -> st.SearchStrategy[str]:
    """A field without letters."""
    value = st.integers(low, high)
    step = st.integers(1, high + 2)
    span = st.tuples(value, value).map(sorted)
    item = st.one_of(
        value.map(str),
        span.map(lambda ends: f"{ends[0]}-{ends[1]}"),
        st.builds(lambda ends, n: f"{ends[0]}-{ends[1]}/{n}", span, step),
        st.builds(lambda first, n: f"{first}/{n}", value, step),
    )
    return st.one_of(
        st.just("*"),
        step.map(lambda n: f"*/{n}"),
        item,
        st.lists(st.one_of(item, step.map(lambda n: f"*/{n}")), min_size=2, max_size=3).map(",".join),
    )


DAY_FIELDS = st.one_of(plain_fields(1, 31), st.sampled_from(["L", "LW", "1W", "15W,L", "31W", "?", "1,30W"]))
WEEKDAY_FIELDS = st.one_of(
    plain_fields(0, 6), st.sampled_from(["MON-FRI", "7", "5-7", "5L", "SUN#1", "2#5,3", "0L,1", "?"])
)
DATES = st.tuples(DAY_FIELDS, plain_fields(1, 12), WEEKDAY_FIELDS).map(" ".join)
TIMES = st.tuples(plain_fields(0, 59), st.one_of(plain_fields(0, 23), plain_fields(0, 4))).map(" ".join)
EXPRESSIONS = st.tuples(TIMES, st.one_of(st.just("* * *"), DATES)).map(" ".join)


@cache
def interesting(zone: str) -> list[int]:
    """Instants worth a look: the changes of the clock, or some day."""
    return changes(zone, *YEARS) or [1_700_000_000]


PLACES = st.sampled_from(ZONES).flatmap(lambda zone: st.tuples(st.just(zone), st.sampled_from(interesting(zone))))


def compiled(expression: str, zone: str) -> Calendar:
    """The calendar of an expression that has slots."""
    try:
        return compile_cron(expression, zone)
    except CalendarError as error:
        assume(error.code != "cron-never-fires")
        raise


def stepped(calendar: Calendar, start: int, end: int) -> list[int]:
    """The slots of [start, end), from one to the next."""
    slots: list[int] = []
    slot = calendar.next_after(start - 1)
    while slot is not None and slot < end:
        assert not slots or slot > slots[-1]
        slots.append(slot)
        slot = calendar.next_after(slot)
    return slots


def stepped_back(calendar: Calendar, start: int, end: int) -> list[int]:
    """The same, from the last to the first, in ascending order."""
    slots: list[int] = []
    slot = calendar.previous_at_or_before(end - 1)
    while slot is not None and slot >= start:
        assert not slots or slot < slots[-1]
        slots.append(slot)
        slot = calendar.previous_at_or_before(slot - 1)
    return slots[::-1]


@settings(max_examples=300, derandomize=True, deadline=None)
@given(expression=EXPRESSIONS, place=PLACES, shift=st.integers(-DAY, DAY))
@example(expression="*/30 1 3 11 *", place=("America/New_York", 1_730_613_600), shift=0)
@example(expression="30 12 * * *", place=("Pacific/Apia", 1_325_239_200), shift=0)
def test_slots_are_those_of_the_walker(expression: str, place: tuple[str, int], shift: int) -> None:
    """Around every change of the clock the walker finds the same slots; stepping back and counting agree."""
    zone, change = place
    start, end = change + shift - AROUND, change + shift + AROUND
    calendar = compiled(expression, zone)
    expected = Walker(expression).slots(zone, start, end)
    assert stepped(calendar, start, end) == expected
    assert stepped_back(calendar, start, end) == expected
    assert [calendar.next_after(slot - 1) for slot in expected] == expected
    assert calendar.count_between(start - 1, end - 1) == len(expected)
    assert calendar.smallest_gap(start, end - 1) == min((b - a for a, b in pairwise(expected)), default=None)


@settings(max_examples=300, derandomize=True, deadline=None)
@given(dates=DATES, first=st.dates(date(1970, 1, 2), date(2096, 1, 1)))
def test_days_are_those_of_the_walker(dates: str, first: date) -> None:
    """Over two years the walker finds the same days."""
    walker, days = Walker(f"0 0 {dates}"), [first + timedelta(days=n) for n in range(730)]
    calendar = compiled(f"0 0 {dates}", "UTC")
    start = int(datetime(first.year, first.month, first.day, tzinfo=UTC).timestamp())
    expected = [start + n * DAY for n, day in enumerate(days) if walker.on_day(day)]
    assert stepped(calendar, start, start + len(days) * DAY) == expected
    assert stepped_back(calendar, start, start + len(days) * DAY) == expected
    assert calendar.count_between(start - 1, start + len(days) * DAY - 1) == len(expected)


@settings(max_examples=400, derandomize=True, deadline=None)
@given(
    expression=EXPRESSIONS,
    place=PLACES,
    shifts=st.lists(st.integers(-3 * DAY, 3 * DAY), min_size=2, max_size=2),
)
def test_an_instant_lies_between_its_neighbours(expression: str, place: tuple[str, int], shifts: list[int]) -> None:
    """prev(next(t)) is next(t), prev(next(t) - 1) <= t < next(t), and counts of adjoining ranges add up."""
    calendar = compiled(expression, place[0])
    at, later = sorted(place[1] + shift for shift in shifts)
    assert_neighbours(calendar, at, later)


@settings(max_examples=25, derandomize=True, deadline=None)
@given(expression=EXPRESSIONS, place=PLACES)
def test_a_year_is_counted_as_it_is_stepped(expression: str, place: tuple[str, int]) -> None:
    """The count by arithmetic and the smallest distance are those of every slot of the year, one by one."""
    calendar, start = compiled(expression, place[0]), place[1] - 100 * DAY
    slots = stepped(calendar, start, start + 365 * DAY)
    assert calendar.count_between(start - 1, start + 365 * DAY - 1) == len(slots)
    assert calendar.smallest_gap(start, start + 365 * DAY - 1) == min((b - a for a, b in pairwise(slots)), default=None)


Change = tuple[int, timedelta | None, timedelta | None]
"""When the clock changes, and the offsets before and after; zones that agree in it show the same wall clock for days around it."""


def change_of(zone: str, at: int) -> Change:
    """What a zone does at the first second with another offset."""
    place = ZoneInfo(zone)
    return at, datetime.fromtimestamp(at - 1, place).utcoffset(), datetime.fromtimestamp(at, place).utcoffset()


def changing(year: int) -> dict[Change, list[str]]:
    """The zones of every change of the clock in a year."""
    found: dict[Change, list[str]] = {}
    for zone in sorted(available_timezones() - {"localtime"}):
        for change in changes(zone, year, year):
            found.setdefault(change_of(zone, change), []).append(zone)
    return found


def test_every_zone_of_2026_agrees_with_the_walker() -> None:
    """Within two days of every change of the clock in 2026, in every zone that has one."""
    walkers = [Walker(text) for text in ("*/20 * * * *", "17 * * * *", "30 0-3 * * *", "5 2 * * *", "*/15 1 * * SUN")]
    wrong, asked = [], 0
    for (change, *_), zones in changing(2026).items():
        start, end = change - AROUND, change + AROUND
        for walker in walkers:
            expected = walker.slots(zones[0], start, end)
            for zone in zones:
                calendar, asked = compile_cron(walker.expression, zone), asked + 1
                if stepped(calendar, start, end) != expected or calendar.count_between(start - 1, end - 1) != len(
                    expected
                ):
                    wrong.append((zone, change, walker.expression))
    assert wrong == []
    assert asked > 1000
