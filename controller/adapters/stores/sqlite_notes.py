"""What the store keeps of what was seen and told, in SQL: jobs, policies, events, and their pruning."""

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from itertools import groupby

from controller.adapters.stores import sqlite_requests as requests
from controller.adapters.stores.claiming import counts_for_health, finished_at
from controller.adapters.stores.rows import event_to_row, job_to_row, micros
from controller.model.event import Event
from controller.model.job import Job, JobStatus
from controller.ports.store import StoredPolicy

# A listing mostly says what is known already; a row that says nothing new dirties no page, and a commit without pages is cheap.
_SAVE_JOB = """
    INSERT INTO job (platform, job_id, connection_id, kind, status, created_at, ended_at, duration, row_count, byte_count)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (platform, job_id) DO UPDATE SET
        connection_id = excluded.connection_id, kind = excluded.kind, status = excluded.status, created_at = excluded.created_at,
        ended_at = excluded.ended_at, duration = excluded.duration, row_count = excluded.row_count, byte_count = excluded.byte_count
    WHERE (connection_id, kind, status, created_at, ended_at, duration, row_count, byte_count) IS NOT
        (excluded.connection_id, excluded.kind, excluded.status, excluded.created_at, excluded.ended_at, excluded.duration,
            excluded.row_count, excluded.byte_count)
"""

# Asked before the job is saved. A success that is seen late says nothing about failures after it, and a failure that is seen late
# nothing about a success after it.
_SUCCEEDED = """
    INSERT INTO schedule (platform, connection_id, success_job_id, success_at)
    SELECT ?1, ?2, ?3, ?4 WHERE NOT EXISTS (
        SELECT 1 FROM job WHERE platform = ?1 AND job_id = ?3 AND status IN ('succeeded', 'failed', 'cancelled')
    )
    ON CONFLICT (platform, connection_id) DO UPDATE SET
        success_job_id = excluded.success_job_id, success_at = excluded.success_at,
        failures = CASE WHEN failed_at > excluded.success_at THEN failures ELSE 0 END
    WHERE success_at IS NULL OR success_at < excluded.success_at
"""

_FAILED = """
    INSERT INTO schedule (platform, connection_id, failures, failed_at)
    SELECT ?1, ?2, 1, ?4 WHERE NOT EXISTS (
        SELECT 1 FROM job WHERE platform = ?1 AND job_id = ?3 AND status IN ('succeeded', 'failed', 'cancelled')
    )
    ON CONFLICT (platform, connection_id) DO UPDATE SET
        failures = failures + 1, failed_at = max(coalesce(failed_at, excluded.failed_at), excluded.failed_at)
    WHERE success_at IS NULL OR success_at < excluded.failed_at
"""

_COUNTS = {JobStatus.SUCCEEDED: _SUCCEEDED, JobStatus.FAILED: _FAILED}

_OBSERVED = """
    INSERT INTO observed (platform, through) VALUES (?, ?) ON CONFLICT (platform) DO UPDATE SET through = excluded.through
"""

_EVENT = "INSERT INTO event (name, at, schedule, fields) VALUES (?, ?, ?, ?)"

# A claim of a slot that is still due stays, however old: its attempts count against the slot's limits.
_PRUNE = (
    "DELETE FROM event WHERE at < ?",
    "DELETE FROM job WHERE coalesce(ended_at, created_at) < ?",
    "DELETE FROM correction WHERE at < ?",
    """
    DELETE FROM claim WHERE status <> 'Open' AND closed_at < ? AND NOT EXISTS (
        SELECT 1 FROM slot_record AS r
        WHERE r.platform = claim.platform AND r.connection_id = claim.connection_id AND r.scheduled_at = claim.scheduled_at
            AND r.outcome IN ('Held', 'InDoubt')
    ) AND NOT EXISTS (SELECT 1 FROM request AS q WHERE q.key = claim.request AND q.status = 'Waiting')
    """,
    """
    DELETE FROM slot_record WHERE outcome NOT IN ('Held', 'InDoubt') AND decided_at < ? AND EXISTS (
        SELECT 1 FROM slot_record AS newer
        WHERE newer.platform = slot_record.platform AND newer.connection_id = slot_record.connection_id
            AND newer.scheduled_at > slot_record.scheduled_at
    )
    """,
    requests.PRUNE,
)


def put_jobs(database: sqlite3.Connection, platform: str, jobs: Sequence[Job]) -> None:
    """Keep what was observed; a sync that is seen to be over for the first time also counts for its connection."""
    if not jobs:
        return
    ended = list({job.job_id: job for job in jobs if counts_for_health(job)}.values())
    ended.sort(key=lambda job: (finished_at(job), job.job_id))
    for status, alike in groupby(ended, key=lambda job: job.status):
        if status in _COUNTS:
            rows = [(platform, job.connection_id, job.job_id, micros(finished_at(job))) for job in alike]
            database.executemany(_COUNTS[status], rows)
    database.executemany(_SAVE_JOB, [job_to_row(platform, job) for job in jobs])


def put_policies(database: sqlite3.Connection, policies: Sequence[StoredPolicy]) -> None:
    """Keep exactly these."""
    wanted = sorted({policy.name: (policy.name, policy.path, policy.content) for policy in policies}.values())
    if database.execute("SELECT name, path, content FROM policy ORDER BY name").fetchall() != wanted:
        database.execute("DELETE FROM policy")
        database.executemany("INSERT INTO policy (name, path, content) VALUES (?, ?, ?)", wanted)


def put_observed(database: sqlite3.Connection, platform: str, through: datetime) -> None:
    """Remember how far a platform was seen."""
    database.execute(_OBSERVED, (platform, micros(through)))


def put_events(database: sqlite3.Connection, events: Sequence[Event]) -> None:
    """Add to the journal."""
    if not events:
        return
    database.executemany(_EVENT, [event_to_row(event) for event in events])


def prune(database: sqlite3.Connection, before: datetime) -> int:
    """Delete what is older, and say how many rows went."""
    return sum(database.execute(statement, (micros(before),)).rowcount for statement in _PRUNE)
