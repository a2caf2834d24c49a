"""What every store keeps of refusals for an active job that nobody can find."""

import pytest

from controller.model.record import Answer, ClaimStatus, Outcome, Reason
from controller.ports.store import Decisions, Store
from tests.unit.adapters.stores.samples import ORDERS, claim_of, job_of, minute, record_of, run, settle, standing


def refuse(store: Store, at: int, status: ClaimStatus, answer: Answer = Answer.BUSY) -> None:
    """A slot's POST is answered, and its claim is closed by what is listed afterwards."""
    claim = claim_of(at)
    run(store.claim(claim))
    if answer is not Answer.NONE:
        run(store.answered(claim, answer, minute(at)))
    final = record_of(Outcome.SKIPPED, at, reason=Reason.ACTIVE)
    run(store.apply(Decisions(settled=[settle(claim, status, final)])))


def test_refusals_that_nothing_explains_are_counted(store: Store) -> None:
    """Whether the slot is tried again or ends; at first there are none."""
    run(store.claim(claim_of(0)))
    assert standing(store).phantoms == 0
    run(
        store.close_claim(
            claim_of(0), ClaimStatus.REFUSED, minute(0), record_of(Outcome.SKIPPED, 0, reason=Reason.ACTIVE)
        )
    )
    refuse(store, 1, ClaimStatus.ABSENT)
    refuse(store, 2, ClaimStatus.ABANDONED)
    assert standing(store).phantoms == 2


@pytest.mark.parametrize("way", ["confirm", "adopt", "explain"])
def test_a_job_ends_the_row(store: Store, way: str) -> None:
    """One of ours, one that was found, or one that explains the refusal."""
    refuse(store, 0, ClaimStatus.ABSENT)
    refuse(store, 1, ClaimStatus.ABSENT)
    claim = claim_of(2)
    if way == "explain":
        refuse(store, 2, ClaimStatus.REFUSED)
    elif way == "confirm":
        run(store.claim(claim))
        run(store.confirm(claim, job_of("7", 2), record_of(Outcome.TRIGGERED, 2, job_id="7")))
    else:
        run(store.claim(claim))
        adopted = settle(claim, ClaimStatus.ADOPTED, record_of(Outcome.TRIGGERED, 2, job_id="7"), job_of("7", 2))
        run(store.apply(Decisions(settled=[adopted])))
    assert standing(store).phantoms == 0


@pytest.mark.parametrize("answer", [Answer.NONE, Answer.UNKNOWN])
def test_any_other_doubt_neither_counts_nor_ends_the_row(store: Store, answer: Answer) -> None:
    """A request that was lost says nothing about a phantom."""
    refuse(store, 0, ClaimStatus.ABSENT)
    refuse(store, 1, ClaimStatus.ABSENT, answer)
    assert standing(store, ORDERS).phantoms == 1
