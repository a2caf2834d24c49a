"""Slots of Quartz expressions: changes of the clock (``scheduling.md``, finding 1), days, and agreement with the stepper."""

from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from controller.decide.calendar import Calendar, CalendarError, compile_quartz, union
from controller.decide.cron.zone import BEGIN, END, NOT_ZONES, segments_of
from tests.unit.decide.brute_force import changes
from tests.unit.decide.calendar_laws import assert_neighbours, walked
from tests.unit.decide.quartz_brute_force import Stepper

HOUR, DAY = 3600, 86_400
NEW_YORK, LORD_HOWE = "America/New_York", "Australia/Lord_Howe"


def instant(text: str) -> int:
    """Seconds since the epoch of a time with its offset."""
    return int(datetime.fromisoformat(text).timestamp())


CLOCK = {
    "a time in the gap is lost": (
        ("0 30 2 * * ?", NEW_YORK, "2024-03-09T00:00-05:00", "2024-03-12T00:00-04:00"),
        ["03-09 02:30:00 -0500", "03-11 02:30:00 -0400"],
    ),
    "the repeated time fires in its second copy only": (
        ("0 30 1 * * ?", NEW_YORK, "2024-11-02T12:00-04:00", "2024-11-05T00:00-05:00"),
        ["11-03 01:30:00 -0500", "11-04 01:30:00 -0500"],
    ),
    "asked from the first copy it is still the second": (
        ("0 30 1 * * ?", NEW_YORK, "2024-11-03T01:40-04:00", "2024-11-04T00:00-05:00"),
        ["11-03 01:30:00 -0500"],
    ),
    "every hour is silent for the first copy of the repeated one": (
        ("0 0 * * * ?", NEW_YORK, "2024-11-03T00:00-04:00", "2024-11-03T02:30-05:00"),
        ["11-03 00:00:00 -0400", "11-03 01:00:00 -0500", "11-03 02:00:00 -0500"],
    ),
    "the last second before the repeated hour and the first one that counts in it": (
        ("0,59 0,59 * * * ?", NEW_YORK, "2024-11-03T00:59:01-04:00", "2024-11-03T01:00:30-05:00"),
        ["11-03 00:59:59 -0400", "11-03 01:00:00 -0500"],
    ),
    "the last second before the gap and the first one after it": (
        ("0,59 0,59 * * * ?", NEW_YORK, "2024-03-10T01:59:01-05:00", "2024-03-10T03:00:30-04:00"),
        ["03-10 01:59:59 -0500", "03-10 03:00:00 -0400"],
    ),
    "half an hour is repeated (Lord Howe)": (
        ("0 */20 1 7 4 ?", LORD_HOWE, "2024-04-07T00:00+11:00", "2024-04-08T00:00+10:30"),
        ["04-07 01:00:00 +1100", "04-07 01:20:00 +1100", "04-07 01:40:00 +1030"],
    ),
    "half an hour is lost (Lord Howe)": (
        ("0 */10 2 6 10 ?", LORD_HOWE, "2024-10-06T00:00+10:30", "2024-10-07T00:00+11:00"),
        ["10-06 02:30:00 +1100", "10-06 02:40:00 +1100", "10-06 02:50:00 +1100"],
    ),
    "a day that did not exist is lost (Apia)": (
        ("0 0 12 * * ?", "Pacific/Apia", "2011-12-29T00:00-10:00", "2011-12-31T23:00+14:00"),
        ["12-29 12:00:00 -1000", "12-31 12:00:00 +1400"],
    ),
    "a skipped midnight is lost (Havana)": (
        ("0 0 0 * * ?", "America/Havana", "2024-03-09T12:00-05:00", "2024-03-11T12:00-04:00"),
        ["03-11 00:00:00 -0400"],
    ),
}


@pytest.mark.parametrize(("asked", "expected"), CLOCK.values(), ids=CLOCK.keys())
def test_slots_around_a_change_of_the_clock(asked: tuple[str, str, str, str], expected: list[str]) -> None:
    """Lost in the gap, the second of two copies; the case's name is its rule."""
    expression, zone, start, end = asked
    found = walked(compile_quartz(expression, zone), instant(start), instant(end))
    assert [datetime.fromtimestamp(at, ZoneInfo(zone)).strftime("%m-%d %H:%M:%S %z") for at in found] == expected


DAYS = {
    "the last day": ("L * ?", ["01-31", "02-29", "03-31", "04-30"]),
    "three days before the last": ("L-3 * ?", ["01-28", "02-26", "03-28"]),
    "29 days before the last, where there is such a day": ("L-29 * ?", ["01-02", "03-02", "04-01", "05-02"]),
    "the last workday": ("LW * ?", ["01-31", "02-29", "03-29"]),
    "the workday nearest to two days before the last": ("L-2W * ?", ["01-29", "02-27", "03-29"]),
    "the workday nearest to the 1st stays in the month": ("1W 5-6,9 ?", ["05-01", "06-03", "09-02"]),
    "the workday nearest to the 30th stays in the month": ("30W 3-6 ?", ["03-29", "04-30", "05-30", "06-28"]),
    "the workday nearest to the 15th": ("15W 6,9,10 ?", ["06-14", "09-16", "10-15"]),
    "no workday nearest to a day that the month has not": ("31W 2-5 ?", ["03-29", "05-31"]),
    "every Saturday": ("? 2 L", ["02-03", "02-10", "02-17", "02-24"]),
    "the last Friday": ("? 1-5 6L", ["01-26", "02-23", "03-29", "04-26", "05-31"]),
    "the third Friday": ("? 1-3 6#3", ["01-19", "02-16", "03-15"]),
    "a fifth Thursday": ("? * THU#5", ["02-29", "05-30", "08-29", "10-31"]),
    "from Friday round to Tuesday": ("? 1 FRI-TUE", ["01-01", "01-02", "01-05", "01-06", "01-07", "01-08", "01-09"]),
    "from November round to February": ("1 NOV-FEB ?", ["01-01", "02-01", "11-01", "12-01"]),
    "1 is Sunday": ("? 1 1", ["01-07", "01-14", "01-21", "01-28"]),
    "in this year only": ("29 2 ? 2024-2027", ["02-29"]),
}


@pytest.mark.parametrize(("dates", "expected"), DAYS.values(), ids=DAYS.keys())
def test_days_of_2024(dates: str, expected: list[str]) -> None:
    """The first days of 2024 that the expression means; the case's name is its rule."""
    found = walked(
        compile_quartz(f"0 0 0 {dates}"), instant("2024-01-01T00:00+00:00"), instant("2025-01-01T00:00+00:00")
    )
    assert [f"{datetime.fromtimestamp(at, UTC):%m-%d}" for at in found][: len(expected)] == expected


def test_a_year_ends_the_slots() -> None:
    """Years are those of the wall clock in the zone."""
    calendar = compile_quartz("0 0 0 1 1 ? 2030", "Pacific/Auckland")
    only = instant("2030-01-01T00:00+13:00")
    assert (calendar.next_after(BEGIN), calendar.next_after(only)) == (only, None)
    assert (calendar.previous_at_or_before(END), calendar.previous_at_or_before(only - 1)) == (only, None)
    assert calendar.count_between(-(10**12), 10**12) == 1


def test_nothing_lies_before_1970_or_from_2100_on() -> None:
    """Searches end: before 1970 and from 2100 on there are no slots, and every second between them is counted."""
    for zone in ("UTC", "Asia/Tokyo", "Pacific/Honolulu"):
        calendar = compile_quartz("* * * * * ?", zone)
        assert (calendar.previous_at_or_before(-1), calendar.next_after(END - 1)) == (None, None)
        assert (calendar.next_after(-(10**12)), calendar.previous_at_or_before(10**12)) == (BEGIN, END - 1)
        repeated = sum(max(0, a - b) for a, b in pairwise(segments_of(zone).offsets))
        assert calendar.count_between(-(10**12), 10**12) == END - repeated


def test_quartz_joins_a_union() -> None:
    """Quartz and other calendars are of one kind; equal instants are one slot."""
    both = union([compile_quartz("0 0 6 ? * MON-FRI"), compile_quartz("30 0 6 * * ?")])
    assert len(walked(both, instant("2024-01-01T00:00+00:00"), instant("2024-01-08T00:00+00:00"))) == 5 + 7


def test_runs_of_a_zone_begin_ever_later_on_the_wall() -> None:
    """The evaluator's premise: no zone is set back by more than its run lasts (every twentieth zone here, to save time)."""
    for zone in sorted(available_timezones() - NOT_ZONES)[::20]:
        assert all(a < b for a, b in pairwise(segments_of(zone).wall_lows)), zone


def plain(kind: str, low: int, high: int) -> st.SearchStrategy[str]:
    """A field without letters; ranges may run backwards."""
    value, step = st.integers(low, high), st.integers(1, 7 if kind == "weekday" else 12)
    item = st.one_of(
        value.map(str),
        st.builds(lambda a, b: f"{a}-{b}", value, value),
        st.builds(lambda a, b, n: f"{a}-{b}/{n}", value, value, step),
        st.builds(lambda first, n: f"{first}/{n}", value, step),
        step.map(lambda n: f"*/{n}"),
    )
    return st.one_of(st.just("*"), item, st.lists(item, min_size=2, max_size=3).map(",".join))


SPECIAL_DAYS = ["L", "LW", "L-3", "L-30", "L-1W", "1W", "15W", "30W", "31W"]
SPECIAL_WEEKDAYS = ["L", "6L", "SUNL", "6#3", "MON#5", "FRI-TUE", "mon,WED"]
DATES = st.one_of(
    st.tuples(
        st.one_of(plain("day", 1, 31), st.sampled_from(SPECIAL_DAYS)),
        st.one_of(plain("month", 1, 12), st.sampled_from(["NOV-FEB", "*", "*"])),
        st.just("?"),
    ),
    st.tuples(
        st.just("?"),
        st.one_of(plain("month", 1, 12), st.just("*")),
        st.one_of(plain("weekday", 1, 7), st.sampled_from(SPECIAL_WEEKDAYS)),
    ),
).map(" ".join)
YEARS = st.sampled_from(["", "", "", " *", " 2000/3", " 2010-2030", " 2001,2019"])
TIMES = st.tuples(
    st.one_of(st.sampled_from(["0", "30"]), plain("second", 0, 59)),
    plain("minute", 0, 59),
    st.one_of(plain("hour", 0, 23), st.sampled_from(["*", "0-4", "22-3", "1,2"])),
).map(" ".join)
EXPRESSIONS = st.tuples(TIMES, st.one_of(st.just("* * ?"), DATES)).map(" ".join)

AROUND = 3 * HOUR
PLACES = (
    (NEW_YORK, 2024),
    ("Europe/Berlin", 2026),
    (LORD_HOWE, 2024),
    ("America/Havana", 2019),
    ("Asia/Tehran", 2020),
    ("Pacific/Chatham", 2023),
    ("Antarctica/Troll", 2022),
    ("Pacific/Apia", 2011),
    ("Asia/Kathmandu", 2020),
)


@cache
def interesting(zone: str, year: int) -> list[int]:
    """The changes of the clock in a year, or some instant of it."""
    return changes(zone, year, year) or [instant(f"{year}-02-28T20:00+00:00")]


PLACE = st.sampled_from([(zone, at) for zone, year in PLACES for at in interesting(zone, year)])


def compiled(expression: str, zone: str) -> Calendar:
    """The calendar of an expression that has slots."""
    try:
        return compile_quartz(expression, zone)
    except CalendarError as error:
        assume(error.code != "quartz-never-fires")
        raise


@settings(max_examples=15, derandomize=True, deadline=None)
@given(expressions=st.lists(EXPRESSIONS, min_size=10, max_size=10), place=PLACE, begins=st.integers(-AROUND, HOUR))
@example(["0 30 1 * * ?", "* 59 * * * ?", "0/7 0 0-4 * * ?"], (NEW_YORK, 1_730_613_600), -AROUND)
@example(["0 30 1 * * ?", "* 59 * * * ?", "0/7 0 0-4 * * ?"], (NEW_YORK, 1_730_613_600), -HOUR // 3)
def test_slots_are_those_of_the_stepper(expressions: list[str], place: tuple[str, int], begins: int) -> None:
    """Around a change of the clock, also from inside a repeated hour, the stepper finds the same slots, second by second."""
    zone, change = place
    start, end = change - AROUND, change + AROUND
    possible: list[tuple[str, list[int]]] = []
    for expression in expressions:
        expected = Stepper(expression).slots(zone, start, end)
        with suppress(CalendarError):
            compile_quartz(expression, zone)
            possible.append((expression, expected))
            continue
        assert expected == [], expression
    for expression, expected in possible:
        calendar = compile_quartz(expression, zone)
        assert walked(calendar, change + begins, end) == [slot for slot in expected if slot >= change + begins], (
            expression
        )


@settings(max_examples=150, derandomize=True, deadline=None)
@given(dates=DATES, year=YEARS, first=st.dates(date(1970, 1, 2), date(2096, 1, 1)))
def test_days_are_those_of_the_stepper(dates: str, year: str, first: date) -> None:
    """Over two years the stepper finds the same days."""
    stepper, days = Stepper(f"0 0 0 {dates}{year}"), [first + timedelta(days=n) for n in range(730)]
    calendar = compiled(f"0 0 0 {dates}{year}", "UTC")
    start = int(datetime(first.year, first.month, first.day, tzinfo=UTC).timestamp())
    expected = [start + n * DAY for n, day in enumerate(days) if stepper.on_day(day)]
    assert walked(calendar, start, start + len(days) * DAY) == expected


@settings(max_examples=200, derandomize=True, deadline=None)
@given(expression=EXPRESSIONS, place=PLACE, shifts=st.lists(st.integers(-3 * DAY, 3 * DAY), min_size=2, max_size=2))
def test_an_instant_lies_between_its_neighbours(expression: str, place: tuple[str, int], shifts: list[int]) -> None:
    """prev(next(t)) is next(t), prev(next(t) - 1) <= t < next(t), and counts of adjoining ranges add up."""
    calendar = compiled(expression, place[0])
    at, later = sorted(place[1] + shift for shift in shifts)
    assert_neighbours(calendar, at, later)
