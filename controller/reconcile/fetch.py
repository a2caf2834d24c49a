"""Read the specs and put them in force."""

from dataclasses import replace

from controller.decide.desired import Desired, merge
from controller.errors import SpecSourceUnavailable
from controller.model.event import Event, EventName
from controller.model.identity import ConnectionRef
from controller.model.schedule import Mode, ScheduleSpec
from controller.ports.spec_source import SpecTree
from controller.reconcile import say
from controller.reconcile.gather import Mind
from controller.reconcile.world import World


async def fetch_specs(world: World, mind: Mind) -> set[ConnectionRef]:
    """Read the newest revision and merge it; returns the connections whose desired schedule may have changed.

    A tree that cannot be read leaves everything as it is. Before the first good read nothing is in force and nothing is retired.

    Raises:
        StoreUnavailable: what was in force before a restart could not be read.
    """
    try:
        tree = await world.spec_source.fetch()
    except SpecSourceUnavailable as error:
        if mind.source_trouble != str(error):
            mind.source_trouble = str(error)
            fields = {"message": str(error), "revision": mind.desired.revision}
            await say.tell(world, [Event(EventName.SPEC_SOURCE_FAILED, world.clock.now(), fields)])
        return set()
    mind.source_trouble = ""
    if mind.loaded and tree.revision == mind.desired.revision:
        return set()
    first, before = not mind.loaded, mind.desired
    known = set(await world.store.known_refs()) if first else set()
    mind.desired = merge(before, tree.revision, _as_asked(world, tree), tree.failed_paths)
    if first and not mind.desired.absence_believed:
        mind.desired = await _restored(world, mind.desired, known)
    mind.loaded = True
    await say.tell(world, _events(world, mind, tree))
    return known | _differing(before, mind.desired)


def _differing(before: Desired, after: Desired) -> set[ConnectionRef]:
    refs = before.specs.keys() | after.specs.keys() | before.obstacles.keys() | after.obstacles.keys()
    return {
        ref
        for ref in refs
        if before.specs.get(ref) != after.specs.get(ref) or before.obstacles.get(ref) != after.obstacles.get(ref)
    }


def _as_asked(world: World, tree: SpecTree) -> tuple[ScheduleSpec, ...]:
    """The specs as this controller may act on them: under ``--observe`` none of them writes."""
    return tuple(replace(spec, mode=Mode.OBSERVE) for spec in tree.specs) if world.observe else tree.specs


async def read_desired(world: World) -> Desired:
    """What a controller that starts now would hold as desired.

    Raises:
        SpecSourceUnavailable, StoreUnavailable: nothing can be said.
    """
    tree = await world.spec_source.fetch()
    desired = merge(Desired(), tree.revision, _as_asked(world, tree), tree.failed_paths)
    return desired if desired.absence_believed else await _restored(world, desired, set(await world.store.known_refs()))


async def _restored(world: World, desired: Desired, known: set[ConnectionRef]) -> Desired:
    """After a restart: what the store says was in force stays so while a rejected file may be its own."""
    missing = sorted(known - desired.specs.keys())
    standings = await world.store.standings(dict.fromkeys(missing, ()))
    specs = dict(desired.specs)
    for ref in missing:
        content = standings[ref].content
        spec = world.restore(content) if content else None
        if spec is not None:
            specs[ref] = replace(spec, mode=Mode.OBSERVE) if world.observe else spec
    stale = desired.stale | (specs.keys() - desired.specs.keys())
    return Desired(desired.revision, specs, desired.obstacles, frozenset(stale), absence_believed=False)


def _events(world: World, mind: Mind, tree: SpecTree) -> list[Event]:
    now = world.clock.now()
    loaded: dict[str, say.Field] = {
        "revision": tree.revision,
        "schedules": len(mind.desired.specs),
        "files": tree.files,
        "rejected": len(tree.failed_paths),
    }
    events = [Event(EventName.SPECS_LOADED, now, loaded)]
    for error in tree.errors:
        fields: dict[str, say.Field] = {
            "path": error.origin.path,
            "line": error.origin.line,
            "column": error.origin.column,
            "code": error.code,
            "message": error.message,
            "revision": tree.revision,
        }
        events.append(Event(EventName.SPECS_REJECTED, now, fields))
    return events
