"""Which slots are open now: the newest is judged, what it supersedes is settled here."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise

from controller.decide.against import closed_throughout, forbidden, held_as_a_whole, paused
from controller.decide.calendar import Calendar
from controller.decide.case import WINDOW_STEP, Case
from controller.decide.freshness import is_freshness_slot
from controller.decide.jumps import jump_text, jumped_over
from controller.decide.parts import NOTHING, Part
from controller.decide.sight import foreign_sync, is_under_way, listing_for
from controller.decide.slots import NONE_DUE, DueSlots, deadline, due_slots, fires_at, next_slot
from controller.decide.walls import decided_as, wall_of
from controller.model.identity import SlotKey
from controller.model.plan import (
    Action,
    ClockJump,
    ConnectionFacts,
    Hold,
    NeedKind,
    PlanningInput,
    PlatformFacts,
    RecordSlot,
)
from controller.model.record import STOOD_AGAINST, Outcome, Reason, SlotRecord

SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Backlog:
    """What is open: ``newest``, the newest due slot; ``settled``, what it supersedes; ``wake_at``, when one that jitter delays fires."""

    settled: Part
    newest: Case | None
    wake_at: datetime | None = None


NOTHING_OPEN = Backlog(NOTHING, None)


def backlog(
    facts: ConnectionFacts, platform: PlatformFacts, calendar: Calendar | None, known: PlanningInput
) -> Backlog:
    """Split what is due into the newest slot, as a case for the rules, and older ones, which are settled as superseded."""
    pending, fresh = _open_slots(facts, calendar, known.now)
    if not pending and not fresh.instants:
        return NOTHING_OPEN
    fires, due, later = dict[datetime, datetime](), list[datetime](), list[datetime]()
    for at in sorted({*pending, *fresh.instants}):
        fires[at] = fire = fires_at(facts.spec, calendar, facts.ref, at)
        if fire <= known.now:
            due.append(at)
        else:
            later.append(fire)
    wake_at = min(later) if later else None
    if not due:
        return Backlog(NOTHING, None, wake_at)
    newest = _case_of(facts, platform, calendar, known, (due[-1], fires[due[-1]], pending))
    is_alone = len(due) == 1 and not fresh.dropped and platform.jump is None
    if is_alone or is_under_way(facts):
        return Backlog(NOTHING, newest, wake_at)
    jumped = jumped_over(platform.jump, [fires[at] for at in due], fresh)
    rows = list[SlotRecord]()
    if fresh.dropped_from is not None:
        rows.append(_superseded(facts, None, fresh.dropped_from, known, span=fresh))
    for at, following in pairwise(due):
        # The instant at which the newer slot fires is that slot's own.
        ends = min(fires[following] - SECOND, deadline(facts.spec, calendar, facts.ref, at))
        rows.append(_superseded(facts, pending.get(at), at, known, open_for=(fires[at], ends)))
    is_over = fires[due[-1]] in jumped
    if is_over:
        rows.append(_superseded(facts, pending.get(due[-1]), due[-1], known, open_for=(newest.due_at, newest.until)))
    actions = [
        RecordSlot(_named(row, platform.jump) if fires.get(row.slot.scheduled_at) in jumped else row) for row in rows
    ]
    return Backlog(Part(tuple(actions)), None if is_over else newest, wake_at)


def _named(record: SlotRecord, jump: ClockJump | None) -> SlotRecord:
    """A slot that was leapt over with the clock's jump named, unless something else stood against it."""
    if jump is None or record.reason is not Reason.SUPERSEDED:
        return record
    return replace(record, reason=Reason.DEADLINE, message=jump_text(jump))


def _case_of(
    facts: ConnectionFacts,
    platform: PlatformFacts,
    calendar: Calendar | None,
    known: PlanningInput,
    place: tuple[datetime, datetime, dict[datetime, SlotRecord]],
) -> Case:
    at, fires, pending = place
    key = facts.standing.calendar_key or "[]"
    wall = wall_of(key, at)
    return Case(
        facts,
        platform,
        known.now,
        SlotKey(facts.ref, at),
        fires,
        deadline(facts.spec, calendar, facts.ref, at),
        pending.get(at),
        waits_for_idle=is_freshness_slot(key, at),
        decided_as=decided_as(key, at, facts.standing.walls) if wall else None,
        wall=wall,
    )


def _open_slots(
    facts: ConnectionFacts, calendar: Calendar | None, now: datetime
) -> tuple[dict[datetime, SlotRecord], DueSlots]:
    """Slots whose record is not final (the claimed one excepted: its claim is judged), and slots without a record."""
    standing = facts.standing
    claimed = standing.claim.key.slot.scheduled_at if standing.claim is not None else None
    pending = dict[datetime, SlotRecord]()
    for record in standing.pending:
        if record.slot.scheduled_at != claimed:
            pending[record.slot.scheduled_at] = record
    if calendar is None or standing.watermark is None:
        return pending, NONE_DUE
    return pending, due_slots(calendar, standing.watermark, now)


def _superseded(
    facts: ConnectionFacts,
    pending: SlotRecord | None,
    at: datetime,
    known: PlanningInput,
    *,
    open_for: tuple[datetime, datetime] | None = None,
    span: DueSlots | None = None,
) -> SlotRecord:
    """The end of a slot after which a newer one is due: what stood against it, or a miss.

    ``open_for``: from when to when it might have started; left out for a range of slots, ``span``.
    """
    last = at if span is None or span.dropped_through is None else span.dropped_through
    reason, message = _what_stood_against(facts, pending, last, open_for, known.platforms[facts.ref.platform].trouble)
    outcome = Outcome.MISSED if reason is Reason.SUPERSEDED else Outcome.SKIPPED
    name = facts.spec.name if facts.spec is not None else facts.standing.schedule
    return SlotRecord(
        SlotKey(facts.ref, at),
        outcome,
        known.now,
        name,
        reason,
        message,
        through=None if span is None else span.dropped_through,
        count=1 if span is None else span.dropped,
        revision=known.revision,
        wall="" if span is not None else wall_of(facts.standing.calendar_key or "[]", at),
    )


def _what_stood_against(
    facts: ConnectionFacts,
    pending: SlotRecord | None,
    last: datetime,
    open_for: tuple[datetime, datetime] | None,
    trouble: str,
) -> tuple[Reason, str]:
    """``last``: the newest of the slots that are spoken of."""
    if (against := held_as_a_whole(facts) or forbidden(facts, last if open_for is None else open_for[0])) is not None:
        return against
    if pending is not None and pending.reason is not None and pending.reason in STOOD_AGAINST:
        return pending.reason, f"until a newer slot was due: {pending.message}"
    if open_for is not None:
        since, ends = open_for
        if (shut := closed_throughout(facts.spec, since, ends)) is not None:
            return shut
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
        yield Part((RecordSlot(_superseded(facts, None, fresh.dropped_from, known, span=fresh)),))
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
    ends = deadline(facts.spec, calendar, facts.ref, at)
    ends = ends if following is None else min(ends, following)
    slot, name = SlotKey(facts.ref, at), facts.standing.schedule
    fires = fires_at(facts.spec, calendar, facts.ref, at)
    if facts.spec is not None and (against := paused(facts.spec, fires)) is not None:
        record = SlotRecord(slot, Outcome.SKIPPED, known.now, name, *against, revision=known.revision)
        return Part((RecordSlot(record),))
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
