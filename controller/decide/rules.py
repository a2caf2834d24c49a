"""The rules that a due slot meets; ``decide/planner.py`` holds their order. Each answers None where it has nothing to say."""

from datetime import datetime, timedelta

from controller.decide.case import PUNCTUAL, Case, Finish, Wait
from controller.decide.sight import foreign_sync, is_fresh, is_under_way, listing_for, reaches_back
from controller.model.connection import ConnectionStatus
from controller.model.plan import ListingNeed, NeedKind
from controller.model.record import STOOD_AGAINST, Outcome, Reason
from controller.model.schedule import CatchUpPolicy, ForeignJobs, Mode, Suspension, WhenInDoubt

BACKOFF_MAX = timedelta(seconds=30)
"""Longest pause between two POSTs of one slot that were certainly refused; shorter ones double from 1 s."""

REJECTIONS_MAX = 2
"""A request that was refused as such (400, 404, 422) is sent once more after a fresh look at the connection, then no more."""


def under_way(case: Case) -> Wait | None:
    """A request of the connection is being sent and may be about this very slot; its answer decides."""
    if not is_under_way(case.facts):
        return None
    return Wait(Reason.TRIGGER_IN_FLIGHT, "a request about the connection is under way", case.until)


def obstructed(case: Case) -> Wait | Finish | None:
    """The whole schedule is held: two files claim it, or it asks for something that is not supported yet."""
    reason, message = case.facts.obstacle, "two files claim it; none of them is in force"
    if reason is None and case.spec is not None and case.spec.unsupported:
        reason, message = Reason.NOT_YET_SUPPORTED, f"not supported yet: {', '.join(case.spec.unsupported)}"
    if reason is None:
        return None
    return Finish(Outcome.SKIPPED, reason, message) if case.is_late else Wait(reason, message, case.until)


def suspended(case: Case) -> Finish | None:
    """A suspended schedule starts nothing, and nothing is made up for later."""
    if case.spec is None or case.spec.suspend is None:
        return None
    return Finish(Outcome.SKIPPED, Reason.SUSPENDED, suspension_text(case.spec.suspend))


def suspension_text(suspend: Suspension) -> str:
    """Why and by whom, as one phrase."""
    by = f" (by {suspend.by})" if suspend.by else ""
    return f"{suspend.reason or 'no reason given'}{by}"


def claim_open(case: Case) -> Wait | Finish | None:
    """An earlier slot's trigger is in doubt; two open claims could not be told apart."""
    if case.facts.standing.claim is None:
        return None
    return (
        _too_late(case)
        if case.is_late
        else Wait(Reason.CLAIM_OPEN, "an earlier slot's trigger is not settled yet", case.until)
    )


def counted(case: Case) -> Finish | None:
    """A sync that anybody started at or after the slot, in its window, counts for it."""
    if case.spec is None or (case.spec.foreign_jobs is not ForeignJobs.COUNT and case.spec.mode is not Mode.OBSERVE):
        return None
    job = foreign_sync(case.facts, case.due_at, case.until)
    if job is None:
        return None
    return Finish(
        Outcome.COUNTED, None, f"{job.job_id} was started elsewhere at {job.created_at:%H:%M:%SZ}", job.job_id
    )


def expired(case: Case) -> Finish | None:
    """Its window has ended, or nobody looked in time and nothing may be caught up."""
    if case.is_late:
        return _too_late(case)
    spec, pending = case.spec, case.pending
    if spec is None or spec.mode is Mode.OBSERVE:
        return None
    if pending is not None and pending.reason is Reason.OBSERVE:
        return Finish(Outcome.MISSED, Reason.DEADLINE, "it was due while the schedule only observed")
    if spec.catch_up.policy is CatchUpPolicy.NONE and _was_unseen(case):
        return Finish(Outcome.MISSED, Reason.DEADLINE, "nobody could look in time, and catchUp is None")
    return None


def _was_unseen(case: Case) -> bool:
    """Whether no controller saw the slot in time, or no listing of the platform could be had."""
    if case.pending is None:
        return case.now - case.due_at > PUNCTUAL
    waited_for_view = case.pending.reason in (Reason.AWAITING_LISTING, Reason.OBSERVATION_STALE)
    listing = case.platform.listing
    blind = listing is None or listing.begun_at < case.due_at
    return waited_for_view and blind and case.now - case.due_at > case.platform.profile.view_age_max


def _too_late(case: Case) -> Finish:
    """What the end of a slot's window means: what it waited for if that stood against it, else a miss."""
    pending = case.pending
    if pending is not None and pending.reason in STOOD_AGAINST:
        return Finish(Outcome.SKIPPED, pending.reason, f"until its window ended: {pending.message}")
    why = pending.message if pending is not None and pending.message else "nobody could start it in time"
    return Finish(Outcome.MISSED, Reason.DEADLINE, f"its window ended at {case.until:%H:%M:%SZ}: {why}")


def refused_before(case: Case) -> Wait | Finish | None:
    """Refused POSTs are tried again with back-off; a rejected one once more, after a fresh look at the connection."""
    setbacks, quiet = case.setbacks, case.platform.quiet_until
    if quiet is not None and quiet > case.now:
        return Wait(Reason.REFUSED, f"the platform wants no request before {quiet:%H:%M:%SZ}", min(quiet, case.until))
    if setbacks.last_at is None:
        return None
    if setbacks.unknown_attempts and case.spec is not None and case.spec.when_in_doubt is WhenInDoubt.SKIP:
        return Finish(
            Outcome.SKIPPED, Reason.IN_DOUBT, "the outcome of its POST stayed unknown, and whenInDoubt is Skip"
        )
    if setbacks.rejections >= REJECTIONS_MAX:
        return Finish(Outcome.SKIPPED, Reason.REJECTED, "the platform refused the request twice")
    if setbacks.rejections and (
        case.facts.connection_read_at is None or case.facts.connection_read_at < setbacks.last_at
    ):
        need = ListingNeed(NeedKind.IN_DOUBT, setbacks.last_at, setbacks.last_at, read_connection=True)
        return Wait(Reason.REFUSED, "the platform refused the request; the connection is read again", case.until, need)
    tried = setbacks.refusals + setbacks.rejections
    pause = min(timedelta(seconds=2 ** min(tried - 1, 10)), BACKOFF_MAX) if tried else timedelta()
    again = setbacks.last_at + pause
    return (
        Wait(Reason.REFUSED, f"refused {tried} times; tried again at {again:%H:%M:%SZ}", again)
        if again > case.now
        else None
    )


def inactive(case: Case) -> Wait | None:
    """The platform would refuse: the connection is paused, locked or gone."""
    connection = case.facts.connection
    if connection is None:
        is_gone = case.facts.connection_read_at is not None
        message = "the platform does not know the connection"
        return Wait(Reason.CONNECTION_INACTIVE, message, case.until) if is_gone else None
    if connection.status in (ConnectionStatus.ACTIVE, ConnectionStatus.UNKNOWN):
        return None
    return Wait(Reason.CONNECTION_INACTIVE, f"the connection is {connection.status} on the platform", case.until)


def unseen(case: Case) -> Wait | None:
    """No start rests on a listing that began before the slot was due, or that is too old."""
    if is_fresh(case.platform, case.now, case.due_at) and _reaches_back(case):
        return None
    if case.platform.trouble:
        reason, message = Reason.OBSERVATION_STALE, f"the platform's jobs cannot be listed: {case.platform.trouble}"
    else:
        reason, message = Reason.AWAITING_LISTING, "a listing begun after it was due is awaited"
    return Wait(
        reason, message, case.until, listing_for(NeedKind.DUE, case.due_at, case.slot, begun_after=_wanted_from(case))
    )


def _wanted_from(case: Case) -> datetime:
    listing = case.platform.listing
    stale = listing is not None and listing.begun_at >= case.due_at
    return case.now if stale else case.due_at


def _reaches_back(case: Case) -> bool:
    listing = case.platform.listing
    return listing is not None and reaches_back(listing, case.due_at)


def overlapping(case: Case) -> Finish | None:
    """A job of the connection is active, whoever started it: ``overlap: Skip``."""
    active = next((job for job in case.facts.jobs if job.is_active), None)
    if active is None:
        return None
    return Finish(Outcome.SKIPPED, Reason.ACTIVE, f"{active.job_id} was still {active.status}")


def too_soon(case: Case) -> Wait | None:
    """The last start of any origin is too recent."""
    gap = case.platform.profile.min_gap if case.spec is None or case.spec.min_gap is None else case.spec.min_gap
    starts = [job.created_at for job in case.facts.jobs]
    if case.facts.standing.last_triggered_at is not None:
        starts.append(case.facts.standing.last_triggered_at)
    if not starts or case.now >= (free_at := max(starts) + gap):
        return None
    return Wait(
        Reason.MIN_GAP,
        f"the last start was at {max(starts):%H:%M:%SZ}; minGap ends at {free_at:%H:%M:%SZ}",
        min(free_at, case.until),
    )
