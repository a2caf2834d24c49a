"""What the memory store keeps of one connection, and the rules about it: the counterpart of the triggers in ``schema.sql``."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from controller.model.identity import ConnectionRef
from controller.model.plan import AcceptSchedule
from controller.model.record import CancelRequest, Claim, ClaimStatus, Reason, Setbacks, SlotRecord, Standing

_Attempt = tuple[int, int]
"""Run and attempt."""


@dataclass(frozen=True, slots=True)
class ClosedClaim:
    """How and when an attempt ended."""

    status: ClaimStatus
    at: datetime
    reason: Reason | None


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

    def accept(self, accepted: AcceptSchedule) -> None:
        """Put a schedule in force, or take it out."""
        spec = accepted.spec
        if spec is None:
            self.calendar_key, self.content = None, ""
            return
        if spec.calendar_key != self.calendar_key:
            self.effective_since = accepted.effective_since
            self.move_watermark(accepted.effective_since.replace(microsecond=0))
        self.name, self.calendar_key, self.content = spec.name, spec.calendar_key, spec.content
        self.generation = accepted.generation

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
        self.records[at] = record
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
        if not self.has_open(claim):
            return
        self.open_claim = None
        self.closed[claim.key.slot.scheduled_at][claim.key.run, claim.attempt] = closed
        if closed.status in (ClaimStatus.CONFIRMED, ClaimStatus.ADOPTED):
            self.last_triggered_at = max(self.last_triggered_at or claim.written_at, claim.written_at)

    def setbacks(self) -> dict[datetime, Setbacks]:
        """What the closed claims of the pending slots say."""
        attempts = {at: self.closed[at].values() for at in sorted(self.pending) if self.closed.get(at)}
        return {at: _setbacks(closed) for at, closed in attempts.items()}

    def standing(self, attributed: Mapping[str, datetime]) -> Standing:
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
        )

    def prune(self, before: datetime) -> int:
        """Forget what is older; returns how much."""
        gone = 0
        for at, attempts in list(self.closed.items()):
            if at in self.pending:
                continue
            old = [attempt for attempt, closed in attempts.items() if closed.at < before]
            gone += len(old)
            for attempt in old:
                del attempts[attempt]
            if not attempts:
                del self.closed[at]
        newest = max(self.records, default=None)
        old_records = [
            at for at, r in self.records.items() if r.outcome.is_final and r.decided_at < before and at != newest
        ]
        for at in old_records:
            del self.records[at]
            self.ranges.pop(at, None)
        return gone + len(old_records)


def _setbacks(closed: Collection[ClosedClaim]) -> Setbacks:
    rejections = [c for c in closed if c.reason is Reason.REJECTED]
    refusals = [c for c in closed if c.status is ClaimStatus.REFUSED and c.reason is not Reason.REJECTED]
    unknown = [c for c in closed if c.status is ClaimStatus.ABSENT]
    return Setbacks(len(unknown), len(refusals), len(rejections), len(closed), max(c.at for c in closed))
