"""The store as dictionaries: the same rules as ``schema.sql``, for simulations and tests.

What it gets wrong on purpose: nothing survives the process, nothing ever fails, and `close` keeps everything, so that a test may
"restart" a controller on the same value. Prefer the SQLite store wherever durability or failing storage is the point.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from controller.adapters.stores.claiming import (
    attempt_exists,
    claim_is_closed,
    connection_is_claimed,
    counts_for_health,
    finished_at,
    not_held,
    platforms_of,
    record_of_claim,
    slot_is_settled,
)
from controller.adapters.stores.ledger import ClosedClaim
from controller.adapters.stores.memory_state import Epoch, MemoryState
from controller.model.asked import Asked, Request, RequestStatus
from controller.model.condition import Condition
from controller.model.drift import Correction, CorrectionStatus
from controller.model.event import Event
from controller.model.identity import ConnectionRef
from controller.model.job import Job
from controller.model.record import (
    Answer,
    CancelRequest,
    Claim,
    ClaimStatus,
    SlotRecord,
    Standing,
)
from controller.model.revision import Revisions
from controller.ports.store import CLOCK_EVENTS, Decisions, StoredEvent, StoredPolicy


class MemoryStore:
    """See `controller.ports.store.Store`. Each method checks everything first and then writes, so that it is one transaction."""

    def __init__(self, state: MemoryState | None = None) -> None:
        self._state = state or MemoryState()
        self._epochs: dict[str, int] = {}

    def beside(self) -> "MemoryStore":
        """Another controller's handle on the same state; it holds no platform yet."""
        return MemoryStore(self._state)

    async def take(self, platform: str, holder: str, at: datetime) -> int:
        """Raise the platform's epoch and write under it."""
        before = self._state.epochs.get(platform)
        taken = Epoch(1 if before is None else before.number + 1, holder, at)
        self._state.epochs[platform] = taken
        self._epochs[platform] = taken.number
        return taken.number

    async def epoch(self, platform: str) -> int | None:
        """The epoch that this handle holds, if it is in force."""
        held = self._epochs.get(platform)
        return held if held == self._state.epoch_of(platform) else None

    def _expect(self, *platforms: str) -> None:
        for platform in platforms:
            held, in_force = self._epochs.get(platform), self._state.epoch_of(platform)
            if held is None or held != in_force:
                raise not_held(platform, held, in_force)

    async def standings(self, jobs: Mapping[ConnectionRef, Collection[str]]) -> dict[ConnectionRef, Standing]:
        """Read where connections stand."""
        return {ref: self._state.standing(ref, job_ids) for ref, job_ids in jobs.items()}

    async def known_refs(self) -> tuple[ConnectionRef, ...]:
        """Every connection in force, with a record that is not final, or with an open claim; in order."""
        return tuple(
            sorted(
                {
                    ref
                    for ref, c in self._state.connections.items()
                    if c.calendar_key is not None or c.pending or c.open_claim
                }
                | {row.ref for row in self._state.requests.rows.values() if not row.status.is_final}
            )
        )

    async def apply(self, decisions: Decisions, events: Sequence[Event] = ()) -> None:
        """Write what a cycle decided.

        Raises:
            SlotAlreadyClaimed: a job belongs to another slot, or a record is about a slot whose claim is open.
        """
        self._expect(*platforms_of(decisions))
        self._state.requests.refuse_decided(decisions.requests)
        new_owners = self._state.new_owners(decisions)
        self._state.refuse_claimed(decisions)
        self._state.owners |= new_owners
        for accepted in decisions.accepted:
            if accepted.spec is None:
                self._state.conditions.pop(accepted.ref, None)
            if accepted.spec is not None or accepted.ref in self._state.connections:
                self._state.connection(accepted.ref).accept(accepted)
        for settled in decisions.settled:
            closed = ClosedClaim(settled.status, settled.record.decided_at, settled.record.reason)
            self._state.connection(settled.claim.ref).close(settled.claim, closed)
            if settled.claim.request:
                self._state.requests.follow(settled.claim, settled.record)
            elif settled.claim.key.run == 0:
                self._state.connection(settled.record.slot.ref).put_record(settled.record)
        for rearmed in decisions.rearmed:
            self._state.connection(rearmed.ref).rearm(rearmed)
        for asked in decisions.requests:
            self._state.requests.decide(asked)
            if asked.request.action is Asked.RESUME and asked.status is RequestStatus.DONE:
                self._state.connection(asked.request.ref).failures = 0
        for drift in decisions.drifts:
            self._state.connection(drift.ref).drifts[drift.field] = drift
        for record in decisions.records:
            self._state.connection(record.slot.ref).put_record(record)
        self._state.add_events(events)

    async def claim(self, claim: Claim) -> None:
        """Reserve a slot.

        Raises:
            SlotAlreadyClaimed: the attempt exists, the connection has an open claim, or the slot is settled.
        """
        self._expect(claim.ref.platform)
        slot = claim.key.slot
        connection = self._state.connection(slot.ref)
        closed = connection.closed.get(slot.scheduled_at, {})
        if connection.open_claim is not None:
            raise connection_is_claimed(claim)
        if (claim.key.run, claim.attempt) in closed:
            raise attempt_exists(claim)
        if claim.key.run == 0 and connection.is_settled(slot.scheduled_at, slot.scheduled_at):
            raise slot_is_settled(slot)
        if claim.request:
            self._state.requests.expect_waiting(claim)
        connection.open_claim = replace(claim, status=ClaimStatus.OPEN, wall="", due_at=None)
        if claim.request:
            self._state.requests.follow(claim, record_of_claim(claim))
            return
        connection.move_watermark(slot.scheduled_at)
        if claim.key.run > 0:
            connection.retried.add(slot.scheduled_at)
        else:
            connection.put_record(record_of_claim(claim))

    async def confirm(self, claim: Claim, job: Job, record: SlotRecord, events: Sequence[Event] = ()) -> bool:
        """Close a claim with its job; False, and nothing is written, if the job belongs to another slot.

        Raises:
            SlotAlreadyClaimed: the claim is not open any more.
        """
        self._expect(claim.ref.platform)
        connection, owned = self._state.connection(claim.ref), (claim.ref.platform, job.job_id)
        if self._state.owners.get(owned, claim.key) != claim.key:
            return False
        if not connection.has_open(claim):
            raise claim_is_closed(claim)
        new = self._state.owners_of_record(claim, record)
        self._state.owners |= {owned: claim.key, **new}
        connection.close(claim, ClosedClaim(ClaimStatus.CONFIRMED, record.decided_at, record.reason))
        if claim.request:
            self._state.requests.follow(claim, record)
        elif claim.key.run == 0:
            connection.put_record(record)
        await self.save_jobs(claim.ref.platform, [job], events=events)
        return True

    async def answered(self, claim: Claim, answer: Answer, at: datetime, events: Sequence[Event] = ()) -> None:
        """Note what came back; a claim that is closed by now stays as it is."""
        self._expect(claim.ref.platform)
        connection = self._state.connection(claim.ref)
        if connection.open_claim is not None and connection.has_open(claim):
            connection.open_claim = replace(connection.open_claim, answer=answer, answered_at=at)
        self._state.add_events(events)

    async def close_claim(
        self, claim: Claim, status: ClaimStatus, at: datetime, record: SlotRecord, events: Sequence[Event] = ()
    ) -> None:
        """Close a claim that made no job.

        Raises:
            SlotAlreadyClaimed: the claim is not open any more.
        """
        self._expect(claim.ref.platform)
        connection = self._state.connection(claim.ref)
        if not connection.has_open(claim):
            raise claim_is_closed(claim)
        self._state.owners |= self._state.owners_of_record(claim, record)
        connection.close(claim, ClosedClaim(status, at, record.reason))
        if claim.request:
            self._state.requests.follow(claim, record)
        elif claim.key.run == 0:
            connection.put_record(record)
        self._state.add_events(events)

    async def request_cancel(self, request: CancelRequest) -> None:
        """Journal a cancel."""
        self._expect(request.ref.platform)
        cancels = self._state.connection(request.ref).cancels
        before = cancels.get(request.job_id)
        cancels[request.job_id] = request if before is None else replace(request, requests=before.requests + 1)

    async def journal_corrections(self, corrections: Sequence[Correction]) -> None:
        """Journal corrections of one platform."""
        self._expect(*(each.ref.platform for each in corrections))
        for each in corrections:
            kept = replace(each, status=CorrectionStatus.SENT)
            self._state.connection(each.ref).corrections.append(kept)

    async def answer_corrections(self, corrections: Sequence[Correction], status: CorrectionStatus) -> None:
        """Note what came of corrections of one platform."""
        self._expect(*(each.ref.platform for each in corrections))
        for each in corrections:
            self._state.connection(each.ref).answered(each, status)

    async def corrections(self, ref: ConnectionRef, since: datetime) -> tuple[Correction, ...]:
        """Every correction since an instant, newest first."""
        return tuple(each for each in self._state.connection(ref).newest_corrections() if each.at >= since)

    async def save_jobs(
        self, platform: str, jobs: Sequence[Job], *, through: datetime | None = None, events: Sequence[Event] = ()
    ) -> None:
        """Keep what was observed; a sync that is seen to be over for the first time also counts for its connection."""
        self._expect(platform)
        ended = {job.job_id: job for job in jobs if counts_for_health(job)}
        ended = {job_id: job for job_id, job in ended.items() if not self._is_over(platform, job_id)}
        self._state.jobs |= {(platform, job.job_id): job for job in jobs}
        for job in sorted(ended.values(), key=lambda job: (finished_at(job), job.job_id)):
            self._state.connection(ConnectionRef(platform, job.connection_id)).ended(job)
        if through is not None:
            self._state.observed[platform] = through
        self._state.add_events(events)

    def _is_over(self, platform: str, job_id: str) -> bool:
        known = self._state.jobs.get((platform, job_id))
        return known is not None and known.status.is_terminal

    async def kept_jobs(self, platform: str, job_ids: Collection[str]) -> dict[str, Job]:
        """These jobs as they were last kept."""
        known = self._state.jobs
        return {job_id: known[platform, job_id] for job_id in job_ids if (platform, job_id) in known}

    async def latest_jobs(self, platform: str) -> tuple[Job, ...]:
        """The newest job of every connection in force."""
        newest: dict[str, Job] = {}
        for job in (job for (name, _), job in self._state.jobs.items() if name == platform):
            before = newest.get(job.connection_id)
            if before is None or (before.created_at, before.job_id) < (job.created_at, job.job_id):
                newest[job.connection_id] = job
        driven = {
            ref.connection_id
            for ref, c in self._state.connections.items()
            if ref.platform == platform and c.calendar_key
        }
        return tuple(newest[name] for name in sorted(driven & newest.keys()))

    async def keep_policies(self, policies: Sequence[StoredPolicy]) -> None:
        """Keep exactly these."""
        kept = {policy.name: policy for policy in policies}
        self._state.policies = tuple(kept[name] for name in sorted(kept))

    async def policies(self) -> tuple[StoredPolicy, ...]:
        """What was kept, by name."""
        return self._state.policies

    async def keep_revisions(self, revisions: Revisions) -> None:
        """Keep exactly this."""
        self._state.revisions = revisions

    async def revisions(self) -> Revisions:
        """What was kept."""
        return self._state.revisions

    async def jobs(self, ref: ConnectionRef, limit: int) -> tuple[tuple[Job, datetime | None], ...]:
        """The newest jobs, newest first, each with its slot."""
        mine = [
            job for (platform, _), job in self._state.jobs.items() if ConnectionRef(platform, job.connection_id) == ref
        ]
        newest = sorted(mine, key=lambda job: (job.created_at, job.job_id), reverse=True)[:limit]
        owners = [self._state.owners.get((ref.platform, job.job_id)) for job in newest]
        return tuple(
            (job, None if key is None else key.slot.scheduled_at) for job, key in zip(newest, owners, strict=True)
        )

    async def slots(self, ref: ConnectionRef, limit: int) -> tuple[SlotRecord, ...]:
        """The newest slot records, newest first."""
        records = self._state.connection(ref).records
        return tuple(records[at] for at in sorted(records, reverse=True)[:limit])

    async def newest_jobs(
        self, platform: str, connection_ids: Collection[str], limit: int
    ) -> dict[ConnectionRef, tuple[tuple[Job, datetime | None], ...]]:
        """The newest jobs of each connection, newest first."""
        refs = [ConnectionRef(platform, connection_id) for connection_id in connection_ids]
        return {ref: rows for ref in refs if (rows := await self.jobs(ref, limit))}

    async def newest_slots(self, platform: str, connection_ids: Collection[str]) -> dict[ConnectionRef, SlotRecord]:
        """The newest slot record of each connection."""
        refs = [ConnectionRef(platform, connection_id) for connection_id in connection_ids]
        return {ref: record for ref in refs for record in await self.slots(ref, 1)}

    async def observed_through(self, platform: str) -> datetime | None:
        """How far a platform was seen."""
        return self._state.observed.get(platform)

    async def put_conditions(self, conditions: Mapping[ConnectionRef, Sequence[Condition]]) -> None:
        """Keep conditions; the time of one whose status stays is not moved."""
        self._expect(*sorted({ref.platform for ref in conditions}))
        self._state.put_conditions(conditions)

    async def conditions(
        self, platform: str, connection_id: str | None = None
    ) -> dict[ConnectionRef, tuple[Condition, ...]]:
        """The conditions of a platform's connections."""
        return self._state.conditions_on(platform, connection_id)

    async def append_events(self, events: Sequence[Event]) -> None:
        """Add to the journal."""
        self._state.add_events(events)

    async def events(
        self, *, after: int = 0, since: datetime | None = None, schedule: str | None = None, limit: int = 1000
    ) -> tuple[StoredEvent, ...]:
        """The newest events, oldest first."""
        return self._state.events_of(after, since, schedule, limit)

    async def clock_events(self, limit: int) -> tuple[StoredEvent, ...]:
        """The newest events about clocks and lives, oldest first."""
        return tuple([stored for stored in self._state.events if stored.event.name in CLOCK_EVENTS][-limit:])

    async def prune(self, before: datetime) -> int:
        """Delete what is older; claims of a slot that is still due stay, and every connection's newest record."""
        return self._state.prune(before)

    async def ask(self, requests: Sequence[Request]) -> tuple[Request, ...]:
        """Keep requests whose key is new."""
        kept = [self._state.requests.put(request) for request in requests]
        return tuple(request for request in kept if request is not None)

    async def take_back(self, key: str, message: str, at: datetime) -> bool:
        """End a request that still waits."""
        return self._state.requests.take_back(key, message, at)

    async def waiting_requests(self) -> tuple[Request, ...]:
        """Every request that waits."""
        waiting = (row for row in self._state.requests.rows.values() if row.status is RequestStatus.WAITING)
        return tuple(sorted(waiting, key=lambda row: (row.ref, row.made_at)))

    async def requests(self, ref: ConnectionRef, limit: int) -> tuple[Request, ...]:
        """The newest requests about a connection, newest first."""
        return tuple(reversed(self._state.requests.about(ref)))[:limit]

    async def request(self, key: str) -> Request | None:
        """The request of that key."""
        return self._state.requests.rows.get(key)

    async def close(self) -> None:
        """Nothing to give back; see the top of the file."""
