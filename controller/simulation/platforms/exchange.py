"""Single exchanges with a simulated platform: a question travels there, has its effect, and an answer travels back, or does not.

The port fake and the wire both ask through here, so that whatever is drawn and however long it takes is the same for either.
"""

import asyncio
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import blake2b
from math import ceil

from controller.model.connection import Connection, ConnectionChange
from controller.model.identity import ConnectionRef
from controller.model.job import Job, JobKind, JobStatus
from controller.simulation.chronicle import Journal, Post, TrueJob
from controller.simulation.chronicle import Shown as ShownConnection
from controller.simulation.controllers.life import Life
from controller.simulation.faults import ON_POST, ON_READ, Fault, FaultKind
from controller.simulation.platforms.platform import AFTER_CLIENT_MIN, SimulatedPlatform

SUCCESSES_SHOWN = 5
"""Successes that are shown where the newest is asked for."""

DEPARTS_WITHIN = 0.0005
"""Seconds within which a call leaves."""

JUST_ENDED = timedelta(seconds=30)
"""How long after its end a job may once more be shown as running."""


class ExchangeFailed(Exception):
    """There was no answer, or not the one that was hoped for."""


class AnsweredError(ExchangeFailed):
    """An answer with a status that says no; ``retry_after``: whole seconds that it asks to wait."""

    def __init__(self, status: int, retry_after: int | None = None) -> None:
        super().__init__(status)
        self.status, self.retry_after = status, retry_after


class Unreachable(ExchangeFailed):
    """No connection was made: not a byte of the question arrived."""


class Unanswered(ExchangeFailed):
    """No whole answer comes, however long one waits; ``has_begun``: a part of it did."""

    def __init__(self, *, has_begun: bool = False) -> None:
        super().__init__()
        self.has_begun = has_begun


class Garbled(ExchangeFailed):
    """The answer has a good status and says nothing: the page of a proxy, or half a text."""

    def __init__(self, *, is_page: bool) -> None:
        super().__init__()
        self.is_page = is_page


class CutOff(ExchangeFailed):
    """The connection broke before the answer was whole."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A listing, newest first; ``latest`` names a job that came after its first page was made, if that has others."""

    jobs: tuple[Job, ...]
    date: datetime
    latest: str | None = None


class Exchanges:
    """What one life of a controller may ask."""

    def __init__(self, truth: SimulatedPlatform, life: Life) -> None:
        self.truth, self._life = truth, life
        self._nemesis, self._chronicle = truth.nemesis, truth.chronicle
        self._seen_active = life.seen_active.setdefault(truth.name, {})

    async def list_jobs(self, since: datetime) -> Shown:
        """Every job that is shown as created since then."""
        await self._arrive("list", FaultKind.LIST_FAILS)
        latest = self._shift()
        shown = [self.truth.show(job) for job in self.truth.listed(since)]
        date = self.date()
        await self._return("list")
        self._note(shown)
        return Shown(newest_first(self._regressed(shown)), date, latest)

    async def list_active_jobs(self) -> Shown:
        """Every job that is shown as active."""
        await self._arrive("active", FaultKind.LIST_FAILS)
        shown = [self.truth.show(job) for job in self.truth.listed_active()]
        await self._return("active")
        self._note(shown)
        return Shown(newest_first(shown), self.date())

    async def get_jobs(self, job_ids: Collection[str]) -> dict[str, Job]:
        """Jobs by id, those that there are."""
        await self._arrive("get")
        found = (self.truth.known(each) for each in sorted(set(job_ids)))
        shown = {job.job_id: self.truth.show(job) for job in found if job is not None}
        await self._return("get")
        self._note(shown.values())
        return shown

    async def newest_successes(self, connection_id: str) -> Shown:
        """A connection's newest syncs that succeeded."""
        await self._arrive(f"success {connection_id}")
        found = zip(range(SUCCESSES_SHOWN), self.truth.listed_successes(connection_id), strict=False)
        shown = [self.truth.show(job) for _, job in found]
        await self._return(f"success {connection_id}")
        return Shown(newest_first(shown), self.date())

    async def get_connection(self, connection_id: str) -> Connection | None:
        """A connection, if there is one."""
        await self._arrive(f"connection {connection_id}")
        await self._return(f"connection {connection_id}")
        connection = self.truth.connection(connection_id)
        self._note_settings(() if connection is None else (connection,))
        return connection

    async def list_connections(self) -> tuple[Connection, ...]:
        """Every connection, in order."""
        await self._arrive("connections")
        await self._return("connections")
        found = (self.truth.connection(name) for name in self.truth.connection_ids)
        shown = tuple(each for each in found if each is not None)
        self._note_settings(shown)
        return shown

    async def update_connection(self, connection_id: str, change: ConnectionChange) -> Connection:
        """Change a connection."""
        self._life.breathe()
        await self._travel(f"patch {connection_id}")
        self._refuse(None)
        connection = self.truth.update(connection_id, change)
        if connection is None:
            raise AnsweredError(404)
        await self._return(f"patch {connection_id}")
        self._note_settings((connection,))
        return connection

    async def cancel_job(self, job_id: str) -> None:
        """Ask for the end of a job."""
        self._life.breathe()
        await self._travel(f"cancel {job_id}")
        self._refuse(None)
        self.truth.cancel(job_id)
        await self._return(f"cancel {job_id}")

    async def trigger(self, connection_id: str, kind: JobKind = JobKind.SYNC) -> Job:
        """Send a POST, and whatever the nemesis makes of it; the answer says only what a new job has."""
        self._life.breathe()
        ref = ConnectionRef(self.truth.name, connection_id)
        if (crash := self._nemesis.take((FaultKind.CRASH_BEFORE_POST,), ref)) is not None:
            self._life.die(crash.seconds)
        post = self._sent(ref, kind)
        try:
            await self._travel(f"post {connection_id}")
        except asyncio.CancelledError:
            # A process that is killed now has sent its request or not; nobody can say which.
            if self._life.is_over and (chance := self._chance(f"killed {connection_id}")) < 0.5:
                self.truth.execute_later(post, chance * 2)
            raise
        self._refuse(None)
        job = self._effect(post, self._nemesis.take(ON_POST, ref))
        if (crash := self._nemesis.take((FaultKind.CRASH_AFTER_POST,), ref)) is not None:
            self._life.die(crash.seconds)
        await self._return(f"post {connection_id}")
        post.answered = job.job_id
        shown = self.truth.show(job)
        return Job(shown.job_id, shown.connection_id, shown.kind, shown.status, shown.created_at)

    def depart(self, what: str) -> asyncio.Future[None]:
        """Let a call begin a little later than it was made: no two leave at one instant, or the order of their deadlines were left open."""
        self._life.breathe()
        return self.truth.loop.sleeper(DEPARTS_WITHIN * self._chance(f"depart {what}"))

    def date(self) -> datetime:
        """What the platform's clock shows, in whole seconds as a header has it."""
        return (self.truth.clock.now() + self.truth.skew()).replace(microsecond=0)

    async def _arrive(self, what: str, kind: FaultKind | None = None) -> None:
        self._life.breathe()
        await self._travel(what)
        self._refuse(kind)
        fault = self._nemesis.take(ON_READ)
        match None if fault is None else fault.kind:
            case FaultKind.SLOW_READ:
                raise Unanswered(has_begun=fault is not None and fault.choice < 0.5)
            case FaultKind.GARBLED_READ:
                raise Garbled(is_page=fault is not None and fault.choice < 0.5)
            case FaultKind.READ_CUT:
                raise CutOff

    async def _return(self, what: str) -> None:
        await self._travel(what)
        self._life.breathe()

    def _travel(self, what: str) -> asyncio.Future[None]:
        """The time that a message takes."""
        return self.truth.loop.sleeper(0.02 + 0.2 * self._chance(what))

    def _chance(self, what: str) -> float:
        """Drawn from what happens and when, and not one after the other: which of two at one instant comes first must not matter."""
        text = f"{self.truth.seed}/{self.truth.name}/{self._life.number}/{what}/{round(self.truth.loop.elapsed * 1e6)}"
        return int.from_bytes(blake2b(text.encode(), digest_size=6).digest()) / 2**48

    def _refuse(self, kind: FaultKind | None) -> None:
        """Fail as things stand; ``kind``: a fault that hits only such questions."""
        if (quota := self._nemesis.standing(FaultKind.QUOTA)) is not None:
            raise AnsweredError(429, max(1, ceil(quota[1])))
        if self._nemesis.standing(FaultKind.OUTAGE) is not None:
            raise Unreachable
        if kind is not None and self._nemesis.standing(kind) is not None:
            raise AnsweredError(503)

    def _sent(self, ref: ConnectionRef, kind: JobKind) -> Post:
        claimed = self._chronicle.open.get(ref)
        post = Post(ref, self._life.number, self.truth.clock.now(), claimed, kind)
        post.against = next(iter(self._seen_active.get(ref.connection_id, ())), "")
        if claimed is not None:
            claimed.posts += 1
        self._chronicle.posts.append(post)
        self._chronicle.states[ref] = Journal.SENT
        return post

    def _effect(self, post: Post, fault: Fault | None) -> TrueJob:
        kind, choice = (None, 0.0) if fault is None else (fault.kind, fault.choice)
        if kind in _STATUS_WITHOUT_EFFECT:
            post.is_doubtful = kind is FaultKind.ERROR_WITHOUT_EFFECT
            raise AnsweredError(_STATUS_WITHOUT_EFFECT[kind])
        if kind in (FaultKind.LOST_REQUEST, FaultKind.LATE_EFFECT):
            if kind is FaultKind.LATE_EFFECT:
                low, high = AFTER_CLIENT_MIN, self.truth.latest_effect()
                self.truth.execute_later(post, low + (high - low) * choice)
            post.is_doubtful = True
            raise Unanswered
        if not self.truth.has(post.ref.connection_id):
            raise AnsweredError(404)
        job = self.truth.execute(post)
        if job is None:
            post.is_off = self.truth.is_off(post.ref.connection_id)
            raise AnsweredError(409)
        if kind is None:
            return job
        post.is_doubtful = True
        raise _after_effect(kind, choice)

    def _shift(self) -> str | None:
        """Let somebody start a job while the pages of a listing are read."""
        fault = self._nemesis.take((FaultKind.PAGE_SHIFT,))
        if fault is None or not self.truth.start_foreign(fault.choice):
            return None
        return self.truth.newest_id

    def _regressed(self, shown: Sequence[Job]) -> Sequence[Job]:
        """Show a job that has just been seen to end as running once more, if that is to happen."""
        since = self.truth.clock.now() + self.truth.skew() - JUST_ENDED
        for place, job in enumerate(shown):
            if job.ended_at is not None and job.ended_at > since and self._nemesis.take((FaultKind.STATUS_REGRESSION,)):
                again = replace(job, status=JobStatus.RUNNING, ended_at=None, rows=None, bytes=None)
                return [*shown[:place], again, *shown[place + 1 :]]
        return shown

    def _note_settings(self, shown: Iterable[Connection]) -> None:
        """Remember how connections were shown to this life, for the promise that nothing starts beside their own schedules."""
        for connection in shown:
            ref = ConnectionRef(self.truth.name, connection.connection_id)
            if self._life.seen_settings.get(ref) != connection:
                self._life.seen_settings[ref] = connection
                row = ShownConnection(self.truth.clock.now(), self._life.number, connection)
                self._chronicle.shown.setdefault(ref, []).append(row)

    def _note(self, shown: Iterable[Job]) -> None:
        """Remember which active jobs this life was shown, for the promise that nothing starts beside one."""
        for job in shown:
            active, known = self._seen_active.setdefault(job.connection_id, {}), self.truth.known(job.job_id)
            if job.is_active:
                # An older answer that comes in later takes nothing back.
                if known is not None and not known.is_seen_over:
                    active[job.job_id] = None
            else:
                active.pop(job.job_id, None)


_STATUS_WITHOUT_EFFECT: dict[FaultKind | None, int] = {
    FaultKind.REFUSED: 403,
    FaultKind.REJECTED: 422,
    FaultKind.BUSY: 409,
    FaultKind.ERROR_WITHOUT_EFFECT: 502,
}


def _after_effect(kind: FaultKind, choice: float) -> ExchangeFailed:
    """What a sender gets instead of the answer to a POST that made a job."""
    match kind:
        case FaultKind.ERROR_WITH_EFFECT:
            return AnsweredError(502)
        case FaultKind.GARBLED_REPLY:
            return CutOff() if choice < 1 / 3 else Garbled(is_page=choice < 2 / 3)
        case _:
            return Unanswered(has_begun=kind is FaultKind.SLOW_REPLY)


def newest_first(jobs: Iterable[Job]) -> tuple[Job, ...]:
    """In the order in which platforms list them."""
    return tuple(sorted(jobs, key=lambda job: (job.created_at, len(job.job_id), job.job_id), reverse=True))
