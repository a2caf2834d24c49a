"""Where connections stand, in SQL. One statement says what each of them has; the others ask only about those that have it.

Lists of ids travel as one JSON parameter, so that 1 and 10,000 are the same statement.
"""

import sqlite3
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from controller.adapters.stores import sqlite_drift
from controller.adapters.stores import sqlite_requests as asking
from controller.adapters.stores.claiming import WALLS_FOR
from controller.adapters.stores.rows import (
    Row,
    as_json,
    cancel_from_row,
    claim_from_row,
    instant,
    instant_or_none,
    instants,
    record_from_row,
)
from controller.model.identity import ClaimKey, ConnectionRef, SlotKey
from controller.model.record import CancelRequest, Claim, Setbacks, SlotRecord, Standing, Success

_WALLS_FOR = WALLS_FOR // timedelta(microseconds=1)

# Left alone, SQLite reads a connection's whole history by primary key to find the few rows that are open or pending; INDEXED BY (and
# CROSS JOIN, which keeps the order) is a promise that a statement fails rather than becomes slow.


# A connection's own row, whether it has anything in the tables where most have nothing, and whether anybody on the platform has
# anything in those where hardly one has.
_OWN = """
    SELECT asked.value, s.connection_id, effective_since, watermark, last_triggered_at, fresh_since, success_at,
        name, calendar_key, generation, content, failures, success_job_id, phantoms, revision,
        EXISTS (
            SELECT 1 FROM claim INDEXED BY one_open_claim WHERE platform = ?1 AND connection_id = asked.value AND status = 'Open'
        ),
        EXISTS (
            SELECT 1 FROM slot_record INDEXED BY slot_pending
            WHERE platform = ?1 AND connection_id = asked.value AND outcome IN ('Held', 'InDoubt')
        ),
        EXISTS (
            SELECT 1 FROM slot_record AS r INDEXED BY slot_pending CROSS JOIN claim AS c USING (platform, connection_id, scheduled_at)
            WHERE r.platform = ?1 AND r.connection_id = asked.value AND r.outcome IN ('Held', 'InDoubt') AND c.status <> 'Open'
                AND c.run = 0
        ),
        EXISTS (SELECT 1 FROM claim INDEXED BY claim_retry WHERE platform = ?1 AND connection_id = asked.value AND run > 0),
        EXISTS (SELECT 1 FROM cancel_request WHERE platform = ?1 AND connection_id = asked.value),
        EXISTS (
            SELECT 1 FROM slot_record INDEXED BY slot_wall
            WHERE platform = ?1 AND connection_id = asked.value AND wall <> '' AND scheduled_at >= s.watermark - ?3
        ),
        EXISTS (SELECT 1 FROM request INDEXED BY request_open WHERE platform = ?1 AND status IN ('Waiting', 'Claimed')),
        EXISTS (
            SELECT 1 FROM request INDEXED BY request_suspension
            WHERE platform = ?1 AND action = 'Suspend' AND status IN ('Waiting', 'Done')
        ),
        EXISTS (SELECT 1 FROM drift WHERE platform = ?1),
        EXISTS (SELECT 1 FROM correction WHERE platform = ?1)
    FROM json_each(?2) AS asked LEFT JOIN schedule AS s ON s.platform = ?1 AND s.connection_id = asked.value
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
    FROM json_each(?2) AS asked CROSS JOIN attribution AS a ON a.platform = ?1 AND a.job_id = asked.value
        LEFT JOIN slot_record AS r USING (platform, connection_id, scheduled_at)
"""


def read(database: sqlite3.Connection, jobs: Mapping[ConnectionRef, Collection[str]]) -> dict[ConnectionRef, Standing]:
    """Where each connection stands, in the order asked."""
    by_platform: dict[str, dict[str, ConnectionRef]] = defaultdict(dict)
    for ref in jobs:
        by_platform[ref.platform][ref.connection_id] = ref
    found: dict[ConnectionRef, Standing] = {}
    for platform, refs in by_platform.items():
        found.update(_standings_on(database, platform, refs, jobs))
    return found if len(by_platform) < 2 else {ref: found[ref] for ref in jobs}


def _standings_on(
    database: sqlite3.Connection,
    platform: str,
    refs: Mapping[str, ConnectionRef],
    jobs: Mapping[ConnectionRef, Collection[str]],
) -> Iterator[tuple[ConnectionRef, Standing]]:
    rows = {row[0]: row for row in database.execute(_OWN, (platform, as_json(list(refs)), _WALLS_FOR))}
    more = _more(database, platform, list(rows.values()))
    attributed, counted = _attributed(database, platform, refs, jobs)
    for name, ref in refs.items():
        mine = {job_id: attributed[job_id] for job_id in jobs[ref] if job_id in attributed}
        theirs = counted.intersection(jobs[ref]) if counted else counted
        yield ref, Standing(ref, **_own(rows[name]), **more.get(name, {}), attributed=mine, counted=theirs)


def _own(row: Row) -> dict[str, Any]:
    """What stands in the connection's own row, if it has one."""
    if row[1] is None:
        return {}
    effective_since, watermark, last_triggered_at, fresh_since, success_at = instants(row[2:7])
    name, calendar_key, generation, content, failures, success_job_id, phantoms, revision = row[7:15]
    return {
        "schedule": name,
        "calendar_key": calendar_key,
        "effective_since": effective_since,
        "watermark": watermark,
        "generation": generation,
        "content": content or "",
        "last_triggered_at": last_triggered_at,
        "failures": failures,
        "last_success": None if success_at is None else Success(success_job_id, success_at),
        "fresh_since": fresh_since,
        "phantoms": phantoms,
        "revision": revision,
    }


def _more(database: sqlite3.Connection, platform: str, rows: Sequence[Row]) -> dict[str, dict[str, Any]]:
    """What else connections have, by connection and field of their standing."""
    having: tuple[list[str], ...] = ([], [], [], [], [], [])
    for row in rows:
        for names, has_any in zip(having, row[15:21], strict=True):
            if has_any:
                names.append(row[0])
    claimed, waiting, tried, retried, cancelled, walled = having
    has_requests, *has_rare = rows[0][21:]
    everyone = [row[0] for row in rows]
    found: dict[str, dict[str, Any]] = defaultdict(dict)
    for field, ask, names in (
        ("claim", _claims, claimed),
        ("pending", _pending, waiting),
        ("cancel", _cancels, cancelled),
        ("walls", _walls, walled),
    ):
        if names:
            _add(found, field, ask(database, (platform, as_json(names))))
    if tried or retried or has_requests:
        asked = everyone if has_requests else []
        _add(found, "setbacks", _setbacks(database, platform, tried=tried, retried=retried, asked=asked))
    if has_requests:
        _add(found, "requests", asking.open_on(database, platform))
    if any(has_rare):
        _add_rare(found, database, (platform, as_json(everyone)), *has_rare)
    return found


def _add(found: dict[str, dict[str, Any]], field: str, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        found[name][field] = value


def _add_rare(
    found: dict[str, dict[str, Any]],
    database: sqlite3.Connection,
    asked: tuple[str, str],
    has_suspensions: int,
    has_drifts: int,
    has_corrections: int,
) -> None:
    platform, _ = asked
    if has_suspensions:
        _add(found, "suspended", asking.suspended_on(database, platform))
    if has_drifts:
        _add(found, "drifts", sqlite_drift.drifts_of(database, platform, asked))
    if has_corrections:
        _add(found, "corrections", sqlite_drift.newest_of(database, asked))


def _claims(database: sqlite3.Connection, asked: tuple[str, str]) -> dict[str, Claim]:
    return {row[1]: claim_from_row(row) for row in database.execute(_OPEN_CLAIMS, asked)}


def _cancels(database: sqlite3.Connection, asked: tuple[str, str]) -> dict[str, CancelRequest]:
    return {row[1]: cancel_from_row(row) for row in database.execute(_CANCELS, asked)}


def _pending(database: sqlite3.Connection, asked: tuple[str, str]) -> dict[str, tuple[SlotRecord, ...]]:
    found: dict[str, tuple[SlotRecord, ...]] = {}
    for row in database.execute(_PENDING, asked):
        found[row[1]] = (*found.get(row[1], ()), record_from_row(row))
    return found


def _setbacks(
    database: sqlite3.Connection,
    platform: str,
    *,
    tried: Collection[str],
    retried: Collection[str],
    asked: Collection[str],
) -> dict[str, dict[ClaimKey, Setbacks]]:
    """What closed claims came to, of those with a slot that waits and was tried, that were retried, and that may have a request."""
    found: dict[str, dict[ClaimKey, Setbacks]] = defaultdict(dict)
    rows: list[Row] = []
    for statement, names in ((_RETRIES, retried), (_SETBACKS, tried), (_TRIED, asked)):
        if names:
            rows += database.execute(statement, (platform, as_json(names)))
    for connection_id, scheduled_at, run, unknown_attempts, refusals, rejections, attempts, last_at in rows:
        slot = SlotKey(ConnectionRef(platform, connection_id), instant(scheduled_at))
        found[connection_id][ClaimKey(slot, run)] = Setbacks(
            unknown_attempts, refusals, rejections, attempts, instant_or_none(last_at)
        )
    return found


def _walls(database: sqlite3.Connection, asked: tuple[str, str]) -> dict[str, dict[str, datetime]]:
    found: dict[str, dict[str, datetime]] = defaultdict(dict)
    # From the newest on, so that of two slots with one local time the older one stays.
    for connection_id, wall, scheduled_at in database.execute(_WALLS, (*asked, _WALLS_FOR)):
        found[connection_id] |= dict.fromkeys(wall.split("; "), instant(scheduled_at))
    return found


def _attributed(
    database: sqlite3.Connection,
    platform: str,
    refs: Mapping[str, ConnectionRef],
    jobs: Mapping[ConnectionRef, Collection[str]],
) -> tuple[dict[str, ClaimKey], frozenset[str]]:
    """Which job belongs to which run, and which of them are somebody else's that count."""
    job_ids = list({job_id for ref in refs.values() for job_id in jobs[ref]})
    if not job_ids:
        return {}, frozenset()
    owned: dict[str, ClaimKey] = {}
    counted = []
    for job_id, connection_id, scheduled_at, run, is_counted in database.execute(
        _ATTRIBUTED, (platform, as_json(job_ids))
    ):
        ref = refs.get(connection_id) or ConnectionRef(platform, connection_id)
        owned[job_id] = ClaimKey(SlotKey(ref, instant(scheduled_at)), run)
        if is_counted:
            counted.append(job_id)
    return owned, frozenset(counted)
