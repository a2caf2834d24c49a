"""Who may write to a platform, in SQL. Each works inside the caller's transaction, so that nothing comes between look and write."""

import sqlite3
from collections.abc import Iterable, Mapping
from datetime import datetime

from controller.adapters.stores.claiming import not_held
from controller.adapters.stores.rows import micros

_TAKE = """
    INSERT INTO epoch (platform, epoch, holder, taken_at) VALUES (?, 1, ?, ?)
    ON CONFLICT (platform) DO UPDATE SET epoch = epoch + 1, holder = excluded.holder, taken_at = excluded.taken_at
    RETURNING epoch
"""

_CURRENT = "SELECT epoch FROM epoch WHERE platform = ?"


def take(database: sqlite3.Connection, platform: str, holder: str, at: datetime) -> int:
    """Raise a platform's epoch."""
    ((epoch,),) = database.execute(_TAKE, (platform, holder, micros(at))).fetchall()
    return int(epoch)


def current(database: sqlite3.Connection, platform: str) -> int | None:
    """The epoch in force; None before anybody took the platform."""
    row = database.execute(_CURRENT, (platform,)).fetchone()
    return None if row is None else int(row[0])


def expect(database: sqlite3.Connection, platforms: Iterable[str], held: Mapping[str, int]) -> None:
    """Let only those go on who hold every platform under its epoch in force.

    Raises:
        Fenced: somebody took one of them meanwhile, or nobody took it for this handle.
    """
    for platform in platforms:
        mine, in_force = held.get(platform), current(database, platform)
        if mine is None or mine != in_force:
            raise not_held(platform, mine, in_force)
