"""One SQLite file: opened, locked, brought up to date; and every failure of it said in words."""

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from importlib import resources
from pathlib import Path

from controller.errors import StoreInUse, StoreUnavailable
from controller.model.revision import Revisions

_BUSY_TIMEOUT_SECONDS = 5.0
"""How long to wait for another program's lock; a cycle that waits longer is better tried again."""

_LOCK_TRIES = 1000
"""Looks at a lock, well under a millisecond in all: longer than a command holds it that only asks whether a controller runs."""

MIGRATIONS: tuple[str, ...] = tuple(
    resources.files(__package__).joinpath(name).read_text(encoding="utf-8")
    for name in ("schema.sql", "schema_2.sql", "schema_3.sql", "schema_4.sql", "schema_5.sql", "schema_6.sql")
)
"""Script n takes a file from version n to n + 1. Only ever append: files of every version exist out there."""

SCHEMA_VERSION = len(MIGRATIONS)

_ADVICE: tuple[tuple[str, str], ...] = (
    ("SQLITE_NOTADB", "is not a SQLite database. Point the store to another file, or move this one away"),
    (
        "SQLITE_CORRUPT",
        "is damaged. Put a backup in its place, or move it away: without it history is lost, and nothing that has passed is triggered",
    ),
    (
        "SQLITE_BUSY",
        f"was locked by another program for {_BUSY_TIMEOUT_SECONDS:.0f} s. End what has a transaction open on it",
    ),
    ("SQLITE_FULL", "cannot grow: the disk is full. Free some space"),
    ("SQLITE_READONLY", "cannot be written. Check the permissions of the file and of its directory"),
    ("SQLITE_CANTOPEN", "cannot be opened. Check that it is a file, and the permissions of it and of its directory"),
    ("SQLITE_IOERR", "could not be read or written by the operating system. Check the disk"),
    ("SQLITE_CONSTRAINT", "refused a row that breaks one of its rules: a defect, please report it"),
)


FAILURES = (sqlite3.Error, OverflowError, UnicodeError)
"""What a statement raises where the file, or a value that is to go into it, is at fault."""


class StoreMode(StrEnum):
    """``ACT``: the one controller that claims; ``READ``: anybody who looks, at any time; ``ASK``: who leaves a request beside it."""

    ACT = "Act"
    READ = "Read"
    ASK = "Ask"


def _in_words(path: Path, error: Exception) -> StoreUnavailable:
    code = str(getattr(error, "sqlite_errorname", ""))
    advice = next((text for prefix, text in _ADVICE if code.startswith(prefix)), "could not be used")
    return StoreUnavailable(f"{path} {advice} ({error}).")


@contextmanager
def _failures_in_words(path: Path) -> Iterator[None]:
    try:
        yield
    except FAILURES as error:
        raise _in_words(path, error) from error


class _Block:
    """A block of statements, in a transaction where ``begin`` begins one; failures of the storage are raised in words.

    A class, because a generator with ``contextmanager`` costs as much as a statement, and there is a block around each few of them.
    """

    __slots__ = ("_begin", "_database", "_path")

    def __init__(self, path: Path, database: sqlite3.Connection, begin: str) -> None:
        self._path = path
        self._database = database
        self._begin = begin

    def __enter__(self) -> sqlite3.Connection:
        if self._begin:
            try:
                self._database.execute(self._begin)
            except FAILURES as error:
                raise _in_words(self._path, error) from error
        return self._database

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        try:
            if error is not None:
                self._roll_back()
            elif self._begin:
                self._commit()
        except FAILURES as failure:
            raise _in_words(self._path, failure) from failure
        if isinstance(error, FAILURES):
            raise _in_words(self._path, error) from error

    def _commit(self) -> None:
        try:
            self._database.execute("COMMIT")
        except BaseException:
            self._roll_back()
            raise

    def _roll_back(self) -> None:
        # A full disk and an I/O error roll back by themselves.
        if self._begin and self._database.in_transaction:
            self._database.execute("ROLLBACK")


class _Reading(_Block):
    """A block that only reads: a value that cannot be read back is the file's failure too."""

    __slots__ = ()

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        super().__exit__(kind, error, trace)
        if isinstance(error, ValueError):
            raise StoreUnavailable(
                f"{self._path} holds a word that this version does not know ({error}). Run the version that wrote it, or a newer one."
            ) from error


@dataclass(slots=True)
class KnownOfFile:
    """What the file holds as far as it needs not be read again: only who acts on a file writes this, and forgets it before each write.

    So it is shared by all handles on the open file, and what a write whose answer was lost has done is read anew.

    Attributes:
        epochs: the one in force on each platform.
        revisions: None where it is to be read.
    """

    epochs: dict[str, int | None] = field(default_factory=dict)
    revisions: Revisions | None = None


class StoreFile:
    """An open store file; `open` makes one. ``database`` is in autocommit: whoever writes says BEGIN."""

    def __init__(self, path: Path, mode: StoreMode, database: sqlite3.Connection, lock: int | None) -> None:
        self.path = path
        self._mode = mode
        self._database = database
        self._lock = lock
        self.known = KnownOfFile()

    @property
    def is_acting(self) -> bool:
        """Whether nobody outside this process may write anything but requests."""
        return self._mode is StoreMode.ACT

    @classmethod
    def open(cls, path: Path, mode: StoreMode) -> "StoreFile":
        """Open a file for acting (created and brought up to date, locked against a second controller) or for reading.

        Raises:
            StoreInUse: another controller acts on it.
            StoreUnavailable: it cannot be used; the text says what to do.
        """
        # One file has one lock, whatever links lead to it.
        path = path.resolve()
        if path.is_dir():
            raise StoreUnavailable(f"{path} is a directory. Name a file in it, such as {path / 'store.db'}.")
        return cls._for_acting(path) if mode is StoreMode.ACT else cls._beside(path, mode)

    @classmethod
    def in_memory(cls) -> "StoreFile":
        """A store without a file, for simulations: it outlives every controller on it, but not the process."""
        path, database = Path(":memory:"), sqlite3.connect(":memory:", isolation_level=None)
        database.execute("PRAGMA foreign_keys = ON")
        _bring_up_to_date(path, database)
        return cls(path, StoreMode.ACT, database, None)

    @classmethod
    def _for_acting(cls, path: Path) -> "StoreFile":
        lock = _lock(path)
        try:
            with _failures_in_words(path):
                database = sqlite3.connect(path, timeout=_BUSY_TIMEOUT_SECONDS, isolation_level=None)
                try:
                    _make_durable(path, database)
                    _bring_up_to_date(path, database)
                except BaseException:
                    database.close()
                    raise
        except BaseException:
            os.close(lock)
            raise
        return cls(path, StoreMode.ACT, database, lock)

    @classmethod
    def _beside(cls, path: Path, mode: StoreMode) -> "StoreFile":
        if not path.exists():
            raise StoreUnavailable(f"{path} does not exist: no controller has run with this store. Check the path.")
        with _failures_in_words(path):
            database = sqlite3.connect(
                f"{path.as_uri()}?mode={'ro' if mode is StoreMode.READ else 'rw'}",
                uri=True,
                timeout=_BUSY_TIMEOUT_SECONDS,
                isolation_level=None,
            )
            try:
                _expect_up_to_date(path, database)
                if mode is StoreMode.ASK:
                    database.execute("PRAGMA synchronous = FULL")
            except BaseException:
                database.close()
                raise
        return cls(path, mode, database, None)

    def reading(self) -> AbstractContextManager[sqlite3.Connection]:
        """Read one state of the file, whatever a writer commits meanwhile."""
        # Who acts is the only writer of all but new requests, and writes nothing in the middle of reading: there a transaction would
        # change nothing, and a request that is not seen in one reading is seen in the next.
        return _Reading(self.path, self._database, "" if self.is_acting else "BEGIN")

    def writing(self, *, acting: bool = False) -> AbstractContextManager[sqlite3.Connection]:
        """Write all of the block durably, or nothing of it. ``acting``: something that is `known` while nobody else writes it.

        Raises:
            StoreUnavailable: it is not open for that, or the storage fails.
        """
        if self._mode is StoreMode.READ or (acting and not self.is_acting):
            purpose = "reading" if self._mode is StoreMode.READ else "asking"
            raise StoreUnavailable(f"{self.path} is open for {purpose} only: only the controller writes to it.")
        return _Block(self.path, self._database, "BEGIN IMMEDIATE")

    def close(self) -> None:
        """Give back the file, then its lock; a second time does nothing."""
        try:
            with _failures_in_words(self.path):
                self._database.close()
        finally:
            if self._lock is not None:
                os.close(self._lock)
                self._lock = None


def _lock(path: Path) -> int:
    # flock ends with the process however it ends, so there is no stale lock to clean up; the file stays, because deleting it would
    # let two holders lock two different files of the same name.
    lock_path = path.with_name(f"{path.name}.lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = os.open(lock_path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise StoreUnavailable(
            f"{lock_path} cannot be made ({error.strerror}). Check the permissions of the directory, or point the store elsewhere."
        ) from error
    try:
        _flock(lock)
    except OSError as error:
        os.close(lock)
        if isinstance(error, BlockingIOError):
            raise StoreInUse(
                f"{path} is in use: another controller is running on it (it holds {lock_path}). Stop it first, or give this one a"
                " store of its own."
            ) from error
        raise StoreUnavailable(
            f"{lock_path} cannot be locked ({error.strerror}). Put the store on a local file system that has locks."
        ) from error
    return lock


def _flock(lock: int) -> None:
    # `is_acted_on` has the lock for an instant, and must not keep a controller from starting.
    for _ in range(_LOCK_TRIES - 1):
        with suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def is_acted_on(path: Path) -> bool:
    """Whether a controller has the store of this path now: its lock ends with its process, however that ends."""
    path = path.resolve()
    try:
        lock = os.open(path.with_name(f"{path.name}.lock"), os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(lock)
    return False


def _make_durable(path: Path, database: sqlite3.Connection) -> None:
    database.execute("PRAGMA foreign_keys = ON")
    # A claim must survive a power cut, or its POST could be sent twice; NORMAL loses acknowledged commits.
    database.execute("PRAGMA synchronous = FULL")
    (journal,) = database.execute("PRAGMA journal_mode = WAL").fetchone()
    if journal != "wal":
        raise StoreUnavailable(
            f"{path} cannot use a write-ahead log (its journal is {journal!r}). Put the store on a local file system."
        )


def _version(path: Path, database: sqlite3.Connection) -> int:
    (version,) = database.execute("PRAGMA user_version").fetchone()
    if version > SCHEMA_VERSION:
        raise StoreUnavailable(
            f"{path} has version {version}, this program knows up to {SCHEMA_VERSION}. Upgrade this program to the version that wrote it."
        )
    return int(version)


def _bring_up_to_date(path: Path, database: sqlite3.Connection) -> None:
    version = _version(path, database)
    if version == 0 and database.execute("SELECT name FROM sqlite_schema").fetchall():
        raise StoreUnavailable(f"{path} is the database of another program. Point the store to a file of its own.")
    for known, script in enumerate(MIGRATIONS[version:], start=version + 1):
        try:
            database.executescript(f"BEGIN IMMEDIATE;\n{script}\nPRAGMA user_version = {known};\nCOMMIT;")
        except BaseException:
            if database.in_transaction:
                database.execute("ROLLBACK")
            raise


def _expect_up_to_date(path: Path, database: sqlite3.Connection) -> None:
    # The version stands in the file's head; this reads on, so that damage is found now and not in the middle of an answer.
    database.execute("SELECT name FROM sqlite_schema").fetchall()
    version = _version(path, database)
    if version < SCHEMA_VERSION:
        raise StoreUnavailable(
            f"{path} has version {version}, this program reads version {SCHEMA_VERSION}. Start the controller once: it brings the file"
            " up to date."
        )
