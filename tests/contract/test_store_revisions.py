"""What every store keeps of revisions, and what an edit of a schedule makes of earlier refusals."""

from pathlib import Path

import pytest

from controller.model.identity import ClaimKey, ConnectionRef
from controller.model.record import ClaimStatus, Outcome, Reason, Setbacks
from controller.model.revision import AppliedRevision, HeldRevision, Revisions
from controller.ports.store import Decisions, Store
from tests.unit.adapters.stores.samples import (
    ORDERS,
    USERS,
    accept,
    acting,
    claim_of,
    minute,
    record_of,
    run,
    slot,
    spec_of,
    standing,
)

APPLIED = AppliedRevision("main@sha1:1", minute(0))


def held(name: str, at: float, *removed: ConnectionRef) -> HeldRevision:
    """A revision that waits for somebody."""
    return HeldRevision(name, minute(at), frozenset(removed), 8, "it removes too much")


def test_at_first_no_revision_is_known(store: Store) -> None:
    """A fresh store holds nothing that a first revision could be compared with."""
    assert run(store.revisions()) == Revisions()


def test_exactly_what_is_kept_is_read_back(store: Store) -> None:
    """In its order, whatever was kept before; a name may be held again after it was over."""
    first = Revisions(APPLIED, (held("main@sha1:3", 2, ORDERS, USERS), held("main@sha1:2", 1, USERS)))
    run(store.keep_revisions(first))
    assert run(store.revisions()) == first
    second = Revisions(AppliedRevision("main@sha1:4", minute(3)), (held("main@sha1:3", 4),))
    run(store.keep_revisions(second))
    assert run(store.revisions()) == second
    run(store.keep_revisions(Revisions(None, second.held)))
    assert run(store.revisions()) == Revisions(None, second.held)


def test_revisions_survive_a_restart(tmp_path: Path) -> None:
    """What was held must still be known to whoever confirms it."""
    kept = Revisions(APPLIED, (held("main@sha1:2", 1, ORDERS),))
    before = acting(tmp_path / "store.db")
    run(before.keep_revisions(kept))
    run(before.close())
    after = acting(tmp_path / "store.db")
    assert run(after.revisions()) == kept
    run(after.close())


def refuse(store: Store, attempt: int, at: float, reason: Reason | None) -> None:
    """The platform turns a start of the first slot down."""
    claim = claim_of(0, attempt=attempt, written=at)
    run(store.claim(claim))
    run(store.close_claim(claim, ClaimStatus.REFUSED, minute(at), record_of(Outcome.HELD, 0, reason=reason)))


@pytest.mark.parametrize("reason", [Reason.REFUSED, Reason.REJECTED])
def test_an_edit_makes_earlier_refusals_count_no_more(store: Store, reason: Reason) -> None:
    """Another spec was refused; the number of the next attempt goes on, since each is a claim of its own."""
    run(store.apply(Decisions(accepted=[accept(spec_of(), minute(-1))])))
    refuse(store, 1, 1, reason)
    key = ClaimKey(slot(0), 0)
    counted = Setbacks(0, int(reason is Reason.REFUSED), int(reason is Reason.REJECTED), 1, minute(1))
    assert standing(store).setbacks[key] == counted
    run(store.apply(Decisions(accepted=[accept(spec_of(name="same", every=900), minute(2), 2)])))
    assert standing(store).setbacks[key] == Setbacks(0, 0, 0, 1, None)
    refuse(store, 2, 3, reason)
    again = Setbacks(0, counted.refusals, counted.rejections, 2, minute(3))
    assert standing(store).setbacks[key] == again
    run(store.apply(Decisions(accepted=[accept(spec_of(name="same", every=900), minute(4), 2)])))
    assert standing(store).setbacks[key] == again


def test_an_outcome_that_stayed_unknown_counts_through_every_edit(store: Store) -> None:
    """It may have made a job, whatever the schedule says by now."""
    run(store.apply(Decisions(accepted=[accept(spec_of(), minute(-1))])))
    claim = claim_of(0, written=1)
    run(store.claim(claim))
    run(store.close_claim(claim, ClaimStatus.ABSENT, minute(1), record_of(Outcome.HELD, 0)))
    run(store.apply(Decisions(accepted=[accept(spec_of(name="other"), minute(2), 2)])))
    assert standing(store).setbacks[ClaimKey(slot(0), 0)] == Setbacks(1, 0, 0, 1, minute(1))
