"""Read the specs and put them in force."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from controller.decide.desired import Desired, merge
from controller.decide.policies import settle
from controller.errors import SpecSourceUnavailable
from controller.model.event import Event, EventName
from controller.model.identity import ConnectionRef
from controller.model.schedule import Mode
from controller.ports.spec_source import SpecTree
from controller.ports.store import StoredPolicy
from controller.reconcile import say
from controller.reconcile.gather import Mind
from controller.reconcile.requests import take_requests
from controller.reconcile.restored import first_desired
from controller.reconcile.world import World

FETCH_SECONDS_MAX = 60.0
"""Longest time that the spec source may take: a fetch over a slow line takes seconds, one that hangs takes for ever."""


async def fetch_specs(world: World) -> SpecTree | SpecSourceUnavailable:
    """Read the newest revision, in bounded time; nobody waits for it, so whatever goes wrong is an answer too."""
    try:
        async with asyncio.timeout(FETCH_SECONDS_MAX):
            return await world.spec_source.fetch()
    except SpecSourceUnavailable as error:
        return error
    except TimeoutError:
        return SpecSourceUnavailable(f"the spec source gave no answer within {FETCH_SECONDS_MAX:.0f} s")
    except Exception as error:  # noqa: BLE001  a source that fails in a way of its own must not end the schedules that are in force
        return SpecSourceUnavailable(f"the specs could not be read: {type(error).__name__}: {error}")


async def take_specs(world: World, mind: Mind, tree: SpecTree | SpecSourceUnavailable) -> set[ConnectionRef]:
    """Merge what was fetched; returns the connections whose desired schedule may have changed.

    A tree that could not be read leaves everything as it is. Before the first good read nothing is in force and nothing is retired.

    Raises:
        StoreUnavailable: what was in force before a restart could not be read, or not be kept for the next one.
    """
    if isinstance(tree, SpecSourceUnavailable):
        if mind.source_trouble != str(tree):
            mind.source_trouble = str(tree)
            fields = {"message": str(tree), "revision": mind.desired.revision}
            await say.tell(world, [Event(EventName.SPEC_SOURCE_FAILED, world.clock.now(), fields)])
        return set()
    mind.source_trouble = ""
    if mind.loaded and tree.revision == mind.desired.revision:
        return set()
    before = mind.desired
    known = set(await world.store.known_refs()) if not mind.loaded else set()
    kept = await world.store.policies()
    if mind.loaded:
        desired = merge(before, tree.revision, tree.specs, tree.failed_paths, tree.policies)
    else:
        desired = await first_desired(world.store, tree, world.restorers)
    desired = _as_allowed(world, desired)
    # Before anything of it counts: a revision whose policies or requests could not be kept is read again.
    await _keep_policies(world, desired, tree, kept)
    asked_about = await take_requests(world, mind, tree, desired)
    mind.desired, mind.loaded = desired, True
    await say.tell(world, _events(world, mind, tree))
    return known | asked_about | _differing(before, mind.desired)


def _differing(before: Desired, after: Desired) -> set[ConnectionRef]:
    refs = before.specs.keys() | after.specs.keys() | before.obstacles.keys() | after.obstacles.keys()
    return {
        ref
        for ref in refs
        if before.specs.get(ref) != after.specs.get(ref) or before.obstacles.get(ref) != after.obstacles.get(ref)
    }


def _as_allowed(world: World, desired: Desired) -> Desired:
    """As this controller may act on it: under ``--observe`` nothing of it writes, whatever a policy says the mode is."""
    if not world.observe:
        return desired
    return replace(desired, specs={ref: replace(spec, mode=Mode.OBSERVE) for ref, spec in desired.specs.items()})


async def read_desired(world: World) -> Desired:
    """What a controller that starts now would hold as desired.

    Raises:
        SpecSourceUnavailable, StoreUnavailable: nothing can be said.
    """
    tree = await world.spec_source.fetch()
    return _as_allowed(world, await first_desired(world.store, tree, world.restorers))


async def _keep_policies(world: World, desired: Desired, tree: SpecTree, kept: Sequence[StoredPolicy]) -> None:
    """Keep the policies in force for the next start, unless they contradict each other where the kept ones do not.

    What the kept ones give decides such a quarrel after a restart, so they must not be lost to it. Before any was kept there is nothing
    to lose.
    """
    rows = {row.name: row for row in kept}
    read = {(policy.name, policy.origin) for policy in tree.policies}
    in_force = [
        StoredPolicy(policy.name, policy.origin.path, policy.content)
        # One that was itself restored keeps the path that it had.
        if (policy.name, policy.origin) in read or policy.name not in rows
        else rows[policy.name]
        for policy in desired.policies
    ]
    if sorted(rows) == [row.name for row in in_force] and all(rows[row.name] == row for row in in_force):
        return
    if kept:
        earlier = world.restorers.policies(kept)
        for spec in desired.written.values():
            quarrels = settle(spec, desired.policies, None).conflicts
            if quarrels and not set(quarrels) <= set(settle(spec, earlier, None).conflicts):
                return
    await world.store.keep_policies(in_force)


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
