"""After a look at a platform: keep and tell what changed, and say whom it concerns."""

from datetime import datetime, timedelta

from controller.model.event import Event, EventName
from controller.model.identity import ConnectionRef
from controller.model.job import Job
from controller.model.record import Standing
from controller.reconcile import say
from controller.reconcile.gather import ListingResult, Mind, refs_on
from controller.reconcile.observed import ObservedPlatform
from controller.reconcile.world import World

NOTE_EVERY = timedelta(seconds=60)
"""How often it is written down up to when a platform's jobs were seen; a restart reads that much more again."""


async def take_in(
    world: World, mind: Mind, platform: ObservedPlatform, result: ListingResult, *, first: bool
) -> set[ConnectionRef]:
    """Take in one look at a platform; returns the connections that must be judged again, whether they waited for it or not.

    Raises:
        StoreUnavailable: what was seen could not be kept; it is still in memory.
    """
    now = world.clock.now()
    waiting = set(platform.needs)
    if platform.history.last is None or platform.trouble:
        fields: dict[str, say.Field] = {"platform": platform.name, "message": result.trouble}
        if platform.history.failures == 1:
            await say.tell(world, [Event(EventName.LISTING_FAILED, now, fields)])
        return set()
    events = _recovery(platform, result, now)
    driven = mind.desired.specs.keys()
    concerned = refs_on(platform.name, [job.connection_id for _, job in result.changes])
    concerned |= refs_on(platform.name, [job.connection_id for job in result.gone])
    concerned |= refs_on(platform.name, result.connections) | refs_on(platform.name, result.successes)
    concerned &= driven | mind.holds.keys() | waiting
    changes = [
        (before, job) for before, job in result.changes if ConnectionRef(platform.name, job.connection_id) in concerned
    ]
    if changes:
        await world.store.save_jobs(platform.name, [job for _, job in changes])
    await _keep_successes(world, platform, result)
    if changes and not first:
        events.extend(await _job_events(world, mind, platform, changes, now))
    await say.tell(world, events)
    if not mind.watch.is_frozen:
        await _note(world, platform, now)
    return concerned


async def _keep_successes(world: World, platform: ObservedPlatform, result: ListingResult) -> None:
    """Keep the newest successes that were looked for; only then is it known which there are."""
    found = [job for job in result.successes.values() if job is not None]
    if found:
        await world.store.save_jobs(platform.name, found)
    platform.successes_read |= result.successes.keys()


def _recovery(platform: ObservedPlatform, result: ListingResult, now: datetime) -> list[Event]:
    if result.recovered_after is None:
        return []
    seconds = round(result.recovered_after.total_seconds(), 1)
    return [Event(EventName.LISTING_RECOVERED, now, {"platform": platform.name, "failed_seconds": seconds})]


async def _job_events(
    world: World, mind: Mind, platform: ObservedPlatform, changes: list[tuple[Job | None, Job]], now: datetime
) -> list[Event]:
    asked: dict[ConnectionRef, list[str]] = {}
    for _, job in changes:
        asked.setdefault(ConnectionRef(platform.name, job.connection_id), []).append(job.job_id)
    standings = await world.store.standings(asked)
    events = []
    for before, job in changes:
        ref = ConnectionRef(platform.name, job.connection_id)
        spec = mind.desired.specs.get(ref)
        name = spec.name if spec is not None else standings[ref].schedule
        if before is None and _is_foreign(platform, standings[ref], job):
            events.append(say.about_foreign_start(name, ref, job, now))
        if job.status.is_terminal and (before is None or before.is_active):
            events.append(say.about_job(name, ref, job, now))
    return events


def _is_foreign(platform: ObservedPlatform, standing: Standing, job: Job) -> bool:
    """Whether a job that was just seen is not ours; one that may still turn out to be is not called foreign."""
    maybe_ours = standing.claim is not None or job.connection_id in platform.in_flight
    return job.job_id not in standing.attributed and not maybe_ours


async def _note(world: World, platform: ObservedPlatform, now: datetime) -> None:
    listing = platform.history.last
    if listing is not None and (platform.noted_at is None or now - platform.noted_at >= NOTE_EVERY):
        platform.noted_at = now
        await world.store.note_observed(platform.name, listing.begun_at)
