"""A spec's values as they are written in a spec file."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from controller.cli.terminal import rfc3339
from controller.decide.slots import from_epoch
from controller.model.schedule import CalendarEntry, EntryKind, ScheduleSpec

UNITS = ((86_400, "d"), (3_600, "h"), (60, "m"))


def span(duration: timedelta | None) -> str | None:
    """A duration in the spec format, such as ``90s`` or ``2h``; None stays None."""
    if duration is None:
        return None
    seconds = duration.total_seconds()
    for size, unit in UNITS:
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:.0f}{unit}"
    return f"{seconds:g}s"


def entry_json(entry: CalendarEntry) -> dict[str, Any]:
    """An entry of ``schedules``; what has its default is left out."""
    match entry.kind:
        case EntryKind.CRON | EntryKind.QUARTZ:
            return {entry.kind.value: entry.text, "timeZone": entry.time_zone}
        case EntryKind.EVERY:
            anchor = {"anchor": rfc3339(from_epoch(entry.anchor))} if entry.anchor else {}
            return {"every": entry.text, **anchor}
        case EntryKind.FRESHNESS:
            return {"freshness": entry.text}
        case EntryKind.MANUAL:
            return {"manual": {}}


def entry_text(entry: CalendarEntry) -> str:
    """An entry in a few words."""
    match entry.kind:
        case EntryKind.CRON | EntryKind.QUARTZ:
            return f'{entry.kind} "{entry.text}" {entry.time_zone}'
        case EntryKind.EVERY:
            return f"every {entry.text}" + (f" from {rfc3339(from_epoch(entry.anchor))}" if entry.anchor else "")
        case EntryKind.FRESHNESS:
            return f"freshness {entry.text}"
        case EntryKind.MANUAL:
            return "manual: no slots of its own"


def entries_text(entries: Iterable[CalendarEntry]) -> str:
    """Every entry of a schedule, on one line."""
    return "; ".join(entry_text(entry) for entry in entries)


def resolved_json(spec: ScheduleSpec | None, min_gap: timedelta | None) -> dict[str, Any]:
    """The behaviour of a schedule with every default filled in; all None where the spec is not known."""
    if spec is None:
        names = ("mode", "catchUp", "whenInDoubt", "minGap", "overlap", "maxDuration", "foreignJobs", "onDelete")
        return dict.fromkeys(names)
    return {
        "mode": str(spec.mode),
        "catchUp": {"policy": str(spec.catch_up.policy), "window": span(spec.catch_up.window)},
        "whenInDoubt": str(spec.when_in_doubt),
        "minGap": span(min_gap),
        "overlap": str(spec.overlap),
        "maxDuration": span(spec.max_duration),
        "foreignJobs": str(spec.foreign_jobs),
        "onDelete": str(spec.on_delete),
    }


def resolved_text(spec: ScheduleSpec, min_gap: timedelta | None) -> str:
    """The same on one line."""
    row = resolved_json(spec, min_gap)
    catch_up = f"{row['catchUp']['policy']} within {row['catchUp']['window'] or 'until the next slot'}"
    shown = {**row, "catchUp": catch_up.replace("within until", "until")}
    return ", ".join(f"{name} {value}" for name, value in shown.items() if value is not None)
