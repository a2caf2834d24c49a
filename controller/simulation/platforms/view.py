"""The platform port of a simulation without HTTP: every failure is what the adapter would have said, at the instant when it would."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from datetime import UTC, datetime, timedelta
from typing import Final, TypeVar

from controller.errors import (
    Busy,
    ConnectionLocked,
    NotCreated,
    OutcomeUnknown,
    PlatformBusyElsewhere,
    PlatformUnavailable,
    Rejected,
)
from controller.model.connection import Connection, ConnectionChange
from controller.model.job import Job, JobKind
from controller.ports.platform import JobListing
from controller.simulation.controllers.life import Life
from controller.simulation.platforms.exchange import (
    AnsweredError,
    CutOff,
    ExchangeFailed,
    Exchanges,
    Unanswered,
    Unreachable,
)
from controller.simulation.platforms.platform import SimulatedPlatform

T = TypeVar("T")

BACKOFF_SECONDS: Final = (0.5, 1.0)
"""After how long a read is tried again, as the adapter does."""

REFUSED_WORDS: Final = "connection refused"
REFUSED: Final = f"no connection ({REFUSED_WORDS})"
PAUSED: Final = "the platform asked for a pause"


class PlatformView:
    """The platform port, as one life of a controller meets it."""

    def __init__(self, truth: SimulatedPlatform, life: Life) -> None:
        self._exchanges = Exchanges(truth, life)
        self._profile, self._loop, self._clock = truth.profile, truth.loop, truth.clock
        self._paused_until = 0.0

    async def list_jobs(self, since: datetime) -> JobListing:
        """As the port says."""
        covers = since.astimezone(UTC).replace(microsecond=0)
        await self._exchanges.depart("list")
        shown = await self._read("list jobs", lambda: self._exchanges.list_jobs(covers))
        return JobListing(shown.jobs, covers, shown.date)

    async def list_active_jobs(self) -> tuple[Job, ...]:
        """As the port says."""
        await self._exchanges.depart("active")
        return (await self._read("list jobs", self._exchanges.list_active_jobs)).jobs

    async def get_jobs(self, job_ids: Collection[str]) -> dict[str, Job]:
        """As the port says."""
        await self._exchanges.depart("get")
        return await self._read("get a job", lambda: self._exchanges.get_jobs(job_ids)) if job_ids else {}

    async def newest_success(self, connection_id: str) -> Job | None:
        """As the port says."""
        what = "find the newest success"
        await self._exchanges.depart(f"success {connection_id}")
        shown = await self._read(what, lambda: self._exchanges.newest_successes(connection_id))
        return next(iter(shown.jobs), None)

    async def get_connection(self, connection_id: str) -> Connection | None:
        """As the port says."""
        await self._exchanges.depart(f"connection {connection_id}")
        return await self._read("get a connection", lambda: self._exchanges.get_connection(connection_id))

    async def list_connections(self, offset: int, limit: int) -> tuple[Connection, ...]:
        """As the port says."""
        await self._exchanges.depart("connections")
        found = await self._read("list connections", self._exchanges.list_connections)
        return found[offset : offset + limit]

    async def trigger_sync(self, connection_id: str) -> Job:
        """As the port says, or as the nemesis wants it."""
        return await self._trigger(connection_id, JobKind.SYNC)

    async def trigger_reset(self, connection_id: str) -> Job:
        """As the port says, or as the nemesis wants it."""
        return await self._trigger(connection_id, JobKind.RESET)

    async def _trigger(self, connection_id: str, kind: JobKind) -> Job:
        await self._exchanges.depart(f"post {connection_id}")
        what, began = f"trigger a {kind}", self._loop.time()
        if began < self._paused_until:
            raise NotCreated(f"{what}: {PAUSED}", timedelta(seconds=self._paused_until - began))
        try:
            return await self._exchanges.trigger(connection_id, kind)
        except AnsweredError as answer:
            raise self._not_triggered(what, answer) from None
        except Unreachable:
            raise NotCreated(f"{what}: {REFUSED}") from None
        except ExchangeFailed as failure:
            await self._wait_for(failure, began, self._profile.write_timeout)
            raise OutcomeUnknown(f"{what}: {_reason(failure)}") from None

    async def cancel_job(self, job_id: str) -> None:
        """As the port says."""
        await self._exchanges.depart(f"cancel {job_id}")
        what, now = "cancel a job", self._loop.time()
        if now < self._paused_until:
            raise PlatformBusyElsewhere(f"{what}: {PAUSED}", timedelta(seconds=self._paused_until - now))
        try:
            await self._exchanges.cancel_job(job_id)
        except AnsweredError as answer:
            self._raise_if_busy(what, answer)
            raise PlatformUnavailable(f"{what}: HTTP {answer.status}") from None
        except Unreachable:
            raise PlatformUnavailable(f"{what}: {REFUSED}") from None

    async def update_connection(self, connection_id: str, change: ConnectionChange) -> Connection:
        """As the port says."""
        await self._exchanges.depart(f"patch {connection_id}")
        what, began = "change a connection", self._loop.time()
        if began < self._paused_until:
            raise NotCreated(f"{what}: {PAUSED}", timedelta(seconds=self._paused_until - began))
        try:
            return await self._exchanges.update_connection(connection_id, change)
        except AnsweredError as answer:
            failure = self._not_triggered(what, answer)
            raise (ConnectionLocked(str(failure)) if isinstance(failure, Busy) else failure) from None
        except Unreachable:
            raise NotCreated(f"{what}: {REFUSED}") from None

    async def close(self) -> None:
        """Nothing to give back."""

    async def _read(self, what: str, exchange: Callable[[], Awaitable[T]]) -> T:
        """Ask, and ask again after what may pass."""
        for backoff in (*BACKOFF_SECONDS, None):
            began = self._loop.time()
            if began < self._paused_until:
                raise PlatformBusyElsewhere(PAUSED, timedelta(seconds=self._paused_until - began))
            try:
                return await exchange()
            except AnsweredError as answer:
                self._raise_if_busy(what, answer)
                problem = f"{what}: HTTP {answer.status}"
            except (Unreachable, Unanswered, CutOff) as failure:
                await self._wait_for(failure, began, self._profile.read_timeout)
                problem = f"{what}: {_reason(failure)}"
            except ExchangeFailed as failure:
                raise PlatformUnavailable(f"{what}: {_reason(failure)}") from None
            if backoff is not None:
                await self._clock.sleep(backoff)
        raise PlatformUnavailable(problem)

    def _not_triggered(self, what: str, answer: AnsweredError) -> NotCreated | Rejected | Busy | OutcomeUnknown:
        text = f"{what}: HTTP {answer.status}"
        match answer.status:
            case 429:
                return NotCreated(text, self._pause(answer))
            case 403:
                return NotCreated(text)
            case 404 | 422:
                return Rejected(text)
            case 409:
                return Busy(text)
            case _:
                return OutcomeUnknown(text)

    def _raise_if_busy(self, what: str, answer: AnsweredError) -> None:
        if answer.status == 429:
            raise PlatformBusyElsewhere(f"{what}: HTTP 429", self._pause(answer)) from None

    def _pause(self, answer: AnsweredError) -> timedelta:
        wait = timedelta(seconds=answer.retry_after or 60)
        self._paused_until = max(self._paused_until, self._loop.time() + wait.total_seconds())
        return wait

    async def _wait_for(self, failure: ExchangeFailed, began: float, deadline: timedelta) -> None:
        """Where nothing comes, wait until the deadline."""
        if isinstance(failure, Unanswered):
            waiter: asyncio.Future[None] = self._loop.create_future()
            timer = self._loop.call_at(began + deadline.total_seconds(), waiter.set_result, None)
            try:
                await waiter
            finally:
                timer.cancel()


def _reason(failure: ExchangeFailed) -> str:
    match failure:
        case Unreachable():
            return REFUSED
        case Unanswered():
            return "no answer within the deadline"
        case CutOff():
            return "no whole answer (RemoteProtocolError)"
        case _:
            return "the answer cannot be read at the body (json_invalid)"
