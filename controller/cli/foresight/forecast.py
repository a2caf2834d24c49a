"""``mainspring forecast``: every slot to come, and what it will come to; no platform is asked."""

import argparse
import json
import sys
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from difflib import get_close_matches
from heapq import merge
from typing import Any
from zoneinfo import ZoneInfo

from controller.bootstrap import has_store, read_forecast, system_clock
from controller.cli.choose import UnknownSchedule, add_at
from controller.cli.foresight.forecast_tally import Range, Tally, tally
from controller.cli.foresight.forecast_text import forecast_text, single_text
from controller.cli.options import add_output, add_settings, duration, instant, settings_of
from controller.cli.outcome import outcome_of
from controller.cli.page import counted, note, width_of, write
from controller.cli.schedule_text import span
from controller.cli.terminal import Paint, complain
from controller.decide.calendar import CalendarError
from controller.decide.cron.zone import segments_of
from controller.decide.foresight.arrivals import slots_at_most
from controller.decide.foresight.forecast import Outlook, forecast
from controller.decide.foresight.foreseen import Foreseen, sentence
from controller.decide.slots import from_epoch, to_epoch
from controller.errors import MainspringError
from controller.reconcile.outlooks import Outlooks
from controller.settings import Settings

EXAMPLE = """examples:
  mainspring forecast
  mainspring forecast orders-to-warehouse --for 7d --tz Europe/Zurich
  mainspring forecast --from 2026-03-28T00:00:00Z --to 2026-03-30T00:00:00Z -o json   # across the clock change"""

RANGE = timedelta(days=1)
"""How far a forecast looks unless told otherwise."""

RANGE_MAX = timedelta(days=3660)

JSON_SLOTS_MAX = 1_000_000
"""More slots in one document than this are refused: whoever reads it would have to hold them all."""

WRITTEN_AT_ONCE = 1000

ENCODE = json.JSONEncoder(ensure_ascii=False).encode


class RangeTooLong(MainspringError):
    """The forecast would have more slots than one document may hold."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("name", nargs="?", metavar="NAME", help="only this schedule, slot by slot")
    parser.add_argument("--schedule", dest="named", metavar="NAME", help="the same")
    parser.add_argument("--from", dest="since", type=instant, metavar="TIME", help="where it begins (now)")
    end = parser.add_mutually_exclusive_group()
    end.add_argument("--to", dest="until", type=instant, metavar="TIME", help="where it ends (a day after it begins)")
    end.add_argument("--for", dest="length", type=duration, metavar="DURATION", help="how long it is, such as 7d")
    parser.add_argument("--tz", default="UTC", metavar="ZONE", help="IANA time zone of what is shown (UTC)")
    add_at(parser)
    add_output(parser)
    add_settings(parser, specs=True)
    parser.set_defaults(usage_error=parser.error)


def execute(parsed: argparse.Namespace) -> int:
    """Read, look ahead, show."""
    if parsed.name and parsed.named and parsed.name != parsed.named:
        parsed.usage_error("two schedules are named; give one")
    try:
        segments_of(parsed.tz)
    except CalendarError as error:
        complain(str(error))
        return 1
    now = parsed.at or system_clock().now()
    since, until = _range(parsed, now)
    only, settings = parsed.name or parsed.named, settings_of(parsed)
    known_at = min(now, since)
    found = outcome_of(read_forecast(settings, known_at, only))
    note(_notes(settings, found))
    outlooks = list(found.schedules)
    if only is not None and not outlooks:
        raise _unknown(only, [each.spec.name for each in outcome_of(read_forecast(settings, known_at)).schedules])
    shown = Range(since, until, now, ZoneInfo(parsed.tz))
    if parsed.output == "json":
        write_json(outlooks, shown)
    else:
        write_text(outlooks, shown, settings, one=only is not None)
    return 0


def _range(parsed: argparse.Namespace, now: datetime) -> tuple[datetime, datetime]:
    since: datetime = parsed.since or now
    length = RANGE if parsed.length is None else timedelta(seconds=min(parsed.length, RANGE_MAX.total_seconds() + 1))
    until: datetime = parsed.until or since + length
    if until <= since:
        parsed.usage_error("it ends before it begins")
    if until - since > RANGE_MAX:
        parsed.usage_error(f"it is longer than {RANGE_MAX.days} days")
    return since, until


def _unknown(name: str, known: list[str]) -> UnknownSchedule:
    near = get_close_matches(name, known, n=1)
    advice = f"did you mean {near[0]}?" if near else "mainspring get lists them"
    return UnknownSchedule(f'there is no schedule "{name}"; {advice}')


def _notes(settings: Settings, found: Outlooks) -> Iterator[str]:
    rejected = found.rejected
    if not has_store(settings):
        yield f"{settings.store} does not exist yet: forecast as for a first start"
    if found.held:
        yield found.held
    if rejected:
        errors = f"{counted(len(rejected), 'error')} in {settings.specs_label}, the first at {rejected[0]}"
        yield f"{errors}; see mainspring validate {settings.specs}"


def _slots(outlook: Outlook, shown: Range) -> Iterator[Foreseen]:
    return forecast(outlook, shown.since, shown.until, shown.now)


def write_text(outlooks: list[Outlook], shown: Range, settings: Settings, *, one: bool) -> None:
    """Show what is counted: that has no bound."""
    paint, width = Paint.for_stream(sys.stdout), width_of()
    if not outlooks:
        write(f"no schedules in {settings.specs_label}")
        return
    whole = Tally()
    rows = [tally(each, _slots(each, shown), whole, keep=one) for each in outlooks]
    write(single_text(rows, whole, shown, paint, width) if one else forecast_text(rows, whole, shown, paint, width))


def write_json(outlooks: list[Outlook], shown: Range) -> None:
    """Stream the one document, so that a million slots take no more memory than a few."""
    most = sum(
        slots_at_most(each.standing, each.profile, to_epoch(shown.since), to_epoch(shown.until)) for each in outlooks
    )
    if most > JSON_SLOTS_MAX:
        hours = int((shown.until - shown.since) / timedelta(hours=1) * JSON_SLOTS_MAX / most)
        shorter = span(timedelta(hours=hours // 24 * 24 if hours >= 48 else max(hours, 1)))
        raise RangeTooLong(
            f"that is up to {most:,} slots, and one document holds at most {JSON_SLOTS_MAX:,}; "
            f"ask for less, such as --for {shorter}, or for one schedule"
        )
    rows = merge(*(_slots(each, shown) for each in outlooks))
    sys.stdout.write('{"slots": [')
    for number, batch in enumerate(_batches(rows)):
        sys.stdout.write((",\n" if number else "\n") + ",\n".join(ENCODE(_as_json(slot)) for slot in batch))
    sys.stdout.write("\n]}\n")


def _batches(rows: Iterable[Foreseen]) -> Iterator[list[Foreseen]]:
    batch: list[Foreseen] = []
    for row in rows:
        batch.append(row)
        if len(batch) == WRITTEN_AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch


def _as_json(slot: Foreseen) -> dict[str, Any]:
    return {
        "schedule": slot.schedule,
        "platform": slot.ref.platform,
        "connection_id": slot.ref.connection_id,
        "scheduled_at": _time(slot.scheduled),
        "fires_at": _time(slot.fires),
        "outcome": str(slot.outcome),
        "reason": str(slot.reason) if slot.reason else None,
        "starts_at": None if slot.starts is None else _time(slot.starts),
        "sentence": sentence(slot),
    }


def _time(instant: int) -> str:
    return from_epoch(instant).isoformat()[:19] + "Z"
