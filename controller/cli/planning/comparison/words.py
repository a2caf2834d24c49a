"""The words of a comparison of two revisions, the same on a terminal, in a comment and in a document."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from controller.cli.page import counted
from controller.cli.schedule_text import (
    entry_text,
    exclusion_text,
    span,
    suspension_text,
    window_text,
)
from controller.cli.terminal import rfc3339
from controller.decide.comparison.difference import (
    Change,
    Comparison,
    FieldChange,
    Load,
    Pace,
    ScheduleChange,
    Source,
)
from controller.model.calendar import CalendarEntry, ExcludedCron, ExcludedDates
from controller.model.request import DeclaredRequest, RequestAction
from controller.model.schedule import OnDelete, Suspension
from controller.model.window import Window
from controller.ports.spec_source import SpecError

OFF = {
    "catchUp.window": "until the next slot",
    "minGap": "the platform's",
    "suspend": "no",
    "freeze": "no",
    "mode": "Enforce",
}
"""What the absence of a value means, where "off" does not say it."""

NUMBER_WHOLE = 10
"""From this number on nobody wants decimals."""


@dataclass(frozen=True, slots=True)
class Compared:
    """Two revisions, how they were asked for, and what is between them."""

    asked: tuple[str, str]
    commits: tuple[str, str]
    path: str
    found: Comparison
    errors: tuple[SpecError, ...] = ()
    notes: tuple[str, ...] = ()


LEAVING = {
    OnDelete.ORPHAN: "a sync that runs is left alone",
    OnDelete.CANCEL_RUNNING: "a sync of ours that runs is cancelled",
}


def items_of(name: str, value: object) -> list[str]:
    """A value as lines: one for each item of a list."""
    if isinstance(value, tuple):
        return [_item(each) for each in value]
    return [_item(value) if value is not None else OFF.get(name, "off")]


def value_text(name: str, value: object) -> str:
    """A value on one line."""
    return "; ".join(items_of(name, value)) or OFF.get(name, "none")


def change_text(change: ScheduleChange, field: FieldChange) -> str:
    """A value that differs; of a new schedule only what it says."""
    after = value_text(field.name, field.after)
    return after if change.before is None else from_to(value_text(field.name, field.before), after)


def start_text(pace: Pace) -> str:
    """When it starts next, or why it does not."""
    starts = [each.starts_at for each in pace.coming if each.starts_at is not None]
    return utc_text(starts[0]) if starts else pace.quiet or "-"


def leaving_text(change: ScheduleChange) -> str:
    """What becomes of a job that runs when its schedule goes; empty where it stays."""
    if change.kind is not Change.REMOVED or change.before is None:
        return ""
    return f"onDelete {change.before.on_delete}: {LEAVING[change.before.on_delete]}"


def _item(value: object) -> str:
    match value:
        case CalendarEntry():
            return entry_text(value)
        case Window():
            return window_text(value)
        case ExcludedCron() | ExcludedDates():
            return exclusion_text(value)
        case Suspension():
            return suspension_text(value)
        case timedelta():
            return str(span(value))
        case datetime():
            return str(rfc3339(value))
        case (str() as key, str() as label):
            return f"{key}: {label}"
        case _:
            return str(value)


def number(value: float) -> str:
    """A number of starts, with a decimal only where it tells something."""
    rounded = round(value, 1)
    return f"{value:,.0f}" if value >= NUMBER_WHOLE or rounded == int(rounded) else f"{value:,.1f}"


def runs_text(pace: Pace) -> str:
    """The starts a day, and how far they differ from day to day."""
    mean = f"about {number(pace.mean)}" if pace.is_guess else number(pace.mean)
    if pace.least is None or pace.least == pace.most:
        return mean
    return f"{mean} ({pace.least:,} to {pace.most:,})"


def from_to(before: str, after: str) -> str:
    """Two values, or the one that stays."""
    return after if before == after else f"{before} → {after}"


def busiest_text(before: Load, after: Load) -> str:
    """The busiest minute of both sides."""
    starts = from_to(*(f"{load.minutes[0].starts:,}" if load.minutes else "0" for load in (before, after)))
    at = f"{after.minutes[0].at:%a %H:%M} UTC " if after.minutes else ""
    return f"busiest minute {at}{starts}"


def summary(compared: Compared) -> str:
    """The whole in one line."""
    found = compared.found
    counts = [
        f"{found.counts.get(kind, 0):,} {kind}"
        for kind in Change
        if found.counts.get(kind) or kind in (Change.ADDED, Change.CHANGED, Change.REMOVED)
    ]
    runs = from_to(number(found.before.runs_per_day), number(found.after.runs_per_day))
    return f"{', '.join(counts)} · runs per day {runs} · {busiest_text(found.before.load, found.after.load)}"


def horizon_text(horizon: timedelta) -> str:
    """How far the busiest minute was looked for."""
    return counted(horizon.days, "day") if horizon.days else counted(horizon.seconds // 3600, "hour")


def source_text(source: Source) -> str:
    """Where a value stands now."""
    if source.origin is None:
        return "the default"
    return f"policy {source.policy}, {source.origin}" if source.policy else str(source.origin)


def local_text(at: datetime, zone: str) -> str:
    """An instant on the clock of a zone, with its offset."""
    here = at.astimezone(ZoneInfo(zone))
    seconds = ":%S" if here.second else ""
    return f"{here:%a %Y-%m-%d %H:%M{seconds}} {here.isoformat()[-6:]}"


def utc_text(at: datetime) -> str:
    """An instant in UTC."""
    return f"{at:%Y-%m-%d %H:%M}" + (f":{at:%S}Z" if at.second else "Z")


def request_text(request: DeclaredRequest) -> str:
    """What a request asks for."""
    about = f"the removals of {request.revision}" if request.revision else request.schedule
    words = {
        RequestAction.SYNC: f"will run once: a sync of {about}",
        RequestAction.RESET: f"will run once: a RESET of {about}, which clears its destination data",
        RequestAction.CONFIRM_REMOVALS: f"confirms {about}",
    }
    since = f", not before {utc_text(request.not_before)}" if request.not_before is not None else ""
    until = f", until {utc_text(request.expires_at)}" if request.expires_at is not None else ""
    why = f" ({request.reason})" if request.reason else ""
    return f"{words[request.action]}{since}{until}{why}"


def places(errors: Iterable[SpecError]) -> list[dict[str, Any]]:
    """Errors as plain values, in the shape that ``validate`` gives them."""
    return [
        {
            "path": each.origin.path,
            "line": each.origin.line,
            "column": each.origin.column,
            "code": each.code,
            "message": each.message,
        }
        for each in errors
    ]
