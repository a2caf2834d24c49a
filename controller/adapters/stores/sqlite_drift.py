"""What the SQLite store keeps of drift and of corrections. Each works inside the caller's transaction."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from controller.adapters.stores.claiming import CORRECTIONS_KEPT_IN_MIND
from controller.adapters.stores.rows import Row, instant, instant_or_none, micros, micros_or_none, speakable
from controller.model.drift import Correction, CorrectionStatus, DriftField, NotedDrift
from controller.model.identity import ConnectionRef
from controller.model.schedule import Drift

_NOTE = """
    INSERT OR REPLACE INTO drift (platform, connection_id, field, policy, desired, observed, began_at, generation, ended_at,
        fighting_since)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""

_FORGET = "DELETE FROM drift WHERE platform = ? AND connection_id = ?"

_JOURNAL = """
    INSERT INTO correction (platform, connection_id, at, field, before, after, generation, look, status)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""

_ANSWER = """
    UPDATE correction SET status = ? WHERE platform = ? AND connection_id = ? AND at = ? AND field = ? AND status = 'Sent'
"""

_DRIFTS = """
    SELECT connection_id, field, policy, desired, observed, began_at, generation, ended_at, fighting_since
    FROM drift WHERE platform = ? AND connection_id IN (SELECT value FROM json_each(?))
"""

# One step into the primary key for each connection, and no further back than is asked for.
_NEWEST = """
    SELECT c.connection_id, c.at, c.field, c.before, c.after, c.generation, c.look, c.status
    FROM json_each(?2) AS asked CROSS JOIN correction AS c ON c.platform = ?1 AND c.connection_id = asked.value AND c.at >= coalesce((
        SELECT n.at FROM correction AS n WHERE n.platform = ?1 AND n.connection_id = asked.value
        ORDER BY n.at DESC LIMIT 1 OFFSET ?3
    ), -9223372036854775808)
    ORDER BY c.connection_id, c.at DESC, c.field
"""

_SINCE = """
    SELECT connection_id, at, field, before, after, generation, look, status
    FROM correction WHERE platform = ? AND connection_id = ? AND at >= ? ORDER BY at DESC, field
"""


def note(database: sqlite3.Connection, drifts: Iterable[NotedDrift]) -> None:
    """Keep how fields stand, one row for each."""
    database.executemany(_NOTE, [_drift_row(drift) for drift in drifts])


def forget(database: sqlite3.Connection, ref: ConnectionRef) -> None:
    """Nothing is desired of a connection any more, so nothing of it differs; what was corrected stays."""
    database.execute(_FORGET, (ref.platform, ref.connection_id))


def journal(database: sqlite3.Connection, corrections: Sequence[Correction]) -> None:
    """Write corrections before they are sent."""
    rows = [
        (*_place(each), speakable(each.before), each.after, each.generation, each.look, CorrectionStatus.SENT.value)
        for each in corrections
    ]
    database.executemany(_JOURNAL, rows)


def answer(database: sqlite3.Connection, corrections: Sequence[Correction], status: CorrectionStatus) -> None:
    """Write what came of corrections, where that is not known yet."""
    database.executemany(_ANSWER, [(status.value, *_place(each)) for each in corrections])


def drifts_of(
    database: sqlite3.Connection, platform: str, asked: tuple[str, str]
) -> Mapping[str, Mapping[DriftField, NotedDrift]]:
    """What is noted of connections, by their id."""
    found: dict[str, dict[DriftField, NotedDrift]] = defaultdict(dict)
    for row in database.execute(_DRIFTS, asked):
        drift = _drift(platform, row)
        found[drift.ref.connection_id][drift.field] = drift
    return dict(found)


def newest_of(database: sqlite3.Connection, asked: tuple[str, str]) -> dict[str, tuple[Correction, ...]]:
    """The newest corrections of connections, by their id."""
    found: dict[str, list[Correction]] = defaultdict(list)
    for row in database.execute(_NEWEST, (*asked, CORRECTIONS_KEPT_IN_MIND - 1)):
        found[row[0]].append(_correction(asked[0], row))
    return {name: tuple(rows[:CORRECTIONS_KEPT_IN_MIND]) for name, rows in found.items()}


def since(database: sqlite3.Connection, ref: ConnectionRef, instant_: datetime) -> tuple[Correction, ...]:
    """Every correction of a connection since an instant."""
    rows = database.execute(_SINCE, (ref.platform, ref.connection_id, micros(instant_)))
    return tuple(_correction(ref.platform, row) for row in rows)


def _place(correction: Correction) -> tuple[str, str, int, str]:
    ref = correction.ref
    return ref.platform, ref.connection_id, micros(correction.at), correction.field.value


def _drift_row(drift: NotedDrift) -> Row:
    return (
        drift.ref.platform,
        drift.ref.connection_id,
        drift.field.value,
        drift.policy.value,
        drift.desired,
        speakable(drift.observed),
        micros(drift.began_at),
        drift.generation,
        micros_or_none(drift.ended_at),
        micros_or_none(drift.fighting_since),
    )


def _drift(platform: str, row: Row) -> NotedDrift:
    connection_id, field, policy, desired, observed, began_at, generation, ended_at, fighting_since = row
    return NotedDrift(
        ConnectionRef(platform, connection_id),
        DriftField(field),
        Drift(policy),
        desired,
        observed,
        instant(began_at),
        generation,
        instant_or_none(ended_at),
        instant_or_none(fighting_since),
    )


def _correction(platform: str, row: Row) -> Correction:
    connection_id, at, field, before, after, generation, look, status = row
    return Correction(
        ConnectionRef(platform, connection_id),
        DriftField(field),
        instant(at),
        before,
        after,
        generation,
        look,
        CorrectionStatus(status),
    )
