"""What the handles of a memory store share."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from controller.adapters.stores.claiming import job_belongs_elsewhere, slot_is_claimed
from controller.adapters.stores.ledger import ConnectionLedger
from controller.adapters.stores.memory_requests import RequestLedger
from controller.model.condition import Condition, ConditionType
from controller.model.event import Event
from controller.model.identity import ClaimKey, ConnectionRef
from controller.model.job import Job
from controller.model.record import Claim, SlotRecord, Standing
from controller.model.revision import Revisions
from controller.ports.store import Decisions, StoredEvent, StoredPolicy


@dataclass(frozen=True, slots=True)
class Epoch:
    """Who took a platform last."""

    number: int
    holder: str
    taken_at: datetime


@dataclass(slots=True)
class MemoryState:
    """Everything that is kept, whoever asks."""

    connections: dict[ConnectionRef, ConnectionLedger] = field(default_factory=dict)
    owners: dict[tuple[str, str], ClaimKey] = field(default_factory=dict)
    jobs: dict[tuple[str, str], Job] = field(default_factory=dict)
    observed: dict[str, datetime] = field(default_factory=dict)
    events: list[StoredEvent] = field(default_factory=list)
    last_number: int = 0
    policies: tuple[StoredPolicy, ...] = ()
    epochs: dict[str, Epoch] = field(default_factory=dict)
    revisions: Revisions = field(default_factory=Revisions)
    conditions: dict[ConnectionRef, dict[ConditionType, Condition]] = field(default_factory=dict)
    requests: RequestLedger = field(default_factory=RequestLedger)

    def epoch_of(self, platform: str) -> int | None:
        """The epoch in force; None before anybody took the platform."""
        taken = self.epochs.get(platform)
        return None if taken is None else taken.number

    def connection(self, ref: ConnectionRef) -> ConnectionLedger:
        """What is kept of a connection, empty at first."""
        found = self.connections.get(ref)
        if found is None:
            found = self.connections[ref] = ConnectionLedger(ref)
        return found

    def standing(self, ref: ConnectionRef, job_ids: Iterable[str]) -> Standing:
        """Where a connection stands, and whose these jobs are."""
        owned = ((job_id, self.owners.get((ref.platform, job_id))) for job_id in job_ids)
        attributed = {job_id: key for job_id, key in owned if key is not None}
        ledger, open_requests = self.connections.get(ref) or ConnectionLedger(ref), self.requests.open_about(ref)
        standing = ledger.standing(attributed)
        if not self.requests.rows:
            return standing
        tried = {key: row for each in open_requests for key, row in ledger.setbacks_at(each.made_at).items()}
        return replace(
            standing,
            setbacks={**standing.setbacks, **tried},
            requests=open_requests,
            suspended=self.requests.suspension(ref),
        )

    def new_owners(self, decisions: Decisions) -> dict[tuple[str, str], ClaimKey]:
        """The jobs that a batch gives to slots.

        Raises:
            SlotAlreadyClaimed: one belongs to another slot.
        """
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
            if self.owners.get(owned, key) != key or new.setdefault(owned, key) != key:
                raise job_belongs_elsewhere(key.slot, job_id)
        return new

    def refuse_claimed(self, decisions: Decisions) -> None:
        """Let nothing be recorded beside an open claim that the batch does not settle.

        Raises:
            SlotAlreadyClaimed: a record is about such a slot.
        """
        settled = {(each.claim.key, each.claim.attempt) for each in decisions.settled}
        for record in decisions.records:
            known = self.connections.get(record.slot.ref)
            claim = None if known is None else known.open_claim
            if claim is None or claim.key != ClaimKey(record.slot, 0) or (claim.key, claim.attempt) in settled:
                continue
            raise slot_is_claimed(record.slot)

    def owners_of_record(self, claim: Claim, record: SlotRecord) -> dict[tuple[str, str], ClaimKey]:
        """The job that a claim's record names.

        Raises:
            SlotAlreadyClaimed: it belongs to another slot.
        """
        if record.job_id is None:
            return {}
        owned = (claim.ref.platform, record.job_id)
        if self.owners.get(owned, claim.key) != claim.key:
            raise job_belongs_elsewhere(claim.key.slot, record.job_id)
        return {owned: claim.key}

    def put_conditions(self, conditions: Mapping[ConnectionRef, Sequence[Condition]]) -> None:
        """Write those of each connection; one with none loses all that it has, and no time moves without its status."""
        for ref, rows in conditions.items():
            if not rows:
                self.conditions.pop(ref, None)
            for row in rows:
                kept = self.conditions.setdefault(ref, {})
                before = kept.get(row.type)
                if before is None or before.status is not row.status:
                    kept[row.type] = row
                else:
                    kept[row.type] = replace(row, last_transition_at=before.last_transition_at)

    def conditions_on(self, platform: str, connection_id: str | None) -> dict[ConnectionRef, tuple[Condition, ...]]:
        """Those of every connection of a platform, or of one, in the order of their types."""
        return {
            ref: tuple(kept[each] for each in ConditionType if each in kept)
            for ref, kept in self.conditions.items()
            if ref.platform == platform and connection_id in (None, ref.connection_id)
        }

    def add_events(self, events: Sequence[Event]) -> None:
        """Number them, and keep them."""
        self.events += [StoredEvent(number, event) for number, event in enumerate(events, self.last_number + 1)]
        self.last_number += len(events)

    def events_of(
        self, after: int, since: datetime | None, schedule: str | None, limit: int
    ) -> tuple[StoredEvent, ...]:
        """The newest events, oldest first."""
        newest: list[StoredEvent] = []
        for stored in reversed(self.events[bisect_right(self.events, after, key=lambda s: s.number) :]):
            if len(newest) == limit:
                break
            is_asked = since is None or stored.event.at >= since
            if is_asked and (schedule is None or stored.event.schedule == schedule):
                newest.append(stored)
        return tuple(reversed(newest))

    def prune(self, before: datetime) -> int:
        """Forget what is older; returns how much."""
        events = [stored for stored in self.events if stored.event.at >= before]
        jobs = {key: job for key, job in self.jobs.items() if (job.ended_at or job.created_at) >= before}
        gone = len(self.events) - len(events) + len(self.jobs) - len(jobs)
        self.events, self.jobs = events, jobs
        gone += self.requests.prune(before)
        return gone + sum(
            connection.prune(before, self.requests.instants_of(ref)) for ref, connection in self.connections.items()
        )
