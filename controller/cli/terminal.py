"""How text looks on a terminal: colours only there and only if wanted, columns that line up, times that say their zone."""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TextIO

_CODES = {
    "bold": "1",
    "dim": "2",
    "red": "31",
    "green": "32",
    "yellow": "33",
    "blue": "34",
    "magenta": "35",
    "cyan": "36",
}


@dataclass(frozen=True, slots=True)
class Paint:
    """Colours, or none: never where the output is not a terminal, and never under ``NO_COLOR`` (no-color.org)."""

    enabled: bool

    @classmethod
    def for_stream(cls, stream: TextIO) -> "Paint":
        """Colours for this stream, if it is a terminal that takes them."""
        wanted = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        return cls(wanted and stream.isatty())

    def __call__(self, style: str, text: str) -> str:
        """The text in this style."""
        if not self.enabled or not style or not text:
            return text
        return f"\x1b[{_CODES[style]}m{text}\x1b[0m"


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a table: its text and its colour."""

    text: str
    style: str = ""


def table(head: Sequence[str], rows: Sequence[Sequence[Cell | str]], paint: Paint) -> str:
    """Columns that line up; the last one is not padded."""
    cells = [[cell if isinstance(cell, Cell) else Cell(cell) for cell in row] for row in rows]
    widths = [max([len(title), *(len(row[i].text) for row in cells)]) for i, title in enumerate(head)]
    lines = [_line([Cell(title, "bold") for title in head], widths, paint)]
    lines.extend(_line(row, widths, paint) for row in cells)
    return "\n".join(lines)


def _line(row: Sequence[Cell], widths: Sequence[int], paint: Paint) -> str:
    last = len(row) - 1
    parts = [
        paint(cell.style, cell.text) + (" " * (widths[i] - len(cell.text)) if i != last else "")
        for i, cell in enumerate(row)
    ]
    return "  ".join(parts).rstrip()


def local(at: datetime) -> str:
    """Time of day on this machine's clock, ``15:04:05``."""
    return f"{at.astimezone():%H:%M:%S}"


def clock_time(at: datetime) -> str:
    """Time of day here and, where that differs, in UTC: ``15:04:05 (14:04:05Z)``."""
    here = at.astimezone()
    return f"{here:%H:%M:%S}Z" if not here.utcoffset() else f"{here:%H:%M:%S} ({at.astimezone(UTC):%H:%M:%S}Z)"


def both(at: datetime, now: datetime) -> str:
    """Local time with its zone and UTC, with the date where it is not today's: ``15:04:05 CET (14:04:05Z)``."""
    here, there = at.astimezone(), at.astimezone(UTC)
    day = "" if here.date() == now.astimezone().date() else f"{here:%a %d %b} "
    if here.utcoffset() == there.utcoffset():
        return f"{day}{there:%H:%M:%S}Z"
    return f"{day}{here:%H:%M:%S} {here:%Z} ({there:%H:%M:%S}Z)"


def rfc3339(at: datetime | None) -> str | None:
    """RFC 3339 in UTC."""
    return None if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def ago(seconds: float) -> str:
    """A span in its largest fitting unit, such as ``40 s``, ``12 min``, ``3 h``."""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def complain(text: str) -> None:
    """Say on standard error what went wrong, in the lines that the text has and without what would move a cursor."""
    paint = Paint.for_stream(sys.stderr)
    text = "".join(each if each.isprintable() or each == "\n" else " " for each in text)
    sys.stderr.write(f"{paint('red', 'error:')} {text}\n")
