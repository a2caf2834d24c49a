"""Desired against observed: how a connection's own settings differ from what its schedule wants, and what may be done about it."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from controller.decide.against import Against, freeze_at, held_as_a_whole
from controller.decide.fight import HOUR, fight_text, is_fighting, is_fought, resting_until
from controller.decide.parts import NOTHING, Part, joined
from controller.decide.platform_schedule import canonical, is_due_like
from controller.decide.slots import earliest
from controller.model.connection import Connection, ConnectionChange, ConnectionStatus, PlatformScheduleKind
from controller.model.drift import Correction, CorrectionStatus, DriftField, NotedDrift
from controller.model.job import JobStatus
from controller.model.plan import (
    ConnectionFacts,
    CorrectConnection,
    Hold,
    ListingNeed,
    NeedKind,
    NoteDrift,
    PlatformFacts,
)
from controller.model.record import Reason, Standing
from controller.model.schedule import Drift, Mode, ScheduleSpec

READ_WITHIN = timedelta(seconds=15)
"""A correction rests on a read of the connection by id that is no older; one cycle after it is well within that."""

LAG_MAX = timedelta(hours=1)
"""So long after a correction a listing of connections may still show what was before it: only a read by id is believed to differ."""

WRITABLE = frozenset({ConnectionStatus.ACTIVE, ConnectionStatus.INACTIVE})
"""Statuses that people switch between; the others are the platform's own."""


@dataclass(frozen=True, slots=True)
class Sight:
    """One field as it is seen and as it is wanted; ``change`` is what would set it, None where that is never done."""

    field: DriftField
    policy: Drift
    desired: str
    observed: str
    differs: bool
    change: ConnectionChange | None


def is_at_rest(facts: ConnectionFacts) -> bool:
    """Whether the settings are what nearly all schedules want of nearly all connections, and nothing was ever noted: no need to look."""
    connection, standing, spec = facts.connection, facts.standing, facts.spec
    return (
        not standing.drifts
        and not standing.corrections
        and (spec is None or spec.suspend is None)
        and (
            connection is None
            or (
                connection.schedule_kind is PlatformScheduleKind.MANUAL and connection.status is ConnectionStatus.ACTIVE
            )
        )
    )


def policy_of(spec: ScheduleSpec, field: DriftField) -> Drift:
    """What the spec says is done about the field."""
    return spec.drift_schedule if field is DriftField.SCHEDULE else spec.drift_status


def sight_of(facts: ConnectionFacts, field: DriftField, now: datetime) -> Sight | None:
    """The field as it stands; None where nobody asks for it, or where what the platform shows is not known or not understood."""
    spec, connection = facts.spec, facts.connection
    if spec is None or connection is None or policy_of(spec, field) is Drift.IGNORE:
        return None
    if field is DriftField.SCHEDULE:
        return _schedule(spec, connection)
    return _status(spec, connection, now)


def _schedule(spec: ScheduleSpec, connection: Connection) -> Sight | None:
    kind, manual = connection.schedule_kind, str(PlatformScheduleKind.MANUAL)
    if kind is PlatformScheduleKind.UNKNOWN:
        return None
    timing = canonical(kind, connection.expression)
    observed = str(timing) if timing is not None else f"{kind} {connection.expression}".strip()
    differs = kind is not PlatformScheduleKind.MANUAL
    return Sight(DriftField.SCHEDULE, spec.drift_schedule, manual, observed, differs, ConnectionChange(manual=True))


def is_suspended(spec: ScheduleSpec, now: datetime) -> bool:
    """Whether the spec itself suspends the schedule; a suspension by hand asks nothing of the connection."""
    return spec.suspend is not None and spec.suspend.covers(now)


def _status(spec: ScheduleSpec, connection: Connection, now: datetime) -> Sight | None:
    status = connection.status
    if status is ConnectionStatus.UNKNOWN:
        return None
    suspended = is_suspended(spec, now)
    wanted = ConnectionStatus.INACTIVE if suspended else ConnectionStatus.ACTIVE
    differs = (status is ConnectionStatus.ACTIVE) is suspended
    if suspended and spec.drift_status is Drift.WARN:
        # To suspend a schedule asks nothing of its connection, unless the spec says so.
        differs = False
    change = ConnectionChange(status=wanted) if status in WRITABLE else None
    return Sight(DriftField.STATUS, spec.drift_status, str(wanted), str(status), differs, change)


def newest_correction(facts: ConnectionFacts, field: DriftField) -> Correction | None:
    """The last correction of the field that may have had an effect."""
    made = (c for c in facts.standing.corrections if c.field is field and c.status is not CorrectionStatus.REFUSED)
    return max(made, key=lambda correction: correction.at, default=None)


def _is_read_since(facts: ConnectionFacts, instant: datetime) -> bool:
    """Whether the settings were read by id, begun after an instant and after this process's last change of them had its answer."""
    read_at, written_at = facts.connection_read_at, facts.connection_written_at
    since = instant if written_at is None else max(instant, written_at)
    return facts.connection_confirmed and read_at is not None and read_at >= since


def _is_believed(facts: ConnectionFacts, sight: Sight, now: datetime) -> bool:
    """Whether a change of how the field stands is believed: after a correction only a read by id tells what came of it."""
    last, noted = newest_correction(facts, sight.field), facts.standing.drifts.get(sight.field)
    stands = noted is not None and noted.stands
    if stands == sight.differs or last is None or now - last.at > LAG_MAX:
        return True
    return _is_read_since(facts, last.at)


def drives_beside(facts: ConnectionFacts, now: datetime) -> str | None:
    """Why nothing may start beside the platform's own schedule; None where it does not, or where the spec ignores it."""
    if is_at_rest(facts):
        return None
    sight, spec = sight_of(facts, DriftField.SCHEDULE, now), facts.spec
    if sight is None or spec is None:
        return None
    noted = facts.standing.drifts.get(DriftField.SCHEDULE)
    if noted is not None and is_fighting(noted, facts.standing.generation, now):
        return fight_text(facts.standing, noted)
    if sight.differs:
        return beside_text(spec, facts.connection, sight)
    if noted is not None and noted.stands and not _is_believed(facts, sight, now):
        return "its own schedule was set to manual; that is read once more"
    return None


def beside_text(spec: ScheduleSpec, connection: Connection | None, sight: Sight) -> str:
    """That the platform drives the connection too, and how."""
    timing = None if connection is None else canonical(connection.schedule_kind, connection.expression)
    alike = ", as this schedule does" if timing is not None and is_due_like(timing, spec.entries) else ""
    return f"the platform itself runs it by {sight.observed}{alike}"


def judge_drift(facts: ConnectionFacts, platform: PlatformFacts, now: datetime, *, is_writing: bool) -> Part:
    """Note what differs from what is desired, say so, and set it right where the spec asks for that.

    ``is_writing``: the plan sends something else about the connection already, and one request at a time is enough.
    """
    spec = facts.spec
    if spec is None or is_at_rest(facts) or held_as_a_whole(facts) is not None:
        return NOTHING
    parts: list[Part] = []
    wanted: list[Sight] = []
    for field in DriftField:
        noted, sight = facts.standing.drifts.get(field), sight_of(facts, field, now)
        drift = noted
        if not facts.in_flight:
            drift = _as_seen(facts, platform, field, now)
        if drift is not None and drift != noted:
            parts.append(Part(actions=(NoteDrift(facts.ref, spec.name, drift, noted),)))
        fights = drift is not None and is_fighting(drift, facts.standing.generation, now)
        if sight is None:
            continue
        parts.append(_told(facts, sight, drift if fights else None))
        parts.append(_verification(facts, sight, drift, now))
        is_wanted = sight.differs and sight.policy is Drift.ENFORCE and sight.change is not None
        if is_wanted and not fights and _is_believed(facts, sight, now):
            wanted.append(sight)
    if spec.mode is Mode.ENFORCE and not is_writing:
        parts.append(_correction(facts, platform, now, wanted))
    return joined(*parts)


def _as_seen(facts: ConnectionFacts, platform: PlatformFacts, field: DriftField, now: datetime) -> NotedDrift | None:
    """How the field is to be noted now; what is noted already where nothing is known to have changed."""
    noted, sight, spec = facts.standing.drifts.get(field), sight_of(facts, field, now), facts.spec
    generation = facts.standing.generation
    if spec is None:
        return noted
    if sight is None:
        is_ignored = (
            noted is not None and (noted.stands or noted.fighting_since) and policy_of(spec, field) is Drift.IGNORE
        )
        return replace(noted, ended_at=now, fighting_since=None) if noted is not None and is_ignored else noted
    if not _is_believed(facts, sight, now):
        return noted
    fighting_since = None
    if noted is not None and is_fighting(noted, generation, now):
        fighting_since = noted.fighting_since
    if not sight.differs:
        if noted is None or not (noted.stands or noted.fighting_since):
            return noted
        return replace(noted, ended_at=noted.ended_at or now, fighting_since=fighting_since)
    enforced = sight.policy is Drift.ENFORCE and spec.mode is Mode.ENFORCE
    if fighting_since is None and enforced and is_fought(facts, platform, field, now):
        fighting_since = now
    began_at = noted.began_at if noted is not None and noted.stands else now
    return NotedDrift(
        facts.ref, field, sight.policy, sight.desired, sight.observed, began_at, generation, None, fighting_since
    )


def standing_drifts(standing: Standing) -> tuple[NotedDrift, ...]:
    """What is noted to differ now, or to be fought about, in the order of the fields."""
    if not standing.drifts:
        return ()
    noted = (standing.drifts.get(field) for field in DriftField)
    return tuple(each for each in noted if each is not None and (each.stands or each.fighting_since is not None))


def held_for(spec: ScheduleSpec, standing: Standing, now: datetime) -> Against | None:
    """What stands against a schedule by what was noted last, without a look at the platform."""
    for noted in standing_drifts(standing):
        if is_fighting(noted, standing.generation, now):
            return Reason.FIGHT_DETECTED, fight_text(standing, noted)
        if noted.stands and noted.field is DriftField.SCHEDULE and spec.drift_schedule is not Drift.IGNORE:
            return Reason.DOUBLE_SCHEDULED, f"the platform itself runs it by {noted.observed}"
    return None


def _told(facts: ConnectionFacts, sight: Sight, fought: NotedDrift | None) -> Part:
    """What stands against the schedule for the field, also while nothing is due."""
    spec = facts.spec
    if spec is None:
        return NOTHING
    if fought is not None:
        message = fight_text(facts.standing, fought)
        return Part(holds=(Hold(facts.ref, spec.name, Reason.FIGHT_DETECTED, message),))
    is_corrected = sight.policy is Drift.ENFORCE and spec.mode is Mode.ENFORCE
    if not sight.differs or sight.field is not DriftField.SCHEDULE or is_corrected:
        return NOTHING
    message = beside_text(spec, facts.connection, sight)
    return Part(holds=(Hold(facts.ref, spec.name, Reason.DOUBLE_SCHEDULED, message),))


def _verification(facts: ConnectionFacts, sight: Sight, drift: NotedDrift | None, now: datetime) -> Part:
    """Ask for a read by id where a correction may have changed the field, and the end of a fight for its time."""
    wake_at = None
    if drift is not None and drift.fighting_since is not None and drift.ended_at is not None:
        wake_at = drift.ended_at + HOUR if drift.ended_at + HOUR > now else None
    if facts.in_flight or _is_believed(facts, sight, now):
        return Part(wake_at=wake_at)
    return Part(wake_at=wake_at, needs=(_read_of(facts, now),))


def _correction(facts: ConnectionFacts, platform: PlatformFacts, now: datetime, wanted: Iterable[Sight]) -> Part:
    """One PATCH for all that differs, on a read by id begun just before; or what is waited for."""
    spec, ready, wakes = facts.spec, list[Sight](), list[datetime | None]()
    if spec is None or facts.in_flight or facts.standing.claim is not None or freeze_at(spec, now) is not None:
        return NOTHING
    # Airbyte cancels a job that waits for capacity when its connection is changed; such a job starts or ends soon.
    if any(job.status is JobStatus.QUEUED for job in facts.jobs):
        return NOTHING
    holds: list[Hold] = []
    for sight in wanted:
        until = resting_until(facts, platform, sight.field)
        if until is not None and until > now:
            wakes.append(until)
            holds.extend(_resting(facts, spec, sight, until))
        else:
            ready.append(sight)
    if platform.quiet_until is not None and platform.quiet_until > now:
        return Part(holds=tuple(holds), wake_at=earliest([*wakes, platform.quiet_until]))
    if not ready:
        return Part(holds=tuple(holds), wake_at=earliest(wakes))
    settled = [at for sight in ready if (at := resting_until(facts, platform, sight.field)) is not None]
    since = max([now - READ_WITHIN, *settled])
    if not _is_read_since(facts, since):
        return Part(holds=tuple(holds), wake_at=earliest(wakes), needs=(_read_of(facts, now, *settled),))
    return Part((_correcting(facts, spec, ready, now),), tuple(holds), earliest(wakes))


def _resting(facts: ConnectionFacts, spec: ScheduleSpec, sight: Sight, until: datetime) -> Iterable[Hold]:
    """A correction that the platform refused stands against the schedule until it is tried again."""
    last = max((c for c in facts.standing.corrections if c.field is sight.field), key=lambda c: c.at, default=None)
    if last is not None and last.status is CorrectionStatus.REFUSED:
        is_schedule = sight.field is DriftField.SCHEDULE
        reason = Reason.DOUBLE_SCHEDULED if is_schedule else Reason.CONNECTION_INACTIVE
        what = f"{sight.field} is {sight.observed}, and the platform refused to set it to {sight.desired}"
        if is_schedule or sight.desired == ConnectionStatus.ACTIVE:
            yield Hold(facts.ref, spec.name, reason, f"{what}; it is asked again at {until:%H:%M:%SZ}")


def _read_of(facts: ConnectionFacts, now: datetime, *settled: datetime) -> ListingNeed:
    """A read of the connection by id, begun after what is known of it now was read, and after all that was asked has its effect."""
    known = [at for at in (facts.connection_read_at or now, facts.connection_written_at, *settled) if at is not None]
    return ListingNeed(NeedKind.DRIFT, max(known), max(known), read_connection=True)


def _correcting(facts: ConnectionFacts, spec: ScheduleSpec, ready: list[Sight], now: datetime) -> CorrectConnection:
    change = ConnectionChange()
    for sight in ready:
        if sight.change is not None:
            change = ConnectionChange(change.manual or sight.change.manual, sight.change.status or change.status)
    corrections = tuple(
        Correction(facts.ref, s.field, now, s.observed, s.desired, facts.standing.generation, facts.looks)
        for s in ready
    )
    message = " and ".join(f"{s.field} is set from {s.observed} to {s.desired}" for s in ready)
    is_schedule = ready[0].field is DriftField.SCHEDULE
    reason = Reason.DOUBLE_SCHEDULED if is_schedule else Reason.CONNECTION_INACTIVE
    if not is_schedule and ready[0].desired == ConnectionStatus.INACTIVE:
        reason = Reason.SUSPENDED
    return CorrectConnection(facts.ref, spec.name, change, reason, message, corrections)
