"""What the store knows of many jobs or connections, in one statement each, however many there are."""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Collection
from datetime import datetime

from controller.adapters.stores.rows import instant_or_none, job_from_row, record_from_row
from controller.model.identity import ConnectionRef
from controller.model.job import Job
from controller.model.record import SlotRecord

_NEWEST_JOBS = """
    SELECT job.job_id, job.connection_id, job.kind, job.status, job.created_at, job.ended_at, job.duration, job.row_count, job.byte_count,
        attribution.scheduled_at
    FROM json_each(?2) AS asked CROSS JOIN job ON job.platform = ?1 AND job.job_id IN (
        SELECT n.job_id FROM job AS n INDEXED BY job_newest
        WHERE n.platform = ?1 AND n.connection_id = asked.value ORDER BY n.created_at DESC, n.job_id DESC LIMIT ?3
    )
    LEFT JOIN attribution USING (platform, job_id)
    ORDER BY asked.key, job.created_at DESC, job.job_id DESC
"""

_KEPT_JOBS = """
    SELECT job_id, connection_id, kind, status, created_at, ended_at, duration, row_count, byte_count
    FROM job WHERE platform = ? AND job_id IN (SELECT value FROM json_each(?))
"""

_NEWEST_SLOTS = """
    SELECT r.platform, r.connection_id, r.scheduled_at, r.outcome, r.decided_at, r.schedule, r.reason, r.message, r.job_id, r.adopted,
        r.through, r.count, r.revision, r.wall
    FROM json_each(?2) AS asked CROSS JOIN slot_record AS r
        ON r.platform = ?1 AND r.connection_id = asked.value AND r.scheduled_at = (
            SELECT max(n.scheduled_at) FROM slot_record AS n WHERE n.platform = ?1 AND n.connection_id = asked.value
        )
"""


def kept_jobs(database: sqlite3.Connection, platform: str, job_ids: Collection[str]) -> dict[str, Job]:
    """These jobs as they were last kept, by id."""
    found = (job_from_row(row) for row in database.execute(_KEPT_JOBS, (platform, json.dumps(list(job_ids)))))
    return {job.job_id: job for job in found}


def newest_jobs(
    database: sqlite3.Connection, platform: str, connection_ids: Collection[str], limit: int
) -> dict[ConnectionRef, tuple[tuple[Job, datetime | None], ...]]:
    """Newest observed jobs of each connection, each with its slot."""
    found: dict[str, list[tuple[Job, datetime | None]]] = defaultdict(list)
    for row in database.execute(_NEWEST_JOBS, (platform, json.dumps(list(connection_ids)), limit)):
        job = job_from_row(row[:-1])
        found[job.connection_id].append((job, instant_or_none(row[-1])))
    return {ConnectionRef(platform, connection_id): tuple(rows) for connection_id, rows in found.items()}


def newest_slots(
    database: sqlite3.Connection, platform: str, connection_ids: Collection[str]
) -> dict[ConnectionRef, SlotRecord]:
    """The newest slot record of each connection."""
    rows = database.execute(_NEWEST_SLOTS, (platform, json.dumps(list(connection_ids))))
    return {record.slot.ref: record for record in map(record_from_row, rows)}
