"""Starts that rest on another job: further runs after one that failed, and slots that come when the data is too old."""

from collections.abc import Iterable, Sequence
from datetime import timedelta

from controller.model.calendar import EntryKind
from controller.model.identity import ClaimKey
from controller.model.job import JobKind, JobStatus
from controller.model.schedule import Retry, ScheduleSpec
from controller.simulation.chronicle import Claimed, TrueJob
from controller.simulation.slots.due import DueSlots

TOLERATED = timedelta(seconds=1)


def against_further_run(
    key: ClaimKey, jobs: Sequence[TrueJob], before: Sequence[TrueJob], due: DueSlots
) -> Iterable[str]:
    """S1, S7, S2: a further run comes after a job that failed and was seen to, not before its back-off, and inside the window."""
    for job in jobs:
        claimed = None if job.post is None else job.post.claim
        if claimed is None:
            continue
        failed = [each for each in before if each.result is JobStatus.FAILED and each.ended_at <= claimed.began_at]
        if not failed:
            yield f"S1 run {key.run} of {key.slot} began, and no job of the run before it had failed"
            continue
        last = max(failed, key=lambda each: each.ended_at)
        if last.job_id not in claimed.claim.baseline:
            yield f"S1 run {key.run} of {key.slot} was claimed, and {last.job_id} had not been seen to fail"
        spec = due.spec_at(claimed.began_at.timestamp())
        if spec is None or spec.retry is None:
            yield f"S10 run {key.run} of {key.slot} was claimed, and its spec asks for no retry"
            continue
        yield from _out_of_time(key, claimed, last, due, spec, spec.retry)


def _out_of_time(
    key: ClaimKey, claimed: Claimed, last: TrueJob, due: DueSlots, spec: ScheduleSpec, retry: Retry
) -> Iterable[str]:
    name = f"run {key.run} of {key.slot}"
    if key.run > retry.attempts:
        yield f"S10 {name} was claimed, and its spec asks for {retry.attempts}"
    pause = min(retry.backoff * 2 ** min(key.run - 1, 30), retry.max_backoff)
    skew = last.shown_at - last.created_at
    if claimed.began_at < last.ended_at + skew + pause - TOLERATED:
        yield f"S7 {name} began at {claimed.began_at:%d %H:%M:%S}, and its back-off of {pause} was not over"
    if due.has_freshness:
        return
    at, began = int(key.slot.scheduled_at.timestamp()), claimed.began_at.timestamp()
    if began > due.deadline(spec, at) + 1:
        yield f"S2 {name} began at {claimed.began_at:%d %H:%M:%S}, after its window"


def against_freshness(
    claimed: Claimed, spec: ScheduleSpec, jobs: Sequence[TrueJob], margin: float, name: str
) -> Iterable[str]:
    """S7: a slot that is there for the age of the data starts when the last success, as it was seen, is that old.

    ``margin``: the seconds that a success may take to be seen.
    """
    ages = [entry.every for entry in spec.entries if entry.kind is EntryKind.FRESHNESS]
    if not ages:
        yield f"S8 {name} was for {claimed.claim.key.slot}, which is no slot"
        return
    began = claimed.began_at.timestamp()
    seen = [
        job.ended_at.timestamp()
        for job in jobs
        if job.kind is JobKind.SYNC and job.result is JobStatus.SUCCEEDED and job.ended_at.timestamp() <= began - margin
    ]
    if seen and began < max(seen) + min(ages) - margin:
        yield f"S7 {name} was sent {began - max(seen):.0f} s after a success, and the data may be {min(ages)} s old"
