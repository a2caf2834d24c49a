"""What the memory store keeps of one connection, and the rules about it: the counterpart of the triggers in ``schema.sql``."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from controller.adapters.stores.claiming import CORRECTIONS_KEPT_IN_MIND, WALLS_FOR, finished_at, is_phantom
from controller.model.drift import Correction, CorrectionStatus, DriftField, NotedDrift
from controller.model.identity import ClaimKey, ConnectionRef, SlotKey
from controller.model.job import Job, JobStatus
from controller.model.plan import AcceptSchedule, RearmFreshness
from controller.model.record import (
    Answer,
    CancelRequest,
    Claim,
    ClaimStatus,
    Outcome,
    Reason,
    Setbacks,
    SlotRecord,
    Standing,
    Success,
)

_Attempt = tuple[int, int]
"""Run and attempt."""


@dataclass(frozen=True, slots=True)
class ClosedClaim:
    """How and when an attempt ended."""

    status: ClaimStatus
    at: datetime
    reason: Reason | None
    written_at: datetime | None = None


@dataclass(slots=True)
class ConnectionLedger:
    """All that is kept of one connection; ``pending`` and ``ranges`` are parts of ``records``, kept apart to be found at once."""

    ref: ConnectionRef
    name: str = ""
    calendar_key: str | None = None
    content: str = ""
    effective_since: datetime | None = None
    watermark: datetime | None = None
    generation: int = 0
    last_triggered_at: datetime | None = None
    open_claim: Claim | None = None
    closed: dict[datetime, dict[_Attempt, ClosedClaim]] = field(default_factory=lambda: defaultdict(dict))
    records: dict[datetime, SlotRecord] = field(default_factory=dict)
    pending: dict[datetime, SlotRecord] = field(default_factory=dict)
    ranges: dict[datetime, SlotRecord] = field(default_factory=dict)
    cancels: dict[str, CancelRequest] = field(default_factory=dict)
    retried: set[datetime] = field(default_factory=set)
    walled: dict[datetime, str] = field(default_factory=dict)
    failures: int = 0
    failed_at: datetime | None = None
    last_success: Success | None = None
    fresh_since: datetime | None = None
    phantoms: int = 0
    content_since: datetime | None = None
    revision: str = ""
    drifts: dict[DriftField, NotedDrift] = field(default_factory=dict)
    corrections: list[Correction] = field(default_factory=list)

    def accept(self, accepted: AcceptSchedule) -> None:
        """Put a schedule in force, or take it out."""
        spec = accepted.spec
        if spec is None:
            self.calendar_key, self.content, self.drifts = None, "", {}
            return
        if spec.calendar_key != self.calendar_key:
            self.effective_since = accepted.effective_since
            self.move_watermark(accepted.effective_since.replace(microsecond=0))
        if spec.content != self.content:
            self.failures, self.content_since = 0, accepted.effective_since
        self.name, self.calendar_key, self.content = spec.name, spec.calendar_key, spec.content
        self.generation, self.revision = accepted.generation, accepted.revision

    def move_watermark(self, through: datetime) -> None:
        """Only ever forward."""
        self.watermark = through if self.watermark is None else max(self.watermark, through)

    def is_settled(self, first: datetime, last: datetime) -> bool:
        """Whether a final record speaks for these slots: their own, or a range around them."""
        own = self.records.get(first)
        if own is not None:
            return own.outcome.is_final
        return any(at < first and last <= (r.through or at) for at, r in self.ranges.items())

    def put_record(self, record: SlotRecord) -> None:
        """Move the watermark, and write the record unless a final one stands there."""
        at, through = record.slot.scheduled_at, record.through or record.slot.scheduled_at
        self.move_watermark(through)
        if self.is_settled(at, through):
            return
        if not record.wall and at in self.records:
            record = replace(record, wall=self.records[at].wall)
        self.records[at] = record
        if record.wall:
            self.walled[at] = record.wall
        self.pending.pop(at, None)
        if not record.outcome.is_final:
            self.pending[at] = record
        elif record.through is not None:
            self.ranges[at] = record

    def has_open(self, claim: Claim) -> bool:
        """Whether this very attempt is the open one."""
        mine = self.open_claim
        return mine is not None and (mine.key, mine.attempt) == (claim.key, claim.attempt)

    def close(self, claim: Claim, closed: ClosedClaim) -> None:
        """Close the claim if it is open."""
        if self.open_claim is None or not self.has_open(claim):
            return
        answer, self.open_claim = self.open_claim.answer, None
        done = replace(closed, written_at=claim.written_at)
        self.closed[claim.key.slot.scheduled_at][claim.key.run, claim.attempt] = done
        if closed.status in (ClaimStatus.CONFIRMED, ClaimStatus.ADOPTED):
            self.last_triggered_at = max(self.last_triggered_at or claim.written_at, claim.written_at)
            self.phantoms = 0
        elif answer is Answer.BUSY:
            self.phantoms = self.phantoms + 1 if is_phantom(closed.status) else 0

    def rearm(self, rearmed: RearmFreshness) -> None:
        """Count freshness slots from a newer success on; a record of a slot that is no more goes unless something was decided."""
        self.fresh_since = max(self.fresh_since or rearmed.fresh_since, rearmed.fresh_since)
        claimed = None if self.open_claim is None else self.open_claim.key.slot
        for slot in rearmed.withdrawn:
            record = self.pending.get(slot.scheduled_at)
            if record is not None and record.outcome is Outcome.HELD and slot != claimed:
                del self.pending[slot.scheduled_at], self.records[slot.scheduled_at]
                self.walled.pop(slot.scheduled_at, None)

    def ended(self, job: Job) -> None:
        """A sync was seen to be over for the first time."""
        at, last = finished_at(job), self.last_success
        if last is not None and at <= last.finished_at:
            return
        if job.status is JobStatus.SUCCEEDED:
            self.last_success = Success(job.job_id, at)
            if self.failed_at is None or self.failed_at <= at:
                self.failures = 0
        elif job.status is JobStatus.FAILED:
            self.failures += 1
            self.failed_at = max(self.failed_at or at, at)

    def setbacks(self) -> dict[ClaimKey, Setbacks]:
        """What closed claims came to: of pending slots, and of the retries of the newest slot that has any."""
        found: dict[ClaimKey, Setbacks] = {}
        newest = max(self.retried, default=None)
        for at in sorted({*self.pending, *((newest,) if newest is not None else ())}):
            by_run: dict[int, list[ClosedClaim]] = defaultdict(list)
            for (run, _), closed in self.closed.get(at, {}).items():
                by_run[run].append(closed)
            for run, row in by_run.items():
                if (at in self.pending) if run == 0 else (at == newest):
                    found[ClaimKey(SlotKey(self.ref, at), run)] = _setbacks(row, self.content_since)
        return found

    def setbacks_at(self, at: datetime) -> dict[ClaimKey, Setbacks]:
        """What the closed claims of one request came to."""
        rows = list(self.closed.get(at, {}).values())
        return {ClaimKey(SlotKey(self.ref, at), 0): _setbacks(rows, None)} if rows else {}

    def walls(self) -> dict[str, datetime]:
        """Recent slots by the local times that they stand for; of two with one local time the older one."""
        if self.watermark is None:
            return {}
        self.walled = {at: wall for at, wall in self.walled.items() if at >= self.watermark - WALLS_FOR}
        found: dict[str, datetime] = {}
        for at in sorted(self.walled, reverse=True):
            found |= dict.fromkeys(self.walled[at].split("; "), at)
        return found

    def standing(self, attributed: Mapping[str, ClaimKey]) -> Standing:
        """All of it, as the planner wants it."""
        return Standing(
            ref=self.ref,
            schedule=self.name,
            calendar_key=self.calendar_key,
            effective_since=self.effective_since,
            watermark=self.watermark,
            generation=self.generation,
            content=self.content,
            claim=self.open_claim,
            pending=tuple(self.pending[at] for at in sorted(self.pending)),
            setbacks=self.setbacks(),
            attributed=attributed,
            cancel=max(self.cancels.values(), key=lambda c: (c.requested_at, c.job_id), default=None),
            last_triggered_at=self.last_triggered_at,
            failures=self.failures,
            last_success=self.last_success,
            fresh_since=self.fresh_since,
            phantoms=self.phantoms,
            revision=self.revision,
            drifts=dict(self.drifts),
            corrections=self.newest_corrections()[:CORRECTIONS_KEPT_IN_MIND],
            walls=self.walls(),
            counted=frozenset(job_id for job_id, key in attributed.items() if self._is_counted(job_id, key)),
        )

    def newest_corrections(self) -> tuple[Correction, ...]:
        """All of them, newest first."""
        return tuple(sorted(sorted(self.corrections, key=lambda c: c.field), key=lambda c: c.at, reverse=True))

    def answered(self, correction: Correction, status: CorrectionStatus) -> None:
        """What came of a correction, where that is not known yet."""
        self.corrections = [
            replace(each, status=status)
            if (each.at, each.field, each.status) == (correction.at, correction.field, CorrectionStatus.SENT)
            else each
            for each in self.corrections
        ]

    def _is_counted(self, job_id: str, key: ClaimKey) -> bool:
        record = self.records.get(key.slot.scheduled_at)
        return record is not None and record.outcome is Outcome.COUNTED and record.job_id == job_id

    def prune(self, before: datetime, waiting: Collection[datetime] = ()) -> int:
        """Forget what is older; returns how much. ``waiting``: the instants of requests that may still be claimed."""
        gone = 0
        for at, attempts in list(self.closed.items()):
            if at in self.pending or at in waiting:
                continue
            old = [attempt for attempt, closed in attempts.items() if closed.at < before]
            gone += len(old)
            for attempt in old:
                del attempts[attempt]
            is_claimed = self.open_claim is not None and self.open_claim.key.slot.scheduled_at == at
            if not is_claimed and all(run == 0 for run, _ in attempts):
                self.retried.discard(at)
            if not attempts:
                del self.closed[at]
        newest = max(self.records, default=None)
        old_records = [
            at for at, r in self.records.items() if r.outcome.is_final and r.decided_at < before and at != newest
        ]
        for at in old_records:
            del self.records[at]
            self.walled.pop(at, None)
            self.ranges.pop(at, None)
        recent = [correction for correction in self.corrections if correction.at >= before]
        gone += len(self.corrections) - len(recent)
        self.corrections = recent
        return gone + len(old_records)


def _setbacks(closed: Collection[ClosedClaim], since: datetime | None) -> Setbacks:
    """What was refused before ``since`` was refused to another spec; an outcome that stayed unknown counts for ever."""
    counting = [c for c in closed if c.status is not ClaimStatus.REFUSED or _is_since(c, since)]
    rejections = [c for c in counting if c.reason is Reason.REJECTED]
    refusals = [c for c in counting if c.status is ClaimStatus.REFUSED and c.reason is not Reason.REJECTED]
    unknown = [c for c in counting if c.status in (ClaimStatus.ABSENT, ClaimStatus.ABANDONED)]
    last_at = max((c.at for c in counting), default=None)
    return Setbacks(len(unknown), len(refusals), len(rejections), len(closed), last_at)


def _is_since(closed: ClosedClaim, since: datetime | None) -> bool:
    return since is None or closed.written_at is None or closed.written_at >= since
