"""When a spec comes into force, changes, or goes: from when its slots count, and what becomes of those that were due."""

from datetime import datetime

from controller.decide.calendar import Calendar
from controller.decide.parts import NOTHING, Part
from controller.decide.sight import is_under_way
from controller.decide.slots import calendar_of, due_slots, has_slot
from controller.model.identity import SlotKey
from controller.model.plan import AcceptSchedule, Action, ConnectionFacts, RecordSlot
from controller.model.record import Outcome, Reason, SlotRecord, Standing


def judge_acceptance(facts: ConnectionFacts, revision: str, now: datetime) -> Part:
    """Accept a new or changed spec, or retire one that is gone.

    An edit fires no slot that had passed before it: the new calendar counts from ``now`` on. A slot that was due and exists in both
    calendars stays due; one that only the old calendar had ends as ``Skipped(Deleted)``, and so does one whose trigger was refused
    after its schedule had gone.
    """
    spec, standing = facts.spec, facts.standing
    if facts.obstacle is not None or is_under_way(facts):
        return NOTHING
    if spec is None:
        left = _account(standing, None, revision, now)
        if standing.calendar_key is None:
            return Part(left, wake_at=now) if left else NOTHING
        gone = AcceptSchedule(facts.ref, None, now, standing.generation, revision, standing.schedule)
        return Part((*left, gone), wake_at=now)
    if standing.calendar_key is not None and standing.content == spec.content and standing.schedule == spec.name:
        return NOTHING
    actions: tuple[Action, ...] = ()
    if standing.calendar_key != spec.calendar_key:
        kept = None if standing.calendar_key is None else calendar_of(spec.calendar_key)
        actions = _account(standing, kept, revision, now)
    generation = standing.generation + (standing.content != spec.content or standing.calendar_key is None)
    accepted = AcceptSchedule(facts.ref, spec, now, generation, revision, spec.name)
    return Part((*actions, accepted), wake_at=now)


def _account(standing: Standing, new: Calendar | None, revision: str, now: datetime) -> tuple[Action, ...]:
    """Settle what the calendar in force had due up to ``now``."""
    old = calendar_of(standing.calendar_key) if standing.calendar_key is not None else None
    claimed = standing.claim.key.slot.scheduled_at if standing.claim is not None else None
    name, records = standing.schedule, list[Action]()

    def settle(at: datetime, through: datetime | None = None, count: int = 1) -> None:
        slot = SlotKey(standing.ref, at)
        if new is not None and has_slot(new, at):
            record = SlotRecord(
                slot, Outcome.HELD, now, name, Reason.AWAITING_TURN, "kept through an edit", revision=revision
            )
        else:
            message = "its schedule is gone" if new is None else "the edited schedule has no such slot"
            record = SlotRecord(
                slot,
                Outcome.SKIPPED,
                now,
                name,
                Reason.DELETED,
                message,
                through=through,
                count=count,
                revision=revision,
            )
        records.append(RecordSlot(record))

    for pending in standing.pending:
        at = pending.slot.scheduled_at
        if at != claimed and (new is None or not has_slot(new, at)):
            settle(at)
    if old is not None and standing.watermark is not None:
        due = due_slots(old, standing.watermark, now)
        if due.dropped_from is not None:
            settle(due.dropped_from, due.dropped_through, due.dropped)
        for at in due.instants:
            settle(at)
    return tuple(records)
