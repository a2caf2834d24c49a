"""What every store keeps of retries: runs above 0 of a slot whose outcome stands already."""

from dataclasses import replace

import pytest

from controller.model.identity import ClaimKey
from controller.model.record import ClaimStatus, Outcome, Reason, Setbacks
from controller.ports.store import Decisions, Store
from tests.unit.adapters.stores.samples import (
    ORDERS,
    claim_of,
    job_of,
    minute,
    record_of,
    run,
    settle,
    slot,
    standing,
)


def start(store: Store, at: int = 0, job_id: str = "7") -> None:
    """Run 0 of a slot makes a job."""
    run(store.claim(claim_of(at)))
    run(store.confirm(claim_of(at), job_of(job_id, at), record_of(Outcome.TRIGGERED, at, job_id=job_id)))


def refuse(store: Store, at: int, retry: int, attempt: int, closed: float) -> None:
    """An attempt of a retry comes to nothing."""
    claim = claim_of(at, run=retry, attempt=attempt, written=closed)
    run(store.claim(claim))
    held = record_of(Outcome.HELD, at, reason=Reason.REFUSED, decided=closed)
    run(store.close_claim(claim, ClaimStatus.REFUSED, minute(closed), held))


@pytest.mark.parametrize("way", ["confirm", "close", "settle"])
def test_a_retry_makes_no_record(store: Store, way: str) -> None:
    """Where the slot's record was forgotten, no end of a retry writes another one, nor makes the slot pending again."""
    retry = claim_of(run=1, written=5)
    run(store.claim(retry))
    if way == "confirm":
        run(store.confirm(retry, job_of("8"), record_of(Outcome.TRIGGERED, job_id="8")))
    elif way == "close":
        run(store.close_claim(retry, ClaimStatus.REFUSED, minute(6), record_of(Outcome.HELD)))
    else:
        adopted = settle(retry, ClaimStatus.ADOPTED, record_of(Outcome.TRIGGERED, job_id="8"), job_of("8"))
        run(store.apply(Decisions(settled=[adopted])))
    now = standing(store, ORDERS, "8")
    assert (now.claim, now.pending, run(store.slots(ORDERS, 5))) == (None, (), ())
    assert now.attributed == ({} if way == "close" else {"8": retry.key})


def test_setbacks_of_retries_are_those_of_the_newest_slot_that_has_any(store: Store) -> None:
    """Each run is told on its own; older slots are left out, also while the newest one's only retry is under way."""
    start(store)
    refuse(store, 0, 1, 1, 5)
    refuse(store, 0, 2, 1, 6)
    refuse(store, 0, 2, 2, 7)
    assert standing(store).setbacks == {
        ClaimKey(slot(), 1): Setbacks(refusals=1, attempts=1, last_at=minute(5)),
        ClaimKey(slot(), 2): Setbacks(refusals=2, attempts=2, last_at=minute(7)),
    }
    start(store, 15, "8")
    run(store.claim(claim_of(15, run=1)))
    assert standing(store).setbacks == {}


def test_a_pending_slot_and_a_retry_are_told_side_by_side(store: Store) -> None:
    """Run 0 of a slot that is still due and a retry of an older one have keys of their own."""
    start(store)
    refuse(store, 0, 1, 1, 5)
    refuse(store, 15, 0, 1, 15)
    assert standing(store).setbacks == {
        ClaimKey(slot(), 1): Setbacks(refusals=1, attempts=1, last_at=minute(5)),
        ClaimKey(slot(15), 0): Setbacks(refusals=1, attempts=1, last_at=minute(15)),
    }


def test_pruning_keeps_the_claims_of_young_retries(store: Store) -> None:
    """What a retry came to is forgotten by the age of its own claims."""
    start(store)
    refuse(store, 0, 1, 1, 5)
    refuse(store, 0, 1, 2, 20)
    run(store.prune(minute(10)))
    key = ClaimKey(slot(), 1)
    assert standing(store).setbacks == {key: Setbacks(refusals=1, attempts=1, last_at=minute(20))}
    run(store.prune(minute(30)))
    assert standing(store).setbacks == {}


def test_a_claim_hands_its_local_time_to_the_record(store: Store) -> None:
    """The record of a claim has its ``wall``; the claim that is read back has none."""
    walled = replace(claim_of(), wall="Europe/Zurich 2026-03-01T13:00")
    run(store.claim(walled))
    now = standing(store)
    assert now.claim == claim_of()
    assert [record.wall for record in now.pending] == [walled.wall]
