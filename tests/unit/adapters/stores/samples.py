"""Small values to put into a store. Minutes count from ``NOON``."""

import asyncio
import sqlite3
from collections.abc import Coroutine
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from controller.adapters.stores.memory import MemoryStore
from controller.adapters.stores.sqlite import SqliteStore, StoreMode
from controller.model.asked import Asked, Request, Source
from controller.model.calendar import CalendarEntry, EntryKind
from controller.model.condition import Condition, ConditionReason, ConditionStatus, ConditionType
from controller.model.drift import Correction, DriftField, NotedDrift
from controller.model.event import Event, EventName
from controller.model.identity import ClaimKey, ConnectionRef, SlotKey
from controller.model.job import Job, JobKind, JobStatus
from controller.model.plan import AcceptSchedule, SettleClaim
from controller.model.record import CancelRequest, Claim, ClaimStatus, Outcome, Reason, SlotRecord, Standing
from controller.model.schedule import Drift, Origin, ScheduleSpec
from controller.ports.store import Store

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ORDERS = ConnectionRef("acme", "orders")
USERS = ConnectionRef("acme", "users")

T = TypeVar("T")


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run one store method to its end."""
    return asyncio.run(coroutine)


PLATFORMS = ("acme", "other")

AnyStore = MemoryStore | SqliteStore


def open_store(kind: str, directory: Path) -> AnyStore:
    """A fresh store of either kind, whose platforms are taken."""
    return take_all(MemoryStore()) if kind == "memory" else acting(directory / "store.db")


def acting(path: Path) -> SqliteStore:
    """Open for acting, and take every platform."""
    return take_all(SqliteStore.open(path, mode=StoreMode.ACT))


S = TypeVar("S", bound=Store)


def take_all(store: S) -> S:
    """Take every platform that samples speak of; no store waits for anything, so this works in a running loop as well."""
    for platform in PLATFORMS:
        with suppress(StopIteration):
            store.take(platform, "test", NOON).send(None)
    return store


def reading(path: Path) -> SqliteStore:
    """Open for reading."""
    return SqliteStore.open(path, mode=StoreMode.READ)


def alter(path: Path, script: str) -> None:
    """Do something to the file that no store would."""
    with closing(sqlite3.connect(path)) as database:
        database.executescript(script)


def minute(number: float) -> datetime:
    """An instant."""
    return NOON + timedelta(minutes=number)


def slot(at: float = 0, ref: ConnectionRef = ORDERS) -> SlotKey:
    """A slot."""
    return SlotKey(ref, minute(at))


def claim_of(
    at: float = 0, *, ref: ConnectionRef = ORDERS, run: int = 0, attempt: int = 1, written: float | None = None
) -> Claim:
    """An open claim, written at its slot unless told otherwise."""
    written_at = minute(at if written is None else written)
    return Claim(ClaimKey(slot(at, ref), run), attempt, written_at, frozenset({"1", "2"}), "nightly", "main@sha1:1")


def record_of(
    outcome: Outcome,
    at: float = 0,
    *,
    ref: ConnectionRef = ORDERS,
    reason: Reason | None = None,
    job_id: str | None = None,
    decided: float | None = None,
    through: float | None = None,
    count: int = 1,
) -> SlotRecord:
    """A slot's record, decided at its slot unless told otherwise."""
    return SlotRecord(
        slot=slot(at, ref),
        outcome=outcome,
        decided_at=minute(at if decided is None else decided),
        schedule="nightly",
        reason=reason,
        message="said so",
        job_id=job_id,
        adopted=job_id is not None,
        through=None if through is None else minute(through),
        count=count,
        revision="main@sha1:1",
    )


def request_of(key: str, action: Asked = Asked.SUSPEND, at: float = 1, **more: Any) -> Request:
    """Something that somebody asked for by hand."""
    return Request(
        key, ORDERS, "nightly", action, more.pop("source", Source.BY_HAND), minute(at), "ana", "because", **more
    )


def spec_of(*, name: str = "nightly", every: int = 900, ref: ConnectionRef = ORDERS) -> ScheduleSpec:
    """A schedule every so many seconds."""
    entry = CalendarEntry(EntryKind.EVERY, text=f"{every}s", every=every)
    return ScheduleSpec(name, ref.platform, ref.connection_id, (entry,), Origin("a.yaml", 1), content=f"{name}:{every}")


def accept(
    spec: ScheduleSpec | None, since: datetime, generation: int = 1, ref: ConnectionRef = ORDERS
) -> AcceptSchedule:
    """A schedule comes into force, or goes."""
    return AcceptSchedule(ref, spec, since, generation, "main@sha1:1")


def settle(claim: Claim, status: ClaimStatus, record: SlotRecord, job: Job | None = None) -> SettleClaim:
    """A doubt is settled."""
    return SettleClaim(claim, status, record, job)


def job_of(
    job_id: str,
    at: float = 0,
    *,
    ref: ConnectionRef = ORDERS,
    status: JobStatus = JobStatus.RUNNING,
    ended: float | None = None,
) -> Job:
    """An observed job."""
    done = None if ended is None else minute(ended)
    return Job(job_id, ref.connection_id, JobKind.SYNC, status, minute(at), done, timedelta(seconds=1.5), 10, None)


def cancel_of(job_id: str, at: float = 0, ref: ConnectionRef = ORDERS) -> CancelRequest:
    """A cancel."""
    return CancelRequest(ref, job_id, Reason.MAX_DURATION, minute(at))


def drift_of(at: float = 0, field: DriftField = DriftField.SCHEDULE, ended: float | None = None) -> NotedDrift:
    """A field that differs."""
    over = None if ended is None else minute(ended)
    return NotedDrift(ORDERS, field, Drift.ENFORCE, "manual", "cron", minute(at), 1, over, fighting_since=over)


def correction_of(
    at: float = 0, field: DriftField = DriftField.SCHEDULE, ref: ConnectionRef = ORDERS, look: int = 1
) -> Correction:
    """A correction that is about to be sent."""
    return Correction(ref, field, minute(at), "cron", "manual", 1, look)


def event_of(at: float = 0, *, schedule: str | None = "nightly") -> Event:
    """A fact."""
    return Event(EventName.SLOT_SKIPPED, minute(at), {"schedule": schedule, "n": 1, "x": 0.5, "ok": True, "none": None})


def condition_of(at: float = 0, status: ConditionStatus = ConditionStatus.TRUE) -> Condition:
    """A condition as it is found at an instant."""
    return Condition(ConditionType.READY, status, ConditionReason.SCHEDULED, "said so", 1, minute(at))


def standing(store: Store, ref: ConnectionRef = ORDERS, *job_ids: str) -> Standing:
    """Where one connection stands."""
    return run(store.standings({ref: job_ids}))[ref]
