"""Claims in doubt: settled by observing, never by trying again blindly (`docs/architecture.md`, "In doubt")."""

from dataclasses import replace
from datetime import datetime

from controller.decide.parts import NOTHING, Part
from controller.decide.sight import (
    CLOCK_TOLERANCE,
    candidates,
    is_out_of_sight,
    proves_absence,
    resolve_at,
    set_back,
)
from controller.model.connection import ConnectionStatus
from controller.model.job import Job
from controller.model.plan import ConnectionFacts, Hold, ListingNeed, NeedKind, PlatformFacts, SettleClaim
from controller.model.record import Answer, Claim, ClaimStatus, Outcome, Reason, Setbacks, SlotRecord
from controller.model.schedule import WhenInDoubt

PHANTOM = "the platform says that a job is running, and its complete list shows none"
"""An answer that platforms were seen to give for hours (Airbyte, issue 25920 of its tracker); a person must look at the connection."""

PHANTOMS_MAX = 3
"""Refusals in a row that no list explains until a person is asked. One may be a list that lags, or a start that was sent after all; from
the third on a slot has one POST only, because more of them only make more doubt."""


def judge_claim(facts: ConnectionFacts, platform: PlatformFacts, now: datetime) -> Part:
    """Adopt, close or keep waiting for the connection's open claim."""
    claim = facts.standing.claim
    if claim is None:
        return NOTHING
    if facts.in_flight:
        return Part(holds=(_hold(claim, Reason.TRIGGER_IN_FLIGHT, "its POST is under way"),))
    found = candidates(claim, facts, platform)
    if found:
        return _adopt(claim, found, now)
    if claim.answer is Answer.BUSY and (settled := _why_busy(claim, facts, platform, now)) is not None:
        return settled
    unread = claim.answer is Answer.BUSY and not _is_read_since(claim, facts)
    if proves_absence(platform, claim) and not unread:
        return _absent(claim, facts, platform, now)
    if is_out_of_sight(platform, claim):
        record = _record(claim, Outcome.SKIPPED, now, Reason.IN_DOUBT, "no listing reads back to its POST any more")
        return Part(actions=(SettleClaim(claim, ClaimStatus.ABANDONED, record),), wake_at=now)
    until = resolve_at(platform, claim)
    covers = claim.key.slot.scheduled_at - CLOCK_TOLERANCE - set_back(platform, claim)
    is_busy = claim.answer is Answer.BUSY
    need = ListingNeed(NeedKind.IN_DOUBT, claim.written_at, until, covers, read_connection=is_busy)
    settled_by = f"a listing after {until:%H:%M:%SZ}" if until > now or not unread else "a read of its connection"
    held = _hold(claim, Reason.IN_DOUBT, f"whether its POST made a job is unknown; {settled_by} settles it")
    return Part(holds=(held,), wake_at=until if until > now else None, needs=(need,))


def _hold(claim: Claim, reason: Reason, message: str) -> Hold:
    return Hold(claim.ref, claim.schedule, reason, message, claim.key.slot.scheduled_at)


def _record(claim: Claim, outcome: Outcome, now: datetime, reason: Reason | None, message: str) -> SlotRecord:
    return SlotRecord(
        claim.key.slot, outcome, now, claim.schedule, reason, message, revision=claim.revision, wall=claim.wall
    )


def _adopt(claim: Claim, found: tuple[Job, ...], now: datetime) -> Part:
    job = found[0]
    record = replace(
        _record(claim, Outcome.TRIGGERED, now, None, "the job was found while the outcome of its POST was unknown"),
        job_id=job.job_id,
        adopted=True,
    )
    surplus = tuple(other.job_id for other in found[1:])
    return Part(actions=(SettleClaim(claim, ClaimStatus.ADOPTED, record, job, surplus),), wake_at=now)


def _why_busy(claim: Claim, facts: ConnectionFacts, platform: PlatformFacts, now: datetime) -> Part | None:
    """What a 409 meant, once the jobs and the connection have been read again after it; None while that is not known."""
    answered, listing = claim.answered_at, platform.listing
    if answered is None or listing is None or listing.begun_at < answered:
        return None
    if _is_read_since(claim, facts) and not _accepts_syncs(facts):
        record = _record(
            claim, Outcome.HELD, now, Reason.CONNECTION_INACTIVE, "the platform refused: the connection is not active"
        )
        return Part(actions=(SettleClaim(claim, ClaimStatus.REFUSED, record),), wake_at=now)
    if any(job.is_active for job in facts.jobs):
        record = _record(
            claim, Outcome.HELD, now, Reason.ACTIVE, "the platform refused: a job of the connection is active"
        )
        return Part(actions=(SettleClaim(claim, ClaimStatus.REFUSED, record),), wake_at=now)
    return None


def _is_read_since(claim: Claim, facts: ConnectionFacts) -> bool:
    """Whether the connection was read after the answer.

    One that is switched off is refused in the words for a busy one, so before that nobody speaks of a job that cannot be found.
    """
    read_at, answered_at = facts.connection_read_at, claim.answered_at
    return read_at is not None and answered_at is not None and read_at >= answered_at


def _accepts_syncs(facts: ConnectionFacts) -> bool:
    return facts.connection is not None and facts.connection.status in (
        ConnectionStatus.ACTIVE,
        ConnectionStatus.UNKNOWN,
    )


def _absent(claim: Claim, facts: ConnectionFacts, platform: PlatformFacts, now: datetime) -> Part:
    """No job was made: the slot is due again if the spec allows another POST, else that is its end."""
    phantoms = facts.standing.phantoms + 1 if claim.answer is Answer.BUSY else 0
    status, record = _of_absence(claim, facts, platform, now, phantoms)
    return Part(actions=(SettleClaim(claim, status, record, phantoms=phantoms),), wake_at=now)


def _of_absence(
    claim: Claim, facts: ConnectionFacts, platform: PlatformFacts, now: datetime, phantoms: int
) -> tuple[ClaimStatus, SlotRecord]:
    if claim.request:
        # What is asked for once gets one POST whose outcome is unknown, whatever `whenInDoubt` says.
        return ClaimStatus.ABSENT, _record(claim, Outcome.MISSED, now, Reason.IN_DOUBT, _without_job(claim))
    if facts.spec is None:
        reason = facts.obstacle or Reason.DELETED
        message = "its POST made no job, and its schedule is not in force"
        return ClaimStatus.ABANDONED, _record(claim, Outcome.SKIPPED, now, reason, message)
    unknown = facts.standing.setbacks.get(claim.key, Setbacks()).unknown_attempts + 1
    may_retry = facts.spec.when_in_doubt is WhenInDoubt.RETRY and not is_haunted(phantoms)
    if may_retry and unknown < platform.profile.attempts_max:
        reason, message = Reason.AWAITING_TURN, "its POST made no job; it is due again"
        if phantoms:
            reason, message = Reason.PHANTOM_ACTIVE, f"{PHANTOM}; it is tried again"
        return ClaimStatus.ABSENT, _record(claim, Outcome.HELD, now, reason, message)
    if phantoms:
        message = phantom_text(phantoms)
        return ClaimStatus.ABANDONED, _record(claim, Outcome.SKIPPED, now, Reason.ACTIVE, message)
    message = f"{unknown} POST{'s' if unknown > 1 else ''} with an unknown outcome, and no job was ever seen"
    return ClaimStatus.ABANDONED, _record(claim, Outcome.SKIPPED, now, Reason.IN_DOUBT, message)


def _without_job(claim: Claim) -> str:
    why = PHANTOM if claim.answer is Answer.BUSY else "the outcome of its POST was unknown, and no job was made"
    return f"{why}; it is not sent again, ask for it anew"


def is_haunted(phantoms: int) -> bool:
    """Whether so many refusals in a row are believed to come from a job that nobody can find."""
    return phantoms >= PHANTOMS_MAX


def phantom_text(phantoms: int) -> str:
    """What is known of a job that only refusals speak of."""
    return f"{PHANTOM}: {phantoms} POST{'s' if phantoms > 1 else ''} in a row were refused for it"
