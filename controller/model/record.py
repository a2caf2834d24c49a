"""What was decided and what is known of it: outcomes, claims, and where a schedule stands."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from controller.model.asked import Request
from controller.model.drift import Correction, DriftField, NotedDrift
from controller.model.identity import ClaimKey, ConnectionRef, SlotKey
from controller.model.job import JobKind
from controller.model.schedule import Suspension


class Outcome(StrEnum):
    """The closed list of what a slot can come to; ``HELD`` and ``IN_DOUBT`` are not final."""

    TRIGGERED = "Triggered"
    COUNTED = "Counted"
    SKIPPED = "Skipped"
    MISSED = "Missed"
    HELD = "Held"
    IN_DOUBT = "InDoubt"

    @property
    def is_final(self) -> bool:
        """Whether the slot is settled for good."""
        return self not in (Outcome.HELD, Outcome.IN_DOUBT)


class Reason(StrEnum):
    """Why a slot did not start, or why nothing is done now: the same word in logs, records, metrics, CLI and pages."""

    ACTIVE = "Active"
    SUSPENDED = "Suspended"
    FROZEN = "Frozen"
    STALLED = "Stalled"
    WINDOW_CLOSED = "WindowClosed"
    MIN_GAP = "MinGap"
    DOUBLE_SCHEDULED = "DoubleScheduled"
    CONNECTION_INACTIVE = "ConnectionInactive"
    DUPLICATE_CONNECTION = "DuplicateConnection"
    DUPLICATE_NAME = "DuplicateName"
    POLICY_CONFLICT = "PolicyConflict"
    NOT_YET_SUPPORTED = "NotYetSupported"
    REJECTED = "Rejected"
    DELETED = "Deleted"
    IN_DOUBT = "InDoubt"
    SUPERSEDED = "Superseded"
    DEADLINE = "Deadline"
    MAX_DURATION = "MaxDuration"
    OBSERVE = "Observe"
    OBSERVATION_STALE = "ObservationStale"
    AWAITING_LISTING = "AwaitingListing"
    AWAITING_TURN = "AwaitingTurn"
    CLAIM_OPEN = "ClaimOpen"
    TRIGGER_IN_FLIGHT = "TriggerInFlight"
    CANCEL_IN_FLIGHT = "CancelInFlight"
    REFUSED = "Refused"
    UNKNOWN_PLATFORM = "UnknownPlatform"
    BLAST_RADIUS = "BlastRadius"
    STALLED_AFTER = "StalledAfter"
    REPLACED = "Replaced"
    FOREIGN_JOB = "ForeignJob"
    RETRY_PENDING = "RetryPending"
    CLOCK_BEHIND = "ClockBehind"
    CLOCK_FROZEN = "ClockFrozen"
    CLOCK_SKEW = "ClockSkew"
    PHANTOM_ACTIVE = "PhantomActive"
    REQUESTED = "Requested"
    NOT_ALLOWED = "NotAllowed"
    FIGHT_DETECTED = "FightDetected"
    STUCK = "Stuck"


class Cause(StrEnum):
    """Why something was done, or counts as done: the word in the events of triggers and of counted slots."""

    DUE = "Due"
    RETRY = "Retry"
    FOREIGN_JOB = "ForeignJob"
    SATISFIED = "Satisfied"
    REQUEST = "Request"


STOOD_AGAINST = frozenset(
    {
        Reason.ACTIVE,
        Reason.SUSPENDED,
        Reason.FROZEN,
        Reason.STALLED,
        Reason.WINDOW_CLOSED,
        Reason.MIN_GAP,
        Reason.DOUBLE_SCHEDULED,
        Reason.CONNECTION_INACTIVE,
        Reason.DUPLICATE_CONNECTION,
        Reason.DUPLICATE_NAME,
        Reason.POLICY_CONFLICT,
        Reason.NOT_YET_SUPPORTED,
        Reason.REJECTED,
        Reason.DELETED,
        Reason.IN_DOUBT,
    }
)
"""Reasons of ``Skipped``: something that we saw or that the spec asks for stood against the slot."""


@dataclass(frozen=True, slots=True)
class SlotRecord:
    """What was decided about one slot, or about a run of ``count`` missed ones from ``scheduled_at`` to ``through``.

    ``wall``: the local times that the slot stands for, such as ``Europe/Zurich 2026-03-02T06:30``, where a fixed time made it; they
    stay the same when a new version of the zone data moves the instant.
    """

    slot: SlotKey
    outcome: Outcome
    decided_at: datetime
    schedule: str
    reason: Reason | None = None
    message: str = ""
    job_id: str | None = None
    adopted: bool = False
    through: datetime | None = None
    count: int = 1
    revision: str = ""
    wall: str = ""

    @property
    def word(self) -> str:
        """The outcome as people read it, such as ``Skipped(Active)``."""
        return f"{self.outcome}({self.reason})" if self.reason else str(self.outcome)


class ClaimStatus(StrEnum):
    """``OPEN`` is in doubt or under way; all others are closed."""

    OPEN = "Open"
    CONFIRMED = "Confirmed"
    ADOPTED = "Adopted"
    ABSENT = "Absent"
    REFUSED = "Refused"
    NOT_SENT = "NotSent"
    ABANDONED = "Abandoned"


class Answer(StrEnum):
    """What came back from the POST of an open claim."""

    NONE = "None"
    BUSY = "Busy"
    UNKNOWN = "Unknown"


@dataclass(frozen=True, slots=True)
class Claim:
    """An attempt to start a slot, written durably before any byte of its POST.

    ``baseline`` holds the ids of the connection's jobs that were known when it was written: only an id outside it can be ours.
    ``wall`` is that of its slot's record, ``due_at`` when it might start at the earliest; a claim that is read back from the store has
    neither. ``request``: the key of the request that it carries out, empty for a slot's; ``kind``: the job that its POST asks for.
    """

    key: ClaimKey
    attempt: int
    written_at: datetime
    baseline: frozenset[str]
    schedule: str
    revision: str = ""
    status: ClaimStatus = ClaimStatus.OPEN
    answer: Answer = Answer.NONE
    answered_at: datetime | None = None
    wall: str = ""
    due_at: datetime | None = None
    request: str = ""
    kind: JobKind = JobKind.SYNC

    @property
    def ref(self) -> ConnectionRef:
        """The connection that it claims."""
        return self.key.slot.ref


@dataclass(frozen=True, slots=True)
class CancelRequest:
    """A cancel that was journaled before its DELETE; ``requests`` counts the DELETEs."""

    ref: ConnectionRef
    job_id: str
    reason: Reason
    requested_at: datetime
    requests: int = 1


@dataclass(frozen=True, slots=True)
class Setbacks:
    """What the closed claims of the one slot that is still due say: it is judged like any due slot, but not at once."""

    unknown_attempts: int = 0
    refusals: int = 0
    rejections: int = 0
    attempts: int = 0
    last_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Success:
    """A sync that succeeded. ``finished_at``: aware UTC, whole seconds, rounded up, as it was first seen; it never changes."""

    job_id: str
    finished_at: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """All that the store knows of one connection and the planner needs.

    Attributes:
        calendar_key: the calendar in force; None = no schedule is.
        effective_since: no slot up to here exists.
        watermark: every slot of the calendar up to here has a record.
        pending: records that are not final, oldest first.
        setbacks: what closed claims came to, for the runs that may still start: those of pending slots, and retries of the newest
            slot that has any.
        attributed: which of the observed job ids belong to which run of which slot.
        counted: those of them that no claim names: somebody else's, which count for their slot.
        failures: syncs of the connection, of any origin, that failed one after the other since the last success or since the spec
            last changed; cancelled ones do not count and break no row.
        last_success: the newest success of any origin.
        fresh_since: from when on the age of the data counts for ``freshness`` slots: the end of the success that the slots in force
            rest on; None = no success was known when they came into force.
        phantoms: POSTs in a row that were refused for an active job (409) that no complete listing showed; a job of ours, or a refusal
            that was explained, ends the row.
        drifts: fields of the connection that were found to differ from what is desired, also where that is over.
        corrections: the newest corrections of the connection, newest first, as many as any rule asks about.
        walls: recent slots by the local times that they stand for (`SlotRecord.wall`, one key for each).
        revision: the one by which the schedule was taken in last; empty = not known.
        requests: requests about the connection that are not final, oldest first.
        suspended: the newest suspension by hand that nobody ended, also when its ``until`` has passed.
    """

    ref: ConnectionRef
    schedule: str = ""
    calendar_key: str | None = None
    effective_since: datetime | None = None
    watermark: datetime | None = None
    generation: int = 0
    content: str = ""
    claim: Claim | None = None
    pending: tuple[SlotRecord, ...] = ()
    setbacks: Mapping[ClaimKey, Setbacks] = field(default_factory=dict)
    attributed: Mapping[str, ClaimKey] = field(default_factory=dict)
    cancel: CancelRequest | None = None
    last_triggered_at: datetime | None = None
    failures: int = 0
    last_success: Success | None = None
    fresh_since: datetime | None = None
    walls: Mapping[str, datetime] = field(default_factory=dict)
    counted: frozenset[str] = frozenset()
    phantoms: int = 0
    revision: str = ""
    requests: tuple[Request, ...] = ()
    suspended: Suspension | None = None
    drifts: Mapping[DriftField, NotedDrift] = field(default_factory=dict)
    corrections: tuple[Correction, ...] = ()

    def owns(self, job_id: str) -> bool:
        """Whether a job is ours: a claim of the connection made it, or adopted it."""
        return job_id in self.attributed and job_id not in self.counted
