"""Values of the model as rows of ``schema.sql``, and back."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from controller.model.event import Event, EventName
from controller.model.identity import ClaimKey, ConnectionRef, SlotKey
from controller.model.job import Job, JobKind, JobStatus
from controller.model.record import Answer, CancelRequest, Claim, ClaimStatus, Outcome, Reason, SlotRecord
from controller.ports.store import StoredEvent

Row = Sequence[Any]
"""What sqlite3 gives; the column types are kept by the STRICT tables."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

as_json = json.JSONEncoder(check_circular=False).encode
"""Plain values as JSON text, in ASCII whatever they hold; made once, because making an encoder costs more than a row of it."""


def micros(at: datetime) -> int:
    """Whole microseconds since the epoch; exact, unlike ``timestamp()``."""
    return (at - _EPOCH) // _MICROSECOND


def micros_or_none(at: datetime | None) -> int | None:
    """The same, for a time that may be missing."""
    return None if at is None else micros(at)


def instant(number: int) -> datetime:
    """Read back what `micros` wrote."""
    return _EPOCH + timedelta(microseconds=number)


def instant_or_none(number: int | None) -> datetime | None:
    """Read back what `micros_or_none` wrote."""
    return None if number is None else instant(number)


def instants(numbers: Sequence[int | None]) -> list[datetime | None]:
    """Read back several at once."""
    return [None if number is None else _EPOCH + timedelta(microseconds=number) for number in numbers]


def speakable(text: str) -> str:
    """A text as UTF-8 can hold it: a message may hold half a surrogate pair, and the words matter more than that one character."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def slot_columns(slot: SlotKey) -> tuple[str, str, int]:
    """The three columns that name a slot."""
    return slot.ref.platform, slot.ref.connection_id, micros(slot.scheduled_at)


def claim_columns(claim: Claim) -> tuple[str, str, int, int, int]:
    """The five columns that name an attempt."""
    return *slot_columns(claim.key.slot), claim.key.run, claim.attempt


def claim_to_row(claim: Claim) -> Row:
    """Every column of an open claim."""
    return (
        *claim_columns(claim),
        micros(claim.written_at),
        as_json(sorted(claim.baseline)),
        claim.schedule,
        claim.revision,
        claim.answer.value,
        micros_or_none(claim.answered_at),
        claim.request,
        claim.kind.value,
    )


def claim_from_row(row: Row) -> Claim:
    """Read back what `claim_to_row` wrote."""
    (
        platform,
        connection_id,
        scheduled_at,
        run,
        attempt,
        written_at,
        baseline,
        schedule,
        revision,
        answer,
        answered_at,
        request,
        kind,
    ) = row
    return Claim(
        key=ClaimKey(SlotKey(ConnectionRef(platform, connection_id), instant(scheduled_at)), run),
        attempt=attempt,
        written_at=instant(written_at),
        baseline=frozenset(json.loads(baseline)),
        schedule=schedule,
        revision=revision,
        status=ClaimStatus.OPEN,
        answer=Answer(answer),
        answered_at=instant_or_none(answered_at),
        request=request,
        kind=JobKind(kind),
    )


def record_to_row(record: SlotRecord) -> Row:
    """Every column of a slot's record."""
    return (
        *slot_columns(record.slot),
        record.outcome.value,
        micros(record.decided_at),
        record.schedule,
        None if record.reason is None else record.reason.value,
        speakable(record.message),
        record.job_id,
        int(record.adopted),
        micros_or_none(record.through),
        record.count,
        record.revision,
        record.wall,
    )


def record_from_row(row: Row) -> SlotRecord:
    """Read back what `record_to_row` wrote."""
    platform, connection_id, scheduled_at, outcome, decided_at, schedule, reason, message, job_id, adopted = row[:10]
    through, count, revision, wall = row[10:]
    return SlotRecord(
        slot=SlotKey(ConnectionRef(platform, connection_id), instant(scheduled_at)),
        outcome=Outcome(outcome),
        decided_at=instant(decided_at),
        schedule=schedule,
        reason=None if reason is None else Reason(reason),
        message=message,
        job_id=job_id,
        adopted=bool(adopted),
        through=instant_or_none(through),
        count=count,
        revision=revision,
        wall=wall,
    )


def cancel_from_row(row: Row) -> CancelRequest:
    """A journaled cancel."""
    platform, connection_id, job_id, reason, requested_at, requests = row
    return CancelRequest(
        ref=ConnectionRef(platform, connection_id),
        job_id=job_id,
        reason=Reason(reason),
        requested_at=instant(requested_at),
        requests=requests,
    )


def job_to_row(platform: str, job: Job) -> Row:
    """Every column of an observed job."""
    return (
        platform,
        job.job_id,
        job.connection_id,
        job.kind.value,
        job.status.value,
        micros(job.created_at),
        micros_or_none(job.ended_at),
        None if job.duration is None else job.duration // _MICROSECOND,
        job.rows,
        job.bytes,
    )


def job_from_row(row: Row) -> Job:
    """Read back what `job_to_row` wrote, without the platform."""
    job_id, connection_id, kind, status, created_at, ended_at, duration, row_count, byte_count = row
    return Job(
        job_id=job_id,
        connection_id=connection_id,
        kind=JobKind(kind),
        status=JobStatus(status),
        created_at=instant(created_at),
        ended_at=instant_or_none(ended_at),
        duration=None if duration is None else timedelta(microseconds=duration),
        rows=row_count,
        bytes=byte_count,
    )


def event_to_row(event: Event) -> Row:
    """Every column of an event but its number."""
    return event.name.value, micros(event.at), event.schedule, as_json(dict(event.fields))


def event_from_row(row: Row) -> StoredEvent:
    """Read back what `event_to_row` wrote, with its number."""
    number, name, at, fields = row
    return StoredEvent(number, Event(EventName(name), instant(at), json.loads(fields)))
