"""The receiver on a port: one path, one request for each connection, and bounds on all that a stranger can make it hold or wait for.

uvicorn's protocol is used without its server, which would install signal handlers, wake up ten times a second, and wait for slow
senders at the end.
"""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from starlette.types import Receive, Scope, Send
from uvicorn import Config
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle
from uvicorn.server import ServerState

from controller.adapters.webhook.proof import Hook
from controller.adapters.webhook.receiver import Poke, Receiver

LINGER_BYTES_MAX = 4 * 1024 * 1024
"""How much of a refused body is thrown away so that its sender reads the answer; more than two sockets' buffers usually hold."""

STOP_SECONDS = 0.5
"""How long requests that were cut off may take to notice it."""

_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a sender may take.

    Attributes:
        header_seconds: from the connection to the end of the request's head.
        body_seconds: from there to the end of its body.
        linger_seconds: how long a sender that was refused may go on sending until it has read the answer.
        connections_max: connections at once; further ones are closed unread, so that they use up no file descriptors.
    """

    header_seconds: float = 10.0
    body_seconds: float = 30.0
    linger_seconds: float = 1.0
    connections_max: int = 64


class Endpoint:
    """The ASGI application; ``hook`` is asked at each request, because secrets are rotated while the process runs."""

    def __init__(self, path: str, hook: Callable[[], Hook], fetches: Poke, limits: Limits) -> None:
        self._path = path
        self._hook = hook
        self._fetches = fetches
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, and let the connection be closed."""
        body = _Body(receive)
        try:
            async with asyncio.timeout(self._limits.body_seconds):
                status = await self._status(scope, body)
        except _SenderGone:
            return
        except TimeoutError:
            status = HTTPStatus.REQUEST_TIMEOUT
        except Exception as error:  # noqa: BLE001  whatever a stranger sends, it must not reach the controller
            _LOG.error("the webhook receiver failed: %s", type(error).__name__)
            status = HTTPStatus.INTERNAL_SERVER_ERROR
        await self._answer(status, body, send)

    async def _status(self, scope: Scope, body: "_Body") -> HTTPStatus:
        if scope["path"] != self._path:
            return HTTPStatus.NOT_FOUND
        if scope["method"] != "POST":
            return HTTPStatus.METHOD_NOT_ALLOWED
        return HTTPStatus(await Receiver(self._hook(), self._fetches).receive(scope["headers"], body))

    async def _answer(self, status: HTTPStatus, body: "_Body", send: Send) -> None:
        headers = [(b"content-length", b"0"), (b"connection", b"close")]
        if status is HTTPStatus.METHOD_NOT_ALLOWED:
            headers.append((b"allow", b"POST"))
        await send({"type": "http.response.start", "status": int(status), "headers": headers})
        if not body.is_read:
            # A connection that is closed over unread bytes is reset, and the answer is lost with it.
            await body.drain(self._limits.linger_seconds)
        await send({"type": "http.response.body"})


class _SenderGone(Exception):
    """The connection ended before the body did."""


class _Body:
    """A request's body, piece by piece."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self.is_read = False

    def __aiter__(self) -> "_Body":
        return self

    async def __anext__(self) -> bytes:
        if self.is_read:
            raise StopAsyncIteration
        message = await self._receive()
        if message["type"] != "http.request":
            raise _SenderGone
        self.is_read = not message.get("more_body", False)
        piece: bytes = message.get("body", b"")
        return piece

    async def drain(self, seconds: float) -> None:
        """Throw away what still comes, for so long and not without end."""
        size = 0
        with suppress(TimeoutError, _SenderGone):
            async with asyncio.timeout(seconds):
                async for piece in self:
                    size += len(piece)
                    if size > LINGER_BYTES_MAX:
                        return


class _Protocol(H11Protocol):
    """HTTP/1.1 with two bounds that uvicorn's lacks: on the time that a head may take, and on connections that say nothing."""

    cycle: RequestResponseCycle | None  # type: ignore[assignment]  # None before the first request

    def __init__(self, config: Config, state: ServerState, limits: Limits) -> None:
        super().__init__(config, state, {})
        self._limits = limits
        self._head: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > self._limits.connections_max:
            transport.abort()
        else:
            self._head = self.loop.call_later(self._limits.header_seconds, self._cut_off_without_request)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._head is not None:
            self._head.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        try:
            super().data_received(data)
        except Exception:  # noqa: BLE001  nonsense after the answer began; asyncio would write a traceback for each
            self.transport.abort()

    def _cut_off_without_request(self) -> None:
        if self.cycle is None:
            self.transport.abort()


@asynccontextmanager
async def serving(endpoint: Endpoint, listening: socket.socket, limits: Limits) -> AsyncIterator[None]:
    """Take requests while the block runs; at its end every connection is cut off at once. The socket is closed then, too."""
    config = Config(
        endpoint,
        interface="asgi3",
        http=_Protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="critical",
        access_log=False,
        proxy_headers=False,
    )
    config.load()
    state = ServerState()
    server = await asyncio.get_running_loop().create_server(lambda: _Protocol(config, state, limits), sock=listening)
    try:
        yield
    finally:
        server.close()
        for connection in tuple(state.connections):
            connection.transport.abort()
        if state.tasks:
            _, late = await asyncio.wait(tuple(state.tasks), timeout=STOP_SECONDS)
            for task in late:
                task.cancel()


def listen(host: str, port: int) -> socket.socket:
    """A bound socket; port 0 takes a free one.

    Raises:
        OSError: the address is taken, is not this machine's, or needs more rights.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
    except OSError:
        listening.close()
        raise
    return listening
