"""Jobs that ran for too long are cancelled, whoever started them, because a stuck one blocks ours."""

from datetime import datetime, timedelta

from controller.decide.parts import NOTHING, Part
from controller.decide.sight import is_fresh, listing_for
from controller.model.job import Job, JobKind, JobStatus
from controller.model.plan import CancelJob, ConnectionFacts, Hold, NeedKind, PlatformFacts
from controller.model.record import Reason
from controller.model.schedule import ForeignJobs, Mode, ScheduleSpec

CANCEL_AGAIN = timedelta(seconds=30)
"""A DELETE may be ignored (Airbyte drops it for a pending job), so it is asked again while the job stays active: this much later, and
each further time as much later again, for one that was ignored thrice is no accident."""


def judge_limits(facts: ConnectionFacts, platform: PlatformFacts, now: datetime) -> Part:
    """Cancel the connection's active sync once it is older than ``maxDuration``."""
    spec, job = facts.spec, _limited_job(facts)
    if spec is None or job is None or spec.max_duration is None:
        return NOTHING
    if facts.obstacle is not None or spec.mode is Mode.OBSERVE or spec.unsupported:
        return NOTHING
    reached = job.created_at + spec.max_duration
    if now < reached:
        return Part(wake_at=reached)
    if facts.in_flight:
        return Part(holds=(_hold(spec, Reason.CANCEL_IN_FLIGHT, f"a request about {job.job_id} is under way"),))
    return _overlong(spec, job, facts, platform, now)


def _limited_job(facts: ConnectionFacts) -> Job | None:
    active = [job for job in facts.jobs if job.is_active]
    newest = max(active, key=lambda job: (job.created_at, job.job_id), default=None)
    if newest is None or newest.kind is not JobKind.SYNC or newest.status is JobStatus.UNKNOWN:
        return None
    ours = newest.job_id in facts.standing.attributed
    only_ours = facts.spec is not None and facts.spec.foreign_jobs is ForeignJobs.IGNORE
    return newest if ours or not only_ours else None


def _hold(spec: ScheduleSpec, reason: Reason, message: str) -> Hold:
    return Hold(spec.ref, spec.name, reason, message)


def _overlong(spec: ScheduleSpec, job: Job, facts: ConnectionFacts, platform: PlatformFacts, now: datetime) -> Part:
    asked = facts.standing.cancel
    limit = spec.max_duration or timedelta()
    reached = job.created_at + limit
    if asked is not None and asked.job_id == job.job_id:
        again = asked.requested_at + CANCEL_AGAIN * asked.requests
        if now < again or not is_fresh(platform, now, again):
            held = _hold(spec, Reason.MAX_DURATION, f"{job.job_id} was asked to end and has not ended yet")
            need = listing_for(NeedKind.CANCELLING, asked.requested_at, begun_after=again)
            return Part(holds=(held,), wake_at=again if again > now else None, needs=(need,))
    elif not is_fresh(platform, now, reached):
        held = _hold(spec, Reason.AWAITING_LISTING, f"{job.job_id} reached maxDuration; its status is read once more")
        return Part(holds=(held,), needs=(listing_for(NeedKind.LIMIT, reached),))
    message = f"it has been active since {job.created_at:%H:%M:%SZ}, longer than maxDuration {_brief(limit)}"
    return Part(actions=(CancelJob(spec.ref, spec.name, job, Reason.MAX_DURATION, message),))


def _brief(duration: timedelta) -> str:
    seconds = int(duration.total_seconds())
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= size and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"
