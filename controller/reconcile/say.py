"""Events, made from decisions: what is told is what was written."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from controller.decide.recovery import PHANTOMS_MAX, phantom_text
from controller.errors import StoreUnavailable
from controller.model.drift import Correction, NotedDrift
from controller.model.event import Event, EventName, Severity
from controller.model.identity import ConnectionRef, SlotKey
from controller.model.job import Job
from controller.model.plan import (
    AcceptSchedule,
    Action,
    CancelJob,
    ConnectionFacts,
    Freshness,
    Hold,
    NoteDrift,
    RecordSlot,
    SettleClaim,
    SettleRequest,
)
from controller.model.record import Cause, Claim, ClaimStatus, Outcome, Reason, SlotRecord
from controller.reconcile.say_requests import about_answer
from controller.reconcile.world import World

Field = str | int | float | bool | None

_RECORD_EVENTS = {
    Outcome.COUNTED: EventName.SLOT_COUNTED,
    Outcome.SKIPPED: EventName.SLOT_SKIPPED,
    Outcome.MISSED: EventName.SLOT_MISSED,
}


async def tell(world: World, events: Sequence[Event]) -> None:
    """Publish events and keep them; a journal that cannot be written is no reason not to act.

    For what tells of no write: the events of one are given to it, and published once both are kept. What is only of use beside
    everything else (``debug``) is published and not kept: each cycle would write a row about having written others.
    """
    if not events:
        return
    publish(world, events)
    kept = [event for event in events if event.severity is not Severity.DEBUG]
    if not kept:
        return
    try:
        await world.store.append_events(kept)
    except StoreUnavailable as error:
        world.telemetry.emit(Event(EventName.CYCLE_FAILED, kept[0].at, {"message": str(error)}))


def publish(world: World, events: Iterable[Event]) -> None:
    """Show events that are kept already: what is told is what was written."""
    for event in events:
        world.telemetry.emit(event)


def instant(at: datetime) -> str:
    """RFC 3339 in UTC, whole seconds where it is whole."""
    return at.isoformat().replace("+00:00", "Z")


def _connection(schedule: str, ref: ConnectionRef) -> dict[str, Field]:
    return {"schedule": schedule, "platform": ref.platform, "connection_id": ref.connection_id}


def _slot(schedule: str, slot: SlotKey, revision: str) -> dict[str, Field]:
    return {**_connection(schedule, slot.ref), "scheduled_at": instant(slot.scheduled_at), "revision": revision}


def about_decisions(actions: Iterable[Action], now: datetime) -> list[Event]:
    """The events of actions that were written; slots of one schedule that ended alike at once are told as one, with their count."""
    alike: dict[tuple[ConnectionRef, Outcome, Reason | None], list[SlotRecord]] = {}
    events: list[Event] = []
    for action in actions:
        if isinstance(action, RecordSlot) and action.record.outcome in (Outcome.SKIPPED, Outcome.MISSED):
            record = action.record
            alike.setdefault((record.slot.ref, record.outcome, record.reason), []).append(record)
        else:
            events.extend(_about_decision(action, now))
    for records in alike.values():
        events.extend(about_record(_merged(records)))
    return events


def _merged(records: Sequence[SlotRecord]) -> SlotRecord:
    first, last = records[0], records[-1]
    if len(records) == 1:
        return first
    through = last.through or last.slot.scheduled_at
    return replace(first, message=last.message, through=through, count=sum(record.count for record in records))


def _about_decision(action: Action, now: datetime) -> Iterable[Event]:
    """The events of one action; a slot that merely waits is told as a hold."""
    match action:
        case AcceptSchedule():
            yield _about_acceptance(action, now)
        case RecordSlot(record):
            yield from about_record(record)
        case SettleClaim(claim, status, record, job, surplus, phantoms):
            yield _about_settlement(claim, status, job, now)
            # The outcome of a slot is that of its start; what a retry comes to changes nothing about it.
            if record.outcome is not Outcome.TRIGGERED and claim.key.run == 0 and not claim.request:
                yield from about_record(record)
            # Told once: the slots of every further one are told as skipped.
            if phantoms == PHANTOMS_MAX:
                message = f"{phantom_text(phantoms)}; until that ends, each slot has one POST"
                yield about_claim(EventName.PHANTOM_JOB_REPORTED, claim, now, message, Reason.PHANTOM_ACTIVE)
            if surplus:
                fields = _slot(claim.schedule, claim.key.slot, claim.revision)
                job_id = job.job_id if job else None
                yield Event(
                    EventName.LATE_DUPLICATE_FOUND, now, {**fields, "job_id": job_id, "surplus": ", ".join(surplus)}
                )
        case SettleRequest():
            yield about_answer(action)
        case NoteDrift():
            yield from _about_drift(action, now)
        case _:
            return


def _about_acceptance(action: AcceptSchedule, now: datetime) -> Event:
    if action.spec is None:
        fields = _connection(action.schedule, action.ref)
        return Event(EventName.SCHEDULE_REMOVED, now, {**fields, "revision": action.revision})
    fields = {**_connection(action.schedule, action.ref), "effective_since": instant(action.effective_since)}
    if action.generation > 1:
        changed: dict[str, Field] = {**fields, "generation": action.generation, "revision": action.revision}
        return Event(EventName.SCHEDULE_CHANGED, now, changed)
    return Event(EventName.SCHEDULE_ACCEPTED, now, {**fields, "revision": action.revision})


def about_record(record: SlotRecord) -> Iterable[Event]:
    """The event of a final record; none for a slot that waits."""
    name = _RECORD_EVENTS.get(record.outcome)
    if name is None:
        return
    fields = _slot(record.schedule, record.slot, record.revision)
    cause = Cause.FOREIGN_JOB if record.job_id is not None else Cause.SATISFIED
    fields |= {"reason": str(record.reason or cause), "message": record.message}
    if name is EventName.SLOT_COUNTED:
        fields["job_id"] = record.job_id
    else:
        fields |= {"count": record.count, "through": instant(record.through or record.slot.scheduled_at)}
    yield Event(name, record.decided_at, fields)


def _about_settlement(claim: Claim, status: ClaimStatus, job: Job | None, now: datetime) -> Event:
    fields = _slot(claim.schedule, claim.key.slot, claim.revision)
    fields |= {"resolution": str(status), "job_id": job.job_id if job else None, "reason": str(Reason.IN_DOUBT)}
    return Event(EventName.DOUBT_SETTLED, now, fields)


def about_claim(
    name: EventName, claim: Claim, now: datetime, message: str, reason: Reason = Reason.CLAIM_OPEN
) -> Event:
    """What came of a claim that made no known job."""
    return Event(
        name, now, {**_slot(claim.schedule, claim.key.slot, claim.revision), "message": message, "reason": str(reason)}
    )


def about_trigger(claim: Claim, job_id: str, delay: timedelta, now: datetime) -> Event:
    """A POST that made a job; the delay is the number that users feel."""
    fields = _slot(claim.schedule, claim.key.slot, claim.revision)
    cause = Cause.REQUEST if claim.request else Cause.DUE if claim.key.run == 0 else Cause.RETRY
    fields |= {
        "job_id": job_id,
        "run": claim.key.run,
        "reason": str(cause),
        "trigger_delay_seconds": round(delay.total_seconds(), 3),
    }
    return Event(EventName.SYNC_TRIGGERED, now, fields)


def about_cancel(name: EventName, action: CancelJob, now: datetime, message: str, revision: str = "") -> Event:
    """What came of a cancel."""
    fields = {
        **_connection(action.schedule, action.ref),
        "job_id": action.job.job_id,
        "reason": str(action.reason),
        "message": message,
    }
    return Event(name, now, {**fields, "revision": revision} if name is EventName.CANCEL_REQUESTED else fields)


def about_job(schedule: str, ref: ConnectionRef, job: Job, now: datetime) -> Event:
    """A job that reached its end."""
    fields = {**_connection(schedule, ref), "job_id": job.job_id, "job_type": str(job.kind), "status": str(job.status)}
    seconds = round(job.duration.total_seconds(), 3) if job.duration else None
    return Event(EventName.JOB_FINISHED, now, {**fields, "rows": job.rows, "bytes": job.bytes, "seconds": seconds})


def about_foreign_start(schedule: str, ref: ConnectionRef, job: Job, now: datetime) -> Event:
    """A job that we did not start."""
    fields = {**_connection(schedule, ref), "job_id": job.job_id, "job_type": str(job.kind)}
    return Event(EventName.JOB_STARTED_ELSEWHERE, now, fields)


_FRESHNESS_EVENTS = {
    Freshness.FRESH: EventName.FRESHNESS_RESTORED,
    Freshness.WARNING: EventName.FRESHNESS_WARNED,
    Freshness.ERROR: EventName.FRESHNESS_LOST,
}


def about_freshness(facts: ConnectionFacts, freshness: Freshness, now: datetime) -> Event:
    """How old the data of a connection became, or that it is fresh again."""
    success = facts.standing.last_success
    fields = _connection(facts.spec.name if facts.spec is not None else facts.standing.schedule, facts.ref)
    fields["last_success_at"] = instant(success.finished_at) if success is not None else None
    return Event(_FRESHNESS_EVENTS[freshness], now, fields)


def _about_drift(action: NoteDrift, now: datetime) -> Iterable[Event]:
    """That a field began or ceased to differ, and that somebody sets it back each time; none where only its value moved."""
    drift, before = action.drift, action.before
    fields: dict[str, Field] = {**_connection(action.schedule, action.ref), "field": str(drift.field)}
    stood = before is not None and before.stands
    if drift.stands and not stood:
        said: dict[str, Field] = {"desired": drift.desired, "observed": drift.observed, "policy": str(drift.policy)}
        yield Event(EventName.DRIFT_DETECTED, now, fields | said)
    if stood and not drift.stands:
        yield Event(EventName.DRIFT_ENDED, now, fields | {"desired": drift.desired, "seconds": _lasted(drift)})
    if drift.fighting_since == now:
        yield Event(EventName.FIGHT_DETECTED, now, fields | {"desired": drift.desired, "observed": drift.observed})


def _lasted(drift: NotedDrift) -> float | None:
    return None if drift.ended_at is None else round((drift.ended_at - drift.began_at).total_seconds(), 3)


def about_correction(name: EventName, schedule: str, correction: Correction, now: datetime, message: str) -> Event:
    """What came of one field of a PATCH."""
    fields: dict[str, Field] = {**_connection(schedule, correction.ref), "field": str(correction.field)}
    return Event(name, now, fields | {"before": correction.before, "after": correction.after, "message": message})


def about_hold(hold: Hold, now: datetime) -> Event:
    """Something stands against a schedule."""
    fields = _connection(hold.schedule, hold.ref)
    return Event(EventName.SCHEDULE_HELD, now, {**fields, "reason": str(hold.reason), "message": hold.message})
