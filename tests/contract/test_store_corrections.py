"""What every store keeps of drift and of corrections."""

from datetime import timedelta

import pytest

from controller.model.drift import CorrectionStatus, DriftField
from controller.ports.store import Decisions, Store
from tests.unit.adapters.stores.samples import (
    NOON,
    ORDERS,
    USERS,
    accept,
    correction_of,
    drift_of,
    minute,
    run,
    spec_of,
    standing,
)

SCHEDULE, STATUS = DriftField.SCHEDULE, DriftField.STATUS


def test_a_standing_holds_how_each_field_was_noted_last(store: Store) -> None:
    """One row for each field, the last one said; at first there is none, and other connections have none."""
    assert standing(store).drifts == {}
    run(store.apply(Decisions(drifts=[drift_of(0), drift_of(1, STATUS)])))
    run(store.apply(Decisions(drifts=[drift_of(0, ended=7)])))
    assert standing(store).drifts == {SCHEDULE: drift_of(0, ended=7), STATUS: drift_of(1, STATUS)}
    assert standing(store, USERS).drifts == {}


def test_a_schedule_that_goes_out_of_force_wants_nothing_any_more(store: Store) -> None:
    """What differed is forgotten; what was corrected stays counted."""
    run(store.apply(Decisions(accepted=[accept(spec_of(), NOON)], drifts=[drift_of()])))
    run(store.journal_corrections([correction_of(1)]))
    run(store.apply(Decisions(accepted=[accept(None, minute(2))])))
    assert standing(store).drifts == {}
    assert standing(store).corrections == (correction_of(1),)


@pytest.mark.parametrize("status", [CorrectionStatus.TAKEN, CorrectionStatus.REFUSED])
def test_a_correction_is_answered_once(store: Store, status: CorrectionStatus) -> None:
    """It is known as sent before its answer; the first answer stays."""
    both = [correction_of(1), correction_of(1, STATUS)]
    run(store.journal_corrections(both))
    assert {each.status for each in standing(store).corrections} == {CorrectionStatus.SENT}
    run(store.answer_corrections(both, status))
    run(store.answer_corrections(both, CorrectionStatus.TAKEN))
    assert {(each.field, each.status) for each in standing(store).corrections} == {(STATUS, status), (SCHEDULE, status)}


def test_only_the_newest_corrections_are_kept_in_mind(store: Store) -> None:
    """Newest first and bounded, each connection by itself; all of them are there for who asks since when."""
    for number in range(30):
        run(store.journal_corrections([correction_of(number, look=number)]))
    run(store.journal_corrections([correction_of(99, ref=USERS)]))
    assert [each.look for each in standing(store).corrections] == list(range(29, 5, -1))
    assert standing(store, USERS).corrections == (correction_of(99, ref=USERS),)
    assert [each.look for each in run(store.corrections(ORDERS, minute(27)))] == [29, 28, 27]


def test_old_corrections_are_pruned(store: Store) -> None:
    """What nothing asks for any more goes with the rest of the history."""
    run(store.journal_corrections([correction_of(0)]))
    run(store.journal_corrections([correction_of(5)]))
    assert run(store.prune(minute(5) - timedelta(microseconds=1))) == 1
    assert run(store.corrections(ORDERS, NOON)) == (correction_of(5),)
