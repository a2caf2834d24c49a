"""Whether a request knows the secret. What is compared are digests of one length, in a time that says nothing about how they differ."""

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

GITHUB_HEADER = b"x-hub-signature-256"
GITLAB_HEADER = b"x-gitlab-token"

GENERIC_HEADER = "X-Mainspring-Signature"
"""The header of a sender of one's own, unless the settings name another: the hexadecimal HMAC-SHA256 of the body, ``sha256=`` or not."""

PREFIX = b"sha256="

Headers = Iterable[tuple[bytes, bytes]]


class Scheme(StrEnum):
    """How a sender proves that it knows the secret."""

    GITHUB = "github"
    GITLAB = "gitlab"
    GENERIC = "generic"


@dataclass(frozen=True, slots=True)
class Hook:
    """One endpoint; without a secret there is none."""

    scheme: Scheme
    secret: bytes = field(default=b"", repr=False)
    header: str = GENERIC_HEADER

    @property
    def header_name(self) -> bytes:
        """The header that holds the proof, in lower case."""
        if self.scheme is Scheme.GENERIC:
            return self.header.lower().encode()
        return GITHUB_HEADER if self.scheme is Scheme.GITHUB else GITLAB_HEADER


class Proof(Protocol):
    """Sees a body pass by, and says at its end whether the sender knew the secret."""

    def feed(self, chunk: bytes) -> None:
        """Take the next piece of the body."""
        ...

    def holds(self) -> bool:
        """Whether it does."""
        ...


def proof_of(hook: Hook, headers: Headers) -> Proof | None:
    """What a request offers; None where it offers nothing, or two different things, of which a proxy may have checked the other one."""
    given = [value for name, value in headers if name.lower() == hook.header_name]
    if len(given) != 1 or not hook.secret:
        return None
    if hook.scheme is Scheme.GITLAB:
        return TokenProof(hook.secret, given[0])
    value = given[0].strip()
    if not value.startswith(PREFIX) and hook.scheme is Scheme.GITHUB:
        return None
    return BodyProof(hook.secret, value.removeprefix(PREFIX).lower())


class BodyProof:
    """An HMAC over the raw body, computed as it comes in."""

    def __init__(self, secret: bytes, given: bytes) -> None:
        self._mac = hmac.new(secret, digestmod=hashlib.sha256)
        self._given = given

    def feed(self, chunk: bytes) -> None:
        """Take the next piece of the body."""
        self._mac.update(chunk)

    def holds(self) -> bool:
        """Bytes are compared: as texts, anything beyond ASCII would be an error instead of a wrong signature."""
        return hmac.compare_digest(self._mac.hexdigest().encode(), self._given)


class TokenProof:
    """The secret itself in a header. Both sides are hashed, so that not even its length shows in the time that the comparison takes."""

    def __init__(self, secret: bytes, given: bytes) -> None:
        self._holds = hmac.compare_digest(hashlib.sha256(secret).digest(), hashlib.sha256(given).digest())

    def feed(self, chunk: bytes) -> None:
        """The body proves nothing."""

    def holds(self) -> bool:
        """Whether the tokens are the same."""
        return self._holds
