"""The secret that senders share with us, in a file that may be replaced while the controller runs."""

import logging
import os
from pathlib import Path
from typing import Final

SECRET_BYTES_MAX = 4096
"""More than any sender takes; what is longer is another file."""

_LOG: Final = logging.getLogger(__name__)


class SecretFile:
    """The secret as it is in the file now; none where it cannot be used, because an old one may have been taken back."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read_from: tuple[int, int, int] | None = None
        self._secret = b""
        self._trouble = ""

    def current(self) -> bytes:
        """The secret without the end of its line, or nothing: then ``trouble`` says why, and a log line says it once."""
        before = self._trouble
        try:
            self._read()
        except OSError as error:
            self._fail(f"cannot be read: {error.strerror}")
        if self._trouble and self._trouble != before:
            _LOG.warning("no webhook is taken: %s", self._trouble)
        return self._secret

    @property
    def trouble(self) -> str:
        """What was wrong with the file at the last look, in words that hold nothing of it."""
        return self._trouble

    def _read(self) -> None:
        with self._path.open("rb") as file:
            # Of the opened file, not of the path: the two differ when a secret volume is swapped in between.
            found = os.fstat(file.fileno())
            read_from = (found.st_ino, found.st_mtime_ns, found.st_size)
            if read_from == self._read_from:
                return
            content = file.read(SECRET_BYTES_MAX + 2).removesuffix(b"\n").removesuffix(b"\r")
        if not content:
            self._fail("is empty")
        elif len(content) > SECRET_BYTES_MAX:
            self._fail(f"holds more than {SECRET_BYTES_MAX} bytes")
        else:
            self._secret, self._trouble = content, ""
        self._read_from = read_from

    def _fail(self, what: str) -> None:
        self._secret, self._read_from, self._trouble = b"", None, f"the secret file {self._path} {what}"
