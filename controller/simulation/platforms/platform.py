"""The truth about a simulated platform: its jobs, and what of them it shows. How a controller asks for it is no matter here."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random

from controller.model.connection import Connection, ConnectionChange, ConnectionStatus, PlatformScheduleKind
from controller.model.identity import ConnectionRef
from controller.model.job import Job, JobKind, JobStatus
from controller.model.profile import PlatformProfile
from controller.ports.clock import Clock
from controller.simulation.chronicle import Chronicle, Post, TrueJob
from controller.simulation.faults import LAG, SKEW, FaultKind
from controller.simulation.nemesis import Nemesis
from controller.simulation.virtual_time import VirtualTimeLoop

KEPT = timedelta(hours=1)
"""History is only deleted of jobs that ended this long ago and were shown as over: nobody could tell a deleted job from none."""

CANCEL_SECONDS = 1.0
AFTER_CLIENT_MIN = 1.0


@dataclass(frozen=True, slots=True)
class Temper:
    """How jobs of a connection are: usual seconds from and to, the longest of the few long ones, and which shares are long and fail."""

    shortest: float = 30.0
    longest: float = 300.0
    long: float = 2400.0
    long_share: float = 0.02
    failed_share: float = 0.04


class SimulatedPlatform:
    """The truth about one platform."""

    def __init__(
        self,
        name: str,
        profile: PlatformProfile,
        tempers: Mapping[str, Temper],
        loop: VirtualTimeLoop,
        clock: Clock,
        chronicle: Chronicle,
        nemesis: Nemesis,
        seed: str,
    ) -> None:
        self.name, self.profile, self.seed, self._tempers = name, profile, seed, dict(tempers)
        self.loop, self.clock, self.chronicle, self.nemesis = loop, clock, chronicle, nemesis
        self._courses = {each: Random(f"{seed}/{name}/{each}") for each in tempers}
        self._visible: dict[str, TrueJob] = {}
        self._newest: dict[str, TrueJob] = {}
        self._settings: dict[str, Connection] = {}
        self._edits = Counter[str]()
        self._created = 0

    @property
    def connection_ids(self) -> tuple[str, ...]:
        """Every connection, in order."""
        return tuple(self._tempers)

    @property
    def newest_id(self) -> str:
        """The job that was made last."""
        return f"job_{self._created}"

    # What others do

    def start_foreign(self, choice: float) -> bool:
        """A person starts a job, or resets a connection, if nothing runs there."""
        names = self.connection_ids
        connection_id = names[int(choice * len(names))]
        if self._active(connection_id) is not None:
            return False
        kind = JobKind.RESET if (choice * 1000) % 1 < 0.1 else JobKind.SYNC
        self._create(connection_id, kind, None)
        return True

    def delete_history(self) -> bool:
        """Somebody deletes what is old."""
        now = self.clock.now()
        gone = [job for job in self._visible.values() if job.is_seen_over and job.ended_at < now - KEPT]
        for job in gone:
            job.vanished_at = now
            del self._visible[job.job_id]
        return bool(gone)

    # What a call meets

    def skew(self) -> timedelta:
        """How far the platform's clock is off now."""
        found = self.nemesis.standing(FaultKind.CLOCK_SKEW)
        if found is None:
            return timedelta()
        return SKEW if found[0].choice < 0.5 else -SKEW

    def listed(self, since: datetime | None = None) -> Iterator[TrueJob]:
        """What a listing shows now, newest first; ``since`` by the clock that it shows."""
        lag = LAG if self.nemesis.standing(FaultKind.LIST_LAG) is not None else timedelta()
        now = self.clock.now()
        for job in reversed(self._visible.values()):
            if since is not None and job.created_at < since - SKEW:
                return
            if job.created_at + lag <= now and (since is None or job.shown_at >= since):
                yield job

    def listed_active(self) -> Iterator[TrueJob]:
        """What a listing of active jobs shows now."""
        newest = {job.job_id for job in self._newest.values() if job.ended_at > self.clock.now()}
        if newest:
            yield from (job for job in self.listed(self.clock.now() - timedelta(days=2)) if job.job_id in newest)

    def listed_successes(self, connection_id: str) -> Iterator[TrueJob]:
        """The syncs of a connection that succeeded."""
        now = self.clock.now()
        for job in self.listed():
            is_one = job.kind is JobKind.SYNC and job.result is JobStatus.SUCCEEDED and job.ended_at <= now
            if is_one and job.ref.connection_id == connection_id:
                yield job

    def known(self, job_id: str) -> TrueJob | None:
        """A job by its id, if it is still there."""
        return self._visible.get(job_id)

    def show(self, job: TrueJob) -> Job:
        """A job as the platform shows it now."""
        now = self.clock.now()
        is_over = job.ended_at <= now
        job.is_seen_over = job.is_seen_over or is_over
        skew = job.shown_at - job.created_at
        return Job(
            job_id=job.job_id,
            connection_id=job.ref.connection_id,
            kind=job.kind,
            status=job.result if is_over else JobStatus.RUNNING,
            created_at=job.shown_at,
            ended_at=job.ended_at + skew if is_over else None,
            duration=(job.ended_at if is_over else now) - job.created_at,
            rows=1000 if is_over else None,
            bytes=64_000 if is_over else None,
        )

    def connection(self, connection_id: str) -> Connection | None:
        """A connection, as it was made or last set."""
        if not self.has(connection_id):
            return None
        made = Connection(connection_id, connection_id, ConnectionStatus.ACTIVE, PlatformScheduleKind.MANUAL)
        return self._settings.get(connection_id, made)

    def set_connection(self, connection: Connection) -> None:
        """Somebody changes a connection's settings."""
        self._settings[connection.connection_id] = connection
        self._edits[connection.connection_id] += 1

    def restore(self, connection_id: str) -> None:
        """Somebody sets a connection back to how it was made, if it is otherwise."""
        if self._settings.pop(connection_id, None) is not None:
            self._edits[connection_id] += 1

    def run_itself(self, connection_id: str, first: float, every: float) -> None:
        """Start a sync of a connection by its own schedule after some seconds, and each so many later, until it is changed."""
        edit = self._edits[connection_id]

        def tick() -> None:
            if self._edits[connection_id] != edit:
                return
            if not self.is_off(connection_id) and self._active(connection_id) is None:
                self._create(connection_id, JobKind.SYNC, None)
            self.loop.call_later(every, tick)

        self.loop.call_later(first, tick)

    def update(self, connection_id: str, change: ConnectionChange) -> Connection | None:
        """Let a PATCH have its effect; None if there is no such connection."""
        connection = self.connection(connection_id)
        if connection is None:
            return None
        if change.manual:
            connection = replace(connection, schedule_kind=PlatformScheduleKind.MANUAL, expression="")
        if change.status is not None:
            connection = replace(connection, status=change.status)
        self.set_connection(connection)
        return connection

    def execute(self, post: Post) -> TrueJob | None:
        """Let a POST have its effect; None if a job of the connection is active, or the connection is not."""
        name = post.ref.connection_id
        if self._active(name) is not None or self.is_off(name):
            return None
        return self._create(name, post.kind, post)

    def has(self, connection_id: str) -> bool:
        """Whether there is such a connection."""
        return connection_id in self._tempers

    def is_off(self, connection_id: str) -> bool:
        """Whether there is no such connection that would take a start."""
        connection = self.connection(connection_id)
        return connection is None or connection.status is not ConnectionStatus.ACTIVE

    def execute_later(self, post: Post, seconds: float) -> None:
        """Let a POST have its effect after its sender gave up, if it still can."""

        def effect() -> None:
            self.execute(post)

        self.loop.call_later(seconds, effect)

    def latest_effect(self) -> float:
        """Seconds after a POST until which a late effect is within what the profile promises, and listed by then."""
        latest = self.profile.write_timeout + self.profile.settle - LAG
        return max(latest.total_seconds() - 1.0, AFTER_CLIENT_MIN)

    def cancel(self, job_id: str) -> None:
        """End a job that is active."""
        job = self._visible.get(job_id)
        ends = self.clock.now() + timedelta(seconds=CANCEL_SECONDS)
        if job is not None and job.ended_at > ends:
            job.ended_at, job.result = ends, JobStatus.CANCELLED

    def _active(self, connection_id: str) -> TrueJob | None:
        job = self._newest.get(connection_id)
        return job if job is not None and job.ended_at > self.clock.now() else None

    def _create(self, connection_id: str, kind: JobKind, post: Post | None) -> TrueJob:
        self._created += 1
        course, temper, now = self._courses[connection_id], self._tempers[connection_id], self.clock.now()
        seconds = course.uniform(temper.shortest, temper.longest)
        if course.random() < temper.long_share:
            seconds = course.uniform(temper.longest, temper.long)
        result = JobStatus.FAILED if course.random() < temper.failed_share else JobStatus.SUCCEEDED
        ref = ConnectionRef(self.name, connection_id)
        job = TrueJob(
            f"job_{self._created}", ref, kind, now, now + timedelta(seconds=seconds), result, now + self.skew(), post
        )
        if post is not None:
            post.made = job.job_id
        self._visible[job.job_id] = self._newest[connection_id] = job
        self.chronicle.jobs[f"{self.name}/{job.job_id}"] = job
        return job
