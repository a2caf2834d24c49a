"""A job: one run of a connection on a platform, as last observed."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class JobStatus(StrEnum):
    """The neutral status; an unknown word of the platform is UNKNOWN and counts as active."""

    PENDING = "pending"
    QUEUED = "queued"
    RUNNING = "running"
    RETRYING = "incomplete"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"

    @property
    def is_terminal(self) -> bool:
        """Whether the platform will not change it any more (Airbyte ``JobStatus.kt``: failed, succeeded, cancelled)."""
        return self in _TERMINAL


_TERMINAL = frozenset({JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.CANCELLED})


class JobKind(StrEnum):
    """What a job does; only ``sync`` jobs are ever triggered or cancelled by a schedule."""

    SYNC = "sync"
    RESET = "reset"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Job:
    """One job. Times are aware UTC on the platform's clock; ``created_at`` is when its row appeared, not when work began."""

    job_id: str
    connection_id: str
    kind: JobKind
    status: JobStatus
    created_at: datetime
    ended_at: datetime | None = None
    duration: timedelta | None = None
    rows: int | None = None
    bytes: int | None = None

    @property
    def is_active(self) -> bool:
        """Whether it blocks another start of its connection."""
        return self.status not in _TERMINAL
