"""What an import did, for people and for scripts."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from controller.cli.page import counted, fitted_table, heading, indented, room_below_title
from controller.cli.specs.import_text import own_schedule
from controller.cli.terminal import Cell, Paint
from controller.decide.adoption import Draft, LeftOut


@dataclass(frozen=True, slots=True)
class Written:
    """One spec: its file, and whether the file was there already and was left."""

    draft: Draft
    path: Path
    was_there: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """What an import did."""

    written: tuple[Written, ...]
    left_out: tuple[LeftOut, ...]
    managed: int
    dry_run: bool


def as_json(report: Report) -> dict[str, Any]:
    """The report as plain values."""
    return {
        "dry_run": report.dry_run,
        "managed": report.managed,
        "written": [_row(each) for each in report.written if not each.was_there],
        "left": [_row(each) for each in report.written if each.was_there],
        "unmanaged": [
            {
                "platform": each.ref.platform,
                "connection_id": each.ref.connection_id,
                "name": each.title,
                "reason": each.reason,
            }
            for each in report.left_out
        ],
    }


def _row(each: Written) -> dict[str, Any]:
    draft = each.draft
    return {
        "path": str(each.path),
        "schedule": draft.name,
        "platform": draft.ref.platform,
        "connection_id": draft.ref.connection_id,
        "name": draft.connection.name,
        "own_schedule": own_schedule(draft),
        "entry": draft.entry.kind.value,
        "mode": "Observe" if draft.observes else "Enforce",
        "suspended": bool(draft.suspension),
        "note": draft.note,
    }


def as_text(report: Report, paint: Paint) -> str:
    """The report for people."""
    parts = [*_files(report, paint)]
    if report.left_out:
        rows = [(Cell(str(each.ref), "bold"), each.title, Cell(each.reason, "yellow")) for each in report.left_out]
        parts += [
            heading("not managed", paint),
            indented(fitted_table(("CONNECTION", "NAME", "WHY"), rows, paint, room_below_title())),
            "",
        ]
    new = [each for each in report.written if not each.was_there]
    observing = sum(each.draft.observes for each in new)
    done = f"{counted(len(new), 'file')} {'would be written' if report.dry_run else 'written'}"
    rest = f"{observing} of them only observing, {report.managed} managed already, {len(report.left_out)} not managed"
    return "\n".join([*parts, f"{done}; {rest}"])


def _files(report: Report, paint: Paint) -> Iterable[str]:
    for title, was_there in (("would write" if report.dry_run else "written", False), ("left as they are", True)):
        rows = [
            (Cell(str(each.path), "bold"), str(each.draft.ref), own_schedule(each.draft), _state(each.draft))
            for each in report.written
            if each.was_there is was_there
        ]
        if rows:
            head = ("FILE", "CONNECTION", "ITS OWN SCHEDULE", "AS")
            yield heading(title, paint)
            yield indented(fitted_table(head, rows, paint, room_below_title()))
            yield ""


def _state(draft: Draft) -> str:
    words = [
        draft.entry.kind.value,
        "observes" if draft.observes else "",
        "suspended" if draft.suspension else "",
        draft.note,
    ]
    return ", ".join(filter(None, words))
