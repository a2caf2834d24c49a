"""Keep the conditions of what a cycle judged: only what changed is written, and a restart finds what was known."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from controller.decide.conditions import (
    NOTHING_KEPT,
    Kept,
    WindowView,
    changed,
    judge_conditions,
    look_at_windows,
    whole,
)
from controller.errors import StoreUnavailable
from controller.model.condition import Condition, ConditionType, Verdict
from controller.model.event import Event, EventName
from controller.model.identity import ConnectionRef
from controller.model.plan import ConnectionFacts, ConnectionPlan, Plan, PlanningInput
from controller.reconcile.gather import Mind
from controller.reconcile.world import World

Changes = dict[ConnectionRef, tuple[Condition, ...]]
"""What is to be written of each connection; nothing at all = it loses what it has."""


WITHOUT_WINDOWS = len(ConditionType) - 1
"""How many are judged of a schedule of which everything is known, beside its windows."""


async def recall_conditions(world: World, mind: Mind, platform: str) -> None:
    """Read back what is known of a platform's connections.

    Raises:
        StoreUnavailable: it could not be read.
    """
    stored = await world.store.conditions(platform)
    for ref in [ref for ref in mind.conditions if ref.platform == platform]:
        del mind.conditions[ref]
    mind.conditions |= {ref: Kept(whole(rows, ())) for ref, rows in stored.items()}


async def keep_conditions(world: World, mind: Mind, known: PlanningInput, plan: Plan) -> Plan:
    """Judge the conditions of every connection of a plan and write those that changed; returns the plan, woken at the edges of windows.

    What cannot be written now is judged and written again with the next cycle of its connection: a status is no reason not to act.

    Raises:
        Fenced: another controller took a platform; nothing was written.
    """
    changes: Changes = {}
    edges: dict[int, datetime] = {}
    now, stale = plan.now, mind.desired.stale
    for index, (facts, decided) in enumerate(zip(known.connections, plan.connections, strict=True)):
        ref, wake_at = facts.ref, decided.wake_at
        # Of a platform that no setting knows nothing is written; what is asked again at once is judged when all of it is written.
        if ref.platform not in known.platforms or (wake_at is not None and wake_at <= now):
            continue
        kept = mind.conditions.get(ref, NOTHING_KEPT)
        is_stale = bool(stale) and ref in stale
        verdicts, view = _judged(known, facts, decided, kept, is_stale=is_stale)
        if view is not kept.view:
            mind.conditions[ref] = kept = Kept(kept.rows, view)
        if view is not None and view.until is not None and (wake_at is None or view.until < wake_at):
            edges[index] = view.until
        if not verdicts:
            if kept.rows:
                changes[ref] = ()
            else:
                mind.conditions.pop(ref, None)
        elif rows := changed(verdicts, kept, facts.standing.generation, now):
            changes[ref] = rows
    if changes:
        await _write(world, mind, changes, now)
    return _with_edges(plan, edges) if edges else plan


def _judged(
    known: PlanningInput, facts: ConnectionFacts, decided: ConnectionPlan, kept: Kept, *, is_stale: bool
) -> tuple[tuple[Verdict | None, ...], WindowView | None]:
    """All that is known of one connection; a defect in judging it stays with it, as one in planning it does."""
    platform, spec, now = known.platforms[facts.ref.platform], facts.spec, known.now
    try:
        verdicts = judge_conditions(facts, decided, platform, now, kept, is_stale=is_stale)
        if spec is None or len(verdicts) < WITHOUT_WINDOWS:
            return verdicts, None
        view = look_at_windows(spec, now, kept.view)
    except Exception as error:  # noqa: BLE001  whatever it is, it is this connection's alone
        defect = replace(decided, defect=f"{type(error).__name__}: {error}")
        return judge_conditions(facts, defect, platform, now, kept), None
    return (*verdicts, view.verdict), view


async def _write(world: World, mind: Mind, changes: Changes, now: datetime) -> None:
    try:
        await world.store.put_conditions(changes)
    except StoreUnavailable as error:
        world.telemetry.emit(Event(EventName.CYCLE_FAILED, now, {"message": f"conditions: {error}"}))
        return
    for ref, rows in changes.items():
        kept = mind.conditions.get(ref, NOTHING_KEPT)
        if rows:
            mind.conditions[ref] = Kept(whole(rows, kept.rows), kept.view)
        else:
            mind.conditions.pop(ref, None)


def _with_edges(plan: Plan, edges: Mapping[int, datetime]) -> Plan:
    """The same, woken at the edges of windows too: what ``InWindow`` says flips there, and not when a slot happens to come."""
    rows = list(plan.connections)
    for index, edge in edges.items():
        rows[index] = replace(rows[index], wake_at=edge)
    return replace(plan, connections=tuple(rows))
