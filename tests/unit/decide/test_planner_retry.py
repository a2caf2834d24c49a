"""``retry``, as a table: the next run of a slot whose job failed, after its pause, in its window, while no newer slot is due.

The slot of 10:15 started j1, which failed at 10:17. The pause before a run is its back-off and a share that never changes: a minute for
the first, 2 m 23 s for the second, 4 m 15 s for the third.
"""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from controller.decide.retry import pause_before
from controller.model.connection import ConnectionStatus
from controller.model.identity import ClaimKey
from controller.model.job import Job, JobKind, JobStatus
from controller.model.record import Claim, Reason
from controller.model.schedule import (
    CatchUp,
    CatchUpPolicy,
    ForeignJobs,
    Mode,
    Overlap,
    Retry,
    ScheduleSpec,
    Suspension,
    WhenInDoubt,
)
from tests.unit.decide.given import (
    FAILED,
    RUNNING,
    SUCCEEDED,
    Given,
    at,
    claim,
    connection,
    deny,
    held,
    job,
    ours,
    plan_of,
    setbacks,
    slot,
    spec,
    standing,
)

RETRY = spec(retry=Retry())
SKIPPING = spec(retry=Retry(), when_in_doubt=WhenInDoubt.SKIP)
IGNORING = spec(retry=Retry(), foreign_jobs=ForeignJobs.IGNORE)
STRICT = spec(retry=Retry(), catch_up=CatchUp(CatchUpPolicy.NONE))
LATE = spec(retry=Retry(), jitter=timedelta(minutes=10))
REPLACING = spec(retry=Retry(), foreign_jobs=ForeignJobs.IGNORE, overlap=Overlap.REPLACE)
IDLE = "wake 10:30"


def over(job_id: str, created: str, ended: str, status: JobStatus = FAILED) -> Job:
    """A job with its end."""
    return replace(job(job_id, created, status), ended_at=at(ended))


J1 = over("j1", "10:15:01", "10:17")
J2, J3, J4 = over("j2", "10:18:01", "10:19"), over("j3", "10:21:25", "10:22"), over("j4", "10:26:16", "10:27")


def failed(now: str, *jobs: Job, schedule: ScheduleSpec = RETRY, listing: str = "", **known: Any) -> Given:
    """The slot of 10:15 started j1, its retries j2, j3 and j4; unless told otherwise only j1 was made."""
    runs = ours(j1="10:15", j2="10:15#1", j3="10:15#2", j4="10:15#3")
    owned = {each.job_id: runs[each.job_id] for each in jobs or (J1,) if each.job_id in runs}
    stands = standing(schedule, known.pop("watermark", "10:15"), attributed=owned, **known)
    return Given(now=now, spec=schedule, standing=stands, jobs=jobs or (J1,), listing=listing)


def in_doubt(written: str) -> Claim:
    """An open claim of the first retry."""
    return replace(claim(written=written, baseline=("j1",)), key=ClaimKey(slot("10:15"), 1))


def within(minutes: float) -> ScheduleSpec:
    """A schedule with retries and a window of its own."""
    return spec(retry=Retry(), catch_up=CatchUp(window=timedelta(minutes=minutes)))


CASES: dict[str, tuple[Given, str]] = {
    # the pause
    "the first retry waits for its pause": (failed("10:17:59"), "hold RetryPending 10:15; wake 10:18"),
    "and starts at its end": (failed("10:18"), "trigger 10:15#1; wake 10:30"),
    "the second waits twice as long and its share": (
        failed("10:21:22", J2, J1),
        "hold RetryPending 10:15; wake 10:21:23",
    ),
    "and starts": (failed("10:21:23", J2, J1), "trigger 10:15#2; wake 10:30"),
    "the third": (failed("10:26:15", J3, J2, J1), "trigger 10:15#3; wake 10:30"),
    "there is no fourth": (failed("10:29", J4, J3, J2, J1), IDLE),
    "fewer attempts were asked for": (failed("10:21:23", J2, J1, schedule=spec(retry=Retry(attempts=1))), IDLE),
    "without retry nothing follows": (failed("10:18", schedule=spec()), IDLE),
    "a job of which the end is unknown ended when it began": (
        failed("10:16:01", job("j1", "10:15:01", FAILED)),
        "trigger 10:15#1; wake 10:30",
    ),
    "or as much later as it ran": (
        failed("10:16:30", replace(job("j1", "10:15:01", FAILED), duration=timedelta(minutes=1))),
        "hold RetryPending 10:15; wake 10:17:01",
    ),
    # what it follows
    "a success is not retried": (failed("10:18", over("j1", "10:15:01", "10:17", SUCCEEDED)), IDLE),
    "a cancelled job is not": (failed("10:18", over("j1", "10:15:01", "10:17", JobStatus.CANCELLED)), IDLE),
    "a job that runs is not": (failed("10:18", job("j1", "10:15:01", RUNNING)), IDLE),
    "a person's failed job is not": (failed("10:18", over("x1", "10:15:30", "10:17")), IDLE),
    "not even one that counted for the slot": (failed("10:18", counted=frozenset({"j1"})), IDLE),
    "a person's newer sync says more": (failed("10:18", job("x1", "10:17:30"), J1), IDLE),
    "under Ignore it says nothing": (
        failed("10:19", job("x1", "10:17:30"), J1, schedule=IGNORING),
        "trigger 10:15#1; wake 10:30",
    ),
    "a reset is no sync": (
        failed("10:19", job("x1", "10:17:30", SUCCEEDED, JobKind.RESET), J1),
        "trigger 10:15#1; wake 10:30",
    ),
    "a retry that succeeded ends it": (failed("10:25", over("j2", "10:18:01", "10:19", SUCCEEDED), J1), IDLE),
    # its window, and newer slots
    "a pause that ends at the deadline": (failed("10:18", schedule=within(3)), "trigger 10:15#1; wake 10:30"),
    "a moment after the deadline": (failed("10:18:00.001", schedule=within(3)), IDLE),
    "a pause beyond the deadline is not begun": (failed("10:17:10", schedule=within(2.5)), IDLE),
    "a newer slot that is due goes first": (
        failed("10:30", over("j1", "10:15:01", "10:29")),
        "trigger 10:30; wake 10:45",
    ),
    "a newer slot that was decided ends the retries": (
        failed("10:31", over("j1", "10:15:01", "10:29"), watermark="10:30"),
        "wake 10:45",
    ),
    "a newer slot that waits ends them too": (
        failed(
            "10:30:30", over("j1", "10:15:01", "10:29"), watermark="10:30", pending=(held("10:30", Reason.REFUSED),)
        ),
        "trigger 10:30; wake 10:45",
    ),
    "a newer slot that has not fired yet does not": (
        failed("10:30:30", over("j1", "10:23:16", "10:29:20"), schedule=LATE),
        "trigger 10:15#1; wake 10:31:05",
    ),
    "from its firing on it does": (
        failed("10:31:05", over("j1", "10:23:16", "10:29:20"), schedule=LATE),
        "trigger 10:30; wake 10:52:51",
    ),
    "None: a retry is nothing that must be seen in time": (
        failed("10:19", schedule=STRICT),
        "trigger 10:15#1; wake 10:30",
    ),
    # the rules of any slot
    "only on a view begun after the pause": (
        failed("10:18", listing="10:17:59"),
        "hold AwaitingListing 10:15; need Due from 10:18 back to 10:08; wake 10:30",
    ),
    "suspended": (
        failed("10:18", schedule=spec(retry=Retry(), suspend=Suspension(until=at("10:20")))),
        "hold Suspended; wake 10:20",
    ),
    "what was suspended when its pause ended is not made up": (
        failed("10:20", schedule=spec(retry=Retry(), suspend=Suspension(until=at("10:20")))),
        IDLE,
    ),
    "stalled": (
        failed("10:18", schedule=spec(retry=Retry(), failure_budget=1), failures=1),
        "hold Stalled; wake 10:30",
    ),
    "a closed window is waited for": (
        failed("10:18", schedule=spec(retry=Retry(), windows=deny("10 10 * * *", 15))),
        "hold WindowClosed 10:15; wake 10:25",
    ),
    "at the opening it starts": (
        failed("10:25", schedule=spec(retry=Retry(), windows=deny("10 10 * * *", 15))),
        "trigger 10:15#1; wake 10:30",
    ),
    "minGap": (
        failed("10:18", schedule=spec(retry=Retry(), min_gap=timedelta(minutes=5))),
        "hold MinGap 10:15; wake 10:20:01",
    ),
    "a paused connection": (
        replace(failed("10:18"), connection=connection(ConnectionStatus.INACTIVE)),
        "note connectionStatus inactive; hold ConnectionInactive 10:15; wake 10:30",
    ),
    "an active job is waited for, whatever overlap says": (
        failed("10:18", job("x1", "10:17:30", RUNNING, JobKind.RESET), J1),
        "hold Active 10:15; need Active from 10:18; wake 10:30",
    ),
    "Replace cancels nothing for a retry": (
        failed("10:18", job("x1", "10:17:30", RUNNING), J1, schedule=REPLACING),
        "hold Active 10:15; need Active from 10:18; wake 10:30",
    ),
    "Observe retries nothing": (failed("10:18", schedule=spec(retry=Retry(), mode=Mode.OBSERVE)), IDLE),
    "two files that claim it": (
        replace(failed("10:18"), obstacle=Reason.DUPLICATE_NAME),
        "hold DuplicateName; hold DuplicateName 10:15; wake 10:30",
    ),
    "without a permit it waits for its turn, and nothing is written": (
        replace(failed("10:18", schedule=STRICT), permits=0),
        "hold AwaitingTurn 10:15; wake 10:30",
    ),
    # its claims
    "one in doubt is said once": (
        failed("10:18:30", claim=in_doubt("10:18")),
        "hold InDoubt 10:15; need InDoubt from 10:20:05 back to 10:05; wake 10:20:05",
    ),
    "its job is found": (
        failed("10:18:30", job("x1", "10:18:01", RUNNING), J1, claim=in_doubt("10:18")),
        "settle Adopted: Triggered 10:15 by x1; wake 10:18:30",
    ),
    "there is none": (
        failed("10:20:05", claim=in_doubt("10:18")),
        "settle Absent: Held(AwaitingTurn) 10:15; wake 10:20:05",
    ),
    "there is none, under Skip": (
        failed("10:20:05", schedule=SKIPPING, claim=in_doubt("10:18")),
        "settle Abandoned: Skipped(InDoubt) 10:15; wake 10:20:05",
    ),
    "a newer slot waits for its claim": (
        failed("10:30", claim=in_doubt("10:29:30")),
        "hold InDoubt 10:15; hold ClaimOpen 10:30; need InDoubt from 10:31:35 back to 10:05; wake 10:31:35",
    ),
    "one that made no job is tried again": (
        failed("10:20:10", setbacks=setbacks("10:20:10", run=1, unknown_attempts=1, attempts=1)),
        "trigger 10:15#1 attempt 2; wake 10:30",
    ),
    "under Skip it is not": (
        failed("10:20:10", schedule=SKIPPING, setbacks=setbacks("10:20:10", run=1, unknown_attempts=1, attempts=1)),
        IDLE,
    ),
    "nor after three that stayed unknown": (
        failed("10:20:10", setbacks=setbacks("10:20:10", run=1, unknown_attempts=3, attempts=3)),
        IDLE,
    ),
    "a refused one is tried again after a second": (
        failed("10:18:01", setbacks=setbacks("10:18:01", run=1, refusals=1, attempts=1)),
        "hold Refused 10:15; wake 10:18:02",
    ),
    "what the slot's own start met says nothing about its retry": (
        failed("10:18", setbacks=setbacks("10:17:59", refusals=5, attempts=5)),
        "trigger 10:15#1; wake 10:30",
    ),
    "the start of a slot that waits elsewhere is no obstacle": (
        failed("10:18", pending=(held("10:00", Reason.REFUSED),)),
        "Missed(Deadline) 10:00; wake 10:30",
    ),
}


@pytest.mark.parametrize(("given", "expected"), CASES.values(), ids=CASES)
def test_a_failed_slot_is_tried_again(given: Given, expected: str) -> None:
    """Every row of the table: when the next run comes, what it waits for, and what makes it not come."""
    assert plan_of(given) == expected


@pytest.mark.parametrize(("run", "seconds"), [(1, 60), (2, 143), (3, 255), (4, 574), (9, 1800), (40, 1800)])
def test_the_pause_doubles_up_to_its_maximum(run: int, seconds: int) -> None:
    """And grows by at most a quarter of itself, the same on every machine."""
    pause = pause_before(Retry(), ClaimKey(slot("10:15"), run)).total_seconds()
    assert pause == seconds if run <= 4 else seconds <= pause <= seconds * 1.25


def test_no_pause_is_too_long_to_be_told() -> None:
    """The longest back-off, doubled without end, is still its maximum."""
    retry = Retry(attempts=100, backoff=timedelta(days=300), max_backoff=timedelta(days=365))
    assert timedelta(days=365) <= pause_before(retry, ClaimKey(slot("10:15"), 99)) <= timedelta(days=365) * 1.25
