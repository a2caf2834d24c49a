"""A schedule's status as plain values, in the Kubernetes shape."""

import re
from typing import Any

from controller.cli.schedule_text import entry_json, resolved_json, resolved_origins, suspension_json
from controller.cli.terminal import rfc3339
from controller.decide.conditions import kstatus
from controller.model.asked import Request
from controller.model.condition import Condition
from controller.model.drift import NotedDrift
from controller.model.record import SlotRecord
from controller.model.status import Run, ScheduleStatus, State

NEWEST = 10
"""How many slots and runs a status lists."""


def status_json(status: ScheduleStatus) -> dict[str, Any]:
    """One schedule."""
    spec, active, condition = status.spec, status.active_run, status.condition
    return {
        "name": status.name,
        "platform": status.ref.platform,
        "connectionId": status.ref.connection_id,
        "labels": dict(spec.labels) if spec is not None else {},
        "generation": status.generation,
        "observedGeneration": status.observed_generation,
        "revision": status.revision or None,
        "origin": str(spec.origin) if spec is not None else None,
        "schedules": [entry_json(entry) for entry in status.entries],
        "suspended": status.condition.state is State.SUSPENDED,
        "state": str(condition.state),
        "reason": str(condition.reason) if condition.reason else None,
        "message": condition.message,
        "conditions": [condition_json(each) for each in status.conditions],
        "kstatus": str(kstatus(status.generation, status.observed_generation, status.conditions)),
        "nextSlotAt": rfc3339(status.next_slot_at),
        "nextFiresAt": rfc3339(status.next_fires_at),
        "lastScheduledAt": rfc3339(status.last_scheduled_at),
        "lastTriggeredAt": rfc3339(status.last_triggered_at),
        "lastSuccessAt": rfc3339(status.last_success_at),
        "missedCount": status.missed_count,
        "failuresInARow": status.failures,
        "drifts": [drift_json(drift) for drift in status.drifts],
        "correctedToday": status.corrected_today,
        "freshness": str(status.freshness) if status.freshness is not None else None,
        "activeJob": run_json(active) if active is not None else None,
        "lastSlots": [slot_json(record) for record in status.slots[:NEWEST]],
        "suspendedByHand": suspension_json(spec.by_hand) if spec is not None and spec.by_hand is not None else None,
        "requests": [request_json(each) for each in status.requests],
        "lastRuns": [run_json(run) for run in status.runs[:NEWEST]],
        **resolved_json(spec, status.min_gap),
        "origins": resolved_origins(spec),
    }


def condition_json(condition: Condition) -> dict[str, Any]:
    """One condition."""
    return {
        "type": str(condition.type),
        "status": str(condition.status),
        "reason": str(condition.reason),
        "message": condition.message,
        "observedGeneration": condition.observed_generation,
        "lastTransitionTime": rfc3339(condition.last_transition_at),
    }


def drift_json(drift: NotedDrift) -> dict[str, Any]:
    """One field of the connection that is not as desired."""
    return {
        "field": str(drift.field),
        "desired": drift.desired,
        "observed": drift.observed,
        "since": rfc3339(drift.began_at),
        "endedAt": rfc3339(drift.ended_at),
        "fightingSince": rfc3339(drift.fighting_since),
    }


def slot_json(record: SlotRecord) -> dict[str, Any]:
    """One slot's record."""
    return {
        "scheduledAt": rfc3339(record.slot.scheduled_at),
        "through": rfc3339(record.through),
        "count": record.count,
        "outcome": str(record.outcome),
        "reason": str(record.reason) if record.reason else None,
        "message": record.message,
        "jobId": record.job_id,
        "adopted": record.adopted,
        "decidedAt": rfc3339(record.decided_at),
    }


def request_json(request: Request) -> dict[str, Any]:
    """Something that somebody asked for, and what came of it."""
    return {
        "key": request.key,
        "schedule": request.schedule,
        "action": str(request.action),
        "source": str(request.source),
        "askedBy": request.asked_by,
        "reason": request.reason,
        "madeAt": rfc3339(request.made_at.replace(microsecond=0)),
        "until": rfc3339(request.until),
        "notBefore": rfc3339(request.not_before),
        "expiresAt": rfc3339(request.expires_at),
        "status": str(request.status),
        "message": request.message,
        "jobId": request.job_id,
        "decidedAt": rfc3339(request.decided_at),
    }


def run_json(run: Run) -> dict[str, Any]:
    """One observed job."""
    job = run.job
    return {
        "jobId": job.job_id,
        "jobType": str(job.kind),
        "status": str(job.status),
        "scheduledAt": rfc3339(run.scheduled_at),
        "createdAt": rfc3339(job.created_at),
        "endedAt": rfc3339(job.ended_at),
        "durationSeconds": job.duration.total_seconds() if job.duration is not None else None,
        "rows": job.rows,
        "bytes": job.bytes,
        "origin": run.origin,
    }


def snake_keys(row: dict[str, Any]) -> dict[str, Any]:
    """The same with the names that plans and events use: ``scheduled_at`` for ``scheduledAt``."""
    return {re.sub("[A-Z]", lambda found: f"_{found[0].lower()}", name): value for name, value in row.items()}
