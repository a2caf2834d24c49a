"""What a request comes to: a status code and, if it proved itself, a fetch soon. Nothing in a body is ever parsed.

The body is untrusted, and says nothing that the spec source does not say better: so it passes by in the pieces in which it comes (a
server's are 64 KiB or less), the proof is computed over them, and none is kept. A request that is sent again, by whomever, costs one
more fetch at most.
"""

from collections.abc import AsyncIterator
from enum import IntEnum
from typing import Protocol

from controller.adapters.webhook.proof import Headers, Hook, proof_of

BODY_BYTES_MAX = 25 * 1024 * 1024
"""What GitHub sends at most; GitLab and others send less."""


class Answer(IntEnum):
    """The status codes that a sender may get; a bad secret and a missing one look alike."""

    ACCEPTED = 202
    UNAUTHORIZED = 401
    NOT_FOUND = 404
    TOO_LARGE = 413


class Poke(Protocol):
    """Somebody who wants to know that there is something new."""

    def poke(self) -> None:
        """There may be."""
        ...


class Receiver:
    """One endpoint, whatever server it is mounted in."""

    def __init__(self, hook: Hook, fetches: Poke) -> None:
        self._hook = hook
        self._fetches = fetches

    async def receive(self, headers: Headers, body: AsyncIterator[bytes]) -> Answer:
        """Check one request. On any answer but ``ACCEPTED`` the rest of the body is not read: the server closes the connection.

        Args:
            headers: as they came, names and values as raw bytes.
            body: its pieces, as they come in.
        """
        if not self._hook.secret:
            return Answer.NOT_FOUND
        rows = tuple(headers)
        if _announced(rows) > BODY_BYTES_MAX:
            return Answer.TOO_LARGE
        proof = proof_of(self._hook, rows)
        if proof is None:
            return Answer.UNAUTHORIZED
        size = 0
        async for chunk in body:
            size += len(chunk)
            if size > BODY_BYTES_MAX:
                return Answer.TOO_LARGE
            proof.feed(chunk)
        if not proof.holds():
            return Answer.UNAUTHORIZED
        self._fetches.poke()
        return Answer.ACCEPTED


def _announced(headers: tuple[tuple[bytes, bytes], ...]) -> int:
    """The largest length that a request says it has; what is no number says nothing, and the body is counted anyway."""
    lengths = (value.strip() for name, value in headers if name.lower() == b"content-length")
    # Twenty digits are more than any length has, and Python refuses to read thousands of them.
    return max((int(value[:20]) for value in lengths if value.isdigit()), default=0)
