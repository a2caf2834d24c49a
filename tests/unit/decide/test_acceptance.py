"""When a spec comes into force, changes or goes, as a table: an edit fires nothing that had passed, and loses nothing that was due."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from controller.decide.planner import make_plan
from controller.model.identity import ConnectionRef
from controller.model.job import Job, JobKind, JobStatus
from controller.model.plan import AcceptSchedule, RecordSlot
from controller.model.record import Reason, Standing
from controller.model.schedule import CatchUp, CatchUpPolicy, Mode, OnDelete, Origin, ScheduleSpec, Suspension
from tests.unit.decide.given import (
    MIDNIGHT,
    NIGHTLY,
    REF,
    REVISION,
    RUNNING,
    UNKNOWN,
    Given,
    at,
    cancelled,
    claim,
    cron,
    every,
    held,
    job,
    ours,
    plan_of,
    spec,
    standing,
)

HOURLY = spec(every(60))
HALF_HOURLY = spec(every(30))
RENAMED = spec(name="weekly")
MOVED = replace(NIGHTLY, origin=Origin("elsewhere.yaml", 7))
SLOWER = spec(catch_up=CatchUp(window=timedelta(minutes=10)))
OBSERVING, ENFORCING = spec(mode=Mode.OBSERVE), spec()
RETIRED = standing(calendar_key=None, content="")
UNSEEN = Standing(REF)
WAITING = (held("10:15", Reason.MIN_GAP),)

CASES: dict[str, tuple[Given, str]] = {
    "first sight": (Given(now="10:16", standing=UNSEEN), "accept nightly generation 1; wake 10:16"),
    "nothing has changed": (Given(now="10:14"), "wake 10:15"),
    "nobody ever asked for it": (Given(now="10:14", spec=None, standing=UNSEEN), ""),
    "a file that moved is the same schedule": (Given(now="10:14", spec=MOVED), "wake 10:15"),
    "an edit of another field keeps what is due": (
        Given(now="10:16", spec=SLOWER, standing=standing()),
        "accept nightly generation 2; wake 10:16",
    ),
    "a new name is a new generation, not a new calendar": (
        Given(now="10:16", spec=RENAMED, standing=standing()),
        "accept weekly generation 2; wake 10:16",
    ),
    "a name that the content does not hold makes no generation": (
        Given(now="10:14", standing=standing(schedule="before")),
        "accept nightly generation 1; wake 10:14",
    ),
    "a slot of both calendars stays due": (
        Given(now="10:31", spec=HALF_HOURLY, standing=standing()),
        "Skipped(Deleted) 10:15; Held(AwaitingTurn) 10:30; accept nightly generation 2; wake 10:31",
    ),
    "a slot that only the new calendar has is not due": (
        Given(now="10:31", spec=NIGHTLY, standing=standing(HOURLY)),
        "accept nightly generation 2; wake 10:31",
    ),
    "a slot that waits and is gone from the calendar is deleted": (
        Given(now="10:16", spec=HOURLY, standing=standing(watermark="10:15", pending=WAITING)),
        "Skipped(Deleted) 10:15; accept nightly generation 2; wake 10:16",
    ),
    "a slot that waits and is in both stays as it is": (
        Given(now="10:16", spec=spec(every(5)), standing=standing(watermark="10:15", pending=WAITING)),
        "accept nightly generation 2; wake 10:16",
    ),
    "a slot that was observed stays observed through an edit of the calendar": (
        Given(
            now="10:16",
            spec=spec(every(5)),
            standing=standing(OBSERVING, "10:15", pending=(held("10:15", Reason.OBSERVE),)),
        ),
        "accept nightly generation 2; wake 10:16",
    ),
    "the slot of an open claim is left to its claim": (
        Given(now="10:16", spec=HOURLY, standing=standing(watermark="10:15", claim=claim())),
        "accept nightly generation 2; wake 10:16",
    ),
    "an edit waits for a request under way, whose slot is not known": (
        Given(now="10:16", spec=HOURLY, standing=standing(), in_flight=True),
        "hold TriggerInFlight 10:15; wake 10:30",
    ),
    "a schedule that is gone is retired": (
        Given(now="10:14", spec=None, standing=standing()),
        "retire nightly; wake 10:14",
    ),
    "what was due then is deleted": (
        Given(now="10:31", spec=None, standing=standing(watermark="10:15", pending=WAITING)),
        "Skipped(Deleted) 10:15; Skipped(Deleted) 10:30; retire nightly; wake 10:31",
    ),
    "a long time without a controller is deleted in one record and a thousand": (
        Given(now="10:00", spec=None, standing=standing(spec(every(1)), "-1d 10:00")),
        "Skipped(Deleted) -1d 10:01 to -1d 17:20, 440 slots; 1000 more; retire nightly; wake 10:00",
    ),
    "a retired schedule has nothing to say": (Given(now="10:31", spec=None, standing=RETIRED), ""),
    "a refused trigger of a retired schedule ends as deleted": (
        Given(now="10:16", spec=None, standing=replace(RETIRED, pending=(held("10:15", Reason.REFUSED),))),
        "Skipped(Deleted) 10:15; wake 10:16",
    ),
    "a schedule that returns is new": (
        Given(now="10:31", standing=RETIRED),
        "accept nightly generation 2; wake 10:31",
    ),
    "and starts nothing that waited before it went": (
        Given(now="10:16", standing=replace(RETIRED, pending=(held("10:15", Reason.REFUSED),))),
        "Skipped(Deleted) 10:15; accept nightly generation 2; wake 10:16",
    ),
    "two files that claim one connection put nothing in force": (
        Given(now="10:31", spec=None, standing=UNSEEN, obstacle=Reason.DUPLICATE_CONNECTION),
        "hold DuplicateConnection",
    ),
    "nor do they retire what was": (
        Given(now="10:14", spec=None, standing=standing(), obstacle=Reason.DUPLICATE_CONNECTION),
        "hold DuplicateConnection; wake 10:15",
    ),
    "nor does a contradiction change it": (
        Given(now="10:14", spec=HOURLY, standing=standing(), obstacle=Reason.DUPLICATE_NAME),
        "hold DuplicateName; wake 10:15",
    ),
    "a platform that the settings do not know accepts nothing": (
        Given(now="10:14", standing=UNSEEN, is_known_platform=False),
        "hold UnknownPlatform",
    ),
    "a schedule that only observed starts nothing that was due before": (
        Given(
            now="10:16",
            spec=ENFORCING,
            standing=standing(ENFORCING, "10:15", pending=(held("10:15", Reason.OBSERVE),)),
        ),
        "Missed(Deadline) 10:15; wake 10:30",
    ),
    "a spec that is not supported yet is in force and held": (
        Given(now="10:14", spec=spec(unsupported=("jitter",)), standing=UNSEEN),
        "accept nightly generation 1; wake 10:14",
    ),
    "a calendar in another zone is another calendar": (
        Given(now="10:16", spec=spec(cron("0 8 * * *", "Europe/Zurich")), standing=standing(spec(cron("0 8 * * *")))),
        "accept nightly generation 2; wake 10:16",
    ),
}


CANCELLING = spec(on_delete=OnDelete.CANCEL_RUNNING)
FROZEN_UNTIL = spec(on_delete=OnDelete.CANCEL_RUNNING, freezes=(Suspension("incident", until=at("10:20")),))
FROZEN = spec(on_delete=OnDelete.CANCEL_RUNNING, freezes=(Suspension("incident"),))
RUNS = job("j1", "10:00:01", RUNNING)


def leaving(
    now: str = "10:14", last: ScheduleSpec | None = CANCELLING, runs: Job | None = RUNS, listing: str = "", **known: Any
) -> Given:
    """A schedule that is gone while our job runs."""
    stands = standing(attributed=known.pop("attributed", ours(j1="10:00")), **known)
    return Given(now=now, spec=None, last_spec=last, standing=stands, jobs=(runs,) if runs else (), listing=listing)


LEAVING: dict[str, tuple[Given, str]] = {
    "its job is asked to end first": (leaving(), "cancel j1 for Deleted"),
    "what was due is deleted meanwhile": (leaving("10:15"), "Skipped(Deleted) 10:15; cancel j1 for Deleted"),
    "then it is waited for": (
        leaving("10:14:20", cancel=cancelled("j1", "10:14")),
        "hold Deleted; need Cancelling from 10:14:30; wake 10:14:30",
    ),
    "an ignored DELETE is sent again": (leaving("10:14:30", cancel=cancelled("j1", "10:14")), "cancel j1 for Deleted"),
    "after five it goes all the same": (
        leaving("10:14:30", cancel=cancelled("j1", "10:13", requests=5)),
        "retire nightly; wake 10:14:30",
    ),
    "once the job is over it goes": (
        leaving(runs=replace(RUNS, status=JobStatus.CANCELLED)),
        "retire nightly; wake 10:14",
    ),
    "Orphan leaves the job alone": (leaving(last=NIGHTLY), "retire nightly; wake 10:14"),
    "nothing is known of what was desired": (leaving(last=None), "retire nightly; wake 10:14"),
    "a schedule that only observed cancels nothing": (
        leaving(last=spec(on_delete=OnDelete.CANCEL_RUNNING, mode=Mode.OBSERVE)),
        "retire nightly; wake 10:14",
    ),
    "a person's job is left alone": (leaving(attributed={}), "retire nightly; wake 10:14"),
    "also one that counted for a slot": (leaving(counted=frozenset({"j1"})), "retire nightly; wake 10:14"),
    "a reset is left alone": (
        leaving(runs=job("j1", "10:00:01", RUNNING, JobKind.RESET)),
        "retire nightly; wake 10:14",
    ),
    "and a job of unknown status": (leaving(runs=job("j1", "10:00:01", UNKNOWN)), "retire nightly; wake 10:14"),
    "only on a fresh view": (
        leaving(listing="10:12:29"),
        "hold AwaitingListing; need Limit from 10:00:01",
    ),
    "not while a request is under way": (
        replace(leaving(claim=claim("10:00", baseline=("j1",))), in_flight=True),
        "hold CancelInFlight",
    ),
    "a freeze is waited for": (leaving(last=FROZEN_UNTIL), "hold Frozen; wake 10:20"),
    "at its end the job is asked": (
        leaving("10:20", last=FROZEN_UNTIL, watermark="10:15"),
        "cancel j1 for Deleted",
    ),
    "a freeze without an end leaves the job alone": (leaving(last=FROZEN), "retire nightly; wake 10:14"),
    "one that is gone already asks for nothing": (
        leaving(calendar_key=None, content=""),
        "",
    ),
}


@pytest.mark.parametrize(("given", "expected"), LEAVING.values(), ids=LEAVING)
def test_a_schedule_goes_with_its_running_job(given: Given, expected: str) -> None:
    """Every row of the table: with ``onDelete: CancelRunning`` our job ends first, and nobody else's ever."""
    assert plan_of(given) == expected


STRICT, STRICT_HALF = spec(catch_up=CatchUp(CatchUpPolicy.NONE)), spec(every(30), catch_up=CatchUp(CatchUpPolicy.NONE))
EDITS: dict[str, tuple[Given, str]] = {
    "None: an edit is not a look in time": (
        Given(now="10:31", spec=STRICT_HALF, standing=standing(STRICT)),
        "Skipped(Deleted) 10:15; Missed(Deadline) 10:30; accept nightly generation 2; wake 10:31",
    ),
    "None: within ten seconds it is": (
        Given(now="10:30:10", spec=STRICT_HALF, standing=standing(STRICT, "10:15")),
        "Held(AwaitingTurn) 10:30; accept nightly generation 2; wake 10:30:10",
    ),
    "of a long outage the oldest are one record, also where both calendars have them": (
        Given(now="10:00", spec=spec(every(0.5)), standing=standing(spec(every(1)), "-1d 10:00")),
        "Missed(Superseded) -1d 10:01 to -1d 17:20, 440 slots; 1000 more; accept nightly generation 2; wake 10:00",
    ),
}


@pytest.mark.parametrize(("given", "expected"), EDITS.values(), ids=EDITS)
def test_an_edit_after_an_outage_loses_no_slot(given: Given, expected: str) -> None:
    """What passed while nobody looked is accounted for before the new calendar counts."""
    assert brief(plan_of(given)) == expected


def brief(text: str) -> str:
    """Fold a long run of records into their number."""
    words = text.split("; ")
    more = [word for word in words[1:] if word.startswith(("Skipped", "Held"))]
    return text if len(words) < 500 else "; ".join([words[0], f"{len(more)} more", *words[1 + len(more) :]])


@pytest.mark.parametrize(("given", "expected"), CASES.values(), ids=CASES)
def test_a_spec_comes_into_force(given: Given, expected: str) -> None:
    """Every row of the table: what is accepted or retired, and what becomes of the slots that were due."""
    assert brief(plan_of(given)) == expected


def test_a_schedule_counts_from_the_instant_of_its_acceptance() -> None:
    """``effectiveSince`` is now, with the revision that brought the spec."""
    (accepted,) = make_plan(Given(now="10:16", standing=UNSEEN).known()).actions
    assert isinstance(accepted, AcceptSchedule)
    assert (accepted.effective_since, accepted.revision, accepted.spec) == (at("10:16"), REVISION, NIGHTLY)


def test_a_removed_schedule_keeps_its_name_in_the_record() -> None:
    """What is gone from the specs is still told by the name that people knew it by."""
    plan = make_plan(Given(now="10:16", spec=None, standing=standing()).known())
    record, gone = plan.actions
    assert isinstance(record, RecordSlot)
    assert isinstance(gone, AcceptSchedule)
    assert (record.record.schedule, gone.schedule, gone.spec) == ("nightly", "nightly", None)


@pytest.mark.parametrize(
    ("desired", "message"), [(None, "its schedule is gone"), (HOURLY, "the edited schedule has no such slot")]
)
def test_a_deleted_slot_says_what_deleted_it(desired: ScheduleSpec | None, message: str) -> None:
    """A schedule that went and one that was edited are told apart."""
    record, _ = make_plan(Given(now="10:16", spec=desired, standing=standing()).known()).actions
    assert isinstance(record, RecordSlot)
    assert record.record.message == message


def test_the_key_of_a_slot_does_not_name_a_file() -> None:
    """Renaming or moving a file fires nothing again: the slot belongs to the connection."""
    before, after = Given(now="10:15"), Given(now="10:15", spec=replace(RENAMED, origin=Origin("x.yaml", 1)))
    assert ConnectionRef("acme", "orders") == before.facts().ref == after.facts().ref
    assert plan_of(after) == plan_of(before) == "trigger 10:15; wake 10:30"
    assert before.facts().standing.effective_since == MIDNIGHT
