"""What the next cycle would do: the same gathering and the same planner, and nothing carried out."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from controller.decide.clock_watch import ClockWatch
from controller.decide.planner import make_plan
from controller.model.plan import Plan, PlanningInput
from controller.model.record import Reason
from controller.reconcile.allowance import Allowance
from controller.reconcile.fetch import Read, read_desired
from controller.reconcile.gather import Mind, gather, look
from controller.reconcile.observed import ObservedPlatform
from controller.reconcile.status import place_of
from controller.reconcile.world import World


@dataclass(frozen=True, slots=True)
class Preview:
    """What the next cycle would do, and what it rests on.

    Attributes:
        trouble: why the spec source could not be read, so that it is planned for what the store says is in force; empty where it could.
        rejected: errors of spec files, as ``path:line:column: code``.
        spent: platforms of which the controller that runs has used up what it may cancel and change between two full resyncs, each with
            since when, as the conditions say that it keeps in the store.
    """

    known: PlanningInput
    plan: Plan
    trouble: str = ""
    rejected: tuple[str, ...] = ()
    spent: Mapping[str, datetime] = field(default_factory=dict)


async def preview(world: World, *, is_now: bool = True, attended: bool = False) -> Preview:
    """Read specs, store and platforms, and decide; a platform that cannot be read holds its connections with the reason.

    ``is_now``: the world's clock shows the present; one that shows any other instant has nothing to agree with.
    ``attended``: a controller runs on the store; what it has left of its writes only it counts, and a start would count anew.

    Raises:
        SpecSourceUnavailable, StoreUnavailable: nothing can be said.
    """
    read = await read_desired(world)
    spent = await _spent(world) if attended and is_now else {}
    known, plan = await _planned(world, read, spent, is_now=is_now)
    if read.trouble:
        known = replace(known, held=f"{read.trouble}; this is planned for what the store says is in force")
    return Preview(known, plan, read.trouble, tuple(place_of(error) for error in read.errors), spent)


async def _spent(world: World) -> dict[str, datetime]:
    """Platforms that conditions call spent, each with since when the first of its connections waits."""
    found: dict[str, datetime] = {}
    for name in world.platforms:
        for row in (await world.store.conditions(name)).values():
            told = [each.last_transition_at for each in row if each.reason is Reason.BLAST_RADIUS]
            # A status that was the same before, for another reason, is older than this.
            since = max((at for at in told if at is not None), default=None)
            if since is not None:
                found[name] = min(found.get(name, since), since)
    return found


async def _planned(world: World, read: Read, spent: Collection[str], *, is_now: bool) -> tuple[PlanningInput, Plan]:
    desired = read.desired
    mind = Mind(
        desired,
        began_at=world.clock.now(),
        held=read.held,
        allowance=Allowance(world.limits),
        allow_resets=world.allow_resets,
        observe=world.observe,
    )
    mind.allowance.manage(desired.specs)
    for name in spent:
        mind.allowance.use_up(name)
    for name, (platform, profile) in world.platforms.items():
        through = await world.store.observed_through(name)
        mind.platforms[name] = ObservedPlatform.seen_through(name, platform, profile, through)
    refs = mind.desired.specs.keys() | set(await world.store.known_refs())
    first = make_plan(await gather(mind, world.store, world.clock.now(), refs, world.restorers))
    await _look_for(world, mind, first, mind.platforms)
    if not is_now:
        mind.watch = ClockWatch()
    known = await gather(mind, world.store, world.clock.now(), refs, world.restorers)
    plan = make_plan(known)
    # What differs on a connection is seen in a listing, and set right only after a read by id.
    wanting = {d.ref.platform for d in plan.connections if any(need.reads_connection(plan.now) for need in d.needs)}
    if not wanting:
        return known, plan
    await _look_for(world, mind, plan, wanting)
    if not is_now:
        mind.watch = ClockWatch()
    known = await gather(mind, world.store, world.clock.now(), refs, world.restorers)
    return known, make_plan(known)


async def _look_for(world: World, mind: Mind, plan: Plan, names: Collection[str]) -> None:
    """Look at platforms for what a plan waits to see."""
    for decided in plan.connections:
        if decided.needs and (observed := mind.platforms.get(decided.ref.platform)) is not None:
            observed.needs[decided.ref] = decided.needs
    for observed in (mind.platforms[name] for name in sorted(names) if name in mind.platforms):
        result = await look(mind, observed, world.clock)
        observed.successes_read |= result.successes.keys()
