"""Which slots are due, how long each may start, and when the next one comes; and what putting parts together means."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.decide.parts import NOTHING, Part, assemble
from controller.decide.slots import (
    SLOTS_MAX,
    calendar_of,
    deadline,
    due_slots,
    earliest,
    from_epoch,
    has_slot,
    next_slot,
    to_epoch,
)
from controller.model.calendar import CalendarEntry, CalendarTerms, EntryKind, dump_terms, parse_terms
from controller.model.plan import Hold
from controller.model.record import Reason
from controller.model.schedule import CatchUp
from tests.unit.decide.given import REF, at, cron, every, spec

QUARTERS = spec(every(15)).calendar_key
MANUAL = dump_terms(CalendarTerms((CalendarEntry(EntryKind.MANUAL),)))


def test_due_slots_lie_after_the_first_instant_and_up_to_the_last() -> None:
    """The watermark itself is decided; ``now`` itself is due."""
    calendar = calendar_of(QUARTERS)
    assert calendar is not None
    assert due_slots(calendar, at("10:00"), at("10:30")).instants == (at("10:15"), at("10:30"))
    assert due_slots(calendar, at("10:00"), at("10:29:59.999")).instants == (at("10:15"),)
    assert due_slots(calendar, at("10:15"), at("10:15")).instants == ()


def test_nothing_is_due_while_the_clock_is_behind_the_watermark() -> None:
    """A clock that went back fires nothing twice."""
    calendar = calendar_of(QUARTERS)
    assert calendar is not None
    assert due_slots(calendar, at("12:00"), at("10:00")).instants == ()


@settings(max_examples=60, deadline=None, derandomize=True)
@given(step=st.integers(1, 5_000), passed=st.integers(0, 3_000))
def test_of_many_slots_the_older_ones_are_counted_exactly(step: int, passed: int) -> None:
    """At most a thousand stand for themselves; the rest is a count with its first and its last, and none is lost."""
    calendar = calendar_of(dump_terms(CalendarTerms((CalendarEntry(EntryKind.EVERY, every=step),))))
    assert calendar is not None
    due = due_slots(calendar, from_epoch(0), from_epoch(step * passed))

    assert len(due.instants) + due.dropped == passed
    assert len(due.instants) == min(passed, SLOTS_MAX)
    assert list(due.instants) == sorted(set(due.instants))
    if due.dropped:
        assert due.dropped_from == from_epoch(step)
        assert due.dropped_through == due.instants[0] - timedelta(seconds=step)
    else:
        assert due.dropped_from is due.dropped_through is None


def test_entries_make_one_calendar() -> None:
    """A slot exists where any entry has one; equal instants are one slot."""
    key = dump_terms(CalendarTerms((*every(15), *cron("10,15 10 * * *"))))
    calendar = calendar_of(key)
    assert calendar is not None
    assert due_slots(calendar, at("10:00"), at("10:30")).instants == (at("10:10"), at("10:15"), at("10:30"))
    assert parse_terms(key).entries == tuple(sorted(parse_terms(key).entries, key=lambda entry: entry.kind.value))


def test_the_order_of_entries_does_not_matter() -> None:
    """Equal calendars have equal keys, so reordering a file is no edit of its calendar."""
    assert dump_terms(CalendarTerms((*every(15), *cron("0 8 * * *")))) == dump_terms(
        CalendarTerms((*cron("0 8 * * *"), *every(15)))
    )


def test_an_entry_that_makes_no_slots_makes_no_calendar() -> None:
    """``manual`` has no slots."""
    assert calendar_of(MANUAL) is None


def test_has_slot_means_exactly_this_instant() -> None:
    """A second beside it is no slot."""
    calendar = calendar_of(QUARTERS)
    assert calendar is not None
    assert has_slot(calendar, at("10:15"))
    assert not has_slot(calendar, at("10:15:01"))
    assert next_slot(calendar, at("10:15")) == at("10:30")


@pytest.mark.parametrize(
    ("window", "calendar_key", "until"),
    [
        (timedelta(minutes=5), QUARTERS, "10:20"),
        (timedelta(days=3), QUARTERS, "+3d 10:15"),
        (None, QUARTERS, "10:30"),
        (None, spec(cron("15 10 * * *")).calendar_key, "+1d 10:15"),
        (None, spec(cron("15 10 * * MON")).calendar_key, "+1d 10:15"),
        (None, MANUAL, "+1d 10:15"),
    ],
    ids=["written", "written and long", "the next slot", "a day", "never more than a day", "no calendar"],
)
def test_how_long_a_slot_may_start(window: timedelta | None, calendar_key: str, until: str) -> None:
    """As long as the spec says, or else until the next slot, at most a day."""
    said = spec(catch_up=CatchUp(window=window))
    assert deadline(said, calendar_of(calendar_key), REF, at("10:15")) == at(until)


def test_without_a_spec_the_default_window_holds() -> None:
    """While only the calendar is known, the window ends with the next slot."""
    assert deadline(None, calendar_of(QUARTERS), REF, at("10:15")) == at("10:30")


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.datetimes(datetime(1970, 1, 1), datetime(2099, 12, 31), timezones=st.just(UTC)))
def test_epoch_seconds_are_rounded_down(instant: datetime) -> None:
    """A fraction of a second never makes a slot due early."""
    assert from_epoch(to_epoch(instant)) == instant.replace(microsecond=0)


def test_the_earliest_of_nothing_is_nothing() -> None:
    """Only what is there is compared."""
    assert earliest([None, at("10:15"), at("10:00")]) == at("10:00")
    assert earliest([None]) is None


def test_parts_are_put_together_in_their_order() -> None:
    """Everything that the rules said is in the plan; it wakes at the earliest instant."""
    one, two = (Hold(REF, "nightly", reason, "") for reason in (Reason.ACTIVE, Reason.MIN_GAP))
    made = assemble(REF, [Part(holds=(one,), wake_at=at("10:30")), NOTHING, Part(holds=(two,), wake_at=at("10:15"))])
    assert (made.holds, made.wake_at, made.actions, made.needs) == ((one, two), at("10:15"), (), ())
