"""What the store keeps of schedules, slots and claims, in SQL. Each works inside the caller's transaction; an error of any undoes all."""

import sqlite3
from datetime import datetime

from controller.adapters.stores import sqlite_requests as requests
from controller.adapters.stores.claiming import (
    attempt_exists,
    connection_is_claimed,
    is_phantom,
    job_belongs_elsewhere,
    request_is_decided,
    slot_is_claimed,
)
from controller.adapters.stores.rows import (
    claim_columns,
    claim_to_row,
    micros,
    record_to_row,
    slot_columns,
)
from controller.adapters.stores.sqlite_conditions import forget
from controller.model.identity import ClaimKey, ConnectionRef, SlotKey
from controller.model.plan import AcceptSchedule, RearmFreshness, SettleClaim
from controller.model.record import Answer, CancelRequest, Claim, ClaimStatus, SlotRecord

_ACCEPT = """
    INSERT INTO schedule (platform, connection_id, name, calendar_key, content, effective_since, watermark, generation, revision,
        content_since)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?6)
    ON CONFLICT (platform, connection_id) DO UPDATE SET
        name = excluded.name, calendar_key = excluded.calendar_key, content = excluded.content, generation = excluded.generation,
        revision = excluded.revision,
        failures = CASE WHEN content IS excluded.content THEN failures ELSE 0 END,
        content_since = CASE WHEN content IS excluded.content THEN content_since ELSE excluded.content_since END,
        effective_since = CASE WHEN calendar_key IS excluded.calendar_key THEN effective_since ELSE excluded.effective_since END,
        watermark = CASE WHEN calendar_key IS excluded.calendar_key THEN watermark
            ELSE max(coalesce(watermark, excluded.watermark), excluded.watermark) END
"""

_TAKE_OUT = "UPDATE schedule SET calendar_key = NULL, content = NULL WHERE platform = ? AND connection_id = ?"

_MOVE_WATERMARK = """
    INSERT INTO schedule (platform, connection_id, watermark) VALUES (?, ?, ?)
    ON CONFLICT (platform, connection_id) DO UPDATE SET watermark = excluded.watermark
    WHERE watermark IS NULL OR watermark < excluded.watermark
"""

_NOTE_TRIGGERED = """
    INSERT INTO schedule (platform, connection_id, last_triggered_at) VALUES (?, ?, ?)
    ON CONFLICT (platform, connection_id) DO UPDATE SET phantoms = 0,
        last_triggered_at = max(coalesce(last_triggered_at, excluded.last_triggered_at), excluded.last_triggered_at)
"""

_COUNT_PHANTOM = """
    INSERT INTO schedule (platform, connection_id, phantoms) VALUES (?, ?, 1)
    ON CONFLICT (platform, connection_id) DO UPDATE SET phantoms = phantoms + 1
"""

_NO_PHANTOM = "UPDATE schedule SET phantoms = 0 WHERE platform = ? AND connection_id = ? AND phantoms > 0"

_RECORD = """
    INSERT INTO slot_record (platform, connection_id, scheduled_at, outcome, decided_at, schedule, reason, message, job_id, adopted,
        through, count, revision, wall)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (platform, connection_id, scheduled_at) DO UPDATE SET
        outcome = excluded.outcome, decided_at = excluded.decided_at, schedule = excluded.schedule, reason = excluded.reason,
        message = excluded.message, job_id = excluded.job_id, adopted = excluded.adopted, through = excluded.through,
        count = excluded.count, revision = excluded.revision,
        wall = CASE WHEN excluded.wall = '' THEN wall ELSE excluded.wall END
    WHERE outcome IN ('Held', 'InDoubt')
"""

_CLAIM = """
    INSERT INTO claim (platform, connection_id, scheduled_at, run, attempt, written_at, baseline, schedule, revision, answer,
        answered_at, request, kind, epoch, status)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'Open')
"""

_IS_CLAIMED = """
    SELECT 1 FROM claim INDEXED BY one_open_claim
    WHERE platform = ? AND connection_id = ? AND scheduled_at = ? AND run = 0 AND status = 'Open'
"""

_ANSWERED = """
    UPDATE claim SET answer = ?, answered_at = ?
    WHERE platform = ? AND connection_id = ? AND scheduled_at = ? AND run = ? AND attempt = ? AND status = 'Open'
"""

_CLOSE = """
    UPDATE claim SET status = ?, closed_at = ?, close_reason = ?
    WHERE platform = ? AND connection_id = ? AND scheduled_at = ? AND run = ? AND attempt = ? AND status = 'Open'
    RETURNING answer
"""

_ATTRIBUTE = """
    INSERT INTO attribution (platform, job_id, connection_id, scheduled_at, run) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (platform, job_id) DO NOTHING
"""

_OWNER = "SELECT connection_id, scheduled_at, run FROM attribution WHERE platform = ? AND job_id = ?"

_CANCEL = """
    INSERT INTO cancel_request (platform, connection_id, job_id, reason, requested_at, requests) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (platform, connection_id, job_id) DO UPDATE SET
        reason = excluded.reason, requested_at = excluded.requested_at, requests = requests + 1
"""

_REARM = """
    INSERT INTO schedule (platform, connection_id, fresh_since) VALUES (?, ?, ?)
    ON CONFLICT (platform, connection_id) DO UPDATE SET fresh_since = excluded.fresh_since
    WHERE fresh_since IS NULL OR fresh_since < excluded.fresh_since
"""

_WITHDRAW = """
    DELETE FROM slot_record AS r WHERE platform = ? AND connection_id = ? AND scheduled_at = ? AND outcome = 'Held' AND NOT EXISTS (
        SELECT 1 FROM claim AS c WHERE c.platform = r.platform AND c.connection_id = r.connection_id
            AND c.scheduled_at = r.scheduled_at AND c.status = 'Open'
    )
"""


def accept(database: sqlite3.Connection, accepted: AcceptSchedule) -> None:
    """Put a schedule in force, or take it out."""
    ref, spec = accepted.ref, accepted.spec
    if spec is None:
        database.execute(_TAKE_OUT, (ref.platform, ref.connection_id))
        forget(database, ref)
        return
    effective_since = micros(accepted.effective_since)
    watermark = micros(accepted.effective_since.replace(microsecond=0))
    database.execute(
        _ACCEPT,
        (
            ref.platform,
            ref.connection_id,
            spec.name,
            spec.calendar_key,
            spec.content,
            effective_since,
            watermark,
            accepted.generation,
            accepted.revision,
        ),
    )


def put_record(database: sqlite3.Connection, record: SlotRecord) -> bool:
    """Write a slot's record and move the watermark; False if its slot has a final one, which stays."""
    written = _write_record(database, record)
    move_watermark(database, record.slot.ref, record.through or record.slot.scheduled_at)
    return written


def _write_record(database: sqlite3.Connection, record: SlotRecord) -> bool:
    return database.execute(_RECORD, record_to_row(record)).rowcount > 0


def refuse_claimed(database: sqlite3.Connection, slot: SlotKey) -> None:
    """Let nothing be recorded beside an open claim.

    Raises:
        SlotAlreadyClaimed: the slot has one.
    """
    if database.execute(_IS_CLAIMED, slot_columns(slot)).fetchone() is not None:
        raise slot_is_claimed(slot)


def put_record_of(database: sqlite3.Connection, key: ClaimKey, record: SlotRecord) -> None:
    """Write a record, and give the job that it names to the claim's key. A retry changes nothing about its slot's outcome.

    Raises:
        SlotAlreadyClaimed: the job belongs to another slot.
    """
    if record.job_id is not None and not attribute(database, key, record.job_id):
        raise job_belongs_elsewhere(key.slot, record.job_id)
    if key.run == 0:
        put_record(database, record)


def attribute(database: sqlite3.Connection, key: ClaimKey, job_id: str) -> bool:
    """Give a job to a claim's key, for ever; False, and nothing is written, if it belongs to another one."""
    platform, *mine = *slot_columns(key.slot), key.run
    if database.execute(_ATTRIBUTE, (platform, job_id, *mine)).rowcount > 0:
        return True
    return list(database.execute(_OWNER, (platform, job_id)).fetchone()) == mine


def put_claim(database: sqlite3.Connection, claim: Claim, epoch: int | None) -> None:
    """Reserve an attempt under an epoch.

    Raises:
        sqlite3.IntegrityError: among others, where the epoch is not the one in force.
        SlotAlreadyClaimed: its key is taken, or its connection has an open claim.
    """
    try:
        database.execute(_CLAIM, (*claim_to_row(claim), epoch))
    except sqlite3.IntegrityError as error:
        if error.sqlite_errorname == "SQLITE_CONSTRAINT_PRIMARYKEY":
            raise attempt_exists(claim) from error
        if error.sqlite_errorname == "SQLITE_CONSTRAINT_UNIQUE":
            raise connection_is_claimed(claim) from error
        if claim.request and "while it waits" in str(error):
            raise request_is_decided(claim.request) from error
        raise


def put_record_of_claim(
    database: sqlite3.Connection, claim: Claim, record: SlotRecord, *, owned: str | None = None, was_open: bool = False
) -> None:
    """Write what a claim came to: its slot's record, or its request.

    ``owned``: a job that the claim's key is known to have; ``was_open``: the claim was closed just now.

    Raises:
        SlotAlreadyClaimed: the job that the record names belongs to another slot.
    """
    if record.job_id is not None and record.job_id != owned and not attribute(database, claim.key, record.job_id):
        raise job_belongs_elsewhere(claim.key.slot, record.job_id)
    if claim.request:
        requests.follow(database, claim, record)
    elif claim.key.run > 0:
        return
    elif was_open and record.slot == claim.key.slot and record.through is None:
        # The claim itself moved the watermark this far.
        _write_record(database, record)
    else:
        put_record(database, record)


def move_watermark(database: sqlite3.Connection, ref: ConnectionRef, through: datetime) -> None:
    """Say that every slot up to here is accounted for."""
    database.execute(_MOVE_WATERMARK, (ref.platform, ref.connection_id, micros(through)))


def note_answer(database: sqlite3.Connection, claim: Claim, answer: Answer, at: datetime) -> None:
    """Note what came back, while the claim is open."""
    database.execute(_ANSWERED, (answer.value, micros(at), *claim_columns(claim)))


def close_open(
    database: sqlite3.Connection, claim: Claim, status: ClaimStatus, at: datetime, record: SlotRecord
) -> bool:
    """Close a claim for its record's reason; False if it is not open."""
    reason = None if record.reason is None else record.reason.value
    closed = database.execute(_CLOSE, (status.value, micros(at), reason, *claim_columns(claim))).fetchall()
    if not closed:
        return False
    ref = claim.ref
    if status in (ClaimStatus.CONFIRMED, ClaimStatus.ADOPTED):
        database.execute(_NOTE_TRIGGERED, (ref.platform, ref.connection_id, micros(claim.written_at)))
    elif closed[0][0] == Answer.BUSY:
        database.execute(_COUNT_PHANTOM if is_phantom(status) else _NO_PHANTOM, (ref.platform, ref.connection_id))
    return True


def settle(database: sqlite3.Connection, settled: SettleClaim) -> None:
    """Close a claim if it is still open, give it the job that was adopted, and write its slot's record.

    Raises:
        SlotAlreadyClaimed: the job belongs to another slot.
    """
    claim, record, job = settled.claim, settled.record, settled.job
    was_open = close_open(database, claim, settled.status, record.decided_at, record)
    if job is not None and not attribute(database, claim.key, job.job_id):
        raise job_belongs_elsewhere(claim.key.slot, job.job_id)
    owned = None if job is None else job.job_id
    put_record_of_claim(database, claim, record, owned=owned, was_open=was_open)


def put_cancel(database: sqlite3.Connection, request: CancelRequest) -> None:
    """Journal a cancel."""
    ref = request.ref
    database.execute(
        _CANCEL,
        (
            ref.platform,
            ref.connection_id,
            request.job_id,
            request.reason.value,
            micros(request.requested_at),
            request.requests,
        ),
    )


def rearm(database: sqlite3.Connection, rearmed: RearmFreshness) -> None:
    """Count freshness slots from a newer success on; slots that exist no more lose their record unless something was decided."""
    ref = rearmed.ref
    database.execute(_REARM, (ref.platform, ref.connection_id, micros(rearmed.fresh_since)))
    database.executemany(_WITHDRAW, [slot_columns(slot) for slot in rearmed.withdrawn])
