"""The bodies of requests and answers. Requests may be written in snake_case or camelCase, answers are snake_case."""

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from controller.embedded.catalogue import WORKSPACE_ID, Connection
from controller.embedded.definition import SHORT_TEXT_LENGTH_MAX, BothStyles, ConnectionStatus, Identifier
from controller.embedded.schedule import MANUAL, Schedule
from controller.embedded.store import Job, JobStatus, JobType, LogLine, TimelineEvent

NAME_TEXT_MAX = 256  # of a connection's name
Name = Annotated[str, StringConstraints(min_length=1, max_length=NAME_TEXT_MAX)]
Text = Annotated[str, StringConstraints(max_length=SHORT_TEXT_LENGTH_MAX)]


class Answer(BaseModel):
    """A body that we send: built from our own values, so it is not checked again."""

    model_config = ConfigDict(frozen=True)


class TriggerRequest(BothStyles):
    """Which connection to start, and with what kind of job. Keys may also be camelCase."""

    connection_id: Annotated[str, StringConstraints(min_length=1, max_length=SHORT_TEXT_LENGTH_MAX)]
    job_type: JobType


class ConnectionFields(BothStyles):
    """What both creating and changing a connection take. Keys may also be camelCase."""

    name: Name = ""
    schedule: Schedule = MANUAL
    configurations: dict[str, Any] = Field(default_factory=dict)
    status: ConnectionStatus = "active"
    namespace_definition: Literal["source", "destination", "custom_format"] = "destination"
    namespace_format: Text = ""
    prefix: Text = ""
    non_breaking_schema_updates_behavior: Text = ""


class CreateConnectionRequest(ConnectionFields):
    """A new connection. `configurations` holds its `source` and `destination`; paths in it are under the data directory."""

    source_id: Identifier
    destination_id: Identifier = ""


class UpdateConnectionRequest(ConnectionFields):
    """What to change on a connection; absent keys stay as they are."""


class JobAnswer(Answer):
    """A job. `start_time` is its creation; `duration` counts from there and is null while it is pending."""

    job_id: str
    status: JobStatus
    job_type: JobType
    start_time: str
    connection_id: str
    bytes_synced: int
    rows_synced: int
    duration: str | None
    last_updated_at: str | None = Field(description="when it ended; null before")


class JobList(Answer):
    """One page of jobs, and how many there are in all."""

    data: list[JobAnswer]
    total: int


class LogLineAnswer(Answer):
    """One line of a job's log."""

    at: str
    line: str


class JobLog(Answer):
    """One page of a job's log, oldest line first, and how many lines there are."""

    data: list[LogLineAnswer]
    total: int


class ConnectionAnswer(Answer):
    """A connection."""

    connection_id: str
    name: str
    source_id: str
    destination_id: str
    workspace_id: str
    status: ConnectionStatus
    schedule: dict[str, Any]
    configurations: dict[str, Any]
    namespace_definition: str | None
    namespace_format: str | None
    prefix: str | None
    non_breaking_schema_updates_behavior: str | None


class ConnectionList(Answer):
    """One page of connections, and how many there are in all."""

    data: list[ConnectionAnswer]
    total: int


class SyncStatus(Answer):
    """How a connection stands: whether a job is active, and its newest job."""

    connection_id: str
    status: ConnectionStatus
    is_running: bool
    last_job: JobAnswer | None


class EventAnswer(Answer):
    """Something that happened to a connection."""

    event_id: str
    event_type: str
    created_at: str
    summary: dict[str, Any]


class Timeline(Answer):
    """One page of a connection's events, newest first, and how many there are."""

    data: list[EventAnswer]
    total: int


class Health(Answer):
    """Whether the platform works."""

    status: Literal["ok", "degraded", "unavailable"]
    available: bool


def time_text(at: datetime) -> str:
    """Write a time as RFC 3339, UTC, with microseconds, so that texts sort as times do."""
    return at.isoformat(timespec="microseconds").replace("+00:00", "Z")


def duration_text(duration: timedelta) -> str:
    """Write a duration as ISO 8601 in hours, minutes and seconds, exact to the millisecond: `PT2M30S`, `PT0.034S`."""
    milliseconds = max(0, duration // timedelta(milliseconds=1))
    minutes, milliseconds = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    seconds = f"{milliseconds / 1000:.3f}".rstrip("0").rstrip(".")
    text = (f"{hours}H" if hours else "") + (f"{minutes}M" if minutes else "")
    return "PT" + text + (f"{seconds}S" if milliseconds or not text else "")


def job_answer(job: Job, now: datetime) -> JobAnswer:
    """Show a job as it stands `now`."""
    until = job.ended_at if job.ended_at is not None else now
    return JobAnswer(
        job_id=job.job_id,
        status=job.status,
        job_type=job.job_type,
        start_time=time_text(job.created_at),
        connection_id=job.connection_id,
        bytes_synced=job.bytes_synced,
        rows_synced=job.rows_synced,
        duration=None if job.status == "pending" else duration_text(until - job.created_at),
        last_updated_at=None if job.ended_at is None else time_text(job.ended_at),
    )


def line_answer(line: LogLine) -> LogLineAnswer:
    """Show a line of a log."""
    return LogLineAnswer(at=time_text(line.logged_at), line=line.line)


def connection_answer(connection: Connection) -> ConnectionAnswer:
    """Show a connection."""
    extra = connection.extra
    return ConnectionAnswer(
        connection_id=connection.connection_id,
        name=connection.name,
        source_id=connection.source_id,
        destination_id=connection.destination_id,
        workspace_id=WORKSPACE_ID,
        status=connection.status,
        schedule=dict(connection.schedule),
        configurations=dict(connection.configurations),
        namespace_definition=extra.get("namespace_definition"),
        namespace_format=extra.get("namespace_format"),
        prefix=extra.get("prefix"),
        non_breaking_schema_updates_behavior=extra.get("non_breaking_schema_updates_behavior"),
    )


def event_answer(event: TimelineEvent) -> EventAnswer:
    """Show an event of the timeline."""
    return EventAnswer(
        event_id=f"evt_{event.sequence:06d}",
        event_type=event.event_type,
        created_at=time_text(event.created_at),
        summary=event.summary,
    )
