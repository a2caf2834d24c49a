"""How old the data is: slots that come when it is too old, and alerts about it."""

from datetime import datetime, timedelta
from itertools import pairwise

from controller.decide.against import closed_throughout, forbidden, held_as_a_whole
from controller.decide.calendar import Calendar
from controller.decide.parts import NOTHING, Part
from controller.decide.sight import is_under_way, listing_for
from controller.decide.slots import calendar_in_force, calendar_of, due_slots, fires_at, freshness_ages, has_slot
from controller.model.identity import SlotKey
from controller.model.plan import (
    Action,
    ConnectionFacts,
    Freshness,
    Hold,
    ListingNeed,
    NeedKind,
    PlatformFacts,
    RearmFreshness,
    RecordSlot,
)
from controller.model.record import STOOD_AGAINST, Outcome, Reason, SlotRecord, Standing, Success
from controller.model.schedule import ScheduleSpec

SECOND = timedelta(seconds=1)
"""The instant at which the newer slot was due is that slot's own."""


def is_freshness_slot(key: str, scheduled_at: datetime) -> bool:
    """Whether a slot of a calendar is there for the age of the data alone."""
    if not freshness_ages(key):
        return False
    others = calendar_of(key)
    return others is None or not has_slot(others, scheduled_at)


def success_need(facts: ConnectionFacts) -> Part:
    """At first sight of a connection nobody knows when a sync of it last succeeded: one query finds out."""
    key, spec, since = facts.standing.calendar_key, facts.spec, facts.standing.effective_since
    if facts.success_known or spec is None or since is None or key is None:
        return NOTHING
    if not freshness_ages(key) and spec.freshness_alert is None:
        return NOTHING
    hold = Hold(facts.ref, spec.name, Reason.AWAITING_LISTING, "when a sync of it last succeeded is asked for")
    return Part(holds=(hold,), needs=(ListingNeed(NeedKind.SUCCESS, since, since, read_success=True),))


def judge_rearming(facts: ConnectionFacts, platform: PlatformFacts, now: datetime, revision: str) -> Part:
    """A success makes the data fresh: what was open before its end counts as done, and slots that rested on the success before go."""
    standing, success = facts.standing, facts.standing.last_success
    key = standing.calendar_key
    if key is None or success is None or not freshness_ages(key) or is_under_way(facts):
        return NOTHING
    calendar = calendar_in_force(standing, platform.profile, success_known=facts.success_known)
    claimed = standing.claim.key.slot if standing.claim is not None else None
    if standing.fresh_since is not None and success.finished_at <= standing.fresh_since:
        # The claim of a slot of an older success may be closed after the newer one was seen: then that slot goes as well.
        waiting = (record.slot for record in standing.pending if record.slot != claimed)
        if all(_still_stands(key, calendar, slot.scheduled_at) for slot in waiting):
            return NOTHING
    records = _settled(facts, calendar, success, now, revision)
    withdrawn = tuple(
        record.slot
        for record in standing.pending
        if record.slot.scheduled_at > success.finished_at
        and record.slot != claimed
        and is_freshness_slot(key, record.slot.scheduled_at)
    )
    name = facts.spec.name if facts.spec is not None else standing.schedule
    fresh_since = max(success.finished_at, standing.fresh_since or success.finished_at)
    return Part((*records, RearmFreshness(facts.ref, name, fresh_since, withdrawn)), wake_at=now)


def _still_stands(key: str, calendar: Calendar | None, at: datetime) -> bool:
    """Whether a slot that waits rests on anything but an older success."""
    return not is_freshness_slot(key, at) or (calendar is not None and has_slot(calendar, at))


def _settled(
    facts: ConnectionFacts, calendar: Calendar | None, success: Success, now: datetime, revision: str
) -> tuple[Action, ...]:
    """The end of every freshness slot up to the success that is still open; other slots up to the last of them stay open."""
    standing, key = facts.standing, facts.standing.calendar_key
    claimed = standing.claim.key.slot.scheduled_at if standing.claim is not None else None
    if key is None or calendar is None or standing.watermark is None:
        return ()
    pending = {record.slot.scheduled_at: record for record in standing.pending if record.slot.scheduled_at != claimed}
    due = due_slots(calendar, standing.watermark, min(now, success.finished_at))
    instants = sorted({*due.instants, *(at for at in pending if at <= success.finished_at)})
    stale = [at for at in instants if is_freshness_slot(key, at)]
    if not stale:
        return ()
    rows, following = list[Action](), dict(pairwise(instants))
    fires = {at: fires_at(facts.spec, calendar, facts.ref, at) for at in instants}
    if due.dropped_from is not None:
        rows.append(RecordSlot(_superseded(facts, due.dropped_from, now, revision, (due.dropped_through, due.dropped))))
    for at in (each for each in instants if each <= stale[-1]):
        if at == stale[-1]:
            rows.append(RecordSlot(_counted(facts, at, success, now, revision)))
        elif at in stale:
            open_for = (fires[at], fires[following[at]])
            rows.append(RecordSlot(_superseded(facts, at, now, revision, waited=pending.get(at), open_for=open_for)))
        elif at not in pending:
            rows.append(RecordSlot(_record(facts, at, Outcome.HELD, Reason.AWAITING_TURN, "it is due", now, revision)))
    return tuple(rows)


def _counted(facts: ConnectionFacts, at: datetime, success: Success, now: datetime, revision: str) -> SlotRecord:
    message = f"{success.job_id} succeeded at {success.finished_at:%H:%M:%SZ}, so the data was fresh again"
    return _record(facts, at, Outcome.COUNTED, None, message, now, revision)


def _superseded(
    facts: ConnectionFacts,
    at: datetime,
    now: datetime,
    revision: str,
    span: tuple[datetime | None, int] = (None, 1),
    waited: SlotRecord | None = None,
    open_for: tuple[datetime, datetime] | None = None,
) -> SlotRecord:
    against = held_as_a_whole(facts) or forbidden(facts, at)
    if against is None and waited is not None and waited.reason is not None and waited.reason in STOOD_AGAINST:
        against = (waited.reason, f"until a newer slot was due: {waited.message}")
    if against is None and open_for is not None:
        since, until = open_for
        against = closed_throughout(facts.spec, since, until - SECOND)
    if against is not None:
        return _record(facts, at, Outcome.SKIPPED, *against, now, revision, span)
    message = "nobody could start it before a newer slot was due"
    return _record(facts, at, Outcome.MISSED, Reason.SUPERSEDED, message, now, revision, span)


def _record(
    facts: ConnectionFacts,
    at: datetime,
    outcome: Outcome,
    reason: Reason | None,
    message: str,
    now: datetime,
    revision: str,
    span: tuple[datetime | None, int] = (None, 1),
) -> SlotRecord:
    through, count = span
    name = facts.spec.name if facts.spec is not None else facts.standing.schedule
    slot = SlotKey(facts.ref, at)
    return SlotRecord(slot, outcome, now, name, reason, message, through=through, count=count, revision=revision)


def freshness_at(spec: ScheduleSpec, standing: Standing, now: datetime) -> Freshness | None:
    """How old the data is by ``freshnessAlert`` and by what the store knows; None where no alert was asked for, or nothing is in force."""
    limits = _limits(spec, standing)
    if limits is None:
        return None
    return max(
        (state for reached, state in limits if reached <= now), key=list(Freshness).index, default=Freshness.FRESH
    )


def _limits(spec: ScheduleSpec, standing: Standing) -> tuple[tuple[datetime, Freshness], ...] | None:
    """From when on the data is how old; a connection without any success counts from when its schedule came into force."""
    alert, since = spec.freshness_alert, standing.effective_since
    if alert is None or since is None:
        return None
    fresh_at = since if standing.last_success is None else standing.last_success.finished_at
    ages = ((alert.warn_after, Freshness.WARNING), (alert.error_after, Freshness.ERROR))
    return tuple((fresh_at + age, state) for age, state in ages if age is not None)


def judge_freshness(facts: ConnectionFacts, platform: PlatformFacts, now: datetime) -> tuple[Freshness | None, Part]:
    """How old the data is, and what must be seen before it may be called older."""
    spec = facts.spec
    if spec is None or spec.freshness_alert is None or not facts.success_known:
        return None, NOTHING
    limits = _limits(spec, facts.standing)
    if limits is None:
        return None, NOTHING
    state = Freshness.FRESH
    for reached, worse in limits:
        if now < reached:
            return state, Part(wake_at=reached)
        if platform.listing is None or platform.listing.begun_at < reached:
            return state, Part(needs=(listing_for(NeedKind.ABSENCE, reached),))
        state = worse
    return state, NOTHING
