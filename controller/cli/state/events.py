"""``mainspring events``: what a controller recorded."""

import argparse
import asyncio
import json
import sys
from collections.abc import Iterable
from contextlib import aclosing
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from controller.bootstrap import follow_events, read_events, system_clock
from controller.cli.choose import add_at
from controller.cli.event_lines import EventLines
from controller.cli.options import add_output, add_settings, duration, settings_of
from controller.cli.page import note, printable, write_json
from controller.cli.terminal import Paint, rfc3339
from controller.model.event import Event, EventName
from controller.ports.store import StoredEvent
from controller.settings import Settings

EXAMPLE = """examples:
  mainspring events --since 1h
  mainspring events --schedule orders-to-warehouse -n 20
  mainspring events --follow
  mainspring events --follow -o json     # one JSON object a line"""

NEWEST = 100

NEWEST_SINCE = 1_000_000
"""With ``--since`` everything is shown; the store keeps fewer events than this."""

READ_FACTOR = 4
"""How many times more is read each time that too few of what was read are shown."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--follow", action="store_true", help="go on with new events until Ctrl-C")
    parser.add_argument("--schedule", metavar="NAME", help="of one schedule only")
    parser.add_argument("--since", type=duration, metavar="DURATION", help="not older than this, as 90s, 15m or 1h30m")
    parser.add_argument("-n", type=_count, metavar="N", help=f"the newest N ({NEWEST}; all with --since)")
    parser.add_argument(
        "--all", action="store_true", help="with -o json: the counts of cycles too, which earlier versions kept"
    )
    add_at(parser)
    add_output(parser)
    add_settings(parser)


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f'"{text}" is no number')
    return int(text)


def execute(parsed: argparse.Namespace) -> int:
    """Print them."""
    try:
        asyncio.run(_events(parsed, settings_of(parsed)))
    except KeyboardInterrupt:
        if not parsed.follow:
            raise
    return 0


async def _events(parsed: argparse.Namespace, settings: Settings) -> None:
    now = parsed.at or system_clock().now()
    since = now - timedelta(seconds=parsed.since) if parsed.since is not None else None
    show = _Printer(parsed.output, now)
    if parsed.follow:
        newest = await read_events(settings, limit=1)
        show.each(shown := await _newest(parsed, settings, since))
        after = max(stored.number for stored in (*newest, *shown)) if newest else 0
        async with aclosing(follow_events(settings, schedule=parsed.schedule, after=after)) as following:
            async for stored in following:
                if _is_wanted(parsed, stored):
                    show.each([stored])
        return
    shown = await _newest(parsed, settings, since)
    if parsed.output == "json":
        write_json({"events": [event_json(stored) for stored in shown]})
        return
    show.each(shown)
    if not shown:
        note([f"no event{f' of {parsed.schedule}' if parsed.schedule else ''} is recorded"])


async def _newest(parsed: argparse.Namespace, settings: Settings, since: datetime | None) -> list[StoredEvent]:
    """The newest ``-n`` that are wanted; of what is left out, earlier versions recorded more than of anything else."""
    wanted = parsed.n if parsed.n is not None else NEWEST if since is None else NEWEST_SINCE
    limit = wanted
    while True:
        found = await read_events(settings, schedule=parsed.schedule, since=since, limit=limit)
        shown = [stored for stored in found if _is_wanted(parsed, stored)]
        if len(shown) >= wanted or len(found) < limit:
            return shown[max(len(shown) - wanted, 0) :]
        limit *= READ_FACTOR


def _is_wanted(parsed: argparse.Namespace, stored: StoredEvent) -> bool:
    if parsed.at is not None and stored.event.at > parsed.at:
        return False
    return parsed.all or stored.event.name is not EventName.CYCLE_FINISHED


def event_json(stored: StoredEvent) -> dict[str, Any]:
    """An event as in the controller's own log, with its number."""
    event = stored.event
    return {
        "number": stored.number,
        "event": str(event.name),
        "at": rfc3339(event.at),
        "level": str(event.severity),
        **event.fields,
    }


def _printable(event: Event) -> Event:
    fields = {name: printable(value) if isinstance(value, str) else value for name, value in event.fields.items()}
    return replace(event, fields=fields)


class _Printer:
    """Writes events as they come; a line with the date where the day changes, because lines show only the time."""

    def __init__(self, output: str, now: datetime) -> None:
        self._is_json = output == "json"
        self._paint = Paint.for_stream(sys.stdout)
        self._lines = EventLines(self._paint)
        self._day: date = now.astimezone().date()

    def each(self, events: Iterable[StoredEvent]) -> None:
        """Write a line for each."""
        for stored in events:
            if self._is_json:
                sys.stdout.write(json.dumps(event_json(stored), ensure_ascii=False) + "\n")
            elif (line := self._lines(_printable(stored.event))) is not None:
                self._begin_day(stored.event.at.astimezone().date())
                sys.stdout.write(line + "\n")
        sys.stdout.flush()

    def _begin_day(self, day: date) -> None:
        if day != self._day:
            self._day = day
            sys.stdout.write(self._paint("dim", f"{day:%A %d %B %Y}") + "\n")
