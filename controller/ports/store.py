"""What must outlive the process: claims, outcomes, watermarks, ownership of job ids, events."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from controller.model.asked import Request
from controller.model.condition import Condition
from controller.model.drift import Correction, CorrectionStatus, NotedDrift
from controller.model.event import Event, EventName
from controller.model.identity import ConnectionRef
from controller.model.job import Job
from controller.model.plan import AcceptSchedule, RearmFreshness, SettleClaim, SettleRequest
from controller.model.record import Answer, CancelRequest, Claim, ClaimStatus, SlotRecord, Standing
from controller.model.revision import Revisions

CLOCK_EVENTS = frozenset(
    {
        EventName.CLOCK_FROZEN,
        EventName.CLOCK_SKEWED,
        EventName.CLOCK_AGREED,
        EventName.CONTROLLER_STARTED,
        EventName.CONTROLLER_STOPPED,
    }
)
"""What says whether the time is in doubt: a controller that starts anew knows of no doubt."""


@dataclass(frozen=True, slots=True)
class Decisions:
    """What one cycle decided without asking the platform; written in one transaction."""

    accepted: Sequence[AcceptSchedule] = ()
    records: Sequence[SlotRecord] = ()
    settled: Sequence[SettleClaim] = ()
    rearmed: Sequence[RearmFreshness] = ()
    requests: Sequence[SettleRequest] = ()
    drifts: Sequence[NotedDrift] = ()


@dataclass(frozen=True, slots=True)
class StoredPolicy:
    """A policy as the store keeps it: the canonical text of its document, and the file that it stood in."""

    name: str
    path: str
    content: str


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event and its number; numbers only grow."""

    number: int
    event: Event


class Store(Protocol):
    """The controller's memory, as one controller's handle on it. Every method is one transaction, durable when it returns.

    A platform has an *epoch*, which `take` raises. A write that names a platform, in a claim, a record, a job or by itself, is made under
    the epoch that this handle took last, and is compared with the current one in its own transaction: where they differ, or where this
    handle never took the platform, it raises ``Fenced`` and nothing of the call is written, also not for other platforms. So a
    controller that was frozen while another took its place changes nothing when it comes back.

    What names no platform is no one's and is written whoever asks: `append_events`, because one that lost a platform must be able to
    say so; `keep_policies` and `keep_revisions`, which come from a revision that all read; `prune`, which only deletes what is over
    and old; `ask` and `take_back`, because whoever asks for something holds nothing. What a request comes to is written under the epoch.

    ``events`` of a write tell what it writes, and are added to the journal in its transaction: either both are there or neither, also
    where the write is refused.

    A claim with a ``request`` is no slot's: `claim`, `confirm`, `close_claim` and a `SettleClaim` then write that request where they
    write a slot's record else, and move no watermark.

    All raise ``StoreUnavailable`` where the storage fails.
    """

    async def take(self, platform: str, holder: str, at: datetime) -> int:
        """Raise the platform's epoch by one and write under it from now on; every other handle is fenced off.

        An epoch only grows. A second take by the same handle raises it again. ``holder`` is for people to read.
        """
        ...

    async def epoch(self, platform: str) -> int | None:
        """The epoch that this handle took last, if it is still the current one."""
        ...

    async def standings(self, jobs: Mapping[ConnectionRef, Collection[str]]) -> dict[ConnectionRef, Standing]:
        """Read where connections stand; the value of each lists the observed job ids whose attribution is asked for.

        A connection that was never seen gets an empty ``Standing``.
        """
        ...

    async def known_refs(self) -> tuple[ConnectionRef, ...]:
        """Every connection whose schedule is in force, or that has a record that is not final, in order."""
        ...

    async def apply(self, decisions: Decisions, events: Sequence[Event] = ()) -> None:
        """Write decisions. A record that is final is never overwritten; a watermark only moves forward.

        ``accepted`` sets name, calendar, generation and, where the calendar's key differs, ``effective_since`` (then the watermark is at
        least that); ``spec`` None takes the schedule out of force. A record moves the watermark to its ``through`` or ``scheduled_at``.
        ``settled`` closes the claim if it is still open, attributes the adopted job, and writes the record. A record with a ``job_id``
        attributes that job to its slot (a job id belongs to at most one slot, for ever). ``accepted`` with a new content starts the row of
        failures anew, and what was refused before it counts in ``Setbacks`` only among the attempts. ``rearmed`` sets ``fresh_since``,
        which only moves forward, and deletes the records of withdrawn slots that are not final. A record's ``wall`` is kept where a later
        one of its slot has none. ``requests`` that are done: a ``Suspend`` or a ``Resume`` ends the suspensions made before it, a
        ``Resume`` also the row of failures. ``drifts`` keeps how fields of connections stand, one row for each; taking a schedule out of
        force forgets them.

        Raises:
            SlotAlreadyClaimed: a job belongs to another slot, or a record is about a slot whose claim is open and not settled here: what
                a claim comes to is said by settling it. Nothing of the batch is written.
        """
        ...

    async def claim(self, claim: Claim) -> None:
        """Reserve a slot: the claim, its slot's record ``InDoubt`` and the watermark, in one transaction.

        Raises:
            SlotAlreadyClaimed: the same attempt exists, the connection has another open claim, or the slot has a final record.
        """
        ...

    async def confirm(self, claim: Claim, job: Job, record: SlotRecord, events: Sequence[Event] = ()) -> bool:
        """Close a claim with the job that its POST made, write its slot's record, and keep the job as `save_jobs` does.

        False, and nothing is written, if that job id belongs to another slot already.
        """
        ...

    async def answered(self, claim: Claim, answer: Answer, at: datetime, events: Sequence[Event] = ()) -> None:
        """Note what came back for a claim that stays open.

        One that is closed by now stays as it is; the events are kept all the same.
        """
        ...

    async def close_claim(
        self, claim: Claim, status: ClaimStatus, at: datetime, record: SlotRecord, events: Sequence[Event] = ()
    ) -> None:
        """Close a claim that certainly made no job; its slot gets ``record`` (``Held`` if it is due again)."""
        ...

    async def request_cancel(self, request: CancelRequest) -> None:
        """Journal a cancel before its DELETE; a second one for the same job raises ``requests``."""
        ...

    async def journal_corrections(self, corrections: Sequence[Correction]) -> None:
        """Keep corrections of one platform before the PATCH that makes them; what came of them is not known then."""
        ...

    async def answer_corrections(self, corrections: Sequence[Correction], status: CorrectionStatus) -> None:
        """Note what came of journaled corrections; what is known once never changes."""
        ...

    async def corrections(self, ref: ConnectionRef, since: datetime) -> tuple[Correction, ...]:
        """Every correction of a connection since an instant, newest first."""
        ...

    async def save_jobs(
        self, platform: str, jobs: Sequence[Job], *, through: datetime | None = None, events: Sequence[Event] = ()
    ) -> None:
        """Keep what was last observed of jobs, and that all of the platform's jobs created before ``through`` have been seen.

        A sync that is seen to have ended for the first time also counts for its connection: failed, it lengthens the row of failures;
        succeeded, it ends that row and is the last success unless one that finished later is known. What it was first seen to have come
        to, and when, is never revised.
        """
        ...

    async def kept_jobs(self, platform: str, job_ids: Collection[str]) -> dict[str, Job]:
        """These jobs as `save_jobs` last kept them, by id; one that was never kept, or was pruned, is missing."""
        ...

    async def latest_jobs(self, platform: str) -> tuple[Job, ...]:
        """The newest observed job of every connection whose schedule is in force."""
        ...

    async def keep_policies(self, policies: Sequence[StoredPolicy]) -> None:
        """Keep exactly these policies, for the next start."""
        ...

    async def policies(self) -> tuple[StoredPolicy, ...]:
        """What `keep_policies` last kept, by name."""
        ...

    async def keep_revisions(self, revisions: Revisions) -> None:
        """Keep exactly this about revisions, for the next start; two held ones have different names."""
        ...

    async def revisions(self) -> Revisions:
        """What `keep_revisions` last kept."""
        ...

    async def jobs(self, ref: ConnectionRef, limit: int) -> tuple[tuple[Job, datetime | None], ...]:
        """The newest observed jobs of a connection, newest first, each with the ``scheduled_at`` of the slot it belongs to."""
        ...

    async def slots(self, ref: ConnectionRef, limit: int) -> tuple[SlotRecord, ...]:
        """The newest slot records of a connection, newest first."""
        ...

    async def newest_jobs(
        self, platform: str, connection_ids: Collection[str], limit: int
    ) -> dict[ConnectionRef, tuple[tuple[Job, datetime | None], ...]]:
        """What `jobs` says of each of these connections, in one question; one without jobs is missing."""
        ...

    async def newest_slots(self, platform: str, connection_ids: Collection[str]) -> dict[ConnectionRef, SlotRecord]:
        """The newest slot record of each of these connections, in one question; one without records is missing."""
        ...

    async def observed_through(self, platform: str) -> datetime | None:
        """The ``through`` that `save_jobs` last kept."""
        ...

    async def put_conditions(self, conditions: Mapping[ConnectionRef, Sequence[Condition]]) -> None:
        """Keep the conditions given of each connection; types that are not given stay, and an empty row takes all of them away.

        ``last_transition_at`` moves only when the status does: with the same status the time that is kept stays. A schedule that is
        taken out of force loses its conditions.
        """
        ...

    async def conditions(
        self, platform: str, connection_id: str | None = None
    ) -> dict[ConnectionRef, tuple[Condition, ...]]:
        """The conditions of every connection of a platform that has any, or of one, in the order of `ConditionType`."""
        ...

    async def append_events(self, events: Sequence[Event]) -> None:
        """Add to the journal what tells of no other write."""
        ...

    async def events(
        self, *, after: int = 0, since: datetime | None = None, schedule: str | None = None, limit: int = 1000
    ) -> tuple[StoredEvent, ...]:
        """The newest ``limit`` events with a number above ``after``, oldest first."""
        ...

    async def clock_events(self, limit: int) -> tuple[StoredEvent, ...]:
        """The newest ``limit`` events whose name is one of ``CLOCK_EVENTS``, oldest first."""
        ...

    async def prune(self, before: datetime) -> int:
        """Delete events, jobs, closed claims and final records older than ``before``; returns how many rows went.

        The newest record of each connection always stays, and so does every request of a document; others go once they are over.
        """
        ...

    async def close(self) -> None:
        """Give the storage back."""
        ...

    async def ask(self, requests: Sequence[Request]) -> tuple[Request, ...]:
        """Keep requests whose key is new, and return those as they are kept: their ``made_at`` is moved by microseconds where it must be.

        Of a known one that still waits the reason and the expiry become the given ones; else nothing about it ever changes here.
        """
        ...

    async def take_back(self, key: str, message: str, at: datetime) -> bool:
        """End a request as withdrawn if it still waits; False if it does not."""
        ...

    async def waiting_requests(self) -> tuple[Request, ...]:
        """Every request that waits; cheap where there are none."""
        ...

    async def requests(self, ref: ConnectionRef, limit: int) -> tuple[Request, ...]:
        """The newest requests about a connection, newest first."""
        ...

    async def request(self, key: str) -> Request | None:
        """The request of that key."""
        ...
