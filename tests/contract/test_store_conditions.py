"""What every store keeps of conditions: what was judged, and since when."""

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from controller.errors import Fenced
from controller.model.condition import Condition, ConditionReason, ConditionStatus, ConditionType, Why
from controller.model.identity import ConnectionRef
from controller.model.record import Reason
from controller.ports.store import Decisions, Store
from tests.unit.adapters.stores.samples import (
    NOON,
    ORDERS,
    USERS,
    accept,
    acting,
    alter,
    minute,
    reading,
    run,
    spec_of,
    standing,
)

READY, HEALTHY = ConditionType.READY, ConditionType.HEALTHY
TRUE, FALSE = ConditionStatus.TRUE, ConditionStatus.FALSE


def condition(
    at: float,
    status: ConditionStatus = TRUE,
    reason: Why = ConditionReason.SCHEDULED,
    kind: ConditionType = READY,
    generation: int = 1,
) -> Condition:
    """A condition as it is found at an instant."""
    return Condition(kind, status, reason, "said so", generation, minute(at))


def ready(store: Store, ref: ConnectionRef = ORDERS) -> Condition:
    """The one condition that a connection has."""
    (found,) = run(store.conditions(ref.platform))[ref]
    return found


def test_what_was_put_is_read_back(store: Store) -> None:
    """Whole, in the order of their types, of all connections of a platform or of one."""
    healthy = condition(2, FALSE, ConditionReason.SYNC_FAILED, HEALTHY)
    other = ConnectionRef("other", "orders")
    run(store.put_conditions({ORDERS: [healthy, condition(1)], USERS: [condition(3)], other: [condition(4)]}))
    assert run(store.conditions("acme")) == {ORDERS: (condition(1), healthy), USERS: (condition(3),)}
    assert run(store.conditions("acme", "users")) == {USERS: (condition(3),)}
    assert run(store.conditions("acme", "nobody")) == {}


def test_the_time_moves_only_when_the_status_does(store: Store) -> None:
    """Another reason, message or generation leaves it; a flip moves it, and so does the flip back."""
    run(store.put_conditions({ORDERS: [condition(0)]}))
    run(store.put_conditions({ORDERS: [condition(1, reason=Reason.OBSERVE, generation=2)]}))
    assert ready(store) == condition(0, reason=Reason.OBSERVE, generation=2)
    run(store.put_conditions({ORDERS: [condition(2, FALSE, Reason.SUSPENDED)]}))
    assert ready(store).last_transition_at == minute(2)
    run(store.put_conditions({ORDERS: [condition(3)]}))
    assert ready(store).last_transition_at == minute(3)


def test_types_that_are_not_given_stay(store: Store) -> None:
    """What changed is written, and nothing else."""
    run(store.put_conditions({ORDERS: [condition(0), condition(0, kind=HEALTHY)]}))
    run(store.put_conditions({ORDERS: [condition(5, FALSE, Reason.FROZEN)]}))
    assert [(c.type, c.status) for c in run(store.conditions("acme"))[ORDERS]] == [(READY, FALSE), (HEALTHY, TRUE)]


def test_no_conditions_take_all_of_them_away(store: Store) -> None:
    """Of that connection alone."""
    run(store.put_conditions({ORDERS: [condition(0)], USERS: [condition(0)]}))
    run(store.put_conditions({ORDERS: []}))
    assert run(store.conditions("acme")) == {USERS: (condition(0),)}


def test_a_retired_schedule_loses_its_conditions(store: Store) -> None:
    """When it comes back, it is judged anew and its times begin anew."""
    run(store.apply(Decisions(accepted=[accept(spec_of(), NOON)])))
    run(store.put_conditions({ORDERS: [condition(0)], USERS: [condition(0)]}))
    run(store.apply(Decisions(accepted=[accept(None, minute(1))])))
    assert run(store.conditions("acme")) == {USERS: (condition(0),)}
    run(store.put_conditions({ORDERS: [condition(9)]}))
    assert ready(store).last_transition_at == minute(9)


def test_one_platform_that_is_not_held_keeps_all_from_being_written(store: Store) -> None:
    """Conditions of several platforms are one write."""
    with pytest.raises(Fenced):
        run(store.put_conditions({ORDERS: [condition(0)], ConnectionRef("unknown", "x"): [condition(0)]}))
    assert run(store.conditions("acme")) == {}


def test_the_revision_of_the_last_acceptance_is_known(store: Store) -> None:
    """None was before it; it stays while nothing about the schedule changes."""
    assert standing(store).revision == ""
    run(store.apply(Decisions(accepted=[accept(spec_of(), NOON)])))
    assert standing(store).revision == "main@sha1:1"
    newer = replace(accept(spec_of(every=60), minute(1), 2), revision="main@sha1:2")
    run(store.apply(Decisions(accepted=[newer])))
    assert standing(store).revision == "main@sha1:2"


def test_a_file_keeps_them_for_the_next_start_and_for_readers(tmp_path: Path) -> None:
    """Also a message that no text file could hold."""
    path = tmp_path / "store.db"
    first = acting(path)
    run(first.put_conditions({ORDERS: [replace(condition(0), message="half \ud800")]}))
    run(first.close())
    again = reading(path)
    assert ready(again) == replace(condition(0), message="half ?")
    run(again.close())


def test_the_file_itself_refuses_a_time_that_moves_alone(tmp_path: Path) -> None:
    """Even a statement that no code of ours contains cannot move it; with the status it may."""
    path = tmp_path / "store.db"
    store = acting(path)
    run(store.put_conditions({ORDERS: [condition(0)]}))
    run(store.close())
    with pytest.raises(sqlite3.IntegrityError, match="moves only with the status"):
        alter(path, "UPDATE condition SET last_transition_at = last_transition_at + 1")
    alter(path, "UPDATE condition SET last_transition_at = last_transition_at + 1, status = 'False'")
