"""Promises that every plan keeps. A plan that breaks one is a defect and is not acted on."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

from controller.decide.against import closed, forbidden, freeze_at, held_as_a_whole
from controller.decide.blast_radius import beyond, written_by
from controller.decide.calendar import Calendar
from controller.decide.drift import READ_WITHIN, WRITABLE, drives_beside, policy_of
from controller.decide.requests import broken_promise
from controller.decide.retry import allows_retry
from controller.decide.sight import is_fresh
from controller.decide.slots import calendar_in_force, fires_at, has_slot
from controller.model.asked import Asked
from controller.model.identity import ClaimKey, SlotKey
from controller.model.job import JobKind, JobStatus
from controller.model.plan import (
    CancelJob,
    ConnectionFacts,
    ConnectionPlan,
    CorrectConnection,
    Plan,
    PlanningInput,
    RecordSlot,
    SettleClaim,
    TriggerSync,
    Write,
)
from controller.model.record import Reason, SlotRecord
from controller.model.schedule import Drift, Mode


def check_plan(known: PlanningInput, plan: Plan) -> dict[int, str]:
    """Find the connections whose plan breaks a promise, by their position, with what is broken."""
    broken: dict[int, str] = {}
    for index, (facts, decided) in enumerate(zip(known.connections, plan.connections, strict=True)):
        for problem in _problems(known, facts, decided):
            broken[index] = problem
            break
    acting = [decided for decided in plan.connections if decided.actions]
    if not acting:
        return broken
    for name, count in written_by(acting).items():
        if count > known.platforms[name].write_permits:
            over = {
                i: f"{count} writes with fewer permits"
                for i, p in enumerate(plan.connections)
                if p.ref.platform == name
            }
            broken.update(over)
    for name, message in beyond(known, acting).items():
        broken.update({i: message for i, p in enumerate(plan.connections) if p.ref.platform == name})
    return broken


def _problems(known: PlanningInput, facts: ConnectionFacts, decided: ConnectionPlan) -> Iterable[str]:
    if decided.defect:
        yield f"the planner failed: {decided.defect}"
    if decided.ref != facts.ref:
        yield f"planned for {decided.ref} instead of {facts.ref}"
    if decided.actions:
        yield from _about_actions(known, facts, decided)
    if decided.wake_at is not None and decided.wake_at < known.now:
        yield f"it wants to be woken in the past, at {decided.wake_at}"


def _about_actions(known: PlanningInput, facts: ConnectionFacts, decided: ConnectionPlan) -> Iterable[str]:
    platform = known.platforms.get(facts.ref.platform)
    if known.frozen or (platform is not None and platform.skewed):
        yield f"{type(decided.actions[0]).__name__} while the time is in doubt"
    if len([action for action in decided.actions if isinstance(action, Write)]) > 1:
        yield "more than one write to the platform"
    records: list[SlotRecord] = []
    for action in decided.actions:
        match action:
            case TriggerSync():
                yield from _about_trigger(known, facts, action)
            case CancelJob():
                yield from _about_cancel(facts, action, known.now)
            case CorrectConnection():
                yield from _about_correction(facts, action, known.now)
            case RecordSlot(record) | SettleClaim(record=record):
                records.append(record)
    if records:
        yield from _about_records(known, facts, records)


def _about_trigger(known: PlanningInput, facts: ConnectionFacts, trigger: TriggerSync) -> Iterable[str]:
    slot, standing = trigger.claim.key.slot, facts.standing
    platform = known.platforms[facts.ref.platform]
    calendar = calendar_in_force(standing, platform.profile, success_known=facts.success_known)
    due_at = slot.scheduled_at
    if not trigger.claim.request:
        due_at = fires_at(facts.spec, calendar, facts.ref, slot.scheduled_at)
    if due_at > known.now:
        yield f"{slot} is triggered early"
    if standing.claim is not None or facts.in_flight:
        yield f"{slot} is triggered while another trigger of the connection is open"
    if facts.spec is None or facts.spec.mode is Mode.OBSERVE or held_as_a_whole(facts) or forbidden(facts, known.now):
        yield f"{slot} is triggered although its schedule must not start anything"
    if closed(facts.spec, known.now):
        yield f"{slot} is triggered while no window is open"
    if drives_beside(facts, known.now) is not None:
        yield f"{slot} is triggered beside the platform's own schedule"
    if not is_fresh(platform, known.now, due_at):
        yield f"{slot} is triggered on a listing that is too old, or begun before it was due"
    if any(job.is_active for job in facts.jobs):
        yield f"{slot} is triggered while a job is active"
    if trigger.claim.request or slot.is_request:
        broken = broken_promise(known, facts, trigger.claim)
        yield from () if broken is None else (f"{slot} is triggered {broken}",)
    elif trigger.claim.key.run > 0:
        yield from _about_retry(facts, trigger.claim.key)
    else:
        yield from _about_start(facts, slot, calendar)


def _about_start(facts: ConnectionFacts, slot: SlotKey, calendar: Calendar | None) -> Iterable[str]:
    standing = facts.standing
    is_pending = any(record.slot == slot for record in standing.pending)
    if not is_pending and standing.watermark is not None and slot.scheduled_at <= standing.watermark:
        yield f"{slot} is triggered although it was decided before"
    if not is_pending and (calendar is None or not has_slot(calendar, slot.scheduled_at)):
        yield f"{slot} is no slot of the calendar in force"


def _about_retry(facts: ConnectionFacts, key: ClaimKey) -> Iterable[str]:
    """Run n may start only once the job of run n - 1 was observed failed."""
    before = ClaimKey(key.slot, key.run - 1)
    owned = facts.standing.attributed
    failed = (job.job_id for job in facts.jobs if job.status is JobStatus.FAILED)
    if not any(owned.get(job_id) == before and facts.standing.owns(job_id) for job_id in failed):
        yield f"run {key.run} of {key.slot} is triggered although no job of run {before.run} was seen to fail"
    if key in owned.values():
        yield f"run {key.run} of {key.slot} is triggered although it has a job"
    if not allows_retry(facts.spec, key):
        yield f"run {key.run} of {key.slot} is more than its spec allows"


def _about_cancel(facts: ConnectionFacts, cancel: CancelJob, now: datetime) -> Iterable[str]:
    newest = max(
        (job for job in facts.jobs if job.is_active), key=lambda job: (job.created_at, job.job_id), default=None
    )
    if newest is None or newest.job_id != cancel.job.job_id:
        yield f"{cancel.job.job_id} is cancelled although it is not the connection's newest active job"
    elif newest.kind is not JobKind.SYNC or newest.status is JobStatus.UNKNOWN:
        yield f"{cancel.job.job_id} is cancelled although it is no sync of a known status"
    spec = facts.spec or facts.last_spec
    if spec is None or spec.mode is Mode.OBSERVE or held_as_a_whole(facts):
        yield f"{cancel.job.job_id} is cancelled although the schedule writes nothing"
    if spec is not None and freeze_at(spec, now) is not None:
        yield f"{cancel.job.job_id} is cancelled during a freeze"
    asked_for = any(each.action is Asked.CANCEL for each in facts.standing.requests)
    if cancel.reason is Reason.REQUESTED and not asked_for:
        yield f"{cancel.job.job_id} is cancelled although nobody asked for it"
    needs_owner = cancel.reason in (Reason.REPLACED, Reason.WINDOW_CLOSED, Reason.DELETED)
    if needs_owner and not facts.standing.owns(cancel.job.job_id):
        yield f"{cancel.job.job_id} is cancelled for {cancel.reason} although it is not ours"


def _about_correction(facts: ConnectionFacts, action: CorrectConnection, now: datetime) -> Iterable[str]:
    spec, read_at = facts.spec, facts.connection_read_at
    if spec is None or spec.mode is Mode.OBSERVE or held_as_a_whole(facts) or freeze_at(spec, now) is not None:
        yield "the connection is corrected although the schedule writes nothing"
        return
    if any(policy_of(spec, each.field) is not Drift.ENFORCE for each in action.corrections) or not action.corrections:
        yield "the connection is corrected although its spec does not ask for that"
    if facts.standing.claim is not None or facts.in_flight:
        yield "the connection is corrected while another request about it is open"
    if not facts.connection_confirmed or read_at is None or now - read_at > READ_WITHIN:
        yield "the connection is corrected without a read of it just before"
    if action.change.status is not None and (
        facts.connection is None or facts.connection.status not in WRITABLE or action.change.status not in WRITABLE
    ):
        yield "a status is written that is the platform's own"


def _about_records(known: PlanningInput, facts: ConnectionFacts, records: Sequence[SlotRecord]) -> Iterable[str]:
    if len(records) > 1:
        twice = [slot for slot, count in Counter([record.slot for record in records]).items() if count > 1]
        if twice:
            yield f"{twice[0]} gets two records"
    claimed = facts.standing.claim.key.slot if facts.standing.claim is not None else None
    for record in records:
        # A slot that was claimed was due then, whatever a clock that was set back shows now.
        if record.slot.scheduled_at > known.now and record.slot != claimed:
            yield f"{record.slot} is decided before it is due"
        if record.slot.is_request and record.slot != claimed:
            yield f"{record.slot} is recorded as a slot although it is none"
        if record.slot.ref != facts.ref:
            yield f"{record.slot} is recorded for {facts.ref}"
    taken = [record.job_id for record in records if record.job_id is not None]
    if any(job_id in facts.standing.attributed for job_id in taken) or len(set(taken)) != len(taken):
        yield f"{taken} would count for two slots"
