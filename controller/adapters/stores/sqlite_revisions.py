"""Revisions of the specs, in SQL."""

import json
import sqlite3

from controller.adapters.stores.rows import instant, micros
from controller.model.identity import ConnectionRef
from controller.model.revision import AppliedRevision, HeldRevision, Revisions

_HOLD = "INSERT INTO revision_held (place, name, at, in_force, message, removed) VALUES (?, ?, ?, ?, ?, ?)"


def put_revisions(database: sqlite3.Connection, revisions: Revisions) -> None:
    """Keep exactly these."""
    database.execute("DELETE FROM revision_applied")
    database.execute("DELETE FROM revision_held")
    if (applied := revisions.applied) is not None:
        database.execute(
            "INSERT INTO revision_applied (only_one, name, at) VALUES (1, ?, ?)", (applied.name, micros(applied.at))
        )
    for place, held in enumerate(revisions.held):
        removed = json.dumps([(ref.platform, ref.connection_id) for ref in sorted(held.removed)])
        database.execute(_HOLD, (place, held.name, micros(held.at), held.in_force, held.message, removed))


def revisions(database: sqlite3.Connection) -> Revisions:
    """What was kept."""
    row = database.execute("SELECT name, at FROM revision_applied").fetchone()
    held = database.execute("SELECT name, at, in_force, message, removed FROM revision_held ORDER BY place")
    return Revisions(
        None if row is None else AppliedRevision(row[0], instant(row[1])),
        tuple(
            HeldRevision(
                name, instant(at), frozenset(ConnectionRef(*pair) for pair in json.loads(removed)), in_force, message
            )
            for name, at, in_force, message, removed in held
        ),
    )
