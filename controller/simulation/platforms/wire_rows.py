"""Rows as they stand on the wire."""

from typing import Any

from controller.model.connection import Connection
from controller.model.job import Job


def job_row(job: Job) -> dict[str, Any]:
    """A job."""
    row: dict[str, Any] = {
        "job_id": job.job_id,
        "connection_id": job.connection_id,
        "status": str(job.status),
        "job_type": str(job.kind),
        "start_time": job.created_at.isoformat(),
        "duration": None if job.duration is None else f"PT{job.duration.total_seconds():.6f}S",
        "rows_synced": job.rows,
        "bytes_synced": job.bytes,
    }
    if job.ended_at is not None:
        row["last_updated_at"] = job.ended_at.isoformat()
    return row


def connection_row(connection: Connection) -> dict[str, Any]:
    """A connection."""
    return {
        "connection_id": connection.connection_id,
        "name": connection.name,
        "status": str(connection.status),
        "schedule": {"schedule_type": str(connection.schedule_kind), "cron_expression": connection.expression},
    }
