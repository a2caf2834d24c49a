"""``mainspring next``: the next instants of one expression."""

import argparse
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from controller.bootstrap import system_clock
from controller.cli.options import add_output, duration, instant
from controller.cli.page import distance, write, write_json
from controller.cli.terminal import Cell, Paint, complain, rfc3339, table
from controller.decide.calendar import Calendar, CalendarError, compile_cron, compile_every, compile_quartz
from controller.decide.slots import next_slot, to_epoch

EXAMPLE = """examples:
  mainspring next "30 6 * * MON-FRI" --tz Europe/Zurich
  mainspring next "30 2 * * *" --tz Europe/Zurich --after 2026-03-28T12:00:00Z -n 3   # across the clock change
  mainspring next "0 0 6 ? * MON-FRI" --quartz --tz Europe/Zurich
  mainspring next --every 6h -o json"""

COUNT = 5
COUNT_MAX = 10_000


@dataclass(frozen=True, slots=True)
class Asked:
    """An expression and the zone that it is shown in."""

    expression: str
    time_zone: str
    calendar: Calendar


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "expression", nargs="?", metavar="EXPRESSION", help="cron's five fields, such as '*/15 8-18 * * MON-FRI'"
    )
    parser.add_argument("--tz", default="UTC", metavar="ZONE", help="IANA time zone (UTC)")
    parser.add_argument("--after", "--at", type=instant, metavar="TIME", help="count from this instant on (now)")
    parser.add_argument("-n", type=_count, default=COUNT, metavar="N", help=f"how many ({COUNT})")
    parser.add_argument("--quartz", action="store_true", help="the expression has Quartz' six or seven fields")
    parser.add_argument("--every", metavar="DURATION", help="an interval, such as 6h, instead of an expression")
    parser.add_argument("--anchor", type=instant, metavar="TIME", help="with --every: one of its slots")
    add_output(parser)
    parser.set_defaults(usage_error=parser.error)


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= COUNT_MAX:
        raise argparse.ArgumentTypeError(f'"{text}" is no number from 1 to {COUNT_MAX}')
    return int(text)


def execute(parsed: argparse.Namespace) -> int:
    """Print them."""
    if (parsed.expression is None) == (parsed.every is None):
        parsed.usage_error("give an expression or --every, one of them")
    if parsed.quartz and parsed.every is not None:
        parsed.usage_error("--quartz is for an expression; leave it out beside --every")
    try:
        asked = _asked(parsed)
    except CalendarError as error:
        complain(str(error))
        return 1
    after = parsed.after or system_clock().now()
    found = _next(asked.calendar, after, parsed.n)
    if parsed.output == "json":
        slots = [rfc3339(slot) for slot in found]
        write_json({"expression": asked.expression, "time_zone": asked.time_zone, "next": slots})
    else:
        write(as_text(asked, found, after, Paint.for_stream(sys.stdout), wanted=parsed.n))
    return 0


def _asked(parsed: argparse.Namespace) -> Asked:
    # The zone is checked also where it only shows: a misspelt one must not silently become UTC.
    if parsed.every is None:
        return Asked(parsed.expression, parsed.tz, _compile(parsed.expression, parsed.tz, quartz=parsed.quartz))
    compile_cron("0 0 * * *", parsed.tz)
    try:
        seconds = duration(parsed.every)
    except argparse.ArgumentTypeError as error:
        raise CalendarError("interval", str(error)) from error
    if seconds != int(seconds):
        raise CalendarError("interval", f'"{parsed.every}" is no whole number of seconds; write one from 1s to 36500d')
    anchor = to_epoch(parsed.anchor) if parsed.anchor is not None else 0
    return Asked(f"every {parsed.every}", parsed.tz, compile_every(int(seconds), anchor))


def _compile(expression: str, time_zone: str, *, quartz: bool) -> Calendar:
    """The calendar in the dialect that was said; an expression of the other one is refused with the option to change."""
    ours, other = (compile_quartz, compile_cron) if quartz else (compile_cron, compile_quartz)
    try:
        return ours(expression, time_zone)
    except CalendarError as error:
        if not error.code.endswith("-syntax") or not _compiles(other, expression):
            raise
        hint = "cron; leave out --quartz" if quartz else "Quartz, seconds first; add --quartz"
        raise CalendarError("cron-syntax", f"{expression[:60]!r} looks like {hint}") from error


def _compiles(compiler: Callable[[str], Calendar], expression: str) -> bool:
    with suppress(CalendarError):
        compiler(expression)
        return True
    return False


def _next(calendar: Calendar, after: datetime, count: int) -> list[datetime]:
    found: list[datetime] = []
    slot = next_slot(calendar, after)
    while slot is not None and len(found) < count:
        found.append(slot)
        slot = next_slot(calendar, slot)
    return found


def as_text(asked: Asked, found: list[datetime], after: datetime, paint: Paint, *, wanted: int) -> str:
    """Wall time in the zone, UTC, and how far away each is."""
    zone = ZoneInfo(asked.time_zone)
    rows = [
        (
            Cell(f"{slot.astimezone(zone):%a %d %b %Y  %H:%M:%S %Z}", "bold"),
            f"{slot.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
            Cell(distance(slot, after), "dim"),
        )
        for slot in found
    ]
    lines = [table((asked.time_zone, "UTC", f"after {after:%Y-%m-%dT%H:%M:%SZ}"), rows, paint)]
    if len(found) < wanted:
        lines.append(paint("yellow", "no more before the year 2100"))
    return "\n".join(lines)
