"""After a look at a platform: say whom it concerns, and keep and tell what changed."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from controller.model.event import Event, EventName
from controller.model.identity import ConnectionRef
from controller.model.job import Job
from controller.model.record import Standing
from controller.reconcile import say
from controller.reconcile.gather import ListingResult, Mind, refs_on
from controller.reconcile.observed import ObservedPlatform
from controller.reconcile.world import World

NOTE_EVERY = timedelta(minutes=2)
"""How often it is written down up to when a platform's jobs were seen where no job changed; a restart reads that much more again, and a
reader believes that a controller runs."""


def whom_it_concerns(mind: Mind, platform: ObservedPlatform, result: ListingResult) -> set[ConnectionRef]:
    """The connections that must be judged again after one look, whether they waited for it or not."""
    changes = (*platform.unkept, *result.changes)
    seen = {job.connection_id for _, job in changes}.union(
        [job.connection_id for job in result.gone], result.connections, result.successes
    )
    driven, waiting = mind.desired.specs, platform.needs
    return {ref for ref in refs_on(platform.name, seen) if ref in driven or ref in waiting or ref in mind.holds}


async def take_in(
    world: World, mind: Mind, platform: ObservedPlatform, result: ListingResult, concerned: Collection[ConnectionRef]
) -> None:
    """Keep and tell what one look at a platform showed of the connections that it concerns.

    A start elsewhere and the end of a job are told once, also over restarts: what this process does not remember the store is asked for.

    Raises:
        StoreUnavailable: what was seen could not be kept; it is still in memory, and is kept and told after the next look.
    """
    now = world.clock.now()
    # Of what the store did not take it may have kept all the same: the answer to a commit can be lost.
    unsure = {job.job_id for _, job in platform.unkept}
    changes = platform.unkept = platform.unkept + [
        (before, job) for before, job in result.changes if ConnectionRef(platform.name, job.connection_id) in concerned
    ]
    if _is_blind(platform):
        fields: dict[str, say.Field] = {"platform": platform.name, "message": result.trouble}
        if platform.history.failures == 1:
            await say.tell(world, [Event(EventName.LISTING_FAILED, now, fields)])
        return
    await say.tell(world, _recovery(platform, result, now))
    news = await _news(world, mind, platform, changes, unsure)
    events = await _job_events(world, mind, platform, news, now)
    await _keep(world, mind, platform, [job for _, job in changes] + _found(result), events)
    platform.unkept = []
    platform.successes_read |= result.successes.keys()


def _is_blind(platform: ObservedPlatform) -> bool:
    return platform.history.last is None or bool(platform.trouble)


async def _news(
    world: World, mind: Mind, platform: ObservedPlatform, changes: list[tuple[Job | None, Job]], unsure: Collection[str]
) -> list[tuple[Job | None, Job]]:
    """What of the changes happened since something was last told, each with the job as it was last seen, also by an earlier process.

    What was over, or went on, before anything was kept is no news: it is only seen now because a listing reads back.
    """
    asked = [job.job_id for before, job in changes if before is None or job.job_id in unsure]
    kept = await world.store.kept_jobs(platform.name, asked) if asked else {}
    told_from = platform.start or mind.began_at
    return [
        (last, job)
        for before, job in changes
        if (last := kept.get(job.job_id, before)) is not None or told_from is None or job.created_at >= told_from
    ]


def _found(result: ListingResult) -> list[Job]:
    """The newest successes that were looked for; only once they are kept is it known which there are."""
    return [job for job in result.successes.values() if job is not None]


async def _keep(
    world: World, mind: Mind, platform: ObservedPlatform, jobs: Sequence[Job], events: Sequence[Event]
) -> None:
    """Keep what was seen and how far, and tell it: one write for one look, and none where it brought nothing."""
    now, listing = world.clock.now(), platform.history.last
    # While the clock is in doubt so is the instant that the listing is said to have begun at.
    through = None if listing is None or mind.watch.is_frozen else listing.begun_at
    is_noted = platform.noted_at is not None and now - platform.noted_at < NOTE_EVERY
    if not jobs and (through is None or is_noted):
        return
    await world.store.save_jobs(platform.name, jobs, through=through, events=events)
    if through is not None:
        platform.noted_at = now
    say.publish(world, events)


def _recovery(platform: ObservedPlatform, result: ListingResult, now: datetime) -> list[Event]:
    if result.recovered_after is None:
        return []
    seconds = round(result.recovered_after.total_seconds(), 1)
    return [Event(EventName.LISTING_RECOVERED, now, {"platform": platform.name, "failed_seconds": seconds})]


async def _job_events(
    world: World, mind: Mind, platform: ObservedPlatform, changes: list[tuple[Job | None, Job]], now: datetime
) -> list[Event]:
    """What changes say: jobs that ended, and jobs that somebody else started."""
    specs = mind.desired.specs
    asked: dict[ConnectionRef, list[str]] = {}
    for before, job in changes:
        ref = ConnectionRef(platform.name, job.connection_id)
        # Whose a job is that is known already was said when it was first seen, and a schedule in force has its name from its spec.
        if before is None or ref not in specs:
            asked.setdefault(ref, []).append(job.job_id)
    standings = await world.store.standings(asked) if asked else {}
    events = []
    for before, job in changes:
        ref = ConnectionRef(platform.name, job.connection_id)
        spec = specs.get(ref)
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
