"""What is true of a schedule now, as the six conditions of the Kubernetes shape (`docs/status.md`), from what a cycle saw and decided.

A condition that this look says nothing about is left out: it stays what it was, so that a restart, which knows less at first, flips
nothing. A message names no passing moment: it changes only when something happened, because each change is a write.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from controller.decide.against import closed, next_opening
from controller.decide.drifted import drift_of
from controller.decide.explain import WAITING
from controller.decide.recovery import PHANTOM, PHANTOMS_MAX
from controller.decide.rules import inactivity
from controller.decide.sight import is_under_way
from controller.decide.slots import from_epoch, to_epoch
from controller.decide.windows import next_edge
from controller.model.condition import Condition, ConditionReason, ConditionStatus, ConditionType, Verdict, Why
from controller.model.job import Job, JobKind, JobStatus
from controller.model.plan import ConnectionFacts, ConnectionPlan, Freshness, Hold, PlatformFacts
from controller.model.record import Answer, Reason
from controller.model.schedule import Mode, ScheduleSpec
from controller.model.window import Window

AGAINST_READY = frozenset(
    {
        Reason.SUSPENDED,
        Reason.FROZEN,
        Reason.STALLED,
        Reason.DOUBLE_SCHEDULED,
        Reason.CONNECTION_INACTIVE,
        Reason.DUPLICATE_CONNECTION,
        Reason.DUPLICATE_NAME,
        Reason.POLICY_CONFLICT,
        Reason.NOT_YET_SUPPORTED,
        Reason.UNKNOWN_PLATFORM,
        Reason.BLAST_RADIUS,
        Reason.CLOCK_BEHIND,
        Reason.CLOCK_FROZEN,
        Reason.CLOCK_SKEW,
    }
)
"""Holds that stand against the next slot, whatever slot that is. All others are about one slot, pass by themselves, or are what the spec
asks for."""

IN_DOUBT_ABOUT_TIME = frozenset({Reason.CLOCK_FROZEN, Reason.CLOCK_SKEW})
"""Nothing but this is judged while it lasts."""

NEEDS_A_PERSON = frozenset(
    {
        Reason.STALLED,
        Reason.DUPLICATE_CONNECTION,
        Reason.DUPLICATE_NAME,
        Reason.POLICY_CONFLICT,
        Reason.NOT_YET_SUPPORTED,
        Reason.UNKNOWN_PLATFORM,
        Reason.BLAST_RADIUS,
    }
)
"""Holds that no waiting ends."""

TRIED_AGAIN = frozenset({Reason.RETRY_PENDING, Reason.REFUSED, Reason.CANCEL_IN_FLIGHT})
"""Holds that say that something is still being brought about."""

MOMENTARY = frozenset({Reason.CLOCK_BEHIND, Reason.CLOCK_FROZEN, Reason.CLOCK_SKEW, Reason.OBSERVATION_STALE})
"""Reasons whose holds name the moment in their message; a condition says what they mean instead."""

NOT_SUCCEEDED = (ConditionReason.SYNC_FAILED, ConditionReason.SYNC_CANCELLED)
"""What a sync came to that a process which began after it may not see any more."""

Kept = Mapping[ConditionType, Condition]
"""The conditions of one connection as they were."""


@dataclass(frozen=True, slots=True)
class WindowView:
    """Whether windows let a schedule start; the same until ``until``, None = for ever."""

    windows: tuple[Window, ...]
    judged_at: datetime
    until: datetime | None
    verdict: Verdict

    def holds_at(self, spec: ScheduleSpec, now: datetime) -> bool:
        """Whether it still says what is true of a spec."""
        is_current = now >= self.judged_at and (self.until is None or now < self.until)
        return is_current and self.windows == spec.windows


def look_at_windows(spec: ScheduleSpec, now: datetime) -> WindowView:
    """Whether a schedule may start now, and until when that is so."""
    kind, windows = ConditionType.IN_WINDOW, spec.windows
    if not windows:
        verdict = Verdict(kind, ConditionStatus.TRUE, ConditionReason.NO_WINDOWS, "no window limits it")
        return WindowView(windows, now, None, verdict)
    edge = next_edge(windows, to_epoch(now))
    until = None if edge is None else from_epoch(edge)
    against = closed(spec, now)
    if against is None:
        verdict = Verdict(kind, ConditionStatus.TRUE, ConditionReason.WINDOW_OPEN, "its windows let it start")
        return WindowView(windows, now, until, verdict)
    opening = next_opening(spec, now)
    opens = f"opens at {opening:%Y-%m-%d %H:%M:%SZ}" if opening is not None else "never opens again"
    verdict = Verdict(kind, ConditionStatus.FALSE, Reason.WINDOW_CLOSED, f"{against[1]}; {opens}")
    return WindowView(windows, now, until, verdict)


def judge_conditions(
    facts: ConnectionFacts,
    decided: ConnectionPlan,
    platform: PlatformFacts,
    now: datetime,
    kept: Kept,
    *,
    is_stale: bool = False,
) -> tuple[Verdict, ...]:
    """Every condition but InWindow (`look_at_windows`), as far as this look says something about it; none where there is no schedule.

    ``is_stale``: what is in force is older than the revision, because a file is rejected.
    """
    spec, standing = facts.spec, facts.standing
    if spec is None and facts.obstacle is None and standing.calendar_key is None:
        return ()
    if decided.defect:
        return _defective(decided.defect)
    against = _first(decided, AGAINST_READY)
    if against is not None and against.reason in IN_DOUBT_ABOUT_TIME:
        return (_ready(facts, decided, platform, now),)
    found = (
        _ready(facts, decided, platform, now),
        _reconciling(facts, decided),
        _stalled(facts, decided, is_stale=is_stale),
        _drifted(facts, kept, now),
        _healthy(facts, decided, kept),
    )
    return tuple(verdict for verdict in found if verdict is not None)


def _first(decided: ConnectionPlan, reasons: Collection[Reason]) -> Hold | None:
    return next((hold for hold in decided.holds if hold.reason in reasons), None)


def _said(hold: Hold) -> tuple[Reason, str]:
    return hold.reason, WAITING[hold.reason] if hold.reason in MOMENTARY else hold.message


def _defective(message: str) -> tuple[Verdict, ...]:
    text = f"nothing can be decided, a defect of Mainspring: {message}"
    return (
        Verdict(ConditionType.READY, ConditionStatus.FALSE, ConditionReason.DEFECT, text),
        Verdict(ConditionType.STALLED, ConditionStatus.TRUE, ConditionReason.DEFECT, text),
    )


def _ready(facts: ConnectionFacts, decided: ConnectionPlan, platform: PlatformFacts, now: datetime) -> Verdict:
    """Whether a schedule is in force and nothing stands against its next slot; a closed window and a running job are as they should be."""
    kind, false = ConditionType.READY, ConditionStatus.FALSE
    if (hold := _first(decided, AGAINST_READY)) is not None:
        return Verdict(kind, false, *_said(hold))
    spec, standing = facts.spec, facts.standing
    if spec is None:
        return Verdict(kind, false, Reason.DELETED, "no spec names its connection any more; it goes out of force")
    if standing.calendar_key is None:
        return Verdict(kind, ConditionStatus.UNKNOWN, ConditionReason.PROGRESSING, "it is not in force yet")
    if standing.phantoms >= PHANTOMS_MAX:
        return Verdict(kind, false, Reason.PHANTOM_ACTIVE, PHANTOM)
    if spec.mode is Mode.OBSERVE:
        return Verdict(kind, ConditionStatus.TRUE, Reason.OBSERVE, "it is observed; nothing is triggered")
    if (against := inactivity(facts)) is not None:
        return Verdict(kind, false, *against)
    if (hold := _first(decided, (Reason.OBSERVATION_STALE,))) is not None and _is_blind(platform, now):
        return Verdict(kind, false, *_said(hold))
    return Verdict(kind, ConditionStatus.TRUE, ConditionReason.SCHEDULED, "nothing stands against its next slot")


def _is_blind(platform: PlatformFacts, now: datetime) -> bool:
    """Whether the platform could not be seen for so long that a slot that waits for it is worth telling; one failed look is not."""
    listing = platform.listing
    return listing is None or now - listing.begun_at > platform.profile.view_age_max


def _reconciling(facts: ConnectionFacts, decided: ConnectionPlan) -> Verdict:
    """Whether something is under way that brings the connection to what is desired."""
    kind, true, standing, spec = ConditionType.RECONCILING, ConditionStatus.TRUE, facts.standing, facts.spec
    if spec is None and facts.obstacle is None:
        return Verdict(kind, true, ConditionReason.PROGRESSING, "it goes out of force")
    if spec is not None and facts.obstacle is None:
        if standing.calendar_key is None:
            return Verdict(kind, true, ConditionReason.PROGRESSING, "it comes into force")
        if (standing.content, standing.schedule) != (spec.content, spec.name):
            return Verdict(kind, true, ConditionReason.PROGRESSING, "an edit is not taken in yet")
    claim = standing.claim
    if is_under_way(facts) or (claim is not None and facts.in_flight and claim.answer is Answer.NONE):
        return Verdict(kind, true, Reason.TRIGGER_IN_FLIGHT, WAITING[Reason.TRIGGER_IN_FLIGHT])
    if claim is not None:
        return Verdict(kind, true, Reason.IN_DOUBT, WAITING[Reason.IN_DOUBT])
    cancel = standing.cancel
    if cancel is not None and any(job.job_id == cancel.job_id and job.is_active for job in facts.jobs):
        return Verdict(kind, true, Reason.CANCEL_IN_FLIGHT, f"{cancel.job_id} was asked to end")
    if (hold := _first(decided, TRIED_AGAIN)) is not None:
        return Verdict(kind, true, hold.reason, WAITING[hold.reason])
    return Verdict(kind, ConditionStatus.FALSE, ConditionReason.SETTLED, "nothing is under way")


def _stalled(facts: ConnectionFacts, decided: ConnectionPlan, *, is_stale: bool) -> Verdict:
    """Whether a person must act, because no waiting helps."""
    kind, true = ConditionType.STALLED, ConditionStatus.TRUE
    if (hold := _first(decided, NEEDS_A_PERSON)) is not None:
        return Verdict(kind, true, *_said(hold))
    if facts.standing.phantoms >= PHANTOMS_MAX:
        return Verdict(kind, true, Reason.PHANTOM_ACTIVE, f"{PHANTOM}; look at the connection there")
    if is_stale:
        message = "a file is rejected; the last good version stays in force until it is mended"
        return Verdict(kind, true, ConditionReason.SPEC_REJECTED, message)
    return Verdict(kind, ConditionStatus.FALSE, ConditionReason.NOTHING_STALLED, "nobody needs to act")


def _drifted(facts: ConnectionFacts, kept: Kept, now: datetime) -> Verdict | None:
    """Whether the platform shows other settings than are desired; after a restart what was seen before counts until it is read again."""
    if facts.connection_read_at is None:
        return None
    before = kept.get(ConditionType.DRIFTED)
    if facts.spec is None and before is not None:
        return None
    drift = drift_of(facts, now)
    if drift is None:
        message = "the platform's settings are as desired"
        return Verdict(ConditionType.DRIFTED, ConditionStatus.FALSE, ConditionReason.NO_DRIFT, message)
    return Verdict(ConditionType.DRIFTED, ConditionStatus.TRUE, *drift)


def _healthy(facts: ConnectionFacts, decided: ConnectionPlan, kept: Kept) -> Verdict | None:
    """Whether the data arrives: by its age where ``freshnessAlert`` limits it, else by how the newest sync ended, whoever started it."""
    kind, before, standing = ConditionType.HEALTHY, kept.get(ConditionType.HEALTHY), facts.standing
    is_known = before is not None and before.status is not ConditionStatus.UNKNOWN
    if facts.spec is not None and facts.spec.freshness_alert is not None and decided.freshness is None and is_known:
        # How old the data is must be seen first.
        return None
    success = standing.last_success
    since = f"since {success.finished_at:%Y-%m-%d %H:%M:%SZ}" if success is not None else "yet"
    if decided.freshness is Freshness.ERROR:
        message = f"no sync has succeeded {since}, for longer than errorAfter"
        return Verdict(kind, ConditionStatus.FALSE, ConditionReason.OUTDATED, message)
    ended = next((job for job in facts.jobs if job.kind is JobKind.SYNC and job.status.is_terminal), None)
    if ended is None and before is not None and before.reason in NOT_SUCCEEDED:
        return None
    if (ended is not None and ended.status is not JobStatus.SUCCEEDED) or (ended is None and standing.failures):
        return Verdict(kind, ConditionStatus.FALSE, *_not_succeeded(ended))
    if decided.freshness is Freshness.WARNING:
        message = f"no sync has succeeded {since}, for longer than warnAfter"
        return Verdict(kind, ConditionStatus.TRUE, ConditionReason.AGEING, message)
    if ended is None and success is None:
        return Verdict(kind, ConditionStatus.UNKNOWN, ConditionReason.NO_SYNC_YET, "no sync of it has ended yet")
    return Verdict(kind, ConditionStatus.TRUE, ConditionReason.SYNC_SUCCEEDED, "its last sync succeeded")


def _not_succeeded(ended: Job | None) -> tuple[Why, str]:
    if ended is None:
        return ConditionReason.SYNC_FAILED, "its last sync failed"
    rows = f" after {ended.rows:,} rows" if ended.rows is not None else ""
    if ended.status is JobStatus.CANCELLED:
        return ConditionReason.SYNC_CANCELLED, f"{ended.job_id} was cancelled{rows}"
    return ConditionReason.SYNC_FAILED, f"{ended.job_id} failed{rows}"


class KStatus(StrEnum):
    """What kstatus calls a resource, for tools that know it."""

    IN_PROGRESS = "InProgress"
    FAILED = "Failed"
    CURRENT = "Current"


def kstatus(generation: int, observed_generation: int, conditions: Collection[Condition]) -> KStatus:
    """Put the conditions in one word, by the rules of kstatus: what was not observed is in progress, whatever the conditions say."""
    status = {condition.type: condition.status for condition in conditions}
    if observed_generation != generation:
        return KStatus.IN_PROGRESS
    if status.get(ConditionType.STALLED) is ConditionStatus.TRUE:
        return KStatus.FAILED
    if status.get(ConditionType.RECONCILING) is ConditionStatus.TRUE:
        return KStatus.IN_PROGRESS
    return KStatus.CURRENT if status.get(ConditionType.READY) is ConditionStatus.TRUE else KStatus.IN_PROGRESS
