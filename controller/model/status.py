"""How a schedule stands, for people and machines that ask."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from controller.model.asked import Request
from controller.model.calendar import CalendarEntry
from controller.model.condition import Condition
from controller.model.drift import NotedDrift
from controller.model.identity import ConnectionRef, SlotKey
from controller.model.job import Job, JobKind, JobStatus
from controller.model.plan import Freshness
from controller.model.record import Reason, SlotRecord
from controller.model.schedule import ScheduleSpec


class State(StrEnum):
    """A schedule in one word; what needs a person most comes first where several hold."""

    REMOVED = "Removed"
    HELD = "Held"
    STALE = "Stale"
    RECONCILING = "Reconciling"
    FROZEN = "Frozen"
    SUSPENDED = "Suspended"
    IN_DOUBT = "InDoubt"
    RUNNING = "Running"
    STALLED = "Stalled"
    OBSERVING = "Observing"
    OUTDATED = "Outdated"
    FAILING = "Failing"
    READY = "Ready"


@dataclass(frozen=True, slots=True)
class Summary:
    """The state with its reason, if the closed list has one for it, and a phrase for people."""

    state: State
    reason: Reason | None = None
    message: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """An observed job of the connection; ``scheduled_at`` is its slot, None if it is not ours or somebody asked for it."""

    job: Job
    scheduled_at: datetime | None
    is_requested: bool = False

    @property
    def is_ours(self) -> bool:
        """Whether a claim named it, a slot's or a request's."""
        return self.is_requested or self.scheduled_at is not None

    @property
    def origin(self) -> str:
        """``ours`` where a claim named it, else ``foreign``."""
        return "ours" if self.is_ours else "foreign"


def run_of(job: Job, claimed: SlotKey | None) -> Run:
    """A job and what the store says that it belongs to."""
    if claimed is None:
        return Run(job, None)
    return Run(job, None, is_requested=True) if claimed.is_request else Run(job, claimed.scheduled_at)


@dataclass(frozen=True, slots=True)
class ScheduleStatus:
    """One schedule as the specs and the store show it.

    Attributes:
        spec: the schedule in force or asked for; None if only its calendar is known.
        entries: the calendar in force, else the one asked for.
        generation: what the specs ask for; it differs from ``observed_generation`` until the controller has taken it in.
        min_gap: what holds where the spec says nothing; None if the platform is not known.
        next_slots: the next slots, soonest first.
        next_fires_at: when the first of them may start: later than the slot itself by what ``jitter`` gives it.
        failures: syncs that failed in a row.
        drifts: fields of the connection that are not as desired, as last noted.
        corrected_today: corrections of the connection since midnight UTC; None where nobody asked.
        freshness: how old the data is by ``freshnessAlert``; None where none was asked for.
        conditions: one of each type, as the controller judged them last; they speak of ``observed_generation``.
        revision: the one by which it was taken in last; empty = not known.
        condition: all of it in one word, for people.
        missed_count: missed slots among the newest ones that were read.
        slots: newest records first.
        runs: newest jobs first.
        requests: newest requests first.
    """

    ref: ConnectionRef
    name: str
    spec: ScheduleSpec | None
    entries: tuple[CalendarEntry, ...]
    condition: Summary
    generation: int
    observed_generation: int
    effective_since: datetime | None
    watermark: datetime | None
    min_gap: timedelta | None
    next_slots: tuple[datetime, ...]
    next_fires_at: datetime | None
    last_triggered_at: datetime | None
    missed_count: int
    slots: tuple[SlotRecord, ...]
    runs: tuple[Run, ...]
    failures: int = 0
    freshness: Freshness | None = None
    conditions: tuple[Condition, ...] = ()
    revision: str = ""
    requests: tuple[Request, ...] = ()
    drifts: tuple[NotedDrift, ...] = ()
    corrected_today: int | None = None

    @property
    def next_slot_at(self) -> datetime | None:
        """The next slot."""
        return self.next_slots[0] if self.next_slots else None

    @property
    def active_run(self) -> Run | None:
        """The newest job that had not ended when last seen."""
        return next((run for run in self.runs if run.job.is_active), None)

    @property
    def last_success_at(self) -> datetime | None:
        """When the newest successful sync of any origin ended."""
        done = (run.job for run in self.runs if run.job.kind is JobKind.SYNC and run.job.status is JobStatus.SUCCEEDED)
        return max((job.ended_at or job.created_at for job in done), default=None)

    @property
    def last_scheduled_at(self) -> datetime | None:
        """The newest slot that has a record."""
        return None if not self.slots else self.slots[0].through or self.slots[0].slot.scheduled_at


@dataclass(frozen=True, slots=True)
class StatusReport:
    """Every schedule at one instant.

    Attributes:
        trouble: what makes the answer less than whole (no store yet, specs that cannot be read), as sentences.
        rejected: errors of spec files, as ``path:line:column: code``.
        observed: up to when each platform's jobs were seen by a controller.
    """

    now: datetime
    revision: str
    schedules: tuple[ScheduleStatus, ...]
    trouble: tuple[str, ...] = ()
    rejected: tuple[str, ...] = ()
    observed: Mapping[str, datetime | None] | None = None
