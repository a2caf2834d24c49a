"""Requests to one platform: how long, how often, how many, and what is said when they fail.

Reads are repeated, because repeating them changes nothing. Writes are sent once, each on a connection of its own: a reused
connection that the other side has just closed cannot be told from a request that was lost after it was executed.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Final

import httpx

from controller.adapters.platforms.budget import RequestBudget
from controller.adapters.platforms.credentials import Secret
from controller.adapters.platforms.envelope import Endpoint, Envelope
from controller.adapters.platforms.reply import RETRY_AFTER_DEFAULT, Reply
from controller.errors import NotCreated, OutcomeUnknown, PlatformBusyElsewhere, PlatformUnavailable

# A page of 100 jobs is 50 KB; a platform that ignores the limit may send some ten thousand, and memory stays bounded.
RESPONSE_BYTES_MAX = 16 * 1024 * 1024
# Two further tries: enough for a restart of one server behind a balancer; longer outages wait for the next listing.
READ_BACKOFF_SECONDS: Final = (0.5, 1.0)
# Reads under way: a few, because the pool's own cost grows with its size, and the platform serves from five threads.
READ_CONNECTIONS_MAX = 4
# Shorter than the idle time-outs of usual balancers (60 s), so that a reused connection is rarely a dead one.
READ_KEEPALIVE_SECONDS = 20.0

_NOT_SENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


class PlatformHttp:
    """One platform's reads and writes, its request budget and its pauses."""

    def __init__(self, endpoint: Endpoint) -> None:
        for name in ("httpx", "httpcore"):
            # Below WARNING both write whole addresses, with what stands in their query.
            logging.getLogger(name).setLevel(logging.WARNING)
        profile = endpoint.profile
        self._endpoint = endpoint
        self._budget = RequestBudget(profile.requests_per_minute, profile.requests_per_day)
        self._paused_until = 0.0
        self._read_seconds = profile.read_timeout.total_seconds()
        self._write_seconds = profile.write_timeout.total_seconds()
        self._envelope = Envelope(endpoint)
        self._reads, self._writes = _transports(endpoint)

    async def close(self) -> None:
        """Give both pools back."""
        await self._reads.aclose()
        await self._writes.aclose()

    async def read(self, what: str, path: str) -> Reply:
        """GET; ``what`` names it in errors, ``path`` may hold a query. Answers with any status that is final, success or not.

        Raises:
            PlatformBusyElsewhere: 429, a pause that it asked for, or the budget; nothing is sent before ``retry_after``.
            PlatformUnavailable: no answer, or none but 5xx and 408, after every try; or no token.
        """
        failures = 0
        refused = False
        while True:
            try:
                reply = await self._get(what, path)
            except (OSError, httpx.HTTPError) as error:
                problem = f"{what}: {_reason(error)}"
            else:
                if reply.status == 401 and not refused:
                    refused = True
                    self._endpoint.credentials.forget()
                    continue
                if reply.status != 408 and reply.status < 500:
                    return reply
                problem = reply.describe(what)
            if failures == len(READ_BACKOFF_SECONDS):
                raise PlatformUnavailable(problem)
            await self._endpoint.clock.sleep(READ_BACKOFF_SECONDS[failures])
            failures += 1

    async def write(self, what: str, method: str, path: str, body: bytes | None = None) -> Reply:
        """Send one POST or DELETE, once. Answers with any status but 429.

        Raises:
            NotCreated: no byte of it reached the platform, or the platform refused to look at it (429).
            OutcomeUnknown: it may have been executed.
        """
        try:
            request, secret = self._prepare(method, path, body, is_write=True)
        except PlatformBusyElsewhere as error:
            raise NotCreated(f"{what}: {error}", error.retry_after) from None
        except PlatformUnavailable as error:
            raise NotCreated(f"{what}: {error}") from None
        try:
            async with asyncio.timeout(self._write_seconds):
                reply = await _exchange(self._writes, request, secret)
        except _NOT_SENT as error:
            # None of these is chained: a cause may quote what the platform wrote, and carries the request.
            raise NotCreated(f"{what}: {_reason(error)}") from None
        except Exception as error:  # noqa: BLE001 (whatever broke, bytes may have left before it did)
            raise OutcomeUnknown(f"{what}: {_reason(error)}") from None
        if reply.status == 401:
            self._endpoint.credentials.forget()
        if reply.status == 429:
            raise NotCreated(reply.describe(what), self._pause(reply))
        return reply

    async def _get(self, what: str, path: str) -> Reply:
        request, secret = self._prepare("GET", path, None, is_write=False)
        async with asyncio.timeout(self._read_seconds):
            reply = await _exchange(self._reads, request, secret)
        if reply.status == 429 or (reply.status == 503 and self._asks_to_wait(reply)):
            raise PlatformBusyElsewhere(reply.describe(what), self._pause(reply))
        return reply

    def _prepare(self, method: str, path: str, body: bytes | None, *, is_write: bool) -> tuple[httpx.Request, Secret]:
        """Build the request and name the secret in it, if one may be sent now."""
        now = self._endpoint.clock.boottime()
        if now < self._paused_until:
            raise PlatformBusyElsewhere("the platform asked for a pause", timedelta(seconds=self._paused_until - now))
        secret = self._endpoint.credentials.current()
        wait = self._budget.take(now, is_write=is_write)
        if wait is not None:
            raise PlatformBusyElsewhere("the request budget is spent", wait)
        if is_write:
            return self._envelope.write(secret, method, path, body), secret
        return self._envelope.read(secret, path), secret

    def _asks_to_wait(self, reply: Reply) -> bool:
        return reply.retry_after(self._endpoint.clock.now()) is not None

    def _pause(self, reply: Reply) -> timedelta:
        wait = reply.retry_after(self._endpoint.clock.now()) or RETRY_AFTER_DEFAULT
        until = self._endpoint.clock.boottime() + wait.total_seconds()
        self._paused_until = max(self._paused_until, until)
        return wait


async def _exchange(transport: httpx.AsyncBaseTransport, request: httpx.Request, secret: Secret) -> Reply:
    # Straight through the transport: a client would only add what is forbidden here, as redirects, cookies and proxies.
    response = await transport.handle_async_request(request)
    try:
        body = bytearray()
        async for chunk in _decoded(response):
            body += chunk
            if len(body) > RESPONSE_BYTES_MAX:
                raise httpx.DecodingError(f"an answer of more than {RESPONSE_BYTES_MAX} bytes")
        return Reply(response.status_code, response.headers, bytes(body), secret)
    finally:
        await response.aclose()


def _decoded(response: httpx.Response) -> AsyncIterator[bytes]:
    """The body; from a platform that compresses it all the same, unpacked."""
    if "content-encoding" not in response.headers and isinstance(response.stream, httpx.AsyncByteStream):
        return aiter(response.stream)
    return response.aiter_bytes()


def _transports(endpoint: Endpoint) -> tuple[httpx.AsyncBaseTransport, httpx.AsyncBaseTransport]:
    """What carries reads, and what carries writes."""
    if endpoint.transport is not None:
        return endpoint.transport, endpoint.transport
    verify = httpx.create_ssl_context(trust_env=False) if endpoint.root.startswith("https:") else False
    kept = httpx.Limits(
        max_connections=READ_CONNECTIONS_MAX,
        max_keepalive_connections=READ_CONNECTIONS_MAX,
        keepalive_expiry=READ_KEEPALIVE_SECONDS,
    )
    fresh = httpx.Limits(max_connections=None, max_keepalive_connections=0)
    return (
        httpx.AsyncHTTPTransport(verify=verify, limits=kept, trust_env=False, retries=0),
        httpx.AsyncHTTPTransport(verify=verify, limits=fresh, trust_env=False, retries=0),
    )


def _reason(error: Exception) -> str:
    """What happened, without what the platform or the request said."""
    if isinstance(error, TimeoutError):
        return "no answer within the deadline"
    if isinstance(error, httpx.ConnectError):
        # The words of the operating system or of TLS; there is no answer yet that could be quoted.
        return f"no connection ({str(error)[:200]})"
    return f"no whole answer ({type(error).__name__})"
