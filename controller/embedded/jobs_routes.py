"""The API's jobs: list, get, trigger, cancel, retry, log."""

from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from controller.embedded.access import require_access
from controller.embedded.catalogue import Catalogue
from controller.embedded.clock import utc_now
from controller.embedded.definition import Command
from controller.embedded.envelope import ApiError, documented, error_of_status
from controller.embedded.runner import Runner
from controller.embedded.store import ConnectionBusyError, Job, JobFilter, JobStatus, JobType, Page, Store
from controller.embedded.wire import JobAnswer, JobList, JobLog, TriggerRequest, job_answer, line_answer

LIMIT_DEFAULT = 20  # Airbyte's, which clients of this dialect have to expect
LIMIT_MAX = 100  # the same
OFFSET_MAX = 2**31 - 1

UNAUTHORIZED, FORBIDDEN, NOT_FOUND = HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND
TOO_LARGE = HTTPStatus.REQUEST_ENTITY_TOO_LARGE

Limit = Annotated[int, Query(ge=1, le=LIMIT_MAX)]
Offset = Annotated[int, Query(ge=0, le=OFFSET_MAX)]

router = APIRouter(tags=["jobs"], dependencies=[Depends(require_access)])


class Jobs:
    """What the routes need, and the rules for starting and ending a job."""

    def __init__(self, store: Store, catalogue: Catalogue, runner: Runner) -> None:
        self.store = store
        self._catalogue = catalogue
        self._runner = runner

    def find(self, job_id: str) -> Job:
        """Return a job or raise 404."""
        job = self.store.job(job_id)
        if job is None:
            raise ApiError(NOT_FOUND, "CONNECTOR_JOB_NOT_FOUND", f"There is no job {job_id}.")
        return job

    def trigger(self, connection_id: str, job_type: JobType) -> Job:
        """Start a job or raise: 404 unknown connection, 409 inactive or busy, 422 no such kind of job, 503 stopping."""
        connection = self._catalogue.get(connection_id)
        if connection is None:
            raise ApiError(NOT_FOUND, "CONNECTOR_CONNECTION_NOT_FOUND", f"There is no connection {connection_id}.")
        if connection.status != "active":
            raise ApiError(
                HTTPStatus.CONFLICT, "CONNECTOR_CONNECTION_INACTIVE", f"Connection {connection_id} is inactive."
            )
        if job_type == "reset" and isinstance(connection.work, Command) and connection.work.reset is None:
            message = f"Connection {connection_id} runs a command and has none for a reset."
            raise ApiError(HTTPStatus.UNPROCESSABLE_ENTITY, "CONNECTOR_RESET_NOT_SUPPORTED", message)
        if self._runner.is_stopping:
            raise error_of_status(HTTPStatus.SERVICE_UNAVAILABLE, "The platform is stopping.")
        try:
            job = self.store.create_job(connection_id, job_type, utc_now())
        except ConnectionBusyError as error:
            message = f"Connection {connection_id} has an active job already."
            raise ApiError(HTTPStatus.CONFLICT, "CONNECTOR_JOB_ALREADY_RUNNING", message) from error
        self._runner.wake()
        return job

    def start_by_schedule(self, connection_id: str) -> bool:
        """Start a sync because the connection's own schedule says so; False where a client would get an error."""
        try:
            self.trigger(connection_id, "sync")
        except ApiError:
            return False
        return True

    def cancel(self, job_id: str) -> None:
        """Ask for a job's end or raise: 404 unknown, 409 over already."""
        job = self.find(job_id)
        if not job.is_active:
            raise ApiError(HTTPStatus.CONFLICT, "CONNECTOR_JOB_NOT_RUNNING", f"Job {job_id} has already {job.status}.")
        self._runner.cancel(job)

    def retry(self, job_id: str) -> Job:
        """Start a job like one that failed or was cancelled, or raise 400 when that is impossible now."""
        job = self.find(job_id)
        if job.status not in ("failed", "cancelled"):
            raise ApiError(
                HTTPStatus.BAD_REQUEST, "CONNECTOR_JOB_RETRY_FAILED", f"Job {job_id} is {job.status}: nothing to retry."
            )
        try:
            return self.trigger(job.connection_id, job.job_type)
        except ApiError as error:
            if error.status == HTTPStatus.SERVICE_UNAVAILABLE:
                raise
            raise ApiError(
                HTTPStatus.BAD_REQUEST, "CONNECTOR_JOB_RETRY_FAILED", error.message, {"cause": error.code}
            ) from error


def _jobs(request: Request) -> Jobs:
    jobs: Jobs = request.app.state.jobs
    return jobs


JobsOfApp = Annotated[Jobs, Depends(_jobs)]


def _zoned(name: str, at: datetime | None) -> datetime | None:
    if at is None:
        return None
    if at.tzinfo is None:
        raise error_of_status(HTTPStatus.UNPROCESSABLE_ENTITY, f"query.{name}: needs a time zone, as in RFC 3339")
    return at.astimezone(UTC)


def _is_newest_first(order_by: str | None) -> bool:
    if order_by is None:
        return False
    field, _, direction = order_by.partition("|")
    if field not in ("createdAt", "created_at") or direction not in ("ASC", "DESC"):
        raise error_of_status(
            HTTPStatus.UNPROCESSABLE_ENTITY, f"query.order_by: {order_by!r} is not createdAt|ASC or createdAt|DESC"
        )
    return direction == "DESC"


async def wanted_jobs(
    connection_id: str | None = None,
    job_type: JobType | None = None,
    status: JobStatus | None = None,
    created_at_start: datetime | None = None,
    created_at_end: datetime | None = None,
    order_by: Annotated[
        str | None, Query(description="createdAt|ASC (the default, oldest first) or createdAt|DESC")
    ] = None,
) -> JobFilter:
    """Read a job list's query; both bounds of the date range are inclusive."""
    return JobFilter(
        connection_id=connection_id,
        job_type=job_type,
        status=status,
        created_at_start=_zoned("created_at_start", created_at_start),
        created_at_end=_zoned("created_at_end", created_at_end),
        is_newest_first=_is_newest_first(order_by),
    )


@router.get("/jobs", responses=documented(UNAUTHORIZED, FORBIDDEN))
async def list_jobs(
    request: Request,
    jobs: JobsOfApp,
    wanted: Annotated[JobFilter, Depends(wanted_jobs)],
    limit: Limit = LIMIT_DEFAULT,
    offset: Offset = 0,
) -> JobList:
    """List jobs, oldest first unless `order_by` says otherwise."""
    now = utc_now()
    lag: timedelta | None = request.scope.get("list_lag")
    found, total = jobs.store.list_jobs(wanted if lag is None else wanted.seen_until(now - lag), Page(limit, offset))
    return JobList(data=[job_answer(job, now) for job in found], total=total)


@router.get("/jobs/{job_id}", responses=documented(UNAUTHORIZED, FORBIDDEN, NOT_FOUND))
async def get_job(job_id: str, jobs: JobsOfApp) -> JobAnswer:
    """Get one job."""
    return job_answer(jobs.find(job_id), utc_now())


@router.post(
    "/jobs",
    responses=documented(
        UNAUTHORIZED, FORBIDDEN, NOT_FOUND, HTTPStatus.CONFLICT, TOO_LARGE, HTTPStatus.SERVICE_UNAVAILABLE
    ),
)
async def trigger_job(body: TriggerRequest, jobs: JobsOfApp) -> JobAnswer:
    """Start a job. A connection has at most one active job: a second start is a conflict."""
    return job_answer(jobs.trigger(body.connection_id, body.job_type), utc_now())


@router.delete(
    "/jobs/{job_id}",
    status_code=HTTPStatus.NO_CONTENT,
    responses=documented(UNAUTHORIZED, FORBIDDEN, NOT_FOUND, HTTPStatus.CONFLICT),
)
async def cancel_job(job_id: str, jobs: JobsOfApp) -> Response:
    """Cancel a job. It is `cancelled` when its processes are gone, at the latest after a few seconds."""
    jobs.cancel(job_id)
    return Response(status_code=HTTPStatus.NO_CONTENT)


@router.post(
    "/jobs/{job_id}/retry",
    responses=documented(UNAUTHORIZED, FORBIDDEN, NOT_FOUND, HTTPStatus.BAD_REQUEST, HTTPStatus.SERVICE_UNAVAILABLE),
)
async def retry_job(job_id: str, jobs: JobsOfApp) -> JobAnswer:
    """Start a new job like one that failed or was cancelled; it has an id of its own."""
    return job_answer(jobs.retry(job_id), utc_now())


@router.get("/jobs/{job_id}/logs", responses=documented(UNAUTHORIZED, FORBIDDEN, NOT_FOUND))
async def get_job_log(job_id: str, jobs: JobsOfApp, limit: Limit = LIMIT_MAX, offset: Offset = 0) -> JobLog:
    """Get a page of a job's log, oldest line first. Of a very long log only the newest lines are kept."""
    lines, total = jobs.store.log_lines(jobs.find(job_id).job_id, Page(limit, offset))
    return JobLog(data=[line_answer(line) for line in lines], total=total)
