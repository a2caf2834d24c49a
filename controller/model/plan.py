"""What is known when a cycle decides, and what it decided: two frozen values."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from controller.model.asked import Request, RequestStatus
from controller.model.connection import Connection, ConnectionChange
from controller.model.drift import Correction, NotedDrift
from controller.model.identity import ConnectionRef, SlotKey
from controller.model.job import Job
from controller.model.profile import PlatformProfile
from controller.model.record import Claim, ClaimStatus, Reason, SlotRecord, Standing
from controller.model.schedule import ScheduleSpec


@dataclass(frozen=True, slots=True)
class Listing:
    """A complete listing of a platform's jobs: it began at ``begun_at`` and shows every job created since ``covers_since``."""

    begun_at: datetime
    covers_since: datetime


@dataclass(frozen=True, slots=True)
class ClockJump:
    """A correction of a wrong wall clock: it showed ``since``, and at the same moment ``until`` was right; earlier = it was set back."""

    since: datetime
    until: datetime

    @property
    def set_back(self) -> timedelta:
        """How far it was set back; zero where it was set forward."""
        return max(self.since - self.until, timedelta(0))

    def now_of(self, before: datetime) -> datetime:
        """What an instant of the clock before a jump forward is on the clock after it."""
        is_old = before <= self.since < self.until
        return before + (self.until - self.since) if is_old else before


@dataclass(frozen=True, slots=True)
class PlatformFacts:
    """One platform as a cycle sees it.

    Attributes:
        profile: its numbers.
        listing: the last complete listing; None before the first.
        write_permits: how many POSTs and DELETEs may start now.
        quiet_until: no request before this instant (``Retry-After``, or the request budget); None = none such.
        trouble: why the last listing failed; empty when it did not.
        skewed: why its clock and ours cannot both be right; empty when they may be.
        jump: the last correction of our wall clock that this process saw.
        writes_left: cancels, and writes to connections, that it may still get before the next full resync; None = any number.
        writes_max: how many it gets from one full resync to the next.
        connection_pages: pages that a listing of its connections has; each look reads one of them.
    """

    profile: PlatformProfile
    listing: Listing | None = None
    write_permits: int = 0
    quiet_until: datetime | None = None
    trouble: str = ""
    skewed: str = ""
    jump: ClockJump | None = None
    writes_left: int | None = None
    writes_max: int = 0
    connection_pages: int = 1


@dataclass(frozen=True, slots=True)
class ConnectionFacts:
    """One connection as a cycle sees it.

    Attributes:
        obstacle: a reason that stands against the whole schedule (two files claim it).
        jobs: newest first.
        connection: its last read settings.
        connection_read_at: when they were read.
        connection_confirmed: whether that was a read of this one by id, which no listing's lag can make older than it is.
        connection_written_at: when this process last had an answer to a change of them, or gave it up; None = it made none.
        looks: regular looks of this process at them.
        in_flight: this process has a POST or DELETE of it under way.
        moved_at: when rows or bytes of the newest active job were last seen to move; None = no job is active.
        success_known: whether its newest success is known, or that there is none.
        last_spec: what was last desired, where nothing is desired any more.
    """

    ref: ConnectionRef
    spec: ScheduleSpec | None
    standing: Standing
    jobs: tuple[Job, ...] = ()
    obstacle: Reason | None = None
    connection: Connection | None = None
    connection_read_at: datetime | None = None
    in_flight: bool = False
    moved_at: datetime | None = None
    success_known: bool = True
    last_spec: ScheduleSpec | None = None
    connection_confirmed: bool = False
    connection_written_at: datetime | None = None
    looks: int = 0


@dataclass(frozen=True, slots=True)
class PlanningInput:
    """Everything that one decision rests on; the same input always gives the same plan.

    Attributes:
        frozen: why nobody knows what time it is, so that nothing is judged; empty when it is known.
        triggers_max: starts that may be decided; None = any number.
        held: why the newest revision of the specs is not in force; empty when it is.
        allow_resets: whether the settings let a request clear destination data.
        observes: whether this run writes nothing to any platform, whatever the specs say.
    """

    now: datetime
    revision: str
    platforms: Mapping[str, PlatformFacts]
    connections: tuple[ConnectionFacts, ...]
    frozen: str = ""
    triggers_max: int | None = None
    held: str = ""
    allow_resets: bool = False
    observes: bool = False


class NeedKind(StrEnum):
    """Who waits for a listing; each kind has its own rhythm in ``decide/observation.py``."""

    DUE = "Due"
    IN_DOUBT = "InDoubt"
    CANCELLING = "Cancelling"
    ACTIVE = "Active"
    LIMIT = "Limit"
    ABSENCE = "Absence"
    SUCCESS = "Success"
    CLOCK = "Clock"
    DRIFT = "Drift"
    SETTINGS = "Settings"


@dataclass(frozen=True, slots=True)
class ListingNeed:
    """A listing that somebody waits for: begun at or after ``begun_after``, reading back to ``covers_since`` if given.

    ``read_connection``: its settings are read with it; ``read_success``: its newest success is looked for with it.
    """

    kind: NeedKind
    waiting_since: datetime
    begun_after: datetime
    covers_since: datetime | None = None
    read_connection: bool = False
    read_success: bool = False

    def reads_connection(self, begun_at: datetime) -> bool:
        """Whether the settings are read with a look that begins at an instant.

        Where a doubt or a correction waits for them that is each look, and otherwise one that is wanted for it.
        """
        return self.read_connection and (self.kind is not NeedKind.SETTINGS or self.begun_after <= begun_at)


@dataclass(frozen=True, slots=True)
class AcceptSchedule:
    """Put a spec in force (or take it out: ``spec`` None) from ``effective_since`` on; ``schedule`` is the name that it goes by."""

    ref: ConnectionRef
    spec: ScheduleSpec | None
    effective_since: datetime
    generation: int
    revision: str
    schedule: str = ""


@dataclass(frozen=True, slots=True)
class RecordSlot:
    """Write what was decided about a slot."""

    record: SlotRecord


@dataclass(frozen=True, slots=True)
class SettleClaim:
    """Close an open claim: ``status`` says how, ``record`` what its slot comes to, ``job`` which one was adopted.

    ``phantoms``: refusals in a row, this one included, for an active job that nobody can find; 0 if this is none.
    """

    claim: Claim
    status: ClaimStatus
    record: SlotRecord
    job: Job | None = None
    surplus: tuple[str, ...] = ()
    phantoms: int = 0


@dataclass(frozen=True, slots=True)
class TriggerSync:
    """Write the claim, then send one POST.

    ``is_alone``: nothing else of the connection depends on what comes of it; once a job has started there is nothing to judge before
    that job is seen to change.
    """

    claim: Claim
    is_alone: bool = False


@dataclass(frozen=True, slots=True)
class CancelJob:
    """Journal the cancel, make sure once more that it hits the right job, then send one DELETE."""

    ref: ConnectionRef
    schedule: str
    job: Job
    reason: Reason
    message: str


@dataclass(frozen=True, slots=True)
class RearmFreshness:
    """Count ``freshness`` slots from a newer success on; records of ``withdrawn`` slots, none of them final, go: they do not exist."""

    ref: ConnectionRef
    schedule: str
    fresh_since: datetime
    withdrawn: tuple[SlotKey, ...] = ()


@dataclass(frozen=True, slots=True)
class SettleRequest:
    """Say what a request that needs no POST came to, or why it is refused. A ``Resume`` that is done ends what was suspended before it."""

    request: Request
    status: RequestStatus
    message: str
    decided_at: datetime
    job_id: str | None = None


@dataclass(frozen=True, slots=True)
class NoteDrift:
    """Keep how a field of the connection stands against what is desired; ``before`` is what was noted last."""

    ref: ConnectionRef
    schedule: str
    drift: NotedDrift
    before: NotedDrift | None = None


@dataclass(frozen=True, slots=True)
class CorrectConnection:
    """Journal the corrections, one for each field, then send one PATCH."""

    ref: ConnectionRef
    schedule: str
    change: ConnectionChange
    reason: Reason
    message: str
    corrections: tuple[Correction, ...]


Action = (
    AcceptSchedule
    | RecordSlot
    | SettleClaim
    | RearmFreshness
    | NoteDrift
    | SettleRequest
    | TriggerSync
    | CancelJob
    | CorrectConnection
)
Write = TriggerSync | CancelJob | CorrectConnection
"""What is sent to a platform."""


@dataclass(frozen=True, slots=True)
class Hold:
    """A decision not to act, and why; ``scheduled_at`` names the slot that waits, if one does."""

    ref: ConnectionRef
    schedule: str
    reason: Reason
    message: str
    scheduled_at: datetime | None = None


class Freshness(StrEnum):
    """How old the data of a connection is, by its ``freshnessAlert``."""

    FRESH = "Fresh"
    WARNING = "Warning"
    ERROR = "Error"


@dataclass(frozen=True, slots=True)
class ConnectionPlan:
    """What is decided for one connection; ``wake_at`` is when it wants to be asked again, ``needs`` what it waits to see.

    ``defect``: the planner failed on this connection; nothing is done about it, and nothing else is harmed. ``freshness``: None where
    nobody asked for an alert, or where it is not known yet. ``foreseen``: what its next slot is bound to wait to see when it is due, by
    what is known now.
    """

    ref: ConnectionRef
    actions: tuple[Action, ...] = ()
    holds: tuple[Hold, ...] = ()
    wake_at: datetime | None = None
    needs: tuple[ListingNeed, ...] = ()
    defect: str = ""
    freshness: Freshness | None = None
    foreseen: ListingNeed | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """The decisions of one cycle."""

    now: datetime
    connections: tuple[ConnectionPlan, ...]

    @property
    def actions(self) -> tuple[Action, ...]:
        """Every action, in the order of the connections."""
        return tuple([action for connection in self.connections for action in connection.actions])

    @property
    def holds(self) -> tuple[Hold, ...]:
        """Every hold, in the order of the connections."""
        return tuple([hold for connection in self.connections for hold in connection.holds])
