"""``mainspring verify``: the checker over a store and its platforms' own job lists; nothing is written anywhere."""

import argparse
import io
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from controller.bootstrap import Output, build_world, close_world, has_store
from controller.cli.choose import add_at
from controller.cli.options import add_output, add_settings, duration, settings_of
from controller.cli.outcome import outcome_of
from controller.cli.page import counted, fitted_table, heading, indented, note, room_below_title, write, write_json
from controller.cli.terminal import Paint, rfc3339
from controller.errors import StoreUnavailable
from controller.reconcile.books import Books, read_books
from controller.settings import Settings
from controller.simulation.slots.verification import Finding, Findings, verify

EXAMPLE = """examples:
  mainspring verify
  mainspring verify --since 24h
  mainspring verify --since 7d -o json     # exit code 1 if anything was found"""

WEEK = 7 * 86400.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--since", type=duration, default=WEEK, metavar="DURATION", help="how far back, as 7d, 24h or 15m (7d)"
    )
    add_at(parser)
    add_output(parser)
    add_settings(parser)


def execute(parsed: argparse.Namespace) -> int:
    """Compare, and show what should not be; 1 if there is anything."""
    settings = settings_of(parsed)
    if not has_store(settings):
        raise StoreUnavailable(f"{settings.store} does not exist: no controller has run with it")
    found = verify(outcome_of(_books(settings, timedelta(seconds=parsed.since), parsed.at)))
    note(found.unread)
    if parsed.output == "json":
        write_json(as_json(found))
    else:
        write(as_text(found, Paint.for_stream(sys.stdout)))
    return 0 if found.is_clean else 1


async def _books(settings: Settings, span: timedelta, at: datetime | None) -> tuple[Books, ...]:
    """Each is read as it is: the store beside a controller that may be running, the platforms by their lists alone."""
    world = build_world(settings, Output(io.StringIO()), acting=False)
    try:
        return await read_books(world, span, at)
    finally:
        await close_world(world)


def as_json(found: Findings) -> dict[str, Any]:
    """The one document."""
    return {
        "slots": found.slots,
        "doubled": _rows(found.doubled),
        "missed_silently": _rows(found.missed_silently),
        "unexplained": _rows(found.unexplained),
    }


def _rows(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    return [
        {
            "schedule": each.schedule,
            "connection": each.connection,
            "scheduled_at": rfc3339(each.scheduled_at),
            "message": each.message,
        }
        for each in findings
    ]


def as_text(found: Findings, paint: Paint) -> str:
    """A page for people."""
    sections = (
        ("doubled", found.doubled),
        ("missed silently", found.missed_silently),
        ("unexplained", found.unexplained),
    )
    counts = ", ".join(f"{len(findings)} {title}" for title, findings in sections)
    parts = [
        f"{counted(found.slots, 'slot')}: " + (counts if not found.is_clean else "each has its one record and its job")
    ]
    for title, findings in sections:
        if findings:
            rows = [(each.schedule, rfc3339(each.scheduled_at) or "", each.message) for each in findings]
            text = fitted_table(("SCHEDULE", "SLOT", "WHAT IS WRONG"), rows, paint, room_below_title())
            parts += ["", heading(title, paint), indented(text)]
    return "\n".join(parts)
