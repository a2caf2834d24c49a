"""Slots that do not exist: excluded dates and minutes, and the two bounds of a schedule."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.decide.calendar import Calendar, CalendarError, compile_cron, compile_every, compile_quartz, union
from controller.decide.cron.zone import END
from controller.decide.exclusion import bounded, is_excluded, run_begin, run_end, without
from controller.model.calendar import ExcludedCron, ExcludedDates, Exclusion
from tests.unit.decide.brute_force import Walker
from tests.unit.decide.calendar_laws import walked

MINUTE, HOUR, DAY = 60, 3600, 86_400
BERLIN, HAVANA, ST_JOHNS = "Europe/Berlin", "America/Havana", "America/St_Johns"


def instant(text: str) -> int:
    """Seconds since the epoch of a time with its offset."""
    return int(datetime.fromisoformat(text).timestamp())


def days(*texts: str, zone: str = BERLIN) -> ExcludedDates:
    """Excluded dates."""
    return ExcludedDates(frozenset(map(date.fromisoformat, texts)), zone)


def walls(calendar: Calendar, zone: str, start: str, end: str) -> list[str]:
    """The slots of [start, end) as wall time with offset."""
    found = walked(calendar, instant(start), instant(end))
    return [datetime.fromtimestamp(at, ZoneInfo(zone)).strftime("%m-%d %H:%M %z") for at in found]


def test_a_date_excludes_from_midnight_to_midnight_on_its_wall() -> None:
    """Christmas in Berlin begins at 23:00 UTC of the day before and ends at 23:00 UTC, which is a slot again."""
    calendar = without(compile_cron("0 */6 * * *", BERLIN), [days("2026-12-25")])
    assert walls(calendar, BERLIN, "2026-12-24T18:00+01:00", "2026-12-26T06:01+01:00") == [
        "12-24 18:00 +0100",
        "12-26 00:00 +0100",
        "12-26 06:00 +0100",
    ]


@pytest.mark.parametrize(("day", "hours"), [("2026-10-25", 25), ("2026-03-29", 23), ("2026-06-01", 24)])
def test_a_date_lasts_as_long_as_its_day(day: str, hours: int) -> None:
    """25 h where the clock is set back, 23 h where it jumps forward."""
    hourly, excluded = compile_every(HOUR), [days(day)]
    around = range(instant(f"{day}T00:00+00:00") - DAY, instant(f"{day}T00:00+00:00") + 2 * DAY, HOUR)
    assert sum(is_excluded(excluded, at) for at in around) == hours
    kept = walked(without(hourly, excluded), around.start, around.stop)
    assert kept == [at for at in around if not is_excluded(excluded, at)]


def test_a_date_that_the_clock_shows_twice_is_excluded_twice() -> None:
    """At 00:01 of 2010-11-07 St. John's went back to 23:01 of the 6th, so the 7th's first minute stands between two parts of the 6th."""
    calendar = without(compile_every(MINUTE), [days("2010-11-06", zone=ST_JOHNS)])
    assert walls(calendar, ST_JOHNS, "2010-11-06T22:00-02:30", "2010-11-07T00:02-03:30") == [
        "11-07 00:00 -0230",
        "11-07 00:00 -0330",
        "11-07 00:01 -0330",
    ]


def test_a_date_without_a_midnight_and_one_that_never_was() -> None:
    """Havana's 2024-03-10 begins at 01:00; Apia never had a 2011-12-30, so nothing is excluded there."""
    calendar = without(compile_every(HOUR), [days("2024-03-10", zone=HAVANA)])
    assert walls(calendar, HAVANA, "2024-03-09T23:00-05:00", "2024-03-11T01:00-04:00") == [
        "03-09 23:00 -0500",
        "03-11 00:00 -0400",
    ]
    hours = range(instant("2011-12-29T00:00-10:00"), instant("2012-01-01T00:00+14:00"), HOUR)
    assert not any(is_excluded([days("2011-12-30", zone="Pacific/Apia")], at) for at in hours)


def test_a_minute_excludes_all_its_seconds() -> None:
    """Of Quartz slots those in the minute that the cron names do not exist; the minute after it does."""
    calendar = without(compile_quartz("0,59 * * * * ?"), [ExcludedCron("30 2 * * *")])
    found = walked(calendar, instant("2026-06-01T02:29+00:00"), instant("2026-06-01T02:32+00:00"))
    assert [f"{datetime.fromtimestamp(at, UTC):%H:%M:%S}" for at in found] == [
        "02:29:00",
        "02:29:59",
        "02:31:00",
        "02:31:59",
    ]


@pytest.mark.parametrize(
    ("cron", "expected"),
    [
        ("30 2 * * *", ["02:00 +0200", "02:00 +0100", "02:30 +0100"]),
        ("*/30 2 * * *", []),
        ("30 * * * *", ["02:00 +0200", "02:00 +0100"]),
    ],
)
def test_an_excluded_cron_follows_the_debian_rule(cron: str, expected: list[str]) -> None:
    """Of the repeated hour a fixed time excludes its first copy, a wildcard both."""
    calendar = without(compile_cron("*/30 2 * * *", BERLIN), [ExcludedCron(cron, BERLIN)])
    found = walls(calendar, BERLIN, "2026-10-25T00:00+02:00", "2026-10-25T12:00+01:00")
    assert [slot[6:] for slot in found] == expected


def test_a_fixed_time_in_the_gap_excludes_the_first_minute_after_it() -> None:
    """As the slot of `30 2 * * *` moves to 03:00 in spring, so does what it excludes."""
    calendar = without(compile_cron("0,1 3 * * *", BERLIN), [ExcludedCron("30 2 * * *", BERLIN)])
    assert walls(calendar, BERLIN, "2026-03-29T00:00+01:00", "2026-03-29T12:00+02:00") == ["03-29 03:01 +0200"]


def test_an_exclusion_that_covers_everything_leaves_nothing() -> None:
    """In one step where its minutes have no break, after a bounded search where they have; both directions end."""
    now = instant("2026-06-01T00:00+00:00")
    for calendar, cron in (
        (compile_quartz("* * * * * ?"), "* * * * *"),
        (compile_cron("0 * * * *"), "0 * * * *"),
        (compile_every(HOUR), "0 * * * *"),
    ):
        nothing = without(calendar, [ExcludedCron(cron)])
        assert (nothing.next_after(now), nothing.previous_at_or_before(now)) == (None, None)
        assert nothing.count_between(now, now + 30 * DAY) == 0
        assert nothing.smallest_gap(now, now + 30 * DAY) is None


def test_a_slot_after_months_without_one_is_found() -> None:
    """Eleven months of minutes and two of days are passed; the smallest distance leads over the excluded part."""
    now = instant("2026-01-01T00:00+00:00")
    winter = without(compile_cron("*/5 * * * *"), [ExcludedCron("* * * 1-11 *")])
    assert winter.next_after(now) == instant("2026-12-01T00:00+00:00")
    assert winter.previous_at_or_before(instant("2026-11-30T12:00+00:00")) == instant("2025-12-31T23:55+00:00")
    twice = without(
        compile_cron("0 0 1,2 * *"), [ExcludedCron("* * 2 * *"), days("2026-02-01", "2026-03-01", zone="UTC")]
    )
    assert twice.next_after(now) == instant("2026-04-01T00:00+00:00")
    assert twice.smallest_gap(now, instant("2026-06-01T00:00+00:00")) == 30 * DAY


def test_a_year_of_seconds_is_counted_by_arithmetic() -> None:
    """Every second but those of Sundays; stepping over 27 million slots would not end in the time of a test."""
    calendar = without(compile_quartz("* * * * * ?"), [ExcludedCron("* * * * SUN")])
    start = instant("2026-01-01T00:00+00:00")
    assert calendar.count_between(start - 1, start + 365 * DAY - 1) == (365 - 52) * DAY


def test_nothing_excluded_is_the_same_calendar() -> None:
    """Without exclusions or bounds there is nothing to ask."""
    calendar = compile_cron("0 2 * * *")
    assert without(calendar, []) is calendar
    assert bounded(calendar, None, None) is calendar
    assert not is_excluded([], 0)


@pytest.mark.parametrize(
    ("exclusion", "code"),
    [(ExcludedCron("61 * * * *"), "cron-syntax"), (days("2026-01-01", zone="Mars/Olympus"), "zone-unknown")],
)
def test_an_exclusion_that_cannot_be_used_is_an_error(exclusion: Exclusion, code: str) -> None:
    """It is never silently left out."""
    uses: list[Callable[[], object]] = [
        lambda: without(compile_cron("* * * * *"), [exclusion]),
        lambda: is_excluded([exclusion], 0),
    ]
    for use in uses:
        with pytest.raises(CalendarError) as refused:
            use()
        assert refused.value.code == code


def test_a_run_of_minutes_has_exact_ends() -> None:
    """Doubling and halving finds the break, to 2100 if there is none, and one minute if it follows at once."""
    sundays, at = compile_cron("* * * * SUN"), instant("2026-06-07T12:34+00:00")
    assert run_begin(sundays, at) == instant("2026-06-07T00:00+00:00")
    assert run_end(sundays, at) == instant("2026-06-08T00:00+00:00")
    assert run_end(compile_cron("* * * * *"), at) == END
    assert run_begin(compile_cron("* * * * *"), at) == 0
    assert (run_begin(compile_cron("*/2 * * * *"), at), run_end(compile_cron("*/2 * * * *"), at)) == (at, at + MINUTE)


def test_the_start_is_a_slot_and_the_end_is_none() -> None:
    """The instant of startDate is included, endDate is not; beyond them nothing is found or counted."""
    start, end = instant("2026-01-01T00:00+00:00"), instant("2026-01-03T00:00+00:00")
    calendar = bounded(compile_cron("0 0 * * *"), start, end)
    assert walked(calendar, start - 9 * DAY, end + 9 * DAY) == [start, start + DAY]
    assert (calendar.next_after(start - 1), calendar.next_after(start + DAY)) == (start, None)
    assert (calendar.previous_at_or_before(end), calendar.previous_at_or_before(start - 1)) == (start + DAY, None)
    assert walked(bounded(compile_cron("0 0 * * *"), start, None), start - DAY, start + DAY) == [start]
    assert walked(bounded(compile_cron("0 0 * * *"), None, start), start - DAY, start + DAY) == [start - DAY]
    assert walked(bounded(compile_cron("0 0 * * *"), end, start), start - DAY, end + DAY) == []


CRONS = st.sampled_from(
    ["*/5 * * * *", "0 * * * *", "30 2 * * *", "0,30 0-4 * * *", "* 8-18 * * MON-FRI", "*/30 2 * * *", "* * * * SUN"]
)
QUARTZ = st.sampled_from(["0 */10 * * * ?", "15,45 */20 * * * ?", "0 30 1,2,3 * * ?"])
ZONES = st.sampled_from(["UTC", BERLIN, HAVANA, "Asia/Kathmandu"])
PLACES = {BERLIN: "2026-10-25", HAVANA: "2024-03-10", "UTC": "2026-03-01", "Asia/Kathmandu": "2026-03-01"}


@settings(max_examples=30, derandomize=True, deadline=None)
@given(
    base=st.one_of(CRONS, QUARTZ),
    zone=ZONES,
    excluded=st.lists(st.tuples(CRONS, ZONES), max_size=2),
    listed=st.sets(st.integers(-1, 2), max_size=2),
    bounds=st.tuples(st.none() | st.integers(-30, 0), st.none() | st.integers(0, 50)),
)
def test_what_is_left_is_what_no_exclusion_names(
    base: str,
    zone: str,
    excluded: list[tuple[str, str]],
    listed: set[int],
    bounds: tuple[int | None, int | None],
) -> None:
    """Around a change of the clock, filtered one by one: by the walker's minutes, by zoneinfo's dates, by the bounds."""
    middle = instant(f"{PLACES[zone]}T00:00+00:00")
    start, end = middle - DAY, middle + 2 * DAY
    # Nothing beyond, so that what an exclusion covers is not searched for.
    calendar = bounded(compile_quartz(base, zone) if "?" in base else compile_cron(base, zone), start, end)
    dates = frozenset(datetime.fromtimestamp(middle + n * DAY, ZoneInfo(zone)).date() for n in listed)
    exclusions: list[Exclusion] = [ExcludedCron(cron, place) for cron, place in excluded]
    exclusions += [ExcludedDates(dates, zone)] if dates else []
    minutes = {at for cron, place in excluded for at in Walker(cron).slots(place, start, end)}
    opens, ends = (None if hours is None else middle + hours * HOUR for hours in bounds)
    left = [
        slot
        for slot in walked(calendar, start, end)
        if slot // MINUTE * MINUTE not in minutes
        and datetime.fromtimestamp(slot, ZoneInfo(zone)).date() not in dates
        and (opens is None or slot >= opens)
        and (ends is None or slot < ends)
    ]
    assert walked(bounded(without(calendar, exclusions), opens, ends), start, end) == left
    assert walked(without(bounded(calendar, opens, ends), exclusions), start, end) == left


def test_exclusions_apply_to_a_union() -> None:
    """What is excluded is excluded of every entry of the schedule."""
    both = union([compile_cron("0 6 * * *"), compile_every(12 * HOUR)])
    found = walls(
        without(both, [ExcludedCron("0 12 * * *")]), "UTC", "2026-06-01T00:00+00:00", "2026-06-02T00:00+00:00"
    )
    assert found == ["06-01 00:00 +0000", "06-01 06:00 +0000"]
