"""One cycle: gather, decide, check, write; and take note of what the plan wants next."""

from collections.abc import Collection
from dataclasses import dataclass, replace

from controller.decide.check import check_plan
from controller.decide.planner import DEFECT_PAUSE, make_plan
from controller.model.event import Event, EventName
from controller.model.identity import ConnectionRef
from controller.model.plan import (
    AcceptSchedule,
    Action,
    CancelJob,
    ConnectionPlan,
    Freshness,
    Hold,
    Plan,
    PlanningInput,
    RecordSlot,
    SettleClaim,
    SettleRequest,
    TriggerSync,
    Write,
)
from controller.model.record import Reason
from controller.reconcile import say
from controller.reconcile.act import write_decisions
from controller.reconcile.conditions import keep_conditions
from controller.reconcile.gather import Mind, gather
from controller.reconcile.timekeeping import read_clocks
from controller.reconcile.world import World

TOLD_HOLDS = frozenset(
    {
        Reason.SUSPENDED,
        Reason.FROZEN,
        Reason.STALLED,
        Reason.DOUBLE_SCHEDULED,
        Reason.CONNECTION_INACTIVE,
        Reason.DUPLICATE_CONNECTION,
        Reason.DUPLICATE_NAME,
        Reason.POLICY_CONFLICT,
        Reason.NOT_YET_SUPPORTED,
        Reason.CLOCK_BEHIND,
        Reason.UNKNOWN_PLATFORM,
        Reason.BLAST_RADIUS,
        Reason.FIGHT_DETECTED,
        Reason.STUCK,
    }
)
"""Holds that are told when they begin and end; the others pass within a window and show in the slot's own outcome."""


@dataclass(frozen=True, slots=True)
class CycleResult:
    """What a cycle decided: the plan as far as it was written, and its writes to platforms, still to be carried out."""

    plan: Plan
    writes: tuple[Write, ...]
    corrected: int


async def run_cycle(
    world: World, mind: Mind, refs: Collection[ConnectionRef], unexpected: Collection[ConnectionRef] = ()
) -> CycleResult:
    """Decide for a working set and write the decisions.

    ``unexpected``: members that only a full resync asked about; an action for one of them is a correction.

    Raises:
        StoreUnavailable: nothing was decided or written.
    """
    now = read_clocks(world.clock, mind).wall
    known = await gather(mind, world.store, now, refs, world.restorers)
    plan = make_plan(known)
    broken = check_plan(known, plan)
    if broken:
        plan = await _without(world, plan, broken)
    await write_decisions(world, plan)
    mind.allowance.spend(plan)
    plan = await keep_conditions(world, mind, known, plan)
    corrected = [decided.ref for decided in plan.connections if decided.actions and decided.ref in unexpected]
    events = _hold_events(mind, plan)
    events.extend(_freshness_events(mind, known, plan))
    events.extend(_correction(mind, plan, ref) for ref in corrected)
    actions = plan.actions
    events.append(_summary(mind, plan, actions, len(corrected)))
    await say.tell(world, events)
    writes = tuple([action for action in actions if isinstance(action, Write)])
    return CycleResult(plan, writes, len(corrected))


async def _without(world: World, plan: Plan, broken: dict[int, str]) -> Plan:
    """Leave out what breaks a promise; a defect of one connection harms no other."""
    events, kept = [], list(plan.connections)
    for index, message in broken.items():
        ref = plan.connections[index].ref
        fields = {"schedule": "", "platform": ref.platform, "connection_id": ref.connection_id, "message": message}
        events.append(Event(EventName.PLAN_REFUSED, plan.now, fields))
        kept[index] = ConnectionPlan(ref, wake_at=plan.now + DEFECT_PAUSE, defect=message)
    await say.tell(world, events)
    return replace(plan, connections=tuple(kept))


def _hold_events(mind: Mind, plan: Plan) -> list[Event]:
    """Tell holds once when they begin and once when they end."""
    events = []
    for decided in plan.connections:
        if not decided.holds and decided.ref not in mind.holds:
            continue
        if any(hold.reason in (Reason.CLOCK_FROZEN, Reason.CLOCK_SKEW) for hold in decided.holds):
            # That is told once for all of them; what stood against this one before was not judged anew.
            continue
        hold = next((hold for hold in decided.holds if hold.reason in TOLD_HOLDS), None)
        before = mind.holds.get(decided.ref)
        if before is not None and (hold is None or hold.reason is not before.reason):
            events.append(_released(before, plan))
        if hold is not None and (before is None or hold.reason is not before.reason):
            events.append(say.about_hold(hold, plan.now))
        if hold is None:
            mind.holds.pop(decided.ref, None)
        else:
            mind.holds[decided.ref] = hold
    return events


def _released(hold: Hold, plan: Plan) -> Event:
    ref = hold.ref
    fields = {
        "schedule": hold.schedule,
        "platform": ref.platform,
        "connection_id": ref.connection_id,
        "reason": str(hold.reason),
    }
    return Event(EventName.SCHEDULE_RELEASED, plan.now, fields)


def _freshness_events(mind: Mind, known: PlanningInput, plan: Plan) -> list[Event]:
    """Tell how old the data is when that changes; a start of the controller tells again what is not in order."""
    events = []
    for facts, decided in zip(known.connections, plan.connections, strict=True):
        if facts.spec is None or facts.spec.freshness_alert is None:
            mind.freshness.pop(decided.ref, None)
        elif decided.freshness is not None:
            before = mind.freshness.get(decided.ref, Freshness.FRESH)
            mind.freshness[decided.ref] = decided.freshness
            if decided.freshness is not before:
                events.append(say.about_freshness(facts, decided.freshness, plan.now))
    return events


def _correction(mind: Mind, plan: Plan, ref: ConnectionRef) -> Event:
    spec = mind.desired.specs.get(ref)
    decided = next(decided for decided in plan.connections if decided.ref == ref)
    what = ", ".join(sorted({type(action).__name__ for action in decided.actions}))
    fields = {
        "schedule": spec.name if spec else "",
        "platform": ref.platform,
        "connection_id": ref.connection_id,
        "message": what,
    }
    return Event(EventName.RESYNC_CORRECTED, plan.now, fields)


def _summary(mind: Mind, plan: Plan, actions: Collection[Action], corrected: int) -> Event:
    kinds = [type(action) for action in actions]
    fields: dict[str, say.Field] = {
        "revision": mind.desired.revision,
        "considered": len(plan.connections),
        "triggers": kinds.count(TriggerSync),
        "cancels": kinds.count(CancelJob),
        "records": kinds.count(RecordSlot) + kinds.count(AcceptSchedule) + kinds.count(SettleRequest),
        "settled": kinds.count(SettleClaim),
        "holds": len(plan.holds),
        "corrections": corrected,
    }
    return Event(EventName.CYCLE_FINISHED, plan.now, fields)
