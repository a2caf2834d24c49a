"""The token that a platform asks for: where it comes from, and how it stays out of every text."""

import base64
import logging
import os
import stat
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import quote

from controller.errors import PlatformUnavailable

# A JWT with many claims is some 4 KiB; servers refuse headers of 16 KiB and more.
TOKEN_BYTES_MAX = 8192
# Shorter pieces of base64 occur by chance.
ENCODED_PIECE_MIN = 8

_LOG: Final = logging.getLogger(__name__)


class Secret:
    """A value that shows itself only to who asks by name.

    It has no ``__eq__``: two secrets are the same only as objects, so that nobody compares contents character by character.
    """

    __slots__ = ("_forms", "_value")

    def __init__(self, value: str) -> None:
        self._value = value
        data = value.encode("latin-1", "replace")
        pieces = {piece for shift in range(3) for piece in _base64_pieces(data, shift)}
        self._forms = tuple(sorted({value, quote(value, safe=""), quote(value)} | pieces, key=_longest_first))

    def __repr__(self) -> str:
        return "Secret(***)"

    def reveal(self) -> str:
        """The value itself; for a header, never for a text."""
        return self._value

    def forms(self) -> tuple[str, ...]:
        """The value as it is and as addresses and headers encode it; for whoever strikes secrets out of a text."""
        return self._forms

    def blot(self, text: str) -> str:
        """The text with this secret struck out, however it is encoded."""
        for form in self._forms:
            text = text.replace(form, "***")
        return text


class Credentials(Protocol):
    """Who gives the token of one platform."""

    def current(self) -> Secret:
        """The token to send now.

        Raises:
            PlatformUnavailable: there is none that could be sent; the text says why, never what was found.
        """
        ...

    def forget(self) -> None:
        """Read the token anew before its next use: the platform refused the last one."""
        ...


class TokenValue:
    """A token that was given once, as a value (an environment variable read at the start)."""

    def __init__(self, value: str) -> None:
        self._secret = _checked(value, "the token")

    def current(self) -> Secret:
        """The token."""
        return self._secret

    def forget(self) -> None:
        """Nothing: a value has no other place to be read from."""


class TokenFile:
    """A token in a file, read again when the file changes, so that a rotation needs no restart."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read_from: tuple[int, int] | None = None
        self._secret: Secret | None = None
        self._has_warned = False

    def current(self) -> Secret:
        """The token, one trailing newline stripped.

        Raises:
            PlatformUnavailable: the file is missing, unreadable, empty, too long, or holds what a header cannot carry.
        """
        try:
            return self._read()
        except OSError as error:
            raise PlatformUnavailable(f"the token file {self._path} cannot be read: {error.strerror}") from None

    def forget(self) -> None:
        """Read the file before the next use, even if it looks unchanged."""
        self._read_from = None

    def _read(self) -> Secret:
        with self._path.open("rb") as file:
            # Of the opened file, not of the path: the two differ when a secret volume is swapped in between.
            found = os.fstat(file.fileno())
            read_from = (found.st_ino, found.st_mtime_ns)
            if self._secret is not None and read_from == self._read_from:
                return self._secret
            content = file.read(TOKEN_BYTES_MAX + 2)
        self._warn_if_public(found.st_mode)
        secret = _checked(content.decode("latin-1"), f"the token file {self._path}")
        self._secret, self._read_from = secret, read_from
        return secret

    def _warn_if_public(self, mode: int) -> None:
        # Not an error: secret volumes are readable by everybody unless told otherwise.
        if mode & stat.S_IROTH and not self._has_warned:
            self._has_warned = True
            _LOG.warning(
                "the token file %s can be read by every user of this machine; chmod 600 keeps it yours", self._path
            )


def _longest_first(form: str) -> tuple[int, str]:
    return -len(form), form


def _base64_pieces(data: bytes, shift: int) -> tuple[str, ...]:
    """What every base64 text holds in which ``data`` begins ``shift`` bytes after a group of three, in both alphabets."""
    before, bits = -(-shift * 8 // 6), (shift + len(data)) * 8
    found = []
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        piece = encode(bytes(shift) + data).decode("ascii")[before : bits // 6]
        if len(piece) >= ENCODED_PIECE_MIN:
            found.append(piece)
    return tuple(found)


def _checked(value: str, where: str) -> Secret:
    token = value.removesuffix("\n").removesuffix("\r")
    if not token:
        raise PlatformUnavailable(f"{where} is empty")
    if len(token) > TOKEN_BYTES_MAX:
        raise PlatformUnavailable(f"{where} holds more than {TOKEN_BYTES_MAX} characters")
    if not all("!" <= character <= "~" for character in token):
        # Checked here because the HTTP library quotes a header that it refuses.
        raise PlatformUnavailable(f"{where} holds a space, a line break or another character that no header carries")
    return Secret(token)
