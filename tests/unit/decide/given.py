"""Situations before the planner, and its plans, both as short text: ``plan_of(Given(...))`` says what is decided.

Everything happens to the connection ``acme/orders`` on Monday, 2 March 2026, UTC, where its schedule ``nightly`` has a slot every 15
minutes unless a test says otherwise. Instants are written ``10:15``, ``10:15:30``, ``10:15:30.001`` or, on other days, ``-1d 10:15``.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from controller.decide.check import check_plan
from controller.decide.planner import make_plan
from controller.model.calendar import CalendarEntry, EntryKind
from controller.model.connection import Connection, ConnectionStatus, PlatformScheduleKind
from controller.model.drift import CorrectionStatus
from controller.model.identity import ClaimKey, ConnectionRef, SlotKey
from controller.model.job import Job, JobKind, JobStatus
from controller.model.plan import (
    AcceptSchedule,
    Action,
    CancelJob,
    ClockJump,
    ConnectionFacts,
    ConnectionPlan,
    CorrectConnection,
    Listing,
    ListingNeed,
    NoteDrift,
    PlanningInput,
    PlatformFacts,
    RearmFreshness,
    RecordSlot,
    SettleClaim,
    SettleRequest,
    TriggerSync,
)
from controller.model.profile import AITRONOS, PlatformProfile
from controller.model.record import (
    Answer,
    CancelRequest,
    Claim,
    Outcome,
    Reason,
    Setbacks,
    SlotRecord,
    Standing,
    Success,
)
from controller.model.schedule import Origin, ScheduleSpec
from controller.model.window import OnClose, Window, WindowKind

MIDNIGHT = datetime(2026, 3, 2, tzinfo=UTC)
REF = ConnectionRef("acme", "orders")
REVISION = "main@sha1:1"
RUNNING, SUCCEEDED, FAILED, UNKNOWN = JobStatus.RUNNING, JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.UNKNOWN

_INSTANT = re.compile(r"(?:([+-]\d+)d )?(\d\d):(\d\d)(?::(\d\d(?:\.\d+)?))?")


def at(text: str) -> datetime:
    """An instant of the day, or of another day."""
    found = _INSTANT.fullmatch(text)
    assert found is not None, text
    days, hours, minutes, seconds = found.groups()
    return MIDNIGHT + timedelta(
        days=int(days or 0), hours=int(hours), minutes=int(minutes), seconds=float(seconds or 0)
    )


def clock(instant: datetime) -> str:
    """The inverse of `at`."""
    days = (instant.date() - MIDNIGHT.date()).days
    text = f"{instant:%H:%M}"
    if instant.second or instant.microsecond:
        text += f":{instant:%S}"
    if instant.microsecond:
        text += f".{instant.microsecond:06}".rstrip("0")
    return f"{days:+}d {text}" if days else text


def every(minutes: float) -> tuple[CalendarEntry, ...]:
    """Slots at a fixed distance, counted from the epoch."""
    seconds = int(minutes * 60)
    return (CalendarEntry(EntryKind.EVERY, f"{seconds}s", every=seconds),)


def cron(text: str, time_zone: str = "UTC") -> tuple[CalendarEntry, ...]:
    """Slots of one cron expression."""
    return (CalendarEntry(EntryKind.CRON, text, time_zone),)


def spec(entries: tuple[CalendarEntry, ...] | None = None, *, ref: ConnectionRef = REF, **said: Any) -> ScheduleSpec:
    """A schedule; what it says names its content."""
    name = said.pop("name", "nightly")
    origin = said.pop("origin", Origin(f"{name}.yaml", 1))
    written = ScheduleSpec(name, ref.platform, ref.connection_id, entries or every(15), origin, "", **said)
    return replace(written, content=repr(replace(written, origin=Origin("", 0))))


NIGHTLY = spec()


def standing(in_force: ScheduleSpec | None = None, watermark: str = "10:00", **known: Any) -> Standing:
    """Where the connection stands: a schedule in force since midnight, each slot up to the watermark decided."""
    schedule = in_force or spec()
    said: dict[str, Any] = {
        "schedule": schedule.name,
        "calendar_key": schedule.calendar_key,
        "effective_since": MIDNIGHT,
        "watermark": at(watermark),
        "generation": 1,
        "content": schedule.content,
    }
    return Standing(schedule.ref, **(said | known))


def job(job_id: str, created: str, status: JobStatus = SUCCEEDED, kind: JobKind = JobKind.SYNC) -> Job:
    """A job as last seen."""
    return Job(job_id, REF.connection_id, kind, status, at(created))


def slot(scheduled: str, ref: ConnectionRef = REF) -> SlotKey:
    """A slot's key."""
    return SlotKey(ref, at(scheduled))


def held(scheduled: str, reason: Reason, message: str = "said before") -> SlotRecord:
    """A record that is not final."""
    return SlotRecord(slot(scheduled), Outcome.HELD, at(scheduled), "nightly", reason, message)


def claim(scheduled: str = "10:15", written: str = "", baseline: Iterable[str] = (), **known: Any) -> Claim:
    """An open claim, written at its slot unless told otherwise."""
    key = ClaimKey(slot(scheduled), 0)
    return Claim(key, known.pop("attempt", 1), at(written or scheduled), frozenset(baseline), "nightly", **known)


def busy(answered: str, scheduled: str = "10:15", **known: Any) -> Claim:
    """An open claim whose POST was answered with 409."""
    return claim(scheduled, answer=Answer.BUSY, answered_at=at(answered), **known)


def cancelled(job_id: str, requested: str, requests: int = 1) -> CancelRequest:
    """A cancel that was journaled."""
    return CancelRequest(REF, job_id, Reason.MAX_DURATION, at(requested), requests)


def setbacks(last: str, scheduled: str = "10:15", run: int = 0, **counts: int) -> Mapping[ClaimKey, Setbacks]:
    """What the closed claims of a run of a slot came to."""
    return {ClaimKey(slot(scheduled), run): Setbacks(last_at=at(last), **counts)}


def ours(**jobs: str) -> Mapping[str, ClaimKey]:
    """Which job belongs to which slot; ``10:15#1`` is the slot's first retry."""
    owned = {}
    for job_id, text in jobs.items():
        scheduled, _, run = text.partition("#")
        owned[job_id] = ClaimKey(slot(scheduled), int(run or 0))
    return owned


def deny(text: str, minutes: int, on_close: OnClose = OnClose.LET_RUN) -> tuple[Window, ...]:
    """A window in which nothing starts."""
    return (Window(WindowKind.DENY, text, minutes * 60, on_close=on_close),)


def allow(text: str, minutes: int, on_close: OnClose = OnClose.LET_RUN) -> tuple[Window, ...]:
    """A window outside of which nothing starts."""
    return (Window(WindowKind.ALLOW, text, minutes * 60, on_close=on_close),)


def success(finished: str, job_id: str = "s1") -> Success:
    """A sync that succeeded."""
    return Success(job_id, at(finished))


def connection(status: ConnectionStatus) -> Connection:
    """The connection's settings as last read."""
    return Connection(REF.connection_id, "Orders", status, PlatformScheduleKind.MANUAL)


@dataclass(frozen=True, kw_only=True)
class Given:
    """One connection before the planner, with everything that a test does not speak of in good order.

    Attributes:
        spec: what is desired; unless a test gives a standing as well, it is also what is in force.
        listing: when the last listing began; empty = just now; "none" = there was none.
        covers: since when it shows jobs; empty = an hour before it began.
    """

    now: str
    spec: ScheduleSpec | None = NIGHTLY
    standing: Standing | None = None
    jobs: tuple[Job, ...] = ()
    listing: str = ""
    covers: str = ""
    obstacle: Reason | None = None
    connection: Connection | None = None
    connection_read: str = ""
    confirmed: bool = False
    written: str = ""
    looks: int = 1
    pages: int = 1
    in_flight: bool = False
    permits: int = 2
    quiet_until: str = ""
    trouble: str = ""
    profile: PlatformProfile = AITRONOS
    is_known_platform: bool = True
    moved: str = ""
    success_known: bool = True
    last_spec: ScheduleSpec | None = None
    frozen: str = ""
    skewed: str = ""
    jump: ClockJump | None = None
    allow_resets: bool = False

    def facts(self) -> ConnectionFacts:
        """The connection as the planner sees it."""
        read_at = at(self.connection_read) if self.connection_read else None
        stands = self.standing or standing(self.spec)
        jobs = tuple(sorted(self.jobs, key=lambda each: (each.created_at, each.job_id), reverse=True))
        return ConnectionFacts(
            REF,
            self.spec,
            stands,
            jobs,
            self.obstacle,
            self.connection,
            read_at,
            in_flight=self.in_flight,
            moved_at=at(self.moved) if self.moved else None,
            success_known=self.success_known,
            last_spec=self.last_spec,
            connection_confirmed=self.confirmed,
            connection_written_at=at(self.written) if self.written else None,
            looks=self.looks,
        )

    def platform(self) -> PlatformFacts:
        """The platform as the planner sees it."""
        begun = at(self.listing) if self.listing not in ("", "none") else at(self.now)
        seen = Listing(begun, at(self.covers) if self.covers else begun - timedelta(hours=1))
        quiet = at(self.quiet_until) if self.quiet_until else None
        listing = None if self.listing == "none" else seen
        return PlatformFacts(
            self.profile,
            listing,
            self.permits,
            quiet,
            self.trouble,
            skewed=self.skewed,
            jump=self.jump,
            connection_pages=self.pages,
        )

    def known(self) -> PlanningInput:
        """All of it."""
        platforms = {REF.platform: self.platform()} if self.is_known_platform else {}
        return PlanningInput(
            at(self.now), REVISION, platforms, (self.facts(),), self.frozen, allow_resets=self.allow_resets
        )


def decide(given: Given) -> ConnectionPlan:
    """Plan, and see that the plan keeps its promises."""
    known = given.known()
    plan = make_plan(known)
    assert check_plan(known, plan) == {}
    assert make_plan(known) == plan
    return plan.connections[0]


def plan_of(given: Given) -> str:
    """What is decided, as `told` says it."""
    return told(decide(given))


def told(plan: ConnectionPlan) -> str:
    """A plan as text: what is done; then why nothing is; then what must be seen; then when to ask again."""
    words = [_action(action) for action in plan.actions]
    words += [
        f"hold {hold.reason}" + (f" {clock(hold.scheduled_at)}" if hold.scheduled_at else "") for hold in plan.holds
    ]
    words += [_need(need) for need in plan.needs]
    words += [f"wake {clock(plan.wake_at)}"] if plan.wake_at is not None else []
    return "; ".join(words)


def _action(action: Action) -> str:
    match action:
        case TriggerSync(trigger):
            more = f" attempt {trigger.attempt}" if trigger.attempt > 1 else ""
            run = f"#{trigger.key.run}" if trigger.key.run else ""
            return f"trigger {clock(trigger.key.slot.scheduled_at)}{run}{more}"
        case RecordSlot(record):
            return _record(record)
        case SettleClaim(_, status, record, _, surplus):
            return f"settle {status}: {_record(record)}" + (f" beside {', '.join(surplus)}" if surplus else "")
        case AcceptSchedule(spec=None):
            return f"retire {action.schedule}"
        case AcceptSchedule():
            return f"accept {action.schedule} generation {action.generation}"
        case RearmFreshness(_, _, fresh_since, withdrawn):
            gone = "".join(f" without {clock(each.scheduled_at)}" for each in withdrawn)
            return f"fresh since {clock(fresh_since)}{gone}"
        case SettleRequest(request, status, message):
            return f"answer {request.action} {status}: {message}"
        case NoteDrift(drift=drift):
            fought = " fought" if drift.fighting_since is not None else ""
            return f"note {drift.field} {drift.observed if drift.stands else 'over'}{fought}"
        case CorrectConnection(change=change):
            wanted = "" if change.status is None else f" {change.status}"
            return f"correct{' manual' if change.manual else ''}{wanted}"
        case CancelJob():
            return f"cancel {action.job.job_id} for {action.reason}"


def _record(record: SlotRecord) -> str:
    text = f"{record.word} {clock(record.slot.scheduled_at)}"
    if record.through is not None:
        text += f" to {clock(record.through)}, {record.count} slots"
    return text + (f" by {record.job_id}" if record.job_id else "")


def _need(need: ListingNeed) -> str:
    text = f"need {need.kind} from {clock(need.begun_after)}"
    if need.covers_since is not None:
        text += f" back to {clock(need.covers_since)}"
    return text + (" with the connection" if need.read_connection else "")


def after(stands: Standing, plan: ConnectionPlan) -> Standing:
    """Where the connection stands once the plan is written; what it triggers is claimed and confirmed at once."""
    records = {record.slot.scheduled_at: record for record in stands.pending}
    for accepted in (action for action in plan.actions if isinstance(action, AcceptSchedule)):
        stands = _accepted(stands, accepted)
    stands = _corrected(stands, plan)
    for action in plan.actions:
        match action:
            case RearmFreshness(_, _, fresh_since, withdrawn):
                stands = replace(stands, fresh_since=fresh_since)
                records = {at_: record for at_, record in records.items() if SlotKey(stands.ref, at_) not in withdrawn}
                continue
            case TriggerSync(made) if made.key.run > 0:
                stands = replace(stands, last_triggered_at=made.written_at)
                continue
            case TriggerSync(made):
                record = SlotRecord(made.key.slot, Outcome.TRIGGERED, made.written_at, made.schedule)
                stands = replace(stands, last_triggered_at=made.written_at)
            case SettleClaim(settled) if settled.key.run > 0:
                stands = replace(stands, claim=None)
                continue
            case SettleClaim(_, _, record):
                stands = replace(stands, claim=None)
            case RecordSlot(record):
                pass
            case _:
                continue
        through = record.through or record.slot.scheduled_at
        stands = replace(stands, watermark=through if stands.watermark is None else max(stands.watermark, through))
        records[record.slot.scheduled_at] = record
        if record.job_id is not None:
            stands = replace(stands, attributed={**stands.attributed, record.job_id: ClaimKey(record.slot, 0)})
            if record.outcome is Outcome.COUNTED:
                stands = replace(stands, counted=stands.counted | {record.job_id})
    pending = (records[scheduled] for scheduled in sorted(records) if not records[scheduled].outcome.is_final)
    return replace(stands, pending=tuple(pending))


def _corrected(stands: Standing, plan: ConnectionPlan) -> Standing:
    """With what the plan notes of drift, and with its correction taken."""
    for action in plan.actions:
        if isinstance(action, NoteDrift):
            stands = replace(stands, drifts={**stands.drifts, action.drift.field: action.drift})
        elif isinstance(action, CorrectConnection):
            taken = tuple(replace(each, status=CorrectionStatus.TAKEN) for each in action.corrections)
            stands = replace(stands, corrections=(*taken, *stands.corrections))
    return stands


def _accepted(stands: Standing, accepted: AcceptSchedule) -> Standing:
    wanted = accepted.spec
    if wanted is None:
        return replace(stands, calendar_key=None, content="")
    if wanted.calendar_key != stands.calendar_key:
        since = accepted.effective_since.replace(microsecond=0)
        watermark = since if stands.watermark is None else max(stands.watermark, since)
        stands = replace(stands, effective_since=accepted.effective_since, watermark=watermark)
    return replace(
        stands,
        schedule=wanted.name,
        calendar_key=wanted.calendar_key,
        content=wanted.content,
        generation=accepted.generation,
    )
