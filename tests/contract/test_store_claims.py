"""What every store keeps of claims and of the ownership of jobs, and what it refuses."""

from dataclasses import replace

import pytest

from controller.errors import SlotAlreadyClaimed
from controller.model.identity import ClaimKey, ConnectionRef
from controller.model.record import Answer, Claim, ClaimStatus, Outcome, Reason, Setbacks, Standing
from controller.ports.store import Decisions, Store
from tests.unit.adapters.stores.samples import (
    NOON,
    ORDERS,
    USERS,
    accept,
    claim_of,
    job_of,
    minute,
    record_of,
    run,
    settle,
    slot,
    spec_of,
    standing,
)


def close(store: Store, at: int, attempt: int, status: ClaimStatus, reason: Reason | None, closed: float) -> None:
    """Claim an attempt of a slot and close it without a job."""
    claim = claim_of(at, attempt=attempt)
    run(store.claim(claim))
    held = record_of(Outcome.HELD, at, reason=reason, decided=closed)
    run(store.close_claim(claim, status, minute(closed), held))


def test_a_claim_reserves_its_slot(store: Store) -> None:
    """A claim comes back whole, its slot is ``InDoubt``, and the watermark is at the slot."""
    claim = claim_of(15)
    run(store.claim(claim))
    now = standing(store)
    assert (now.claim, now.watermark) == (claim, minute(15))
    (pending,) = now.pending
    assert (pending.slot, pending.word, pending.message) == (slot(15), "InDoubt", "claimed")
    assert (pending.decided_at, pending.schedule, pending.revision) == (minute(15), "nightly", "main@sha1:1")


def test_the_same_attempt_is_claimed_once(store: Store) -> None:
    """A claim's key and attempt are taken for ever, also after the claim was closed."""
    close(store, 0, 1, ClaimStatus.REFUSED, Reason.REFUSED, 1)
    with pytest.raises(SlotAlreadyClaimed, match="Attempt 1 of run 0 of acme/orders@2026-03-01T12:00:00Z"):
        run(store.claim(claim_of(0, attempt=1, written=2)))
    assert standing(store).claim is None
    run(store.claim(claim_of(0, attempt=2, written=2)))


def test_a_connection_has_one_open_claim(store: Store) -> None:
    """While one claim is open no other slot of its connection can be claimed, and nothing of the refused claim is written."""
    run(store.claim(claim_of(0)))
    with pytest.raises(SlotAlreadyClaimed, match="an open claim already"):
        run(store.claim(claim_of(15)))
    assert (standing(store).claim, standing(store).watermark) == (claim_of(0), minute(0))
    run(store.claim(claim_of(15, ref=USERS)))


def test_a_settled_slot_cannot_be_claimed(store: Store) -> None:
    """A slot with a final record is not started again, and nothing of the refused claim is written."""
    run(store.apply(Decisions(records=[record_of(Outcome.SKIPPED)])))
    with pytest.raises(SlotAlreadyClaimed, match="final"):
        run(store.claim(claim_of()))
    assert standing(store).claim is None


def test_a_retry_may_claim_a_settled_slot(store: Store) -> None:
    """A run above 0 is claimed and confirmed although its slot is settled; the slot's record stays that of run 0."""
    run(store.claim(claim_of()))
    run(store.confirm(claim_of(), job_of("7"), record_of(Outcome.TRIGGERED, job_id="7")))
    retry = claim_of(run=1, written=5)
    run(store.claim(retry))
    assert standing(store).claim == retry
    assert run(store.confirm(retry, job_of("8"), record_of(Outcome.TRIGGERED, job_id="8")))
    assert run(store.slots(ORDERS, 5)) == (record_of(Outcome.TRIGGERED, job_id="7"),)
    assert standing(store, ORDERS, "7", "8").attributed == {"7": claim_of().key, "8": retry.key}


def test_an_answer_is_noted_on_an_open_claim(store: Store) -> None:
    """The claim stays open and says what came back and when; a closed claim is left alone."""
    claim = claim_of()
    run(store.claim(claim))
    run(store.answered(claim, Answer.BUSY, minute(1)))
    held = standing(store).claim
    assert held is not None
    assert (held.answer, held.answered_at, held.status) == (Answer.BUSY, minute(1), ClaimStatus.OPEN)
    run(store.close_claim(claim, ClaimStatus.REFUSED, minute(2), record_of(Outcome.HELD)))
    run(store.answered(claim, Answer.UNKNOWN, minute(3)))
    assert standing(store).claim is None


def test_a_confirmed_claim_has_its_job(store: Store) -> None:
    """Confirming closes the claim, attributes the job and keeps it, writes the record and says when was last triggered."""
    run(store.claim(claim_of(0, written=1)))
    record = record_of(Outcome.TRIGGERED, job_id="7")
    assert run(store.confirm(claim_of(0, written=1), job_of("7"), record))
    now = standing(store, ORDERS, "7", "8")
    assert (now.claim, now.pending, now.attributed) == (None, (), {"7": claim_of().key})
    assert now.last_triggered_at == minute(1)
    assert run(store.slots(ORDERS, 1)) == (record,)
    assert run(store.jobs(ORDERS, 9)) == ((job_of("7"), claim_of().key.slot.scheduled_at),)


@pytest.mark.parametrize(
    "owner", [claim_of(0, ref=USERS), claim_of(15), claim_of(45, run=1)], ids=["connection", "slot", "run"]
)
def test_a_job_of_another_slot_confirms_nothing(store: Store, owner: Claim) -> None:
    """A job id that belongs to another connection, slot or run is not taken: False, and the claim stays open."""
    run(store.claim(owner))
    run(store.confirm(owner, job_of("7"), replace(record_of(Outcome.COUNTED), slot=slot(-15))))
    run(store.claim(claim_of(45)))
    assert run(store.confirm(claim_of(45), job_of("7"), record_of(Outcome.TRIGGERED, 45, job_id="7"))) is False
    now = standing(store, ORDERS, "7")
    assert (now.claim, now.attributed) == (claim_of(45), {"7": owner.key})


def test_a_closed_claim_is_not_closed_again(store: Store) -> None:
    """Confirming or closing a claim that is not open raises, and nothing is written."""
    close(store, 0, 1, ClaimStatus.NOT_SENT, None, 1)
    before = standing(store, ORDERS, "7")
    with pytest.raises(SlotAlreadyClaimed, match="not open any more"):
        run(store.confirm(claim_of(), job_of("7"), record_of(Outcome.TRIGGERED, job_id="7")))
    with pytest.raises(SlotAlreadyClaimed, match="not open any more"):
        run(store.close_claim(claim_of(), ClaimStatus.REFUSED, minute(3), record_of(Outcome.SKIPPED)))
    assert standing(store, ORDERS, "7") == before


def test_setbacks_count_the_closed_claims_of_pending_slots(store: Store) -> None:
    """Absent, refused and rejected attempts are told apart; all count as attempts; the newest end is ``last_at``."""
    close(store, 0, 1, ClaimStatus.ABSENT, Reason.IN_DOUBT, 1)
    close(store, 0, 2, ClaimStatus.REFUSED, Reason.REFUSED, 2)
    close(store, 0, 3, ClaimStatus.REFUSED, None, 4)
    close(store, 0, 4, ClaimStatus.REFUSED, Reason.REJECTED, 3)
    close(store, 0, 5, ClaimStatus.NOT_SENT, None, 2)
    run(store.claim(claim_of(0, attempt=6)))
    expected = Setbacks(unknown_attempts=1, refusals=2, rejections=1, attempts=5, last_at=minute(4))
    assert standing(store).setbacks == {claim_of().key: expected}


def test_a_settled_slot_has_no_setbacks(store: Store) -> None:
    """Setbacks are only told of slots that are still due."""
    close(store, 0, 1, ClaimStatus.ABSENT, Reason.IN_DOUBT, 1)
    run(store.apply(Decisions(records=[record_of(Outcome.SKIPPED, reason=Reason.IN_DOUBT)])))
    assert standing(store).setbacks == {}


# Settling, and ownership of jobs


def test_a_settled_claim_adopts_its_job(store: Store) -> None:
    """Settling closes the claim, attributes the job and writes the record, in one."""
    run(store.claim(claim_of()))
    record = record_of(Outcome.TRIGGERED, job_id="7")
    run(store.apply(Decisions(settled=[settle(claim_of(), ClaimStatus.ADOPTED, record, job_of("7"))])))
    now = standing(store, ORDERS, "7")
    assert (now.claim, now.pending, now.attributed) == (None, (), {"7": claim_of().key})
    assert (now.last_triggered_at, run(store.slots(ORDERS, 1))) == (minute(0), (record,))


def test_settling_late_changes_no_closed_claim(store: Store) -> None:
    """Settling a claim that was closed meanwhile neither opens nor counts it again."""
    close(store, 0, 1, ClaimStatus.ABSENT, Reason.IN_DOUBT, 1)
    held = record_of(Outcome.HELD, reason=Reason.IN_DOUBT, decided=5)
    run(store.apply(Decisions(settled=[settle(claim_of(), ClaimStatus.REFUSED, held)])))
    assert standing(store).setbacks == {claim_of().key: Setbacks(unknown_attempts=1, attempts=1, last_at=minute(1))}
    assert standing(store).pending == (held,)


def test_accepted_comes_before_settled_before_records(store: Store) -> None:
    """Of one batch the record of a settled claim stands, and a record for the same slot comes too late."""
    run(store.claim(claim_of()))
    triggered = record_of(Outcome.TRIGGERED, job_id="7")
    late = record_of(Outcome.SKIPPED, decided=1)
    run(
        store.apply(
            Decisions(
                accepted=[accept(spec_of(), minute(-5))],
                records=[late],
                settled=[settle(claim_of(), ClaimStatus.ADOPTED, triggered, job_of("7"))],
            )
        )
    )
    assert run(store.slots(ORDERS, 5)) == (triggered,)
    assert standing(store).watermark == minute(0)


def test_a_counted_job_belongs_to_its_slot(store: Store) -> None:
    """A record with a job id attributes that job; saying so again is no conflict."""
    counted = record_of(Outcome.COUNTED, job_id="7")
    run(store.apply(Decisions(records=[counted])))
    run(store.apply(Decisions(records=[counted])))
    assert standing(store, ORDERS, "7").attributed == {"7": claim_of().key}


def test_a_conflicting_batch_writes_nothing(store: Store) -> None:
    """A job belongs to one slot for ever: a batch that gives it to a second one raises, and none of it is written."""
    run(store.apply(Decisions(records=[record_of(Outcome.COUNTED, job_id="7")])))
    run(store.claim(claim_of(15)))
    before = standing(store, ORDERS, "7", "8"), standing(store, USERS), run(store.slots(ORDERS, 9))
    with pytest.raises(SlotAlreadyClaimed, match="Job 7 cannot belong to acme/orders@2026-03-01T12:30:00Z"):
        run(
            store.apply(
                Decisions(
                    accepted=[accept(spec_of(ref=USERS), NOON, ref=USERS)],
                    settled=[settle(claim_of(15), ClaimStatus.ADOPTED, record_of(Outcome.TRIGGERED, 15), job_of("8"))],
                    records=[record_of(Outcome.COUNTED, 30, job_id="7")],
                )
            )
        )
    assert (standing(store, ORDERS, "7", "8"), standing(store, USERS), run(store.slots(ORDERS, 9))) == before


def test_a_batch_that_contradicts_itself_writes_nothing(store: Store) -> None:
    """Two slots of one batch cannot have the same job."""
    with pytest.raises(SlotAlreadyClaimed, match="Job 7"):
        run(store.apply(Decisions(records=[record_of(Outcome.COUNTED, at, job_id="7") for at in (0, 15)])))
    assert standing(store, ORDERS, "7") == Standing(ORDERS)


def test_job_ids_belong_to_their_platform(store: Store) -> None:
    """Two platforms may use the same id for two jobs."""
    elsewhere = ConnectionRef("other", "orders")
    records = [record_of(Outcome.COUNTED, at, ref=ref, job_id="7") for at, ref in ((0, ORDERS), (15, elsewhere))]
    run(store.apply(Decisions(records=records)))
    both = run(store.standings({ORDERS: ["7"], elsewhere: ["7"]}))
    assert (both[ORDERS].attributed, both[elsewhere].attributed) == (
        {"7": ClaimKey(records[0].slot, 0)},
        {"7": ClaimKey(records[1].slot, 0)},
    )
