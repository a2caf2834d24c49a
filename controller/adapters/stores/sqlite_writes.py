"""What the store's changes are in SQL. Each works inside the caller's transaction; an error of any undoes all."""

import json
import sqlite3
from collections.abc import Sequence
from datetime import datetime

from controller.adapters.stores.claiming import (
    attempt_exists,
    connection_is_claimed,
    counts_for_health,
    finished_at,
    job_belongs_elsewhere,
)
from controller.adapters.stores.rows import (
    claim_columns,
    claim_to_row,
    event_to_row,
    job_to_row,
    micros,
    record_to_row,
    slot_columns,
)
from controller.model.event import Event
from controller.model.identity import ClaimKey, ConnectionRef
from controller.model.job import Job, JobStatus
from controller.model.plan import AcceptSchedule, RearmFreshness, SettleClaim
from controller.model.record import Answer, CancelRequest, Claim, ClaimStatus, SlotRecord
from controller.ports.store import StoredPolicy

_ACCEPT = """
    INSERT INTO schedule (platform, connection_id, name, calendar_key, content, effective_since, watermark, generation)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (platform, connection_id) DO UPDATE SET
        name = excluded.name, calendar_key = excluded.calendar_key, content = excluded.content, generation = excluded.generation,
        failures = CASE WHEN content IS excluded.content THEN failures ELSE 0 END,
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
    ON CONFLICT (platform, connection_id) DO UPDATE SET last_triggered_at = excluded.last_triggered_at
    WHERE last_triggered_at IS NULL OR last_triggered_at < excluded.last_triggered_at
"""

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
        answered_at, status)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'Open')
"""

_ANSWERED = """
    UPDATE claim SET answer = ?, answered_at = ?
    WHERE platform = ? AND connection_id = ? AND scheduled_at = ? AND run = ? AND attempt = ? AND status = 'Open'
"""

_CLOSE = """
    UPDATE claim SET status = ?, closed_at = ?, close_reason = ?
    WHERE platform = ? AND connection_id = ? AND scheduled_at = ? AND run = ? AND attempt = ? AND status = 'Open'
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

# A listing mostly says what is known already; a row that says nothing new dirties no page, and a commit without pages is cheap.
_SAVE_JOB = """
    INSERT INTO job (platform, job_id, connection_id, kind, status, created_at, ended_at, duration, row_count, byte_count)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (platform, job_id) DO UPDATE SET
        connection_id = excluded.connection_id, kind = excluded.kind, status = excluded.status, created_at = excluded.created_at,
        ended_at = excluded.ended_at, duration = excluded.duration, row_count = excluded.row_count, byte_count = excluded.byte_count
    WHERE (connection_id, kind, status, created_at, ended_at, duration, row_count, byte_count) IS NOT
        (excluded.connection_id, excluded.kind, excluded.status, excluded.created_at, excluded.ended_at, excluded.duration,
            excluded.row_count, excluded.byte_count)
"""

_OVER_ALREADY = """
    SELECT job_id FROM job WHERE platform = ? AND job_id IN (SELECT value FROM json_each(?))
        AND status IN ('succeeded', 'failed', 'cancelled')
"""

# A success that is seen late says nothing about failures after it, and a failure that is seen late nothing about a success after it.
_SUCCEEDED = """
    INSERT INTO schedule (platform, connection_id, success_job_id, success_at) VALUES (?, ?, ?, ?)
    ON CONFLICT (platform, connection_id) DO UPDATE SET
        success_job_id = excluded.success_job_id, success_at = excluded.success_at,
        failures = CASE WHEN failed_at > excluded.success_at THEN failures ELSE 0 END
    WHERE success_at IS NULL OR success_at < excluded.success_at
"""

_FAILED = """
    INSERT INTO schedule (platform, connection_id, failures, failed_at) VALUES (?, ?, 1, ?)
    ON CONFLICT (platform, connection_id) DO UPDATE SET
        failures = failures + 1, failed_at = max(coalesce(failed_at, excluded.failed_at), excluded.failed_at)
    WHERE success_at IS NULL OR success_at < excluded.failed_at
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

_OBSERVED = """
    INSERT INTO observed (platform, through) VALUES (?, ?) ON CONFLICT (platform) DO UPDATE SET through = excluded.through
"""

_EVENT = "INSERT INTO event (name, at, schedule, fields) VALUES (?, ?, ?, ?)"

# A claim of a slot that is still due stays, however old: its attempts count against the slot's limits.
_PRUNE = (
    "DELETE FROM event WHERE at < ?",
    "DELETE FROM job WHERE coalesce(ended_at, created_at) < ?",
    """
    DELETE FROM claim WHERE status <> 'Open' AND closed_at < ? AND NOT EXISTS (
        SELECT 1 FROM slot_record AS r
        WHERE r.platform = claim.platform AND r.connection_id = claim.connection_id AND r.scheduled_at = claim.scheduled_at
            AND r.outcome IN ('Held', 'InDoubt')
    )
    """,
    """
    DELETE FROM slot_record WHERE outcome NOT IN ('Held', 'InDoubt') AND decided_at < ? AND EXISTS (
        SELECT 1 FROM slot_record AS newer
        WHERE newer.platform = slot_record.platform AND newer.connection_id = slot_record.connection_id
            AND newer.scheduled_at > slot_record.scheduled_at
    )
    """,
)


def accept(database: sqlite3.Connection, accepted: AcceptSchedule) -> None:
    """Put a schedule in force, or take it out."""
    ref, spec = accepted.ref, accepted.spec
    if spec is None:
        database.execute(_TAKE_OUT, (ref.platform, ref.connection_id))
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
        ),
    )


def put_record(database: sqlite3.Connection, record: SlotRecord) -> bool:
    """Write a slot's record and move the watermark; False if its slot has a final one, which stays."""
    written = database.execute(_RECORD, record_to_row(record)).rowcount > 0
    platform, connection_id, scheduled_at = slot_columns(record.slot)
    through = scheduled_at if record.through is None else micros(record.through)
    database.execute(_MOVE_WATERMARK, (platform, connection_id, through))
    return written


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


def put_claim(database: sqlite3.Connection, claim: Claim) -> None:
    """Reserve an attempt.

    Raises:
        SlotAlreadyClaimed: its key is taken, or its connection has an open claim.
    """
    try:
        database.execute(_CLAIM, claim_to_row(claim))
    except sqlite3.IntegrityError as error:
        if error.sqlite_errorname == "SQLITE_CONSTRAINT_PRIMARYKEY":
            raise attempt_exists(claim) from error
        if error.sqlite_errorname == "SQLITE_CONSTRAINT_UNIQUE":
            raise connection_is_claimed(claim) from error
        raise


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
    if database.execute(_CLOSE, (status.value, micros(at), reason, *claim_columns(claim))).rowcount == 0:
        return False
    if status in (ClaimStatus.CONFIRMED, ClaimStatus.ADOPTED):
        ref = claim.ref
        database.execute(_NOTE_TRIGGERED, (ref.platform, ref.connection_id, micros(claim.written_at)))
    return True


def settle(database: sqlite3.Connection, settled: SettleClaim) -> None:
    """Close a claim if it is still open, give it the job that was adopted, and write its slot's record.

    Raises:
        SlotAlreadyClaimed: the job belongs to another slot.
    """
    close_open(database, settled.claim, settled.status, settled.record.decided_at, settled.record)
    key, job = settled.claim.key, settled.job
    if job is not None and not attribute(database, key, job.job_id):
        raise job_belongs_elsewhere(key.slot, job.job_id)
    put_record_of(database, key, settled.record)


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


def put_jobs(database: sqlite3.Connection, platform: str, jobs: Sequence[Job]) -> None:
    """Keep what was observed; a sync that is seen to be over for the first time also counts for its connection."""
    ended = {job.job_id: job for job in jobs if counts_for_health(job)}
    if ended:
        over = database.execute(_OVER_ALREADY, (platform, json.dumps(list(ended)))).fetchall()
        for (job_id,) in over:
            del ended[job_id]
    database.executemany(_SAVE_JOB, [job_to_row(platform, job) for job in jobs])
    for job in sorted(ended.values(), key=lambda job: (finished_at(job), job.job_id)):
        at = micros(finished_at(job))
        if job.status is JobStatus.SUCCEEDED:
            database.execute(_SUCCEEDED, (platform, job.connection_id, job.job_id, at))
        elif job.status is JobStatus.FAILED:
            database.execute(_FAILED, (platform, job.connection_id, at))


def put_policies(database: sqlite3.Connection, policies: Sequence[StoredPolicy]) -> None:
    """Keep exactly these."""
    wanted = sorted({policy.name: (policy.name, policy.path, policy.content) for policy in policies}.values())
    if database.execute("SELECT name, path, content FROM policy ORDER BY name").fetchall() != wanted:
        database.execute("DELETE FROM policy")
        database.executemany("INSERT INTO policy (name, path, content) VALUES (?, ?, ?)", wanted)


def put_observed(database: sqlite3.Connection, platform: str, through: datetime) -> None:
    """Remember how far a platform was seen."""
    database.execute(_OBSERVED, (platform, micros(through)))


def put_events(database: sqlite3.Connection, events: Sequence[Event]) -> None:
    """Add to the journal."""
    database.executemany(_EVENT, [event_to_row(event) for event in events])


def prune(database: sqlite3.Connection, before: datetime) -> int:
    """Delete what is older, and say how many rows went."""
    return sum(database.execute(statement, (micros(before),)).rowcount for statement in _PRUNE)
