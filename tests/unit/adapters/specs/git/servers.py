"""Servers that are no Git servers: they say one thing, or nothing."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(slots=True)
class Server:
    """What listens on a port of this machine; ``requests`` are the heads of what it was asked."""

    port: int = 0
    requests: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        """The address of a repository on it."""
        return f"http://127.0.0.1:{self.port}/team/specs.git"


@contextlib.asynccontextmanager
async def serving(reply: str | None) -> AsyncIterator[Server]:
    """A server that gives one reply to every request, or takes connections and never says a word."""
    server = Server()
    writers: list[asyncio.StreamWriter] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        if reply is None:
            return
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            server.requests.append((await reader.readuntil(b"\r\n\r\n")).decode())
            writer.write(reply.encode())
            await writer.drain()
        writer.close()

    listening = await asyncio.start_server(answer, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
        for writer in writers:
            writer.close()
        await listening.wait_closed()


def http(status: str, *headers: str, body: str = "") -> str:
    """A whole reply."""
    head = [
        f"HTTP/1.1 {status}",
        f"Content-Length: {len(body)}",
        "Content-Type: text/plain",
        "Connection: close",
        *headers,
    ]
    return "\r\n".join([*head, "", body])


def command_lines(part: str) -> list[str]:
    """The command lines of this machine's processes in which something occurs."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            line = path.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
            if part in line:
                found.append(line)
    return found
