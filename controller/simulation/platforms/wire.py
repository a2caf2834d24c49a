"""A simulated platform on the wire: the real adapter and the real HTTP client talk to it, and it answers in the platform's dialect.

One call of the port is one exchange here as well, however many requests the adapter makes of it: the first request that gets through
travels, the others are answered at the same instant from what it brought. So whatever happens, happens when it does at the port.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Coroutine
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from datetime import datetime
from email.utils import format_datetime
from random import Random
from typing import Any, Final, TypeVar
from urllib.parse import unquote, unquote_plus

import httpx
from pydantic_core import from_json, to_json

from controller.bootstrap import simulated_adapter
from controller.model.connection import Connection, ConnectionChange, ConnectionStatus
from controller.model.job import Job, JobKind
from controller.ports.platform import JobListing
from controller.simulation.controllers.life import Life
from controller.simulation.platforms.exchange import (
    AnsweredError,
    CutOff,
    ExchangeFailed,
    Exchanges,
    Garbled,
    Shown,
    Unanswered,
    Unreachable,
)
from controller.simulation.platforms.platform import SimulatedPlatform
from controller.simulation.platforms.view import REFUSED_WORDS
from controller.simulation.platforms.wire_rows import connection_row, job_row

T = TypeVar("T")

PREFIX: Final = "/v1/organizations/org_simulated/knowledge/connectors"
PAGE_SIZES: Final = (3, 20, 100)
"""Jobs per page, one of them for each platform of each seed."""

PAGE_OF_A_PROXY: Final = b"<html><head><title>502 Bad Gateway</title></head></html>"
PROMISED: Final = b'{"data": [{"job_id": '


@dataclass(slots=True)
class _Call:
    """One call of the port: which jobs it is about, and what its exchange brought, once it brought something."""

    job_ids: Collection[str] = ()
    brought: Any = None
    under_way: asyncio.Future[Any] | None = None
    is_told: bool = field(default=False)

    async def once(self, exchange: Callable[[], Awaitable[Any]]) -> Any:
        """The exchange, made once for all requests of the call that wait for it; after a failure the next request makes it again."""
        if self.brought is not None:
            return self.brought
        if self.under_way is not None:
            return await self.under_way
        self.under_way = asyncio.get_running_loop().create_future()
        try:
            self.brought = await exchange()
            self.under_way.set_result(self.brought)
        except ExchangeFailed as failure:
            self.under_way.set_exception(failure)
            # Perhaps nobody else waits.
            self.under_way.exception()
            raise
        except asyncio.CancelledError:
            self.under_way.cancel()
            raise
        finally:
            self.under_way = None
        return self.brought


_CALL: ContextVar[_Call] = ContextVar("_CALL")


class WiredPlatform:
    """The platform port of one life of a controller, through the adapter and its client."""

    def __init__(self, truth: SimulatedPlatform, life: Life) -> None:
        size = Random(f"{truth.seed}/{truth.name}/pages").choice(PAGE_SIZES)
        # Requests are not counted at the port, where one call is one question.
        profile = replace(truth.profile, page_size=size, requests_per_minute=None, requests_per_day=None)
        self._exchanges = Exchanges(truth, life)
        self._adapter = simulated_adapter(WireTransport(self._exchanges), profile, truth.clock)

    async def list_jobs(self, since: datetime) -> JobListing:
        """As the port says."""
        await self._exchanges.depart("list")
        return await _within(_Call(), self._adapter.list_jobs(since))

    async def list_active_jobs(self) -> tuple[Job, ...]:
        """As the port says."""
        await self._exchanges.depart("active")
        return await _within(_Call(), self._adapter.list_active_jobs())

    async def get_jobs(self, job_ids: Collection[str]) -> dict[str, Job]:
        """As the port says."""
        await self._exchanges.depart("get")
        return await _within(_Call(job_ids), self._adapter.get_jobs(job_ids))

    async def newest_success(self, connection_id: str) -> Job | None:
        """As the port says."""
        await self._exchanges.depart(f"success {connection_id}")
        return await _within(_Call(), self._adapter.newest_success(connection_id))

    async def get_connection(self, connection_id: str) -> Connection | None:
        """As the port says."""
        await self._exchanges.depart(f"connection {connection_id}")
        return await _within(_Call(), self._adapter.get_connection(connection_id))

    async def list_connections(self, offset: int, limit: int) -> tuple[Connection, ...]:
        """As the port says."""
        await self._exchanges.depart("connections")
        return await _within(_Call(), self._adapter.list_connections(offset, limit))

    async def trigger_sync(self, connection_id: str) -> Job:
        """As the port says."""
        await self._exchanges.depart(f"post {connection_id}")
        return await _within(_Call(), self._adapter.trigger_sync(connection_id))

    async def trigger_reset(self, connection_id: str) -> Job:
        """As the port says."""
        await self._exchanges.depart(f"post {connection_id}")
        return await _within(_Call(), self._adapter.trigger_reset(connection_id))

    async def cancel_job(self, job_id: str) -> None:
        """As the port says."""
        await self._exchanges.depart(f"cancel {job_id}")
        await _within(_Call(), self._adapter.cancel_job(job_id))

    async def update_connection(self, connection_id: str, change: ConnectionChange) -> Connection:
        """As the port says."""
        await self._exchanges.depart(f"patch {connection_id}")
        return await _within(_Call(), self._adapter.update_connection(connection_id, change))

    async def close(self) -> None:
        """As the port says."""
        await self._adapter.close()


async def _within(call: _Call, asked: Coroutine[Any, Any, T]) -> T:
    token = _CALL.set(call)
    try:
        return await asked
    finally:
        _CALL.reset(token)


AUTHORIZED = (b"authorization", b"Bearer simulated")


class WireTransport(httpx.AsyncBaseTransport):
    """What a client sends through, instead of the network."""

    def __init__(self, exchanges: Exchanges) -> None:
        self._exchanges = exchanges

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request, or fail as the network does."""
        try:
            status, body = await self._answer(request)
        except AnsweredError as answer:
            return self._response(answer.status, _error_body(answer.status), self._waits(answer))
        except Unreachable:
            raise httpx.ConnectError(REFUSED_WORDS, request=request) from None
        except CutOff:
            raise httpx.RemoteProtocolError("the peer closed the connection", request=request) from None
        except Unanswered as failure:
            if not failure.has_begun:
                await _never()
            return httpx.Response(200, stream=_Dripping())
        except Garbled as failure:
            return self._response(200, PAGE_OF_A_PROXY if failure.is_page else PROMISED)
        return self._response(status, body)

    async def _answer(self, request: httpx.Request) -> tuple[int, bytes]:
        target = request.extensions["target"].decode("ascii").removeprefix(PREFIX)
        path, _, text = target.partition("?")
        kind, _, name = path.strip("/").partition("/")
        query, call = _query(text), _CALL.get()
        if AUTHORIZED not in request.headers.raw:
            return 401, b""
        match request.method, kind, bool(name):
            case "POST", "jobs", False:
                return await self._trigger(request)
            case "DELETE", "jobs", True:
                await self._exchanges.cancel_job(unquote(name))
                return 204, b""
            case "GET", "jobs", True:
                found = await call.once(lambda: self._exchanges.get_jobs(call.job_ids))
                return _one(found.get(unquote(name)))
            case "GET", "jobs", False:
                return 200, await self._jobs(query, call)
            case "PATCH", "connections", True:
                changed = await self._exchanges.update_connection(unquote(name), _change_of(from_json(request.read())))
                return 200, to_json(connection_row(changed))
            case "GET", "connections", True:
                connection = await self._exchanges.get_connection(unquote(name))
                return (404, _error_body(404)) if connection is None else (200, to_json(connection_row(connection)))
            case "GET", "connections", False:
                every = await call.once(self._exchanges.list_connections)
                rows = [connection_row(each) for each in every]
                return 200, _page(rows, query)
            case _:
                return 405, b""

    async def _trigger(self, request: httpx.Request) -> tuple[int, bytes]:
        asked = from_json(request.read())
        if asked["jobType"] not in ("sync", "reset") or request.headers.get("connection") != "close":
            return 422, _error_body(422)
        return _one(await self._exchanges.trigger(asked["connectionId"], JobKind(asked["jobType"])))

    async def _jobs(self, query: dict[str, str], call: _Call) -> bytes:
        if query["order_by"] != "createdAt|DESC":
            raise AnsweredError(422)
        if "created_at_start" in query:
            since = datetime.fromisoformat(query["created_at_start"])
            shown: Shown = await call.once(lambda: self._exchanges.list_jobs(since))
        elif "connection_id" in query:
            shown = await call.once(lambda: self._exchanges.newest_successes(query["connection_id"]))
        else:
            shown = await call.once(self._exchanges.list_active_jobs)
        rows = [job_row(job) for job in shown.jobs if query.get("status") in (None, str(job.status))]
        if shown.latest is not None and not call.is_told and len(rows) > int(query["limit"]):
            # It comes after the first page, and moves all others down.
            call.is_told = True
            rows = [row for row in rows if row["job_id"] != shown.latest]
        return _page(rows, query)

    def _response(self, status: int, body: bytes, more: dict[str, str] | None = None) -> httpx.Response:
        date = format_datetime(self._exchanges.date(), usegmt=True)
        # As a stream, as it comes from a network: a content would be read and measured first.
        return httpx.Response(status, headers={"date": date, **(more or {})}, stream=httpx.ByteStream(body))

    def _waits(self, answer: AnsweredError) -> dict[str, str]:
        """How long to wait, in one of the two ways in which that is said."""
        if answer.retry_after is None:
            return {}
        until = self._exchanges.date().timestamp() + answer.retry_after
        as_date = format_datetime(datetime.fromtimestamp(until, self._exchanges.date().tzinfo), usegmt=True)
        return {"retry-after": as_date if answer.retry_after % 2 else str(answer.retry_after)}


class _Dripping(httpx.AsyncByteStream):
    """The beginning of an answer whose rest never comes."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """One piece, and then nothing."""
        yield PROMISED
        await _never()


async def _never() -> None:
    await asyncio.get_running_loop().create_future()


def _query(text: str) -> dict[str, str]:
    pairs = (pair.partition("=") for pair in text.split("&")) if text else ()
    return {name: unquote_plus(value) if "%" in value or "+" in value else value for name, _, value in pairs}


def _change_of(body: dict[str, Any]) -> ConnectionChange:
    """What a PATCH asks for; anything that is not understood is refused."""
    status, schedule = body.pop("status", None), body.pop("schedule", None)
    if body or schedule not in (None, {"schedule_type": "manual"}):
        raise AnsweredError(422)
    return ConnectionChange(schedule is not None, None if status is None else ConnectionStatus(status))


def _one(job: Job | None) -> tuple[int, bytes]:
    return (404, _error_body(404)) if job is None else (200, to_json(job_row(job)))


def _page(rows: list[dict[str, Any]], query: dict[str, str]) -> bytes:
    start = int(query["offset"])
    return to_json({"data": rows[start : start + int(query["limit"])], "total": len(rows)})


def _error_body(status: int) -> bytes:
    return to_json({"success": False, "error": {"message": "no", "type": "client_error", "status": status}})
