"""A connection's past as the store holds it: all that is shown of one schedule, or the little that a table of all of them shows."""

from collections.abc import Sequence
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

RECENT = 4
"""How many jobs are read at first where only the state and the newest success are wanted."""

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


async def read_past(store: Store, ref: ConnectionRef, now: datetime, *, brief: bool = False) -> Past:
    """Read a connection's past; ``brief``: the newest slot, and jobs back to the newest success.

    Raises:
        StoreUnavailable: the store could not be read.
    """
    if brief:
        return Past(await store.slots(ref, 1), await _recent_jobs(store, ref))
    return Past(
        await store.slots(ref, HISTORY),
        await store.jobs(ref, HISTORY),
        await store.requests(ref, REQUESTS),
        await _corrected_today(store, ref, now),
    )


async def _recent_jobs(store: Store, ref: ConnectionRef) -> Sequence[tuple[Job, datetime | None]]:
    rows = await store.jobs(ref, RECENT)
    is_seen = any(job.kind is JobKind.SYNC and job.status is JobStatus.SUCCEEDED for job, _ in rows)
    return rows if is_seen or len(rows) < RECENT else await store.jobs(ref, HISTORY)


async def _corrected_today(store: Store, ref: ConnectionRef, now: datetime) -> int:
    """Corrections since midnight UTC that the platform did not refuse; one request that set two fields counts twice."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    made = await store.corrections(ref, midnight)
    return sum(correction.status is not CorrectionStatus.REFUSED for correction in made)
