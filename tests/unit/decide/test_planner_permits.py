"""Write permits: what goes first when a platform takes fewer writes than are planned, and that platforms do not wait for each other."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from controller.decide.check import check_plan
from controller.decide.planner import make_plan
from controller.model.identity import ConnectionRef, SlotKey
from controller.model.plan import ConnectionFacts, Plan, PlanningInput, TriggerSync
from controller.model.record import Outcome, Reason, SlotRecord
from controller.model.schedule import CatchUp, CatchUpPolicy
from tests.unit.decide.given import REVISION, RUNNING, Given, at, cron, every, job, spec, standing, told

NOW = "10:30:05"


def due(connection_id: str, scheduled: str = "*/15 *", *, platform: str = "acme", **said: Any) -> ConnectionFacts:
    """A connection whose newest slot is due; ``scheduled`` are minute and hour of its cron."""
    ref = ConnectionRef(platform, connection_id)
    schedule = spec(cron(f"{scheduled} * * *"), ref=ref, name=connection_id, **said)
    return ConnectionFacts(ref, schedule, standing(schedule, "10:16"))


def overlong(connection_id: str) -> ConnectionFacts:
    """A connection whose job reached its ``maxDuration``; nothing is due."""
    ref = ConnectionRef("acme", connection_id)
    schedule = spec(every(24 * 60), ref=ref, name=connection_id, max_duration=timedelta(hours=1))
    stuck = replace(job("j1", "08:00", RUNNING), connection_id=connection_id)
    return ConnectionFacts(ref, schedule, standing(schedule, "10:16"), (stuck,))


def planned(*connections: ConnectionFacts, permits: int = 2) -> tuple[Plan, PlanningInput]:
    """The plan for several connections."""
    platform = Given(now=NOW, permits=permits).platform()
    names = {facts.ref.platform for facts in connections}
    known = PlanningInput(at(NOW), REVISION, dict.fromkeys(names, platform), connections)
    plan = make_plan(known)
    assert check_plan(known, plan) == {}
    return plan, known


def started(plan: Plan) -> list[str]:
    """Which connections may start."""
    return [a.claim.ref.connection_id for a in plan.actions if isinstance(a, TriggerSync)]


def test_no_more_writes_than_permits() -> None:
    """What has no permit is held and says so; nothing is lost and nothing else changes."""
    plan, _ = planned(due("a"), due("b"), due("c"))
    assert [told(decided) for decided in plan.connections] == [
        "trigger 10:30; wake 10:45",
        "trigger 10:30; wake 10:45",
        "hold AwaitingTurn 10:30; wake 10:45",
    ]


def test_the_oldest_slot_goes_first() -> None:
    """Who was due first starts first, whatever the order of the connections."""
    plan, _ = planned(due("a"), due("b", "20 10"), due("c", "17 10"), permits=1)
    assert started(plan) == ["c"]


def test_of_equally_old_slots_the_order_is_fixed() -> None:
    """The same input always gives the same plan."""
    plan, _ = planned(due("c"), due("a"), due("b"), permits=1)
    assert started(plan) == ["a"]


def test_a_cancel_goes_before_every_start() -> None:
    """A cancel frees something that others wait for."""
    plan, _ = planned(due("a"), overlong("z"), permits=1)
    assert [told(decided) for decided in plan.connections] == [
        "hold AwaitingTurn 10:30; wake 10:45",
        "cancel j1 for MaxDuration; wake +1d 00:00",
    ]


def test_a_cancel_without_a_permit_waits() -> None:
    """Also a cancel is a write."""
    plan, _ = planned(overlong("y"), overlong("z"), permits=1)
    assert [told(decided) for decided in plan.connections] == [
        "cancel j1 for MaxDuration; wake +1d 00:00",
        "hold AwaitingTurn; wake +1d 00:00",
    ]


def test_platforms_do_not_wait_for_each_other() -> None:
    """Permits are counted per platform."""
    plan, _ = planned(due("a"), due("b", platform="other"), due("c"), due("d", platform="other"), permits=1)
    assert started(plan) == ["a", "b"]


def test_what_does_not_write_needs_no_permit() -> None:
    """Records, holds and settlements pass at any time."""
    ref = ConnectionRef("acme", "b")
    skipping = replace(due("b"), jobs=(replace(job("j1", "10:00", RUNNING), connection_id="b"),))
    plan, _ = planned(due("a"), skipping, permits=0)
    assert skipping.ref == ref
    assert [told(decided) for decided in plan.connections] == [
        "hold AwaitingTurn 10:30; wake 10:45",
        "Skipped(Active) 10:30; wake 10:45",
    ]


def test_what_a_waiting_plan_settled_is_kept() -> None:
    """Only the write waits: older slots are recorded all the same."""
    facts = due("a")
    plan, _ = planned(replace(facts, standing=replace(facts.standing, watermark=at("10:01"))), permits=0)
    assert told(plan.connections[0]) == "Missed(Superseded) 10:15; hold AwaitingTurn 10:30; wake 10:45"


def test_under_none_waiting_for_a_turn_is_remembered() -> None:
    """A burst longer than ten seconds must not miss the slots that were planned in time and only waited for their turn."""
    facts = due("a", catch_up=CatchUp(CatchUpPolicy.NONE))
    plan, _ = planned(facts, permits=0)
    slot = SlotKey(facts.ref, at("10:30"))
    held = SlotRecord(
        slot, Outcome.HELD, at(NOW), "a", Reason.AWAITING_TURN, "all write permits are in use", revision=REVISION
    )
    later = replace(facts, standing=replace(facts.standing, watermark=at("10:30"), pending=(held,)))
    known = PlanningInput(at("10:30:25"), REVISION, {"acme": Given(now="10:30:25").platform()}, (later,))
    assert told(plan.connections[0]) == "Held(AwaitingTurn) 10:30; hold AwaitingTurn 10:30; wake 10:45"
    assert told(make_plan(known).connections[0]) == "trigger 10:30; wake 10:45"


def test_the_claim_holds_what_its_recovery_needs() -> None:
    """Ids known before the POST, the attempt's number, who asked and by which revision."""
    facts = replace(due("a"), jobs=(replace(job("j1", "10:10"), connection_id="a"),))
    (action,) = planned(facts)[0].actions
    assert isinstance(action, TriggerSync)
    claim = action.claim
    assert (claim.baseline, claim.attempt, claim.schedule, claim.revision, claim.key.run) == (
        frozenset({"j1"}),
        1,
        "a",
        REVISION,
        0,
    )
    assert claim.written_at == at(NOW)
