"""What really happened in a simulation: kept beside the controller, which sees none of it."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from controller.model.asked import Asked
from controller.model.connection import Connection
from controller.model.identity import ClaimKey, ConnectionRef
from controller.model.job import JobKind, JobStatus
from controller.model.record import Claim
from controller.model.schedule import ScheduleSpec
from controller.simulation.faults import FaultKind


class Journal(StrEnum):
    """How far the journal of a connection is when something goes wrong."""

    IDLE = "idle"
    CLAIMED = "claimed"
    SENT = "sent"
    UNKNOWN = "unknown"
    BUSY = "busy"


@dataclass(slots=True)
class Post:
    """One POST that left a controller; ``claim`` is the one that it was sent for, None if there was none.

    ``made``: the job that it made, sooner or later; ``answered``: the job that its answer named; ``is_off``: it was refused because the
    connection is switched off, in the words for one that is busy.
    """

    ref: ConnectionRef
    life: int
    sent_at: datetime
    claim: "Claimed | None"
    kind: JobKind = JobKind.SYNC
    made: str | None = None
    answered: str | None = None
    is_doubtful: bool = False
    is_off: bool = False
    against: str = ""


@dataclass(slots=True)
class TrueJob:
    """A job as it is; ``created_at`` and ``ended_at`` by the true clock, ``skew`` is how far the shown times are off.

    ``post``: the hidden tag, None for a job that somebody else started. ``vanished_at``: when its history was deleted.
    """

    job_id: str
    ref: ConnectionRef
    kind: JobKind
    created_at: datetime
    ended_at: datetime
    result: JobStatus
    shown_at: datetime
    post: Post | None = None
    vanished_at: datetime | None = None
    is_seen_over: bool = False


@dataclass(slots=True)
class Claimed:
    """A claim as it was committed: in which life, and when its transaction began; ``posts`` counts what was sent for it."""

    claim: Claim
    life: int
    began_at: datetime
    committed_at: datetime
    posts: int = 0
    closed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Version:
    """A spec that came into force, or went (None)."""

    since: datetime
    spec: ScheduleSpec | None


@dataclass(frozen=True, slots=True)
class Trouble:
    """A stretch of time in which something was wrong; ``connection_id`` None for everything at once."""

    kind: FaultKind
    since: datetime
    until: datetime
    connection_id: str | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """A connection as it was shown to a life, when that differs from what the life was shown before."""

    at: datetime
    life: int
    connection: Connection


@dataclass(slots=True)
class Asking:
    """What somebody asked for by hand; ``done_at``: when it was carried out, None if it was not."""

    ref: ConnectionRef
    action: Asked
    key: str
    at: datetime
    done_at: datetime | None = None


@dataclass(slots=True)
class Chronicle:
    """Everything that the checker may know.

    ``broken``: promises that were seen broken on the spot. ``hits``: how often each fault happened in each state of the journal.
    ``epochs``: platforms and the epochs of their writers in the order of the commits; equal ones that follow each other stand once.
    """

    posts: list[Post] = field(default_factory=list)
    jobs: dict[str, TrueJob] = field(default_factory=dict)
    claims: list[Claimed] = field(default_factory=list)
    owners: dict[tuple[str, str], list[ClaimKey]] = field(default_factory=dict)
    versions: dict[ConnectionRef, list[Version]] = field(default_factory=dict)
    troubles: list[Trouble] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    hits: Counter[tuple[FaultKind, Journal]] = field(default_factory=Counter)
    open: dict[ConnectionRef, Claimed] = field(default_factory=dict)
    states: dict[ConnectionRef, Journal] = field(default_factory=dict)
    epochs: list[tuple[str, int]] = field(default_factory=list)
    taken_at: dict[str, float] = field(default_factory=dict)
    shown: dict[ConnectionRef, list[Shown]] = field(default_factory=dict)
    asked: list[Asking] = field(default_factory=list)
    _last_epochs: dict[str, int] = field(default_factory=dict)

    def state_of(self, ref: ConnectionRef | None) -> Journal:
        """The state of a connection's journal; of all, the most delicate one."""
        if ref is not None:
            return self.states.get(ref, Journal.IDLE)
        known = set(self.states.values())
        delicate = (Journal.SENT, Journal.CLAIMED, Journal.UNKNOWN, Journal.BUSY)
        return next((state for state in delicate if state in known), Journal.IDLE)

    def hit(self, kind: FaultKind, ref: ConnectionRef | None = None) -> None:
        """Count a fault that happened."""
        self.hits[kind, self.state_of(ref)] += 1

    def own(self, platform: str, job_id: str, key: ClaimKey) -> None:
        """Note to which run of which slot the store gave a job."""
        keys = self.owners.setdefault((platform, job_id), [])
        if key not in keys:
            keys.append(key)

    def note_epoch(self, platform: str, epoch: int) -> None:
        """Note under which epoch something was committed."""
        if self._last_epochs.get(platform) != epoch:
            self._last_epochs[platform] = epoch
            self.epochs.append((platform, epoch))
