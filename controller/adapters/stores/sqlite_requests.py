"""What the store keeps of requests, in SQL. Each works inside the caller's transaction; an error of any undoes all."""

import sqlite3
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from controller.adapters.stores.claiming import request_is_decided, request_status, unlike_a_slot
from controller.adapters.stores.rows import Row, instant, instant_or_none, micros, micros_or_none, speakable
from controller.model.asked import Asked, Request, RequestStatus, Source
from controller.model.identity import ConnectionRef
from controller.model.plan import SettleRequest
from controller.model.record import Claim, SlotRecord
from controller.model.schedule import Suspension

_ASK = """
    INSERT INTO request (
        key, platform, connection_id, schedule, action, source, made_at, asked_by, reason, until, not_before, expires_at, status,
        message, job_id, decided_at
    ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""

# Only what the key does not hold may change, and only while nothing has come of it.
_AMEND = """
    UPDATE request SET reason = ?2, expires_at = ?3
    WHERE key = ?1 AND status = 'Waiting' AND (reason, expires_at) IS NOT (?2, ?3)
"""

_IS_TAKEN = "SELECT 1 FROM request WHERE platform = ? AND connection_id = ? AND made_at = ?"

_DECIDE = """
    UPDATE request SET status = ?, message = ?, job_id = ?, decided_at = ? WHERE key = ? AND status IN ('Waiting', 'Claimed')
"""

_END_SUSPENSIONS = """
    UPDATE request SET status = 'Ended'
    WHERE platform = ? AND connection_id = ? AND action = 'Suspend' AND status IN ('Waiting', 'Done') AND made_at < ? AND key <> ?
"""

_NO_FAILURES = "UPDATE schedule SET failures = 0 WHERE platform = ? AND connection_id = ? AND failures > 0"

_WITHDRAW = "UPDATE request SET status = 'Withdrawn', message = ?, decided_at = ? WHERE key = ? AND status = 'Waiting'"

_OPEN = """
    SELECT key, platform, connection_id, schedule, action, source, made_at, asked_by, reason, until, not_before, expires_at, status,
        message, job_id, decided_at
    FROM request INDEXED BY request_open
    WHERE platform = ? AND status IN ('Waiting', 'Claimed') ORDER BY connection_id, made_at
"""

_WAITING = """
    SELECT key, platform, connection_id, schedule, action, source, made_at, asked_by, reason, until, not_before, expires_at, status,
        message, job_id, decided_at
    FROM request INDEXED BY request_open
    WHERE status IN ('Waiting', 'Claimed') AND status = 'Waiting' ORDER BY platform, connection_id, made_at
"""

_SUSPENDED = """
    SELECT connection_id, reason, asked_by, until FROM request INDEXED BY request_suspension
    WHERE platform = ? AND action = 'Suspend' AND status IN ('Waiting', 'Done') ORDER BY connection_id, made_at
"""

_NEWEST = """
    SELECT key, platform, connection_id, schedule, action, source, made_at, asked_by, reason, until, not_before, expires_at, status,
        message, job_id, decided_at
    FROM request WHERE platform = ? AND connection_id = ? ORDER BY made_at DESC LIMIT ?
"""

_CALLED = """
    SELECT key, platform, connection_id, schedule, action, source, made_at, asked_by, reason, until, not_before, expires_at, status,
        message, job_id, decided_at
    FROM request WHERE key = ?
"""

PRUNE = """
    DELETE FROM request WHERE source = 'ByHand' AND status NOT IN ('Waiting', 'Claimed') AND decided_at < ?1
        AND NOT (action = 'Suspend' AND status = 'Done' AND (until IS NULL OR until >= ?1))
"""
"""A suspension that nobody ended stays, however old."""


def put(database: sqlite3.Connection, request: Request) -> Request | None:
    """Keep a request whose key is new, and return it as it is kept; else None, and one that waits gets the newer reason and expiry."""
    if database.execute("SELECT 1 FROM request WHERE key = ?", (request.key,)).fetchone() is not None:
        amended = (request.key, speakable(request.reason), micros_or_none(request.expires_at))
        database.execute(_AMEND, amended)
        return None
    ref = request.ref

    def is_taken(at: datetime) -> bool:
        return database.execute(_IS_TAKEN, (ref.platform, ref.connection_id, micros(at))).fetchone() is not None

    kept = replace(request, made_at=unlike_a_slot(request.made_at, is_taken), is_withdrawn=False)
    database.execute(_ASK, _to_row(kept))
    return kept


def take_back(database: sqlite3.Connection, key: str, message: str, at: datetime) -> bool:
    """End a request that waits; False if it does not."""
    return database.execute(_WITHDRAW, (message, micros(at), key)).rowcount > 0


def decide(database: sqlite3.Connection, settled: SettleRequest) -> None:
    """Write what a request came to.

    Raises:
        SlotAlreadyClaimed: it is decided already.
    """
    request, ref = settled.request, settled.request.ref
    decided = (
        settled.status.value,
        speakable(settled.message),
        settled.job_id,
        micros(settled.decided_at),
        request.key,
    )
    if database.execute(_DECIDE, decided).rowcount == 0:
        raise request_is_decided(request.key)
    if settled.status is RequestStatus.DONE and request.action in (Asked.SUSPEND, Asked.RESUME):
        # A newer suspension takes the place of older ones.
        database.execute(_END_SUSPENSIONS, (ref.platform, ref.connection_id, micros(request.made_at), request.key))
    if settled.status is RequestStatus.DONE and request.action is Asked.RESUME:
        database.execute(_NO_FAILURES, (ref.platform, ref.connection_id))


def follow(database: sqlite3.Connection, claim: Claim, record: SlotRecord) -> None:
    """Let a request say what its claim came to, as a slot's record would."""
    status = request_status(record)
    decided_at = micros(record.decided_at) if status.is_final else None
    database.execute(_DECIDE, (status.value, speakable(record.message), record.job_id, decided_at, claim.request))


def open_on(database: sqlite3.Connection, platform: str) -> dict[str, tuple[Request, ...]]:
    """Requests that are not final, by connection, oldest first."""
    found: dict[str, list[Request]] = defaultdict(list)
    for row in database.execute(_OPEN, (platform,)):
        found[row[2]].append(_from_row(row))
    return {name: tuple(requests) for name, requests in found.items()}


def suspended_on(database: sqlite3.Connection, platform: str) -> dict[str, Suspension]:
    """The newest suspension by hand of each connection."""
    rows = database.execute(_SUSPENDED, (platform,))
    return {row[0]: Suspension(row[1], row[2], instant_or_none(row[3])) for row in rows}


def waiting(database: sqlite3.Connection) -> tuple[Request, ...]:
    """Every request that waits."""
    return tuple(_from_row(row) for row in database.execute(_WAITING))


def newest(database: sqlite3.Connection, ref: ConnectionRef, limit: int) -> tuple[Request, ...]:
    """Requests about a connection, newest first."""
    return tuple(_from_row(row) for row in database.execute(_NEWEST, (ref.platform, ref.connection_id, limit)))


def called(database: sqlite3.Connection, key: str) -> Request | None:
    """The request of that key."""
    row = database.execute(_CALLED, (key,)).fetchone()
    return None if row is None else _from_row(row)


def _to_row(request: Request) -> Sequence[object]:
    return (
        request.key,
        request.ref.platform,
        request.ref.connection_id,
        request.schedule,
        request.action.value,
        request.source.value,
        micros(request.made_at),
        speakable(request.asked_by),
        speakable(request.reason),
        micros_or_none(request.until),
        micros_or_none(request.not_before),
        micros_or_none(request.expires_at),
        request.status.value,
        speakable(request.message),
        request.job_id,
        micros_or_none(request.decided_at),
    )


def _from_row(row: Row) -> Request:
    key, platform, connection_id, schedule, action, source, made_at, asked_by, reason, until, not_before = row[:11]
    expires_at, status, message, job_id, decided_at = row[11:]
    return Request(
        key=key,
        ref=ConnectionRef(platform, connection_id),
        schedule=schedule,
        action=Asked(action),
        source=Source(source),
        made_at=instant(made_at),
        asked_by=asked_by,
        reason=reason,
        until=instant_or_none(until),
        not_before=instant_or_none(not_before),
        expires_at=instant_or_none(expires_at),
        status=RequestStatus(status),
        message=message,
        job_id=job_id,
        decided_at=instant_or_none(decided_at),
    )
