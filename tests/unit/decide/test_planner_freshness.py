"""``freshness``, as a table: slots that come when the last success is too old, and again each quarter of that age until one succeeds.

The data shall be no older than an hour; the last sync that succeeded ended at 9:20. So the slots are 10:20, 10:35, 10:50 and so on.
"""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from controller.model.calendar import CalendarEntry, EntryKind
from controller.model.plan import Freshness
from controller.model.profile import EMBEDDED
from controller.model.record import Reason
from controller.model.schedule import CatchUp, CatchUpPolicy, FreshnessAlert, Mode, Overlap, ScheduleSpec, Suspension
from tests.unit.decide.given import (
    RUNNING,
    Given,
    at,
    claim,
    decide,
    every,
    held,
    job,
    ours,
    plan_of,
    spec,
    standing,
    success,
    told,
)


def fresh(minutes: int) -> tuple[CalendarEntry, ...]:
    """The data shall be no older than this."""
    return (CalendarEntry(EntryKind.FRESHNESS, f"{minutes}m", every=minutes * 60),)


HOURLY = spec(fresh(60))
ALERT = spec(freshness_alert=FreshnessAlert(timedelta(hours=1), timedelta(hours=2)))
RUNS = job("j1", "10:10", RUNNING)
WAITING = (held("10:20", Reason.ACTIVE),)
LOOK = "need Active from 10:20 back to 10:10"


def stale(
    now: str, schedule: ScheduleSpec = HOURLY, last: str = "09:20", watermark: str = "10:00", **said: Any
) -> Given:
    """Slots count from 9:20; ``last`` is the newest success that is known."""
    known = {name: said.pop(name) for name in ("pending", "claim", "attributed") if name in said}
    stands = standing(schedule, watermark, fresh_since=at("09:20"), last_success=success(last), **known)
    return Given(now=now, spec=schedule, standing=stands, **said)


def unknown(now: str, schedule: ScheduleSpec = HOURLY, **said: Any) -> Given:
    """In force since 10:00, and no success is known."""
    return Given(now=now, spec=schedule, standing=standing(schedule, effective_since=at("10:00")), **said)


CASES: dict[str, tuple[Given, str]] = {
    # when it comes
    "fresh enough": (stale("10:19:59"), "wake 10:20"),
    "as old as asked for": (stale("10:20"), "trigger 10:20; wake 10:35"),
    "a quarter later it comes again": (stale("10:35", watermark="10:20"), "trigger 10:35; wake 10:50"),
    "until then nothing is due": (stale("10:34", watermark="10:20"), "wake 10:35"),
    "no sooner again than the platform's shortest interval": (
        stale("10:20", spec(fresh(4)), watermark="10:19"),
        "wake 10:24",
    ),
    "a platform with a shorter one": (
        stale("10:20", watermark="10:19:30", schedule=spec(fresh(4)), profile=EMBEDDED),
        "trigger 10:20; wake 10:21",
    ),
    "a second later is another second": (
        stale("10:20:01", last="09:20:01", watermark="10:20"),
        "fresh since 09:20:01; wake 10:20:01",
    ),
    "after an outage the newest starts": (
        stale("11:00"),
        "Missed(Superseded) 10:20; Missed(Superseded) 10:35; trigger 10:50; wake 11:05",
    ),
    # no success known
    "never a success: the first comes at once": (unknown("10:00:01"), "trigger 10:00:01; wake 10:15:01"),
    "and again each quarter": (
        unknown("10:15:01"),
        "Missed(Superseded) 10:00:01; trigger 10:15:01; wake 10:30:01",
    ),
    "at first sight nobody knows, and there is no slot": (
        unknown("10:20", success_known=False),
        "hold AwaitingListing; need Success from 10:00",
    ),
    "other entries have theirs meanwhile": (
        unknown("10:30", spec((*fresh(60), *every(30))), success_known=False),
        "trigger 10:30; hold AwaitingListing; need Success from 10:00; wake 11:00",
    ),
    "an answer counts from the success that it found": (
        Given(
            now="10:01",
            spec=HOURLY,
            standing=standing(HOURLY, effective_since=at("10:00"), last_success=success("09:40")),
        ),
        "fresh since 09:40; wake 10:01",
    ),
    # an active job
    "it waits for an active job, whatever overlap says": (
        stale("10:20", jobs=(RUNS,)),
        f"Held(Active) 10:20; hold Active 10:20; {LOOK}; wake 10:35",
    ),
    "Replace cancels nothing for it": (
        stale("10:20", spec(fresh(60), overlap=Overlap.REPLACE), jobs=(RUNS,), attributed=ours(j1="09:20")),
        f"Held(Active) 10:20; hold Active 10:20; {LOOK}; wake 10:35",
    ),
    "the job fails, and it starts": (
        stale("10:25", watermark="10:20", pending=WAITING),
        "trigger 10:20; wake 10:35",
    ),
    "the job succeeds, and it counts as done": (
        stale("10:26", last="10:25", watermark="10:20", pending=WAITING),
        "Counted 10:20; fresh since 10:25; wake 10:26",
    ),
    "a success that ended before it takes it back": (
        stale("10:20:05", last="10:19:30", watermark="10:20", pending=WAITING),
        "fresh since 10:19:30 without 10:20; wake 10:20:05",
    ),
    "a success at its very instant counts": (
        stale("10:20:05", last="10:20", watermark="10:20", pending=WAITING),
        "Counted 10:20; fresh since 10:20; wake 10:20:05",
    ),
    "also one that has no record yet": (stale("10:20:05", last="10:19:30"), "fresh since 10:19:30; wake 10:20:05"),
    "a newer one waits for the same job": (
        stale("10:35", jobs=(RUNS,), watermark="10:20", pending=WAITING),
        (
            "Skipped(Active) 10:20; Held(Active) 10:35; hold Active 10:35; "
            "need Active from 10:35 back to 10:25; wake 10:50"
        ),
    ),
    "both are over when it succeeds": (
        stale("10:36", last="10:35:30", watermark="10:20", pending=WAITING),
        "Skipped(Active) 10:20; Counted 10:35; fresh since 10:35:30; wake 10:36",
    ),
    "an equal instant of another entry follows overlap": (
        stale("10:20", spec((*fresh(60), *every(20))), jobs=(RUNS,), watermark="10:10"),
        "Skipped(Active) 10:20; wake 10:35",
    ),
    # who made the success, and when it is seen
    "a person's running sync counts for a slot like any other": (
        stale("10:22", jobs=(job("x1", "10:21", RUNNING),)),
        "Counted 10:20 by x1; wake 10:35",
    ),
    "a success in an outage": (
        stale("11:00", last="10:40"),
        "Missed(Superseded) 10:20; Counted 10:35; fresh since 10:40; wake 11:00",
    ),
    "slots of other entries before it stay due": (
        stale("10:36", spec((*fresh(60), *every(30))), last="10:35:30", watermark="10:10"),
        "Missed(Superseded) 10:20; Held(AwaitingTurn) 10:30; Counted 10:35; fresh since 10:35:30; wake 10:36",
    ),
    "those after it are not touched": (
        stale("10:31", spec((*fresh(60), *every(30))), last="10:25", watermark="10:10"),
        "Counted 10:20; fresh since 10:25; wake 10:31",
    ),
    "an older success changes nothing": (stale("10:20", last="09:00"), "trigger 10:20; wake 10:35"),
    "an outcome is never waited for while a request is under way": (
        stale("10:26", last="10:25", in_flight=True),
        "hold TriggerInFlight 10:20; wake 10:35",
    ),
    # claims
    "the slot of an open claim is left to it": (
        stale("10:20:05", last="10:19:30", watermark="10:20", claim=claim("10:20", baseline=("s1",)), pending=WAITING),
        "fresh since 10:19:30; wake 10:20:05",
    ),
    "and goes when its claim has made no job": (
        replace(
            stale("10:22:10", last="10:19:30"),
            standing=standing(
                HOURLY,
                "10:20",
                fresh_since=at("10:19:30"),
                last_success=success("10:19:30"),
                pending=(held("10:20", Reason.AWAITING_TURN),),
            ),
        ),
        "fresh since 10:19:30 without 10:20; wake 10:22:10",
    ),
    # other rules
    "suspended": (
        stale("10:20", spec(fresh(60), suspend=Suspension())),
        "Skipped(Suspended) 10:20; hold Suspended; wake 10:35",
    ),
    "a success while suspended is a success": (
        stale("10:26", spec(fresh(60), suspend=Suspension()), last="10:25", watermark="10:20"),
        "fresh since 10:25; wake 10:26",
    ),
    "None: it was seen in time": (
        stale("10:20:10", spec(fresh(60), catch_up=CatchUp(CatchUpPolicy.NONE))),
        "trigger 10:20; wake 10:35",
    ),
    "None: it was not": (
        stale("10:20:11", spec(fresh(60), catch_up=CatchUp(CatchUpPolicy.NONE))),
        "Missed(Deadline) 10:20; wake 10:35",
    ),
    "Observe": (
        stale("10:20", spec(fresh(60), mode=Mode.OBSERVE)),
        "Held(Observe) 10:20; hold Observe 10:20; wake 10:35",
    ),
    "Observe: a success counts": (
        stale(
            "10:26",
            spec(fresh(60), mode=Mode.OBSERVE),
            last="10:25",
            watermark="10:20",
            pending=(held("10:20", Reason.OBSERVE),),
        ),
        "Counted 10:20; fresh since 10:25; wake 10:26",
    ),
    "an edit to another age": (
        replace(stale("10:21"), spec=spec(fresh(120))),
        "Skipped(Deleted) 10:20; accept nightly generation 2; wake 10:21",
    ),
}


@pytest.mark.parametrize(("given", "expected"), CASES.values(), ids=CASES)
def test_a_slot_comes_when_the_data_is_too_old(given: Given, expected: str) -> None:
    """Every row of the table: when a slot is there at all, what it waits for, and what a success makes of it."""
    assert plan_of(given) == expected


def alerted(now: str, listing: str = "", last: str = "09:00", success_known: bool = True) -> Given:
    """A schedule that tells when its data is an hour old, and when it is two."""
    newest = success(last) if last else None
    stands = standing(ALERT, now, effective_since=at("08:00"), last_success=newest)
    return Given(now=now, spec=ALERT, standing=stands, listing=listing, success_known=success_known)


ALERTS: dict[str, tuple[Given, Freshness | None, str]] = {
    "young": (alerted("09:50"), Freshness.FRESH, "wake 10:00"),
    "an hour old": (alerted("10:00"), Freshness.WARNING, "wake 10:15"),
    "an hour old, and not seen yet": (
        alerted("10:00", listing="09:59:59"),
        Freshness.FRESH,
        "need Absence from 10:00; wake 10:15",
    ),
    "just below two hours": (alerted("10:59:59"), Freshness.WARNING, "wake 11:00"),
    "two hours old": (alerted("11:00"), Freshness.ERROR, "wake 11:15"),
    "two hours old, seen up to one": (
        alerted("11:00", listing="10:30"),
        Freshness.WARNING,
        "need Absence from 11:00; wake 11:15",
    ),
    "never a success: it counts from the schedule's first instant": (
        alerted("09:00", last=""),
        Freshness.WARNING,
        "wake 09:15",
    ),
    "at first sight": (
        alerted("10:59", last="", success_known=False),
        None,
        "hold AwaitingListing; need Success from 08:00; wake 11:00",
    ),
}


@pytest.mark.parametrize(("given", "state", "expected"), ALERTS.values(), ids=ALERTS)
def test_somebody_is_told_when_the_data_is_old(given: Given, state: Freshness | None, expected: str) -> None:
    """Every row: how old it is called, and only from a listing begun after the instant that is spoken of."""
    plan = decide(given)
    assert (plan.freshness, told(plan)) == (state, expected)


def test_no_alert_is_no_state() -> None:
    """Where nobody asked, nothing is called old."""
    assert decide(Given(now="10:14")).freshness is None
