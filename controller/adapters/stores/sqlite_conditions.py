"""Conditions, in SQL. Each works inside the caller's transaction."""

import sqlite3
from collections.abc import Mapping, Sequence

from controller.adapters.stores.rows import Row, instant, micros_or_none, speakable
from controller.model.condition import Condition, ConditionStatus, ConditionType, why_called
from controller.model.identity import ConnectionRef

_PUT = """
    INSERT INTO condition (platform, connection_id, type, status, reason, message, observed_generation, last_transition_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (platform, connection_id, type) DO UPDATE SET
        status = excluded.status, reason = excluded.reason, message = excluded.message,
        observed_generation = excluded.observed_generation,
        last_transition_at = CASE WHEN status = excluded.status THEN last_transition_at ELSE excluded.last_transition_at END
"""

_FORGET = "DELETE FROM condition WHERE platform = ? AND connection_id = ?"

_CONDITIONS = """
    SELECT connection_id, type, status, reason, message, observed_generation, last_transition_at
    FROM condition WHERE platform = ?
"""

_CONDITIONS_OF_ONE = f"{_CONDITIONS} AND connection_id = ?"

_ORDER = list(ConditionType)


def put(database: sqlite3.Connection, conditions: Mapping[ConnectionRef, Sequence[Condition]]) -> None:
    """Write those of each connection; one with none loses all that it has."""
    for ref, rows in conditions.items():
        if not rows:
            forget(database, ref)
    rows_of = [_row(ref, condition) for ref, rows in conditions.items() for condition in rows]
    database.executemany(_PUT, rows_of)


def forget(database: sqlite3.Connection, ref: ConnectionRef) -> None:
    """Nothing of a connection is judged any more."""
    database.execute(_FORGET, (ref.platform, ref.connection_id))


def read(
    database: sqlite3.Connection, platform: str, connection_id: str | None
) -> dict[ConnectionRef, tuple[Condition, ...]]:
    """Those of every connection of a platform, or of one, in the order of their types."""
    found: dict[ConnectionRef, list[Condition]] = {}
    if connection_id is None:
        rows = database.execute(_CONDITIONS, (platform,))
    else:
        rows = database.execute(_CONDITIONS_OF_ONE, (platform, connection_id))
    for name, *row in rows:
        found.setdefault(ConnectionRef(platform, name), []).append(_condition(row))
    return {ref: tuple(sorted(kept, key=lambda row: _ORDER.index(row.type))) for ref, kept in found.items()}


def _row(ref: ConnectionRef, condition: Condition) -> Row:
    return (
        ref.platform,
        ref.connection_id,
        condition.type.value,
        condition.status.value,
        condition.reason.value,
        speakable(condition.message),
        condition.observed_generation,
        micros_or_none(condition.last_transition_at),
    )


def _condition(row: Row) -> Condition:
    kind, status, reason, message, generation, at = row
    return Condition(ConditionType(kind), ConditionStatus(status), why_called(reason), message, generation, instant(at))
