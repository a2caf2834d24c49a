"""Where rows go: one table of a SQLite file in WAL mode, and beside it, in the same file, how far its syncs have come.

Rows and cursor are written in one transaction, so a process that dies between any two instructions leaves them equal.
"""

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from controller.embedded.worker.rows import COLUMNS_MAX, Key, Row, TransferError, digest_of, folded, quoted

BUSY_TIMEOUT_SECONDS = 30.0  # another job may be writing another table of the same file; its pages are short
CACHE_KIB = 1024  # pages are appended, hardly ever read again
STAGING_PREFIX = "_mainspring_staging_"

_SCHEMA = """
CREATE TABLE IF NOT EXISTS _mainspring_cursors (
    table_name TEXT PRIMARY KEY,
    origin TEXT NOT NULL,        -- what the cursor belongs to; another source must not continue from it
    last_value,                  -- NULL for a table that is replaced whole; no type, so numbers stay numbers
    rows INTEGER NOT NULL        -- rows in the table, by the cursor's account
);
CREATE TABLE IF NOT EXISTS _mainspring_ties (
    table_name TEXT NOT NULL,
    digest BLOB NOT NULL,        -- of a loaded row whose cursor value is last_value
    copies INTEGER NOT NULL,
    PRIMARY KEY (table_name, digest)
) WITHOUT ROWID;
"""


class Destination:
    """One table of one file, and its cursor."""

    def __init__(self, path: Path, table: str, origin: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._database = sqlite3.connect(path, timeout=BUSY_TIMEOUT_SECONDS, isolation_level=None)
        self._database.execute("PRAGMA journal_mode = WAL")
        # A killed process loses nothing of what it committed; a power cut may lose the last pages, with their cursor.
        self._database.execute("PRAGMA synchronous = NORMAL")
        self._database.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        self._database.executescript(_SCHEMA)
        self._table = table
        self._staging = STAGING_PREFIX + table
        self._origin = origin
        self.last_value: Key | None = None
        self.rows = 0
        self._read_cursor()

    def close(self) -> None:
        """Close the file; an open transaction is rolled back."""
        self._database.close()

    def _read_cursor(self) -> None:
        stored = self._database.execute(
            "SELECT origin, last_value, rows FROM _mainspring_cursors WHERE table_name = ?", (self._table,)
        ).fetchone()
        if stored is not None:
            self._stored_origin, self.last_value, self.rows = stored
            return
        self._stored_origin = None
        if self._columns(self._table):
            raise TransferError(
                f"table {self._table} exists and was not made by a sync of this platform: it is left alone"
            )

    def check_origin(self) -> None:
        """Refuse to continue a cursor with another kind of source or another cursor column.

        Raises:
            TransferError: a reset is needed first.
        """
        if self.rows and self._stored_origin != self._origin:
            raise TransferError(
                f"table {self._table} was filled from {self._stored_origin}, the source is now {self._origin}: reset it first"
            )

    def ties(self) -> dict[bytes, int]:
        """Return the rows that have been loaded with exactly the last cursor value: digests and how often each."""
        found = self._database.execute(
            "SELECT digest, copies FROM _mainspring_ties WHERE table_name = ?", (self._table,)
        )
        return dict(found.fetchall())

    def append(self, page: Sequence[Row]) -> None:
        """Add a page and move the cursor to its last row, in one transaction.

        Raises:
            TransferError: another process has moved the cursor since it was read.
        """
        last = page[-1].key
        with _transaction(self._database):
            self._check_unmoved()
            self._insert(self._table, page)
            if last != self.last_value:
                self._database.execute("DELETE FROM _mainspring_ties WHERE table_name = ?", (self._table,))
            self._database.executemany(
                "INSERT INTO _mainspring_ties VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET copies = copies + 1",
                ((self._table, digest_of(row.values)) for row in page if row.key == last),
            )
            self._write_cursor(last, self.rows + len(page))
        self.last_value = last
        self.rows += len(page)

    def begin_replacement(self) -> None:
        """Start an empty staging table; what an earlier, killed replacement left of it goes."""
        self._database.execute(f"DROP TABLE IF EXISTS {quoted(self._staging)}")

    def stage(self, page: Sequence[Row]) -> None:
        """Add a page to the staging table, where nobody looks yet."""
        with _transaction(self._database):
            self._insert(self._staging, page)

    def finish_replacement(self) -> None:
        """Put the staged rows in place of the table's in one transaction: readers see the old content or the new, whole.

        Rows are copied instead of the table renamed, so that indexes and views which people made on it stay.
        """
        with _transaction(self._database):
            self._check_unmoved()
            columns = self._columns(self._staging)
            if self._columns(self._table):
                self._database.execute(f"DELETE FROM {quoted(self._table)}")  # noqa: S608
            count = 0
            if columns:
                self._widen(self._table, columns)
                names = ", ".join(map(quoted, columns))
                count = self._database.execute(
                    f"INSERT INTO {quoted(self._table)} ({names}) SELECT {names} FROM {quoted(self._staging)}"  # noqa: S608
                ).rowcount
                self._database.execute(f"DROP TABLE {quoted(self._staging)}")
            self._write_cursor(None, count)
        self.rows = count

    def reset(self) -> None:
        """Clear the table and its cursor in one transaction; the table itself, its indexes and views stay."""
        with _transaction(self._database):
            if self._columns(self._table):
                self._database.execute(f"DELETE FROM {quoted(self._table)}")  # noqa: S608
                # The row stays as an empty cursor, for it marks the table as ours.
                self._database.execute(
                    "UPDATE _mainspring_cursors SET origin = ?, last_value = NULL, rows = 0 WHERE table_name = ?",
                    (self._origin, self._table),
                )
            self._database.execute("DELETE FROM _mainspring_ties WHERE table_name = ?", (self._table,))
            self._database.execute(f"DROP TABLE IF EXISTS {quoted(self._staging)}")
        self.last_value, self.rows = None, 0

    def _check_unmoved(self) -> None:
        stored = self._database.execute(
            "SELECT rows FROM _mainspring_cursors WHERE table_name = ?", (self._table,)
        ).fetchone()
        if (stored[0] if stored else 0) != self.rows:
            raise TransferError(f"another process is writing table {self._table}")

    def _write_cursor(self, last_value: Key | None, rows: int) -> None:
        self._database.execute(
            "INSERT INTO _mainspring_cursors VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
            " origin = excluded.origin, last_value = excluded.last_value, rows = excluded.rows",
            (self._table, self._origin, last_value, rows),
        )

    def _insert(self, table: str, page: Sequence[Row]) -> None:
        names = {folded(name): name for row in page for name in row.values}
        self._widen(table, list(names.values()))
        columns = ", ".join(map(quoted, names.values()))
        marks = ", ".join("?" * len(names))
        self._database.executemany(
            f"INSERT INTO {quoted(table)} ({columns}) VALUES ({marks})",  # noqa: S608
            ([by_name.get(name) for name in names] for by_name in _by_folded_name(page)),
        )

    def _widen(self, table: str, names: Sequence[str]) -> None:
        """Create the table, or add the columns that the source has grown; columns have no type, so values stay what they are."""
        present = {folded(name) for name in self._columns(table)}
        missing = [name for name in names if folded(name) not in present]
        if len(present) + len(missing) > COLUMNS_MAX:
            raise TransferError(f"table {table} would have more than {COLUMNS_MAX} columns")
        if not present:
            if not missing:
                raise TransferError(f"table {table}: the source has rows but no columns")
            self._database.execute(f"CREATE TABLE {quoted(table)} ({', '.join(map(quoted, missing))})")
            return
        for name in missing:
            self._database.execute(f"ALTER TABLE {quoted(table)} ADD COLUMN {quoted(name)}")

    def _columns(self, table: str) -> list[str]:
        return [name for (name,) in self._database.execute("SELECT name FROM pragma_table_info(?)", (table,))]


def _by_folded_name(page: Sequence[Row]) -> list[dict[str, object]]:
    return [{folded(name): value for name, value in row.values.items()} for row in page]


class _transaction:  # noqa: N801  reads as a statement; `contextlib` would be one more import for every job
    """All or nothing: commits at the end of the block, rolls back when it raises."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def __enter__(self) -> None:
        self._database.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: object, *_: object) -> None:
        self._database.execute("COMMIT" if kind is None else "ROLLBACK")
