"""Requests to one platform as they are sent: where they go and what their headers say, worked out once and not for each of them."""

from dataclasses import dataclass
from typing import Final

import httpx

from controller.adapters.platforms.credentials import Credentials, Secret
from controller.errors import SettingsInvalid
from controller.model.profile import PlatformProfile
from controller.ports.clock import Clock

# TCP and TLS may take a third of a deadline each: a host that swallows packets is then known to have got nothing.
CONNECT_SHARE = 3

_NO_BODY: Final = httpx.ByteStream(b"")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a platform is and how it is to be treated.

    ``root`` is the address that paths are appended to. A given ``transport`` carries reads and writes instead of the network.
    """

    root: str
    credentials: Credentials
    profile: PlatformProfile
    clock: Clock
    transport: httpx.AsyncBaseTransport | None = None


class Envelope:
    """Makes a platform's requests. They hold its address as ``url``, and path and query as the extension ``target``."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._address = httpx.URL(endpoint.root)
        self._prefix = self._address.raw_path.rstrip(b"/")
        self._read_times, self._write_times = (
            # The deadline of a whole exchange is ours; httpx counts only single operations.
            httpx.Timeout(None, connect=deadline.total_seconds() / CONNECT_SHARE).as_dict()
            for deadline in (endpoint.profile.read_timeout, endpoint.profile.write_timeout)
        )
        self._secret: Secret | None = None
        self._read_headers = self._write_headers = httpx.Headers()

    def read(self, secret: Secret, path: str) -> httpx.Request:
        """A GET; ``path`` begins with a slash and may end with a query, both encoded."""
        self._address_as(secret)
        extensions = {"timeout": self._read_times, "target": self._prefix + path.encode("ascii")}
        return httpx.Request("GET", self._address, headers=self._read_headers, stream=_NO_BODY, extensions=extensions)

    def write(self, secret: Secret, method: str, path: str, body: bytes | None) -> httpx.Request:
        """Any other request, with a body of JSON or none; it wants a connection of its own."""
        self._address_as(secret)
        headers, stream = httpx.Headers(self._write_headers), _NO_BODY
        if body is not None:
            headers["content-type"], headers["content-length"] = "application/json", str(len(body))
            stream = httpx.ByteStream(body)
        extensions = {"timeout": self._write_times, "target": self._prefix + path.encode("ascii")}
        return httpx.Request(method, self._address, headers=headers, stream=stream, extensions=extensions)

    def _address_as(self, secret: Secret) -> None:
        """Let the headers hold a secret; they are made anew when it is another one."""
        if secret is self._secret:
            return
        headers = {
            "host": self._address.netloc.decode("ascii"),
            "accept": "application/json",
            # A compressed body could unpack to any size.
            "accept-encoding": "identity",
            "authorization": f"Bearer {secret.reveal()}",
            "user-agent": "mainspring",
        }
        self._secret = secret
        self._read_headers = httpx.Headers(headers)
        self._write_headers = httpx.Headers({**headers, "connection": "close"})


def endpoint_root(base_url: str, path: str) -> str:
    """The address of a platform with a path appended.

    Raises:
        SettingsInvalid: the address is not plain http(s); it is not quoted, since a password may stand in it.
    """
    try:
        url = httpx.URL(base_url)
    except httpx.InvalidURL:
        raise SettingsInvalid("base_url cannot be read; write https://host[:port]") from None
    if url.scheme not in ("http", "https") or not url.host:
        raise SettingsInvalid("base_url has no host or another scheme; write https://host[:port]")
    if url.userinfo or "?" in base_url or "#" in base_url:
        raise SettingsInvalid(
            "base_url holds a user, a query or a fragment; write https://host[:port], the token apart"
        )
    return base_url.rstrip("/") + path
