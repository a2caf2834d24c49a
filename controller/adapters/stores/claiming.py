"""What both stores say when a slot is claimed, which platforms a write is for, and why they refuse."""

from collections.abc import Callable
from datetime import datetime, timedelta

from controller.errors import Fenced, SlotAlreadyClaimed
from controller.model.asked import RequestStatus
from controller.model.identity import SlotKey
from controller.model.job import Job, JobKind
from controller.model.record import Claim, ClaimStatus, Outcome, Reason, SlotRecord
from controller.ports.store import Decisions

WALLS_FOR = timedelta(hours=26)
"""How long before the watermark local times of slots are remembered: a day, and the widest step that a zone's clock was ever set by."""

SECOND = timedelta(seconds=1)

CORRECTIONS_KEPT_IN_MIND = 24
"""Newest corrections of a connection that a standing holds: more than any rule counts of both fields, refused ones among them."""


def finished_at(job: Job) -> datetime:
    """When a job that is over ended, as well as the platform says; whole seconds, rounded up."""
    try:
        at = job.ended_at or job.created_at + (job.duration or timedelta())
        return at if at.microsecond == 0 else at.replace(microsecond=0) + SECOND
    except OverflowError:
        # One absurd duration must not keep every listing that shows the job from being stored.
        return job.created_at.replace(microsecond=0)


def counts_for_health(job: Job) -> bool:
    """Whether a job's end says something about its connection: it is a sync, and it is over."""
    return job.kind is JobKind.SYNC and job.status.is_terminal


def is_phantom(status: ClaimStatus) -> bool:
    """Whether a claim that was refused for an active job ended like this because nobody could find that job."""
    return status in (ClaimStatus.ABSENT, ClaimStatus.ABANDONED)


def record_of_claim(claim: Claim) -> SlotRecord:
    """What a slot's record says from its claim until it is known what came of it."""
    return SlotRecord(
        slot=claim.key.slot,
        outcome=Outcome.IN_DOUBT,
        decided_at=claim.written_at,
        schedule=claim.schedule,
        message="claimed",
        revision=claim.revision,
        wall=claim.wall,
    )


def request_status(record: SlotRecord) -> RequestStatus:
    """What the record of a claim says where the claim is a request's: it may be tried again only after a certain refusal."""
    match record.outcome:
        case Outcome.TRIGGERED:
            return RequestStatus.DONE
        case Outcome.HELD:
            return RequestStatus.WAITING
        case Outcome.IN_DOUBT:
            return RequestStatus.CLAIMED
        case Outcome.SKIPPED if record.reason is Reason.IN_DOUBT:
            return RequestStatus.IN_DOUBT
        case _:
            return RequestStatus.FAILED


MICROSECOND = timedelta(microseconds=1)


def unlike_a_slot(at: datetime, is_taken: Callable[[datetime], bool]) -> datetime:
    """The instant, or the next one that is no whole second and that no other request of the connection has."""
    while at.microsecond == 0 or is_taken(at):
        at += MICROSECOND
    return at


def request_is_decided(key: str) -> SlotAlreadyClaimed:
    """A request is carried out at most once, and ends once."""
    return SlotAlreadyClaimed(f"Request {key} does not wait any more.")


def attempt_exists(claim: Claim) -> SlotAlreadyClaimed:
    """The claim's key is taken."""
    return SlotAlreadyClaimed(f"Attempt {claim.attempt} of run {claim.key.run} of {claim.key.slot} was claimed before.")


def connection_is_claimed(claim: Claim) -> SlotAlreadyClaimed:
    """Two open claims of one connection could not tell their jobs apart."""
    return SlotAlreadyClaimed(f"{claim.key.slot} cannot be claimed: its connection has an open claim already.")


def slot_is_settled(slot: SlotKey) -> SlotAlreadyClaimed:
    """A final record is never overwritten."""
    return SlotAlreadyClaimed(f"{slot} cannot be claimed: its record is final.")


def slot_is_claimed(slot: SlotKey) -> SlotAlreadyClaimed:
    """What a claim comes to is said by settling it, never by a record beside it: its POST may be under way."""
    return SlotAlreadyClaimed(f"{slot} cannot be recorded: its claim is open.")


def claim_is_closed(claim: Claim) -> SlotAlreadyClaimed:
    """Somebody settled the claim before."""
    return SlotAlreadyClaimed(
        f"Attempt {claim.attempt} of run {claim.key.run} of {claim.key.slot} is not open any more."
    )


def job_belongs_elsewhere(slot: SlotKey, job_id: str) -> SlotAlreadyClaimed:
    """A job belongs to one slot, for ever."""
    return SlotAlreadyClaimed(f"Job {job_id} cannot belong to {slot}: it belongs to another slot already.")


def not_held(platform: str, held: int | None, current: int | None) -> Fenced:
    """Somebody else took the platform, or nobody took it for this handle."""
    if held is None:
        return Fenced(platform, f"{platform} cannot be written to: this controller did not take it.")
    return Fenced(platform, f"{platform} cannot be written to under epoch {held}: epoch {current} is in force.")


def platforms_of(decisions: Decisions) -> list[str]:
    """Every platform that a batch writes to, in order."""
    refs = [accepted.ref for accepted in decisions.accepted]
    refs += [record.slot.ref for record in decisions.records]
    refs += [ref for settled in decisions.settled for ref in (settled.claim.ref, settled.record.slot.ref)]
    refs += [rearmed.ref for rearmed in decisions.rearmed]
    refs += [settled.request.ref for settled in decisions.requests]
    refs += [drift.ref for drift in decisions.drifts]
    return sorted({ref.platform for ref in refs})
