"""What is true of a schedule now, as the six conditions of the Kubernetes shape (`docs/status.md`), from what a cycle saw and decided.

A condition that this look says nothing about is left out: it stays what it was, so that a restart, which knows less at first, flips
nothing. A message names no passing moment: it changes only when something happened, because each change is a write.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum

from controller.decide.against import closed, next_opening
from controller.decide.drifted import drift_of, is_refused
from controller.decide.explain import WAITING
from controller.decide.recovery import PHANTOM, is_haunted
from controller.decide.rules import inactivity
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
        Reason.FIGHT_DETECTED,
        Reason.CONNECTION_INACTIVE,
        Reason.DUPLICATE_CONNECTION,
        Reason.DUPLICATE_NAME,
        Reason.POLICY_CONFLICT,
        Reason.NOT_YET_SUPPORTED,
        Reason.BLAST_RADIUS,
        Reason.CLOCK_BEHIND,
        Reason.CLOCK_FROZEN,
        Reason.CLOCK_SKEW,
    }
)
"""Holds that stand against the next slot, whatever slot that is. All others are about one slot, pass by themselves, or are what the spec
asks for."""

IN_DOUBT_ABOUT_TIME = (Reason.CLOCK_FROZEN, Reason.CLOCK_SKEW)
"""Nothing but this is judged while it lasts."""

NEEDS_A_PERSON = frozenset(
    {
        Reason.STALLED,
        Reason.DUPLICATE_CONNECTION,
        Reason.DUPLICATE_NAME,
        Reason.POLICY_CONFLICT,
        Reason.NOT_YET_SUPPORTED,
        Reason.FIGHT_DETECTED,
    }
)
"""Holds that no waiting ends."""

TRIED_AGAIN = frozenset({Reason.RETRY_PENDING, Reason.REFUSED, Reason.CANCEL_IN_FLIGHT, Reason.BLAST_RADIUS})
"""Holds that say that something is still being brought about."""

MOMENTARY = frozenset({Reason.CLOCK_BEHIND, Reason.CLOCK_FROZEN, Reason.CLOCK_SKEW, Reason.OBSERVATION_STALE})
"""Reasons whose holds name the moment in their message; a condition says what they mean instead."""

NOT_SUCCEEDED = (ConditionReason.SYNC_FAILED, ConditionReason.SYNC_CANCELLED)
"""What a sync came to that a process which began after it may not see any more."""

READY, RECONCILING, STALLED = ConditionType.READY, ConditionType.RECONCILING, ConditionType.STALLED
DRIFTED, HEALTHY, IN_WINDOW = ConditionType.DRIFTED, ConditionType.HEALTHY, ConditionType.IN_WINDOW
TRUE, FALSE, UNKNOWN = ConditionStatus.TRUE, ConditionStatus.FALSE, ConditionStatus.UNKNOWN

_HEALTHY_AT = list(ConditionType).index(HEALTHY)

# What is true of nearly all schedules nearly always is one value each: made once, and compared at no cost.
_SCHEDULED = Verdict(READY, TRUE, ConditionReason.SCHEDULED, "nothing stands against its next slot")
_OBSERVED = Verdict(READY, TRUE, Reason.OBSERVE, "it is observed; nothing is triggered")
_SETTLED = Verdict(RECONCILING, FALSE, ConditionReason.SETTLED, "nothing is under way")
_NOTHING_STALLED = Verdict(STALLED, FALSE, ConditionReason.NOTHING_STALLED, "nobody needs to act")
_NO_DRIFT = Verdict(DRIFTED, FALSE, ConditionReason.NO_DRIFT, "the platform's settings are as desired")
_SYNC_SUCCEEDED = Verdict(HEALTHY, TRUE, ConditionReason.SYNC_SUCCEEDED, "its last sync succeeded")
_NO_WINDOWS = Verdict(IN_WINDOW, TRUE, ConditionReason.NO_WINDOWS, "no window limits it")


@dataclass(frozen=True, slots=True)
class WindowView:
    """Whether windows let a schedule start; the same until ``until``, None = for ever."""

    windows: tuple[Window, ...]
    judged_at: datetime
    until: datetime | None
    verdict: Verdict

    def is_good_at(self, now: datetime) -> bool:
        """Whether no edge was passed since, and the clock was not set back."""
        return self.judged_at <= now and (self.until is None or now < self.until)


_UNLIMITED = WindowView((), datetime.min.replace(tzinfo=UTC), None, _NO_WINDOWS)


@dataclass(frozen=True, slots=True)
class Kept:
    """What was judged of one connection: a condition of each type in the order of `ConditionType`, or none yet; and its windows."""

    rows: tuple[Condition, ...] = ()
    view: WindowView | None = None


NOTHING_KEPT = Kept()


def look_at_windows(spec: ScheduleSpec, now: datetime, before: WindowView | None = None) -> WindowView:
    """Whether a schedule may start now, and until when that is so; what was seen ``before`` is good up to the next edge."""
    windows = spec.windows
    if not windows:
        return _UNLIMITED
    if before is not None and before.windows == windows and before.is_good_at(now):
        return before
    edge = next_edge(windows, to_epoch(now))
    until = None if edge is None else from_epoch(edge)
    against = closed(spec, now)
    if against is None:
        verdict = Verdict(IN_WINDOW, TRUE, ConditionReason.WINDOW_OPEN, "its windows let it start")
        return WindowView(windows, now, until, verdict)
    opening = next_opening(spec, now)
    opens = f"opens at {opening:%Y-%m-%d %H:%M:%SZ}" if opening is not None else "never opens again"
    verdict = Verdict(IN_WINDOW, FALSE, Reason.WINDOW_CLOSED, f"{against[1]}; {opens}")
    return WindowView(windows, now, until, verdict)


def judge_conditions(
    facts: ConnectionFacts,
    decided: ConnectionPlan,
    platform: PlatformFacts,
    now: datetime,
    kept: Kept = NOTHING_KEPT,
    *,
    is_stale: bool = False,
) -> tuple[Verdict | None, ...]:
    """Every condition but InWindow (`look_at_windows`) in their order; None = this look says nothing about it; () = there is no schedule.

    ``is_stale``: what is in force is older than the revision, because a file is rejected.
    """
    spec, standing = facts.spec, facts.standing
    if spec is None and facts.obstacle is None and standing.calendar_key is None:
        return ()
    if decided.defect:
        return _defective(decided.defect)
    holds = decided.holds
    ready = (_against(facts, holds) if holds else None) or _ready(facts, holds, platform, now)
    if ready.reason in IN_DOUBT_ABOUT_TIME:
        return (ready,)
    return (
        ready,
        _reconciling(facts, holds),
        _stalled(facts, holds, is_stale=is_stale),
        _drifted(facts, now),
        _healthy(facts, decided, kept),
    )


def whole(
    rows: Iterable[Condition],
    before: Iterable[Condition],
    message: str = "it could not be judged yet",
    reason: Why = ConditionReason.NOT_JUDGED,
) -> tuple[Condition, ...]:
    """One of each type, in order: the newer one where there are two, one that nobody judged where there is none."""
    found = {row.type: row for row in (*before, *rows)}
    return tuple(found.get(kind) or Condition(kind, UNKNOWN, reason, message) for kind in ConditionType)


def changed(verdicts: Sequence[Verdict | None], kept: Kept, generation: int, now: datetime) -> tuple[Condition, ...]:
    """The conditions that differ from what is kept; at first sight all of them, also those that nobody could judge yet."""
    if not kept.rows:
        judged = (_begun(verdict, generation, now) for verdict in verdicts if verdict is not None)
        return tuple(replace(row, observed_generation=generation, last_transition_at=now) for row in whole(judged, ()))
    rows: list[Condition] = []
    for verdict, before in zip(verdicts, kept.rows, strict=False):
        if verdict is None or (
            verdict.status is before.status
            and verdict.reason is before.reason
            and generation == before.observed_generation
            and verdict.message == before.message
        ):
            continue
        since = before.last_transition_at if before.status is verdict.status else now
        rows.append(_begun(verdict, generation, since))
    return tuple(rows)


def _begun(verdict: Verdict, generation: int, since: datetime | None) -> Condition:
    return Condition(verdict.type, verdict.status, verdict.reason, verdict.message, generation, since)


def _first(holds: Sequence[Hold], reasons: Collection[Reason]) -> Hold | None:
    for hold in holds:
        if hold.reason in reasons:
            return hold
    return None


def _said(hold: Hold) -> tuple[Reason, str]:
    return hold.reason, WAITING[hold.reason] if hold.reason in MOMENTARY else hold.message


def _defective(message: str) -> tuple[Verdict | None, ...]:
    text = f"nothing can be decided, a defect of Mainspring: {message}"
    ready = Verdict(READY, FALSE, ConditionReason.DEFECT, text)
    return ready, None, Verdict(STALLED, TRUE, ConditionReason.DEFECT, text)


def _against(facts: ConnectionFacts, holds: Sequence[Hold]) -> Verdict | None:
    observes = facts.spec is not None and facts.spec.mode is Mode.OBSERVE
    # Whoever only observes leaves the driving to the platform.
    hold = _first(holds, AGAINST_READY - {Reason.DOUBLE_SCHEDULED} if observes else AGAINST_READY)
    return None if hold is None else Verdict(READY, FALSE, *_said(hold))


def _ready(facts: ConnectionFacts, holds: Sequence[Hold], platform: PlatformFacts, now: datetime) -> Verdict:
    """Whether a schedule is in force and nothing else stands against its next slot; a closed window or a running job does not."""
    spec, standing = facts.spec, facts.standing
    if spec is None:
        return Verdict(READY, FALSE, Reason.DELETED, "no spec names its connection any more; it goes out of force")
    if standing.calendar_key is None:
        return Verdict(READY, UNKNOWN, ConditionReason.PROGRESSING, "it is not in force yet")
    if is_haunted(standing.phantoms):
        return Verdict(READY, FALSE, Reason.PHANTOM_ACTIVE, PHANTOM)
    if spec.mode is Mode.OBSERVE:
        return _OBSERVED
    if (against := inactivity(facts)) is not None:
        return Verdict(READY, FALSE, *against)
    if holds and _is_blind(platform, now) and (hold := _first(holds, (Reason.OBSERVATION_STALE,))) is not None:
        return Verdict(READY, FALSE, *_said(hold))
    return _SCHEDULED


def _is_blind(platform: PlatformFacts, now: datetime) -> bool:
    """Whether the platform could not be seen for so long that a slot that waits for it is worth telling; one failed look is not."""
    listing = platform.listing
    return listing is None or now - listing.begun_at > platform.profile.view_age_max


def _reconciling(facts: ConnectionFacts, holds: Sequence[Hold]) -> Verdict:
    """Whether something is under way that brings the connection to what is desired."""
    standing, spec = facts.standing, facts.spec
    if spec is None and facts.obstacle is None:
        return Verdict(RECONCILING, TRUE, ConditionReason.PROGRESSING, "it goes out of force")
    if spec is not None and facts.obstacle is None:
        if standing.calendar_key is None:
            return Verdict(RECONCILING, TRUE, ConditionReason.PROGRESSING, "it comes into force")
        if standing.content != spec.content or standing.schedule != spec.name:
            return Verdict(RECONCILING, TRUE, ConditionReason.PROGRESSING, "an edit is not taken in yet")
    claim, cancel = standing.claim, standing.cancel
    if facts.in_flight and (claim is None or claim.answer is Answer.NONE):
        return Verdict(RECONCILING, TRUE, Reason.TRIGGER_IN_FLIGHT, WAITING[Reason.TRIGGER_IN_FLIGHT])
    if claim is not None:
        return Verdict(RECONCILING, TRUE, Reason.IN_DOUBT, WAITING[Reason.IN_DOUBT])
    if cancel is not None and any(job.job_id == cancel.job_id and job.is_active for job in facts.jobs):
        return Verdict(RECONCILING, TRUE, Reason.CANCEL_IN_FLIGHT, f"{cancel.job_id} was asked to end")
    if holds and (hold := _first(holds, TRIED_AGAIN)) is not None:
        return Verdict(RECONCILING, TRUE, hold.reason, WAITING[hold.reason])
    if standing.corrections and is_refused(facts):
        return Verdict(RECONCILING, TRUE, Reason.REFUSED, WAITING[Reason.REFUSED])
    return _SETTLED


def _stalled(facts: ConnectionFacts, holds: Sequence[Hold], *, is_stale: bool) -> Verdict:
    """Whether a person must act, because no waiting helps."""
    if holds and (hold := _first(holds, NEEDS_A_PERSON)) is not None:
        return Verdict(STALLED, TRUE, *_said(hold))
    if is_haunted(facts.standing.phantoms):
        return Verdict(STALLED, TRUE, Reason.PHANTOM_ACTIVE, f"{PHANTOM}; look at the connection there")
    if is_stale:
        message = "a file is rejected; the last good version stays in force until it is mended"
        return Verdict(STALLED, TRUE, ConditionReason.SPEC_REJECTED, message)
    return _NOTHING_STALLED


def _drifted(facts: ConnectionFacts, now: datetime) -> Verdict | None:
    """Whether the platform shows other settings than are desired; after a restart what was seen before counts until it is read again."""
    if facts.connection_read_at is None or facts.spec is None:
        return None
    drift = drift_of(facts, now)
    return _NO_DRIFT if drift is None else Verdict(DRIFTED, TRUE, *drift)


def _healthy(facts: ConnectionFacts, decided: ConnectionPlan, kept: Kept) -> Verdict | None:
    """Whether the data arrives: by its age where ``freshnessAlert`` limits it, else by how the newest sync ended, whoever started it."""
    standing, spec, freshness = facts.standing, facts.spec, decided.freshness
    before = kept.rows[_HEALTHY_AT] if kept.rows else None
    if freshness is None and spec is not None and spec.freshness_alert is not None and _is_known(before):
        # How old the data is must be seen first.
        return None
    if freshness is Freshness.ERROR:
        message = f"no sync has succeeded {_since_success(facts)}, for longer than errorAfter"
        return Verdict(HEALTHY, FALSE, ConditionReason.OUTDATED, message)
    ended = _newest_ended(facts.jobs)
    if ended is None and before is not None and before.reason in NOT_SUCCEEDED:
        return None
    if (ended is not None and ended.status is not JobStatus.SUCCEEDED) or (ended is None and standing.failures):
        return Verdict(HEALTHY, FALSE, *_not_succeeded(ended))
    if freshness is Freshness.WARNING:
        message = f"no sync has succeeded {_since_success(facts)}, for longer than warnAfter"
        return Verdict(HEALTHY, TRUE, ConditionReason.AGEING, message)
    if ended is None and standing.last_success is None:
        return Verdict(HEALTHY, UNKNOWN, ConditionReason.NO_SYNC_YET, "no sync of it has ended yet")
    return _SYNC_SUCCEEDED


def _newest_ended(jobs: Sequence[Job]) -> Job | None:
    for job in jobs:
        if job.kind is JobKind.SYNC and job.status.is_terminal:
            return job
    return None


def _is_known(before: Condition | None) -> bool:
    return before is not None and before.status is not UNKNOWN


def _since_success(facts: ConnectionFacts) -> str:
    success = facts.standing.last_success
    return f"since {success.finished_at:%Y-%m-%d %H:%M:%SZ}" if success is not None else "yet"


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
    if status.get(STALLED) is TRUE:
        return KStatus.FAILED
    if status.get(RECONCILING) is TRUE:
        return KStatus.IN_PROGRESS
    return KStatus.CURRENT if status.get(READY) is TRUE else KStatus.IN_PROGRESS
