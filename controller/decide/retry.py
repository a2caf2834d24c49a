"""The next run of a slot whose job failed: after a back-off, inside the slot's window, and only while no newer slot is due."""

from datetime import datetime, timedelta

from controller.decide.calendar import Calendar
from controller.decide.case import Case
from controller.decide.parts import NOTHING, Part
from controller.decide.slots import deadline, fires_at, from_epoch, hashed_share, to_epoch
from controller.model.identity import ClaimKey
from controller.model.job import Job, JobKind, JobStatus
from controller.model.plan import ConnectionFacts, Hold, PlatformFacts
from controller.model.record import Reason
from controller.model.schedule import ForeignJobs, Mode, Retry, ScheduleSpec

JITTER_SHARE = 4
"""A pause grows by up to a quarter of itself, so that jobs that failed together do not return together."""


def failed_run(facts: ConnectionFacts) -> tuple[ClaimKey, Job] | None:
    """The run of a slot of ours whose job failed, where it is the connection's newest sync; a newer one of anybody says more."""
    spec, standing = facts.spec, facts.standing
    only_ours = spec is not None and spec.foreign_jobs is ForeignJobs.IGNORE
    newest = None
    for job in facts.jobs:
        if job.kind is not JobKind.SYNC or (only_ours and not standing.owns(job.job_id)):
            continue
        if newest is None or (job.created_at, job.job_id) > (newest.created_at, newest.job_id):
            newest = job
    if newest is None or newest.status is not JobStatus.FAILED or not standing.owns(newest.job_id):
        return None
    key = standing.attributed[newest.job_id]
    # What somebody asked for once is not done twice.
    return None if key.slot.is_request else (key, newest)


def next_run(
    facts: ConnectionFacts, platform: PlatformFacts, calendar: Calendar | None, now: datetime
) -> tuple[Part, Case | None]:
    """The retry that is due, as a case for the rules, or why and until when it waits."""
    spec = facts.spec
    if spec is None or spec.retry is None or spec.mode is Mode.OBSERVE or (failed := failed_run(facts)) is None:
        return NOTHING, None
    key, job = failed
    slot, run = key.slot, key.run + 1
    if run > spec.retry.attempts or _has_newer(facts, calendar, slot.scheduled_at, now):
        return NOTHING, None
    if facts.standing.claim is not None and facts.standing.claim.key == ClaimKey(slot, run):
        # Its claim is judged, and speaks for it.
        return NOTHING, None
    again = ended_at(job) + pause_before(spec.retry, ClaimKey(slot, run))
    until = deadline(spec, calendar, slot.ref, slot.scheduled_at)
    if again > until or now > until:
        return NOTHING, None
    if now < again:
        message = f"{job.job_id} failed; retry {run} of {spec.retry.attempts} comes at {again:%H:%M:%SZ}"
        return Part(
            holds=(Hold(slot.ref, spec.name, Reason.RETRY_PENDING, message, slot.scheduled_at),), wake_at=again
        ), None
    return NOTHING, Case(facts, platform, now, slot, again, until, run=run)


def _has_newer(facts: ConnectionFacts, calendar: Calendar | None, scheduled_at: datetime, now: datetime) -> bool:
    """Whether a newer slot is due or was decided since."""
    if any(record.slot.scheduled_at > scheduled_at for record in facts.standing.pending):
        return True
    since, spec = facts.standing.effective_since, facts.spec
    newest = None if calendar is None else calendar.previous_at_or_before(to_epoch(now))
    while newest is not None and calendar is not None and newest > to_epoch(scheduled_at):
        at = from_epoch(newest)
        if since is not None and at <= since:
            return False
        if fires_at(spec, calendar, facts.ref, at) <= now:
            return True
        newest = calendar.previous_at_or_before(newest - 1)
    return False


def ended_at(job: Job) -> datetime:
    """When a job was over, as well as the platform says."""
    return job.ended_at or job.created_at + (job.duration or timedelta())


def pause_before(retry: Retry, key: ClaimKey) -> timedelta:
    """The back-off before a run: doubled each time up to ``maxBackoff``, plus a share that depends on connection, slot and run alone."""
    doubled = int(retry.backoff.total_seconds()) * 2 ** min(key.run - 1, 30)
    pause = min(doubled, int(retry.max_backoff.total_seconds()))
    return timedelta(seconds=pause + hashed_share(f"{key.slot}#{key.run}", pause // JITTER_SHARE + 1))


def allows_retry(spec: ScheduleSpec | None, key: ClaimKey) -> bool:
    """Whether a spec lets a run of a slot be claimed at all."""
    return spec is not None and spec.retry is not None and key.run <= spec.retry.attempts
