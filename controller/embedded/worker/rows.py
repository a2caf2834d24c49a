"""What a row is between a source and a destination, and how cursor values compare."""

import json
import re
from collections.abc import Iterable, Mapping

try:  # `hashlib` loads OpenSSL: 4 MB and some milliseconds that every job would pay for one function
    from _blake2 import blake2b
except ImportError:
    from hashlib import blake2b

Value = int | float | str | bytes | None
Key = int | float | str

DIGEST_BYTES = 8  # chance of two different rows among a million with one cursor value: 3 in 100,000,000
COLUMNS_MAX = 1_000  # SQLite's own limit is 2,000 columns
SQLITE_INTEGER_MAX = 2**63 - 1

_INTEGER = re.compile(r"-?\d{1,18}\Z", re.ASCII)
_DECIMAL = re.compile(r"-?\d{1,15}\.\d{1,15}\Z", re.ASCII)
_ASCII_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}


class TransferError(Exception):
    """The job cannot go on; its text is the last line of the job's log."""


class Row:
    """One row: values by column, its place in cursor order (None without a cursor), and what it weighed at the source in bytes."""

    __slots__ = ("key", "size_bytes", "values")

    def __init__(self, values: Mapping[str, Value], *, key: Key | None, size_bytes: int) -> None:
        self.values = values
        self.key = key
        self.size_bytes = size_bytes


def order_of(key: Key) -> tuple[bool, Key]:
    """Sort numbers before text, as SQLite does, so that both sides agree about what comes next."""
    return (isinstance(key, str), key)


def key_from_text(text: str) -> Key:
    """Read a CSV cursor value: a plain number counts as one (so 10 follows 9), everything else is text, ISO times included."""
    if _INTEGER.match(text):
        return int(text)
    return float(text) if _DECIMAL.match(text) else text


def digest_of(values: Mapping[str, Value]) -> bytes:
    """Identify a row by its content, whatever the order of its columns; absent and null are the same, so new columns change nothing."""
    content = sorted((name, repr(value)) for name, value in values.items() if value is not None)
    return blake2b(json.dumps(content).encode(), digest_size=DIGEST_BYTES).digest()


def folded(name: str) -> str:
    """Fold a column name as SQLite does: ASCII letters only."""
    return name.translate(_ASCII_LOWER)


def check_columns(names: Iterable[str], where: str) -> None:
    """Refuse names that SQLite would take for one column, or cannot hold.

    Raises:
        TransferError: with the place and the name.
    """
    seen: set[str] = set()
    for name in names:
        if not name or "\0" in name:
            raise TransferError(f"{where}: a column has no usable name")
        if folded(name) in seen:
            raise TransferError(f"{where}: column {name!r} appears twice (letter case does not count)")
        seen.add(folded(name))
    if len(seen) > COLUMNS_MAX:
        raise TransferError(f"{where}: {len(seen)} columns, at most {COLUMNS_MAX} are possible")


def quoted(identifier: str) -> str:
    """Quote a table or column name for SQL; a name is data and may contain anything but NUL."""
    return '"' + identifier.replace('"', '""') + '"'
