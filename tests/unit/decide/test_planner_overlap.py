"""``overlap: Queue`` and ``Replace``, as a table; the rows of ``Skip`` stand with the other rules."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

import pytest

from controller.model.job import Job, JobKind, JobStatus
from controller.model.record import CancelRequest, Reason
from controller.model.schedule import CatchUp, ForeignJobs, Overlap, ScheduleSpec, Suspension
from tests.unit.decide.given import (
    FAILED,
    RUNNING,
    UNKNOWN,
    Given,
    at,
    cancelled,
    deny,
    held,
    job,
    ours,
    plan_of,
    setbacks,
    spec,
    standing,
)

QUEUE, REPLACE = spec(overlap=Overlap.QUEUE), spec(overlap=Overlap.REPLACE)
BRIEF = CatchUp(window=timedelta(minutes=5))
QUEUE_BRIEF = spec(overlap=Overlap.QUEUE, catch_up=BRIEF)
RUNS = job("j1", "10:00:01", RUNNING)
OVER = replace(RUNS, status=JobStatus.SUCCEEDED)
LOOK = "need Active from 10:15 back to 10:05"
WAITS = f"Held(Active) 10:15; hold Active 10:15; {LOOK}; wake 10:30"


def waiting(
    now: str, schedule: ScheduleSpec, jobs: Iterable[Job], cancel: CancelRequest | None = None, scheduled: str = "10:15"
) -> Given:
    """A slot that has waited for our own job since it was due."""
    stands = standing(
        schedule, scheduled, pending=(held(scheduled, Reason.ACTIVE),), attributed=ours(j1="10:00"), cancel=cancel
    )
    return Given(now=now, spec=schedule, standing=stands, jobs=tuple(jobs))


def replacing(
    *jobs: Job, schedule: ScheduleSpec = REPLACE, now: str = "10:15", cancel: CancelRequest | None = None
) -> Given:
    """A slot that is due while our own job of the slot before is there."""
    return Given(
        now=now, spec=schedule, jobs=jobs, standing=standing(schedule, attributed=ours(j1="10:00"), cancel=cancel)
    )


CASES: dict[str, tuple[Given, str]] = {
    # Queue
    "Queue: it waits for an active job": (Given(now="10:15", spec=QUEUE, jobs=(RUNS,)), WAITS),
    "Queue: that is written once": (waiting("10:16", QUEUE, [RUNS]), f"hold Active 10:15; {LOOK}; wake 10:30"),
    "Queue: when the job is over it starts": (waiting("10:20", QUEUE, [OVER]), "trigger 10:15; wake 10:30"),
    "Queue: also when that failed": (
        waiting("10:20", QUEUE, [replace(RUNS, status=FAILED)]),
        "trigger 10:15; wake 10:30",
    ),
    "Queue: the newest replaces the one that waits": (
        waiting("10:30", QUEUE, [RUNS]),
        (
            "Skipped(Active) 10:15; Held(Active) 10:30; hold Active 10:30; "
            "need Active from 10:30 back to 10:20; wake 10:45"
        ),
    ),
    "Queue: over as the newer one is due": (
        waiting("10:30", QUEUE, [OVER]),
        "Skipped(Active) 10:15; trigger 10:30; wake 10:45",
    ),
    "Queue: at its deadline it still starts": (waiting("10:20", QUEUE_BRIEF, [OVER]), "trigger 10:15; wake 10:30"),
    "Queue: at its deadline it still waits": (
        waiting("10:20", QUEUE_BRIEF, [RUNS]),
        f"hold Active 10:15; {LOOK}; wake 10:20:00.001",
    ),
    "Queue: after it, it has waited in vain": (
        waiting("10:20:00.001", QUEUE_BRIEF, [RUNS]),
        "Skipped(Active) 10:15; wake 10:30",
    ),
    "Queue: behind a reset": (
        Given(now="10:15", spec=QUEUE, jobs=(job("j1", "10:00:01", RUNNING, JobKind.RESET),)),
        WAITS,
    ),
    "Queue: behind a job of unknown status": (
        Given(now="10:15", spec=QUEUE, jobs=(job("j1", "10:00:01", UNKNOWN),)),
        WAITS,
    ),
    "Queue: a person's sync from after the slot counts instead": (
        Given(now="10:16", spec=QUEUE, jobs=(job("j1", "10:15:30", RUNNING),)),
        "Counted 10:15 by j1; wake 10:30",
    ),
    "Queue: under Ignore it is waited for like any other": (
        Given(now="10:15", spec=spec(overlap=Overlap.QUEUE, foreign_jobs=ForeignJobs.IGNORE), jobs=(RUNS,)),
        WAITS,
    ),
    "Queue: minGap after a short job": (
        waiting("10:15:30", QUEUE, [job("j1", "10:14:50")]),
        "Held(MinGap) 10:15; hold MinGap 10:15; wake 10:15:50",
    ),
    "Queue: the end of the job must be seen": (
        replace(waiting("10:20", QUEUE, [RUNS]), listing="10:15", trouble="timeout"),
        "hold ObservationStale 10:15; need Due from 10:20 back to 10:05; wake 10:30",
    ),
    "Queue: slots that passed in an outage do not queue up": (
        Given(now="10:46", spec=QUEUE, jobs=(RUNS,)),
        (
            "Missed(Superseded) 10:15; Missed(Superseded) 10:30; Held(Active) 10:45; hold Active 10:45; "
            "need Active from 10:45 back to 10:35; wake 11:00"
        ),
    ),
    "Queue: an edit to Skip ends what waits": (
        waiting("10:16", spec(), [RUNS]),
        "Skipped(Active) 10:15; wake 10:30",
    ),
    # Replace
    "Replace: our own job is asked to end, and the slot waits": (replacing(RUNS), f"cancel j1 for Replaced; {WAITS}"),
    "Replace: it waits while the job ends": (
        waiting("10:15:10", REPLACE, [RUNS], cancelled("j1", "10:15:01")),
        f"hold Replaced; hold Active 10:15; need Cancelling from 10:15:31; {LOOK}; wake 10:15:31",
    ),
    "Replace: after a restart it is asked no sooner": (
        waiting("10:15:30", REPLACE, [RUNS], cancelled("j1", "10:15:01")),
        f"hold Replaced; hold Active 10:15; need Cancelling from 10:15:31; {LOOK}; wake 10:15:31",
    ),
    "Replace: an ignored DELETE is sent again": (
        waiting("10:15:31", REPLACE, [RUNS], cancelled("j1", "10:15:01")),
        f"cancel j1 for Replaced; hold Active 10:15; {LOOK}; wake 10:30",
    ),
    "Replace: once the job is over it starts": (
        waiting("10:15:20", REPLACE, [replace(RUNS, status=JobStatus.CANCELLED)], cancelled("j1", "10:15:01")),
        "trigger 10:15; wake 10:30",
    ),
    "Replace: before a person's job it waits like Queue": (Given(now="10:15", spec=REPLACE, jobs=(RUNS,)), WAITS),
    "Replace: a person's job that counted for the slot before is still a person's": (
        Given(
            now="10:15",
            spec=REPLACE,
            jobs=(RUNS,),
            standing=standing(REPLACE, attributed=ours(j1="10:00"), counted=frozenset({"j1"})),
        ),
        WAITS,
    ),
    "Replace: before a reset too": (replacing(job("j1", "10:00:01", RUNNING, JobKind.RESET)), WAITS),
    "Replace: and before a job of unknown status": (replacing(job("j1", "10:00:01", UNKNOWN)), WAITS),
    "Replace: a person's newer job beside ours": (replacing(RUNS, job("j2", "10:05", RUNNING)), WAITS),
    "Replace: after five DELETEs it waits for the fifth": (
        waiting("10:22:29", REPLACE, [RUNS], cancelled("j1", "10:20", requests=5)),
        f"hold Replaced; hold Active 10:15; need Cancelling from 10:22:30; {LOOK}; wake 10:22:30",
    ),
    "Replace: and then gives up on its slot": (
        waiting("10:22:30", REPLACE, [RUNS], cancelled("j1", "10:20", requests=5)),
        "Skipped(Active) 10:15; wake 10:30",
    ),
    "Replace: the next slot does not begin anew": (
        replacing(RUNS, now="10:30", cancel=cancelled("j1", "10:20", requests=5)),
        "Missed(Superseded) 10:15; Skipped(Active) 10:30; wake 10:45",
    ),
    "Replace: a newer slot goes on where the older one was": (
        waiting("10:30", REPLACE, [RUNS], cancelled("j1", "10:29:50")),
        (
            "Skipped(Active) 10:15; Held(Active) 10:30; hold Replaced; hold Active 10:30; "
            "need Cancelling from 10:30:20; need Active from 10:30 back to 10:20; wake 10:30:20"
        ),
    ),
    "Replace: only on a view begun after the slot": (
        replace(replacing(RUNS), listing="10:14:59"),
        "hold AwaitingListing 10:15; need Due from 10:15 back to 10:05; wake 10:30",
    ),
    "Replace: only once the slot might start": (
        replacing(RUNS, schedule=spec(overlap=Overlap.REPLACE, windows=deny("0 10 * * *", 20))),
        "Held(WindowClosed) 10:15; hold WindowClosed 10:15; wake 10:20",
    ),
    "Replace: a suspended slot cancels nothing": (
        replacing(RUNS, schedule=spec(overlap=Overlap.REPLACE, suspend=Suspension(until=at("11:00")))),
        "Skipped(Suspended) 10:15; hold Suspended; wake 10:30",
    ),
    "Replace: nor does one that the platform just refused": (
        replace(
            replacing(RUNS),
            standing=standing(REPLACE, attributed=ours(j1="10:00"), setbacks=setbacks("10:15", refusals=1, attempts=1)),
        ),
        "hold Refused 10:15; wake 10:15:01",
    ),
    "Replace: without a permit it waits for its turn": (
        replace(replacing(RUNS), permits=0),
        f"Held(Active) 10:15; hold Active 10:15; hold AwaitingTurn; {LOOK}; wake 10:30",
    ),
    "Replace: at the end of its window it gives up": (
        waiting(
            "10:20:00.001",
            spec(overlap=Overlap.REPLACE, catch_up=BRIEF),
            [RUNS],
            cancelled("j1", "10:19:50"),
        ),
        "Skipped(Active) 10:15; wake 10:30",
    ),
    "Replace: while a request is under way nothing else is asked": (
        replace(replacing(RUNS), in_flight=True),
        "hold TriggerInFlight 10:15; wake 10:30",
    ),
}


@pytest.mark.parametrize(("given", "expected"), CASES.values(), ids=CASES)
def test_a_slot_meets_an_active_job(given: Given, expected: str) -> None:
    """Every row of the table: who is waited for, who is asked to end, and what a slot that waits comes to."""
    assert plan_of(given) == expected
