"""What the store's questions are in SQL. Lists of ids travel as one JSON parameter, so that 1 and 10,000 are the same statement."""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime

from controller.adapters.stores.rows import (
    Row,
    cancel_from_row,
    claim_from_row,
    event_from_row,
    instant,
    instant_or_none,
    job_from_row,
    micros,
    record_from_row,
)
from controller.model.identity import ConnectionRef
from controller.model.job import Job
from controller.model.record import CancelRequest, Claim, Setbacks, SlotRecord, Standing
from controller.ports.store import StoredEvent

# Left alone, SQLite reads a connection's whole history by primary key to find the few rows that are open or pending; INDEXED BY (and
# CROSS JOIN, which keeps the order) is a promise that a statement fails rather than becomes slow.

_SCHEDULES = """
    SELECT connection_id, name, calendar_key, effective_since, watermark, generation, content, last_triggered_at
    FROM schedule WHERE platform = ? AND connection_id IN (SELECT value FROM json_each(?))
"""

_OPEN_CLAIMS = """
    SELECT platform, connection_id, scheduled_at, run, attempt, written_at, baseline, schedule, revision, answer, answered_at
    FROM claim INDEXED BY one_open_claim
    WHERE platform = ? AND connection_id IN (SELECT value FROM json_each(?)) AND status = 'Open'
"""

_PENDING = """
    SELECT platform, connection_id, scheduled_at, outcome, decided_at, schedule, reason, message, job_id, adopted, through, count, revision
    FROM slot_record INDEXED BY slot_pending
    WHERE platform = ? AND connection_id IN (SELECT value FROM json_each(?)) AND outcome IN ('Held', 'InDoubt')
    ORDER BY connection_id, scheduled_at
"""

_SETBACKS = """
    SELECT c.connection_id, c.scheduled_at, sum(c.status = 'Absent'),
        sum(c.status = 'Refused' AND c.close_reason IS NOT 'Rejected'), sum(c.close_reason IS 'Rejected'), count(*), max(c.closed_at)
    FROM slot_record AS r INDEXED BY slot_pending CROSS JOIN claim AS c USING (platform, connection_id, scheduled_at)
    WHERE r.platform = ? AND r.connection_id IN (SELECT value FROM json_each(?)) AND r.outcome IN ('Held', 'InDoubt')
        AND c.status <> 'Open'
    GROUP BY c.connection_id, c.scheduled_at
"""

_CANCELS = """
    SELECT platform, connection_id, job_id, reason, requested_at, requests
    FROM cancel_request AS c
    WHERE platform = ? AND connection_id IN (SELECT value FROM json_each(?)) AND NOT EXISTS (
        SELECT 1 FROM cancel_request AS newer
        WHERE newer.platform = c.platform AND newer.connection_id = c.connection_id
            AND (newer.requested_at, newer.job_id) > (c.requested_at, c.job_id)
    )
"""

_ATTRIBUTED = """
    SELECT job_id, scheduled_at FROM attribution WHERE platform = ? AND job_id IN (SELECT value FROM json_each(?))
"""

_KNOWN_REFS = """
    SELECT platform, connection_id FROM schedule WHERE calendar_key IS NOT NULL
    UNION SELECT platform, connection_id FROM slot_record WHERE outcome IN ('Held', 'InDoubt')
    UNION SELECT platform, connection_id FROM claim WHERE status = 'Open'
    ORDER BY platform, connection_id
"""

_JOBS = """
    SELECT job_id, job.connection_id, kind, status, created_at, ended_at, duration, row_count, byte_count, attribution.scheduled_at
    FROM job LEFT JOIN attribution USING (platform, job_id)
    WHERE platform = ? AND job.connection_id = ? ORDER BY created_at DESC, job_id DESC LIMIT ?
"""

_SLOTS = """
    SELECT platform, connection_id, scheduled_at, outcome, decided_at, schedule, reason, message, job_id, adopted, through, count, revision
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

_LONG_AGO = -(2**63)


def standings(
    database: sqlite3.Connection, jobs: Mapping[ConnectionRef, Collection[str]]
) -> dict[ConnectionRef, Standing]:
    """Where each connection stands, in the order asked."""
    by_platform: dict[str, list[ConnectionRef]] = defaultdict(list)
    for ref in jobs:
        by_platform[ref.platform].append(ref)
    found: dict[ConnectionRef, Standing] = {}
    for platform, refs in by_platform.items():
        found.update(_standings_on(database, platform, {ref: jobs[ref] for ref in refs}))
    return {ref: found[ref] for ref in jobs}


def _standings_on(
    database: sqlite3.Connection, platform: str, jobs: Mapping[ConnectionRef, Collection[str]]
) -> Iterator[tuple[ConnectionRef, Standing]]:
    asked = (platform, json.dumps([ref.connection_id for ref in jobs]))
    schedules: dict[str, Row] = {row[0]: row for row in database.execute(_SCHEDULES, asked)}
    claims = {row[1]: claim_from_row(row) for row in database.execute(_OPEN_CLAIMS, asked)}
    pending: dict[str, list[SlotRecord]] = defaultdict(list)
    for row in database.execute(_PENDING, asked):
        pending[row[1]].append(record_from_row(row))
    setbacks = _setbacks(database, platform, pending)
    cancels = {row[1]: cancel_from_row(row) for row in database.execute(_CANCELS, asked)}
    attributed = _attributed(database, platform, {job_id for ids in jobs.values() for job_id in ids})
    nothing: dict[datetime, Setbacks] = {}
    for ref, job_ids in jobs.items():
        yield (
            ref,
            _standing(
                ref,
                schedules.get(ref.connection_id),
                claims.get(ref.connection_id),
                tuple(pending.get(ref.connection_id, ())),
                setbacks.get(ref.connection_id, nothing),
                {job_id: attributed[job_id] for job_id in job_ids if job_id in attributed},
                cancels.get(ref.connection_id),
            ),
        )


def _standing(
    ref: ConnectionRef,
    schedule: Row | None,
    claim: Claim | None,
    pending: tuple[SlotRecord, ...],
    setbacks: Mapping[datetime, Setbacks],
    attributed: Mapping[str, datetime],
    cancel: CancelRequest | None,
) -> Standing:
    _, name, calendar_key, effective_since, watermark, generation, content, last_triggered_at = schedule or _NO_SCHEDULE
    return Standing(
        ref=ref,
        schedule=name,
        calendar_key=calendar_key,
        effective_since=instant_or_none(effective_since),
        watermark=instant_or_none(watermark),
        generation=generation,
        content=content or "",
        claim=claim,
        pending=pending,
        setbacks=setbacks,
        attributed=attributed,
        cancel=cancel,
        last_triggered_at=instant_or_none(last_triggered_at),
    )


_NO_SCHEDULE = ("", "", None, None, None, 0, None, None)


def _setbacks(
    database: sqlite3.Connection, platform: str, connection_ids: Collection[str]
) -> dict[str, dict[datetime, Setbacks]]:
    found: dict[str, dict[datetime, Setbacks]] = defaultdict(dict)
    if not connection_ids:
        return found
    for row in database.execute(_SETBACKS, (platform, json.dumps(list(connection_ids)))):
        connection_id, scheduled_at, unknown_attempts, refusals, rejections, attempts, last_at = row
        found[connection_id][instant(scheduled_at)] = Setbacks(
            unknown_attempts, refusals, rejections, attempts, instant(last_at)
        )
    return found


def _attributed(database: sqlite3.Connection, platform: str, job_ids: Collection[str]) -> dict[str, datetime]:
    if not job_ids:
        return {}
    rows = database.execute(_ATTRIBUTED, (platform, json.dumps(list(job_ids))))
    return {job_id: instant(scheduled_at) for job_id, scheduled_at in rows}


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
