"""A disk that forgets what was not synced, and a store on it: the product's own statements, run by SQLite over this disk.

What it leaves out: the directory entry of a new file counts as durable at once, and a sector is written whole or not at all, as
SQLite itself takes for granted on this system (its `SQLITE_IOCAP_POWERSAFE_OVERWRITE`).
"""

import itertools
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import apsw

from controller.adapters.stores import store_file
from controller.adapters.stores.sqlite import SqliteStore
from controller.adapters.stores.store_file import StoreFile, StoreMode
from tests.unit.adapters.stores.samples import take_all

SECTOR = 512
NAME = "/store.db"
Files = dict[str, bytes]

_disks = itertools.count()


class StableFile:
    """One file: what a program sees of it, what the disk has for certain, and the writes in between."""

    def __init__(self, content: bytes = b"") -> None:
        self.seen = bytearray(content)
        self.certain = bytearray(content)
        self.between: list[tuple[int, bytes | None]] = []

    def write(self, offset: int, data: bytes) -> None:
        """Write, into the cache."""
        _put(self.seen, offset, data)
        self.between.append((offset, data))

    def truncate(self, size: int) -> None:
        """Shorten, in the cache."""
        del self.seen[size:]
        self.between.append((size, None))

    def sync(self) -> None:
        """Make certain what is seen."""
        for offset, data in self.between:
            if data is None:
                del self.certain[offset:]
            else:
                _put(self.certain, offset, data)
        self.between.clear()

    def torn(self, chance: random.Random) -> bytes:
        """What is left when the disk had begun: any of the sectors that were written and not synced."""
        left = bytearray(self.certain)
        for offset, data in self.between:
            if data is None:
                if chance.random() < 0.5:
                    del left[offset:]
                continue
            for at, sector in _sectors(offset, data):
                if chance.random() < 0.5:
                    _put(left, at, sector)
        return bytes(left)


def _put(content: bytearray, offset: int, data: bytes) -> None:
    content.extend(bytes(max(0, offset - len(content))))
    content[offset : offset + len(data)] = data


def _sectors(offset: int, data: bytes) -> Iterator[tuple[int, bytes]]:
    at = offset
    while at < offset + len(data):
        end = min((at // SECTOR + 1) * SECTOR, offset + len(data))
        yield at, data[at - offset : end - offset]
        at = end


class Disk(apsw.VFS):
    """A file system in memory. ``before_sync`` is called when a sync was asked for and has done nothing yet."""

    def __init__(self, files: Files | None = None, before_sync: Callable[["Disk"], None] = lambda _disk: None) -> None:
        self.name = f"disk-{next(_disks)}"
        self.files = {name: StableFile(content) for name, content in (files or {}).items()}
        self.before_sync = before_sync
        super().__init__(self.name, "")

    def xOpen(self, name: Any, flags: list[int]) -> Any:  # noqa: N802
        """Open or create a file."""
        path = (name.filename() if isinstance(name, apsw.URIFilename) else name) or f"/temporary-{next(_disks)}"
        flags[1] = flags[0]
        return _Handle(self, self.files.setdefault(path, StableFile()))

    def xAccess(self, pathname: str, _flags: int) -> bool:  # noqa: N802
        """Whether a file exists."""
        return pathname in self.files

    def xDelete(self, filename: str, _syncdir: bool) -> None:  # noqa: N802
        """Delete a file."""
        self.files.pop(filename, None)

    def xFullPathname(self, name: str) -> str:  # noqa: N802
        """Names are whole already."""
        return name

    def certain(self) -> Files:
        """What a power cut leaves if the disk had not begun with anything that was not synced."""
        return {name: bytes(file.certain) for name, file in self.files.items()}

    def torn(self, chance: random.Random) -> Files:
        """What a power cut leaves if the disk was in the midst of it."""
        return {name: file.torn(chance) for name, file in self.files.items()}


class _Handle:
    """An open file, as SQLite asks for it. Locks mean nothing: nobody else is here."""

    def __init__(self, disk: Disk, file: StableFile) -> None:
        self._disk = disk
        self._file = file

    def xRead(self, amount: int, offset: int) -> bytes:  # noqa: N802
        return bytes(self._file.seen[offset : offset + amount])

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        self._file.write(offset, bytes(data))

    def xTruncate(self, size: int) -> None:  # noqa: N802
        self._file.truncate(size)

    def xSync(self, _flags: int) -> None:  # noqa: N802
        self._disk.before_sync(self._disk)
        self._file.sync()

    def xFileSize(self) -> int:  # noqa: N802
        return len(self._file.seen)

    def xClose(self) -> None:  # noqa: N802
        pass

    def xLock(self, _level: int) -> None:  # noqa: N802
        pass

    def xUnlock(self, _level: int) -> None:  # noqa: N802
        pass

    def xCheckReservedLock(self) -> bool:  # noqa: N802
        return False

    def xFileControl(self, _operation: int, _pointer: int) -> bool:  # noqa: N802
        return False

    def xSectorSize(self) -> int:  # noqa: N802
        return 4096

    def xDeviceCharacteristics(self) -> int:  # noqa: N802
        return apsw.SQLITE_IOCAP_POWERSAFE_OVERWRITE


class _Cursor:
    def __init__(self, rows: apsw.Cursor, changed: int) -> None:
        self._rows = rows
        self.rowcount = changed

    def __iter__(self) -> Iterator[Any]:
        return iter(self._rows)

    def fetchone(self) -> Any:
        return next(self._rows, None)

    def fetchall(self) -> list[Any]:
        return list(self._rows)


class _Database:
    """The few methods of `sqlite3.Connection` that the store uses, over a disk."""

    def __init__(self, disk: Disk, synchronous: str) -> None:
        self._connection = apsw.Connection(NAME, vfs=disk.name)
        self._synchronous = synchronous
        # Without it the log's index would need shared memory, which only the system's own file system offers.
        self._connection.execute("PRAGMA locking_mode = EXCLUSIVE")

    @property
    def in_transaction(self) -> bool:
        return self._connection.in_transaction

    def execute(self, statement: str, values: Sequence[Any] = ()) -> _Cursor:
        statement = statement.replace("synchronous = FULL", f"synchronous = {self._synchronous}")
        rows = self._connection.execute(statement, tuple(values))
        return _Cursor(rows, self._connection.changes())

    def executemany(self, statement: str, many: Iterable[Sequence[Any]]) -> None:
        self._connection.executemany(statement, [tuple(values) for values in many])

    def executescript(self, script: str) -> None:
        self._connection.execute(script)

    def close(self) -> None:
        self._connection.close()


@contextmanager
def store_on(
    disk: Disk, *, synchronous: str = "FULL", log_pages: int = 1000
) -> Iterator[tuple[SqliteStore, _Database]]:
    """The product's store, opened by the product's own steps; ``log_pages`` is when SQLite empties its log into the file."""
    database = _Database(disk, synchronous)
    try:
        as_sqlite3 = cast("Any", database)
        store_file._make_durable(Path(NAME), as_sqlite3)
        database.execute(f"PRAGMA wal_autocheckpoint = {log_pages}")
        store_file._bring_up_to_date(Path(NAME), as_sqlite3)
        yield take_all(SqliteStore(StoreFile(Path(NAME), StoreMode.ACT, as_sqlite3, None))), database
    finally:
        database.close()
