"""Aitronos Knowledge Connectors: the platform port over its API (and over the embedded platform, which serves the same one)."""

import asyncio
import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote, urlencode

import httpx

from controller.adapters.platforms.credentials import Credentials
from controller.adapters.platforms.envelope import Endpoint, endpoint_root
from controller.adapters.platforms.http import PlatformHttp
from controller.adapters.platforms.listing import JobPage, PageReader, list_since, list_whole
from controller.adapters.platforms.reply import Reply
from controller.adapters.platforms.updates import change_body, not_changed
from controller.adapters.platforms.wire import (
    CONNECTION,
    CONNECTION_PAGE,
    ID_LENGTH_MAX,
    JOB,
    JOB_PAGE,
    TRIGGERED,
    WireConnection,
    read_body,
)
from controller.errors import (
    Busy,
    NotCreated,
    OutcomeUnknown,
    PlatformBusyElsewhere,
    PlatformUnavailable,
    Rejected,
    SettingsInvalid,
)
from controller.model.connection import Connection, ConnectionChange
from controller.model.job import Job, JobKind, JobStatus
from controller.model.profile import PlatformProfile
from controller.ports.clock import Clock
from controller.ports.platform import JobListing

# The order in which a job usually moves through them: one that moves between two listings is seen in the later one.
ACTIVE_STATUSES: Final = (JobStatus.PENDING, JobStatus.QUEUED, JobStatus.RUNNING, JobStatus.RETRYING)
# Reads of single jobs under way at once: the platform serves everybody from five threads.
READS_AT_ONCE = 2
# Sent always: Airbyte's own default is the oldest first.
NEWEST_FIRST: Final = "order_by=createdAt%7CDESC"
# Airbyte's words, which older versions and proxies of it pass on with other statuses than 409.
ALREADY_RUNNING: Final = b"already running"


SUCCESSES_READ = 5
"""How many successes are asked for, to take the newest: a platform that sorts by another time still shows it among them."""

Transport = httpx.AsyncBaseTransport
"""What may carry requests in place of the network."""


@dataclass(frozen=True, slots=True)
class AitronosOptions:
    """What an adapter is made of.

    Attributes:
        base_url: ``https://host[:port][/prefix]``, without user, query or fragment.
        organization_id: whose connectors these are (``org_…``).
        credentials: who gives the token; asked before every request.
        profile: deadlines, page size, budget.
        clock: for back-off, budget and pauses.
        transport: sends reads and writes in place of the network, if given.
    """

    base_url: str
    organization_id: str
    credentials: Credentials
    profile: PlatformProfile
    clock: Clock
    transport: Transport | None = None


class AitronosPlatform:
    """The platform port over HTTP. Writes are not serialised in here: whoever sends one holds a permit already.

    Raises:
        SettingsInvalid: the address or the organisation cannot be used.
    """

    def __init__(self, options: AitronosOptions) -> None:
        organization = _segment(options.organization_id)
        if not organization:
            raise SettingsInvalid(
                "organization_id cannot stand in an address; write the id as the platform shows it (org_...)"
            )
        root = endpoint_root(options.base_url, f"/v1/organizations/{organization}/knowledge/connectors")
        self._profile = options.profile
        self._clock = options.clock
        self._schedule_keys: dict[str, str] = {}
        self._http = PlatformHttp(
            Endpoint(root, options.credentials, options.profile, options.clock, options.transport)
        )

    async def list_jobs(self, since: datetime) -> JobListing:
        """List all jobs created at or after ``since`` (whole seconds: the fraction is dropped, since the platform drops it too).

        Raises:
            PlatformBusyElsewhere: 429, or our own budget.
            PlatformUnavailable: any page failed, or they do not add up.
        """
        covers_since = since.astimezone(UTC).replace(microsecond=0)
        listed = await list_since(
            self._pages(f"created_at_start={covers_since:%Y-%m-%dT%H%%3A%M%%3A%SZ}"), covers_since
        )
        return JobListing(listed.jobs, covers_since, listed.platform_date)

    async def list_active_jobs(self) -> tuple[Job, ...]:
        """List jobs that are not terminal, one listing per status; a status that the platform does not know has none.

        Raises:
            PlatformBusyElsewhere: 429, or our own budget.
            PlatformUnavailable: any page failed, or they do not add up.
        """
        found: dict[str, Job] = {}
        for status in ACTIVE_STATUSES:
            # "running" is documented: refusing it means that the request as such is refused, and silence would look like none.
            may_be_unknown = status is not JobStatus.RUNNING
            listed = await list_whole(self._pages(f"status={status}", may_be_unknown=may_be_unknown))
            found.update((job.job_id, job) for job in listed.jobs)
        return tuple(job for job in found.values() if job.is_active)

    async def get_jobs(self, job_ids: Collection[str]) -> dict[str, Job]:
        """Read jobs by id; 403, 404 and 409 all mean that the platform does not show one.

        Raises:
            PlatformBusyElsewhere: 429, or our own budget.
            PlatformUnavailable: a read failed.
        """
        # Sorted, so that the same question sends the same requests, whatever collection it came in.
        wanted = sorted(set(job_ids))
        waiting = iter(wanted)
        found: dict[str, Job] = {}
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(READS_AT_ONCE):
                    group.create_task(self._get_each(waiting, found))
        except* PlatformUnavailable as failures:
            failure = failures.exceptions[0]
        else:
            # In that order again, whichever answer came first.
            return {job_id: found[job_id] for job_id in wanted if job_id in found}
        raise failure

    async def newest_success(self, connection_id: str) -> Job | None:
        """Find the connection's newest sync that succeeded; what the platform shows beside that is left out.

        Raises:
            PlatformBusyElsewhere: 429, or our own budget.
            PlatformUnavailable: the read failed, or it shows jobs and none of those that were asked for.
        """
        what = "find the newest success"
        asked = urlencode({"connection_id": connection_id, "job_type": "sync", "status": "succeeded"})
        reply = await self._http.read(what, f"/jobs?{asked}&{NEWEST_FIRST}&limit={SUCCESSES_READ}&offset=0")
        page = read_body(JOB_PAGE, _body(what, reply), what)
        jobs = [row.to_job() for row in page.data]
        found = [
            job
            for job in jobs
            if job.connection_id == connection_id and job.kind is JobKind.SYNC and job.status is JobStatus.SUCCEEDED
        ]
        if jobs and not found:
            # It did not take the filter: an older success may stand further back, and "none" would be a guess.
            raise PlatformUnavailable(f"{what}: the platform shows other jobs than those that were asked for")
        return max(found, key=lambda job: (job.created_at, job.job_id), default=None)

    async def get_connection(self, connection_id: str) -> Connection | None:
        """Read one connection; 403 and 404 both mean None.

        Raises:
            PlatformBusyElsewhere: 429, or our own budget.
            PlatformUnavailable: the read failed.
        """
        what = "get a connection"
        segment = _segment(connection_id)
        if not segment:
            return None
        reply = await self._http.read(what, f"/connections/{segment}")
        if reply.status in (403, 404):
            return None
        return self._connection(read_body(CONNECTION, _body(what, reply), what))

    async def list_connections(self, offset: int, limit: int) -> tuple[Connection, ...]:
        """Read one page of connections; a page shorter than ``limit`` is the last, whatever page size the platform keeps to.

        Raises:
            PlatformBusyElsewhere: 429, or our own budget.
            PlatformUnavailable: the read failed, or the platform promised more than it showed.
        """
        what = "list connections"
        found: list[Connection] = []
        for _ in range(self._profile.pages_max):
            start, wanted = offset + len(found), limit - len(found)
            reply = await self._http.read(what, f"/connections?limit={wanted}&offset={start}")
            page = read_body(CONNECTION_PAGE, _body(what, reply), what)
            # The API documents no paging of connections, so all of them may come whatever was asked.
            is_everything = len(page.data) > wanted or (start > 0 and page.total == len(page.data))
            rows = page.data[start : start + wanted] if is_everything else page.data
            found += [self._connection(row) for row in rows]
            if len(found) == limit or page.total is None or offset + len(found) >= page.total:
                return tuple(found)
            if not rows:
                break
        raise PlatformUnavailable(f"{what}: the pages did not add up to the total")

    async def trigger_sync(self, connection_id: str) -> Job:
        """Send one POST, once.

        Raises:
            NotCreated: no connection, no token, 401, 403, 429, a pause or the budget.
            Rejected: 400, 404, 422.
            Busy: 409, or Airbyte's words for it.
            OutcomeUnknown: everything else; a job may exist.
        """
        return await self._trigger(connection_id, JobKind.SYNC)

    async def trigger_reset(self, connection_id: str) -> Job:
        """Send one POST, once; it clears destination data.

        Raises:
            NotCreated, Rejected, Busy, OutcomeUnknown: as `trigger_sync`.
        """
        return await self._trigger(connection_id, JobKind.RESET)

    async def _trigger(self, connection_id: str, kind: JobKind) -> Job:
        what = f"trigger a {kind}"
        body = json.dumps({"connectionId": connection_id, "jobType": str(kind)}).encode("ascii")
        reply = await self._http.write(what, "POST", "/jobs", body)
        if not reply.is_success:
            raise _trigger_failure(what, reply)
        try:
            made = read_body(TRIGGERED, reply.body, what)
        except PlatformUnavailable as error:
            raise OutcomeUnknown(str(error)) from None
        job = made.to_job(connection_id, made.start_time or reply.date or self._clock.now())
        if job.connection_id != connection_id:
            raise OutcomeUnknown(f"{what}: the answer is about another connection")
        return job

    async def cancel_job(self, job_id: str) -> None:
        """Send one DELETE, once; 404 and 409 mean that the job is over already.

        Raises:
            PlatformBusyElsewhere: 429, a pause or our own budget.
            PlatformUnavailable: it was not taken, or may not have been.
        """
        what = "cancel a job"
        segment = _segment(job_id)
        if not segment:
            raise PlatformUnavailable(f"{what}: the id cannot stand in an address")
        try:
            reply = await self._http.write(what, "DELETE", f"/jobs/{segment}")
        except NotCreated as error:
            if error.retry_after is not None:
                raise PlatformBusyElsewhere(str(error), error.retry_after) from None
            raise PlatformUnavailable(str(error)) from None
        except OutcomeUnknown as error:
            raise PlatformUnavailable(str(error)) from None
        if not reply.is_success and reply.status not in (404, 409):
            raise PlatformUnavailable(reply.describe(what))

    async def update_connection(self, connection_id: str, change: ConnectionChange) -> Connection:
        """Send one PATCH, once; a schedule is written in the spelling in which the connection shows its own.

        Raises:
            NotCreated: no connection, no token, 401, 403, 429, a pause or the budget; nothing was changed.
            Rejected: 400, 404, 422; nothing was changed.
            ConnectionLocked: 409; nothing was changed.
            OutcomeUnknown: everything else; it may have been changed.
        """
        what = "change a connection"
        segment = _segment(connection_id)
        if not segment:
            raise Rejected(f"{what}: the id cannot stand in an address")
        body = change_body(change, self._schedule_keys.get(connection_id))
        reply = await self._http.write(what, "PATCH", f"/connections/{segment}", body)
        if not reply.is_success:
            raise not_changed(what, reply)
        try:
            row = read_body(CONNECTION, reply.body, what)
        except PlatformUnavailable as error:
            raise OutcomeUnknown(str(error)) from None
        if row.connection_id != connection_id:
            raise OutcomeUnknown(f"{what}: the answer is about another connection")
        return self._connection(row)

    async def close(self) -> None:
        """Give the connections back."""
        await self._http.close()

    def _connection(self, row: WireConnection) -> Connection:
        """A connection in the words of the model; how it spells its schedule is kept for when that is written."""
        if row.schedule_key is not None:
            self._schedule_keys[row.connection_id] = row.schedule_key
        return row.to_connection()

    def _pages(self, query: str, *, may_be_unknown: bool = False) -> PageReader:
        what = "list jobs"
        size = self._profile.page_size

        async def read(offset: int) -> JobPage:
            reply = await self._http.read(what, f"/jobs?{query}&{NEWEST_FIRST}&limit={size}&offset={offset}")
            if may_be_unknown and offset == 0 and reply.status in (400, 422):
                return JobPage((), None, reply.date)
            page = read_body(JOB_PAGE, _body(what, reply), what)
            return JobPage(tuple(row.to_job() for row in page.data), page.total, reply.date)

        return PageReader(read, size, self._profile.pages_max)

    async def _get_each(self, waiting: Iterator[str], found: dict[str, Job]) -> None:
        what = "get a job"
        for job_id in waiting:
            segment = _segment(job_id)
            if not segment:
                continue
            reply = await self._http.read(what, f"/jobs/{segment}")
            if reply.status in (403, 404, 409):
                continue
            job = read_body(JOB, _body(what, reply), what).to_job()
            if job.job_id != job_id:
                raise PlatformUnavailable(f"{what}: the answer is about another job")
            found[job_id] = job


def _segment(identifier: str) -> str:
    """An id as one segment of a path, or nothing if it cannot be one (empty, a way up the path, too long)."""
    if identifier in (".", "..") or len(identifier) > ID_LENGTH_MAX:
        return ""
    return quote(identifier, safe="", errors="replace")


def _body(what: str, reply: Reply) -> bytes:
    """The body of a read that succeeded."""
    if not reply.is_success:
        raise PlatformUnavailable(reply.describe(what))
    return reply.body


def _trigger_failure(what: str, reply: Reply) -> NotCreated | Rejected | Busy | OutcomeUnknown:
    """What an answer other than 2xx and 429 says about the job; what is not known to be harmless counts as unknown."""
    text = reply.describe(what)
    if reply.status == 409 or (reply.status in (400, 500) and ALREADY_RUNNING in reply.body.lower()):
        return Busy(text)
    if reply.status in (401, 403):
        return NotCreated(text)
    if reply.status in (400, 404, 422):
        return Rejected(text)
    return OutcomeUnknown(text)
