"""Whether the outcome of a slot that was not started is justified: by what the platform really had, by the specs, by what went wrong."""

from collections.abc import Iterable
from datetime import UTC, datetime

from controller.model.job import JobKind, JobStatus
from controller.model.record import Outcome, Reason
from controller.model.schedule import ScheduleSpec
from controller.simulation.faults import FaultKind
from controller.simulation.judge.by_hand import is_driven, is_edited, is_off, was_refused, was_shown, was_suspended
from controller.simulation.judge.case import UNCERTAIN, Case
from controller.simulation.judge.causes import overlaps, troubles_of, was_blind, was_doubtful, was_prevented
from controller.simulation.slots.due import is_among


def unjustified(case: Case) -> Iterable[str]:
    """What is wrong with an outcome."""
    spec = case.due.last_spec(case.decided)
    if spec is None:
        yield "no spec was in force"
        return
    fires = case.due.fires(spec, case.at)
    if case.decided < fires - 1 and case.record.reason is not Reason.DELETED:
        yield f"it was decided before it fired at {_clock(fires)}"
    match case.record.outcome:
        case Outcome.COUNTED:
            yield from _against_counted(case, spec)
        case Outcome.MISSED:
            ends = _window_end(case, spec)
            if not was_prevented(case, fires, ends):
                yield f"nothing explains {case.record.reason} between {_clock(fires)} and {_clock(ends)}"
        case Outcome.SKIPPED:
            if not _stood(case, spec, fires):
                yield "nothing of the kind stood against it"


def _against_counted(case: Case, spec: ScheduleSpec) -> Iterable[str]:
    """A sync that nobody's slot owns and that was started in the slot's window counts."""
    if case.record.job_id is None:
        if not case.due.has_freshness:
            yield "it names no job"
        return
    job = next((each for each in case.jobs if each.job_id == case.record.job_id), None)
    if job is None:
        yield f"{case.record.job_id} is no job of the connection"
        return
    shown, ends = job.shown_at.timestamp(), case.due.deadline(spec, case.at)
    if job.kind is not JobKind.SYNC or not case.at - 1 <= shown <= ends + 1:
        yield f"{job.job_id} does not count: {job.kind} at {job.shown_at}"


def _window_end(case: Case, spec: ScheduleSpec) -> float:
    """Until when a slot might have started; of a range, its last slot."""
    through = case.record.through
    last = case.at if through is None else int(through.timestamp())
    ends = float(case.due.deadline(spec, last))
    superseded = case.due.superseded_at(spec, last)
    return min(ends, case.decided, ends if superseded is None else float(superseded))


def _stood(case: Case, spec: ScheduleSpec, fires: float) -> bool:
    """Whether what the record names stood against the slot at some time while it was open."""
    specs = case.due.specs_between(fires, case.decided) or [spec]
    match case.record.reason:
        case Reason.ACTIVE:
            return _was_active(case, fires) or _says(case, FaultKind.BUSY, fires) or was_refused(case, fires)
        case Reason.MIN_GAP:
            return _was_too_soon(case, specs, fires)
        case Reason.DELETED:
            return _was_taken_away(case)
        case Reason.IN_DOUBT:
            mine = [each for each in case.claims if each.claim.key.slot == case.record.slot]
            return any(was_doubtful(each) for each in mine)
        case Reason.STALLED:
            return any(_failed_enough(case, each, fires) for each in specs)
        case Reason.REJECTED:
            return _says(case, FaultKind.REJECTED, fires) or not _exists(case)
        case Reason.CONNECTION_INACTIVE:
            return not _exists(case) or was_shown(case, fires, case.decided, is_off)
        case Reason.DOUBLE_SCHEDULED | Reason.FIGHT_DETECTED:
            return was_shown(case, fires, case.decided, is_driven)
        case Reason.SUSPENDED if was_suspended(case, fires):
            return True
        case _:
            return any(_asks_for(each, case, fires) for each in specs)


def hindered(case: Case, spec: ScheduleSpec, fires: float) -> bool:
    """Whether a job, a start before it, a closed window or a fault stood against a slot between its firing and its start.

    Faults of other connections too: they share what may be sent at once.
    """
    # A revision that is refused leaves the one before in force.
    if was_shown(case, fires, case.decided, is_edited) or was_suspended(case, fires):
        return True
    troubles = [each for each in case.evidence.chronicle.troubles if each.kind is not FaultKind.FORCE_PUSH]
    if any(each.since.timestamp() <= case.decided and each.until.timestamp() >= fires for each in troubles):
        return True
    # A doubt of another connection takes one of the permits to send.
    doubts = [each for each in case.evidence.chronicle.claims if was_doubtful(each)]
    if any(overlaps(case, each, fires - UNCERTAIN, case.decided) for each in doubts) or was_blind(
        case, fires, case.decided
    ):
        return True
    others = [job for job in case.jobs if job.job_id != case.record.job_id]
    if any(job.created_at.timestamp() <= case.decided and job.ended_at.timestamp() >= fires for job in others):
        return True
    if any(begin <= case.decided and end >= fires for begin, end in case.due.closed(spec)):
        return True
    profile = case.evidence.profiles[case.record.slot.ref.platform]
    gap = (profile.min_gap if spec.min_gap is None else spec.min_gap).total_seconds() + UNCERTAIN
    return any(fires - gap <= job.created_at.timestamp() <= case.decided for job in others)


def _asks_for(spec: ScheduleSpec, case: Case, fires: float) -> bool:
    """Whether a spec itself says what the record names."""
    match case.record.reason:
        case Reason.SUSPENDED:
            return spec.suspend is not None and spec.suspend.covers(datetime.fromtimestamp(fires, UTC))
        case Reason.FROZEN:
            return any(each.covers(datetime.fromtimestamp(fires, UTC)) for each in spec.freezes)
        case Reason.WINDOW_CLOSED:
            return any(begin <= case.decided and end >= fires for begin, end in case.due.closed(spec))
        case Reason.NOT_YET_SUPPORTED:
            return bool(spec.unsupported)
        case Reason.POLICY_CONFLICT:
            return bool(spec.conflicts)
        case _:
            return False


def _was_taken_away(case: Case) -> bool:
    """Whether the specs that were in force just after the decision had no such slot; of a range, none of its slots."""
    spec = case.due.spec_at(case.decided + 1)
    return spec is None or case.due.has_freshness or not is_among(case.due.calendar(spec), case.at)


def _failed_enough(case: Case, spec: ScheduleSpec, fires: float) -> bool:
    """Whether, at some time while the slot was open, as many syncs had failed in a row as the budget names."""
    if spec.failure_budget is None:
        return False
    failures, enough_at = 0, list[float]()
    ended = sorted((job for job in case.jobs if job.kind is JobKind.SYNC), key=lambda job: job.ended_at)
    for job in ended:
        at = job.ended_at.timestamp()
        if at > case.decided or job.result is JobStatus.CANCELLED:
            continue
        if failures >= spec.failure_budget:
            enough_at.append(at)
        failures = failures + 1 if job.result is JobStatus.FAILED else 0
    return failures >= spec.failure_budget or any(at >= fires - case.profile_age - UNCERTAIN for at in enough_at)


def _exists(case: Case) -> bool:
    ref = case.record.slot.ref
    return ref.connection_id in case.evidence.connections.get(ref.platform, ())


def _was_active(case: Case, fires: float) -> bool:
    since, until = fires - case.profile_age - UNCERTAIN, case.decided
    return any(job.created_at.timestamp() <= until and job.ended_at.timestamp() >= since for job in case.jobs)


def _was_too_soon(case: Case, specs: list[ScheduleSpec], fires: float) -> bool:
    profile = case.evidence.profiles[case.record.slot.ref.platform]
    gap = max((profile.min_gap if each.min_gap is None else each.min_gap).total_seconds() for each in specs)
    starts = [job.created_at.timestamp() for job in case.jobs]
    starts += [claimed.committed_at.timestamp() for claimed in case.claims]
    return any(fires - gap - UNCERTAIN <= start <= case.decided for start in starts)


def _says(case: Case, kind: FaultKind, fires: float) -> bool:
    return any(
        trouble.kind is kind
        and trouble.connection_id is not None
        and fires - 1 <= trouble.since.timestamp() <= case.decided
        for trouble in troubles_of(case)
    )


def _clock(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%H:%M:%S}"
