"""Whether the outcome of a slot that was not started is justified: by what the platform really had, by the specs, by what went wrong."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from controller.model.job import JobKind
from controller.model.record import Outcome, Reason, SlotRecord
from controller.model.schedule import Mode, ScheduleSpec
from controller.simulation.chronicle import Claimed, TrueJob
from controller.simulation.due import DueSlots
from controller.simulation.evidence import Evidence
from controller.simulation.faults import ON_SPECS, FaultKind
from controller.simulation.platform import LAG, SKEW

UNCERTAIN = (LAG + SKEW).total_seconds() + 5.0
"""How far what was shown may be from what was, in seconds."""

SILENT = frozenset({*ON_SPECS, FaultKind.BAD_FILE, FaultKind.LIST_LAG, FaultKind.CLOCK_SKEW})
"""Faults that are no reason for missing a slot."""


@dataclass(frozen=True, slots=True)
class Case:
    """One record, its slot, and what there was around it; instants are seconds since the epoch."""

    record: SlotRecord
    at: int
    due: DueSlots
    evidence: Evidence
    jobs: tuple[TrueJob, ...]
    claims: tuple[Claimed, ...]

    @property
    def decided(self) -> float:
        """When the record was written."""
        return self.record.decided_at.timestamp()

    @property
    def profile_age(self) -> float:
        """How old a view may be that is acted on."""
        return self.evidence.profiles[self.record.slot.ref.platform].view_age_max.total_seconds()


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
            if not _was_troubled(case, fires):
                yield "nothing had gone wrong"
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


def _was_troubled(case: Case, fires: float) -> bool:
    """Whether something went wrong while a slot was open: a fault, or an earlier trigger in doubt."""
    spec = case.due.last_spec(case.decided)
    if spec is not None and spec.mode is Mode.OBSERVE:
        return True
    name = case.record.slot.ref.connection_id
    for trouble in case.evidence.chronicle.troubles:
        is_here = trouble.connection_id in (None, name) and trouble.kind not in SILENT
        if is_here and trouble.since.timestamp() <= case.decided and trouble.until.timestamp() >= fires:
            return True
    return any(_was_doubtful(each) and _overlaps(each, fires, case.decided, case.evidence) for each in case.claims)


def _overlaps(claimed: Claimed, since: float, until: float, evidence: Evidence) -> bool:
    closed = claimed.closed_at or evidence.read_at
    return claimed.committed_at.timestamp() <= until and closed.timestamp() >= since


def _was_doubtful(claimed: Claimed) -> bool:
    """Whether a claim stayed open for longer than the answer to its POST takes."""
    return claimed.closed_at is None or claimed.closed_at - claimed.committed_at > timedelta(seconds=5)


def _stood(case: Case, spec: ScheduleSpec, fires: float) -> bool:
    """Whether what the record names stood against the slot at some time while it was open."""
    specs = case.due.specs_between(fires, case.decided) or [spec]
    match case.record.reason:
        case Reason.ACTIVE:
            return _was_active(case, fires) or _says(case, FaultKind.BUSY, fires)
        case Reason.MIN_GAP:
            return _was_too_soon(case, specs, fires)
        case Reason.DELETED:
            since = [version.since.timestamp() for version in case.due.versions]
            return any(abs(each - case.decided) <= 1 for each in since) or case.due.spec_at(case.decided) is None
        case Reason.IN_DOUBT:
            mine = [each for each in case.claims if each.claim.key.slot == case.record.slot]
            return any(_was_doubtful(each) for each in mine)
        case Reason.REJECTED:
            return _says(case, FaultKind.REJECTED, fires) or not _exists(case)
        case Reason.CONNECTION_INACTIVE:
            return not _exists(case)
        case _:
            return any(_asks_for(each, case, fires) for each in specs)


def _asks_for(spec: ScheduleSpec, case: Case, fires: float) -> bool:
    """Whether a spec itself says what the record names."""
    match case.record.reason:
        case Reason.SUSPENDED:
            return spec.suspend is not None
        case Reason.FROZEN:
            return bool(spec.freezes)
        case Reason.STALLED:
            return spec.failure_budget is not None
        case Reason.WINDOW_CLOSED:
            return any(begin <= case.decided and end >= fires for begin, end in case.due.closed(spec))
        case Reason.NOT_YET_SUPPORTED:
            return bool(spec.unsupported)
        case Reason.POLICY_CONFLICT:
            return bool(spec.conflicts)
        case _:
            return False


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
    name = case.record.slot.ref.connection_id
    return any(
        trouble.kind is kind
        and trouble.connection_id == name
        and fires - 1 <= trouble.since.timestamp() <= case.decided
        for trouble in case.evidence.chronicle.troubles
    )


def _clock(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%H:%M:%S}"
