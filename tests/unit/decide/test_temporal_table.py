"""What Temporal's schedules decide, restated: for each of their rules a sentence, and our decision.

Slots come every 15 minutes. ``BufferAll``, ``TerminateOther`` and ``AllowAll`` have no place here: an incremental sync reads everything
since its cursor, a platform ends a job in one way only, and it runs one per connection. Their rows show what a slot meets instead.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from controller.model.job import JobStatus
from controller.model.record import Reason
from controller.model.schedule import CatchUp, Overlap, ScheduleSpec, Suspension
from tests.unit.decide.given import RUNNING, Given, at, cancelled, every, held, job, ours, plan_of, spec, standing

SKIP = spec()
BUFFER, CANCEL = spec(overlap=Overlap.QUEUE), spec(overlap=Overlap.REPLACE)
JITTER = spec(jitter=timedelta(minutes=10))
SHORT = spec(catch_up=CatchUp(window=timedelta(seconds=10)))
YEAR = spec(catch_up=CatchUp(window=timedelta(days=365)))
PAUSED = spec(suspend=Suspension("paused by hand"))
BUDGET = spec(failure_budget=1)
WAITING = (held("10:15", Reason.ACTIVE),)
LOOK = "need Active from 10:15 back to 10:05"


@dataclass(frozen=True)
class Row:
    """A situation of theirs, what we decide, and what is to be said about it."""

    given: Given
    expected: str
    sentence: str


def running(
    schedule: ScheduleSpec, now: str = "10:15", status: JobStatus = RUNNING, watermark: str = "10:00", **known: Any
) -> Given:
    """The job of the slot before is active, or over."""
    stands = standing(schedule, watermark, attributed=ours(j1="10:00"), **known)
    return Given(now=now, spec=schedule, standing=stands, jobs=(job("j1", "10:00:01", status),))


ROWS: dict[str, Row] = {
    # overlap policies
    "Skip": Row(
        running(SKIP),
        "Skipped(Active) 10:15; wake 10:30",
        "The default, here as there: what overlaps is not started later.",
    ),
    "Skip, the job is over": Row(
        running(SKIP, status=JobStatus.SUCCEEDED), "trigger 10:15; wake 10:30", "Nothing overlaps."
    ),
    "BufferOne": Row(
        running(BUFFER),
        f"Held(Active) 10:15; hold Active 10:15; {LOOK}; wake 10:30",
        "One waits for the end of the job.",
    ),
    "BufferOne, a second one": Row(
        running(BUFFER, "10:30", watermark="10:15", pending=WAITING),
        "Skipped(Active) 10:15; Held(Active) 10:30; hold Active 10:30; need Active from 10:30 back to 10:20; wake 10:45",
        "There the first keeps its place; here the newest takes it, because it covers the older one's data.",
    ),
    "BufferOne, the job ends": Row(
        running(BUFFER, "10:20", JobStatus.SUCCEEDED, "10:15", pending=WAITING),
        "trigger 10:15; wake 10:30",
        "What waited starts.",
    ),
    "BufferOne, the catch-up window ends first": Row(
        running(
            spec(overlap=Overlap.QUEUE, catch_up=CatchUp(window=timedelta(minutes=5))),
            "10:20:01",
            watermark="10:15",
            pending=WAITING,
        ),
        "Skipped(Active) 10:15; wake 10:30",
        "There what is buffered is kept for as long as it takes; here the window bounds everything.",
    ),
    "BufferAll": Row(
        running(BUFFER, "10:45", JobStatus.SUCCEEDED, "10:15", pending=WAITING),
        "Skipped(Active) 10:15; Missed(Superseded) 10:30; trigger 10:45; wake 11:00",
        "Not ours: the second of two syncs in a row would have nothing to read.",
    ),
    "CancelOther": Row(
        running(CANCEL),
        f"cancel j1 for Replaced; Held(Active) 10:15; hold Active 10:15; {LOOK}; wake 10:30",
        "The running job is asked to end, and the slot waits for that.",
    ),
    "CancelOther, while the cancel is under way": Row(
        running(CANCEL, "10:15:10", watermark="10:15", pending=WAITING, cancel=cancelled("j1", "10:15:01")),
        f"hold Replaced; hold Active 10:15; need Cancelling from 10:15:31; {LOOK}; wake 10:15:31",
        "It stays buffered until the cancel is complete.",
    ),
    "CancelOther, complete": Row(
        running(CANCEL, "10:16", JobStatus.CANCELLED, "10:15", pending=WAITING, cancel=cancelled("j1", "10:15:01")),
        "trigger 10:15; wake 10:30",
        "Then it starts.",
    ),
    "TerminateOther": Row(
        Given(now="10:15", spec=CANCEL, jobs=(job("x1", "10:00:01", RUNNING),)),
        f"Held(Active) 10:15; hold Active 10:15; {LOOK}; wake 10:30",
        "Not ours: there is one way to end a job, and somebody else's job is not ended for a slot at all.",
    ),
    "AllowAll": Row(
        Given(now="10:15", jobs=(job("x1", "10:00:01", RUNNING),)),
        "Skipped(Active) 10:15; wake 10:30",
        "Not ours: the platforms run one job per connection, so the default holds.",
    ),
    # catch-up window
    "inside the catch-up window": Row(
        Given(now="10:15:10", spec=SHORT), "trigger 10:15; wake 10:30", "Ten seconds, their shortest, the end included."
    ),
    "past the catch-up window": Row(
        Given(now="10:15:10.001", spec=SHORT), "Missed(Deadline) 10:15; wake 10:30", "Missed, and counted as such."
    ),
    "down for three slots, a window of a year": Row(
        Given(now="10:46", spec=YEAR),
        "Missed(Superseded) 10:15; Missed(Superseded) 10:30; trigger 10:45; wake 11:00",
        "There each of them runs; here one start reads what all three would have.",
    ),
    # updates
    "update between nominal and jittered time": Row(
        Given(now="10:16", spec=spec(every(5), jitter=timedelta(minutes=10)), standing=standing(JITTER)),
        "Held(AwaitingTurn) 10:15; accept nightly generation 2; wake 10:16",
        "A slot of both specs that has not fired yet stays: the jittered time is compared, as there.",
    ),
    "update after a slot that only the new spec has": Row(
        Given(now="10:20", standing=standing(spec(every(60)))),
        "accept nightly generation 2; wake 10:20",
        "What was before the update is dropped.",
    ),
    "update of the policy alone": Row(
        Given(now="10:20", spec=BUFFER, standing=standing()),
        "accept nightly generation 2; wake 10:20",
        "The calendar goes on, and what is due stays due.",
    ),
    # jitter
    "jitter: before its time": Row(
        Given(now="10:20", spec=JITTER), "wake 10:23:15", "A hash of the nominal time, the same each time."
    ),
    "jitter: at its time": Row(
        Given(now="10:23:15", spec=JITTER), "trigger 10:15; wake 10:31:05", "And always before the next nominal time."
    ),
    # pause
    "paused": Row(
        Given(now="10:15", spec=PAUSED),
        "Skipped(Suspended) 10:15; hold Suspended; wake 10:30",
        "The time passes, and its slots are used up.",
    ),
    "unpaused": Row(
        Given(now="10:46", spec=spec(suspend=Suspension(until=at("10:40")))),
        "Skipped(Suspended) 10:15; Skipped(Suspended) 10:30; trigger 10:45; wake 11:00",
        "Nothing is made up for the time of the pause.",
    ),
    "paused while one is buffered": Row(
        running(spec(overlap=Overlap.QUEUE, suspend=Suspension()), "10:16", watermark="10:15", pending=WAITING),
        "Skipped(Suspended) 10:15; hold Suspended; wake 10:30",
        "There what was buffered still starts; here suspended means that nothing does.",
    ),
    "pause on failure": Row(
        Given(now="10:15", spec=BUDGET, standing=standing(BUDGET, failures=1)),
        "Skipped(Stalled) 10:15; hold Stalled; wake 10:30",
        "After as many failures as the budget names, one there.",
    ),
    "pause on failure, the last one was cancelled": Row(
        running(BUDGET, status=JobStatus.CANCELLED, failures=0),
        "trigger 10:15; wake 10:30",
        "A cancelled run is no failure, here as there.",
    ),
    "trigger while paused": Row(
        Given(now="10:16", spec=PAUSED, jobs=(job("x1", "10:15:30", RUNNING),)),
        "Skipped(Suspended) 10:15; hold Suspended; wake 10:30",
        "A person may start one; it is let run, and the slot stays skipped.",
    ),
    "trigger now, then the slot": Row(
        Given(now="10:15", jobs=(job("x1", "10:14:30"),)),
        "Held(MinGap) 10:15; hold MinGap 10:15; wake 10:15:30",
        "There the two are separate; here the gap between starts is kept, and the slot only waits.",
    ),
    # bounds
    "after the end time": Row(
        Given(now="10:20", spec=spec(end_date=at("10:10"))),
        "",
        "There is no slot, and nothing to wake for.",
    ),
    "before the start time": Row(
        Given(now="10:20", spec=spec(start_date=at("11:00"))),
        "wake 11:00",
        "The first slot is the first one at or after the start.",
    ),
}


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_what_a_temporal_schedule_decides(row: Row) -> None:
    """Every row: the same as there, or else for the reason that its sentence gives."""
    assert plan_of(row.given) == row.expected, row.sentence
