"""The rules that a due slot meets; ``decide/planner.py`` holds their order. Each answers None where it has nothing to say."""

from datetime import datetime, timedelta

from controller.decide.against import Against, closed, closed_throughout, forbidden, held_as_a_whole, next_opening
from controller.decide.cancels import next_request_at
from controller.decide.case import PUNCTUAL, Case, Finish, Wait, Wish
from controller.decide.drift import drives_beside
from controller.decide.sight import foreign_sync, is_fresh, is_under_way, listing_for, reaches_back
from controller.decide.undoing import look_again
from controller.model.connection import ConnectionStatus
from controller.model.drift import DriftField
from controller.model.identity import SlotKey
from controller.model.job import Job, JobKind, JobStatus
from controller.model.plan import ConnectionFacts, ListingNeed, NeedKind
from controller.model.record import STOOD_AGAINST, Outcome, Reason
from controller.model.schedule import CatchUpPolicy, ForeignJobs, Mode, Overlap, WhenInDoubt

BACKOFF_MAX = timedelta(seconds=30)
"""Longest pause between two POSTs of one slot that were certainly refused; shorter ones double from 1 s."""

REPLACE_REQUESTS_MAX = 5
"""DELETEs for one job after which ``Replace`` gives up on its slot: more than seven minutes have passed by then."""

REJECTIONS_MAX = 2
"""A request that was refused as such (400, 404, 422) is sent once more after a fresh look at the connection, then no more."""


def under_way(case: Case) -> Wait | None:
    """A request of the connection is being sent and may be about this very slot; its answer decides."""
    if not is_under_way(case.facts):
        return None
    return Wait(Reason.TRIGGER_IN_FLIGHT, "a request about the connection is under way")


def obstructed(case: Case) -> Wait | Finish | None:
    """The whole schedule is held: its files or policies contradict each other, or it asks for something that is not supported yet."""
    against = held_as_a_whole(case.facts)
    if against is None:
        return None
    return Finish(Outcome.SKIPPED, *against) if case.is_late else Wait(*against)


def halted(case: Case) -> Finish | None:
    """A suspended, frozen or stalled schedule starts nothing, and nothing is made up for later."""
    against = forbidden(case.facts, case.due_at)
    return None if against is None else Finish(Outcome.SKIPPED, *against)


def claim_open(case: Case) -> Wait | Finish | None:
    """An earlier slot's trigger is in doubt; two open claims could not be told apart."""
    if case.facts.standing.claim is None:
        return None
    return _too_late(case) if case.is_late else Wait(Reason.CLAIM_OPEN, "an earlier slot's trigger is not settled yet")


def counted(case: Case) -> Finish | None:
    """A sync that anybody started at or after the slot, in its window, counts for it."""
    spec = case.facts.spec
    if spec is None or (spec.foreign_jobs is not ForeignJobs.COUNT and spec.mode is not Mode.OBSERVE):
        return None
    job = foreign_sync(case.facts, case.slot.scheduled_at, case.until)
    if job is None:
        return None
    return Finish(
        Outcome.COUNTED, None, f"{job.job_id} was started elsewhere at {job.created_at:%H:%M:%SZ}", job.job_id
    )


def decided_before(case: Case) -> Finish | None:
    """A new version of the zone data moved the instant of a local time that has its decision already: it is no second slot."""
    if case.decided_as is None:
        return None
    message = (
        f"its local time was decided already, at {case.decided_as:%Y-%m-%d %H:%M:%SZ}, before the zone data changed"
    )
    return Finish(Outcome.COUNTED, None, message)


def expired(case: Case) -> Finish | None:
    """Its window has ended, or nobody looked in time and nothing may be caught up."""
    if case.is_late:
        return _too_late(case)
    spec, pending = case.facts.spec, case.pending
    if spec is None or spec.mode is Mode.OBSERVE:
        return None
    if pending is not None and pending.reason is Reason.OBSERVE:
        return Finish(Outcome.MISSED, Reason.DEADLINE, "it was due while the schedule only observed")
    # A retry's slot was seen: it started.
    if case.run == 0 and spec.catch_up.policy is CatchUpPolicy.NONE and _was_unseen(case):
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
    if (against := closed_throughout(case.spec, case.due_at, case.until)) is not None:
        return Finish(Outcome.SKIPPED, *against)
    why = pending.message if pending is not None and pending.message else "nobody could start it in time"
    return Finish(Outcome.MISSED, Reason.DEADLINE, f"its window ended at {case.until:%H:%M:%SZ}: {why}")


def refused_before(case: Case) -> Wait | Finish | None:
    """Refused POSTs are tried again with back-off; a rejected one once more, after a fresh look at the connection."""
    setbacks, quiet = case.setbacks, case.platform.quiet_until
    if quiet is not None and quiet > case.now:
        return Wait(Reason.REFUSED, f"the platform wants no request before {quiet:%H:%M:%SZ}", quiet)
    if setbacks.last_at is None:
        return None
    if setbacks.unknown_attempts and case.spec is not None and case.spec.when_in_doubt is WhenInDoubt.SKIP:
        return Finish(
            Outcome.SKIPPED, Reason.IN_DOUBT, "the outcome of its POST stayed unknown, and whenInDoubt is Skip"
        )
    if setbacks.unknown_attempts >= case.platform.profile.attempts_max:
        return Finish(Outcome.SKIPPED, Reason.IN_DOUBT, "the outcome of every POST stayed unknown")
    if setbacks.rejections >= REJECTIONS_MAX:
        return Finish(Outcome.SKIPPED, Reason.REJECTED, "the platform refused the request twice")
    if setbacks.rejections and (
        case.facts.connection_read_at is None or case.facts.connection_read_at < setbacks.last_at
    ):
        need = ListingNeed(NeedKind.IN_DOUBT, setbacks.last_at, setbacks.last_at, read_connection=True)
        return Wait(Reason.REFUSED, "the platform refused the request; the connection is read again", need=need)
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
    against = inactivity(case.facts)
    return None if against is None else Wait(*against, need=look_again(case, DriftField.STATUS))


def double_scheduled(case: Case) -> Wait | None:
    """The platform itself drives the connection as well, or somebody sets it back each time: two starts for one slot are no service."""
    message = drives_beside(case.facts, case.now)
    if message is None:
        return None
    return Wait(Reason.DOUBLE_SCHEDULED, message, need=look_again(case, DriftField.SCHEDULE))


def inactivity(facts: ConnectionFacts) -> Against | None:
    """Why the platform would refuse a start, by the connection's settings as last read; nothing while they were not."""
    connection = facts.connection
    if connection is None:
        is_gone = facts.connection_read_at is not None
        return (Reason.CONNECTION_INACTIVE, "the platform does not know the connection") if is_gone else None
    if connection.status in (ConnectionStatus.ACTIVE, ConnectionStatus.UNKNOWN):
        return None
    return Reason.CONNECTION_INACTIVE, f"the connection is {connection.status} on the platform"


def window_closed(case: Case) -> Wait | None:
    """No window lets anything start now; the slot waits for the next opening as long as its own window lasts."""
    spec = case.facts.spec
    against = closed(spec, case.now)
    if spec is None or against is None:
        return None
    opening = next_opening(spec, case.now)
    reason, message = against
    opens = f"opens at {opening:%Y-%m-%d %H:%M:%SZ}" if opening is not None else "never opens again"
    return Wait(reason, f"{message}; {opens}", opening)


def unseen(case: Case) -> Wait | None:
    """No start rests on a listing that began before the slot was due, or that is too old."""
    listing = case.platform.listing
    is_seen = listing is not None and reaches_back(listing, case.seen_since)
    if is_seen and is_fresh(case.platform, case.now, case.due_at):
        return None
    if case.platform.trouble:
        reason, message = Reason.OBSERVATION_STALE, f"the platform's jobs cannot be listed: {case.platform.trouble}"
    else:
        reason, message = Reason.AWAITING_LISTING, "a listing begun after it was due is awaited"
    since = SlotKey(case.slot.ref, case.seen_since)
    return Wait(reason, message, need=listing_for(NeedKind.DUE, case.due_at, since, begun_after=_wanted_from(case)))


def _wanted_from(case: Case) -> datetime:
    listing = case.platform.listing
    stale = listing is not None and listing.begun_at >= case.due_at
    return case.now if stale else case.due_at


def overlapping(case: Case) -> Finish | Wait | None:
    """A job of the connection is active, whoever started it: ``overlap`` says what becomes of the slot."""
    active = case.active
    if active is None:
        return None
    policy = Overlap.SKIP if case.spec is None else case.spec.overlap
    if case.waits_for_idle or case.run > 0:
        policy = Overlap.QUEUE
    if policy is Overlap.SKIP:
        return Finish(Outcome.SKIPPED, Reason.ACTIVE, f"{active.job_id} was still {active.status}")
    need = listing_for(NeedKind.ACTIVE, case.due_at, case.slot if case.run == 0 else None)
    message = f"{active.job_id} is still {active.status}"
    is_ours = case.facts.standing.owns(active.job_id)
    if policy is Overlap.QUEUE or not is_ours or active.kind is not JobKind.SYNC or active.status is JobStatus.UNKNOWN:
        return Wait(Reason.ACTIVE, f"{message}; it starts when that ends", need=need)
    return _replacing(case, active, need)


def _replacing(case: Case, active: Job, need: ListingNeed) -> Finish | Wait:
    """Ask for the end of our own job; a platform that ignores that again and again keeps the slot from starting, and that is said."""
    asked = case.facts.standing.cancel
    is_asked = asked is not None and asked.job_id == active.job_id
    if asked is not None and is_asked and asked.requests >= REPLACE_REQUESTS_MAX and case.now >= next_request_at(asked):
        message = f"{active.job_id} was asked to end {asked.requests} times and is still {active.status}"
        return Finish(Outcome.SKIPPED, Reason.ACTIVE, message)
    wish = Wish(active, Reason.REPLACED, case.due_at, "a newer slot is due, and overlap is Replace")
    return Wait(Reason.ACTIVE, f"{active.job_id} is asked to end for it", need=need, wish=wish)


def too_soon(case: Case) -> Wait | None:
    """The last start of any origin is too recent."""
    spec, last = case.facts.spec, case.facts.standing.last_triggered_at
    for job in case.facts.jobs:
        if last is None or job.created_at > last:
            last = job.created_at
    gap = case.platform.profile.min_gap if spec is None or spec.min_gap is None else spec.min_gap
    if last is None or case.now >= (free_at := last + gap):
        return None
    return Wait(Reason.MIN_GAP, f"the last start was at {last:%H:%M:%SZ}; minGap ends at {free_at:%H:%M:%SZ}", free_at)
