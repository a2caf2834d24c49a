"""The same over real sockets: a server that refuses, resets, stays silent, or sends half an answer."""

import asyncio
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from socket import SO_LINGER, SOL_SOCKET, socket

import pytest

from controller.adapters.platforms.aitronos import AitronosOptions, AitronosPlatform
from controller.adapters.platforms.credentials import TokenValue
from controller.errors import NotCreated, OutcomeUnknown, PlatformUnavailable
from tests.unit.adapters.platforms.stubs import TOKEN, UNLIMITED, ManualClock, run

# Long enough for a loopback round trip on a busy machine, short enough to be waited out.
HASTY = replace(UNLIMITED, write_timeout=timedelta(seconds=0.15), read_timeout=timedelta(seconds=0.15))
CREATED = b'{"job_id": "job_1", "connection_id": "c1", "status": "pending", "job_type": "sync"}'

Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Server:
    """A TCP server on loopback that plays one script per connection and counts connections and requests."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self.connections = 0
        self.requests: list[bytes] = []
        self.port = 0

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
                body = await reader.readexactly(int(length[0].split(b":")[1])) if length else b""
                self.requests.append(head + body)
                await self._script(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    @asynccontextmanager
    async def platform(self) -> AsyncIterator[AitronosPlatform]:
        """An adapter for this server, while it runs."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        platform = adapter(self.port)
        try:
            yield platform
        finally:
            await platform.close()
            server.close()


def adapter(port: int) -> AitronosPlatform:
    """An adapter for a port on loopback."""
    return AitronosPlatform(
        AitronosOptions(f"http://127.0.0.1:{port}", "org_1", TokenValue(TOKEN), HASTY, ManualClock())
    )


async def stay_silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    """Accept and never answer; the other side's end ends it."""
    await reader.read()


async def reset(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Drop the connection without a goodbye."""
    writer.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
    writer.close()


async def send_half(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Promise a whole body and send a part of it."""
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n" + CREATED)
    writer.close()


async def send_noise(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Speak another protocol."""
    writer.write(b"\x15\x03\x01\x00\x02\x02\x16 " + TOKEN.encode() + b"\r\n\r\n")
    writer.close()


async def create(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer with a new job, and leave the connection open."""
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(CREATED) + CREATED)


@pytest.mark.parametrize("script", [stay_silent, reset, send_half, send_noise])
def test_a_broken_exchange_after_the_request_is_an_unknown_outcome(script: Script) -> None:
    """The request arrived, so the job may exist; it is not sent again."""
    server = Server(script)

    async def trigger() -> None:
        async with server.platform() as platform:
            with pytest.raises(OutcomeUnknown) as raised:
                await platform.trigger_sync("c1")
            assert TOKEN not in str(raised.value)

    run(trigger())
    assert len(server.requests) == 1


@pytest.mark.parametrize("script", [stay_silent, reset, send_half, send_noise])
def test_a_broken_exchange_of_a_read_is_tried_three_times(script: Script) -> None:
    """Each within its own deadline; then the read has failed."""
    server = Server(script)

    async def read() -> None:
        async with server.platform() as platform:
            with pytest.raises(PlatformUnavailable) as raised:
                await platform.get_connection("c1")
            assert TOKEN not in str(raised.value)

    run(read())
    assert len(server.requests) == 3


def test_nobody_listening_is_certainly_no_job() -> None:
    """A refused connection carried no byte of the request."""
    with socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

        with pytest.raises(NotCreated, match="no connection"):
            run(adapter(port).trigger_sync("c1"))


def test_a_host_that_swallows_packets_is_certainly_no_job() -> None:
    """Connecting ends well before our own deadline, so that the two can be told apart."""
    with socket() as full:
        # A full accept queue drops the handshake's packets, as a firewall does.
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        fillers = [socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())

        with pytest.raises(NotCreated, match="ConnectTimeout"):
            run(adapter(full.getsockname()[1]).trigger_sync("c1"))

        for filler in fillers:
            filler.close()


def test_every_write_has_a_connection_of_its_own() -> None:
    """Even if the server would keep one open: a reused connection may be dead without our knowing."""
    server = Server(create)

    async def twice() -> None:
        async with server.platform() as platform:
            assert (await platform.trigger_sync("c1")).job_id == "job_1"
            await platform.trigger_sync("c1")

    run(twice())
    assert server.connections == 2
    assert all(b"connection: close" in request.lower() for request in server.requests)


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where requests go is the operator's setting alone."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    server = Server(create)

    async def once() -> None:
        async with server.platform() as platform:
            await platform.trigger_sync("c1")

    run(once())
    assert server.connections == 1
