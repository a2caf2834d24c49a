"""A platform that is simulated at the platform port: it knows the truth, and shows each controller what a real one would."""

import asyncio
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from controller.errors import (
    Busy,
    NotCreated,
    OutcomeUnknown,
    PlatformBusyElsewhere,
    PlatformUnavailable,
    Rejected,
)
from controller.model.connection import Connection, ConnectionStatus, PlatformScheduleKind
from controller.model.identity import ConnectionRef
from controller.model.job import Job, JobKind, JobStatus
from controller.model.profile import PlatformProfile
from controller.ports.clock import Clock
from controller.ports.platform import JobListing
from controller.simulation.chronicle import Chronicle, Journal, Post, TrueJob
from controller.simulation.faults import ON_POST, Fault, FaultKind
from controller.simulation.life import Life
from controller.simulation.nemesis import Nemesis
from controller.simulation.virtual_time import VirtualTimeLoop

LAG = timedelta(seconds=10)
"""How late listings show new jobs while they lag."""

SKEW = timedelta(seconds=25)
"""How far the platform's clock is off while it is."""

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
    """The truth about one platform. Each life of a controller talks to it through `seen_by`."""

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
        self.name, self.profile, self._tempers = name, profile, dict(tempers)
        self._loop, self._clock, self._chronicle, self._nemesis = loop, clock, chronicle, nemesis
        self._chance = Random(f"{seed}/{name}/calls")
        self._courses = {each: Random(f"{seed}/{name}/{each}") for each in tempers}
        self._visible: dict[str, TrueJob] = {}
        self._newest: dict[str, TrueJob] = {}
        self._created = 0

    def seen_by(self, life: Life) -> "PlatformView":
        """The platform port for one life of a controller."""
        return PlatformView(self, life)

    @property
    def connection_ids(self) -> tuple[str, ...]:
        """Every connection, in order."""
        return tuple(self._tempers)

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
        now = self._clock.now()
        gone = [job for job in self._visible.values() if job.is_seen_over and job.ended_at < now - KEPT]
        for job in gone:
            job.vanished_at = now
            del self._visible[job.job_id]
        return bool(gone)

    # What a call meets

    async def travel(self) -> None:
        """The time that a message takes."""
        await self._clock.sleep(0.02 + 0.2 * self._chance.random())

    def skew(self) -> timedelta:
        """How far the platform's clock is off now."""
        found = self._nemesis.standing(FaultKind.CLOCK_SKEW)
        if found is None:
            return timedelta()
        return SKEW if found[0].choice < 0.5 else -SKEW

    def refuse_read(self, kind: FaultKind | None) -> None:
        """Fail a read as things stand; ``kind``: a fault that hits only such reads."""
        if (quota := self._nemesis.standing(FaultKind.QUOTA)) is not None:
            raise PlatformBusyElsewhere("HTTP 429", timedelta(seconds=round(quota[1] + 0.5)))
        for each in (FaultKind.OUTAGE, kind):
            if each is not None and self._nemesis.standing(each) is not None:
                raise PlatformUnavailable("HTTP 503" if each is kind else "the platform cannot be reached")

    def refuse_post(self) -> None:
        """Refuse a POST as things stand."""
        if (quota := self._nemesis.standing(FaultKind.QUOTA)) is not None:
            raise NotCreated("HTTP 429", timedelta(seconds=round(quota[1] + 0.5)))
        if self._nemesis.standing(FaultKind.OUTAGE) is not None:
            raise NotCreated("the platform cannot be reached")

    def listed(self, since: datetime | None = None) -> Iterator[TrueJob]:
        """What a listing shows now, newest first; ``since`` by the clock that it shows."""
        lag = LAG if self._nemesis.standing(FaultKind.LIST_LAG) is not None else timedelta()
        now = self._clock.now()
        for job in reversed(self._visible.values()):
            if since is not None and job.created_at < since - SKEW:
                return
            if job.created_at + lag <= now and (since is None or job.shown_at >= since):
                yield job

    def listed_active(self) -> list[TrueJob]:
        """What a listing of active jobs shows now."""
        newest = {job.job_id for job in self._newest.values() if job.ended_at > self._clock.now()}
        return (
            [job for job in self.listed(self._clock.now() - timedelta(days=2)) if job.job_id in newest]
            if newest
            else []
        )

    def known(self, job_id: str) -> TrueJob | None:
        """A job by its id, if it is still there."""
        return self._visible.get(job_id)

    def show(self, job: TrueJob) -> Job:
        """A job as the platform shows it now."""
        now = self._clock.now()
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
        """A connection; none is ever paused here."""
        if connection_id not in self._tempers:
            return None
        return Connection(connection_id, connection_id, ConnectionStatus.ACTIVE, PlatformScheduleKind.MANUAL)

    def execute(self, post: Post) -> TrueJob:
        """Let a POST have its effect.

        Raises:
            Busy: a job of the connection is active.
            Rejected: there is no such connection.
        """
        if post.ref.connection_id not in self._tempers:
            raise Rejected("HTTP 404")
        if self._active(post.ref.connection_id) is not None:
            raise Busy("HTTP 409")
        return self._create(post.ref.connection_id, JobKind.SYNC, post)

    def execute_later(self, post: Post, seconds: float) -> None:
        """Let a POST have its effect after its sender gave up, if it still can."""

        def effect() -> None:
            if self._active(post.ref.connection_id) is None and post.ref.connection_id in self._tempers:
                self._create(post.ref.connection_id, JobKind.SYNC, post)

        self._loop.call_later(seconds, effect)

    def latest_effect(self) -> float:
        """Seconds after a POST until which a late effect is within what the profile promises, and listed by then."""
        latest = self.profile.write_timeout + self.profile.settle - LAG
        return max(latest.total_seconds() - 1.0, AFTER_CLIENT_MIN)

    def cancel(self, job_id: str) -> None:
        """End a job that is active."""
        job = self._visible.get(job_id)
        ends = self._clock.now() + timedelta(seconds=CANCEL_SECONDS)
        if job is not None and job.ended_at > ends:
            job.ended_at, job.result = ends, JobStatus.CANCELLED

    def _active(self, connection_id: str) -> TrueJob | None:
        job = self._newest.get(connection_id)
        return job if job is not None and job.ended_at > self._clock.now() else None

    def _create(self, connection_id: str, kind: JobKind, post: Post | None) -> TrueJob:
        self._created += 1
        course, temper, now = self._courses[connection_id], self._tempers[connection_id], self._clock.now()
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
        self._chronicle.jobs[f"{self.name}/{job.job_id}"] = job
        return job


class PlatformView:
    """The platform port, as one life of a controller meets it."""

    def __init__(self, truth: SimulatedPlatform, life: Life) -> None:
        self._truth, self._life = truth, life
        self._chronicle, self._nemesis, self._chance = truth._chronicle, truth._nemesis, truth._chance  # noqa: SLF001
        self._clock = truth._clock  # noqa: SLF001 - the view is a part of the platform
        self._seen_active: dict[str, dict[str, None]] = {}

    async def list_jobs(self, since: datetime) -> JobListing:
        """As the port says."""
        await self._arrive(FaultKind.LIST_FAILS)
        shown = [self._truth.show(job) for job in self._truth.listed(since)]
        date = self._clock.now() + self._truth.skew()
        await self._return()
        self._note(shown)
        newest_first = sorted(shown, key=lambda job: (job.created_at, len(job.job_id), job.job_id), reverse=True)
        return JobListing(tuple(newest_first), since, date)

    async def list_active_jobs(self) -> tuple[Job, ...]:
        """As the port says."""
        await self._arrive(FaultKind.LIST_FAILS)
        shown = [self._truth.show(job) for job in self._truth.listed_active()]
        await self._return()
        self._note(shown)
        return tuple(shown)

    async def get_jobs(self, job_ids: Collection[str]) -> dict[str, Job]:
        """As the port says."""
        await self._arrive(None)
        found = {each: job for each in sorted(set(job_ids)) if (job := self._truth.known(each)) is not None}
        shown = {job_id: self._truth.show(job) for job_id, job in found.items()}
        await self._return()
        self._note(shown.values())
        return shown

    async def newest_success(self, connection_id: str) -> Job | None:
        """As the port says."""
        await self._arrive(None)
        now = self._clock.now()
        done = (
            self._truth.show(job)
            for job in self._truth.listed()
            if job.ref.connection_id == connection_id
            and job.kind is JobKind.SYNC
            and job.result is JobStatus.SUCCEEDED
            and job.ended_at <= now
        )
        found = next(done, None)
        await self._return()
        return found

    async def get_connection(self, connection_id: str) -> Connection | None:
        """As the port says."""
        await self._arrive(None)
        await self._return()
        return self._truth.connection(connection_id)

    async def list_connections(self, offset: int, limit: int) -> tuple[Connection, ...]:
        """As the port says."""
        await self._arrive(None)
        await self._return()
        names = self._truth.connection_ids[offset : offset + limit]
        return tuple(found for name in names if (found := self._truth.connection(name)) is not None)

    async def trigger_sync(self, connection_id: str) -> Job:
        """As the port says, or as the nemesis wants it."""
        self._life.breathe()
        ref = ConnectionRef(self._truth.name, connection_id)
        if (crash := self._nemesis.take((FaultKind.CRASH_BEFORE_POST,), ref)) is not None:
            self._life.die(crash.seconds)
        post = self._sent(ref)
        try:
            await self._truth.travel()
        except asyncio.CancelledError:
            # A process that is killed now has sent its request or not; nobody can say which.
            if self._life.is_over and self._chance.random() < 0.5:
                self._truth.execute_later(post, self._chance.random())
            raise
        self._truth.refuse_post()
        fault = self._nemesis.take(ON_POST, ref)
        job = await self._effect(post, fault)
        if (crash := self._nemesis.take((FaultKind.CRASH_AFTER_POST,), ref)) is not None:
            self._life.die(crash.seconds)
        await self._return()
        post.answered = job.job_id
        return self._truth.show(job)

    async def cancel_job(self, job_id: str) -> None:
        """As the port says."""
        await self._arrive(None)
        self._truth.cancel(job_id)
        await self._return()

    async def close(self) -> None:
        """Nothing to give back."""

    async def _arrive(self, kind: FaultKind | None) -> None:
        self._life.breathe()
        await self._truth.travel()
        self._truth.refuse_read(kind)

    async def _return(self) -> None:
        await self._truth.travel()
        self._life.breathe()

    def _sent(self, ref: ConnectionRef) -> Post:
        claimed = self._chronicle.open.get(ref)
        post = Post(ref, self._life.number, self._clock.now(), claimed)
        post.against = next(iter(self._seen_active.get(ref.connection_id, ())), "")
        if claimed is not None:
            claimed.posts += 1
        self._chronicle.posts.append(post)
        self._chronicle.states[ref] = Journal.SENT
        return post

    async def _effect(self, post: Post, fault: Fault | None) -> TrueJob:
        kind = None if fault is None else fault.kind
        match kind:
            case FaultKind.REFUSED:
                raise NotCreated("HTTP 403")
            case FaultKind.REJECTED:
                raise Rejected("HTTP 422")
            case FaultKind.BUSY:
                raise Busy("HTTP 409")
            case FaultKind.LOST_REQUEST:
                await self._unanswered(post)
            case FaultKind.LATE_EFFECT:
                low, high = AFTER_CLIENT_MIN, self._truth.latest_effect()
                self._truth.execute_later(post, low + (high - low) * (0.0 if fault is None else fault.choice))
                await self._unanswered(post)
            case FaultKind.ERROR_WITHOUT_EFFECT:
                post.is_doubtful = True
                raise OutcomeUnknown("HTTP 502")
        job = self._truth.execute(post)
        match kind:
            case FaultKind.LOST_REPLY:
                await self._unanswered(post)
            case FaultKind.ERROR_WITH_EFFECT:
                post.is_doubtful = True
                raise OutcomeUnknown("HTTP 502")
        return job

    async def _unanswered(self, post: Post) -> None:
        post.is_doubtful = True
        await self._clock.sleep(self._truth.profile.write_timeout.total_seconds())
        raise OutcomeUnknown("no answer in time")

    def _note(self, shown: Collection[Job]) -> None:
        """Remember which active jobs this life was shown, for the promise that nothing starts beside one."""
        for job in shown:
            active = self._seen_active.setdefault(job.connection_id, {})
            if job.is_active:
                active[job.job_id] = None
            else:
                active.pop(job.job_id, None)
