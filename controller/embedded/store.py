"""The platform's memory: jobs, their logs, the timeline and what the API changed on connections, in one SQLite file.

Calls block the event loop for a disk write; a platform with a few jobs a second can afford it and stays free of threads.
"""

import json
import secrets
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

JobType = Literal["sync", "reset"]
JobStatus = Literal["pending", "running", "succeeded", "failed", "cancelled"]
Origin = Literal["file", "api"]

LOG_LINES_MAX = 2_000  # per job: the newest stay; a job that prints in a loop must fill neither the disk nor the memory
# History is bounded, by far more than anybody pages through; what is older goes when a job is made, a thousand at a time.
JOBS_KEPT = 100_000
LINES_KEPT = 1_000_000
EVENTS_KEPT = 200_000
PRUNE_EVERY_JOBS = 1_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_JOB_COLUMNS = (
    "sequence, job_id, connection_id, job_type, status, created_at, ended_at, rows_synced, bytes_synced, cancel_requested,"
    " process_id, process_started"
)


@dataclass(frozen=True, slots=True)
class ChildIdentity:
    """One process: its id and when the kernel started it, since ids are used again."""

    process_id: int
    started: str


@dataclass(frozen=True, slots=True)
class Job:
    """One job as stored; times are aware UTC, `ended_at` only once it is terminal."""

    sequence: int
    job_id: str
    connection_id: str
    job_type: JobType
    status: JobStatus
    created_at: datetime
    ended_at: datetime | None
    rows_synced: int
    bytes_synced: int
    is_cancel_requested: bool
    child: ChildIdentity | None

    @property
    def is_active(self) -> bool:
        """Whether it holds its connection."""
        return self.status in ("pending", "running")


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list: at most `limit` entries after the first `offset`."""

    limit: int
    offset: int


@dataclass(frozen=True, slots=True)
class JobFilter:
    """Which jobs to list; bounds are inclusive, None is any."""

    connection_id: str | None = None
    job_type: str | None = None
    status: str | None = None
    created_at_start: datetime | None = None
    created_at_end: datetime | None = None
    is_newest_first: bool = False

    def seen_until(self, at: datetime) -> "JobFilter":
        """Return the same without the jobs created after `at`: what a list sees that lags behind."""
        end = at if self.created_at_end is None else min(at, self.created_at_end)
        return replace(self, created_at_end=end)


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of a job's log."""

    logged_at: datetime
    line: str


@dataclass(frozen=True, slots=True)
class TimelineEvent:
    """Something that happened to a connection."""

    sequence: int
    event_type: str
    created_at: datetime
    summary: dict[str, Any]


@dataclass(frozen=True, slots=True)
class StoredConnection:
    """What the API said about a connection: all of it, or changes on top of the file's."""

    connection_id: str
    origin: Origin
    is_deleted: bool
    fields: dict[str, Any]


class ConnectionBusyError(Exception):
    """The connection has an active job already."""


class Store:
    """All statements, in one place. One process at a time may own a file; `serve` holds a lock on its folder."""

    def __init__(self, path: Path) -> None:
        self._database = _open(path, "FULL")  # a job that was answered to a client is never forgotten
        self._database.executescript(files("controller.embedded").joinpath("schema.sql").read_text())
        # Counts and log lines come several times a second; a power cut may take the last of them.
        self._progress = _open(path, "NORMAL")
        with _transaction(self._database):
            if self._database.execute("SELECT 1 FROM platform").fetchone() is None:
                self._database.execute("INSERT INTO platform VALUES (?)", (secrets.token_hex(3),))
        self._tag: str = self._database.execute("SELECT tag FROM platform").fetchone()[0]

    def close(self) -> None:
        """Close the file."""
        self._progress.close()
        self._database.close()

    def create_job(self, connection_id: str, job_type: JobType, now: datetime) -> Job:
        """Add a pending job.

        Raises:
            ConnectionBusyError: the connection has an active job.
        """
        try:
            with _transaction(self._database):
                (sequence,) = self._database.execute(
                    "INSERT INTO jobs (job_id, connection_id, job_type, status, created_at)"
                    " VALUES ('', ?, ?, 'pending', ?) RETURNING sequence",
                    (connection_id, job_type, _stored(now)),
                ).fetchone()
                job_id = f"job_{self._tag}_{sequence:06d}"
                self._database.execute("UPDATE jobs SET job_id = ? WHERE sequence = ?", (job_id, sequence))
                if sequence % PRUNE_EVERY_JOBS == 0:
                    self._prune()
        except sqlite3.IntegrityError as error:
            raise ConnectionBusyError(connection_id) from error
        job = self.job(job_id)
        if job is None:
            raise LookupError(job_id)
        return job

    def _prune(self) -> None:
        terminal = "status NOT IN ('pending', 'running') AND"
        for table, kept, condition in (
            ("jobs", JOBS_KEPT, terminal),
            ("job_lines", LINES_KEPT, ""),
            ("timeline", EVENTS_KEPT, ""),
        ):
            self._database.execute(
                f"DELETE FROM {table} WHERE {condition} sequence <= (SELECT max(sequence) FROM {table}) - ?",  # noqa: S608
                (kept,),
            )

    def job(self, job_id: str) -> Job | None:
        """Return one job, or None."""
        found = self._jobs("WHERE job_id = ?", (job_id,))
        return found[0] if found else None

    def active_jobs(self) -> list[Job]:
        """Return the pending and running jobs, oldest first."""
        return self._jobs("WHERE status IN ('pending', 'running') ORDER BY sequence", ())

    def next_pending(self) -> Job | None:
        """Return the pending job that has waited longest."""
        found = self._jobs("WHERE status = 'pending' ORDER BY sequence LIMIT 1", ())
        return found[0] if found else None

    def latest_job(self, connection_id: str) -> Job | None:
        """Return a connection's newest job."""
        found = self._jobs("WHERE connection_id = ? ORDER BY created_at DESC, sequence DESC LIMIT 1", (connection_id,))
        return found[0] if found else None

    def list_jobs(self, wanted: JobFilter, page: Page) -> tuple[list[Job], int]:
        """Return one page of the jobs that fit, and how many fit in all."""
        conditions, parameters = _conditions(wanted)
        direction = "DESC" if wanted.is_newest_first else "ASC"
        total = self._database.execute(f"SELECT count(*) FROM jobs{conditions}", parameters).fetchone()[0]  # noqa: S608
        jobs = self._jobs(
            f"{conditions} ORDER BY created_at {direction}, sequence {direction} LIMIT ? OFFSET ?",
            (*parameters, page.limit, page.offset),
        )
        return jobs, total

    def mark_running(self, job_id: str) -> None:
        """Note that a job has its slot; its process follows."""
        self._write("UPDATE jobs SET status = 'running' WHERE job_id = ? AND status = 'pending'", (job_id,))

    def set_child(self, job_id: str, child: ChildIdentity) -> None:
        """Note which process does a job, so that it can be found again after a crash of the platform."""
        self._write(
            "UPDATE jobs SET process_id = ?, process_started = ? WHERE job_id = ?",
            (child.process_id, child.started, job_id),
        )

    def request_cancel(self, job_id: str) -> None:
        """Note that a job is to end as cancelled, whatever its process answers."""
        self._write("UPDATE jobs SET cancel_requested = 1 WHERE job_id = ?", (job_id,))

    def end_job(self, job: Job, status: JobStatus, now: datetime) -> None:
        """End an active job and write its event into the timeline, in one transaction. A terminal job stays as it is."""
        verb = {"succeeded": "completed"}.get(status, status)
        with _transaction(self._database):
            changed = self._database.execute(
                "UPDATE jobs SET status = ?, ended_at = ? WHERE job_id = ? AND status IN ('pending', 'running')"
                " RETURNING rows_synced, bytes_synced",
                (status, _stored(max(now, job.created_at)), job.job_id),
            ).fetchone()
            if changed is not None:
                summary = {"job_id": job.job_id, "rows_synced": changed[0], "bytes_synced": changed[1]}
                self._add_event(job.connection_id, f"{job.job_type}_{verb}", now, summary)

    def add_progress(self, job_id: str, rows: int, size_bytes: int, lines: Sequence[LogLine]) -> None:
        """Add to a job's counts and log; of the log only the newest lines are kept."""
        with _transaction(self._progress):
            self._progress.execute(
                "UPDATE jobs SET rows_synced = rows_synced + ?, bytes_synced = bytes_synced + ? WHERE job_id = ?",
                (rows, size_bytes, job_id),
            )
            if not lines:
                return
            self._progress.executemany(
                "INSERT INTO job_lines (job_id, logged_at, line) VALUES (?, ?, ?)",
                ((job_id, _stored(line.logged_at), line.line) for line in lines),
            )
            self._progress.execute(
                "DELETE FROM job_lines WHERE job_id = ?1 AND sequence <="
                " (SELECT sequence FROM job_lines WHERE job_id = ?1 ORDER BY sequence DESC LIMIT 1 OFFSET ?2)",
                (job_id, LOG_LINES_MAX),
            )

    def log_lines(self, job_id: str, page: Page) -> tuple[list[LogLine], int]:
        """Return one page of a job's log, oldest line first, and the number of lines."""
        total = self._database.execute("SELECT count(*) FROM job_lines WHERE job_id = ?", (job_id,)).fetchone()[0]
        found = self._database.execute(
            "SELECT logged_at, line FROM job_lines WHERE job_id = ? ORDER BY sequence LIMIT ? OFFSET ?",
            (job_id, page.limit, page.offset),
        )
        return [LogLine(_loaded(logged_at), line) for logged_at, line in found], total

    def add_event(self, connection_id: str, event_type: str, now: datetime, summary: Mapping[str, Any]) -> None:
        """Write into a connection's timeline."""
        with _transaction(self._database):
            self._add_event(connection_id, event_type, now, summary)

    def timeline(self, connection_id: str, event_type: str | None, page: Page) -> tuple[list[TimelineEvent], int]:
        """Return one page of a connection's events, newest first, and their number."""
        where = "FROM timeline WHERE connection_id = ?1 AND (?2 IS NULL OR event_type = ?2)"
        counted = self._database.execute(f"SELECT count(*) {where}", (connection_id, event_type))
        found = self._database.execute(
            f"SELECT sequence, event_type, created_at, summary {where} ORDER BY sequence DESC LIMIT ?3 OFFSET ?4",
            (connection_id, event_type, page.limit, page.offset),
        )
        return [
            TimelineEvent(number, kind, _loaded(at), json.loads(text)) for number, kind, at, text in found
        ], counted.fetchone()[0]

    def connections(self) -> list[StoredConnection]:
        """Return everything that the API said about connections."""
        found = self._database.execute("SELECT connection_id, origin, deleted, fields FROM connections ORDER BY rowid")
        return [StoredConnection(name, origin, bool(gone), json.loads(fields)) for name, origin, gone, fields in found]

    def put_connection(self, stored: StoredConnection) -> None:
        """Keep what the API said about a connection."""
        self._write(
            "INSERT INTO connections VALUES (?1, ?2, ?3, ?4)"
            " ON CONFLICT DO UPDATE SET origin = ?2, deleted = ?3, fields = ?4",
            (stored.connection_id, stored.origin, int(stored.is_deleted), json.dumps(stored.fields)),
        )

    def forget_connections(self, connection_ids: Iterable[str]) -> None:
        """Drop what the API said about connections."""
        with _transaction(self._database):
            self._database.executemany(
                "DELETE FROM connections WHERE connection_id = ?",
                ((connection_id,) for connection_id in connection_ids),
            )

    def keep_schedules(self, wanted: Mapping[str, Mapping[str, Any]], now: datetime) -> dict[str, datetime]:
        """Keep which connections have which schedule of their own; the answer is since when each has had the one that it has."""
        found = self._database.execute("SELECT connection_id, schedule, since FROM schedules")
        known = {name: (text, since) for name, text, since in found}
        texts = {name: json.dumps(said, sort_keys=True) for name, said in wanted.items()}
        fresh = [(name, text, _stored(now)) for name, text in texts.items() if known.get(name, ("", 0))[0] != text]
        gone = [(name,) for name in known.keys() - texts.keys()]
        if fresh or gone:
            with _transaction(self._database):
                self._database.executemany("DELETE FROM schedules WHERE connection_id = ?", gone)
                self._database.executemany("INSERT OR REPLACE INTO schedules VALUES (?, ?, ?)", fresh)
        since = {name: at for name, (_, at) in known.items()} | {name: at for name, _, at in fresh}
        return {name: _loaded(since[name]) for name in texts}

    def _add_event(self, connection_id: str, event_type: str, now: datetime, summary: Mapping[str, Any]) -> None:
        self._database.execute(
            "INSERT INTO timeline (connection_id, event_type, created_at, summary) VALUES (?, ?, ?, ?)",
            (connection_id, event_type, _stored(now), json.dumps(summary)),
        )

    def _write(self, statement: str, parameters: tuple[object, ...]) -> None:
        with _transaction(self._database):
            self._database.execute(statement, parameters)

    def _jobs(self, rest: str, parameters: tuple[object, ...]) -> list[Job]:
        found = self._database.execute(f"SELECT {_JOB_COLUMNS} FROM jobs {rest}", parameters)  # noqa: S608  ours
        return [_job(fields) for fields in found]


def _open(path: Path, synchronous: Literal["FULL", "NORMAL"]) -> sqlite3.Connection:
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute(f"PRAGMA synchronous = {synchronous}")
    return database


@contextmanager
def _transaction(database: sqlite3.Connection) -> Iterator[None]:
    database.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        database.execute("ROLLBACK")
        raise
    database.execute("COMMIT")


def _conditions(wanted: JobFilter) -> tuple[str, tuple[object, ...]]:
    tests: list[tuple[str, object]] = [
        ("connection_id = ?", wanted.connection_id),
        ("job_type = ?", wanted.job_type),
        ("status = ?", wanted.status),
        ("created_at >= ?", wanted.created_at_start and _stored(wanted.created_at_start)),
        ("created_at <= ?", wanted.created_at_end and _stored(wanted.created_at_end)),
    ]
    used = [(test, value) for test, value in tests if value is not None]
    where = " WHERE " + " AND ".join(test for test, _ in used) if used else ""
    return where, tuple(value for _, value in used)


def _job(fields: tuple[Any, ...]) -> Job:
    *known, cancel_requested, process_id, process_started = fields
    sequence, job_id, connection_id, job_type, status, created_at, ended_at, rows_synced, bytes_synced = known
    return Job(
        sequence=sequence,
        job_id=job_id,
        connection_id=connection_id,
        job_type=job_type,
        status=status,
        created_at=_loaded(created_at),
        ended_at=None if ended_at is None else _loaded(ended_at),
        rows_synced=rows_synced,
        bytes_synced=bytes_synced,
        is_cancel_requested=bool(cancel_requested),
        child=None if process_id is None else ChildIdentity(process_id, process_started),
    )


def _stored(at: datetime) -> int:
    return (at - _EPOCH) // _MICROSECOND


def _loaded(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)
