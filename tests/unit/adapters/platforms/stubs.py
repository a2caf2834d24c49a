"""A clock that moves when told, and a platform at the transport seam that answers as a test says."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import httpx

from controller.adapters.platforms.aitronos import AitronosOptions, AitronosPlatform
from controller.adapters.platforms.credentials import Credentials, TokenValue
from controller.model.profile import AITRONOS, PlatformProfile

T0 = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
TOKEN = "ak_sentinel0123456789"
ROOT = "/v1/organizations/org_1/knowledge/connectors"
UNLIMITED = replace(AITRONOS, requests_per_minute=None, requests_per_day=None)
T = TypeVar("T")
# Nothing in these tests may take longer, not even on a busy machine.
DEADLINE_SECONDS = 40.0


class ManualClock:
    """Time that only ``sleep`` and ``advance`` move; the wall starts at ``T0``, boottime at 1,000."""

    def __init__(self) -> None:
        self.passed = 0.0
        self.slept: list[float] = []

    def now(self) -> datetime:
        """The wall clock."""
        return T0 + timedelta(seconds=self.passed)

    def boottime(self) -> float:
        """Seconds that never step."""
        return 1000.0 + self.passed

    async def sleep(self, seconds: float) -> None:
        """Be there at once, and remember it."""
        self.slept.append(seconds)
        self.passed += seconds

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.passed += seconds


Answer = httpx.Response | Exception
Handler = Callable[[httpx.Request], Answer | Awaitable[Answer]]


@dataclass
class Stub:
    """An adapter over a handler, with every request that reached it."""

    handler: Handler
    profile: PlatformProfile = UNLIMITED
    credentials: Credentials = field(default_factory=lambda: TokenValue(TOKEN))
    clock: ManualClock = field(default_factory=ManualClock)
    requests: list[httpx.Request] = field(default_factory=list)

    def platform(self) -> AitronosPlatform:
        """A new adapter; its requests are recorded here."""
        transport = httpx.MockTransport(self._answer)
        options = AitronosOptions("https://api.test", "org_1", self.credentials, self.profile, self.clock, transport)
        return AitronosPlatform(options)

    async def _answer(self, sent: httpx.Request) -> httpx.Response:
        request = addressed(sent)
        self.requests.append(request)
        answer = self.handler(request)
        if not isinstance(answer, httpx.Response | Exception):
            answer = await answer
        if isinstance(answer, Exception):
            raise answer
        return answer


def addressed(request: httpx.Request) -> httpx.Request:
    """A request with path and query in its address; as it is sent they stand in the extension ``target``."""
    url = request.url.copy_with(raw_path=request.extensions["target"])
    return httpx.Request(request.method, url, headers=request.headers, content=request.content)


def answers(*given: Answer) -> Handler:
    """Answer with one after the other; the last one stays."""
    waiting = list(given)
    return lambda _request: waiting.pop(0) if len(waiting) > 1 else waiting[0]


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run one test's coroutine; nothing in these tests may take long."""

    async def bounded() -> T:
        async with asyncio.timeout(DEADLINE_SECONDS):
            return await work

    return asyncio.run(bounded())


def stamp(at: datetime) -> str:
    """As Airbyte writes a time: UTC, seconds left out when they are zero."""
    return at.strftime("%Y-%m-%dT%H:%M" + (":%S" if at.second else "") + "Z")


def job_row(number: int, at: datetime | None = None, **more: object) -> dict[str, object]:
    """A job as the platform shows it."""
    start = stamp(at or T0 + timedelta(seconds=number))
    row: dict[str, object] = {"job_id": f"job_{number}", "connection_id": "c1", "status": "succeeded"}
    return row | {"job_type": "sync", "start_time": start} | more


@dataclass
class JobServer:
    """Serves job listings like the platform, or with one of the faults that are switched on: then the rows keep the order given."""

    rows: list[dict[str, object]]
    ignores_order: bool = False
    ignores_since: bool = False
    says_total: bool = True
    ignores_status: bool = False
    total: Callable[[int, int], int] = lambda in_all, _on_page: in_all
    page_cap: int = 100
    before_page: Callable[[int], None] = lambda _page: None
    offsets: list[int] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer one listing request."""
        self.before_page(len(self.offsets))
        query = request.url.params
        rows = list(self.rows)
        if "created_at_start" in query and not self.ignores_since:
            rows = [row for row in rows if _start(row) >= datetime.fromisoformat(query["created_at_start"])]
        if "status" in query and not self.ignores_status:
            rows = [row for row in rows if row["status"] == query["status"]]
        if not self.ignores_order:
            rows.sort(key=_start, reverse=query.get("order_by") == "createdAt|DESC")
        offset = int(query["offset"])
        self.offsets.append(offset)
        page = rows[offset : offset + min(int(query["limit"]), self.page_cap)]
        body: dict[str, object] = {"data": page, "next": "https://evil.test/next"}
        if self.says_total:
            body["total"] = self.total(len(rows), len(page))
        return httpx.Response(200, json=body, headers={"date": "Mon, 02 Mar 2026 12:00:07 GMT"})


def _start(row: dict[str, object]) -> datetime:
    return datetime.fromisoformat(str(row["start_time"]))


def reply_json(status: int, body: object, **headers: str) -> httpx.Response:
    """An answer with JSON in it; header names with underscores for dashes."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, content=json.dumps(body).encode(), headers=named)
