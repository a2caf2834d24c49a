"""The store as dictionaries: the same rules as ``schema.sql``, for simulations and tests.

What it gets wrong on purpose: nothing survives the process, nothing ever fails, and `close` keeps everything, so that a test may
"restart" a controller on the same value. Prefer the SQLite store wherever durability or failing storage is the point.
"""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from controller.adapters.stores.claiming import (
    attempt_exists,
    claim_is_closed,
    connection_is_claimed,
    counts_for_health,
    finished_at,
    job_belongs_elsewhere,
    record_of_claim,
    slot_is_settled,
)
from controller.adapters.stores.ledger import ClosedClaim, ConnectionLedger
from controller.model.event import Event
from controller.model.identity import ClaimKey, ConnectionRef
from controller.model.job import Job
from controller.model.record import (
    Answer,
    CancelRequest,
    Claim,
    ClaimStatus,
    SlotRecord,
    Standing,
)
from controller.ports.store import Decisions, StoredEvent, StoredPolicy


class MemoryStore:
    """See `controller.ports.store.Store`. Each method checks everything first and then writes, so that it is one transaction."""

    def __init__(self) -> None:
        self._connections: dict[ConnectionRef, ConnectionLedger] = {}
        self._owners: dict[tuple[str, str], ClaimKey] = {}
        self._jobs: dict[tuple[str, str], Job] = {}
        self._observed: dict[str, datetime] = {}
        self._events: list[StoredEvent] = []
        self._last_number = 0
        self._policies: tuple[StoredPolicy, ...] = ()

    def _connection(self, ref: ConnectionRef) -> ConnectionLedger:
        found = self._connections.get(ref)
        if found is None:
            found = self._connections[ref] = ConnectionLedger(ref)
        return found

    async def standings(self, jobs: Mapping[ConnectionRef, Collection[str]]) -> dict[ConnectionRef, Standing]:
        """Read where connections stand."""
        return {ref: self._standing(ref, job_ids) for ref, job_ids in jobs.items()}

    def _standing(self, ref: ConnectionRef, job_ids: Iterable[str]) -> Standing:
        owned = ((job_id, self._owners.get((ref.platform, job_id))) for job_id in job_ids)
        attributed = {job_id: key for job_id, key in owned if key is not None}
        return (self._connections.get(ref) or ConnectionLedger(ref)).standing(attributed)

    async def known_refs(self) -> tuple[ConnectionRef, ...]:
        """Every connection in force, with a record that is not final, or with an open claim; in order."""
        return tuple(
            sorted(
                ref for ref, c in self._connections.items() if c.calendar_key is not None or c.pending or c.open_claim
            )
        )

    async def apply(self, decisions: Decisions) -> None:
        """Write what a cycle decided.

        Raises:
            SlotAlreadyClaimed: a job belongs to another slot.
        """
        self._owners |= self._new_owners(decisions)
        for accepted in decisions.accepted:
            if accepted.spec is not None or accepted.ref in self._connections:
                self._connection(accepted.ref).accept(accepted)
        for settled in decisions.settled:
            closed = ClosedClaim(settled.status, settled.record.decided_at, settled.record.reason)
            self._connection(settled.claim.ref).close(settled.claim, closed)
            if settled.claim.key.run == 0:
                self._connection(settled.record.slot.ref).put_record(settled.record)
        for rearmed in decisions.rearmed:
            self._connection(rearmed.ref).rearm(rearmed)
        for record in decisions.records:
            self._connection(record.slot.ref).put_record(record)

    def _new_owners(self, decisions: Decisions) -> dict[tuple[str, str], ClaimKey]:
        wanted: list[tuple[ClaimKey, str | None]] = []
        for settled in decisions.settled:
            adopted = None if settled.job is None else settled.job.job_id
            wanted += [(settled.claim.key, adopted), (settled.claim.key, settled.record.job_id)]
        wanted += [(ClaimKey(record.slot, 0), record.job_id) for record in decisions.records]
        new: dict[tuple[str, str], ClaimKey] = {}
        for key, job_id in wanted:
            if job_id is None:
                continue
            owned = (key.slot.ref.platform, job_id)
            if self._owners.get(owned, key) != key or new.setdefault(owned, key) != key:
                raise job_belongs_elsewhere(key.slot, job_id)
        return new

    async def claim(self, claim: Claim) -> None:
        """Reserve a slot.

        Raises:
            SlotAlreadyClaimed: the attempt exists, the connection has an open claim, or the slot is settled.
        """
        slot = claim.key.slot
        connection = self._connection(slot.ref)
        closed = connection.closed.get(slot.scheduled_at, {})
        if connection.open_claim is not None:
            raise connection_is_claimed(claim)
        if (claim.key.run, claim.attempt) in closed:
            raise attempt_exists(claim)
        if claim.key.run == 0 and connection.is_settled(slot.scheduled_at, slot.scheduled_at):
            raise slot_is_settled(slot)
        connection.open_claim = replace(claim, status=ClaimStatus.OPEN, wall="", due_at=None)
        connection.move_watermark(slot.scheduled_at)
        if claim.key.run > 0:
            connection.retried.add(slot.scheduled_at)
        else:
            connection.put_record(record_of_claim(claim))

    async def confirm(self, claim: Claim, job: Job, record: SlotRecord) -> bool:
        """Close a claim with its job; False, and nothing is written, if the job belongs to another slot.

        Raises:
            SlotAlreadyClaimed: the claim is not open any more.
        """
        connection, owned = self._connection(claim.ref), (claim.ref.platform, job.job_id)
        if self._owners.get(owned, claim.key) != claim.key:
            return False
        if not connection.has_open(claim):
            raise claim_is_closed(claim)
        new = self._owners_of_record(claim, record)
        self._owners |= {owned: claim.key, **new}
        connection.close(claim, ClosedClaim(ClaimStatus.CONFIRMED, record.decided_at, record.reason))
        if claim.key.run == 0:
            connection.put_record(record)
        return True

    def _owners_of_record(self, claim: Claim, record: SlotRecord) -> dict[tuple[str, str], ClaimKey]:
        if record.job_id is None:
            return {}
        owned = (claim.ref.platform, record.job_id)
        if self._owners.get(owned, claim.key) != claim.key:
            raise job_belongs_elsewhere(claim.key.slot, record.job_id)
        return {owned: claim.key}

    async def answered(self, claim: Claim, answer: Answer, at: datetime) -> None:
        """Note what came back; a claim that is closed by now stays as it is."""
        connection = self._connection(claim.ref)
        if connection.open_claim is not None and connection.has_open(claim):
            connection.open_claim = replace(connection.open_claim, answer=answer, answered_at=at)

    async def close_claim(self, claim: Claim, status: ClaimStatus, at: datetime, record: SlotRecord) -> None:
        """Close a claim that made no job.

        Raises:
            SlotAlreadyClaimed: the claim is not open any more.
        """
        connection = self._connection(claim.ref)
        if not connection.has_open(claim):
            raise claim_is_closed(claim)
        self._owners |= self._owners_of_record(claim, record)
        connection.close(claim, ClosedClaim(status, at, record.reason))
        if claim.key.run == 0:
            connection.put_record(record)

    async def request_cancel(self, request: CancelRequest) -> None:
        """Journal a cancel."""
        cancels = self._connection(request.ref).cancels
        before = cancels.get(request.job_id)
        cancels[request.job_id] = request if before is None else replace(request, requests=before.requests + 1)

    async def save_jobs(self, platform: str, jobs: Sequence[Job]) -> None:
        """Keep what was observed; a sync that is seen to be over for the first time also counts for its connection."""
        ended = {job.job_id: job for job in jobs if counts_for_health(job)}
        ended = {job_id: job for job_id, job in ended.items() if not self._is_over(platform, job_id)}
        self._jobs |= {(platform, job.job_id): job for job in jobs}
        for job in sorted(ended.values(), key=lambda job: (finished_at(job), job.job_id)):
            self._connection(ConnectionRef(platform, job.connection_id)).ended(job)

    def _is_over(self, platform: str, job_id: str) -> bool:
        known = self._jobs.get((platform, job_id))
        return known is not None and known.status.is_terminal

    async def latest_jobs(self, platform: str) -> tuple[Job, ...]:
        """The newest job of every connection in force."""
        newest: dict[str, Job] = {}
        for job in (job for (name, _), job in self._jobs.items() if name == platform):
            before = newest.get(job.connection_id)
            if before is None or (before.created_at, before.job_id) < (job.created_at, job.job_id):
                newest[job.connection_id] = job
        driven = {
            ref.connection_id for ref, c in self._connections.items() if ref.platform == platform and c.calendar_key
        }
        return tuple(newest[name] for name in sorted(driven & newest.keys()))

    async def keep_policies(self, policies: Sequence[StoredPolicy]) -> None:
        """Keep exactly these."""
        kept = {policy.name: policy for policy in policies}
        self._policies = tuple(kept[name] for name in sorted(kept))

    async def policies(self) -> tuple[StoredPolicy, ...]:
        """What was kept, by name."""
        return self._policies

    async def jobs(self, ref: ConnectionRef, limit: int) -> tuple[tuple[Job, datetime | None], ...]:
        """The newest jobs, newest first, each with its slot."""
        mine = [job for (platform, _), job in self._jobs.items() if ConnectionRef(platform, job.connection_id) == ref]
        newest = sorted(mine, key=lambda job: (job.created_at, job.job_id), reverse=True)[:limit]
        owners = [self._owners.get((ref.platform, job.job_id)) for job in newest]
        return tuple(
            (job, None if key is None else key.slot.scheduled_at) for job, key in zip(newest, owners, strict=True)
        )

    async def slots(self, ref: ConnectionRef, limit: int) -> tuple[SlotRecord, ...]:
        """The newest slot records, newest first."""
        records = self._connection(ref).records
        return tuple(records[at] for at in sorted(records, reverse=True)[:limit])

    async def note_observed(self, platform: str, through: datetime) -> None:
        """Remember how far a platform was seen."""
        self._observed[platform] = through

    async def observed_through(self, platform: str) -> datetime | None:
        """How far a platform was seen."""
        return self._observed.get(platform)

    async def append_events(self, events: Sequence[Event]) -> None:
        """Add to the journal."""
        self._events += [StoredEvent(number, event) for number, event in enumerate(events, self._last_number + 1)]
        self._last_number += len(events)

    async def events(
        self, *, after: int = 0, since: datetime | None = None, schedule: str | None = None, limit: int = 1000
    ) -> tuple[StoredEvent, ...]:
        """The newest events, oldest first."""
        newest: list[StoredEvent] = []
        for stored in reversed(self._events[bisect_right(self._events, after, key=lambda s: s.number) :]):
            if len(newest) == limit:
                break
            is_asked = since is None or stored.event.at >= since
            if is_asked and (schedule is None or stored.event.schedule == schedule):
                newest.append(stored)
        return tuple(reversed(newest))

    async def prune(self, before: datetime) -> int:
        """Delete what is older; claims of a slot that is still due stay, and every connection's newest record."""
        events = [stored for stored in self._events if stored.event.at >= before]
        jobs = {key: job for key, job in self._jobs.items() if (job.ended_at or job.created_at) >= before}
        gone = len(self._events) - len(events) + len(self._jobs) - len(jobs)
        self._events, self._jobs = events, jobs
        return gone + sum(connection.prune(before) for connection in self._connections.values())

    async def close(self) -> None:
        """Nothing to give back; see the top of the file."""
