"""Collect what a decision rests on: the world in, one frozen ``PlanningInput`` out."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from controller.decide.against import as_suspended
from controller.decide.clock_watch import ClockWatch, DateAnswer, Reading, heard, ticked
from controller.decide.conditions import Kept
from controller.decide.desired import Desired
from controller.decide.sight import CLOCK_TOLERANCE
from controller.errors import PlatformBusyElsewhere, PlatformUnavailable
from controller.model.asked import Source
from controller.model.identity import ConnectionRef
from controller.model.job import Job
from controller.model.plan import ConnectionFacts, Freshness, Hold, NeedKind, PlanningInput
from controller.model.record import Standing
from controller.model.revision import HeldRevision, held_text
from controller.model.schedule import Mode
from controller.ports.clock import Clock
from controller.ports.platform import JobListing
from controller.ports.store import Store
from controller.reconcile.allowance import Allowance
from controller.reconcile.observed import ObservedPlatform
from controller.reconcile.restored import Restorers

CONNECTIONS_APART = timedelta(seconds=10)
"""Connections are not listed again sooner than this, however short the quiet poll is."""


READS_AT_ONCE = 20
"""Connections that are read by id in one look: a fleet that drifted must not spend the budget that due slots need; those that were read
longest ago come first."""

SETTINGS_AT_ONCE = 5
"""Those of them that are read only because somebody may have undone what keeps a slot from starting; a page shows the others in time."""

SUCCESSES_AT_ONCE = 100
"""Connections whose newest success is looked for in one look: each costs a request, and a fleet of new schedules must not stop the rest."""


@dataclass(frozen=True, slots=True)
class ListingResult:
    """What one look at a platform brought: changed jobs, connections whose settings changed, newest successes, or why it failed."""

    changes: tuple[tuple[Job | None, Job], ...] = ()
    gone: tuple[Job, ...] = ()
    connections: tuple[str, ...] = ()
    successes: Mapping[str, Job | None] = field(default_factory=dict)
    trouble: str = ""
    recovered_after: timedelta | None = None


@dataclass(slots=True)
class Mind:
    """What the loop carries from cycle to cycle in memory; all of it can be built again from the store and the platforms.

    Attributes:
        loaded: the specs are known: a revision came into force, or what was in force before this process began was read back.
        restored: the latter, and no revision came into force since.
        held: the revision that the spec source holds, where it is held.
        declared: the keys of the requests in the specs; None = some file could not be read.
        unplaced: those of them that were told to name no schedule.
        doubtful: path and code of the warnings about where the specs lie that were told.
    """

    desired: Desired = field(default_factory=Desired)
    platforms: dict[str, ObservedPlatform] = field(default_factory=dict)
    connection_offset: dict[str, int] = field(default_factory=dict)
    source_trouble: str = ""
    loaded: bool = False
    restored: bool = False
    held: HeldRevision | None = None
    allowance: Allowance = field(default_factory=Allowance)
    holds: dict[ConnectionRef, Hold] = field(default_factory=dict)
    freshness: dict[ConnectionRef, Freshness] = field(default_factory=dict)
    began_at: datetime | None = None
    watch: ClockWatch = field(default_factory=ClockWatch)
    conditions: dict[ConnectionRef, Kept] = field(default_factory=dict)
    allow_resets: bool = False
    declared: frozenset[str] | None = None
    unplaced: set[str] = field(default_factory=set)
    observe: bool = False
    doubtful: frozenset[tuple[str, str]] = frozenset()


async def gather(
    mind: Mind, store: Store, now: datetime, refs: Collection[ConnectionRef], restorers: Restorers
) -> PlanningInput:
    """Assemble the facts about a working set.

    Raises:
        StoreUnavailable: the store could not be read.
    """
    seen = {ref: _jobs_of(mind, ref) for ref in sorted(refs)}
    standings = await store.standings({ref: [job.job_id for job in jobs] for ref, jobs in seen.items()})
    facts = [
        _facts_of(mind, ref, jobs, standings[ref], restorers)
        for ref, jobs in seen.items()
        if mind.desired.absence_believed or not _is_unreadable(mind, standings[ref])
    ]
    watch, allowance = mind.watch, mind.allowance
    platforms = {
        name: platform.facts(watch.skewed(name), watch.jump, allowance.writes_left(name), allowance.writes_max(name))
        for name in {ref.platform: None for ref in seen}
        if (platform := mind.platforms.get(name)) is not None
    }
    triggers_max = allowance.triggers_max()
    held = held_text(mind.held)
    return PlanningInput(
        now,
        mind.desired.revision,
        platforms,
        tuple(facts),
        watch.frozen,
        triggers_max,
        held,
        mind.allow_resets,
        mind.observe,
    )


def _is_unreadable(mind: Mind, standing: Standing) -> bool:
    """Whether a schedule is in force that the specs may still hold, and that cannot be read back: it is left as it is."""
    desired, ref = mind.desired, standing.ref
    if standing.calendar_key is None:
        return False
    return ref not in desired.specs and ref not in desired.obstacles


def _facts_of(
    mind: Mind, ref: ConnectionRef, jobs: tuple[Job, ...], standing: Standing, restorers: Restorers
) -> ConnectionFacts:
    platform, spec = mind.platforms.get(ref.platform), as_suspended(mind.desired.specs.get(ref), standing.suspended)
    standing = _with_withdrawn(mind, standing) if standing.requests else standing
    obstacle = mind.desired.obstacles.get(ref)
    is_leaving = spec is None and obstacle is None and standing.calendar_key is not None and standing.content != ""
    last_spec = restorers.resolved(standing.content, mind.desired.policies) if is_leaving else None
    if last_spec is not None and mind.observe:
        last_spec = replace(last_spec, mode=Mode.OBSERVE)
    if platform is None:
        return ConnectionFacts(ref, spec, standing, jobs, obstacle, last_spec=last_spec)
    connection, read_at = platform.connections.get(ref.connection_id, (None, None))
    moved = [platform.moved_at[job.job_id] for job in jobs if job.job_id in platform.moved_at]
    return ConnectionFacts(
        ref,
        spec,
        standing,
        jobs,
        obstacle,
        connection,
        read_at,
        in_flight=ref.connection_id in platform.in_flight,
        moved_at=moved[0] if moved else None,
        success_known=ref.connection_id in platform.successes_read or _is_watched(mind, standing),
        last_spec=last_spec,
        connection_confirmed=ref.connection_id in platform.confirmed,
        connection_written_at=platform.written_at.get(ref.connection_id),
        looks=platform.looks.get(ref.connection_id, 0),
    )


def _with_withdrawn(mind: Mind, standing: Standing) -> Standing:
    """Requests whose document is gone from the specs, marked as such."""
    declared = mind.declared
    if declared is None:
        return standing
    requests = tuple(
        replace(each, is_withdrawn=each.source is Source.SPEC and each.key not in declared)
        for each in standing.requests
    )
    return replace(standing, requests=requests)


def _is_watched(mind: Mind, standing: Standing) -> bool:
    """Whether the connection was in force when this process began, so that every success since its last known one was seen."""
    since, began_at = standing.effective_since, mind.began_at
    return standing.last_success is not None and since is not None and began_at is not None and since < began_at


def _jobs_of(mind: Mind, ref: ConnectionRef) -> tuple[Job, ...]:
    platform = mind.platforms.get(ref.platform)
    return () if platform is None else platform.jobs_of(ref.connection_id)


async def look(mind: Mind, platform: ObservedPlatform, clock: Clock) -> ListingResult:
    """List a platform's jobs once, and read what else was asked for; after a failure the last whole look stands."""
    begun_at, moved = clock.now(), mind.watch.moved
    failing_since, changes = platform.failing_since, list[tuple[Job | None, Job]]()
    wanted = _wanted_connections(platform, begun_at)
    try:
        listing = await _list_jobs(mind, platform, clock, begun_at)
        if mind.watch.moved != moved:
            # What was asked for, and when, was said by a clock that was set meanwhile.
            return ListingResult()
        # Before anything else is read: from now on nothing is sent beside a job that was shown.
        changes += platform.remember(listing.jobs, begun_at)
        shown = {job.job_id for job in listing.jobs}
        if platform.history.last is None:
            older = [job for job in await platform.platform.list_active_jobs() if job.job_id not in shown]
            changes += platform.remember(older, begun_at)
            shown.update(job.job_id for job in older)
        unseen = [job for job in platform.active_jobs() if job.job_id not in shown]
        again = await platform.platform.get_jobs([job.job_id for job in unseen]) if unseen else {}
        changes += platform.remember(again.values(), begun_at)
    except PlatformUnavailable as error:
        quiet_for = error.retry_after if isinstance(error, PlatformBusyElsewhere) else None
        platform.failed(str(error), clock.now(), quiet_for)
        return ListingResult(tuple(changes), trouble=str(error))
    connections, trouble = await _connections_or_trouble(mind, platform, clock, wanted)
    successes, more_trouble = await _successes_or_trouble(platform)
    if mind.watch.moved != moved:
        return ListingResult(tuple(changes))
    gone = tuple(job for job in unseen if job.job_id not in again and job.created_at < begun_at - CLOCK_TOLERANCE)
    platform.forget(job.job_id for job in gone)
    platform.listed(listing, begun_at)
    recovered = clock.now() - failing_since if failing_since is not None else None
    return ListingResult(tuple(changes), gone, connections, successes, trouble or more_trouble, recovered)


def _wanted_connections(platform: ObservedPlatform, begun_at: datetime) -> list[str]:
    """The connections that a look reads by id, and no more than are read at once: first those that a doubt or a correction waits for."""
    urgent, patient = list[str](), list[str]()
    for ref, row in platform.needs.items():
        kinds = {need.kind for need in row if need.reads_connection(begun_at)}
        if kinds:
            (patient if kinds == {NeedKind.SETTINGS} else urgent).append(ref.connection_id)
    # By name where two were read at once: the order must not depend on that of the needs.
    first, then = (sorted(sorted(row), key=platform.read_order) for row in (urgent, patient))
    return [*first, *then[:SETTINGS_AT_ONCE]][:READS_AT_ONCE]


async def _list_jobs(mind: Mind, platform: ObservedPlatform, clock: Clock, begun_at: datetime) -> JobListing:
    """List the jobs, and compare the clocks by what the platform says of the time."""
    asked_at = clock.boottime()
    listing = await platform.platform.list_jobs(platform.listing_since(begun_at))
    reading = Reading(clock.now(), clock.boottime())
    if listing.platform_date is None:
        mind.watch = ticked(mind.watch, reading)
    else:
        taken = timedelta(seconds=reading.boottime - asked_at)
        answer = DateAnswer(platform.name, listing.platform_date, taken, platform.profile.clock_tolerance)
        mind.watch = heard(mind.watch, reading, answer)
    return listing


async def _successes_or_trouble(platform: ObservedPlatform) -> tuple[dict[str, Job | None], str]:
    """Look for the newest successes that somebody waits for; where that fails they are asked for again, and the listing stands."""
    wanted = sorted(ref.connection_id for ref, row in platform.needs.items() if any(need.read_success for need in row))
    found: dict[str, Job | None] = {}
    try:
        for connection_id in wanted[:SUCCESSES_AT_ONCE]:
            found[connection_id] = await platform.platform.newest_success(connection_id)
    except PlatformUnavailable as error:
        return found, f"successes: {error}"
    return found, ""


async def _connections_or_trouble(
    mind: Mind, platform: ObservedPlatform, clock: Clock, wanted: Iterable[str]
) -> tuple[tuple[str, ...], str]:
    """Read connections; where that fails their last view stays, and the job listing stands all the same."""
    try:
        return await _read_connections(mind, platform, clock, wanted), ""
    except PlatformUnavailable as error:
        return (), f"connections: {error}"


async def _read_connections(
    mind: Mind, platform: ObservedPlatform, clock: Clock, wanted: Iterable[str]
) -> tuple[str, ...]:
    """Read the connections that were asked for by id, and the next page of all of them when its time has come.

    One page a time: requests must not grow with the number of connections, and one that matters at once is read by id.
    """
    changed: list[str] = []
    for connection_id in wanted:
        at = clock.now()
        platform.connection_read(connection_id, await platform.platform.get_connection(connection_id), at)
        changed.append(connection_id)
    now, last = clock.now(), platform.connections_read_at
    if last is not None and now - last < max(platform.profile.quiet_poll, CONNECTIONS_APART):
        return tuple(changed)
    offset, limit = mind.connection_offset.get(platform.name, 0), platform.profile.page_size
    page = await platform.platform.list_connections(offset, limit)
    for connection in page:
        if platform.connection_listed(connection, now) and connection.connection_id not in changed:
            changed.append(connection.connection_id)
    is_last = len(page) < limit
    mind.connection_offset[platform.name] = 0 if is_last else offset + limit
    platform.connections_read_at = now
    if is_last:
        changed.extend(await _read_unlisted(platform, clock))
    return tuple(changed)


async def _read_unlisted(platform: ObservedPlatform, clock: Clock) -> list[str]:
    """Read by id those that no page showed: pages shift while they are read, so that alone is no proof that a connection is gone."""
    read: list[str] = []
    for connection_id in platform.end_of_connections()[:READS_AT_ONCE]:
        at = clock.now()
        try:
            connection = await platform.platform.get_connection(connection_id)
        except PlatformUnavailable:
            # What the pages showed counts all the same; after the next last page they are missed again.
            break
        platform.connection_read(connection_id, connection, at)
        read.append(connection_id)
    return read


async def all_refs_on(store: Store, mind: Mind, platforms: set[str]) -> set[ConnectionRef]:
    """Every connection of some platforms of which anything is known.

    Raises:
        StoreUnavailable: the store could not be read.
    """
    if not platforms:
        return set()
    refs = mind.desired.specs.keys() | mind.desired.obstacles.keys() | set(await store.known_refs())
    # Files that contradicted each other before a restart may be gone since, and what was said of them with them.
    refs |= mind.conditions.keys()
    return {ref for ref in refs if ref.platform in platforms}


def refs_on(platform: str, connection_ids: Iterable[str]) -> set[ConnectionRef]:
    """Connection ids of one platform as references."""
    return {ConnectionRef(platform, connection_id) for connection_id in connection_ids}
