"""What happens to a request before and after the routes: its id, the rate limit, the size limit, and faults on request."""

import asyncio
import math
import random
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime
from http import HTTPStatus

from fastapi.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from controller.embedded.clock import utc_now
from controller.embedded.envelope import ApiError, envelope_of, error_of_status
from controller.embedded.faults import Fault, Injection, draw_injection

BODY_BYTES_MAX = 1024 * 1024  # far above any body of this API; keeps a client from filling the memory
UNLIMITED_REQUESTS = 1_000_000  # what the headers say when there is no limit
WINDOW = timedelta(minutes=1)

# Breaks the connection of a client, given by its address, without an answer.
BreakConnection = Callable[[tuple[str, int]], None]


class RateLimit:
    """A fixed window of a minute, for all clients together."""

    def __init__(self, requests_per_minute: int | None) -> None:
        self._limit = requests_per_minute
        self._resets_at = datetime.min.replace(tzinfo=utc_now().tzinfo)
        self._used = 0

    def take(self, now: datetime) -> bool:
        """Count one request and say whether it is within the limit."""
        if now >= self._resets_at or self._resets_at - now > WINDOW:
            self._resets_at = now + WINDOW
            self._used = 0
        self._used += 1
        return self._limit is None or self._used <= self._limit

    def headers(self) -> dict[str, str]:
        """Return the headers that every answer has; the reset is in Unix seconds, rounded up."""
        limit = UNLIMITED_REQUESTS if self._limit is None else self._limit
        return {
            "x-ratelimit-limit-requests": str(limit),
            "x-ratelimit-remaining-requests": str(max(0, limit - self._used)),
            "x-ratelimit-reset-requests": str(math.ceil(self._resets_at.timestamp())),
        }

    def seconds_left(self, now: datetime) -> int:
        """Return after how many whole seconds the window is over."""
        return max(1, math.ceil((self._resets_at - now).total_seconds()))


@dataclass(frozen=True, slots=True)
class Rules:
    """How the gateway is set up."""

    faults: Sequence[Fault]
    chance: random.Random
    requests_per_minute: int | None
    break_connection: BreakConnection


class Gateway:
    """An ASGI application around the API."""

    def __init__(self, app: ASGIApp, rules: Rules) -> None:
        self._app = app
        self._rules = rules
        self._rate_limit = RateLimit(rules.requests_per_minute)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = f"req_{secrets.token_hex(8)}"
        scope["request_id"] = request_id
        now = utc_now()
        is_counted = scope["path"].startswith("/v1/")
        is_within_limit = not is_counted or self._rate_limit.take(now)
        headers = {"x-request-id": request_id, **self._rate_limit.headers()}
        send = _with_headers(send, headers)
        if not is_within_limit:
            await _refuse_too_many(self._rate_limit.seconds_left(now), scope, receive, send)
            return
        injection = draw_injection(self._rules.faults, self._rules.chance) if is_counted else Injection()
        await self._answer(injection, scope, receive, send)

    async def _answer(self, injection: Injection, scope: Scope, receive: Receive, send: Send) -> None:
        if injection.delay_seconds:
            await _pause(injection.delay_seconds)
        if injection.is_request_lost:
            await self._break(scope, receive)
            return
        if injection.is_refused_with_500:
            error = error_of_status(HTTPStatus.INTERNAL_SERVER_ERROR, "Something went wrong, as it was told to.")
            await _refuse(error, {}, scope, receive, send)
            return
        if injection.retry_after_seconds is not None:
            await _refuse_too_many(math.ceil(injection.retry_after_seconds), scope, receive, send)
            return
        body = await _read_body(receive)
        if body is None:
            error = error_of_status(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"The body is larger than {BODY_BYTES_MAX} bytes."
            )
            await _refuse(error, {}, scope, receive, send)
            return
        if injection.list_lag_seconds is not None:
            scope["list_lag"] = timedelta(seconds=injection.list_lag_seconds)
        await self._app(scope, _replayed(body, receive), _swallow if injection.is_reply_lost else send)
        if injection.is_reply_lost:
            await self._break(scope, receive)

    async def _break(self, scope: Scope, receive: Receive) -> None:
        self._rules.break_connection(scope["client"])
        # The server takes a return without an answer for a mistake, unless it has noticed that the client is gone.
        while (await receive())["type"] != "http.disconnect":
            pass


def _with_headers(send: Send, headers: Mapping[str, str]) -> Send:
    encoded = [(name.encode(), value.encode()) for name, value in headers.items()]

    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            date = (b"date", format_datetime(utc_now(), usegmt=True).encode())
            message = {**message, "headers": [*message.get("headers", []), date, *encoded]}
        await send(message)

    return send_with_headers


async def _refuse_too_many(seconds: int, scope: Scope, receive: Receive, send: Send) -> None:
    error = error_of_status(HTTPStatus.TOO_MANY_REQUESTS, f"Too many requests: try again in {seconds} s.")
    await _refuse(error, {"retry-after": str(seconds)}, scope, receive, send)


async def _refuse(error: ApiError, headers: Mapping[str, str], scope: Scope, receive: Receive, send: Send) -> None:
    response = JSONResponse(envelope_of(error, scope["request_id"]), status_code=error.status, headers=headers)
    await response(scope, receive, send)


async def _read_body(receive: Receive) -> bytes | None:
    """Read the whole body, so that a fault never cuts a request in the middle; None when it is too large."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return bytes(body)
        body += message.get("body", b"")
        if len(body) > BODY_BYTES_MAX:
            return None
        if not message.get("more_body", False):
            return bytes(body)


def _replayed(body: bytes, receive: Receive) -> Receive:
    waiting = [body]

    async def receive_again() -> Message:
        if waiting:
            return {"type": "http.request", "body": waiting.pop(), "more_body": False}
        return await receive()

    return receive_again


async def _swallow(message: Message) -> None:
    del message


async def _pause(seconds: float) -> None:
    loop = asyncio.get_running_loop()
    waited = loop.create_future()
    timer = loop.call_later(seconds, waited.set_result, None)
    try:
        await waited
    finally:
        timer.cancel()
