"""What a store and its platforms say about the same stretch of time, side by side; nothing is written anywhere."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from controller.model.identity import ClaimKey, ConnectionRef
from controller.model.job import Job
from controller.model.profile import PlatformProfile
from controller.model.record import SlotRecord, Standing
from controller.model.schedule import ScheduleSpec
from controller.reconcile.world import World

ALL_RECORDS = 10_000_000


@dataclass(frozen=True, slots=True)
class Books:
    """The books of one connection.

    Attributes:
        spec: what is in force, None if it cannot be read back.
        since: from when on slots, records and jobs are compared; never before the calendar in force came.
        read_at: when the store was read, before any platform was asked.
        records: those of the stretch, oldest first.
        listed: the connection's jobs of the stretch, as the platform lists them.
        missing: job ids of records that the platform does not know, although it lists the time of their slots.
        elsewhere: job ids of records that belong to another connection, by that connection.
        owners: the run that the store gave each job of the platform.
    """

    ref: ConnectionRef
    profile: PlatformProfile
    spec: ScheduleSpec | None
    standing: Standing
    since: datetime
    read_at: datetime
    records: tuple[SlotRecord, ...]
    listed: tuple[Job, ...]
    missing: frozenset[str]
    elsewhere: Mapping[str, str]
    owners: Mapping[str, ClaimKey]


async def read_books(world: World, span: timedelta, at: datetime | None = None) -> tuple[Books, ...]:
    """Read the store, then the job lists of the platforms that it speaks of; ``at`` is the instant to judge for, else now.

    Raises:
        StoreUnavailable, PlatformUnavailable: one of them cannot be read.
    """
    read_at = at or world.clock.now()
    refs = [ref for ref in await world.store.known_refs() if ref.platform in world.platforms]
    policies = world.restorers.policies(await world.store.policies())
    records = {ref: await world.store.slots(ref, ALL_RECORDS) for ref in refs}
    found: list[Books] = []
    for name, (platform, profile) in world.platforms.items():
        since, mine = read_at - span, [ref for ref in refs if ref.platform == name]
        if not mine:
            continue
        jobs = {job.job_id: job for job in (await platform.list_jobs(since - profile.overlap)).jobs}
        within = {ref: tuple(r for r in reversed(records[ref]) if r.slot.scheduled_at > since) for ref in mine}
        named = {each.job_id for rows in within.values() for each in rows if each.job_id is not None}
        # A list may leave out what was created just before its beginning by another clock.
        jobs |= await platform.get_jobs(named - jobs.keys()) if named - jobs.keys() else {}
        standings = await world.store.standings(dict.fromkeys(mine, tuple(jobs)))
        for ref in mine:
            standing = standings[ref]
            begins = max(since, standing.effective_since or read_at)
            ids = {each.job_id for each in within[ref] if each.job_id is not None}
            found.append(
                Books(
                    ref=ref,
                    profile=profile,
                    spec=world.restorers.resolved(standing.content, policies),
                    standing=standing,
                    since=begins,
                    read_at=read_at,
                    records=within[ref],
                    listed=tuple(job for job in jobs.values() if job.connection_id == ref.connection_id),
                    missing=frozenset(ids - jobs.keys()),
                    elsewhere={
                        each: jobs[each].connection_id
                        for each in ids & jobs.keys()
                        if jobs[each].connection_id != ref.connection_id
                    },
                    owners=standing.attributed,
                )
            )
    return tuple(found)
