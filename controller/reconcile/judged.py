"""A revision as it was fetched, against what is in force: whether it comes into force, or is held for what it removes."""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime

from controller.decide.desired import Desired, advance, merge
from controller.decide.removals import Coming, coming, coming_next, hold, judge_removals
from controller.model.identity import ConnectionRef
from controller.model.revision import HeldRevision, Revisions
from controller.model.safety import SafetyLimits
from controller.ports.spec_source import SpecTree
from controller.ports.store import Store
from controller.reconcile.restored import Restorers, first_desired, restored_desired


@dataclass(frozen=True, slots=True)
class Safeguard:
    """By what a revision is judged.

    Attributes:
        confirmed: the revision that the operator confirmed; empty where none was.
        platforms: those that the settings know; nothing is retired on any other, so nothing is lost there. None = all of them.
    """

    now: datetime
    limits: SafetyLimits = field(default_factory=SafetyLimits)
    confirmed: str = ""
    platforms: Collection[str] | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """What is to be in force after a revision was read, and the revision itself where it is held."""

    desired: Desired
    change: Coming
    held: HeldRevision | None = None
    confirmed_by: str = ""


async def judge_first(store: Store, tree: SpecTree, restorers: Restorers, guard: Safeguard) -> Judged:
    """The first revision that a process reads: what was in force before is what the store says.

    Raises:
        StoreUnavailable: the store could not be read.
    """
    desired = await first_desired(store, tree, restorers)
    change = coming(await _in_force(store, guard.platforms), desired, tree.requests)
    judged = _judge(desired, change, await store.revisions(), guard)
    return judged if judged.held is None else replace(judged, desired=await restored_desired(store, restorers))


async def judge_next(store: Store, before: Desired, tree: SpecTree, guard: Safeguard) -> Judged:
    """A further revision, over the one in force.

    Raises:
        StoreUnavailable: the store could not be read.
    """
    delta = tree.delta
    if delta is not None and delta.since == before.revision and before.is_whole:
        desired = advance(before, tree.revision, delta.before, delta.after)
    else:
        desired = merge(before, tree.revision, tree.specs, tree.failed_paths, tree.policies)
    change = coming_next(before, desired, tree.requests)
    judged = _judge(desired, change, await store.revisions(), guard)
    return judged if judged.held is None else replace(judged, desired=before)


def _judge(desired: Desired, change: Coming, known: Revisions, guard: Safeguard) -> Judged:
    ruling = judge_removals(change, known, guard.limits, guard.confirmed, guard.now)
    held = hold(change, ruling.held, guard.now) if ruling.held else None
    return Judged(desired, change, held, ruling.confirmed_by)


async def _in_force(store: Store, platforms: Collection[str] | None) -> dict[ConnectionRef, str]:
    refs = [ref for ref in await store.known_refs() if platforms is None or ref.platform in platforms]
    standings = await store.standings(dict.fromkeys(refs, ()))
    return {ref: row.schedule for ref, row in standings.items() if row.calendar_key is not None}
