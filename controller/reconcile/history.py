"""A connection's past as the store holds it: all that is shown of one schedule, or the little that a table of all of them shows."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from controller.model.asked import Request
from controller.model.drift import CorrectionStatus
from controller.model.identity import ConnectionRef
from controller.model.job import Job, JobKind, JobStatus
from controller.model.record import SlotRecord
from controller.ports.store import Store

HISTORY = 100
"""How many of a schedule's newest slots and jobs are read; ``missed_count`` counts among them."""

RECENT = 2
"""How many jobs are read at first where only the state and the newest success are wanted: one that goes on, and the one before it."""

REQUESTS = 10
"""How many of the newest requests a status knows."""


@dataclass(frozen=True, slots=True)
class Past:
    """What is known of a connection, newest first; ``corrected_today`` is None where nobody asked."""

    slots: Sequence[SlotRecord] = ()
    jobs: Sequence[tuple[Job, datetime | None]] = ()
    requests: tuple[Request, ...] = ()
    corrected_today: int | None = None


NO_PAST = Past()


async def read_past(store: Store, ref: ConnectionRef, now: datetime) -> Past:
    """Read a connection's past.

    Raises:
        StoreUnavailable: the store could not be read.
    """
    return Past(
        await store.slots(ref, HISTORY),
        await store.jobs(ref, HISTORY),
        await store.requests(ref, REQUESTS),
        await _corrected_today(store, ref, now),
    )


async def read_recent(store: Store, refs: Iterable[ConnectionRef]) -> dict[ConnectionRef, Past]:
    """Read of many connections at once what a table of them shows: the newest slot, and jobs back to the newest success.

    Raises:
        StoreUnavailable: the store could not be read.
    """
    wanted: dict[str, list[str]] = defaultdict(list)
    for ref in refs:
        wanted[ref.platform].append(ref.connection_id)
    found: dict[ConnectionRef, Past] = {}
    for platform, connection_ids in wanted.items():
        slots = await store.newest_slots(platform, connection_ids)
        jobs = await store.newest_jobs(platform, connection_ids, RECENT)
        unsaid = [ref.connection_id for ref, rows in jobs.items() if len(rows) == RECENT and not _has_success(rows)]
        jobs |= await store.newest_jobs(platform, unsaid, HISTORY)
        for ref in slots.keys() | jobs.keys():
            found[ref] = Past((slots[ref],) if ref in slots else (), jobs.get(ref, ()))
    return found


def _has_success(rows: Iterable[tuple[Job, datetime | None]]) -> bool:
    return any(job.kind is JobKind.SYNC and job.status is JobStatus.SUCCEEDED for job, _ in rows)


async def _corrected_today(store: Store, ref: ConnectionRef, now: datetime) -> int:
    """Corrections since midnight UTC that the platform did not refuse; one request that set two fields counts twice."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    made = await store.corrections(ref, midnight)
    return sum(correction.status is not CorrectionStatus.REFUSED for correction in made)
