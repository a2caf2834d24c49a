"""What people ask for: judged by the rules of slots, in its turn, and refused at once where a slot would wait without being watched."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from controller.decide.against import Against, forbidden, freeze_at, held_as_a_whole, suspension_text
from controller.decide.cancels import newest_active
from controller.decide.case import Case, Finish, Start, Verdict, Wait, Wish
from controller.decide.parts import NOTHING, Part, joined
from controller.decide.sight import is_fresh, listing_for
from controller.decide.slots import earliest
from controller.model.asked import Asked, Request, RequestStatus, Source
from controller.model.identity import ClaimKey
from controller.model.job import Job, JobKind, JobStatus
from controller.model.plan import (
    ConnectionFacts,
    Hold,
    ListingNeed,
    NeedKind,
    PlanningInput,
    PlatformFacts,
    SettleRequest,
    TriggerSync,
)
from controller.model.record import Claim, Reason
from controller.model.schedule import Mode

WITHOUT_END = timedelta(days=36_500)
"""A request without ``expiresAt`` may wait as long as its document stands in the specs."""

PASSING = frozenset(
    {
        Reason.AWAITING_LISTING,
        Reason.OBSERVATION_STALE,
        Reason.TRIGGER_IN_FLIGHT,
        Reason.CLAIM_OPEN,
        Reason.REFUSED,
    }
)
"""What says nothing about the schedule: every request waits for that, until it expires."""

WAITS_FOR = {
    Asked.TRIGGER: frozenset[Reason](),
    Asked.SYNC: frozenset({Reason.ACTIVE, Reason.MIN_GAP, Reason.WINDOW_CLOSED}),
    # Nothing destructive starts hours later, when nobody looks any more.
    Asked.RESET: frozenset({Reason.MIN_GAP}),
}
"""What else a request waits for; all that is not listed refuses it, for good."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What is done about requests: ``wish`` is the job that somebody asked to end, ``starts`` whether one of them starts a job now."""

    part: Part
    wish: Wish | None = None
    starts: bool = False


UNASKED = Answered(NOTHING)


def judge_requests(
    facts: ConnectionFacts, platform: PlatformFacts, known: PlanningInput, judge: Callable[[Case], Verdict]
) -> Answered:
    """Carry out, refuse or keep what was asked for about a connection, in the order in which it was asked.

    ``judge``: the rules of slots, without those that only a slot can meet. At most one request starts a job, or wants one to end.
    """
    if not facts.standing.requests:
        return UNASKED
    parts = list[Part]()
    wish: Wish | None = None
    starts = False
    for request in facts.standing.requests:
        if request.status is not RequestStatus.WAITING:
            # Its claim is judged, and speaks for it.
            continue
        if request.action in (Asked.SUSPEND, Asked.RESUME):
            parts.append(
                _suspended(request, known) if request.action is Asked.SUSPEND else _resumed(facts, request, known)
            )
            continue
        if known.observes and request.source is Source.SPEC:
            parts.append(_kept(facts, request))
        elif (over := _over(request, known)) is not None:
            parts.append(over)
        elif request.not_before is not None and request.not_before > known.now:
            parts.append(
                Part(wake_at=earliest([at for at in (request.not_before, request.expires_at) if at is not None]))
            )
        elif (against := _against(facts, request, known)) is not None:
            parts.append(_refused(request, against, known))
        elif request.action is Asked.CANCEL:
            part, wanted = _cancelled(facts, platform, request, known)
            wish = wish or wanted
            parts.append(part)
        elif not starts:
            part = _judged(facts, platform, request, known, judge)
            starts = any(isinstance(action, TriggerSync) for action in part.actions)
            parts.append(part)
    return Answered(joined(*parts), wish, starts)


def _settled(
    request: Request, status: RequestStatus, message: str, known: PlanningInput, job_id: str | None = None
) -> Part:
    """A final answer; whatever it makes possible is judged at once."""
    return Part(actions=(SettleRequest(request, status, message, known.now, job_id),), wake_at=known.now)


def _refused(request: Request, against: Against, known: PlanningInput) -> Part:
    reason, message = against
    return _settled(request, RequestStatus.REFUSED, f"{reason}: {message}", known)


def _kept(facts: ConnectionFacts, request: Request) -> Part:
    """A run that only observes answers no document: its key counts once and for ever, and must not be used up by trying something out."""
    message = f"{request.action} by {request.asked_by}: this run only observes; the next one that does not answers it"
    return Part(holds=(Hold(facts.ref, request.schedule, Reason.OBSERVE, message),))


def _suspended(request: Request, known: PlanningInput) -> Part:
    """It stood since it was asked for; from now on that is on record."""
    return _settled(request, RequestStatus.DONE, f"suspended: {suspension_text(request.suspension)}", known)


def _resumed(facts: ConnectionFacts, request: Request, known: PlanningInput) -> Part:
    """End what a person's command or a row of failures keeps from starting; what stands in a file, only a file can end."""
    spec = facts.spec
    if spec is not None and spec.suspend is not None and spec.suspend.covers(known.now):
        place = spec.origins.get("suspend", spec.origin)
        message = f"it is suspended in {place}, and only an edit there ends that: {suspension_text(spec.suspend)}"
        return _refused(request, (Reason.SUSPENDED, message), known)
    ended = list[str]()
    by_hand, failures = facts.standing.suspended, facts.standing.failures
    if by_hand is not None and by_hand.covers(known.now):
        ended.append(f"no longer suspended: {suspension_text(by_hand)}")
    if spec is not None and spec.failure_budget is not None and failures >= spec.failure_budget:
        ended.append(f"no longer stalled: the row of {failures} failures counts no more")
    freeze = None if spec is None else freeze_at(spec, known.now)
    if freeze is not None and not ended:
        return _refused(
            request, (Reason.FROZEN, f"only an edit of the policy ends that: {suspension_text(freeze)}"), known
        )
    if freeze is not None:
        ended.append(f"a policy still freezes it: {suspension_text(freeze)}")
    return _settled(
        request, RequestStatus.DONE, "; ".join(ended) or "nothing was suspended by hand, nor stalled", known
    )


def _over(request: Request, known: PlanningInput) -> Part | None:
    """Nobody asks for it any more, or not now."""
    if request.is_withdrawn:
        return _settled(request, RequestStatus.WITHDRAWN, "its document is gone from the specs", known)
    if request.expires_at is not None and request.expires_at <= known.now:
        message = f"it could not be carried out before {request.expires_at:%Y-%m-%d %H:%M:%SZ}"
        return _settled(request, RequestStatus.EXPIRED, message, known)
    return None


def _against(facts: ConnectionFacts, request: Request, known: PlanningInput) -> Against | None:
    """What stands against it whatever the platform shows."""
    if (held := held_as_a_whole(facts)) is not None:
        return held
    spec = facts.spec
    if spec is None:
        return Reason.DELETED, f"no schedule drives {facts.ref}"
    if spec.name != request.schedule:
        return Reason.DELETED, f"{facts.ref} is driven by {spec.name} now, and {request.schedule} was asked for"
    if spec.mode is Mode.OBSERVE:
        return Reason.OBSERVE, "it is only observed, and nothing is written to the platform"
    if request.action is Asked.CANCEL:
        freeze = freeze_at(spec, known.now)
        return None if freeze is None else (Reason.FROZEN, suspension_text(freeze))
    if request.action is Asked.RESET and not known.allow_resets:
        return Reason.NOT_ALLOWED, "the controller's settings allow no reset; see allow_resets under [safety]"
    return forbidden(facts, known.now)


def _judged(
    facts: ConnectionFacts,
    platform: PlatformFacts,
    request: Request,
    known: PlanningInput,
    judge: Callable[[Case], Verdict],
) -> Part:
    """A request for a job: started, kept waiting, or refused."""
    now = known.now
    due_at = request.made_at if request.not_before is None else max(request.made_at, request.not_before)
    until = request.expires_at or now + WITHOUT_END
    case = Case(facts, platform, now, request.slot, due_at, until, waits_for_idle=True)
    verdict = judge(case)
    if isinstance(verdict, Wait) and verdict.reason is Reason.CONNECTION_INACTIVE and not _has_looked(facts, request):
        need = ListingNeed(NeedKind.DUE, due_at, due_at, read_connection=True)
        verdict = Wait(Reason.AWAITING_LISTING, f"{verdict.message}; it is read once more", need=need)
    match verdict:
        case Start():
            return Part(actions=(TriggerSync(_claim(case, request, known.revision)),))
        case Wait(reason, message, until_then, looked_for) if reason in PASSING | WAITS_FOR[request.action]:
            ends = [at for at in (until_then, request.expires_at) if at is not None and at > now]
            hold = Hold(facts.ref, request.schedule, reason, f"{request.action} by {request.asked_by}: {message}")
            return Part(holds=(hold,), wake_at=earliest(ends), needs=() if looked_for is None else (looked_for,))
        case Wait(Reason.ACTIVE) if case.active is not None:
            against = f"{case.active.job_id} is still {case.active.status}"
            return _refused(request, (Reason.ACTIVE, against), known)
        case Wait(reason, message) | Finish(_, Reason() as reason, message):
            return _refused(request, (reason, message), known)
        case Finish(outcome, _, message):
            return _settled(request, RequestStatus.REFUSED, f"{outcome}: {message}", known)


def _has_looked(facts: ConnectionFacts, request: Request) -> bool:
    """Whether the connection's settings were read since: somebody may have just activated it."""
    return facts.connection_read_at is not None and facts.connection_read_at >= request.made_at


def _claim(case: Case, request: Request, revision: str) -> Claim:
    return Claim(
        ClaimKey(request.slot, 0),
        case.setbacks.attempts + 1,
        case.now,
        frozenset(job.job_id for job in case.facts.jobs),
        request.schedule,
        revision,
        due_at=case.due_at,
        request=request.key,
        kind=request.job_kind,
    )


def _cancelled(
    facts: ConnectionFacts, platform: PlatformFacts, request: Request, known: PlanningInput
) -> tuple[Part, Wish | None]:
    """The end of the active sync, whoever started it; done once it was seen."""
    now, expires = known.now, Part(wake_at=request.expires_at)
    asked = facts.standing.cancel
    if asked is not None and asked.requested_at >= request.made_at:
        ended = next((job for job in facts.jobs if job.job_id == asked.job_id and not job.is_active), None)
        if ended is not None:
            return _settled(request, RequestStatus.DONE, f"{ended.job_id} is {ended.status}", known, ended.job_id), None
    if not is_fresh(platform, now, request.made_at):
        message = f"Cancel by {request.asked_by}: what is active is looked up"
        hold = Hold(facts.ref, request.schedule, Reason.AWAITING_LISTING, message)
        return replace(expires, holds=(hold,), needs=(listing_for(NeedKind.LIMIT, request.made_at),)), None
    if facts.standing.claim is not None or facts.in_flight:
        # What it is about to make may be the very job.
        return expires, None
    job = newest_active(facts)
    if (why := _cannot_end(job)) is not None or job is None:
        return _refused(request, (Reason.ACTIVE, why or ""), known), None
    message = f"{request.asked_by} asked for it" + (f": {request.reason}" if request.reason else "")
    return expires, Wish(job, Reason.REQUESTED, request.made_at, message)


def _cannot_end(job: Job | None) -> str | None:
    if job is None:
        return "nothing is active that could be cancelled"
    if job.kind is not JobKind.SYNC or job.status is JobStatus.UNKNOWN:
        return f"{job.job_id} is a {job.kind} with the status {job.status}; only a sync of a known status is ever cancelled"
    return None


def broken_promise(known: PlanningInput, facts: ConnectionFacts, claim: Claim) -> str | None:
    """Why a request's trigger must not be carried out; a slot's own promises do not ask about it."""
    request = next((each for each in facts.standing.requests if each.key == claim.request), None)
    if (
        request is None
        or request.status is not RequestStatus.WAITING
        or request.slot != claim.key.slot
        or claim.key.run
    ):
        return "for a request that does not wait"
    if request.job_kind is not claim.kind or not request.action.starts_a_job:
        return f"as a {claim.kind} for a request of another kind"
    if request.is_withdrawn or (request.expires_at is not None and request.expires_at <= known.now):
        return "for a request that is over"
    if request.not_before is not None and request.not_before > known.now:
        return "for a request before its time"
    if request.action is Asked.RESET and not (known.allow_resets and request.expires_at is not None):
        return "as a reset that nothing allows"
    return None
