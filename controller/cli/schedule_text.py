"""A spec's values as they are written in a spec file."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from controller.cli.terminal import rfc3339
from controller.decide.slots import from_epoch
from controller.model.calendar import CalendarEntry, EntryKind, ExcludedCron, Exclusion
from controller.model.schedule import ScheduleSpec, Suspension
from controller.model.span import span_text
from controller.model.window import OnClose, Window

DATES_SHOWN = 5

RESOLVED = (
    *("mode", "catchUp", "whenInDoubt", "minGap", "overlap", "maxDuration", "stalledAfter", "retry", "failureBudget"),
    *("exclude", "jitter", "startDate", "endDate", "windows", "suspend", "freezes", "foreignJobs", "drift", "onDelete"),
    *("freshnessAlert", "conflicts", "notYetSupported"),
)
"""The keys of `resolved_json`."""


def span(duration: timedelta | None) -> str | None:
    """A duration in the spec format, such as ``90s`` or ``2h``; None stays None."""
    return None if duration is None else span_text(duration)


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


def exclusion_json(exclusion: Exclusion) -> dict[str, Any]:
    """An item of ``exclude``."""
    if isinstance(exclusion, ExcludedCron):
        return {"cron": exclusion.cron, "timeZone": exclusion.time_zone}
    return {"dates": sorted(day.isoformat() for day in exclusion.dates), "timeZone": exclusion.time_zone}


def window_json(window: Window) -> dict[str, Any]:
    """An item of ``windows``."""
    opening = {
        "cron": window.cron,
        "duration": span(timedelta(seconds=window.duration)),
        "timeZone": window.time_zone,
        "reason": window.reason,
    }
    return {window.kind.value: opening, "onClose": str(window.on_close)}


def suspension_json(suspension: Suspension) -> dict[str, Any]:
    """A suspension or a freeze."""
    return {"reason": suspension.reason, "by": suspension.by, "until": rfc3339(suspension.until)}


def exclusion_text(exclusion: Exclusion) -> str:
    """An item of ``exclude`` in a few words."""
    if isinstance(exclusion, ExcludedCron):
        return f'cron "{exclusion.cron}" {exclusion.time_zone}'
    days = sorted(exclusion.dates)
    shown = ", ".join(f"{day}" for day in days[:DATES_SHOWN])
    more = f" and {len(days) - DATES_SHOWN} more" if len(days) > DATES_SHOWN else ""
    return f"{shown}{more} {exclusion.time_zone}"


def window_text(window: Window) -> str:
    """An item of ``windows`` in a few words."""
    length = span(timedelta(seconds=window.duration))
    reason = f" ({window.reason})" if window.reason else ""
    closing = ", onClose Cancel" if window.on_close is OnClose.CANCEL else ""
    return f'{window.kind} "{window.cron}" for {length} {window.time_zone}{reason}{closing}'


def suspension_text(suspension: Suspension | None) -> str:
    """A suspension or a freeze in a few words."""
    if suspension is None:
        return "false"
    by = f"by {suspension.by}" if suspension.by else ""
    until = f"until {rfc3339(suspension.until)}" if suspension.until is not None else ""
    return " ".join(part for part in (suspension.reason, by, until) if part) or "true"


def resolved_json(spec: ScheduleSpec | None, min_gap: timedelta | None) -> dict[str, Any]:
    """The behaviour of a schedule with every default filled in; all None where the spec is not known."""
    if spec is None:
        return dict.fromkeys(RESOLVED)
    retry, alert = spec.retry, spec.freshness_alert
    row = {
        "mode": str(spec.mode),
        "catchUp": {"policy": str(spec.catch_up.policy), "window": span(spec.catch_up.window)},
        "whenInDoubt": str(spec.when_in_doubt),
        "minGap": span(min_gap),
        "overlap": str(spec.overlap),
        "maxDuration": span(spec.max_duration),
        "stalledAfter": span(spec.stalled_after),
        "retry": None,
        "failureBudget": spec.failure_budget,
        "exclude": [exclusion_json(each) for each in spec.exclude],
        "jitter": span(spec.jitter),
        "startDate": rfc3339(spec.start_date),
        "endDate": rfc3339(spec.end_date),
        "windows": [window_json(each) for each in spec.windows],
        "suspend": suspension_json(spec.suspend) if spec.suspend is not None else None,
        "freezes": [suspension_json(each) for each in spec.freezes],
        "foreignJobs": str(spec.foreign_jobs),
        "drift": {"platformSchedule": str(spec.drift_schedule), "connectionStatus": str(spec.drift_status)},
        "onDelete": str(spec.on_delete),
        "freshnessAlert": None,
        "conflicts": list(spec.conflicts),
        "notYetSupported": list(spec.unsupported),
    }
    if retry is not None:
        row["retry"] = {
            "attempts": retry.attempts,
            "backoff": span(retry.backoff),
            "maxBackoff": span(retry.max_backoff),
        }
    if alert is not None:
        row["freshnessAlert"] = {"warnAfter": span(alert.warn_after), "errorAfter": span(alert.error_after)}
    return row


def resolved_text(spec: ScheduleSpec, min_gap: timedelta | None) -> str:
    """The same on one line; what is off is left out."""
    row = resolved_json(spec, min_gap)
    catch_up = f"{row['catchUp']['policy']} within {row['catchUp']['window'] or 'until the next slot'}"
    shown = {
        **row,
        "catchUp": catch_up.replace("within until", "until"),
        "retry": _parts(row["retry"]) if row["retry"] else None,
        "drift": _parts(row["drift"]),
        "exclude": "; ".join(exclusion_text(each) for each in spec.exclude),
        "windows": "; ".join(window_text(each) for each in spec.windows),
        "suspend": suspension_text(spec.suspend) if spec.suspend is not None else None,
        "freezes": "; ".join(suspension_text(each) for each in spec.freezes),
        "freshnessAlert": _parts(row["freshnessAlert"]) if row["freshnessAlert"] else None,
        "conflicts": " ".join(spec.conflicts),
        "notYetSupported": " ".join(spec.unsupported),
    }
    return ", ".join(f"{name} {value}" for name, value in shown.items() if value not in {None, ""})


def _parts(row: dict[str, Any]) -> str:
    return " ".join(f"{name} {value}" for name, value in row.items() if value is not None)


def resolved_origins(spec: ScheduleSpec | None) -> dict[str, str]:
    """Where each value that somebody wrote stands, as ``path:line``; what is absent has its default."""
    return {} if spec is None else {name: str(origin) for name, origin in sorted(spec.origins.items())}


def origin_rows(spec: ScheduleSpec, min_gap: timedelta | None) -> list[tuple[str, str, str]]:
    """Each value that is not a default: its name, the value, and where it was written; for a list every place that adds to it."""
    values = _values(spec, min_gap)
    places: dict[str, list[str]] = {}
    for name, place in resolved_origins(spec).items():
        # Windows are one list in force, whoever added to it.
        places.setdefault("windows" if name.startswith("windows[") else name, []).append(place)
    quarrels = tuple(f"{name}[" for name in spec.conflicts)
    return [
        (name, "in conflict" if name.startswith(quarrels) else values.get(name, ""), ", ".join(found))
        for name, found in places.items()
    ]


def _values(spec: ScheduleSpec, min_gap: timedelta | None) -> dict[str, str]:
    """The values by the names that origins have."""
    row = resolved_json(spec, min_gap)
    flat = {name: value for name, value in row.items() if not isinstance(value, dict)}
    for name in ("catchUp", "retry", "freshnessAlert", "drift"):
        flat |= {f"{name}.{part}": value for part, value in (row[name] or {}).items()}
    frozen = sorted(name for name in spec.origins if name.startswith("freeze["))
    return {
        **{name: str(value) for name, value in flat.items()},
        "platform": spec.platform,
        "connectionId": spec.connection_id,
        "schedules": entries_text(spec.entries),
        "retry": _parts(row["retry"] or {}),
        "exclude": "; ".join(exclusion_text(each) for each in spec.exclude),
        "windows": "; ".join(window_text(each) for each in spec.windows),
        "suspend": suspension_text(spec.suspend),
        "drift.foreignJobs": str(spec.foreign_jobs),
        **{name: suspension_text(freeze) for name, freeze in zip(frozen, spec.freezes, strict=False)},
    }
