"""An accountant for a run: compares the platform's own job list with the slots that should have been and with what was recorded.

It enumerates slots by its own arithmetic and reads the store's tables, so it shares nothing with the planner.
"""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

MICROS = 1_000_000


@dataclass(frozen=True)
class Rhythm:
    """Slots of one schedule: every so many seconds, counted from an anchor (seconds since the epoch)."""

    connection_id: str
    every: int
    anchor: int = 0

    def slots(self, after: float, until: float) -> list[int]:
        """Instants in (after, until]."""
        first = (int(after) - self.anchor) // self.every - 1
        rows = (self.anchor + k * self.every for k in range(first, first + int((until - after) // self.every) + 4))
        return [at for at in rows if after < at <= until]


@dataclass(frozen=True)
class Record:
    """A row of the store's slot table; times in seconds since the epoch."""

    connection_id: str
    scheduled_at: int
    outcome: str
    reason: str | None
    job_id: str | None
    through: int
    message: str


def records(store: Path) -> list[Record]:
    """Every slot record of a store."""
    with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as database:
        database.row_factory = sqlite3.Row
        rows = database.execute("SELECT * FROM slot_record").fetchall()
    return [
        Record(
            row["connection_id"],
            row["scheduled_at"] // MICROS,
            row["outcome"],
            row["reason"],
            row["job_id"],
            (row["through"] or row["scheduled_at"]) // MICROS,
            row["message"],
        )
        for row in rows
    ]


def effective_since(store: Path) -> dict[str, float]:
    """From when each connection's slots count."""
    with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as database:
        rows = database.execute("SELECT connection_id, effective_since FROM schedule").fetchall()
    return {connection_id: since / MICROS for connection_id, since in rows}


def retries(store: Path) -> dict[str, tuple[int, int]]:
    """Jobs of further runs, with the slot (seconds since the epoch) and the number of the run."""
    with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as database:
        rows = database.execute("SELECT job_id, scheduled_at, run FROM attribution WHERE run > 0").fetchall()
    return {job_id: (scheduled_at // MICROS, run) for job_id, scheduled_at, run in rows}


def problems(
    rhythms: Iterable[Rhythm], store: Path, jobs: list[dict[str, Any]], ended_at: datetime, *, open_for: int
) -> list[str]:
    """Everything that is not as it should be.

    ``jobs``: the platform's own list, all of it. ``open_for``: seconds before ``ended_at`` in which a slot may still wait.
    """
    found: list[str] = []
    rows = records(store)
    since, runs = effective_since(store), retries(store)
    for rhythm in rhythms:
        mine = [row for row in rows if row.connection_id == rhythm.connection_id]
        due = rhythm.slots(since[rhythm.connection_id], ended_at.timestamp())
        found.extend(_about_slots(rhythm, due, mine, ended_at.timestamp() - open_for))
        of_connection = [job for job in jobs if job["connection_id"] == rhythm.connection_id]
        again = {job_id: run for job_id, run in runs.items() if job_id in {job["job_id"] for job in of_connection}}
        found.extend(_about_retries(rhythm, mine, of_connection, again))
        found.extend(_about_jobs(rhythm, mine, [job for job in of_connection if job["job_id"] not in again]))
    return found


def _about_slots(rhythm: Rhythm, due: list[int], rows: list[Record], may_wait_from: float) -> Iterable[str]:
    for at in due:
        covering = [row for row in rows if row.scheduled_at <= at <= row.through]
        if not covering and at < may_wait_from:
            yield f"{rhythm.connection_id} {_clock(at)}: no record"
        if len(covering) > 1:
            yield f"{rhythm.connection_id} {_clock(at)}: {len(covering)} records"
        for row in covering:
            if row.outcome in ("Held", "InDoubt") and at < may_wait_from:
                yield f"{rhythm.connection_id} {_clock(at)}: still {row.outcome}({row.reason}): {row.message}"
            if row.outcome in ("Skipped", "Missed") and not (row.reason and row.message):
                yield f"{rhythm.connection_id} {_clock(at)}: {row.outcome} without a reason"
    expected = set(due)
    for row in rows:
        if row.scheduled_at not in expected:
            yield f"{rhythm.connection_id} {_clock(row.scheduled_at)}: a record of no slot"


def _about_jobs(rhythm: Rhythm, rows: list[Record], jobs: list[dict[str, Any]]) -> Iterable[str]:
    owner = {row.job_id: row for row in rows if row.job_id is not None}
    known = {job["job_id"]: job for job in jobs}
    twice = [job_id for job_id, count in Counter(row.job_id for row in rows if row.job_id).items() if count > 1]
    if twice:
        yield f"{rhythm.connection_id}: {twice} count for two slots"
    for job_id in known.keys() - owner.keys():
        yield f"{rhythm.connection_id}: {job_id} of {known[job_id]['start_time']} belongs to no slot"
    for job_id, row in owner.items():
        if job_id not in known:
            yield f"{rhythm.connection_id} {_clock(row.scheduled_at)}: its job {job_id} is not on the platform"
            continue
        started = datetime.fromisoformat(known[job_id]["start_time"]).timestamp()
        if started < row.scheduled_at:
            yield f"{rhythm.connection_id} {_clock(row.scheduled_at)}: {job_id} started {row.scheduled_at - started} s early"
    for row in rows:
        if (
            row.outcome == "Skipped"
            and row.reason == "Active"
            and not any(_was_active(job, row.scheduled_at) for job in jobs)
        ):
            yield f"{rhythm.connection_id} {_clock(row.scheduled_at)}: Skipped(Active) although nothing was active"


def _about_retries(
    rhythm: Rhythm, rows: list[Record], jobs: list[dict[str, Any]], again: dict[str, tuple[int, int]]
) -> Iterable[str]:
    """Each further run has a run before it that failed, and no other job."""
    status = {job["job_id"]: job["status"] for job in jobs}
    by_run = {(row.scheduled_at, 0): row.job_id for row in rows if row.job_id is not None}
    for job_id, place in again.items():
        if place in by_run:
            yield f"{rhythm.connection_id} {_clock(place[0])}: run {place[1]} has {by_run[place]} and {job_id}"
        by_run[place] = job_id
    for job_id, (scheduled_at, run) in again.items():
        before = status.get(by_run.get((scheduled_at, run - 1)) or "")
        if before != "failed":
            yield f"{rhythm.connection_id} {_clock(scheduled_at)}: {job_id} is run {run}, and the run before it is {before}"


def _was_active(job: dict[str, Any], slot: int) -> bool:
    """Whether a job was going at some moment of the ten seconds in which a slot is looked at."""
    started = datetime.fromisoformat(job["start_time"])
    ended = (
        datetime.fromisoformat(job["last_updated_at"])
        if job.get("last_updated_at")
        else datetime.max.replace(tzinfo=UTC)
    )
    at = datetime.fromtimestamp(slot, UTC)
    return started <= at + timedelta(seconds=10) and ended >= at


def _clock(at: int) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%H:%M:%S}"


def tally(store: Path) -> str:
    """How often each outcome occurred, as one line of JSON."""
    return json.dumps(Counter(f"{row.outcome}({row.reason or ''})" for row in records(store)), sort_keys=True)
