"""A comparison of two revisions as one JSON document (``docs/review.md`` has its shape)."""

from typing import Any
from zoneinfo import ZoneInfo

from controller.cli.planning.comparison.words import Compared, places, source_text, value_text
from controller.cli.terminal import rfc3339
from controller.decide.comparison.difference import (
    Caution,
    Change,
    Coming,
    FieldChange,
    Pace,
    Peak,
    PolicyChange,
    ScheduleChange,
    Totals,
)
from controller.model.request import DeclaredRequest
from controller.model.schedule import Origin


def comparison_json(compared: Compared) -> dict[str, Any]:
    """The document."""
    found = compared.found
    return {
        "from": {"revision": compared.asked[0], "commit": compared.commits[0]},
        "to": {"revision": compared.asked[1], "commit": compared.commits[1]},
        "path": compared.path,
        "at": rfc3339(found.at),
        "changes": not found.is_empty,
        "counts": {str(kind): found.counts.get(kind, 0) for kind in Change},
        "held_until_confirmed": bool(found.held),
        "horizon_seconds": int(found.horizon.total_seconds()),
        "before": _totals(found.before),
        "after": _totals(found.after),
        "warnings": [_caution(each) for each in found.cautions],
        "errors": places(compared.errors),
        "schedules": [_schedule(each) for each in found.schedules],
        "policies": [_policy(each) for each in found.policies],
        "requests": [_request(each) for each in found.requests],
        "notes": list(compared.notes),
    }


def _totals(totals: Totals) -> dict[str, Any]:
    load = totals.load
    return {
        "schedules": totals.schedules,
        "runs_per_day": round(totals.runs_per_day, 3),
        "busiest_minutes": [_peak(each) for each in load.minutes],
        "busiest_hour": None if load.hour is None else _peak(load.hour),
    }


def _peak(peak: Peak) -> dict[str, Any]:
    return {"at": rfc3339(peak.at), "starts": peak.starts}


def _place(origin: Origin | None) -> dict[str, Any]:
    return {"path": None, "line": None} if origin is None else {"path": origin.path, "line": origin.line}


def _caution(caution: Caution) -> dict[str, Any]:
    return {
        "level": str(caution.level),
        "code": caution.code,
        "schedule": caution.schedule or None,
        **_place(caution.origin),
        "message": caution.message,
    }


def _schedule(change: ScheduleChange) -> dict[str, Any]:
    now = change.after or change.before
    return {
        "change": str(change.kind),
        "schedule": change.name,
        "platform": change.ref.platform,
        "connection_id": change.ref.connection_id,
        **_place(change.origin),
        "fields": [_field(each) for each in change.fields],
        "runs_per_day": {"before": _pace(change.pace_before), "after": _pace(change.pace_after)},
        "quiet": change.pace_after.quiet,
        "next": [_coming(each) for each in change.pace_after.coming],
        "on_delete": str(now.on_delete) if now is not None else None,
        "remark": change.remark,
    }


def _field(field: FieldChange) -> dict[str, Any]:
    return {
        "field": field.name,
        "before": None if field.before is None else value_text(field.name, field.before),
        "after": None if field.after is None else value_text(field.name, field.after),
        "source": source_text(field.source),
    }


def _pace(pace: Pace) -> dict[str, Any]:
    return {"mean": round(pace.mean, 3), "least": pace.least, "most": pace.most}


def _coming(coming: Coming) -> dict[str, Any]:
    return {
        "scheduled_at": rfc3339(coming.scheduled_at),
        "starts_at": rfc3339(coming.starts_at),
        "local": [
            {"time_zone": zone, "at": coming.scheduled_at.astimezone(ZoneInfo(zone)).isoformat()}
            for zone in coming.zones
        ],
    }


def _policy(change: PolicyChange) -> dict[str, Any]:
    return {
        "change": str(change.kind),
        "policy": change.name,
        **_place(change.origin),
        "selects": change.selects,
        "fields": [{key: value for key, value in _field(each).items() if key != "source"} for each in change.fields],
    }


def _request(request: DeclaredRequest) -> dict[str, Any]:
    return {
        "request": request.name,
        "action": str(request.action),
        "schedule": request.schedule or None,
        "revision": request.revision or None,
        "not_before": rfc3339(request.not_before),
        "expires_at": rfc3339(request.expires_at),
        **_place(request.origin),
    }
