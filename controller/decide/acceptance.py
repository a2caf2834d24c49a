"""When a spec comes into force, changes, or goes: from when its slots count, and what becomes of those that were due."""

from dataclasses import replace
from datetime import datetime

from controller.decide.calendar import Calendar
from controller.decide.cancels import judge_leaving
from controller.decide.case import PUNCTUAL
from controller.decide.parts import NOTHING, Part
from controller.decide.sight import is_under_way
from controller.decide.slots import calendar_in_force, due_slots, fires_at, freshness_ages, has_slot
from controller.decide.walls import wall_of
from controller.model.identity import SlotKey
from controller.model.plan import AcceptSchedule, Action, ConnectionFacts, PlatformFacts, RecordSlot
from controller.model.record import Outcome, Reason, SlotRecord
from controller.model.schedule import CatchUpPolicy


def judge_acceptance(facts: ConnectionFacts, platform: PlatformFacts, revision: str, now: datetime) -> Part:
    """Accept a new or changed spec, or retire one that is gone.

    An edit fires no slot that had passed before it: the new calendar counts from ``now`` on. A slot that was due and exists in both
    calendars stays due; one that only the old calendar had ends as ``Skipped(Deleted)``, and so does one whose trigger was refused
    after its schedule had gone. Before a schedule with ``onDelete: CancelRunning`` is retired, its running job ends.
    """
    spec, standing = facts.spec, facts.standing
    if (
        spec is not None
        and standing.calendar_key == spec.calendar_key
        and standing.content == spec.content
        and standing.schedule == spec.name
    ):
        return NOTHING
    if facts.obstacle is not None or is_under_way(facts):
        return NOTHING
    if spec is None:
        left = _account(facts, platform, None, revision, now)
        leaving = judge_leaving(facts, platform, now) if standing.calendar_key is not None else None
        if leaving is not None:
            return replace(leaving, actions=(*left, *leaving.actions))
        if standing.calendar_key is None:
            return Part(left, wake_at=now) if left else NOTHING
        gone = AcceptSchedule(facts.ref, None, now, standing.generation, revision, standing.schedule)
        return Part((*left, gone), wake_at=now)
    actions: tuple[Action, ...] = ()
    if standing.calendar_key != spec.calendar_key:
        actions = _account(facts, platform, spec.calendar_key, revision, now)
    generation = standing.generation + (standing.content != spec.content or standing.calendar_key is None)
    accepted = AcceptSchedule(facts.ref, spec, now, generation, revision, spec.name)
    return Part((*actions, accepted), wake_at=now)


def _account(
    facts: ConnectionFacts, platform: PlatformFacts, new_key: str | None, revision: str, now: datetime
) -> tuple[Action, ...]:
    """Settle what the calendar in force had due up to ``now``; what the new one has as well stays due."""
    standing = facts.standing
    old = calendar_in_force(standing, platform.profile, success_known=facts.success_known)
    kept_in = replace(standing, calendar_key=new_key if standing.calendar_key is not None else None)
    new = calendar_in_force(kept_in, platform.profile, success_known=facts.success_known)
    claimed = standing.claim.key.slot.scheduled_at if standing.claim is not None else None
    records = [
        _deleted(facts, at, new_key, revision, now)
        for at in (pending.slot.scheduled_at for pending in standing.pending)
        if at != claimed and (new is None or not has_slot(new, at))
    ]
    if old is not None and standing.watermark is not None:
        due = due_slots(old, standing.watermark, now)
        for at in (due.dropped_from, *due.instants):
            if at is None:
                continue
            is_kept = new is not None and has_slot(new, at)
            record = _kept(facts, old, at, revision, now) if is_kept else _deleted(facts, at, new_key, revision, now)
            if at == due.dropped_from:
                if is_kept:
                    why = "a newer slot was due"
                    record = replace(record, outcome=Outcome.MISSED, reason=Reason.SUPERSEDED, message=why)
                record = replace(record, through=due.dropped_through, count=due.dropped, wall="")
            records.append(record)
    return tuple(RecordSlot(record) for record in records)


def settle_edited_away(facts: ConnectionFacts, platform: PlatformFacts, revision: str, now: datetime) -> Part:
    """End slots that were claimed while an edit took them away: once their claim has made no job, nothing asks for them any more."""
    standing = facts.standing
    key, since, claim = standing.calendar_key, standing.effective_since, standing.claim
    if not standing.pending or facts.spec is None or facts.obstacle is not None or key is None or since is None:
        return NOTHING
    early = [record for record in standing.pending if record.slot.scheduled_at <= since]
    if not early or is_under_way(facts):
        return NOTHING
    if freshness_ages(key) and not facts.success_known:
        return NOTHING
    calendar = calendar_in_force(standing, platform.profile, success_known=facts.success_known)
    gone = [
        record.slot.scheduled_at
        for record in early
        if (claim is None or record.slot != claim.key.slot)
        and (calendar is None or not has_slot(calendar, record.slot.scheduled_at))
    ]
    actions = tuple(RecordSlot(_deleted(facts, at, key, revision, now)) for at in gone)
    return Part(actions, wake_at=now) if actions else NOTHING


def _deleted(facts: ConnectionFacts, at: datetime, new_key: str | None, revision: str, now: datetime) -> SlotRecord:
    """The end of a slot that exists no more."""
    message = "its schedule is gone" if new_key is None else "the edited schedule has no such slot"
    return _record(facts, at, (Outcome.SKIPPED, Reason.DELETED, message), revision, now)


def _kept(facts: ConnectionFacts, old: Calendar, at: datetime, revision: str, now: datetime) -> SlotRecord:
    """A slot that exists in both calendars stays due, unless nobody saw it in time and nothing may be caught up."""
    is_strict = facts.spec is not None and facts.spec.catch_up.policy is CatchUpPolicy.NONE
    if is_strict and now - fires_at(facts.spec, old, facts.ref, at) > PUNCTUAL:
        message = "nobody could look in time, and catchUp is None"
        return _record(facts, at, (Outcome.MISSED, Reason.DEADLINE, message), revision, now)
    return _record(facts, at, (Outcome.HELD, Reason.AWAITING_TURN, "kept through an edit"), revision, now)


def _record(
    facts: ConnectionFacts, at: datetime, decided: tuple[Outcome, Reason, str], revision: str, now: datetime
) -> SlotRecord:
    standing = facts.standing
    wall = wall_of(standing.calendar_key or "[]", at)
    slot = SlotKey(standing.ref, at)
    return SlotRecord(slot, decided[0], now, standing.schedule, *decided[1:], revision=revision, wall=wall)
