"""What the store's questions are in SQL. Lists of ids travel as one JSON parameter, so that 1 and 10,000 are the same statement."""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from controller.adapters.stores import sqlite_drift
from controller.adapters.stores import sqlite_requests as asking
from controller.adapters.stores.claiming import WALLS_FOR
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
from controller.model.identity import ClaimKey, ConnectionRef, SlotKey
from controller.model.job import Job
from controller.model.record import Setbacks, SlotRecord, Standing, Success
from controller.ports.store import StoredEvent, StoredPolicy

# Left alone, SQLite reads a connection's whole history by primary key to find the few rows that are open or pending; INDEXED BY (and
# CROSS JOIN, which keeps the order) is a promise that a statement fails rather than becomes slow.

_SCHEDULES = """
    SELECT connection_id, name, calendar_key, effective_since, watermark, generation, content, last_triggered_at,
        failures, success_job_id, success_at, fresh_since, phantoms, revision
    FROM schedule WHERE platform = ? AND connection_id IN (SELECT value FROM json_each(?))
"""

_OPEN_CLAIMS = """
    SELECT platform, connection_id, scheduled_at, run, attempt, written_at, baseline, schedule, revision, answer, answered_at,
        request, kind
    FROM claim INDEXED BY one_open_claim
    WHERE platform = ? AND connection_id IN (SELECT value FROM json_each(?)) AND status = 'Open'
"""

_PENDING = """
    SELECT platform, connection_id, scheduled_at, outcome, decided_at, schedule, reason, message, job_id, adopted, through, count, revision,
        wall
    FROM slot_record INDEXED BY slot_pending
    WHERE platform = ? AND connection_id IN (SELECT value FROM json_each(?)) AND outcome IN ('Held', 'InDoubt')
    ORDER BY connection_id, scheduled_at
"""

# What was refused before the schedule last changed was refused to another spec; an outcome that stayed unknown counts for ever.
_SETBACKS = """
    SELECT c.connection_id, c.scheduled_at, c.run, sum(c.status IN ('Absent', 'Abandoned')),
        sum(c.status = 'Refused' AND c.close_reason IS NOT 'Rejected' AND c.written_at >= coalesce(s.content_since, c.written_at)),
        sum(c.close_reason IS 'Rejected' AND (c.status <> 'Refused' OR c.written_at >= coalesce(s.content_since, c.written_at))), count(*),
        max(c.closed_at) FILTER (WHERE c.status <> 'Refused' OR c.written_at >= coalesce(s.content_since, c.written_at))
    FROM slot_record AS r INDEXED BY slot_pending CROSS JOIN claim AS c USING (platform, connection_id, scheduled_at)
        LEFT JOIN schedule AS s USING (platform, connection_id)
    WHERE r.platform = ? AND r.connection_id IN (SELECT value FROM json_each(?)) AND r.outcome IN ('Held', 'InDoubt')
        AND c.status <> 'Open' AND c.run = 0
    GROUP BY c.connection_id, c.scheduled_at, c.run
"""

# Retries of the newest slot that has any: its record is final, so it is not among the pending ones.
_RETRIES = """
    SELECT c.connection_id, c.scheduled_at, c.run, sum(c.status IN ('Absent', 'Abandoned')),
        sum(c.status = 'Refused' AND c.close_reason IS NOT 'Rejected' AND c.written_at >= coalesce(s.content_since, c.written_at)),
        sum(c.close_reason IS 'Rejected' AND (c.status <> 'Refused' OR c.written_at >= coalesce(s.content_since, c.written_at))), count(*),
        max(c.closed_at) FILTER (WHERE c.status <> 'Refused' OR c.written_at >= coalesce(s.content_since, c.written_at))
    FROM json_each(?2) AS asked CROSS JOIN claim AS c INDEXED BY claim_retry
        ON c.platform = ?1 AND c.connection_id = asked.value AND c.run > 0 AND c.scheduled_at = (
            SELECT max(n.scheduled_at) FROM claim AS n INDEXED BY claim_retry
            WHERE n.platform = ?1 AND n.connection_id = asked.value AND n.run > 0
        )
        LEFT JOIN schedule AS s ON s.platform = c.platform AND s.connection_id = c.connection_id
    WHERE c.status <> 'Open'
    GROUP BY c.connection_id, c.scheduled_at, c.run
"""

# A request's attempts; its claims are named by when it was made.
_TRIED = """
    SELECT c.connection_id, c.scheduled_at, c.run, 0,
        sum(c.status = 'Refused' AND c.close_reason IS NOT 'Rejected'), sum(c.close_reason IS 'Rejected'), count(*), max(c.closed_at)
    FROM request AS r INDEXED BY request_open CROSS JOIN claim AS c
        ON c.platform = r.platform AND c.connection_id = r.connection_id AND c.scheduled_at = r.made_at
    WHERE r.platform = ? AND r.connection_id IN (SELECT value FROM json_each(?)) AND r.status IN ('Waiting', 'Claimed')
        AND c.request = r.key AND c.status <> 'Open'
    GROUP BY c.connection_id, c.scheduled_at, c.run
"""

# Whether a platform has any of what most have nothing of: one look instead of a question for each.
_HAS_ANY = """
    SELECT EXISTS (SELECT 1 FROM request INDEXED BY request_open WHERE platform = ?1 AND status IN ('Waiting', 'Claimed')),
        EXISTS (
            SELECT 1 FROM request INDEXED BY request_suspension
            WHERE platform = ?1 AND action = 'Suspend' AND status IN ('Waiting', 'Done')
        ),
        EXISTS (SELECT 1 FROM drift WHERE platform = ?1),
        EXISTS (SELECT 1 FROM correction WHERE platform = ?1)
"""

_WALLS = """
    SELECT s.connection_id, r.wall, r.scheduled_at
    FROM schedule AS s CROSS JOIN slot_record AS r INDEXED BY slot_wall USING (platform, connection_id)
    WHERE s.platform = ? AND s.connection_id IN (SELECT value FROM json_each(?)) AND r.wall <> '' AND r.scheduled_at >= s.watermark - ?
    ORDER BY r.scheduled_at DESC
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
    SELECT a.job_id, a.connection_id, a.scheduled_at, a.run, r.outcome IS 'Counted' AND r.job_id IS a.job_id
    FROM attribution AS a LEFT JOIN slot_record AS r USING (platform, connection_id, scheduled_at)
    WHERE a.platform = ? AND a.job_id IN (SELECT value FROM json_each(?))
"""

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
    rare, has_requests = _rare(database, platform, asked)
    setbacks = _setbacks(database, platform, asked, pending, has_requests=has_requests)
    cancels = {row[1]: cancel_from_row(row) for row in database.execute(_CANCELS, asked)}
    walls = _walls(database, asked)
    attributed, counted = _attributed(database, platform, {job_id for ids in jobs.values() for job_id in ids})
    for ref, job_ids in jobs.items():
        name = ref.connection_id
        yield (
            ref,
            Standing(
                ref,
                **_own(schedules.get(name)),
                **rare.get(name, {}),
                claim=claims.get(name),
                pending=tuple(pending.get(name, ())),
                setbacks=setbacks.get(name, {}),
                attributed={job_id: attributed[job_id] for job_id in job_ids if job_id in attributed},
                cancel=cancels.get(name),
                walls=walls.get(name, {}),
                counted=counted.intersection(job_ids),
            ),
        )


def _rare(
    database: sqlite3.Connection, platform: str, asked: tuple[str, str]
) -> tuple[dict[str, dict[str, Any]], bool]:
    """What few connections have, by connection and field, and whether any request of the platform is open."""
    has_requests, has_suspensions, has_drifts, has_corrections = database.execute(_HAS_ANY, (platform,)).fetchone()
    found: dict[str, dict[str, Any]] = defaultdict(dict)
    if has_requests:
        for name, requests in asking.open_on(database, platform).items():
            found[name]["requests"] = tuple(requests)
    if has_suspensions:
        for name, suspended in asking.suspended_on(database, platform).items():
            found[name]["suspended"] = suspended
    if has_drifts:
        for name, drifts in sqlite_drift.drifts_of(database, platform, asked).items():
            found[name]["drifts"] = drifts
    if has_corrections:
        for name, corrections in sqlite_drift.newest_of(database, asked).items():
            found[name]["corrections"] = corrections
    return found, bool(has_requests)


def _own(schedule: Row | None) -> dict[str, Any]:
    """What stands in the connection's own row."""
    if schedule is None:
        return {}
    _, name, calendar_key, effective_since, watermark, generation, content, last_triggered_at = schedule[:8]
    failures, success_job_id, success_at, fresh_since, phantoms, revision = schedule[8:]
    return {
        "schedule": name,
        "calendar_key": calendar_key,
        "effective_since": instant_or_none(effective_since),
        "watermark": instant_or_none(watermark),
        "generation": generation,
        "content": content or "",
        "last_triggered_at": instant_or_none(last_triggered_at),
        "failures": failures,
        "last_success": None if success_at is None else Success(success_job_id, instant(success_at)),
        "fresh_since": instant_or_none(fresh_since),
        "phantoms": phantoms,
        "revision": revision,
    }


def _setbacks(
    database: sqlite3.Connection,
    platform: str,
    asked: tuple[str, str],
    pending: Collection[str],
    *,
    has_requests: bool,
) -> dict[str, dict[ClaimKey, Setbacks]]:
    found: dict[str, dict[ClaimKey, Setbacks]] = defaultdict(dict)
    rows = database.execute(_RETRIES, asked).fetchall()
    if pending:
        rows += database.execute(_SETBACKS, (platform, json.dumps(list(pending)))).fetchall()
    if has_requests:
        rows += database.execute(_TRIED, asked).fetchall()
    for connection_id, scheduled_at, run, unknown_attempts, refusals, rejections, attempts, last_at in rows:
        slot = SlotKey(ConnectionRef(platform, connection_id), instant(scheduled_at))
        found[connection_id][ClaimKey(slot, run)] = Setbacks(
            unknown_attempts, refusals, rejections, attempts, instant_or_none(last_at)
        )
    return found


def _walls(database: sqlite3.Connection, asked: tuple[str, str]) -> dict[str, dict[str, datetime]]:
    found: dict[str, dict[str, datetime]] = defaultdict(dict)
    # From the newest on, so that of two slots with one local time the older one stays.
    for connection_id, wall, scheduled_at in database.execute(_WALLS, (*asked, WALLS_FOR // timedelta(microseconds=1))):
        found[connection_id] |= dict.fromkeys(wall.split("; "), instant(scheduled_at))
    return found


def _attributed(
    database: sqlite3.Connection, platform: str, job_ids: Collection[str]
) -> tuple[dict[str, ClaimKey], frozenset[str]]:
    """Which job belongs to which run, and which of them are somebody else's that count."""
    if not job_ids:
        return {}, frozenset()
    rows = list(database.execute(_ATTRIBUTED, (platform, json.dumps(list(job_ids)))))
    owned = {
        job_id: ClaimKey(SlotKey(ConnectionRef(platform, connection_id), instant(scheduled_at)), run)
        for job_id, connection_id, scheduled_at, run, _ in rows
    }
    return owned, frozenset(job_id for job_id, *_, is_counted in rows if is_counted)


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
