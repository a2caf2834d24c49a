"""A platform: the API that runs jobs."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from controller.model.connection import Connection, ConnectionChange
from controller.model.job import Job


@dataclass(frozen=True, slots=True)
class JobListing:
    """A complete listing: every job created at or after ``covers_since``, each id once, newest first.

    ``platform_date`` is the platform's own clock (its ``Date`` header) during the listing, None if it did not say.
    """

    jobs: tuple[Job, ...]
    covers_since: datetime
    platform_date: datetime | None = None


class Platform(Protocol):
    """What Mainspring asks of a platform. Every call ends within its profile's deadline."""

    async def list_jobs(self, since: datetime) -> JobListing:
        """List all jobs created at or after ``since``, of every connection and kind.

        Raises:
            PlatformUnavailable: any page failed, or the order could not be trusted; a part is never returned.
        """
        ...

    async def list_active_jobs(self) -> tuple[Job, ...]:
        """List jobs that are not terminal, however old; asked once at the start.

        Raises:
            PlatformUnavailable: any page failed.
        """
        ...

    async def get_jobs(self, job_ids: Collection[str]) -> dict[str, Job]:
        """Read jobs again by id; ids that the platform does not know (or show) are absent from the answer.

        Raises:
            PlatformUnavailable: a read failed.
        """
        ...

    async def newest_success(self, connection_id: str) -> Job | None:
        """Find the connection's newest sync that succeeded, however old; None if there is none. One request.

        Raises:
            PlatformUnavailable: the read failed.
        """
        ...

    async def get_connection(self, connection_id: str) -> Connection | None:
        """Read one connection; None if it does not exist or may not be seen.

        Raises:
            PlatformUnavailable: the read failed.
        """
        ...

    async def list_connections(self, offset: int, limit: int) -> tuple[Connection, ...]:
        """Read one page of connections; a page shorter than ``limit`` is the last.

        Raises:
            PlatformUnavailable: the read failed.
        """
        ...

    async def trigger_sync(self, connection_id: str) -> Job:
        """Send one POST, once, on a fresh connection; never retried in here.

        Raises:
            NotCreated: certainly no job (connection failure, 401, 403, 429).
            Rejected: certainly no job, the request is refused (400, 404, 422).
            Busy: 409.
            OutcomeUnknown: a job may exist.
        """
        ...

    async def trigger_reset(self, connection_id: str) -> Job:
        """The same for a job that clears the connection's destination data.

        Raises:
            NotCreated, Rejected, Busy, OutcomeUnknown: as `trigger_sync`.
        """
        ...

    async def cancel_job(self, job_id: str) -> None:
        """Ask for a job's end; success means only that the platform took the request, or that the job is over already.

        Raises:
            PlatformUnavailable: the platform did not take it, or may not have.
        """
        ...

    async def update_connection(self, connection_id: str, change: ConnectionChange) -> Connection:
        """Send one PATCH with what changes and nothing else, once; returns the connection as the answer shows it.

        Raises:
            NotCreated: it certainly changed nothing (connection failure, 401, 403, 429).
            Rejected: it certainly changed nothing, the request is refused (400, 404, 422).
            ConnectionLocked: it certainly changed nothing (409).
            OutcomeUnknown: it may have been changed.
        """
        ...

    async def close(self) -> None:
        """Give network resources back."""
        ...
