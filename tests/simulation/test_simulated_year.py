"""One simulated year of mixed schedules: no slot is lost or doubled, and each that was not started has a good reason."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from controller.decide.planner import make_plan
from controller.model.calendar import CalendarEntry, EntryKind
from controller.model.plan import Plan, PlanningInput, RecordSlot
from controller.model.record import Reason
from controller.model.schedule import Origin, ScheduleSpec
from tests.simulation import driver
from tests.simulation.checker import Fault, judge_year
from tests.simulation.driver import live
from tests.simulation.life import Life
from tests.simulation.mixture import lives
from tests.simulation.rhythms import DECK, ZONES
from tests.simulation.tally import Tally, tally

SCHEDULES = 60
FORMS = (
    "Triggered",
    "Counted",
    "Skipped(Active)",
    "Skipped(Suspended)",
    "Skipped(WindowClosed)",
    "Skipped(MinGap)",
    "Missed(Superseded)",
    "Missed(Deadline)",
)


@pytest.fixture(scope="module")
def year() -> Tally:
    """The year of the first schedules of the mixture; ``benchmarks.simulated_year`` has all thousand."""
    return tally(lives(SCHEDULES))


def test_no_slot_is_lost_or_doubled(year: Tally) -> None:
    """Of every schedule exactly the slots of the brute-force list have an outcome, each its own, and each start had nothing against it."""
    assert [f"{finding.fault}: {finding.text}" for finding in year.findings] == []


def test_the_year_holds_every_kind(year: Tally) -> None:
    """Every calendar, every zone and every outcome occurs, so that the rule above is about something."""
    assert len(DECK) <= SCHEDULES
    assert set(ZONES) <= year.zones
    assert len(ZONES) == 30
    assert {word for word in FORMS if not year.outcomes[word]} == set()
    assert year.slots == pytest.approx(sum(year.outcomes.values()), abs=SCHEDULES * 2)


def spring() -> Life:
    """A few days around a spring night, with a day of them without a controller."""
    entry = CalendarEntry(EntryKind.CRON, "30 */2 * * *", "Europe/Zurich")
    spec = ScheduleSpec("orders", "acme", "orders", (entry,), Origin("orders.yaml", 1), "version 0")
    start = datetime(2026, 3, 25, tzinfo=UTC)
    off = (start + timedelta(days=2), start + timedelta(days=3))
    return Life(versions=((start, spec),), off=(off,), seed="spring", start=start, end=start + timedelta(days=8))


def oversleeping(known: PlanningInput) -> Plan:
    """A planner that wants to be woken a minute too late."""
    return _changed(known, late=timedelta(minutes=1))


def forgetful(known: PlanningInput) -> Plan:
    """A planner that settles superseded slots without a record."""
    return _changed(known, without=Reason.SUPERSEDED)


def _changed(known: PlanningInput, late: timedelta = timedelta(), without: Reason | None = None) -> Plan:
    plan = make_plan(known)
    rows = [
        replace(
            each,
            wake_at=each.wake_at + late if each.wake_at is not None and each.wake_at > known.now else each.wake_at,
            actions=tuple(a for a in each.actions if not (isinstance(a, RecordSlot) and a.record.reason is without)),
        )
        for each in plan.connections
    ]
    return replace(plan, connections=tuple(rows))


def test_the_same_seed_gives_the_same_year() -> None:
    """A finding can be lived through again."""
    assert live(spring()) == live(spring())


def test_a_planner_that_oversleeps_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing but the plan itself wakes the driver for a slot."""
    monkeypatch.setattr(driver, "make_plan", oversleeping)
    texts = [finding.text for finding in judge_year(live(spring())).findings]
    assert texts
    assert all("and could have begun at" in text for text in texts)


def test_a_planner_that_forgets_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slot that passed without a controller needs its record too."""
    monkeypatch.setattr(driver, "make_plan", forgetful)
    assert {finding.fault for finding in judge_year(live(spring())).findings} == {Fault.LOST}
