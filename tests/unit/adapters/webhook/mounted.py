"""The receiver on a port of this machine, and senders that speak to it byte by byte."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from controller.adapters.webhook.proof import Hook
from controller.adapters.webhook.receiver import Poke
from controller.adapters.webhook.server import Endpoint, Limits, listen, serving
from tests.unit.adapters.webhook.requests import GITHUB, Pokes, Rows

ANSWER_SECONDS = 10.0
"""Longer than any answer takes; a test that waits for it fails."""


@dataclass
class Mounted:
    """A receiver that listens, and how often it asked for a fetch."""

    port: int
    pokes: Pokes

    async def raw(self, *pieces: bytes) -> bytes:
        """Send bytes and return everything that comes back until the connection ends; nothing where it is reset."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
            async with asyncio.timeout(ANSWER_SECONDS):
                return await reader.read()
        except ConnectionError:
            return b""
        finally:
            writer.transport.abort()

    async def status(self, *pieces: bytes) -> int:
        """Send bytes and return the status code of the answer; 0 where there is none."""
        answer = await self.raw(*pieces)
        return int(answer.split(b" ", 2)[1]) if answer else 0


@asynccontextmanager
async def mounted(
    hook: Hook | Callable[[], Hook] = GITHUB, *, limits: Limits | None = None, fetches: Poke | None = None
) -> AsyncIterator[Mounted]:
    """A receiver at ``/hook`` on a free port."""
    pokes, bounds = Pokes(), limits or Limits()
    give = (lambda: hook) if isinstance(hook, Hook) else hook
    listening = listen("127.0.0.1", 0)
    port = listening.getsockname()[1]
    async with serving(Endpoint("/hook", give, fetches or pokes, bounds), listening, bounds):
        yield Mounted(port, pokes)


def head(headers: Rows, *, method: str = "POST", path: str = "/hook") -> bytes:
    """The head of a request."""
    rows = [(b"Host", b"mainspring.test"), *headers]
    lines = [f"{method} {path} HTTP/1.1".encode(), *(name + b": " + value for name, value in rows)]
    return b"\r\n".join(lines) + b"\r\n\r\n"


def whole(headers: Rows, body: bytes, *, method: str = "POST", path: str = "/hook") -> bytes:
    """A request that says how long it is."""
    length = (b"Content-Length", str(len(body)).encode())
    return head([*headers, length], method=method, path=path) + body


def chunked(headers: Rows, chunks: Iterable[bytes]) -> "Iterable[bytes]":
    """A request that does not say how long it is, as it goes out."""
    yield head([*headers, (b"Transfer-Encoding", b"chunked")])
    for chunk in chunks:
        yield f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n"
    yield b"0\r\n\r\n"


def play(scene: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a scene on the machine's own event loop: there are real sockets in it."""
    asyncio.run(scene())


@dataclass
class HandClock:
    """A clock that goes on when it is told to; sockets are real, so the event loop's own time cannot be virtual."""

    at: float = 0.0
    sleepers: list[tuple[float, asyncio.Future[None]]] = field(default_factory=list)

    def now(self) -> datetime:
        """The wall clock."""
        return datetime(2026, 3, 2, tzinfo=UTC) + timedelta(seconds=self.at)

    def boottime(self) -> float:
        """The clock that never steps."""
        return self.at

    async def sleep(self, seconds: float) -> None:
        """Wait until it was set so far."""
        waited = asyncio.get_running_loop().create_future()
        self.sleepers.append((self.at + seconds, waited))
        await waited

    def go_on(self, seconds: float) -> None:
        """Let that much time pass."""
        self.at += seconds
        for until, waited in self.sleepers:
            if until <= self.at and not waited.done():
                waited.set_result(None)
