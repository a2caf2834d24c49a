"""What stands on the wire, in either key style, and what it means in the model.

A row that cannot be understood fails the whole page: absence is concluded from listings, so a row must not be dropped. What only
informs (duration, end, rows, bytes) is None when it cannot be read.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final, TypeVar

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, PlainValidator, TypeAdapter, ValidationError
from pydantic_core import from_json

from controller.errors import PlatformUnavailable
from controller.model.connection import Connection, ConnectionStatus, PlatformScheduleKind
from controller.model.job import Job, JobKind, JobStatus

# Ids are UUIDs, integers or short words; names are shown. Longer ones are an accident or an attack.
ID_LENGTH_MAX = 256
NAME_LENGTH_MAX = 500
# What a 64-bit column of a store can hold.
COUNT_MAX = 2**63 - 1
# An error envelope is a few hundred bytes; a longer body is a proxy's page.
ERROR_BODY_BYTES_MAX = 65_536

_CODE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")

_DURATION: Final = re.compile(
    r"P(?:(?P<weeks>\d{1,9})W)?(?:(?P<days>\d{1,9}(?:[.,]\d{1,9})?)D)?"
    r"(?:T(?:(?P<hours>\d{1,9}(?:[.,]\d{1,9})?)H)?(?:(?P<minutes>\d{1,9}(?:[.,]\d{1,9})?)M)?"
    r"(?:(?P<seconds>\d{1,12}(?:[.,]\d{1,9})?)S)?)?"
)

_STATUSES: Final = {status.value: status for status in JobStatus} | {"canceled": JobStatus.CANCELLED}
_KINDS: Final = {"sync": JobKind.SYNC, "reset": JobKind.RESET}
_CONNECTION_STATUSES: Final = {status.value: status for status in ConnectionStatus} | {
    "deprecated": ConnectionStatus.DELETED
}
_SCHEDULE_KINDS: Final = {kind.value: kind for kind in PlatformScheduleKind}


def parse_time(value: object) -> datetime:
    """An RFC 3339 time, also with its seconds left out; without a zone it is UTC.

    Raises:
        ValueError: it is none.
    """
    if not isinstance(value, str):
        raise ValueError("not a time")  # noqa: TRY004 (pydantic turns only a ValueError into an answer)
    read = datetime.fromisoformat(value)
    if read.tzinfo is UTC:
        return read
    try:
        return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    except OverflowError:
        raise ValueError("a time outside the calendar") from None


def parse_duration(value: object) -> timedelta | None:
    """An ISO 8601 duration without years and months (``PT30H``, ``PT2M30.5S``), or None if it is none."""
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return None
    parts = {unit: float(text.replace(",", ".")) for unit, text in match.groupdict().items() if text}
    try:
        return timedelta(**parts) if parts else None
    except OverflowError:
        return None


def _time_or_none(value: object) -> datetime | None:
    try:
        return parse_time(value)
    except ValueError:
        return None


def _count_or_none(value: object) -> int | None:
    return value if type(value) is int and 0 <= value <= COUNT_MAX else None


def _dict_or_none(value: object) -> dict[str, object] | None:
    return value if isinstance(value, dict) else None


Wire = TypeVar("Wire")
_Id = Annotated[str, Field(min_length=1, max_length=ID_LENGTH_MAX)]
_Duration = Annotated[timedelta | None, PlainValidator(parse_duration)]
_Count = Annotated[int | None, PlainValidator(_count_or_none)]


def _either(snake: str, camel: str) -> AliasChoices:
    return AliasChoices(snake, camel)


class _Wire(BaseModel):
    model_config = ConfigDict(extra="ignore", coerce_numbers_to_str=True, frozen=True)


class WireJob(_Wire):
    """A job as a listing or a read of it shows it."""

    job_id: _Id = Field(validation_alias=_either("job_id", "jobId"))
    connection_id: _Id = Field(validation_alias=_either("connection_id", "connectionId"))
    status: str
    job_type: str = Field(validation_alias=_either("job_type", "jobType"))
    start_time: Annotated[datetime, PlainValidator(parse_time)] = Field(
        validation_alias=_either("start_time", "startTime")
    )
    last_updated_at: Annotated[datetime | None, PlainValidator(_time_or_none)] = Field(
        default=None, validation_alias=_either("last_updated_at", "lastUpdatedAt")
    )
    duration: _Duration = None
    rows: _Count = Field(default=None, validation_alias=_either("rows_synced", "rowsSynced"))
    bytes: _Count = Field(default=None, validation_alias=_either("bytes_synced", "bytesSynced"))

    def to_job(self) -> Job:
        """The job in the words of the model."""
        status = _STATUSES.get(self.status.lower(), JobStatus.UNKNOWN)
        return Job(
            job_id=self.job_id,
            connection_id=self.connection_id,
            kind=_KINDS.get(self.job_type.lower(), JobKind.OTHER),
            status=status,
            created_at=self.start_time,
            ended_at=self._ended_at() if status.is_terminal else None,
            duration=self.duration,
            rows=self.rows,
            bytes=self.bytes,
        )

    def _ended_at(self) -> datetime | None:
        if self.last_updated_at is not None or self.duration is None:
            return self.last_updated_at
        try:
            return self.start_time + self.duration
        except OverflowError:
            return None


class WireTriggered(_Wire):
    """The answer to a POST: only the id is sure to be there."""

    job_id: _Id = Field(validation_alias=_either("job_id", "jobId"))
    connection_id: _Id | None = Field(default=None, validation_alias=_either("connection_id", "connectionId"))
    status: str | None = None
    job_type: str | None = Field(default=None, validation_alias=_either("job_type", "jobType"))
    start_time: Annotated[datetime | None, PlainValidator(_time_or_none)] = Field(
        default=None, validation_alias=_either("start_time", "startTime")
    )

    def to_job(self, connection_id: str, created_at: datetime) -> Job:
        """The new job; what the answer leaves out is what was asked for."""
        return Job(
            job_id=self.job_id,
            connection_id=self.connection_id or connection_id,
            kind=_KINDS.get((self.job_type or "sync").lower(), JobKind.OTHER),
            status=_STATUSES.get((self.status or "").lower(), JobStatus.UNKNOWN),
            created_at=created_at,
        )


SCHEDULE_KEYS: Final = ("schedule_type", "scheduleType")
"""The two spellings of one key."""


class WireConnection(_Wire):
    """A connection; its schedule is opaque unless it looks like Airbyte's."""

    connection_id: _Id = Field(validation_alias=_either("connection_id", "connectionId"))
    name: str | None = None
    status: str | None = None
    schedule: Annotated[dict[str, object] | None, PlainValidator(_dict_or_none)] = None

    @property
    def schedule_key(self) -> str | None:
        """How this platform spells the kind of a schedule; None where it shows none that is understood."""
        return next((key for key in SCHEDULE_KEYS if key in (self.schedule or {})), None)

    def to_connection(self) -> Connection:
        """The connection in the words of the model."""
        schedule = self.schedule or {}
        kind = schedule.get(self.schedule_key or "")
        return Connection(
            connection_id=self.connection_id,
            name=(self.name or "")[:NAME_LENGTH_MAX],
            status=_CONNECTION_STATUSES.get((self.status or "").lower(), ConnectionStatus.UNKNOWN),
            schedule_kind=_SCHEDULE_KINDS.get(str(kind).lower(), PlatformScheduleKind.UNKNOWN),
            expression=_expression(schedule),
        )


def _expression(schedule: dict[str, object]) -> str:
    """What a connection's own schedule says, in whichever key the platform says it."""
    keys = ("cron_expression", "cronExpression", "basic_timing", "basicTiming")
    said = next((value for key in keys if isinstance(value := schedule.get(key), str) and value.strip()), "")
    return said.strip()[:NAME_LENGTH_MAX]


class WireJobPage(_Wire):
    """One page of jobs, as many as there are in all if the platform says so."""

    data: list[WireJob]
    total: Annotated[int | None, PlainValidator(_count_or_none)] = None


class WireConnectionPage(_Wire):
    """One page of connections."""

    data: list[WireConnection]
    total: Annotated[int | None, PlainValidator(_count_or_none)] = None


# Built once: building one costs more than reading a thousand rows.
JOB: Final = TypeAdapter(WireJob)
TRIGGERED: Final = TypeAdapter(WireTriggered)
CONNECTION: Final = TypeAdapter(WireConnection)
JOB_PAGE: Final = TypeAdapter(WireJobPage)
CONNECTION_PAGE: Final = TypeAdapter(WireConnectionPage)


def read_body(adapter: TypeAdapter[Wire], body: bytes, what: str) -> Wire:
    """The wire value in a body of JSON.

    Raises:
        PlatformUnavailable: it is not there; the text names the first field at fault and never quotes content.
    """
    try:
        return adapter.validate_json(body)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(str(part) for part in fault["loc"]) or "the body"
        # Not chained: the text of the cause quotes what the platform wrote.
        raise PlatformUnavailable(f"{what}: the answer cannot be read at {place} ({fault['type']})") from None


def read_error_code(body: bytes) -> str | None:
    """The machine-readable code of an error body (Aitronos ``error.code``, Airbyte ``title``), if it looks like one."""
    if len(body) > ERROR_BODY_BYTES_MAX:
        return None
    try:
        found = from_json(body)
    except ValueError:
        return None
    if not isinstance(found, dict):
        return None
    error = found.get("error")
    code = error.get("code") if isinstance(error, dict) else found.get("title")
    return code if isinstance(code, str) and _CODE.fullmatch(code) else None
