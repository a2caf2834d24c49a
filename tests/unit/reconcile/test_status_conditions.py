"""What a status says of conditions: what the controller judged last, and nothing else."""

import asyncio

from controller.adapters.stores.memory import MemoryStore
from controller.cli.state.status_json import status_json
from controller.model.condition import Condition, ConditionReason, ConditionStatus, ConditionType
from controller.model.record import Reason
from controller.reconcile.restored import Restorers
from controller.reconcile.status import Reading, read_report
from tests.unit.reconcile.test_status import NOW, ORDERS, REF, Bench, Files, minute, restore

SUSPENDED = Condition(ConditionType.READY, ConditionStatus.FALSE, Reason.SUSPENDED, "moving (by ana)", 1, minute(-30))


def judged(bench: Bench, *conditions: Condition) -> None:
    """The controller writes what it found."""
    asyncio.run(bench.store.put_conditions({REF: conditions}))


def test_a_schedule_that_was_never_taken_in_is_unknown_in_everything() -> None:
    """One condition of each type, without a time."""
    status = Bench().status()
    assert (status.generation, status.observed_generation, status.revision) == (1, 0, "")
    assert [each.type for each in status.conditions] == list(ConditionType)
    assert {(each.status, each.reason, each.last_transition_at) for each in status.conditions} == {
        (ConditionStatus.UNKNOWN, ConditionReason.NOT_JUDGED, None)
    }
    assert status.conditions[0].message == "no controller has taken it in yet"


def test_what_is_kept_is_shown_and_nothing_is_judged_anew() -> None:
    """The spec says nothing of a suspension any more, and no controller has seen that: the generation says so."""
    bench = Bench()
    bench.take_in()
    judged(bench, SUSPENDED)
    status = bench.status(ORDERS + "  overlap: Queue\n")
    assert (status.generation, status.observed_generation, status.revision) == (2, 1, "r")
    assert status.conditions[0] == SUSPENDED
    assert status.conditions[1].message == "no controller has judged it yet"


def test_its_json_has_the_kubernetes_shape() -> None:
    """Names, words and times as tools expect them."""
    bench = Bench()
    bench.take_in()
    judged(bench, SUSPENDED)
    row = status_json(bench.status())
    assert row["conditions"][0] == {
        "type": "Ready",
        "status": "False",
        "reason": "Suspended",
        "message": "moving (by ana)",
        "observedGeneration": 1,
        "lastTransitionTime": "2026-03-01T11:30:00Z",
    }
    assert (row["observedGeneration"], row["revision"], row["kstatus"]) == (1, "r", "InProgress")


def test_a_platform_that_no_setting_knows_is_the_reason() -> None:
    """Nothing is ever judged there."""
    reading = Reading(MemoryStore(), Files({"orders.yaml": ORDERS}), Restorers(restore), {}, NOW)
    (status,) = asyncio.run(read_report(reading)).schedules
    assert {each.reason for each in status.conditions} == {Reason.UNKNOWN_PLATFORM}
    assert status.conditions[0].message == "the settings know no platform called default"
