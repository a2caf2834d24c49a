"""``suspend.until``, freezes, quarrels of policies and ``failureBudget``, as a table: what starts nothing, and when that ends."""

from datetime import timedelta
from typing import Any

import pytest

from controller.model.record import Reason
from controller.model.schedule import CatchUp, CatchUpPolicy, Mode, ScheduleSpec, Suspension
from tests.unit.decide.given import RUNNING, Given, at, decide, held, job, plan_of, spec, standing


def suspended(until: str, **said: Any) -> ScheduleSpec:
    """A suspension that ends."""
    return spec(suspend=Suspension("migration", "ana", at(until)), **said)


def frozen(*until: str, **said: Any) -> ScheduleSpec:
    """Freezes by policies; an empty text is one without an end."""
    return spec(freezes=tuple(Suspension("incident", until=at(each) if each else None) for each in until), **said)


BUDGET = spec(failure_budget=3)
QUARREL = spec(conflicts=("overlap",))
BRIEF = CatchUp(window=timedelta(minutes=5))
NONE = CatchUp(CatchUpPolicy.NONE)
WAITING = (held("10:15", Reason.MIN_GAP),)

CASES: dict[str, tuple[Given, str]] = {
    # suspend.until
    "suspended until later": (
        Given(now="10:15", spec=suspended("10:20")),
        "Skipped(Suspended) 10:15; hold Suspended; wake 10:20",
    ),
    "a second before the end": (Given(now="10:14:59", spec=suspended("10:15")), "hold Suspended; wake 10:15"),
    "the end itself is suspended no more": (
        Given(now="10:15", spec=suspended("10:15")),
        "trigger 10:15; wake 10:30",
    ),
    "nothing is made up after the end": (
        Given(now="10:20", spec=suspended("10:20")),
        "Skipped(Suspended) 10:15; wake 10:30",
    ),
    "after an outage each slot is judged by its own instant": (
        Given(now="10:46", spec=suspended("10:30")),
        "Skipped(Suspended) 10:15; Missed(Superseded) 10:30; trigger 10:45; wake 11:00",
    ),
    "an edit that suspends ends what waits": (
        Given(now="10:16", spec=suspended("11:00"), standing=standing(suspended("11:00"), "10:15", pending=WAITING)),
        "Skipped(Suspended) 10:15; hold Suspended; wake 10:30",
    ),
    "None: what is suspended is skipped, not missed": (
        Given(now="10:16", spec=suspended("11:00", catch_up=NONE)),
        "Skipped(Suspended) 10:15; hold Suspended; wake 10:30",
    ),
    "a person's sync does not count while suspended": (
        Given(now="10:16", spec=suspended("11:00"), jobs=(job("j1", "10:15:30", RUNNING),)),
        "Skipped(Suspended) 10:15; hold Suspended; wake 10:30",
    ),
    "a suspension in the past is none": (
        Given(now="10:15", spec=suspended("09:00")),
        "trigger 10:15; wake 10:30",
    ),
    # freeze
    "frozen": (
        Given(now="10:15", spec=frozen("10:20")),
        "Skipped(Frozen) 10:15; hold Frozen; wake 10:20",
    ),
    "the end of a freeze is frozen no more": (Given(now="10:15", spec=frozen("10:15")), "trigger 10:15; wake 10:30"),
    "frozen for ever": (Given(now="10:15", spec=frozen("")), "Skipped(Frozen) 10:15; hold Frozen; wake 10:30"),
    "of two freezes the longer one counts": (
        Given(now="10:20", spec=frozen("10:20", "10:40")),
        "Skipped(Frozen) 10:15; hold Frozen; wake 10:30",
    ),
    "nothing is made up after a freeze": (
        Given(now="10:46", spec=frozen("10:40")),
        "Skipped(Frozen) 10:15; Skipped(Frozen) 10:30; trigger 10:45; wake 11:00",
    ),
    "a suspension is named before a freeze": (
        Given(now="10:15", spec=suspended("10:25", freezes=frozen("10:20").freezes)),
        "Skipped(Suspended) 10:15; hold Suspended; wake 10:20",
    ),
    "a freeze that outlasts the suspension": (
        Given(now="10:20", spec=suspended("10:10", freezes=frozen("10:25").freezes)),
        "Skipped(Frozen) 10:15; hold Frozen; wake 10:25",
    ),
    # Observe
    "Observe: suspended for a time that is over now": (
        Given(now="10:31", spec=suspended("10:20", mode=Mode.OBSERVE)),
        "Skipped(Suspended) 10:15; Held(Observe) 10:30; hold Observe 10:30; wake 10:45",
    ),
    "Observe: a freeze ends slots like a suspension": (
        Given(now="10:15", spec=frozen("10:20", mode=Mode.OBSERVE)),
        "Skipped(Frozen) 10:15; hold Frozen; wake 10:20",
    ),
    "Observe: the end itself is observed": (
        Given(now="10:15", spec=frozen("10:15", mode=Mode.OBSERVE)),
        "Held(Observe) 10:15; hold Observe 10:15; wake 10:30",
    ),
    # policies that quarrel
    "a quarrel holds the slot": (
        Given(now="10:15", spec=QUARREL),
        "Held(PolicyConflict) 10:15; hold PolicyConflict; hold PolicyConflict 10:15; wake 10:30",
    ),
    "and the schedule while nothing is due": (
        Given(now="10:14", spec=QUARREL),
        "hold PolicyConflict; wake 10:15",
    ),
    "a quarrel that is over within the window lets it start": (
        Given(now="10:20", standing=standing(watermark="10:15", pending=(held("10:15", Reason.POLICY_CONFLICT),))),
        "trigger 10:15; wake 10:30",
    ),
    "one that is not ends the slot": (
        Given(now="10:20:00.001", spec=spec(conflicts=("overlap",), catch_up=BRIEF)),
        "Skipped(PolicyConflict) 10:15; hold PolicyConflict; wake 10:30",
    ),
    "older slots of a quarrel are skipped": (
        Given(now="10:30", spec=QUARREL),
        "Skipped(PolicyConflict) 10:15; Held(PolicyConflict) 10:30; hold PolicyConflict; hold PolicyConflict 10:30; wake 10:45",
    ),
    "Observe: a quarrel may be about the mode itself": (
        Given(now="10:15", spec=spec(conflicts=("mode",), mode=Mode.OBSERVE)),
        "Held(PolicyConflict) 10:15; hold PolicyConflict; hold PolicyConflict 10:15; wake 10:30",
    ),
    # failureBudget
    "one failure less than the budget": (
        Given(now="10:15", spec=BUDGET, standing=standing(BUDGET, failures=2)),
        "trigger 10:15; wake 10:30",
    ),
    "as many as the budget": (
        Given(now="10:15", spec=BUDGET, standing=standing(BUDGET, failures=3)),
        "Skipped(Stalled) 10:15; hold Stalled; wake 10:30",
    ),
    "stalled while nothing is due": (
        Given(now="10:14", spec=BUDGET, standing=standing(BUDGET, failures=4)),
        "hold Stalled; wake 10:15",
    ),
    "without a budget nothing stalls": (
        Given(now="10:15", standing=standing(failures=99)),
        "trigger 10:15; wake 10:30",
    ),
    "the last failure ends a slot that waits": (
        Given(now="10:16", spec=BUDGET, standing=standing(BUDGET, "10:15", failures=3, pending=WAITING)),
        "Skipped(Stalled) 10:15; hold Stalled; wake 10:30",
    ),
    "after a success, or an edit, it starts": (
        Given(now="10:30", spec=BUDGET, standing=standing(BUDGET, "10:15", failures=0)),
        "trigger 10:30; wake 10:45",
    ),
    "a suspension is named before the stall": (
        Given(
            now="10:15",
            spec=suspended("11:00", failure_budget=3),
            standing=standing(suspended("11:00", failure_budget=3), failures=3),
        ),
        "Skipped(Suspended) 10:15; hold Suspended; wake 10:30",
    ),
    # a clock that was set back
    "a clock half a minute behind is tolerated": (
        Given(now="10:14:30", standing=standing(watermark="10:15")),
        "wake 10:15",
    ),
    "one that is further behind starts and settles nothing": (
        Given(now="10:14:29.999", standing=standing(watermark="10:15", pending=WAITING)),
        "hold ClockBehind; wake 10:15",
    ),
    "what was decided in the time that comes again stays decided": (
        Given(now="10:15", standing=standing(watermark="10:15")),
        "wake 10:30",
    ),
}


@pytest.mark.parametrize(("given", "expected"), CASES.values(), ids=CASES)
def test_nothing_starts_while_something_forbids_it(given: Given, expected: str) -> None:
    """Every row of the table: what a slot comes to, what is said meanwhile, and when it is looked at again."""
    assert plan_of(given) == expected


def test_the_message_says_why_who_and_until_when() -> None:
    """A person who reads the hold knows whom to ask."""
    (hold,) = decide(Given(now="10:14", spec=suspended("10:20"))).holds
    assert hold.message == "migration (by ana), until 2026-03-02 10:20:00Z"


def test_a_quarrel_names_its_fields() -> None:
    """Whoever mends it must know which values contradict each other."""
    (hold,) = decide(Given(now="10:14", spec=spec(conflicts=("catchUp.window", "overlap")))).holds
    assert "catchUp.window, overlap" in hold.message
