"""The calendars that the rest sees: intervals, unions, what is shared, what is refused."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.decide.calendar import EVERY_SECONDS_MAX, Calendar, CalendarError, compile_cron, compile_every, union
from controller.decide.cron.days import days_of
from controller.decide.cron.fields import parse_cron

HOUR, DAY, YEAR = 3600, 86_400, 365 * 86_400
NOW = 1_772_000_000


def stepped(calendar: Calendar, after: int, until: int) -> list[int]:
    """The slots of (after, until], from one to the next."""
    slots: list[int] = []
    slot = calendar.next_after(after)
    while slot is not None and slot <= until:
        slots.append(slot)
        slot = calendar.next_after(slot)
    return slots


@pytest.mark.parametrize(
    ("every", "anchor", "at", "before", "after"),
    [
        (6 * HOUR, 0, 6 * HOUR, 6 * HOUR, 12 * HOUR),
        (6 * HOUR, 0, 6 * HOUR - 1, 0, 6 * HOUR),
        (HOUR, 60, 0, 60 - HOUR, 60),
        (HOUR, 10 * DAY + 60, 0, 60 - HOUR, 60),
        (HOUR, -60, 0, -60, HOUR - 60),
        (7, 3, -100, -102, -95),
    ],
)
def test_an_interval_counts_from_its_anchor_in_both_directions(
    every: int, anchor: int, at: int, before: int, after: int
) -> None:
    """Slots are at k * every + anchor for every whole k, also before the anchor and before 1970."""
    calendar = compile_every(every, anchor)
    assert (calendar.previous_at_or_before(at), calendar.next_after(at)) == (before, after)


@settings(max_examples=200, derandomize=True, deadline=None)
@given(
    every=st.integers(1, 10_000),
    anchor=st.integers(-(10**9), 10**9),
    start=st.integers(-(10**9), 10**9),
    length=st.integers(0, 50_000),
)
def test_an_interval_is_counted_as_it_is_stepped(every: int, anchor: int, start: int, length: int) -> None:
    """Division gives what stepping gives."""
    calendar = compile_every(every, anchor)
    slots = stepped(calendar, start, start + length)
    assert all((slot - anchor) % every == 0 for slot in slots)
    assert calendar.count_between(start, start + length) == len(slots)
    assert calendar.smallest_gap(start + 1, start + length) == (every if len(slots) > 1 else None)


@pytest.mark.parametrize("every", [0, -1, EVERY_SECONDS_MAX + 1])
def test_an_interval_that_is_no_interval_is_refused(every: int) -> None:
    """Zero, negative, or so long that the next slot has no date."""
    with pytest.raises(CalendarError, match="write one from 1s to 36500d") as refused:
        compile_every(every)
    assert refused.value.code == "interval"


def test_a_refusal_is_a_value_error_with_a_code() -> None:
    """Callers may catch `ValueError`; the code is stable."""
    with pytest.raises(ValueError, match="no IANA time zone") as refused:
        compile_cron("* * * * *", "Mars/Olympus")
    assert isinstance(refused.value, CalendarError)
    assert refused.value.code == "zone-unknown"
    assert str(refused.value).startswith("'Mars/Olympus' is no IANA time zone; write ")


def test_the_default_zone_is_utc() -> None:
    """Never the zone of the machine."""
    assert compile_cron("0 2 * * *").next_after(0) == 2 * HOUR


@pytest.mark.parametrize("other", ["0 0 * * 7", " 0  0 * * sun ", "@weekly", "0-0 00 * * 0"])
def test_equal_calendars_are_one_object(other: str) -> None:
    """A hundred thousand schedules that say the same cost one calendar, however it is written."""
    assert compile_cron(other, "Europe/Zurich") is compile_cron("0 0 * * 0", "Europe/Zurich")
    assert compile_cron(other, "Europe/Berlin") is not compile_cron("0 0 * * 0", "Europe/Zurich")


def test_schedules_of_the_same_days_share_them() -> None:
    """Other times, zones and ways of writing do not matter; the days are the largest part of a calendar."""
    assert days_of(parse_cron("0 0 * * 1-5").day_rule) is days_of(parse_cron("*/5 3 * * MON-FRI").day_rule)


def test_equal_intervals_are_one_object() -> None:
    """Anchors that differ by whole intervals mean the same slots."""
    assert compile_every(HOUR, 60) is compile_every(HOUR, 60 + 5 * HOUR)


def test_a_union_of_one_is_that_one() -> None:
    """Also when it is named twice."""
    calendar = compile_every(HOUR)
    assert union([calendar]) is calendar
    assert union([calendar, compile_every(HOUR)]) is calendar


def test_a_union_of_nothing_is_refused() -> None:
    """It would have no slots, which nobody means."""
    with pytest.raises(ValueError, match="at least one"):
        union([])


def test_equal_instants_of_a_union_are_one_slot() -> None:
    """06:00 in two of three calendars is one slot, and is counted once."""
    calendar = union([compile_cron("0 6 * * *"), compile_every(6 * HOUR), compile_cron("0 6,7 * * *")])
    assert stepped(calendar, 0, DAY) == [6 * HOUR, 7 * HOUR, 12 * HOUR, 18 * HOUR, DAY]
    assert calendar.count_between(0, DAY) == 5
    assert calendar.smallest_gap(1, DAY) == HOUR
    assert calendar.previous_at_or_before(12 * HOUR - 1) == 7 * HOUR


PARTS = st.one_of(
    st.builds(compile_every, st.integers(5, 200).map(lambda n: n * 60), st.integers(0, 200).map(lambda n: n * 60)),
    st.builds(
        compile_cron,
        st.sampled_from(["*/15 * * * *", "0 6 * * *", "30 */2 * * MON-FRI", "0 0 L * *", "10 2 1 * *"]),
        st.sampled_from(["UTC", "America/New_York"]),
    ),
)


@settings(max_examples=60, derandomize=True, deadline=None)
@given(
    parts=st.lists(PARTS, min_size=2, max_size=4),
    start=st.integers(1_709_000_000, 1_741_000_000),
    days=st.integers(0, 20),
)
def test_a_union_has_the_slots_of_its_parts(parts: list[Calendar], start: int, days: int) -> None:
    """Next, previous, count and smallest distance are those of the merged slots."""
    calendar, end = union(parts), start + days * DAY
    expected = sorted({slot for part in parts for slot in stepped(part, start, end)})
    assert stepped(calendar, start, end) == expected
    assert calendar.count_between(start, end) == len(expected)
    assert calendar.smallest_gap(start + 1, end) == min((b - a for a, b in pairwise(expected)), default=None)
    if expected:
        assert calendar.previous_at_or_before(end) == expected[-1]


def test_a_union_ends_where_its_parts_end() -> None:
    """A part without further slots does not hide the others."""
    calendar = union([compile_cron("0 0 * * *"), compile_every(DAY, 5)])
    assert calendar.next_after(10**11) == 10**11 - (10**11 - 5) % DAY + DAY
    assert calendar.previous_at_or_before(-1) == 5 - DAY
    both = union([compile_cron("0 0 * * *"), compile_cron("5 0 * * *")])
    assert both.next_after(10**11) is None
    assert both.next_after(-1) == 0


def test_slots_outside_the_range_have_no_part_in_the_smallest_gap() -> None:
    """A neighbour before the range or after it makes no gap in it."""
    early, late = (union([compile_every(HOUR), compile_cron(f"{minute} 0 * * *")]) for minute in (10, 50))
    assert (early.smallest_gap(0, HOUR), early.smallest_gap(5 * 60, HOUR)) == (10 * 60, 50 * 60)
    assert (late.smallest_gap(0, HOUR), late.smallest_gap(0, 55 * 60)) == (10 * 60, 50 * 60)
    assert late.smallest_gap(5 * 60, 55 * 60) is None


@pytest.mark.parametrize(
    ("expression", "zone", "gap"),
    [
        ("* * * * *", "UTC", 60),
        ("0 0 * * *", "UTC", DAY),
        ("0 0 * * MON", "UTC", 7 * DAY),
        ("58 23 * * *", "UTC", DAY),
        ("0,58 0,23 * * *", "UTC", 2 * 60),
        ("0 0 L * *", "UTC", 30 * DAY),
        ("0 0 29 2 *", "UTC", None),
        ("55 1,2 * * *", "Europe/Berlin", 5 * 60),
        ("30 2 * * *", "Europe/Berlin", 23 * HOUR + 30 * 60),
        ("45 1,3 * * *", "Europe/Berlin", HOUR),
        ("5 2,3 * * *", "Europe/Berlin", 5 * 60),
    ],
)
def test_the_smallest_gap_of_a_year(expression: str, zone: str, gap: int | None) -> None:
    """Over midnight, over months, and over a change of the clock, which may push two slots together."""
    assert compile_cron(expression, zone).smallest_gap(NOW, NOW + YEAR) == gap
