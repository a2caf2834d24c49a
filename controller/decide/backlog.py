"""Which slots are open now: the newest is judged, what it supersedes is settled here."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from controller.decide.calendar import Calendar
from controller.decide.case import WINDOW_STEP, Case
from controller.decide.parts import Part
from controller.decide.rules import suspension_text
from controller.decide.sight import foreign_sync, is_under_way, listing_for
from controller.decide.slots import DueSlots, deadline, due_slots, next_slot
from controller.model.identity import SlotKey
from controller.model.plan import Action, ConnectionFacts, Hold, NeedKind, PlanningInput, PlatformFacts, RecordSlot
from controller.model.record import STOOD_AGAINST, Outcome, Reason, SlotRecord


def backlog(
    facts: ConnectionFacts, platform: PlatformFacts, calendar: Calendar | None, known: PlanningInput
) -> tuple[Part, Case | None]:
    """Split what is due into the newest slot, as a case for the rules, and older ones, which are settled as superseded."""
    pending, fresh = _open_slots(facts, calendar, known.now)
    instants = sorted({*pending, *fresh.instants})
    if not instants:
        return Part(), None
    actions: list[Action] = []
    if not is_under_way(facts):
        if fresh.dropped_from is not None:
            actions.append(RecordSlot(_superseded(facts, None, fresh.dropped_from, known, fresh)))
        actions.extend(RecordSlot(_superseded(facts, pending.get(at), at, known)) for at in instants[:-1])
    newest = instants[-1]
    until = deadline(facts.spec, calendar, newest)
    return Part(tuple(actions)), Case(
        facts, platform, known.now, SlotKey(facts.ref, newest), until, pending.get(newest)
    )


def _open_slots(
    facts: ConnectionFacts, calendar: Calendar | None, now: datetime
) -> tuple[dict[datetime, SlotRecord], DueSlots]:
    """Slots whose record is not final (the claimed one excepted: its claim is judged), and slots without a record."""
    standing = facts.standing
    claimed = standing.claim.key.slot.scheduled_at if standing.claim is not None else None
    pending = {record.slot.scheduled_at: record for record in standing.pending if record.slot.scheduled_at != claimed}
    if calendar is None or standing.watermark is None:
        return pending, DueSlots(())
    return pending, due_slots(calendar, standing.watermark, now)


def _superseded(
    facts: ConnectionFacts, pending: SlotRecord | None, at: datetime, known: PlanningInput, span: DueSlots | None = None
) -> SlotRecord:
    """The end of a slot after which a newer one is due: what stood against it, or a miss."""
    reason, message = _what_stood_against(facts, pending, known.platforms[facts.ref.platform].trouble)
    outcome = Outcome.MISSED if reason is Reason.SUPERSEDED else Outcome.SKIPPED
    name = facts.spec.name if facts.spec is not None else facts.standing.schedule
    record = SlotRecord(SlotKey(facts.ref, at), outcome, known.now, name, reason, message, revision=known.revision)
    if span is None:
        return record
    return SlotRecord(
        record.slot,
        outcome,
        known.now,
        name,
        reason,
        message,
        through=span.dropped_through,
        count=span.dropped,
        revision=known.revision,
    )


def _what_stood_against(facts: ConnectionFacts, pending: SlotRecord | None, trouble: str) -> tuple[Reason, str]:
    spec = facts.spec
    if facts.obstacle is not None:
        return facts.obstacle, "two files claim it; none of them is in force"
    if spec is not None and spec.unsupported:
        return Reason.NOT_YET_SUPPORTED, f"not supported yet: {', '.join(spec.unsupported)}"
    if spec is not None and spec.suspend is not None:
        return Reason.SUSPENDED, suspension_text(spec.suspend)
    if pending is not None and pending.reason is not None and pending.reason in STOOD_AGAINST:
        return pending.reason, f"until a newer slot was due: {pending.message}"
    if trouble:
        return Reason.SUPERSEDED, f"a newer slot was due, and the platform's jobs could not be listed: {trouble}"
    return Reason.SUPERSEDED, "nobody could start it before a newer slot was due"


def observed(
    facts: ConnectionFacts, platform: PlatformFacts, calendar: Calendar | None, known: PlanningInput
) -> Iterable[Part]:
    """``mode: Observe``: each slot is recorded at the end of its window, from a listing begun after it."""
    pending, fresh = _open_slots(facts, calendar, known.now)
    taken: set[str] = set()
    if fresh.dropped_from is not None:
        yield Part((RecordSlot(_superseded(facts, None, fresh.dropped_from, known, fresh)),))
    for at in sorted({*pending, *fresh.instants}):
        yield _observe_slot(facts, platform, calendar, known, (at, pending.get(at), taken))


def _observe_slot(
    facts: ConnectionFacts,
    platform: PlatformFacts,
    calendar: Calendar | None,
    known: PlanningInput,
    place: tuple[datetime, SlotRecord | None, set[str]],
) -> Part:
    at, pending, taken = place
    following = None if calendar is None else next_slot(calendar, at)
    ends = deadline(facts.spec, calendar, at)
    ends = ends if following is None else min(ends, following)
    slot, name = SlotKey(facts.ref, at), facts.standing.schedule
    job = foreign_sync(facts, at, ends if ends != following else ends - timedelta(microseconds=1))
    if job is not None and job.job_id not in taken:
        taken.add(job.job_id)
        message = f"{job.job_id} was started elsewhere at {job.created_at:%H:%M:%SZ}"
        record = SlotRecord(slot, Outcome.COUNTED, known.now, name, None, message, job.job_id, revision=known.revision)
        return Part((RecordSlot(record),))
    if platform.listing is not None and platform.listing.begun_at > ends:
        message = f"no sync of any origin started before {ends:%H:%M:%SZ}"
        record = SlotRecord(slot, Outcome.MISSED, known.now, name, Reason.DEADLINE, message, revision=known.revision)
        return Part((RecordSlot(record),))
    hold = Hold(facts.ref, name, Reason.OBSERVE, f"observed until {ends:%H:%M:%SZ}; nothing is triggered", at)
    held = SlotRecord(slot, Outcome.HELD, known.now, name, Reason.OBSERVE, hold.message, revision=known.revision)
    actions: tuple[Action, ...] = () if pending is not None else (RecordSlot(held),)
    if known.now <= ends:
        return Part(actions, (hold,), wake_at=ends + WINDOW_STEP)
    return Part(actions, (hold,), needs=(listing_for(NeedKind.ABSENCE, ends + WINDOW_STEP, slot),))
