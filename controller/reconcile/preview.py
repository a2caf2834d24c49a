"""What the next cycle would do: the same gathering and the same planner, and nothing carried out."""

from collections.abc import Collection
from dataclasses import dataclass, replace

from controller.decide.clock_watch import ClockWatch
from controller.decide.planner import make_plan
from controller.model.plan import Plan, PlanningInput
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
    """

    known: PlanningInput
    plan: Plan
    trouble: str = ""
    rejected: tuple[str, ...] = ()


async def preview(world: World, *, is_now: bool = True) -> Preview:
    """Read specs, store and platforms, and decide; a platform that cannot be read holds its connections with the reason.

    ``is_now``: the world's clock shows the present; one that shows any other instant has nothing to agree with.

    Raises:
        SpecSourceUnavailable, StoreUnavailable: nothing can be said.
    """
    read = await read_desired(world)
    known, plan = await _planned(world, read, is_now=is_now)
    if read.trouble:
        known = replace(known, held=f"{read.trouble}; this is planned for what the store says is in force")
    return Preview(known, plan, read.trouble, tuple(place_of(error) for error in read.errors))


async def _planned(world: World, read: Read, *, is_now: bool) -> tuple[PlanningInput, Plan]:
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
    for name, (platform, profile) in world.platforms.items():
        through = await world.store.observed_through(name)
        mind.platforms[name] = ObservedPlatform(name, platform, profile, through - profile.overlap if through else None)
    refs = mind.desired.specs.keys() | set(await world.store.known_refs())
    first = make_plan(await gather(mind, world.store, world.clock.now(), refs, world.restorers))
    await _look_for(world, mind, first, mind.platforms)
    if not is_now:
        mind.watch = ClockWatch()
    known = await gather(mind, world.store, world.clock.now(), refs, world.restorers)
    plan = make_plan(known)
    # What differs on a connection is seen in a listing, and set right only after a read by id.
    wanting = {d.ref.platform for d in plan.connections if any(need.read_connection for need in d.needs)}
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
