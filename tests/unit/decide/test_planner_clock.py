"""The planner where the time is in doubt, and after the wall clock was corrected."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from controller.decide.check import check_plan
from controller.decide.planner import make_plan
from controller.model.plan import ClockJump, Plan
from controller.model.record import Outcome, Reason
from controller.model.schedule import CatchUp, Mode, Overlap, Suspension
from tests.unit.decide.given import (
    RUNNING,
    Given,
    at,
    busy,
    claim,
    cron,
    decide,
    every,
    held,
    job,
    plan_of,
    spec,
    standing,
    success,
)

DUE = Given(now="10:15:05")
BUSY_TIMES: dict[str, Given] = {
    "a slot is due": DUE,
    "many are": Given(now="14:00:05"),
    "a window ends": Given(now="10:16:30", spec=spec(catch_up=CatchUp(window=timedelta(minutes=1)))),
    "a job should end": Given(
        now="10:16", spec=spec(max_duration=timedelta(minutes=1)), jobs=(job("j", "10:00", RUNNING),)
    ),
    "a claim is in doubt": Given(now="10:18", standing=standing(claim=claim())),
    "a job of a claim was seen": Given(now="10:16", standing=standing(claim=claim()), jobs=(job("j", "10:15:01"),)),
    "a spec is new": Given(now="10:16", standing=standing(spec(every(5)))),
    "a spec is gone": Given(now="10:16", spec=None, standing=standing()),
    "it only observes": Given(now="10:16", spec=spec(mode=Mode.OBSERVE)),
    "it is suspended": Given(now="10:16", spec=spec(suspend=Suspension())),
    "the data is fresh again": Given(
        now="10:16", spec=spec(overlap=Overlap.SKIP), standing=standing(last_success=success("10:10"))
    ),
    "the clock was behind": Given(now="09:00", standing=standing(watermark="10:00")),
}


@pytest.mark.parametrize("given", BUSY_TIMES.values(), ids=BUSY_TIMES)
def test_nothing_is_judged_while_the_time_is_in_doubt(given: Given) -> None:
    """Whatever would be decided, there is one hold and no instant at which to ask again: the loop asks when the clocks agree."""
    assert plan_of(replace(given, frozen="it was set")) == "hold ClockFrozen"
    assert plan_of(replace(given, skewed="it is wrong")) == "hold ClockSkew"
    assert plan_of(replace(given, frozen="it was set", skewed="it is wrong")) == "hold ClockFrozen"
    assert decide(replace(given, frozen="it was set")).holds[0].message == "it was set"


def test_a_connection_without_a_schedule_is_not_held() -> None:
    """Nobody asks for anything there."""
    assert plan_of(Given(now="10:16", spec=None, standing=standing(calendar_key=None), frozen="it was set")) == ""


@pytest.mark.parametrize("doubt", [{"frozen": "it was set"}, {"skewed": "it is wrong"}])
@pytest.mark.parametrize("name", ["a slot is due", "a job should end", "a claim is in doubt", "a spec is new"])
def test_an_action_while_the_time_is_in_doubt_is_refused(name: str, doubt: dict[str, Any]) -> None:
    """A plan made as if nothing were wrong breaks a promise."""
    given = BUSY_TIMES[name]
    made = make_plan(given.known())
    assert made.actions != ()
    known = replace(given, **doubt).known()
    assert "while the time is in doubt" in check_plan(known, made)[0]
    assert check_plan(known, Plan(made.now, tuple(replace(each, actions=()) for each in made.connections))) == {}


def after(**known: Any) -> Given:
    """Just after the clock was corrected from 10:05 to 11:05."""
    return Given(now="11:05:30", jump=ClockJump(at("10:05"), at("11:05")), **known)


PATIENT = spec(catch_up=CatchUp(window=timedelta(hours=6)))
JUMPS: dict[str, tuple[Given, str]] = {
    "without a jump the newest of an hour is caught up": (
        replace(after(), jump=None),
        "Missed(Superseded) 10:15; Missed(Superseded) 10:30; Missed(Superseded) 10:45; trigger 11:00; wake 11:15",
    ),
    "all slots of a jump are missed": (
        after(),
        "Missed(Deadline) 10:15; Missed(Deadline) 10:30; Missed(Deadline) 10:45; Missed(Deadline) 11:00; wake 11:15",
    ),
    "a single one is caught up": (after(spec=spec(cron("30 10 * * *"))), "trigger 10:30; wake +1d 10:30"),
    "two are not": (
        after(spec=spec(cron("30,40 10 * * *"))),
        "Missed(Deadline) 10:30; Missed(Deadline) 10:40; wake +1d 10:30",
    ),
    "one of just before the jump does not start after it": (
        after(spec=PATIENT, standing=standing(PATIENT, "09:45")),
        (
            "Missed(Superseded) 10:00; Missed(Deadline) 10:15; Missed(Deadline) 10:30; Missed(Deadline) 10:45; "
            "Missed(Deadline) 11:00; wake 11:15"
        ),
    ),
    "one that comes after the jump starts": (
        replace(after(), now="11:15:01"),
        "Missed(Deadline) 10:15; Missed(Deadline) 10:30; Missed(Deadline) 10:45; Missed(Deadline) 11:00; trigger 11:15; wake 11:30",
    ),
    "one that comes just when the jump ends belongs to it": (
        replace(after(), jump=ClockJump(at("10:45"), at("11:00"))),
        "Missed(Superseded) 10:15; Missed(Superseded) 10:30; Missed(Superseded) 10:45; trigger 11:00; wake 11:15",
    ),
    "what stood against them still does": (
        after(spec=spec(suspend=Suspension(until=at("10:40")))),
        "Skipped(Suspended) 10:15; Skipped(Suspended) 10:30; Missed(Deadline) 10:45; Missed(Deadline) 11:00; wake 11:15",
    ),
    "one that waited is over as well": (
        after(
            spec=PATIENT,
            standing=standing(PATIENT, "10:30", pending=(held("10:30", Reason.AWAITING_TURN),)),
        ),
        "Missed(Deadline) 10:30; Missed(Deadline) 10:45; Missed(Deadline) 11:00; wake 11:15",
    ),
    "a jump back leaves slots as they are": (
        replace(after(), jump=ClockJump(at("11:05"), at("10:05"))),
        "Missed(Superseded) 10:15; Missed(Superseded) 10:30; Missed(Superseded) 10:45; trigger 11:00; wake 11:15",
    ),
    "while a request is under way nobody knows which slot it is about": (
        after(in_flight=True),
        "hold TriggerInFlight 11:00; wake 11:15",
    ),
}


@pytest.mark.parametrize(("given", "expected"), JUMPS.values(), ids=JUMPS)
def test_what_becomes_of_slots_that_the_clock_leapt_over(given: Given, expected: str) -> None:
    """A jump of more than one interval is never caught up."""
    assert plan_of(given) == expected


def test_more_slots_than_get_a_record_of_their_own_are_missed_all_the_same() -> None:
    """Of a jump of years the older slots are counted; the newest one does not start either."""
    given = replace(after(spec=spec(every(1))), jump=ClockJump(at("-3d 10:00"), at("11:05")))
    plan = decide(replace(given, standing=standing(spec(every(1)), watermark="-3d 10:00")))
    outcomes = [action.record.outcome for action in plan.actions]  # type: ignore[union-attr]
    assert len(outcomes) == 1001
    assert set(outcomes) == {Outcome.MISSED}


def test_the_record_names_the_jump() -> None:
    """Whoever asks why nothing ran finds the cause."""
    record = decide(after()).actions[0].record  # type: ignore[union-attr]
    assert record.message == (
        "the clock was set forward over it, from 2026-03-02 10:05:00Z to 2026-03-02 11:05:00Z, which is more than one interval"
    )


DOUBTS: dict[str, tuple[Given, str]] = {
    "T_resolve is time that must pass": (
        after(standing=standing(watermark="11:00", claim=claim("10:00", "10:04"))),
        "hold InDoubt 10:00; need InDoubt from 11:06:05 back to 09:50; wake 11:06:05",
    ),
    "when it has passed the doubt is settled": (
        replace(
            after(standing=standing(watermark="11:00", claim=claim("10:00", "10:04")), covers="09:50"), now="11:06:06"
        ),
        "settle Absent: Held(AwaitingTurn) 10:00; wake 11:06:06",
    ),
    "a claim of after the jump is not put off": (
        replace(after(standing=standing(watermark="11:15", claim=claim("11:15"))), now="11:16"),
        "hold InDoubt 11:15; need InDoubt from 11:17:05 back to 11:05; wake 11:17:05",
    ),
    "a job of before a correction back is found by its earlier date": (
        Given(
            now="10:06",
            jump=ClockJump(at("11:05"), at("10:05")),
            standing=standing(watermark="11:00", claim=claim("11:00", "11:04")),
            jobs=(job("j", "10:04:01"),),
        ),
        "settle Adopted: Triggered 11:00 by j; wake 10:06",
    ),
    "and is looked for that much further back": (
        Given(
            now="11:06:06",
            jump=ClockJump(at("11:05"), at("10:05")),
            standing=standing(watermark="11:00", claim=claim("11:00", "11:04")),
            covers="10:50",
        ),
        "hold InDoubt 11:00; need InDoubt from 11:06:05 back to 09:50; wake 11:15",
    ),
    "the answer of a platform that was busy is not older than it seems": (
        after(standing=standing(watermark="11:00", claim=busy("10:04:30", "10:00", written="10:04"))),
        "hold InDoubt 10:00; need InDoubt from 11:06:05 back to 09:50 with the connection; wake 11:06:05",
    ),
}


@pytest.mark.parametrize(("given", "expected"), DOUBTS.values(), ids=DOUBTS)
def test_a_correction_of_the_clock_settles_no_doubt(given: Given, expected: str) -> None:
    """A claim that was written by the clock before it waits as long as it must, and its job is recognised."""
    assert plan_of(given) == expected
