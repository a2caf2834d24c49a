"""What was decided, as sentences for people: every outcome and reason of the closed list has one. Slots' times stand beside them."""

from collections.abc import Mapping

from controller.model.drift import NotedDrift
from controller.model.plan import (
    AcceptSchedule,
    Action,
    CancelJob,
    CorrectConnection,
    Hold,
    NoteDrift,
    RearmFreshness,
    RecordSlot,
    SettleClaim,
    SettleRequest,
    TriggerSync,
)
from controller.model.record import Claim, Outcome, Reason, SlotRecord

PUNCTUAL_SECONDS = 1
"""Nobody calls a start that was later by less than this late."""

TOLD_IN_SECONDS = 120
"""A longer delay is told in minutes."""

SKIPPED: Mapping[Reason, str] = {
    Reason.ACTIVE: "a sync of the connection was still going",
    Reason.SUSPENDED: "the schedule was suspended",
    Reason.FROZEN: "a policy had frozen the schedule",
    Reason.STALLED: "too many syncs had failed in a row",
    Reason.WINDOW_CLOSED: "none of its windows was open",
    Reason.MIN_GAP: "the last start of the connection was too recent",
    Reason.DOUBLE_SCHEDULED: "the platform's own schedule drove the connection as well",
    Reason.CONNECTION_INACTIVE: "the connection was not active on the platform",
    Reason.DUPLICATE_CONNECTION: "two files claimed the connection, and none of them was in force",
    Reason.DUPLICATE_NAME: "two files had its name, and none of them was in force",
    Reason.POLICY_CONFLICT: "two policies of equal priority contradicted each other",
    Reason.NOT_YET_SUPPORTED: "the spec asked for something that is not supported yet",
    Reason.REJECTED: "its request was no good",
    Reason.DELETED: "the schedule was removed or edited before the slot could start",
    Reason.IN_DOUBT: "whether its request made a job was never known, and it was not sent again",
}
"""Why a slot was skipped."""

MISSED: Mapping[Reason, str] = {
    Reason.SUPERSEDED: "nobody could start it before a newer slot was due",
    Reason.DEADLINE: "nobody could start it before its window ended",
}
"""Why a slot was missed."""

WAITING: Mapping[Reason, str] = {
    Reason.ACTIVE: "a sync of the connection is still going",
    Reason.SUSPENDED: "the schedule is suspended",
    Reason.FROZEN: "a policy freezes the schedule",
    Reason.STALLED: "too many syncs failed in a row; a person or a new spec must release it",
    Reason.WINDOW_CLOSED: "none of its windows is open",
    Reason.MIN_GAP: "the last start of the connection is too recent",
    Reason.DOUBLE_SCHEDULED: "the platform's own schedule drives the connection as well; set it to manual there",
    Reason.CONNECTION_INACTIVE: "the connection is not active on the platform",
    Reason.DUPLICATE_CONNECTION: "two files claim the connection, and none of them is in force",
    Reason.DUPLICATE_NAME: "two files have its name, and none of them is in force",
    Reason.POLICY_CONFLICT: "two policies of equal priority contradict each other",
    Reason.NOT_YET_SUPPORTED: "the spec asks for something that is not supported yet",
    Reason.REJECTED: "its request was no good",
    Reason.DELETED: "the schedule is gone",
    Reason.IN_DOUBT: "whether its request made a job is not known yet",
    Reason.SUPERSEDED: "a newer slot is due",
    Reason.DEADLINE: "its window has ended",
    Reason.MAX_DURATION: "a job is active for longer than maxDuration and was asked to end",
    Reason.OBSERVE: "the schedule only observes and triggers nothing",
    Reason.OBSERVATION_STALE: "the platform's jobs cannot be listed, and nothing starts on an old view",
    Reason.AWAITING_LISTING: "nothing starts before the platform's jobs are listed once more",
    Reason.AWAITING_TURN: "it waits for its turn",
    Reason.CLAIM_OPEN: "an earlier slot's trigger is not settled yet",
    Reason.TRIGGER_IN_FLIGHT: "its request is under way",
    Reason.CANCEL_IN_FLIGHT: "a request to end its job is under way",
    Reason.REFUSED: "the platform refused for now",
    Reason.UNKNOWN_PLATFORM: "the settings know no platform of that name",
    Reason.STALLED_AFTER: "a job that does not move any more was asked to end",
    Reason.REPLACED: "a job was asked to end for a newer slot",
    Reason.FOREIGN_JOB: "a job that was started elsewhere was asked to end",
    Reason.RETRY_PENDING: "its job failed and is tried again later",
    Reason.CLOCK_BEHIND: "the clock was set back, and nothing is judged until it has caught up",
    Reason.CLOCK_FROZEN: "the wall clock was set, and nothing is judged until it is known what time it is",
    Reason.CLOCK_SKEW: "the platform's clock and ours contradict each other, and nothing is judged until they agree",
    Reason.FIGHT_DETECTED: "somebody else changes the connection back each time, and it is left alone; find who does that",
    Reason.STUCK: "a job is stuck, and the schedule only observes",
    Reason.PHANTOM_ACTIVE: "the platform says that a job is running and lists none; look at the connection there",
    Reason.REQUESTED: "a person asked for the end of its job",
    Reason.NOT_ALLOWED: "the controller's settings do not allow it",
    Reason.BLAST_RADIUS: "the platform got as much as it may between two full resyncs, and the rest waits for the next one",
}
"""What it means that nothing is done now."""

_SELF_CONTAINED = frozenset(
    {
        Reason.SUPERSEDED,
        Reason.ACTIVE,
        Reason.MIN_GAP,
        Reason.DEADLINE,
        Reason.MAX_DURATION,
        Reason.STALLED_AFTER,
        Reason.REPLACED,
        Reason.FOREIGN_JOB,
        Reason.RETRY_PENDING,
        Reason.CLOCK_BEHIND,
        Reason.PHANTOM_ACTIVE,
        Reason.FIGHT_DETECTED,
        Reason.STUCK,
        Reason.STALLED,
        Reason.POLICY_CONFLICT,
        Reason.IN_DOUBT,
        Reason.CLAIM_OPEN,
        Reason.CONNECTION_INACTIVE,
        Reason.UNKNOWN_PLATFORM,
        Reason.NOT_YET_SUPPORTED,
        Reason.OBSERVATION_STALE,
        Reason.TRIGGER_IN_FLIGHT,
        Reason.CANCEL_IN_FLIGHT,
        Reason.DELETED,
        Reason.REQUESTED,
        Reason.NOT_ALLOWED,
    }
)
"""Reasons whose message says all that the meaning would say."""

_NOTHING_MORE = frozenset({Reason.DUPLICATE_CONNECTION, Reason.DUPLICATE_NAME, Reason.AWAITING_LISTING})
"""Reasons whose message says nothing beyond the meaning."""


def _with_message(meaning: str, reason: Reason, message: str) -> str:
    if not message or message == meaning or reason in _NOTHING_MORE:
        return meaning
    return message if reason in _SELF_CONTAINED else f"{meaning}: {message}"


def _end_of(meanings: Mapping[Reason, str], record: SlotRecord) -> str:
    meaning = meanings.get(record.reason) if record.reason is not None else None
    if meaning is None or record.reason is None:
        return record.message
    return _with_message(meaning, record.reason, record.message)


def explain_record(record: SlotRecord) -> str:
    """Why the slot came to what it came to."""
    message = record.message
    match record.outcome:
        case Outcome.TRIGGERED if record.adopted:
            return f"made {record.job_id}, which was found while the answer to the request was unknown"
        case Outcome.TRIGGERED:
            # A start that jitter put off is not late, and says so itself.
            return (
                f"started {record.job_id}; {message}" if message else f"started {record.job_id} {_punctuality(record)}"
            )
        case Outcome.COUNTED:
            return f"{message or f'{record.job_id} was started elsewhere'}, and counts for it"
        case Outcome.SKIPPED:
            text = _end_of(SKIPPED, record)
        case Outcome.MISSED:
            text = _end_of(MISSED, record)
        case Outcome.IN_DOUBT:
            return WAITING[Reason.IN_DOUBT]
        case Outcome.HELD:
            text = _end_of(WAITING, record)
    return f"{record.count:,} slots: {text}" if record.count > 1 else text


def _punctuality(record: SlotRecord) -> str:
    seconds = (record.decided_at - record.slot.scheduled_at).total_seconds()
    if seconds < PUNCTUAL_SECONDS:
        return "on time"
    return f"{seconds:.0f} s late" if seconds < TOLD_IN_SECONDS else f"{seconds / 60:.0f} min late"


def explain_wait(reason: Reason, message: str) -> str:
    """Why nothing is done now."""
    return _with_message(WAITING[reason], reason, message)


def explain_hold(hold: Hold) -> str:
    """Why nothing is done for this schedule now."""
    return explain_wait(hold.reason, hold.message)


def _explain_trigger(claim: Claim) -> str:
    again = f" (attempt {claim.attempt})" if claim.attempt > 1 else ""
    if claim.request:
        return f"somebody asked for a {claim.kind}, and nothing stands against it{again}"
    if claim.key.run > 0:
        return f"its job failed, and retry {claim.key.run} is due{again}"
    return f"it is due, and nothing stands against it{again}"


def _explain_settlement(settled: SettleClaim) -> str:
    record = settled.record
    if settled.claim.request:
        return f"what was asked for by request: {record.message or 'its job was found'}"
    return f"{record.word}: {explain_record(record)}"


def _drift(drift: NotedDrift) -> str:
    if not drift.stands:
        return f"{drift.field} is {drift.desired} again"
    return f"{drift.field} is {drift.observed} on the platform, and {drift.desired} is wanted"


def explain_action(action: Action) -> str:
    """What is done, and why."""
    match action:
        case AcceptSchedule(spec=None):
            return "goes out of force: no spec names its connection any more"
        case AcceptSchedule(generation=1):
            return "comes into force: its slots count from now on, none is made up"
        case AcceptSchedule():
            return f"its edit comes into force as generation {action.generation}"
        case RecordSlot(record):
            return f"{record.word}: {explain_record(record)}"
        case SettleClaim():
            return _explain_settlement(action)
        case TriggerSync(claim):
            return _explain_trigger(claim)
        case RearmFreshness(fresh_since=fresh_since):
            return f"its data is fresh since {fresh_since:%Y-%m-%d %H:%M:%SZ}; freshness slots count from there"
        case SettleRequest(request, status, message):
            return f"{request.action} by {request.asked_by} ends as {status}: {message}"
        case NoteDrift(drift=drift):
            return _drift(drift)
        case CorrectConnection():
            return action.message
        case CancelJob():
            return f"{action.job.job_id}: {action.message}"
