"""A platform in memory: the port's real rules on a clock of the test's choice, and faults on request.

What it gets wrong compared with a real platform:

- Every call answers at once; a lost reply costs no time-out. A test that needs the wait must pass it on the clock.
- A job runs from the moment it is created (no ``pending``, no ``queued``), ends exactly when its duration is over, and its last rows
  and bytes are there at once.
- A cancel ends the named job at once. Airbyte cancels whatever the job's connection runs, and takes its time.
- A listing is one consistent look; nothing moves between pages, because there are none.
- Ids count upwards, times are exact to the microsecond. Airbyte shows whole seconds, and other platforms may use random ids.
- A job that was deleted is absent from reads and listings alike, at once.
"""

from collections import deque
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from controller.errors import (
    Busy,
    ConnectionLocked,
    NotCreated,
    OutcomeUnknown,
    PlatformBusyElsewhere,
    PlatformUnavailable,
    Rejected,
)
from controller.model.connection import Connection, ConnectionChange, ConnectionStatus, PlatformScheduleKind
from controller.model.job import Job, JobKind, JobStatus
from controller.ports.clock import Clock
from controller.ports.platform import JobListing

# What a finished sync reports; any fixed numbers do.
ROWS_SYNCED = 1000
BYTES_SYNCED = 64_000


class TriggerFault(StrEnum):
    """What may become of the next trigger."""

    LOST_REQUEST = "lost_request"  # nobody gets it; the caller cannot know
    LOST_REPLY = "lost_reply"  # executed, and the answer is lost
    LATE_EFFECT = "late_effect"  # the caller gives up, and it is executed some time afterwards
    ERROR_WITH_EFFECT = "error_with_effect"  # a 5xx, although it was executed
    BUSY = "busy"  # 409, whether anything runs or not
    REJECTED = "rejected"  # 422
    NOT_CREATED = "not_created"  # refused, or no connection to the platform


class UpdateFault(StrEnum):
    """What may become of the next change of a connection."""

    LOST_REQUEST = "lost_request"  # nobody gets it; the caller cannot know
    LOST_REPLY = "lost_reply"  # executed, and the answer is lost
    REJECTED = "rejected"  # 422
    LOCKED = "locked"  # 409
    UNDONE = "undone"  # answered as if it were done


@dataclass(frozen=True, slots=True)
class Call:
    """One call as it arrived. ``connection_id`` is None where none is named or known; ``at`` is the clock's wall time."""

    method: str
    connection_id: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What jobs of a connection do: how long they take (None: until cancelled) and how they end."""

    duration: timedelta | None = timedelta(seconds=60)
    result: JobStatus = JobStatus.SUCCEEDED


@dataclass(frozen=True, slots=True)
class _Truth:
    """A job as it is; ``ended_at`` is when it ends by itself or was ended, None if never."""

    job_id: str
    connection_id: str
    kind: JobKind
    created_at: datetime
    ended_at: datetime | None
    result: JobStatus

    def at(self, now: datetime) -> Job:
        is_over = self.ended_at is not None and self.ended_at <= now
        has_synced = is_over and self.result is JobStatus.SUCCEEDED
        return Job(
            job_id=self.job_id,
            connection_id=self.connection_id,
            kind=self.kind,
            status=self.result if is_over else JobStatus.RUNNING,
            created_at=self.created_at,
            ended_at=self.ended_at if is_over else None,
            duration=(self.ended_at if is_over and self.ended_at else now) - self.created_at,
            rows=ROWS_SYNCED if has_synced else None,
            bytes=BYTES_SYNCED if has_synced else None,
        )


class FakePlatform:
    """The platform port, kept in memory.

    Attributes:
        calls: every call of the port, in order.
        is_available: while false, nothing can be reached.
        connection_lag: how long after a change a list of connections still shows what was before; reads by id see it at once.
        update_faults: what becomes of further changes of connections.
        list_lag: how long after its creation a job appears in listings; reads by id see it at once.
        clock_error: how far the platform's own clock is ahead.
        tells_time: while false, answers have no ``Date``.
        ignores_cancels: while true, a cancel is taken and has no effect.
        hides_connections: while true, connections cannot be read; jobs can.
        is_closed: whether ``close`` was called.
    """

    def __init__(self, clock: Clock) -> None:
        self.calls: list[Call] = []
        self.is_available = True
        self.list_lag = timedelta(0)
        self.clock_error = timedelta(0)
        self.tells_time = True
        self.is_closed = False
        self.ignores_cancels = False
        self.hides_connections = False
        self._clock = clock
        self.connection_lag = timedelta(0)
        self.update_faults: deque[UpdateFault] = deque()
        self._edited: dict[str, tuple[datetime, Connection]] = {}
        self._connections: dict[str, Connection] = {}
        self._behaviours: dict[str, Behaviour] = {}
        self._jobs: dict[str, _Truth] = {}
        self._created = 0
        self._faults: deque[tuple[TriggerFault, timedelta]] = deque()
        self._late: list[tuple[datetime, str]] = []
        self._refused_until: datetime | None = None

    # What a test arranges

    def add_connection(
        self,
        connection_id: str,
        behaviour: Behaviour = Behaviour(),
        *,
        status: ConnectionStatus = ConnectionStatus.ACTIVE,
        schedule_kind: PlatformScheduleKind = PlatformScheduleKind.MANUAL,
    ) -> None:
        """Make a connection, or set one that exists; jobs that were created before keep their course."""
        self._connections[connection_id] = Connection(connection_id, connection_id, status, schedule_kind)
        self._behaviours[connection_id] = behaviour

    def edit(
        self,
        connection_id: str,
        *,
        kind: PlatformScheduleKind | None = None,
        expression: str = "",
        status: ConnectionStatus | None = None,
    ) -> None:
        """Change a connection as a person would."""
        before = self._connections[connection_id]
        after = before if kind is None else replace(before, schedule_kind=kind, expression=expression)
        self._set(after if status is None else replace(after, status=status))

    def settings(self, connection_id: str) -> Connection:
        """The truth about a connection."""
        return self._connections[connection_id]

    def _set(self, connection: Connection) -> None:
        name = connection.connection_id
        self._edited[name] = (self._clock.now(), self._connections[name])
        self._connections[name] = connection

    def remove_connection(self, connection_id: str) -> None:
        """Delete a connection; its jobs stay."""
        del self._connections[connection_id]

    def script(self, fault: TriggerFault, after: timedelta = timedelta(0)) -> None:
        """Queue what becomes of a further trigger; ``after`` is the delay of a late effect, or the pause asked for by a refusal."""
        self._faults.append((fault, after))

    def refuse_for(self, pause: timedelta) -> None:
        """Answer everything with 429 for that long."""
        self._refused_until = self._clock.now() + pause

    def start_foreign_job(self, connection_id: str, kind: JobKind = JobKind.SYNC) -> Job:
        """Start a job as a person would; there must be none active."""
        self._settle()
        assert self._active(connection_id) is None, f"{connection_id} has an active job"
        return self._create(connection_id, kind, self._now()).at(self._now())

    def vanish(self, job_id: str) -> None:
        """Delete a job and every trace of it."""
        del self._jobs[job_id]

    @property
    def jobs(self) -> tuple[Job, ...]:
        """The truth, oldest first: every job, listed yet or not."""
        self._settle()
        now = self._now()
        return tuple(truth.at(now) for truth in self._jobs.values())

    def jobs_of(self, connection_id: str) -> tuple[Job, ...]:
        """The truth about one connection, oldest first."""
        return tuple(job for job in self.jobs if job.connection_id == connection_id)

    def calls_of(self, method: str) -> tuple[Call, ...]:
        """The calls of one method, in order."""
        return tuple(call for call in self.calls if call.method == method)

    # The port

    async def list_jobs(self, since: datetime) -> JobListing:
        """As the port says."""
        self._read("list_jobs", None)
        listed = [job for job in self._visible() if job.created_at >= since]
        return JobListing(tuple(reversed(listed)), since, self._now() if self.tells_time else None)

    async def list_active_jobs(self) -> tuple[Job, ...]:
        """As the port says."""
        self._read("list_active_jobs", None)
        return tuple(job for job in self._visible() if job.is_active)

    async def get_jobs(self, job_ids: Collection[str]) -> dict[str, Job]:
        """As the port says."""
        self._read("get_jobs", None)
        now = self._now()
        return {job_id: self._jobs[job_id].at(now) for job_id in sorted(set(job_ids)) if job_id in self._jobs}

    async def newest_success(self, connection_id: str) -> Job | None:
        """As the port says."""
        self._read("newest_success", connection_id)
        syncs = (job for job in self._visible() if job.connection_id == connection_id and job.kind is JobKind.SYNC)
        done = [job for job in syncs if job.status is JobStatus.SUCCEEDED]
        return done[-1] if done else None

    async def get_connection(self, connection_id: str) -> Connection | None:
        """As the port says."""
        self._read("get_connection", connection_id)
        self._show_connections()
        return self._connections.get(connection_id)

    async def list_connections(self, offset: int, limit: int) -> tuple[Connection, ...]:
        """As the port says."""
        self._read("list_connections", None)
        self._show_connections()
        return tuple(self._as_listed(each) for each in self._connections.values())[offset : offset + limit]

    def _show_connections(self) -> None:
        if self.hides_connections:
            raise PlatformUnavailable("connections cannot be read")

    def _as_listed(self, connection: Connection) -> Connection:
        edited_at, before = self._edited.get(connection.connection_id, (None, connection))
        return before if edited_at is not None and self._clock.now() < edited_at + self.connection_lag else connection

    async def trigger_sync(self, connection_id: str) -> Job:
        """As the port says, or as scripted."""
        return await self._trigger("trigger_sync", connection_id, JobKind.SYNC)

    async def _trigger(self, method: str, connection_id: str, kind: JobKind) -> Job:
        self._arrive(method, connection_id)
        if not self.is_available:
            raise NotCreated("the platform cannot be reached")
        if (pause := self._pause()) is not None:
            raise NotCreated("HTTP 429", pause)
        fault, after = self._faults.popleft() if self._faults else (None, timedelta(0))
        self._refuse(fault, after)
        if fault is TriggerFault.LATE_EFFECT:
            self._late.append((self._now() + after, connection_id))
        if fault in (TriggerFault.LOST_REQUEST, TriggerFault.LATE_EFFECT):
            raise OutcomeUnknown("no answer")
        job = self._accept(connection_id, kind)
        if fault in (TriggerFault.LOST_REPLY, TriggerFault.ERROR_WITH_EFFECT):
            raise OutcomeUnknown("no answer" if fault is TriggerFault.LOST_REPLY else "HTTP 502")
        return job

    async def trigger_reset(self, connection_id: str) -> Job:
        """As the port says, or as scripted; it takes as long as a sync."""
        return await self._trigger("trigger_reset", connection_id, JobKind.RESET)

    async def cancel_job(self, job_id: str) -> None:
        """As the port says; a job that is over, or unknown, is a success."""
        truth = self._jobs.get(job_id)
        self._read("cancel_job", truth.connection_id if truth else None)
        now = self._now()
        if truth is not None and truth.at(now).is_active and not self.ignores_cancels:
            self._jobs[job_id] = replace(truth, ended_at=now, result=JobStatus.CANCELLED)

    async def update_connection(self, connection_id: str, change: ConnectionChange) -> Connection:
        """As the port says, or as scripted."""
        self._arrive("update_connection", connection_id)
        if not self.is_available:
            raise NotCreated("the platform cannot be reached")
        if (pause := self._pause()) is not None:
            raise NotCreated("HTTP 429", pause)
        fault = self.update_faults.popleft() if self.update_faults else None
        connection = self._connections.get(connection_id)
        if fault is UpdateFault.LOST_REQUEST:
            raise OutcomeUnknown("no answer")
        if connection is None or fault is UpdateFault.REJECTED:
            raise Rejected("HTTP 404" if connection is None else "HTTP 422")
        if fault is UpdateFault.LOCKED or connection.status is ConnectionStatus.LOCKED:
            raise ConnectionLocked("HTTP 409")
        after = connection
        if change.manual:
            after = replace(after, schedule_kind=PlatformScheduleKind.MANUAL, expression="")
        if change.status is not None:
            after = replace(after, status=change.status)
        if fault is not UpdateFault.UNDONE and after != connection:
            self._set(after)
        if fault is UpdateFault.LOST_REPLY:
            raise OutcomeUnknown("no answer")
        return after

    async def close(self) -> None:
        """As the port says."""
        self.is_closed = True

    # How it works

    def _now(self) -> datetime:
        return self._clock.now() + self.clock_error

    def _arrive(self, method: str, connection_id: str | None) -> None:
        self._settle()
        self.calls.append(Call(method, connection_id, self._clock.now()))

    def _read(self, method: str, connection_id: str | None) -> None:
        self._arrive(method, connection_id)
        if not self.is_available:
            raise PlatformUnavailable("the platform cannot be reached")
        if (pause := self._pause()) is not None:
            raise PlatformBusyElsewhere("HTTP 429", pause)

    def _pause(self) -> timedelta | None:
        if self._refused_until is None or self._refused_until <= self._clock.now():
            return None
        return self._refused_until - self._clock.now()

    def _refuse(self, fault: TriggerFault | None, after: timedelta) -> None:
        if fault is TriggerFault.BUSY:
            raise Busy("HTTP 409")
        if fault is TriggerFault.REJECTED:
            raise Rejected("HTTP 422")
        if fault is TriggerFault.NOT_CREATED:
            raise NotCreated("refused", after or None)

    def _accept(self, connection_id: str, kind: JobKind) -> Job:
        connection = self._connections.get(connection_id)
        if connection is None:
            raise Rejected("HTTP 404")
        if connection.status is not ConnectionStatus.ACTIVE or self._active(connection_id) is not None:
            raise Busy("HTTP 409")
        return self._create(connection_id, kind, self._now()).at(self._now())

    def _settle(self) -> None:
        """Let what was late take effect, if its time has come and it still can."""
        due = sorted(each for each in self._late if each[0] <= self._now())
        self._late = [each for each in self._late if each not in due]
        for at, connection_id in due:
            connection = self._connections.get(connection_id)
            is_free = all(not truth.at(at).is_active for truth in self._of(connection_id))
            if connection is not None and connection.status is ConnectionStatus.ACTIVE and is_free:
                self._create(connection_id, JobKind.SYNC, at)

    def _of(self, connection_id: str) -> list[_Truth]:
        return [truth for truth in self._jobs.values() if truth.connection_id == connection_id]

    def _active(self, connection_id: str) -> _Truth | None:
        now = self._now()
        return next((truth for truth in self._of(connection_id) if truth.at(now).is_active), None)

    def _create(self, connection_id: str, kind: JobKind, at: datetime) -> _Truth:
        self._created += 1
        behaviour = self._behaviours[connection_id]
        ended_at = None if behaviour.duration is None else at + behaviour.duration
        truth = _Truth(f"job_{self._created}", connection_id, kind, at, ended_at, behaviour.result)
        self._jobs[truth.job_id] = truth
        return truth

    def _visible(self) -> list[Job]:
        """What listings show, oldest first."""
        now = self._now()
        shown = [truth.at(now) for truth in self._jobs.values() if truth.created_at + self.list_lag <= now]
        return sorted(shown, key=lambda job: job.created_at)
