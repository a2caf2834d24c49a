"""Read the specs and put them in force."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from controller.decide.desired import Desired, differing
from controller.decide.policies import settle
from controller.errors import SpecSourceUnavailable
from controller.model.event import Event, EventName
from controller.model.identity import ConnectionRef
from controller.model.request import RequestAction
from controller.model.revision import AppliedRevision, HeldRevision, Revisions, held_text
from controller.model.schedule import Mode
from controller.ports.spec_source import SpecError, SpecTree
from controller.ports.store import Store, StoredPolicy
from controller.reconcile import say
from controller.reconcile.gather import Mind
from controller.reconcile.judged import Judged, Safeguard, judge_first, judge_next
from controller.reconcile.requests import take_requests
from controller.reconcile.restored import restored_desired
from controller.reconcile.world import World

FETCH_SECONDS_MAX = 60.0
"""Longest time that the spec source may take: a fetch over a slow line takes seconds, one that hangs takes for ever."""

TOLD_WARNINGS = frozenset({"never-updated", "case-collision"})
"""Warnings about where the specs lie, which their authors cannot see; ``validate`` shows them those about what a file says."""

HELD_KEPT = 10
"""Held revisions that are remembered, so that a commit which confirms one may come after another that is held as well; each lists what
it removes, so they cost room."""


async def fetch_specs(world: World, applied: str = "") -> SpecTree | SpecSourceUnavailable:
    """Read the newest revision, in bounded time; nobody waits for it, so whatever goes wrong is an answer too.

    ``applied``: the revision in force.
    """
    try:
        async with asyncio.timeout(FETCH_SECONDS_MAX):
            return await world.spec_source.fetch(applied)
    except SpecSourceUnavailable as error:
        return error
    except TimeoutError:
        return SpecSourceUnavailable(f"the spec source gave no answer within {FETCH_SECONDS_MAX:.0f} s")
    except Exception as error:  # noqa: BLE001  a source that fails in a way of its own must not end the schedules that are in force
        return SpecSourceUnavailable(f"the specs could not be read: {type(error).__name__}: {error}")


async def applied_revision(store: Store, mind: Mind | None = None) -> str:
    """The revision in force, as the store says: another controller may have gone on to a newer one; empty where none ever was.

    Raises:
        StoreUnavailable: the store could not be read.
    """
    applied = (await store.revisions()).applied
    if applied is not None:
        return applied.name
    return "" if mind is None else mind.desired.revision


async def take_specs(world: World, mind: Mind, tree: SpecTree | SpecSourceUnavailable) -> set[ConnectionRef]:
    """Put in force what was fetched; returns the connections whose desired schedule may have changed.

    A tree that could not be read, or that is held for what it removes, leaves in force what the store says is in force. Nothing is
    retired then.

    Raises:
        StoreUnavailable: what was in force before a restart could not be read, or not be kept for the next one.
    """
    if isinstance(tree, SpecSourceUnavailable):
        await _tell_trouble(world, mind, tree)
        return await _restore(world, mind, str(tree))
    mind.source_trouble = ""
    is_first = not mind.loaded or mind.restored
    if not is_first and tree.revision == mind.desired.revision:
        await _let_go(world, mind)
        return set()
    if await _is_held_still(world, mind, tree):
        return set()
    before, guard = mind.desired, _safeguard(world)
    known = set(await world.store.known_refs()) if is_first else set()
    kept = await world.store.policies()
    if is_first:
        judged = await judge_first(world.store, tree, world.restorers, guard)
    else:
        judged = await judge_next(world.store, before, tree, guard)
    if judged.held is not None:
        await _hold(world, mind, judged.held)
        return await _restore(world, mind, held_text(judged.held))
    desired = _as_allowed(world, judged.desired)
    # Before anything of it counts: a revision whose policies or requests could not be kept is read again.
    await _keep_policies(world, desired, tree, kept)
    asked_about = await take_requests(world, mind, tree, desired)
    await _keep_applied(world, tree.revision)
    mind.desired, mind.loaded, mind.restored, mind.held = desired, True, False, None
    if desired.touched is None:
        mind.allowance.manage(desired.specs)
    else:
        mind.allowance.move(before.specs, desired.specs, desired.touched)
    await say.tell(world, [*_confirmation(world, judged), *_events(world, mind, tree)])
    return known | asked_about | differing(before, mind.desired)


def _safeguard(world: World) -> Safeguard:
    return Safeguard(world.clock.now(), world.limits, world.confirmed_revision, world.platforms.keys())


async def _tell_trouble(world: World, mind: Mind, error: SpecSourceUnavailable) -> None:
    if mind.source_trouble != str(error):
        mind.source_trouble = str(error)
        fields = {"message": str(error), "revision": mind.desired.revision}
        await say.tell(world, [Event(EventName.SPEC_SOURCE_FAILED, world.clock.now(), fields)])


async def _restore(world: World, mind: Mind, why: str) -> set[ConnectionRef]:
    """Without a revision that may come into force: act by what the store says is, unless that is what this process acts by already.

    It is not where this process has just begun, or where another controller has gone on to a newer revision.
    """
    applied = (await world.store.revisions()).applied
    if mind.loaded and (applied is None or applied.name == mind.desired.revision):
        return set()
    before, known = mind.desired, set(await world.store.known_refs())
    desired = _as_allowed(world, await restored_desired(world.store, world.restorers))
    if not desired.specs:
        return set()
    mind.desired, mind.loaded, mind.restored = desired, True, True
    mind.allowance.manage(desired.specs)
    fields: dict[str, say.Field] = {"revision": desired.revision, "schedules": len(desired.specs), "message": why}
    await say.tell(world, [Event(EventName.SPECS_RESTORED, world.clock.now(), fields)])
    return known | differing(before, desired)


async def _is_held_still(world: World, mind: Mind, tree: SpecTree) -> bool:
    """Whether a revision that is held has nothing new to say: no time that it waits for, and nobody has put it in force elsewhere."""
    if mind.held is None or mind.held.name != tree.revision:
        return False
    if any(request.action is RequestAction.CONFIRM_REMOVALS for request in tree.requests):
        return False
    return await applied_revision(world.store) != tree.revision


async def _hold(world: World, mind: Mind, held: HeldRevision) -> None:
    """Keep a revision out of force, and tell it once; whoever confirms it later confirms what it removes now."""
    if mind.held is None or mind.held.name != held.name:
        fields: dict[str, say.Field] = {
            "revision": held.name,
            "removed": len(held.removed),
            "in_force": held.in_force,
            "message": held.message,
        }
        await say.tell(world, [Event(EventName.REVISION_HELD, held.at, fields)])
    known = await world.store.revisions()
    before = next((each for each in known.held if each.name == held.name), held)
    others = (each for each in known.held if each.name != held.name)
    kept = (*others, replace(held, at=before.at))[-HELD_KEPT:]
    if kept != known.held:
        await world.store.keep_revisions(Revisions(known.applied, kept))
    mind.held = held


async def _let_go(world: World, mind: Mind) -> None:
    """The specs are what is in force again: nothing is held any more."""
    if mind.held is not None:
        known = await world.store.revisions()
        await world.store.keep_revisions(Revisions(known.applied))
        mind.held = None


async def _keep_applied(world: World, revision: str) -> None:
    """Say which revision is in force, before anything is done by it; what was held before is over."""
    known = await world.store.revisions()
    if known.held or known.applied is None or known.applied.name != revision:
        await world.store.keep_revisions(Revisions(AppliedRevision(revision, world.clock.now())))


def _as_allowed(world: World, desired: Desired) -> Desired:
    """As this controller may act on it: under ``--observe`` nothing of it writes, whatever a policy says the mode is."""
    if not world.observe:
        return desired
    specs = dict(desired.specs)
    for ref in specs.keys() if desired.touched is None else filter(specs.__contains__, desired.touched):
        specs[ref] = replace(specs[ref], mode=Mode.OBSERVE)
    return replace(desired, specs=specs)


@dataclass(frozen=True, slots=True)
class Read:
    """What a controller that starts now would hold as desired.

    Attributes:
        held: the revision that it would not put in force.
        trouble: why the spec source could not be read, so that this is what the store says is in force; empty where it could.
        errors: of spec files.
    """

    desired: Desired
    held: HeldRevision | None = None
    trouble: str = ""
    errors: tuple[SpecError, ...] = ()


async def read_desired(world: World) -> Read:
    """Read the specs as a controller that starts now would.

    Raises:
        SpecSourceUnavailable: the specs cannot be read, and the store knows of nothing in force.
        StoreUnavailable: nothing can be said.
    """
    try:
        tree = await world.spec_source.fetch(await applied_revision(world.store))
    except SpecSourceUnavailable as error:
        desired = _as_allowed(world, await restored_desired(world.store, world.restorers))
        if not desired.specs:
            raise
        return Read(desired, trouble=str(error))
    judged = await judge_first(world.store, tree, world.restorers, _safeguard(world))
    return Read(_as_allowed(world, judged.desired), judged.held, errors=tuple(tree.errors))


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


def _confirmation(world: World, judged: Judged) -> list[Event]:
    """That somebody confirmed what a revision removes, where that was needed."""
    if not judged.confirmed_by:
        return []
    fields: dict[str, say.Field] = {
        "revision": judged.change.revision,
        "removed": len(judged.change.removed),
        "confirmed_by": judged.confirmed_by,
    }
    return [Event(EventName.REMOVALS_CONFIRMED, world.clock.now(), fields)]


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
    doubtful = {(each.origin.path, each.code): each.message for each in tree.warnings if each.code in TOLD_WARNINGS}
    for (path, code), message in doubtful.items():
        if (path, code) not in mind.doubtful:
            doubt: dict[str, say.Field] = {"path": path, "code": code, "message": message, "revision": tree.revision}
            events.append(Event(EventName.SPECS_DOUBTFUL, now, doubt))
    mind.doubtful = frozenset(doubtful)
    return events
