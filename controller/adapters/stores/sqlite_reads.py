"""What the store's questions are in SQL. Lists of ids travel as one JSON parameter, so that 1 and 10,000 are the same statement."""

import sqlite3
from datetime import datetime

from controller.adapters.stores.rows import (
    event_from_row,
    instant,
    instant_or_none,
    job_from_row,
    micros,
    record_from_row,
)
from controller.model.identity import ConnectionRef
from controller.model.job import Job
from controller.model.record import SlotRecord
from controller.ports.store import StoredEvent, StoredPolicy

_KNOWN_REFS = """
    SELECT platform, connection_id FROM schedule WHERE calendar_key IS NOT NULL
    UNION SELECT platform, connection_id FROM slot_record WHERE outcome IN ('Held', 'InDoubt')
    UNION SELECT platform, connection_id FROM claim WHERE status = 'Open'
    UNION SELECT platform, connection_id FROM request WHERE status IN ('Waiting', 'Claimed')
    ORDER BY platform, connection_id
"""

_JOBS = """
    SELECT job_id, job.connection_id, kind, status, created_at, ended_at, duration, row_count, byte_count, attribution.scheduled_at
    FROM job LEFT JOIN attribution USING (platform, job_id)
    WHERE platform = ? AND job.connection_id = ? ORDER BY created_at DESC, job_id DESC LIMIT ?
"""

_LATEST_JOBS = """
    SELECT job_id, job.connection_id, kind, status, created_at, ended_at, duration, row_count, byte_count
    FROM schedule AS s CROSS JOIN job ON job.platform = s.platform AND job.job_id = (
        SELECT n.job_id FROM job AS n INDEXED BY job_newest
        WHERE n.platform = s.platform AND n.connection_id = s.connection_id ORDER BY n.created_at DESC, n.job_id DESC LIMIT 1
    )
    WHERE s.platform = ? AND s.calendar_key IS NOT NULL ORDER BY s.connection_id
"""

_SLOTS = """
    SELECT platform, connection_id, scheduled_at, outcome, decided_at, schedule, reason, message, job_id, adopted, through, count, revision,
        wall
    FROM slot_record WHERE platform = ? AND connection_id = ? ORDER BY scheduled_at DESC LIMIT ?
"""

# The first number since an instant comes from the index on `at` alone; the rows are then read by number from the newest on, which
# ends after `limit` of them. Asking for both at once would read every event of a long history.
_FIRST_SINCE = "SELECT min(number) FROM event INDEXED BY event_at WHERE at >= ?"
_EVENTS = """
    SELECT number, name, at, fields FROM event WHERE number > ? AND at >= ? ORDER BY number DESC LIMIT ?
"""
_EVENTS_OF_SCHEDULE = """
    SELECT number, name, at, fields FROM event WHERE schedule = ? AND number > ? AND at >= ? ORDER BY number DESC LIMIT ?
"""

_CLOCK_EVENTS = """
    SELECT number, name, at, fields FROM event INDEXED BY event_clock
    WHERE name IN ('clock_agreed', 'clock_frozen', 'clock_skewed', 'controller_started', 'controller_stopped')
    ORDER BY number DESC LIMIT ?
"""

_LONG_AGO = -(2**63)


def latest_jobs(database: sqlite3.Connection, platform: str) -> tuple[Job, ...]:
    """The newest job of every connection in force."""
    return tuple(job_from_row(row) for row in database.execute(_LATEST_JOBS, (platform,)))


def policies(database: sqlite3.Connection) -> tuple[StoredPolicy, ...]:
    """What was kept, by name."""
    return tuple(StoredPolicy(*row) for row in database.execute("SELECT name, path, content FROM policy ORDER BY name"))


def known_refs(database: sqlite3.Connection) -> tuple[ConnectionRef, ...]:
    """Connections that somebody must still think of."""
    return tuple(ConnectionRef(*row) for row in database.execute(_KNOWN_REFS))


def jobs_of(database: sqlite3.Connection, ref: ConnectionRef, limit: int) -> tuple[tuple[Job, datetime | None], ...]:
    """Newest observed jobs, each with its slot."""
    rows = database.execute(_JOBS, (ref.platform, ref.connection_id, limit))
    return tuple((job_from_row(row[:-1]), instant_or_none(row[-1])) for row in rows)


def slots_of(database: sqlite3.Connection, ref: ConnectionRef, limit: int) -> tuple[SlotRecord, ...]:
    """Newest slot records."""
    return tuple(record_from_row(row) for row in database.execute(_SLOTS, (ref.platform, ref.connection_id, limit)))


def observed_through(database: sqlite3.Connection, platform: str) -> datetime | None:
    """How far a platform's jobs have been seen."""
    row = database.execute("SELECT through FROM observed WHERE platform = ?", (platform,)).fetchone()
    return None if row is None else instant(row[0])


def events(
    database: sqlite3.Connection, after: int, since: datetime | None, schedule: str | None, limit: int
) -> tuple[StoredEvent, ...]:
    """The newest events, oldest first."""
    earliest = _LONG_AGO
    if since is not None:
        earliest = micros(since)
        (first,) = database.execute(_FIRST_SINCE, (earliest,)).fetchone()
        if first is None:
            return ()
        after = max(after, first - 1)
    if schedule is None:
        rows = database.execute(_EVENTS, (after, earliest, limit)).fetchall()
    else:
        rows = database.execute(_EVENTS_OF_SCHEDULE, (schedule, after, earliest, limit)).fetchall()
    return tuple(event_from_row(row) for row in reversed(rows))


def clock_events(database: sqlite3.Connection, limit: int) -> tuple[StoredEvent, ...]:
    """The newest events about clocks and lives, oldest first."""
    return tuple(event_from_row(row) for row in reversed(database.execute(_CLOCK_EVENTS, (limit,)).fetchall()))
