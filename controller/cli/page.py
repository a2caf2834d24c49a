"""What every page of text shares: headings, tables that fit the terminal, notes beside the result, JSON."""

import json
import shutil
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from controller.cli.terminal import Cell, Paint, ago, both, table

NARROWEST = 24
"""A last column is not cut below this; the line wraps instead."""

INDENT = 2

GAP = 2
"""Blanks between two columns."""


def heading(text: str, paint: Paint) -> str:
    """The title of a section."""
    return paint("bold", text.upper())


def indented(text: str) -> str:
    """A block below its title."""
    return "\n".join(" " * INDENT + line if line else line for line in text.splitlines())


def width_of() -> int | None:
    """Columns of the terminal; None where lines may be as long as they are."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def room_below_title() -> int | None:
    """The same for what is `indented`."""
    width = width_of()
    return None if width is None else width - INDENT


def fitted_table(head: Sequence[str], rows: Sequence[Sequence[Cell | str]], paint: Paint, width: int | None) -> str:
    """A table whose last column is cut at the edge of the terminal."""
    cells = [[_cell(cell) for cell in row] for row in rows]
    if width is not None and rows:
        taken = sum(max(len(title), *(len(row[i].text) for row in cells)) + GAP for i, title in enumerate(head[:-1]))
        cells = [[*row[:-1], _cut(row[-1], max(width - taken, NARROWEST))] for row in cells]
    return table(head, cells, paint)


def printable(text: str) -> str:
    """What a platform says, without what would move a terminal's cursor."""
    return text if text.isprintable() else "".join(each if each.isprintable() else " " for each in text)


def _cell(cell: Cell | str) -> Cell:
    if not isinstance(cell, Cell):
        return Cell(printable(cell))
    return cell if cell.text.isprintable() else Cell(printable(cell.text), cell.style)


def _cut(cell: Cell, room: int) -> Cell:
    return cell if len(cell.text) <= room else Cell(cell.text[: room - 1].rstrip() + "…", cell.style)


def counted(number: int, noun: str) -> str:
    """``1 file``, ``2 files``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def since(at: datetime | None, now: datetime) -> str:
    """How long ago: ``40 s ago``, ``never``."""
    return "never" if at is None else f"{ago(max((now - at).total_seconds(), 0))} ago"


def distance(at: datetime, now: datetime) -> str:
    """How far away, in the future or the past: ``in 3 h``, ``40 s ago``."""
    seconds = (at - now).total_seconds()
    return f"in {ago(seconds)}" if seconds >= 0 else f"{ago(-seconds)} ago"


def moment(at: datetime | None, now: datetime) -> str:
    """Local time and UTC, or a dash."""
    return "-" if at is None else both(at, now)


def note(texts: Iterable[str]) -> None:
    """Say on standard error what makes the result less than whole."""
    paint = Paint.for_stream(sys.stderr)
    for text in texts:
        sys.stderr.write(f"{paint('yellow', 'note:')} {printable(text)}\n")


def write(text: str) -> None:
    """Write a page to standard output."""
    sys.stdout.write(text.rstrip("\n") + "\n")


def write_json(document: Any) -> None:
    """Write the one JSON document to standard output."""
    sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
