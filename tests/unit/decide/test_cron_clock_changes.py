"""Slots where the clock jumps: Debian's rule."""

from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from controller.decide.calendar import CalendarError, compile_cron


def instant(text: str) -> int:
    """Seconds since the epoch of a time with its offset."""
    return int(datetime.fromisoformat(text).timestamp())


def slots(expression: str, zone: str, first: str, last: str) -> list[str]:
    """The slots of [first, last] as wall time with offset; forwards, backwards and counted they must agree."""
    calendar, start, end = compile_cron(expression, zone), instant(first), instant(last)
    forwards: list[int] = []
    slot = calendar.next_after(start - 1)
    while slot is not None and slot <= end:
        forwards.append(slot)
        slot = calendar.next_after(slot)
    backwards: list[int] = []
    slot = calendar.previous_at_or_before(end)
    while slot is not None and slot >= start:
        backwards.insert(0, slot)
        slot = calendar.previous_at_or_before(slot - 1)
    assert forwards == backwards
    assert [calendar.next_after(slot - 1) for slot in forwards] == forwards
    assert calendar.count_between(start - 1, end) == len(forwards)
    gaps = [later - earlier for earlier, later in pairwise(forwards)]
    assert calendar.smallest_gap(start, end) == min(gaps, default=None)
    return [datetime.fromtimestamp(slot, ZoneInfo(zone)).strftime("%m-%d %H:%M %z") for slot in forwards]


NEW_YORK, BERLIN, HAVANA, APIA = "America/New_York", "Europe/Berlin", "America/Havana", "Pacific/Apia"
CASES = {
    "a daily time in the gap fires at the first instant after it": (
        ("30 2 * * *", NEW_YORK, "2024-03-09T12:00-05:00", "2024-03-12T00:00-04:00"),
        ["03-10 03:00 -0400", "03-11 02:30 -0400"],
    ),
    "a daily time in the repeated hour fires in its first copy only": (
        ("30 1 * * *", NEW_YORK, "2024-11-02T12:00-04:00", "2024-11-05T00:00-05:00"),
        ["11-03 01:30 -0400", "11-04 01:30 -0500"],
    ),
    "no slot lies in the past when asked from the second copy": (
        ("30 1 * * *", NEW_YORK, "2024-11-03T01:10-05:00", "2024-11-05T00:00-05:00"),
        ["11-04 01:30 -0500"],
    ),
    "several times in one gap are one slot": (
        ("0,15,30,45 2 * * *", NEW_YORK, "2024-03-10T00:00-05:00", "2024-03-11T01:00-04:00"),
        ["03-10 03:00 -0400"],
    ),
    "a skipped time and the one just after the gap are one slot": (
        ("0,30 2-3 * * *", NEW_YORK, "2024-03-10T00:00-05:00", "2024-03-10T23:00-04:00"),
        ["03-10 03:00 -0400", "03-10 03:30 -0400"],
    ),
    "the last time before the gap and the one in it are two slots": (
        ("59 1,2 * * *", NEW_YORK, "2024-03-10T00:00-05:00", "2024-03-10T23:00-04:00"),
        ["03-10 01:59 -0500", "03-10 03:00 -0400"],
    ),
    "every hour is every real hour in autumn": (
        ("0 * * * *", NEW_YORK, "2024-11-03T00:00-04:00", "2024-11-03T03:00-05:00"),
        ["11-03 00:00 -0400", "11-03 01:00 -0400", "11-03 01:00 -0500", "11-03 02:00 -0500", "11-03 03:00 -0500"],
    ),
    "every hour is every real hour in spring": (
        ("0 * * * *", NEW_YORK, "2024-03-10T00:00-05:00", "2024-03-10T04:00-04:00"),
        ["03-10 00:00 -0500", "03-10 01:00 -0500", "03-10 03:00 -0400", "03-10 04:00 -0400"],
    ),
    "a wildcard in the gap is lost": (
        ("*/30 2 * * *", NEW_YORK, "2024-03-09T02:15-05:00", "2024-03-11T02:00-04:00"),
        ["03-09 02:30 -0500", "03-11 02:00 -0400"],
    ),
    "a wildcard in the repeated hour fires in both copies": (
        ("*/30 1 3 11 *", NEW_YORK, "2024-11-03T00:00-04:00", "2024-11-04T00:00-05:00"),
        ["11-03 01:00 -0400", "11-03 01:30 -0400", "11-03 01:00 -0500", "11-03 01:30 -0500"],
    ),
    "the second copy is found from the first although the next day is a year away": (
        ("*/30 1 3 11 *", NEW_YORK, "2024-11-03T01:45-04:00", "2024-11-04T00:00-05:00"),
        ["11-03 01:00 -0500", "11-03 01:30 -0500"],
    ),
    "a step that does not start with a star is a fixed time": (
        ("0/30 1 * * *", NEW_YORK, "2024-11-03T00:00-04:00", "2024-11-04T00:00-05:00"),
        ["11-03 01:00 -0400", "11-03 01:30 -0400"],
    ),
    "midnight is not lost on the day after spring": (
        ("0 0 * * *", NEW_YORK, "2021-03-13T12:00-05:00", "2021-03-16T00:00-04:00"),
        ["03-14 00:00 -0500", "03-15 00:00 -0400", "03-16 00:00 -0400"],
    ),
    "a day that begins after midnight still has its midnight slot": (
        ("0 0 * * *", HAVANA, "2024-03-09T12:00-05:00", "2024-03-11T12:00-04:00"),
        ["03-10 01:00 -0400", "03-11 00:00 -0400"],
    ),
    "a skipped midnight is no minute of that day for a wildcard": (
        ("* 0 10 * *", HAVANA, "2019-03-09T00:00-05:00", "2019-03-11T00:00-04:00"),
        [],
    ),
    "a gap of half an hour (Lord Howe)": (
        ("*/10 2 6 10 *", "Australia/Lord_Howe", "2024-10-05T00:00+10:30", "2024-10-07T00:00+11:00"),
        ["10-06 02:30 +1100", "10-06 02:40 +1100", "10-06 02:50 +1100"],
    ),
    "a fixed time in a gap of half an hour (Lord Howe)": (
        ("15 2 * * *", "Australia/Lord_Howe", "2024-10-06T00:00+10:30", "2024-10-07T03:00+11:00"),
        ["10-06 02:30 +1100", "10-07 02:15 +1100"],
    ),
    "a repeated half hour (Lord Howe)": (
        ("*/20 1 7 4 *", "Australia/Lord_Howe", "2024-04-07T00:00+11:00", "2024-04-08T00:00+10:30"),
        ["04-07 01:00 +1100", "04-07 01:20 +1100", "04-07 01:40 +1100", "04-07 01:40 +1030"],
    ),
    "a gap that does not end on a full hour (Chatham)": (
        ("48 2 * * *", "Pacific/Chatham", "2024-09-28T00:00+12:45", "2024-09-30T12:00+13:45"),
        ["09-28 02:48 +1245", "09-29 03:45 +1345", "09-30 02:48 +1345"],
    ),
    "a gap of two hours is made up (Troll)": (
        ("30 1 * * *", "Antarctica/Troll", "2024-03-30T12:00+00:00", "2024-04-01T12:00+02:00"),
        ["03-31 03:00 +0200", "04-01 01:30 +0200"],
    ),
    "a gap of exactly three hours is made up (Casey 2010)": (
        ("30 3 * * *", "Antarctica/Casey", "2011-10-27T12:00+08:00", "2011-10-29T12:00+11:00"),
        ["10-28 05:00 +1100", "10-29 03:30 +1100"],
    ),
    "a day that did not exist is lost (Apia 2011)": (
        ("0 12 * * *", APIA, "2011-12-29T00:00-10:00", "2011-12-31T23:00+14:00"),
        ["12-29 12:00 -1000", "12-31 12:00 +1400"],
    ),
    "a yearly slot on the day that did not exist comes a year later": (
        ("0 0 30 12 *", APIA, "2011-12-01T00:00-10:00", "2013-01-01T00:00+14:00"),
        ["12-30 00:00 +1400"],
    ),
    "a wildcard on the day whose midnight is skipped (Tehran 2020)": (
        ("*/30 1 * * 6", "Asia/Tehran", "2020-03-20T12:00+03:30", "2020-03-22T12:00+04:30"),
        ["03-21 01:00 +0430", "03-21 01:30 +0430"],
    ),
    "summer time that begins a new day at its end (Sao Paulo 2018)": (
        ("0 0 * * *", "America/Sao_Paulo", "2018-11-03T12:00-03:00", "2018-11-05T12:00-02:00"),
        ["11-04 01:00 -0200", "11-05 00:00 -0200"],
    ),
    "winter time as the exception (Dublin)": (
        ("30 1 * * *", "Europe/Dublin", "2024-10-26T12:00+01:00", "2024-10-28T12:00+00:00"),
        ["10-27 01:30 +0100", "10-28 01:30 +0000"],
    ),
    "a working day in both directions over the change": (
        ("0 9 * * MON-FRI", BERLIN, "2024-03-29T00:00+01:00", "2024-04-01T12:00+02:00"),
        ["03-29 09:00 +0100", "04-01 09:00 +0200"],
    ),
}


@pytest.mark.parametrize(("asked", "expected"), CASES.values(), ids=CASES.keys())
def test_slots_around_a_change_of_the_clock(asked: tuple[str, str, str, str], expected: list[str]) -> None:
    """Neither lost nor doubled for a fixed time, every matching real minute for a wildcard; the case's name is its rule."""
    assert slots(*asked) == expected


DAYS = {
    "the last day of every month": ("0 0 L * *", ["01-31", "02-29", "03-31"]),
    "the last workday": ("0 0 LW * *", ["01-31", "02-29", "03-29"]),
    "the workday nearest to the 1st stays in the month": ("0 0 1W 5-6,9 *", ["05-01", "06-03", "09-02"]),
    "the workday nearest to the 30th stays in the month": ("0 0 30W 3-6 *", ["03-29", "04-30", "05-30", "06-28"]),
    "no workday nearest to a day that the month has not": ("0 0 31W 2-5 *", ["03-29", "05-31"]),
    "the second Friday": ("0 0 * 1-3 5#2", ["01-12", "02-09", "03-08"]),
    "a fifth Thursday is in some months only": ("0 0 * * THU#5", ["02-29", "05-30", "08-29", "10-31"]),
    "the last Friday": ("0 0 * 1-3 5L", ["01-26", "02-23", "03-29"]),
    "one of two restricted day fields is enough": ("0 0 13 9 FRI", ["09-06", "09-13", "09-20", "09-27"]),
    "both must match when one starts with a star": ("0 0 */10 1-6 SUN", ["01-21", "02-11", "03-31", "04-21"]),
    "a range over all days is no star": ("0 0 1-31 3 1-6/5", [f"03-{day:02}" for day in range(1, 32)]),
    "months without day 31 are skipped": (
        "0 0 31 * *",
        ["01-31", "03-31", "05-31", "07-31", "08-31", "10-31", "12-31"],
    ),
}


@pytest.mark.parametrize(("expression", "expected"), DAYS.values(), ids=DAYS.keys())
def test_days_of_2024(expression: str, expected: list[str]) -> None:
    """The first days of 2024 that the expression means; the case's name is its rule."""
    found = slots(expression, "UTC", "2024-01-01T00:00+00:00", "2024-12-31T23:59+00:00")
    assert [slot[:5] for slot in found][: len(expected)] == expected


@pytest.mark.parametrize("expression", ["0 0 31 2 *", "0 0 30 2 ?", "0 0 31 4,6,9,11 *", "0 0 31W 2 *", "0 0 30 2 */2"])
def test_a_day_that_never_comes_is_refused(expression: str) -> None:
    """A schedule without any slot is a mistake, not a rest."""
    with pytest.raises(CalendarError, match="write a day that the month has, or L for its last") as refused:
        compile_cron(expression)
    assert refused.value.code == "cron-never-fires"


@pytest.mark.parametrize(
    ("expression", "after", "expected"),
    [
        ("0 0 29 2 *", "2024-03-01", "2028-02-29"),
        ("0 0 29 2 */7", "2004-03-01", "2032-02-29"),
        ("0 0 31 12 */7", "2006-12-31", "2017-12-31"),
        ("0 0 29 2 */6", "2004-03-01", "2020-02-29"),
    ],
)
def test_a_rare_day_is_found_however_far(expression: str, after: str, expected: str) -> None:
    """29 February on a Sunday comes every 28 years, 31 December on one after up to 11; none of them is a day that never comes."""
    zone = NEW_YORK
    calendar = compile_cron(expression, zone)
    found = calendar.next_after(int(datetime.fromisoformat(after).replace(tzinfo=ZoneInfo(zone)).timestamp()))
    assert found is not None
    assert datetime.fromtimestamp(found, ZoneInfo(zone)).date().isoformat() == expected
    assert calendar.previous_at_or_before(found + int(timedelta(days=365).total_seconds())) == found


def test_nothing_lies_before_1970_or_from_2100_on() -> None:
    """Searches end: before 1970 and from 2100 on there are no slots."""
    calendar, end = compile_cron("* * * * *", "Asia/Tokyo"), instant("2100-01-01T00:00+00:00")
    assert calendar.previous_at_or_before(-1) is None
    assert calendar.next_after(-(10**12)) == 0
    assert calendar.next_after(end - 61) == end - 60
    assert calendar.next_after(end - 60) is None
    assert calendar.next_after(10**12) is None
    assert calendar.previous_at_or_before(10**12) == end - 60
    assert calendar.count_between(-(10**12), 10**12) == end // 60


@pytest.mark.parametrize("zone", ["Pacific/Pago_Pago", "Pacific/Kiritimati"])
def test_the_first_and_the_last_slot_may_be_of_another_year(zone: str) -> None:
    """In the far west 1970 begins in 1969, in the far east 2099 ends in 2100."""
    calendar, end = compile_cron("* * * * *", zone), instant("2100-01-01T00:00+00:00")
    assert calendar.next_after(-1) == 0
    assert calendar.previous_at_or_before(0) == 0
    assert calendar.previous_at_or_before(end) == end - 60
