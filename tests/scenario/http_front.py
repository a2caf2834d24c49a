"""The platform in memory, spoken to over HTTP: the real adapter in a whole controller, in virtual time, with answers that go wrong."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx

from controller.adapters.platforms.aitronos import AitronosOptions, AitronosPlatform
from controller.adapters.platforms.credentials import TokenValue
from controller.errors import Busy, Rejected
from controller.model.connection import Connection, ConnectionChange, ConnectionStatus
from controller.model.job import Job
from controller.model.profile import PlatformProfile
from controller.ports.clock import Clock
from tests.fakes.platform import FakePlatform
from tests.unit.adapters.platforms.stubs import addressed

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
PREFIX = "/v1/organizations/org_1/knowledge/connectors"


@dataclass(frozen=True)
class Wrong:
    """What becomes of one POST: answered with this status, after it was executed or instead."""

    status: int
    is_executed: bool = False
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class HttpFront:
    """Serves one fake platform; every request is kept with its time."""

    fake: FakePlatform
    clock: Clock
    wrong: deque[Wrong] = field(default_factory=deque)
    before_listing: Callable[[int], None] = lambda _number: None
    requests: list[tuple[datetime, str, str]] = field(default_factory=list)
    listings: int = 0

    def adapter(self, profile: PlatformProfile) -> AitronosPlatform:
        """The real adapter in front of it."""
        transport = httpx.MockTransport(self._answer)
        options = AitronosOptions("https://api.test", "org_1", TokenValue("ak_front"), profile, self.clock, transport)
        return AitronosPlatform(options)

    def times_of(self, method: str) -> list[datetime]:
        """When requests of one method came."""
        return [at for at, each, _ in self.requests if each == method]

    async def _answer(self, sent: httpx.Request) -> httpx.Response:
        request = addressed(sent)
        path = request.url.path.removeprefix(PREFIX)
        self.requests.append((self.clock.now(), request.method, path))
        kind, _, name = path.strip("/").partition("/")
        if request.method == "POST":
            return await self._trigger(request)
        if request.method == "DELETE":
            await self.fake.cancel_job(name)
            return httpx.Response(204)
        if request.method == "PATCH":
            return await self._update(name, request)
        if kind == "connections":
            return await self._connections(name, request.url.params)
        if name:
            found = await self.fake.get_jobs([name])
            return httpx.Response(200, json=_row(found[name])) if name in found else httpx.Response(404)
        return await self._jobs(request.url.params)

    async def _trigger(self, request: httpx.Request) -> httpx.Response:
        wrong = self.wrong.popleft() if self.wrong else None
        if wrong is not None and not wrong.is_executed:
            return httpx.Response(wrong.status, headers=wrong.headers)
        try:
            job = await _executed(self.fake, request)
        except Busy:
            return httpx.Response(409)
        except Rejected:
            return httpx.Response(404)
        return httpx.Response(200, json=_row(job)) if wrong is None else httpx.Response(wrong.status)

    async def _update(self, name: str, request: httpx.Request) -> httpx.Response:
        body: dict[str, Any] = httpx.Response(200, content=request.content).json()
        status = body.get("status")
        change = ConnectionChange("schedule" in body, None if status is None else ConnectionStatus(status))
        assert body.get("schedule") in (None, {"scheduleType": "manual"})
        return httpx.Response(200, json=_connection_row(await self.fake.update_connection(name, change)))

    async def _connections(self, name: str, query: httpx.QueryParams) -> httpx.Response:
        if name:
            found = await self.fake.get_connection(name)
            return httpx.Response(404) if found is None else httpx.Response(200, json=_connection_row(found))
        every = await self.fake.list_connections(0, 1_000_000)
        page = every[int(query["offset"]) :][: int(query["limit"])]
        rows = [_connection_row(one) for one in page]
        return httpx.Response(200, json={"data": rows, "total": len(every)})

    async def _jobs(self, query: httpx.QueryParams) -> httpx.Response:
        self.before_listing(self.listings)
        self.listings += 1
        since = datetime.fromisoformat(query["created_at_start"]) if "created_at_start" in query else EPOCH
        jobs = [
            job for job in (await self.fake.list_jobs(since)).jobs if query.get("status") in (None, str(job.status))
        ]
        start = int(query["offset"])
        page = jobs[start : start + int(query["limit"])]
        return httpx.Response(200, json={"data": [_row(job) for job in page], "total": len(jobs)})


async def _executed(fake: FakePlatform, request: httpx.Request) -> Job:
    body: dict[str, Any] = httpx.Response(200, content=request.content).json()
    trigger = {"sync": fake.trigger_sync, "reset": fake.trigger_reset}[body["jobType"]]
    return await trigger(str(body["connectionId"]))


def _connection_row(one: Connection) -> dict[str, Any]:
    schedule = {"scheduleType": str(one.schedule_kind), "cronExpression": one.expression}
    return {"connection_id": one.connection_id, "name": one.name, "status": str(one.status), "schedule": schedule}


def _row(job: Job) -> dict[str, Any]:
    row: dict[str, Any] = {
        "job_id": job.job_id,
        "connection_id": job.connection_id,
        "status": str(job.status),
        "job_type": str(job.kind),
    }
    row["start_time"] = _stamp(job.created_at)
    return row if job.ended_at is None else row | {"last_updated_at": _stamp(job.ended_at)}


def _stamp(at: datetime) -> str:
    """Whole seconds, as platforms write it."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
