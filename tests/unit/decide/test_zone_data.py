"""New zone data, as a table: a local time that has its decision is no second slot where its instant has moved.

On this day 6:30 in Zurich is 5:30 UTC; the zone data before, so these rows say, had it at 4:30.
"""

import pytest

from controller.decide.planner import make_plan
from controller.decide.walls import wall_of
from controller.model.calendar import CalendarEntry
from controller.model.plan import RecordSlot, TriggerSync
from controller.model.schedule import CatchUp, CatchUpPolicy, ScheduleSpec, Suspension
from tests.unit.decide.given import Given, at, cron, every, plan_of, spec, standing

ZURICH, LONDON = "Europe/Zurich 2026-03-02T06:30", "Europe/London 2026-03-02T05:30"
DAILY = spec(cron("30 6 * * *", "Europe/Zurich"))


def moved(now: str, schedule: ScheduleSpec = DAILY, decided: tuple[str, ...] = (ZURICH,), was: str = "04:30") -> Given:
    """The local time was decided at another instant."""
    walls = dict.fromkeys(decided, at(was))
    return Given(now=now, spec=schedule, standing=standing(schedule, "04:30", walls=walls))


def both(*more: CalendarEntry) -> ScheduleSpec:
    """The daily time in Zurich and something else."""
    return spec((*DAILY.entries, *more))


CASES: dict[str, tuple[Given, str]] = {
    "its local time was decided": (moved("05:30"), "Counted 05:30; wake +1d 05:30"),
    "it was not": (moved("05:30", decided=()), "trigger 05:30; wake +1d 05:30"),
    "that of the day before was": (
        moved("05:30", decided=("Europe/Zurich 2026-03-01T06:30",), was="-1d 05:30"),
        "trigger 05:30; wake +1d 05:30",
    ),
    "it stands at this very instant": (moved("05:30", was="05:30"), "trigger 05:30; wake +1d 05:30"),
    "late, it is still no miss": (moved("+1d 05:29"), "Counted 05:30; wake +1d 05:30"),
    "suspended": (
        moved("05:30", spec(DAILY.entries, suspend=Suspension())),
        "Skipped(Suspended) 05:30; hold Suspended; wake +1d 05:30",
    ),
    "another zone's local time at the same instant was not decided": (
        moved("05:30", both(*cron("30 5 * * *", "Europe/London"))),
        "trigger 05:30; wake +1d 05:30",
    ),
    "nor is it enough that only the other's was": (
        moved("05:30", both(*cron("30 5 * * *", "Europe/London")), (LONDON,)),
        "trigger 05:30; wake +1d 05:30",
    ),
    "both were": (
        moved("05:30", both(*cron("30 5 * * *", "Europe/London")), (ZURICH, LONDON)),
        "Counted 05:30; wake +1d 05:30",
    ),
    "an entry that knows no local time has the slot for itself": (
        moved("05:30", both(*every(30))),
        "Missed(Superseded) 05:00; trigger 05:30; wake 06:00",
    ),
    "an entry without a slot there changes nothing": (
        moved("05:30", both(*every(24 * 60))),
        "Counted 05:30; wake +1d 00:00",
    ),
    "a wildcard follows the clock as it runs": (
        moved("05:30", spec(cron("30 * * * *", "Europe/Zurich"))),
        "trigger 05:30; wake 06:30",
    ),
}


@pytest.mark.parametrize(("given", "expected"), CASES.values(), ids=CASES)
def test_a_local_time_is_decided_once(given: Given, expected: str) -> None:
    """Every row of the table: counted where the local time has a decision, started where anything else asks for the slot."""
    assert plan_of(given) == expected


WALLS = {
    "a daily time": (DAILY, ZURICH),
    "two zones": (both(*cron("30 5 * * *", "Europe/London")), f"{LONDON}; {ZURICH}"),
    "a wildcard hour": (spec(cron("30 * * * *", "Europe/Zurich")), ""),
    "UTC": (spec(cron("30 5 * * *")), ""),
    "an interval": (spec(every(30)), ""),
    "another time of the day": (spec(cron("31 6 * * *", "Europe/Zurich")), ""),
}


@pytest.mark.parametrize(("schedule", "wall"), WALLS.values(), ids=WALLS)
def test_a_slot_stands_for_its_local_times(schedule: ScheduleSpec, wall: str) -> None:
    """Only fixed times outside of UTC have one, in a fixed order."""
    assert wall_of(schedule.calendar_key, at("05:30")) == wall


def test_the_local_time_goes_into_claim_and_record() -> None:
    """Whatever is decided carries it, for the day on which the zone data changes."""
    (start,) = make_plan(moved("05:30", decided=()).known()).actions
    assert isinstance(start, TriggerSync)
    (skip,) = make_plan(moved("05:30", spec(DAILY.entries, suspend=Suspension()), ()).known()).actions
    assert isinstance(skip, RecordSlot)
    assert start.claim.wall == skip.record.wall == ZURICH


def test_a_slot_that_waits_for_a_permit_carries_it_too() -> None:
    """The record that it was seen in time is a decision like any other."""
    strict = spec(DAILY.entries, catch_up=CatchUp(CatchUpPolicy.NONE))
    given = Given(now="05:30", spec=strict, standing=standing(strict, "04:30"), permits=0)
    (seen,) = make_plan(given.known()).actions
    assert isinstance(seen, RecordSlot)
    assert seen.record.wall == ZURICH
