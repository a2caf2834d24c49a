"""A plan as plain rows: what would be done, what would not be done, and when each schedule comes next."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from controller.cli.terminal import rfc3339
from controller.decide.explain import explain_action, explain_hold
from controller.decide.slots import upcoming
from controller.model.identity import ConnectionRef
from controller.model.plan import (
    AcceptSchedule,
    Action,
    CancelJob,
    ConnectionFacts,
    ConnectionPlan,
    CorrectConnection,
    Hold,
    NoteDrift,
    Plan,
    PlanningInput,
    RearmFreshness,
    RecordSlot,
    SettleClaim,
    SettleRequest,
    TriggerSync,
)
from controller.model.profile import PlatformProfile
from controller.model.record import Reason, SlotRecord

NEXT = 3
"""How many slots to come are shown for each schedule."""

WRITES = ("trigger", "cancel", "correct")
"""Actions that change something on a platform."""

BOOKKEEPING = ("accept", "change", "retire", "settle", "record", "rearm", "note", "answer")
"""Actions that write to the store alone."""


@dataclass(frozen=True, slots=True)
class ActionRow:
    """One thing that would be done."""

    schedule: str
    ref: ConnectionRef
    action: str
    sentence: str
    scheduled_at: datetime | None = None
    record: SlotRecord | None = None
    reason: Reason | None = None
    message: str = ""
    job_id: str | None = None

    @property
    def as_json(self) -> dict[str, Any]:
        """The row as plain values."""
        record = self.record
        return {
            "schedule": self.schedule,
            "platform": self.ref.platform,
            "connection_id": self.ref.connection_id,
            "action": self.action,
            "scheduled_at": rfc3339(self.scheduled_at),
            "through": rfc3339(record.through) if record is not None else None,
            "count": record.count if record is not None else 1,
            "outcome": str(record.outcome) if record is not None else None,
            "reason": str(self.reason) if self.reason else None,
            "message": self.message,
            "job_id": self.job_id,
        }


@dataclass(frozen=True, slots=True)
class HoldRow:
    """One thing that would not be done, and why."""

    hold: Hold

    @property
    def sentence(self) -> str:
        """Why, for people."""
        return explain_hold(self.hold)

    @property
    def as_json(self) -> dict[str, Any]:
        """The row as plain values."""
        hold = self.hold
        return {
            "schedule": hold.schedule,
            "platform": hold.ref.platform,
            "connection_id": hold.ref.connection_id,
            "scheduled_at": rfc3339(hold.scheduled_at),
            "reason": str(hold.reason),
            "message": hold.message,
        }


@dataclass(frozen=True, slots=True)
class ScheduleRow:
    """What comes next for a schedule, and what stands against it now."""

    schedule: str
    ref: ConnectionRef
    next_slots: tuple[datetime, ...]
    wake_at: datetime | None
    holds: tuple[HoldRow, ...]
    defect: str = ""

    @property
    def as_json(self) -> dict[str, Any]:
        """The row as plain values."""
        slots = [rfc3339(slot) for slot in self.next_slots]
        return {"schedule": self.schedule, "next": slots, "wake_at": rfc3339(self.wake_at)}


@dataclass(frozen=True, slots=True)
class PlanRows:
    """A whole plan."""

    at: datetime
    revision: str
    actions: tuple[ActionRow, ...]
    holds: tuple[HoldRow, ...]
    schedules: tuple[ScheduleRow, ...]
    held: str = ""

    @property
    def writes(self) -> tuple[ActionRow, ...]:
        """What would change something on a platform; the others only keep the controller's own books."""
        return tuple(row for row in self.actions if row.action in WRITES)

    @property
    def as_json(self) -> dict[str, Any]:
        """The plan as plain values."""
        return {
            "at": rfc3339(self.at),
            "revision": self.revision,
            "held": self.held or None,
            "actions": [row.as_json for row in self.actions],
            "holds": [row.as_json for row in self.holds],
            "schedules": [row.as_json for row in self.schedules],
        }


def rows_of(known: PlanningInput, plan: Plan) -> PlanRows:
    """Put a plan in rows, schedules by name."""
    pairs = sorted(
        zip(known.connections, plan.connections, strict=True), key=lambda pair: (name_of(pair[0]), pair[0].ref)
    )
    return PlanRows(
        plan.now,
        known.revision,
        tuple(action_row(action) for _, decided in pairs for action in decided.actions),
        tuple(HoldRow(hold) for _, decided in pairs for hold in decided.holds),
        tuple(schedule_row(facts, decided, plan.now, _profile_of(known, facts)) for facts, decided in pairs),
        known.held,
    )


def _profile_of(known: PlanningInput, facts: ConnectionFacts) -> PlatformProfile:
    platform = known.platforms.get(facts.ref.platform)
    return PlatformProfile() if platform is None else platform.profile


def name_of(facts: ConnectionFacts) -> str:
    """The name that the schedule goes by."""
    return facts.spec.name if facts.spec is not None else facts.standing.schedule


def schedule_row(
    facts: ConnectionFacts, decided: ConnectionPlan, now: datetime, profile: PlatformProfile
) -> ScheduleRow:
    """What comes next for one connection."""
    holds = holds_told(decided)
    # The calendar that will be in force once what the plan says is done.
    slots = upcoming(facts.spec, facts.standing, profile, now, NEXT) if facts.spec is not None else ()
    return ScheduleRow(name_of(facts), facts.ref, slots, decided.wake_at, holds, decided.defect)


def holds_told(decided: ConnectionPlan) -> tuple[HoldRow, ...]:
    """The holds worth telling: what stands against the whole schedule is not told again for the slot that waits for it."""
    slots = {(hold.reason, hold.message) for hold in decided.holds if hold.scheduled_at is not None}
    told = (hold for hold in decided.holds if hold.scheduled_at or (hold.reason, hold.message) not in slots)
    return tuple(HoldRow(hold) for hold in told)


def action_row(action: Action) -> ActionRow:
    """One action as a row."""
    sentence = explain_action(action)
    match action:
        case AcceptSchedule():
            word = "retire" if action.spec is None else "accept" if action.generation == 1 else "change"
            return ActionRow(action.schedule, action.ref, word, sentence, message=sentence)
        case RecordSlot(record):
            return _record_row("record", record, sentence)
        case SettleClaim(record=record):
            return _record_row("settle", record, sentence)
        case RearmFreshness(ref, schedule):
            return ActionRow(schedule, ref, "rearm", sentence, message=sentence)
        case TriggerSync(claim):
            slot = claim.key.slot
            return ActionRow(claim.schedule, slot.ref, "trigger", sentence, slot.scheduled_at, message=sentence)
        case SettleRequest(request):
            return ActionRow(request.schedule, request.ref, "answer", sentence, message=sentence)
        case NoteDrift(ref, schedule):
            return ActionRow(schedule, ref, "note", sentence, message=sentence)
        case CorrectConnection(ref, schedule, _, reason, message):
            return ActionRow(schedule, ref, "correct", sentence, reason=reason, message=message)
        case CancelJob():
            return ActionRow(
                action.schedule,
                action.ref,
                "cancel",
                sentence,
                reason=action.reason,
                message=action.message,
                job_id=action.job.job_id,
            )


def _record_row(word: str, record: SlotRecord, sentence: str) -> ActionRow:
    slot = record.slot
    return ActionRow(
        record.schedule,
        slot.ref,
        word,
        sentence,
        slot.scheduled_at,
        record,
        record.reason,
        record.message,
        record.job_id,
    )
