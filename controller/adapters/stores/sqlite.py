"""The store in one SQLite file: durable, for one controller, readable by anybody meanwhile.

Nothing here leaves the event loop's thread: a method is a few statements of well under a millisecond, and a thread in between would
cost more than it frees. What several tasks write at once is committed together.
"""

import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from controller.adapters.stores import sqlite_bulk as bulk
from controller.adapters.stores import sqlite_conditions as conditions_table
from controller.adapters.stores import sqlite_drift as drift
from controller.adapters.stores import sqlite_epochs as epochs
from controller.adapters.stores import sqlite_notes as notes
from controller.adapters.stores import sqlite_reads as reads
from controller.adapters.stores import sqlite_requests as asking
from controller.adapters.stores import sqlite_revisions as revisions_kept
from controller.adapters.stores import sqlite_standings
from controller.adapters.stores import sqlite_writes as writes
from controller.adapters.stores.claiming import claim_is_closed, platforms_of, record_of_claim, slot_is_settled
from controller.adapters.stores.group_commit import GroupCommit
from controller.adapters.stores.store_file import StoreFile, StoreMode
from controller.errors import Fenced, SlotAlreadyClaimed
from controller.model.asked import Request
from controller.model.condition import Condition
from controller.model.drift import Correction, CorrectionStatus
from controller.model.event import Event
from controller.model.identity import ClaimKey, ConnectionRef
from controller.model.job import Job
from controller.model.record import Answer, CancelRequest, Claim, ClaimStatus, SlotRecord, Standing
from controller.model.revision import Revisions
from controller.ports.store import Decisions, StoredEvent, StoredPolicy

__all__ = ["SqliteStore", "StoreMode"]


class SqliteStore:
    """See `controller.ports.store.Store`; `open` makes one."""

    def __init__(self, file: StoreFile) -> None:
        self._file = file
        self._epochs: dict[str, int] = {}
        self._group = GroupCommit(file, self._fence)

    @classmethod
    def open(cls, path: Path, *, mode: StoreMode) -> "SqliteStore":
        """Open the store at a path.

        ``ACT`` creates what is missing and keeps every other controller out until it is closed or the process ends, however it
        ends. ``READ`` creates nothing, sees what the controller commits, and refuses every change. ``ASK`` is the same, but leaves
        requests.

        Raises:
            StoreInUse: another controller acts on it.
            StoreUnavailable: it cannot be used; the text says what to do.
        """
        return cls(StoreFile.open(path, mode))

    def beside(self) -> "SqliteStore":
        """Another controller's handle on the same open file, for simulations in one process; it holds no platform yet."""
        return SqliteStore(self._file)

    def _fence(self, database: sqlite3.Connection, platforms: Collection[str]) -> None:
        try:
            epochs.expect(database, platforms, self._epochs)
        except Fenced as error:
            self._file.known.epochs.pop(error.platform, None)
            raise

    @contextmanager
    def _writing(self, *platforms: str) -> Iterator[sqlite3.Connection]:
        with self._file.writing() as database:
            self._fence(database, platforms)
            yield database

    async def take(self, platform: str, holder: str, at: datetime) -> int:
        """Raise the platform's epoch and write under it."""
        self._file.known.epochs.pop(platform, None)
        with self._file.writing(acting=True) as database:
            epoch = epochs.take(database, platform, holder, at)
        # Only what is committed is held; a commit whose answer was lost fences this handle too, and it takes again.
        self._epochs[platform] = epoch
        return epoch

    async def epoch(self, platform: str) -> int | None:
        """The epoch that this handle holds, if it is in force; every write compares it with the file's once more."""
        held, in_force = self._epochs.get(platform), self._file.known.epochs
        if held is not None and platform not in in_force:
            with self._file.reading() as database:
                in_force[platform] = epochs.current(database, platform)
        return held if held is not None and held == in_force[platform] else None

    async def standings(self, jobs: Mapping[ConnectionRef, Collection[str]]) -> dict[ConnectionRef, Standing]:
        """Read where connections stand."""
        with self._file.reading() as database:
            return sqlite_standings.read(database, jobs)

    async def known_refs(self) -> tuple[ConnectionRef, ...]:
        """Every connection in force, with a record that is not final, or with an open claim; in order."""
        with self._file.reading() as database:
            return reads.known_refs(database)

    async def apply(self, decisions: Decisions, events: Sequence[Event] = ()) -> None:
        """Write what a cycle decided; of a batch that gives a job of one slot to another, nothing is written.

        Raises:
            SlotAlreadyClaimed: a job belongs to another slot, or a record is about a slot whose claim is open.
        """
        with self._writing(*platforms_of(decisions)) as database:
            for accepted in decisions.accepted:
                writes.accept(database, accepted)
                if accepted.spec is None:
                    drift.forget(database, accepted.ref)
            for settled in decisions.settled:
                writes.settle(database, settled)
            for rearmed in decisions.rearmed:
                writes.rearm(database, rearmed)
            for asked in decisions.requests:
                asking.decide(database, asked)
            drift.note(database, decisions.drifts)
            for record in decisions.records:
                writes.put_record_of(database, ClaimKey(record.slot, 0), record)
            for record in decisions.records:
                writes.refuse_claimed(database, record.slot)
            notes.put_events(database, events)

    async def claim(self, claim: Claim) -> None:
        """Reserve a slot.

        Raises:
            SlotAlreadyClaimed: the attempt exists, the connection has an open claim, or the slot or the request is settled.
        """
        slot, platform = claim.key.slot, claim.ref.platform

        def write(database: sqlite3.Connection) -> None:
            try:
                writes.put_claim(database, claim, self._epochs.get(platform))
            except (SlotAlreadyClaimed, sqlite3.IntegrityError):
                # Whoever lost the platform is told so, whatever else is wrong.
                self._fence(database, (platform,))
                raise
            if claim.request:
                asking.follow(database, claim, record_of_claim(claim))
            elif claim.key.run > 0:
                writes.move_watermark(database, slot.ref, slot.scheduled_at)
            elif not writes.put_record(database, record_of_claim(claim)):
                raise slot_is_settled(slot)

        # Not fenced by a question of its own: the schema compares the epoch that stands in the claim's row.
        await self._group.run(write)

    async def confirm(self, claim: Claim, job: Job, record: SlotRecord, events: Sequence[Event] = ()) -> bool:
        """Close a claim with its job; False, and nothing is written, if the job belongs to another slot.

        Raises:
            SlotAlreadyClaimed: the claim is not open any more.
        """

        def write(database: sqlite3.Connection) -> bool:
            if not writes.attribute(database, claim.key, job.job_id):
                return False
            if not writes.close_open(database, claim, ClaimStatus.CONFIRMED, record.decided_at, record):
                raise claim_is_closed(claim)
            writes.put_record_of_claim(database, claim, record, owned=job.job_id, was_open=True)
            notes.put_jobs(database, claim.ref.platform, [job])
            notes.put_events(database, events)
            return True

        return await self._group.run(write, claim.ref.platform)

    async def answered(self, claim: Claim, answer: Answer, at: datetime, events: Sequence[Event] = ()) -> None:
        """Note what came back; a claim that is closed by now stays as it is."""

        def write(database: sqlite3.Connection) -> None:
            writes.note_answer(database, claim, answer, at)
            notes.put_events(database, events)

        await self._group.run(write, claim.ref.platform)

    async def close_claim(
        self, claim: Claim, status: ClaimStatus, at: datetime, record: SlotRecord, events: Sequence[Event] = ()
    ) -> None:
        """Close a claim that made no job.

        Raises:
            SlotAlreadyClaimed: the claim is not open any more.
        """

        def write(database: sqlite3.Connection) -> None:
            if not writes.close_open(database, claim, status, at, record):
                raise claim_is_closed(claim)
            writes.put_record_of_claim(database, claim, record, was_open=True)
            notes.put_events(database, events)

        await self._group.run(write, claim.ref.platform)

    async def request_cancel(self, request: CancelRequest) -> None:
        """Journal a cancel."""
        await self._group.run(lambda database: writes.put_cancel(database, request), request.ref.platform)

    async def journal_corrections(self, corrections: Sequence[Correction]) -> None:
        """Journal corrections of one platform."""
        for platform in sorted({each.ref.platform for each in corrections}):
            await self._group.run(lambda database: drift.journal(database, corrections), platform)

    async def answer_corrections(self, corrections: Sequence[Correction], status: CorrectionStatus) -> None:
        """Note what came of corrections of one platform."""
        for platform in sorted({each.ref.platform for each in corrections}):
            await self._group.run(lambda database: drift.answer(database, corrections, status), platform)

    async def corrections(self, ref: ConnectionRef, since: datetime) -> tuple[Correction, ...]:
        """Every correction since an instant, newest first."""
        with self._file.reading() as database:
            return drift.since(database, ref, since)

    async def save_jobs(
        self, platform: str, jobs: Sequence[Job], *, through: datetime | None = None, events: Sequence[Event] = ()
    ) -> None:
        """Keep what was observed of jobs, and how far the platform was seen."""

        def write(database: sqlite3.Connection) -> None:
            notes.put_jobs(database, platform, jobs)
            if through is not None:
                notes.put_observed(database, platform, through)
            notes.put_events(database, events)

        await self._group.run(write, platform)

    async def kept_jobs(self, platform: str, job_ids: Collection[str]) -> dict[str, Job]:
        """These jobs as they were last kept."""
        with self._file.reading() as database:
            return bulk.kept_jobs(database, platform, job_ids)

    async def latest_jobs(self, platform: str) -> tuple[Job, ...]:
        """The newest job of every connection in force."""
        with self._file.reading() as database:
            return reads.latest_jobs(database, platform)

    async def keep_policies(self, policies: Sequence[StoredPolicy]) -> None:
        """Keep exactly these."""
        with self._file.writing() as database:
            notes.put_policies(database, policies)

    async def policies(self) -> tuple[StoredPolicy, ...]:
        """What was kept, by name."""
        with self._file.reading() as database:
            return reads.policies(database)

    async def keep_revisions(self, revisions: Revisions) -> None:
        """Keep exactly this."""
        self._file.known.revisions = None
        with self._file.writing(acting=True) as database:
            revisions_kept.put_revisions(database, revisions)

    async def revisions(self) -> Revisions:
        """What was kept."""
        if self._file.known.revisions is not None:
            return self._file.known.revisions
        with self._file.reading() as database:
            kept = revisions_kept.revisions(database)
        if self._file.is_acting:
            self._file.known.revisions = kept
        return kept

    async def jobs(self, ref: ConnectionRef, limit: int) -> tuple[tuple[Job, datetime | None], ...]:
        """The newest jobs, newest first, each with its slot."""
        with self._file.reading() as database:
            return reads.jobs_of(database, ref, limit)

    async def slots(self, ref: ConnectionRef, limit: int) -> tuple[SlotRecord, ...]:
        """The newest slot records, newest first."""
        with self._file.reading() as database:
            return reads.slots_of(database, ref, limit)

    async def newest_jobs(
        self, platform: str, connection_ids: Collection[str], limit: int
    ) -> dict[ConnectionRef, tuple[tuple[Job, datetime | None], ...]]:
        """The newest jobs of each connection, newest first."""
        with self._file.reading() as database:
            return bulk.newest_jobs(database, platform, connection_ids, limit)

    async def newest_slots(self, platform: str, connection_ids: Collection[str]) -> dict[ConnectionRef, SlotRecord]:
        """The newest slot record of each connection."""
        with self._file.reading() as database:
            return bulk.newest_slots(database, platform, connection_ids)

    async def observed_through(self, platform: str) -> datetime | None:
        """How far a platform was seen."""
        with self._file.reading() as database:
            return reads.observed_through(database, platform)

    async def put_conditions(self, conditions: Mapping[ConnectionRef, Sequence[Condition]]) -> None:
        """Keep conditions; the time of one whose status stays is not moved."""
        with self._writing(*sorted({ref.platform for ref in conditions})) as database:
            conditions_table.put(database, conditions)

    async def conditions(
        self, platform: str, connection_id: str | None = None
    ) -> dict[ConnectionRef, tuple[Condition, ...]]:
        """The conditions of a platform's connections."""
        with self._file.reading() as database:
            return conditions_table.read(database, platform, connection_id)

    async def append_events(self, events: Sequence[Event]) -> None:
        """Add to the journal."""
        await self._group.run(lambda database: notes.put_events(database, events))

    async def events(
        self, *, after: int = 0, since: datetime | None = None, schedule: str | None = None, limit: int = 1000
    ) -> tuple[StoredEvent, ...]:
        """The newest events, oldest first."""
        with self._file.reading() as database:
            return reads.events(database, after, since, schedule, limit)

    async def clock_events(self, limit: int) -> tuple[StoredEvent, ...]:
        """The newest events about clocks and lives, oldest first."""
        with self._file.reading() as database:
            return reads.clock_events(database, limit)

    async def prune(self, before: datetime) -> int:
        """Delete what is older; claims of a slot that is still due stay, and every connection's newest record."""
        with self._file.writing() as database:
            return notes.prune(database, before)

    async def ask(self, requests: Sequence[Request]) -> tuple[Request, ...]:
        """Keep requests whose key is new."""
        with self._file.writing() as database:
            kept = [asking.put(database, request) for request in requests]
            return tuple(request for request in kept if request is not None)

    async def take_back(self, key: str, message: str, at: datetime) -> bool:
        """End a request that still waits."""
        with self._file.writing() as database:
            return asking.take_back(database, key, message, at)

    async def waiting_requests(self) -> tuple[Request, ...]:
        """Every request that waits."""
        with self._file.reading() as database:
            return asking.waiting(database)

    async def requests(self, ref: ConnectionRef, limit: int) -> tuple[Request, ...]:
        """The newest requests about a connection, newest first."""
        with self._file.reading() as database:
            return asking.newest(database, ref, limit)

    async def request(self, key: str) -> Request | None:
        """The request of that key."""
        with self._file.reading() as database:
            return asking.called(database, key)

    async def close(self) -> None:
        """Give the file and its lock back."""
        self._file.close()
