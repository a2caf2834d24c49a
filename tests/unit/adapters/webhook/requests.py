"""Requests as a server hands them over, and the tools that senders sign them with."""

import asyncio
import hashlib
import hmac
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass

from controller.adapters.webhook.proof import Hook, Scheme
from controller.adapters.webhook.receiver import Answer, Receiver

SECRET = b"correct horse battery staple, and more"
GITHUB = Hook(Scheme.GITHUB, SECRET)
GITLAB = Hook(Scheme.GITLAB, SECRET)
GENERIC = Hook(Scheme.GENERIC, SECRET)

Rows = list[tuple[bytes, bytes]]


@dataclass
class Pokes:
    """Counts what it is told."""

    count: int = 0

    def poke(self) -> None:
        """One more."""
        self.count += 1


def sign(body: bytes, secret: bytes = SECRET) -> bytes:
    """The HMAC of a body, as GitHub and ``openssl dgst -sha256 -hmac`` make it."""
    return hmac.new(secret, body, hashlib.sha256).hexdigest().encode()


def signed(body: bytes, secret: bytes = SECRET) -> Rows:
    """The headers of a body from GitHub."""
    return [(b"X-Hub-Signature-256", b"sha256=" + sign(body, secret))]


async def pieces(chunks: Iterable[bytes]) -> AsyncIterator[bytes]:
    """A body that comes in these pieces."""
    for chunk in chunks:
        yield chunk


def send(hook: Hook, headers: Rows, *chunks: bytes) -> tuple[Answer, int]:
    """Send one request; returns the answer, and how often a fetch was asked for."""
    pokes = Pokes()
    return asyncio.run(Receiver(hook, pokes).receive(headers, pieces(chunks))), pokes.count
