"""What both stores say when a slot is claimed, and why they refuse."""

from controller.errors import SlotAlreadyClaimed
from controller.model.identity import SlotKey
from controller.model.record import Claim, Outcome, SlotRecord


def record_of_claim(claim: Claim) -> SlotRecord:
    """What a slot's record says from its claim until it is known what came of it."""
    return SlotRecord(
        slot=claim.key.slot,
        outcome=Outcome.IN_DOUBT,
        decided_at=claim.written_at,
        schedule=claim.schedule,
        message="claimed",
        revision=claim.revision,
    )


def attempt_exists(claim: Claim) -> SlotAlreadyClaimed:
    """The claim's key is taken."""
    return SlotAlreadyClaimed(f"Attempt {claim.attempt} of run {claim.key.run} of {claim.key.slot} was claimed before.")


def connection_is_claimed(claim: Claim) -> SlotAlreadyClaimed:
    """Two open claims of one connection could not tell their jobs apart."""
    return SlotAlreadyClaimed(f"{claim.key.slot} cannot be claimed: its connection has an open claim already.")


def slot_is_settled(slot: SlotKey) -> SlotAlreadyClaimed:
    """A final record is never overwritten."""
    return SlotAlreadyClaimed(f"{slot} cannot be claimed: its record is final.")


def claim_is_closed(claim: Claim) -> SlotAlreadyClaimed:
    """Somebody settled the claim before."""
    return SlotAlreadyClaimed(
        f"Attempt {claim.attempt} of run {claim.key.run} of {claim.key.slot} is not open any more."
    )


def job_belongs_elsewhere(slot: SlotKey, job_id: str) -> SlotAlreadyClaimed:
    """A job belongs to one slot, for ever."""
    return SlotAlreadyClaimed(f"Job {job_id} cannot belong to {slot}: it belongs to another slot already.")
