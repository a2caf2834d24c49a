"""Which job should end, and how it is asked to: one DELETE at a time, never on an old view, asked again while it stays active."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from controller.decide.against import freeze_at, held_as_a_whole, suspension_text
from controller.decide.case import Wish
from controller.decide.parts import NOTHING, Part, joined
from controller.decide.sight import is_fresh, listing_for
from controller.decide.slots import earliest, from_epoch, to_epoch
from controller.decide.windows import closing, next_edge
from controller.model.job import Job, JobKind, JobStatus
from controller.model.plan import CancelJob, ConnectionFacts, Hold, ListingNeed, NeedKind, PlatformFacts
from controller.model.record import CancelRequest, Reason
from controller.model.schedule import ForeignJobs, Mode, OnDelete, ScheduleSpec
from controller.model.span import span_text
from controller.model.window import OnClose

CANCEL_AGAIN = timedelta(seconds=30)
"""A DELETE may be ignored (Airbyte drops it for a pending job), so it is asked again while the job stays active: this much later, and
each further time as much later again, for one that was ignored thrice is no accident."""

LEAVING_REQUESTS_MAX = 5
"""DELETEs for the job of a schedule that is gone, after which it goes all the same: nobody is left to watch it."""

LOOKS_BEFORE_STALLED = 4
"""A job that may be stuck is looked at this often within ``stalledAfter``, so that a pause in its progress is not two pauses."""


def judge_cancels(facts: ConnectionFacts, platform: PlatformFacts, now: datetime, wished: Wish | None = None) -> Part:
    """Ask for the end of the connection's active sync where its spec says so.

    ``wished``: the job that must end for a slot that is due (``overlap: Replace``).
    """
    spec, job = facts.spec, newest_active(facts)
    if spec is None or job is None or job.kind is not JobKind.SYNC or job.status is JobStatus.UNKNOWN:
        return NOTHING
    if held_as_a_whole(facts) is not None:
        return NOTHING
    if spec.mode is Mode.OBSERVE:
        return _observe_stuck(spec, job, facts, platform, now)
    ends_with_window = _cancels_on_close(spec) and is_ours(facts, job)
    shut = _window_wish(spec, job, now) if ends_with_window else None
    wishes = [*_wishes(spec, job, facts), *([] if shut is None else [shut]), *([] if wished is None else [wished])]
    if not wishes and not ends_with_window and spec.stalled_after is None:
        return NOTHING
    reached = [wish for wish in wishes if wish.since <= now]
    wakes = [wish.since for wish in wishes if wish.since > now]
    edge = next_edge(spec.windows, to_epoch(now)) if ends_with_window else None
    waking = Part(wake_at=earliest([*wakes, None if edge is None else from_epoch(edge)]))
    watching = Part(needs=_progress_needs(spec, job, facts, platform, now))
    if not reached:
        return joined(waking, watching)
    if (freeze := freeze_at(spec, now)) is not None:
        message = f"{reached[0].job.job_id} would be asked to end: {suspension_text(freeze)}"
        return joined(waking, Part(holds=(_hold(spec, Reason.FROZEN, message),), wake_at=freeze.until))
    if facts.in_flight:
        return joined(
            waking, Part(holds=(_hold(spec, Reason.CANCEL_IN_FLIGHT, f"a request about {job.job_id} is under way"),))
        )
    return joined(waking, ask_to_end(spec, reached[0], facts, platform, now))


def _observe_stuck(
    spec: ScheduleSpec, job: Job, facts: ConnectionFacts, platform: PlatformFacts, now: datetime
) -> Part:
    """Say that a job is stuck where nothing may be done about it; a limit that is reached is believed after a look begun since then."""
    limits = [wish for wish in _wishes(spec, job, facts) if wish.reason in (Reason.MAX_DURATION, Reason.STALLED_AFTER)]
    reached = [wish for wish in limits if wish.since <= now]
    wake_at = earliest([wish.since for wish in limits if wish.since > now])
    needs = _progress_needs(spec, job, facts, platform, now)
    seen = [wish for wish in reached if platform.listing is not None and platform.listing.begun_at >= wish.since]
    if len(seen) < len(reached):
        needs = (*needs, listing_for(NeedKind.LIMIT, max(wish.since for wish in reached)))
    if not seen:
        return Part(wake_at=wake_at, needs=needs)
    message = f"{job.job_id}: {seen[0].message}; nothing is cancelled, the schedule only observes"
    return Part(holds=(_hold(spec, Reason.STUCK, message),), wake_at=wake_at, needs=needs)


def newest_active(facts: ConnectionFacts) -> Job | None:
    """The connection's active job; of several the newest."""
    newest = None
    for job in facts.jobs:
        if job.is_active and (newest is None or (job.created_at, job.job_id) > (newest.created_at, newest.job_id)):
            newest = job
    return newest


def is_ours(facts: ConnectionFacts, job: Job) -> bool:
    """Whether a claim names the job."""
    return facts.standing.owns(job.job_id)


def _hold(spec: ScheduleSpec, reason: Reason, message: str) -> Hold:
    return Hold(spec.ref, spec.name, reason, message)


def _is_limited(spec: ScheduleSpec, job: Job, facts: ConnectionFacts) -> bool:
    """Limits hold for every sync, because a stuck one blocks ours; under ``foreignJobs: Ignore`` only for ours."""
    return is_ours(facts, job) or spec.foreign_jobs is not ForeignJobs.IGNORE


def _wishes(spec: ScheduleSpec, job: Job, facts: ConnectionFacts) -> Iterable[Wish]:
    """Why the active job should end, now or later; the first that is reached is what is told."""
    if spec.max_duration is not None and _is_limited(spec, job, facts):
        message = f"it has been active since {job.created_at:%H:%M:%SZ}, longer than maxDuration {span_text(spec.max_duration)}"
        yield Wish(job, Reason.MAX_DURATION, job.created_at + spec.max_duration, message)
    if spec.stalled_after is not None and facts.moved_at is not None and _may_stall(spec, job, facts):
        message = f"no row and no byte has moved since {facts.moved_at:%H:%M:%SZ}, longer than stalledAfter {span_text(spec.stalled_after)}"
        yield Wish(job, Reason.STALLED_AFTER, facts.moved_at + spec.stalled_after, message)
    is_claimed = facts.standing.claim is not None or facts.in_flight
    if spec.foreign_jobs is ForeignJobs.CANCEL and not is_ours(facts, job) and not is_claimed:
        yield Wish(job, Reason.FOREIGN_JOB, job.created_at, "it was started elsewhere, and foreignJobs is Cancel")


def _window_wish(spec: ScheduleSpec, job: Job, now: datetime) -> Wish | None:
    """Our running job after its window has closed, where ``onClose`` says Cancel."""
    shut = closing(spec.windows, to_epoch(now))
    if shut is None or shut[0].on_close is not OnClose.CANCEL:
        return None
    since = from_epoch(shut[1])
    return Wish(
        job, Reason.WINDOW_CLOSED, since, f"its window closed at {since:%Y-%m-%d %H:%M:%SZ}, and onClose is Cancel"
    )


def watches_running(spec: ScheduleSpec) -> bool:
    """Whether the spec says of a job of ours when it must end."""
    return spec.max_duration is not None or spec.stalled_after is not None or _cancels_on_close(spec)


def _cancels_on_close(spec: ScheduleSpec) -> bool:
    return bool(spec.windows) and any(window.on_close is OnClose.CANCEL for window in spec.windows)


def _may_stall(spec: ScheduleSpec, job: Job, facts: ConnectionFacts) -> bool:
    return job.status is JobStatus.RUNNING and _is_limited(spec, job, facts)


def _progress_needs(
    spec: ScheduleSpec, job: Job, facts: ConnectionFacts, platform: PlatformFacts, now: datetime
) -> tuple[ListingNeed, ...]:
    """Looks that ``stalledAfter`` wants while the job runs."""
    if spec.stalled_after is None or facts.moved_at is None or not _may_stall(spec, job, facts):
        return ()
    last = platform.listing.begun_at if platform.listing is not None else now
    return (listing_for(NeedKind.LIMIT, last + spec.stalled_after / LOOKS_BEFORE_STALLED),)


def ask_to_end(spec: ScheduleSpec, wish: Wish, facts: ConnectionFacts, platform: PlatformFacts, now: datetime) -> Part:
    """One DELETE for a job that should end, after a look begun since it should; again while the platform ignores it."""
    asked, job = facts.standing.cancel, wish.job
    if asked is not None and asked.job_id == job.job_id:
        again = next_request_at(asked)
        if now < again or not is_fresh(platform, now, again):
            held = _hold(spec, wish.reason, f"{job.job_id} was asked to end and has not ended yet")
            need = listing_for(NeedKind.CANCELLING, asked.requested_at, begun_after=again)
            return Part(holds=(held,), wake_at=again if again > now else None, needs=(need,))
    elif not is_fresh(platform, now, wish.since):
        held = _hold(spec, Reason.AWAITING_LISTING, f"{job.job_id} should end; its status is read once more")
        return Part(holds=(held,), needs=(listing_for(NeedKind.LIMIT, wish.since),))
    return Part(actions=(CancelJob(spec.ref, spec.name, job, wish.reason, wish.message),))


def next_request_at(asked: CancelRequest) -> datetime:
    """When a job that was asked to end, and has not, may be asked again."""
    return asked.requested_at + CANCEL_AGAIN * asked.requests


def judge_leaving(facts: ConnectionFacts, platform: PlatformFacts, now: datetime) -> Part | None:
    """A schedule that is gone from the tree with ``onDelete: CancelRunning``: its running job ends first; None = nothing to wait for."""
    last, job = facts.last_spec, newest_active(facts)
    if last is None or last.on_delete is not OnDelete.CANCEL_RUNNING or last.mode is Mode.OBSERVE:
        return None
    if job is None or job.kind is not JobKind.SYNC or job.status is JobStatus.UNKNOWN or not is_ours(facts, job):
        return None
    if facts.in_flight:
        return Part(holds=(_hold(last, Reason.CANCEL_IN_FLIGHT, f"a request about {job.job_id} is under way"),))
    wish = Wish(job, Reason.DELETED, job.created_at, "its schedule is gone, and onDelete is CancelRunning")
    asked = facts.standing.cancel
    if asked is not None and asked.job_id == job.job_id and asked.requests >= LEAVING_REQUESTS_MAX:
        return None
    if (freeze := freeze_at(last, now)) is not None:
        # Nobody can lift a freeze from a schedule that is gone: one without an end leaves the job alone.
        held = _hold(last, Reason.FROZEN, f"{job.job_id} would be asked to end: {suspension_text(freeze)}")
        return None if freeze.until is None else Part(holds=(held,), wake_at=freeze.until)
    return ask_to_end(last, wish, facts, platform, now)
