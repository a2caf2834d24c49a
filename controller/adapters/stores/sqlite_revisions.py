"""Revisions of the specs, in SQL."""

import json
import sqlite3

from controller.adapters.stores.rows import instant, micros
from controller.model.identity import ConnectionRef
from controller.model.revision import AppliedRevision, HeldRevision, Revisions

_HOLD = "INSERT INTO revision_held (place, name, at, in_force, message, removed) VALUES (?, ?, ?, ?, ?, ?)"

# What is in force has no number in the row of those that are held, and removes nothing.
_KEPT = """
    SELECT name, at, NULL, NULL, NULL, NULL AS place FROM revision_applied
    UNION ALL SELECT name, at, in_force, message, removed, place FROM revision_held ORDER BY place
"""


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
    applied, held = None, []
    for name, at, in_force, message, removed, _ in database.execute(_KEPT):
        if removed is None:
            applied = AppliedRevision(name, instant(at))
        else:
            gone = frozenset(ConnectionRef(*pair) for pair in json.loads(removed))
            held.append(HeldRevision(name, instant(at), gone, in_force, message))
    return Revisions(applied, tuple(held))
