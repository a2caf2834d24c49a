"""Keep the conditions of what a cycle judged: only what changed is written, and a restart finds what was known."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from controller.decide.conditions import Kept, WindowView, judge_conditions, look_at_windows
from controller.errors import StoreUnavailable
from controller.model.condition import Condition, ConditionReason, ConditionStatus, ConditionType, Verdict
from controller.model.event import Event, EventName
from controller.model.identity import ConnectionRef
from controller.model.plan import ConnectionFacts, ConnectionPlan, Plan, PlanningInput
from controller.model.schedule import ScheduleSpec
from controller.reconcile.gather import Mind
from controller.reconcile.world import World

NOTHING_KEPT: Kept = {}


async def recall_conditions(world: World, mind: Mind, platform: str) -> None:
    """Read back what is known of a platform's connections.

    Raises:
        StoreUnavailable: it could not be read.
    """
    stored = await world.store.conditions(platform)
    for ref in [ref for ref in mind.conditions if ref.platform == platform]:
        del mind.conditions[ref]
    mind.conditions |= {ref: {row.type: row for row in rows} for ref, rows in stored.items()}


async def keep_conditions(world: World, mind: Mind, known: PlanningInput, plan: Plan) -> Plan:
    """Judge the conditions of every connection of a plan and write those that changed; returns the plan with the edges of windows in it.

    What cannot be written now is judged and written again with the next cycle of its connection: a status is no reason not to act.

    Raises:
        Fenced: another controller took a platform; nothing was written.
    """
    changed: dict[ConnectionRef, tuple[Condition, ...]] = {}
    edges: dict[ConnectionRef, datetime] = {}
    for facts, decided in zip(known.connections, plan.connections, strict=True):
        # Of a platform that no setting knows nothing is written; what is asked again at once is judged when all of it is written.
        if facts.ref.platform not in known.platforms or _is_asked_at_once(decided, plan.now):
            continue
        kept = mind.conditions.get(facts.ref, NOTHING_KEPT)
        verdicts, edge = _judged(mind, known, facts, decided, kept)
        if edge is not None:
            edges[facts.ref] = edge
        if not verdicts:
            mind.windows.pop(facts.ref, None)
            if kept:
                changed[facts.ref] = ()
            continue
        rows = tuple(_changed(verdicts, kept, facts.standing.generation, plan.now))
        if rows:
            changed[facts.ref] = rows
    if changed:
        await _write(world, mind, changed, plan.now)
    return _with_edges(plan, edges) if edges else plan


def _is_asked_at_once(decided: ConnectionPlan, now: datetime) -> bool:
    return decided.wake_at is not None and decided.wake_at <= now


def _judged(
    mind: Mind, known: PlanningInput, facts: ConnectionFacts, decided: ConnectionPlan, kept: Kept
) -> tuple[tuple[Verdict, ...], datetime | None]:
    """All that is known of one connection, and when windows change it; a defect here stays with it, as one in planning it does."""
    platform, now = known.platforms[facts.ref.platform], known.now
    try:
        verdicts = judge_conditions(facts, decided, platform, now, kept, is_stale=facts.ref in mind.desired.stale)
        if facts.spec is None or known.frozen or platform.skewed or not verdicts:
            return verdicts, None
        view = _view(mind, facts.spec, now)
    except Exception as error:  # noqa: BLE001  whatever it is, it is this connection's alone
        defect = replace(decided, defect=f"{type(error).__name__}: {error}")
        return judge_conditions(facts, defect, platform, now, kept), None
    return (*verdicts, view.verdict), view.until


def _view(mind: Mind, spec: ScheduleSpec, now: datetime) -> WindowView:
    """Whether windows let it start; they are searched anew only at their edges."""
    view = mind.windows.get(spec.ref)
    if view is None or not view.holds_at(spec, now):
        view = mind.windows[spec.ref] = look_at_windows(spec, now)
    return view


def _changed(verdicts: Iterable[Verdict], kept: Kept, generation: int, now: datetime) -> Iterable[Condition]:
    """What differs from what is kept, and at first sight also what nobody could judge yet."""
    if not kept:
        found = {verdict.type: verdict for verdict in verdicts}
        verdicts = [found.get(kind) or not_judged(kind) for kind in ConditionType]
    for verdict in verdicts:
        before = kept.get(verdict.type)
        if before is None:
            yield Condition(verdict.type, verdict.status, verdict.reason, verdict.message, generation, now)
        elif (
            before.status is not verdict.status
            or before.reason is not verdict.reason
            or before.message != verdict.message
            or before.observed_generation != generation
        ):
            since = before.last_transition_at if before.status is verdict.status else now
            yield Condition(verdict.type, verdict.status, verdict.reason, verdict.message, generation, since)


def not_judged(kind: ConditionType, message: str = "it could not be judged yet") -> Verdict:
    """Nothing is known of a condition."""
    return Verdict(kind, ConditionStatus.UNKNOWN, ConditionReason.NOT_JUDGED, message)


async def _write(world: World, mind: Mind, changed: dict[ConnectionRef, tuple[Condition, ...]], now: datetime) -> None:
    try:
        await world.store.put_conditions(changed)
    except StoreUnavailable as error:
        world.telemetry.emit(Event(EventName.CYCLE_FAILED, now, {"message": f"conditions: {error}"}))
        return
    for ref, rows in changed.items():
        if rows:
            mind.conditions[ref] = {**mind.conditions.get(ref, {}), **{row.type: row for row in rows}}
        else:
            mind.conditions.pop(ref, None)


def _with_edges(plan: Plan, edges: dict[ConnectionRef, datetime]) -> Plan:
    """The same, woken at the edges of windows too: what ``InWindow`` says flips there, and not when a slot happens to come."""
    return replace(plan, connections=tuple(_woken_by(decided, edges.get(decided.ref)) for decided in plan.connections))


def _woken_by(decided: ConnectionPlan, edge: datetime | None) -> ConnectionPlan:
    if edge is None or (decided.wake_at is not None and decided.wake_at <= edge):
        return decided
    return replace(decided, wake_at=edge)
