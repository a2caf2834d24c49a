"""The checker: was every slot decided once, started at most once, in time, and left out only for a reason that really stood?

Nothing here is taken from `controller.decide`: slots come from the brute-force stepper, and what stood against them from the truth.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from heapq import heappop, heappush

from controller.model.identity import ConnectionRef, SlotKey
from controller.model.job import JobKind
from controller.model.record import Outcome, SlotRecord
from controller.simulation.chronicle import TrueJob
from controller.simulation.due import DueSlots
from controller.simulation.evidence import Evidence
from controller.simulation.excuses import Case, unjustified
from controller.simulation.starts import (
    against_claims,
    against_jobs,
    against_posts,
    against_removals,
    doubled,
    is_open_end,
    runs_of,
)

FORGIVEN_SECONDS = 60
FINAL_AFTER = 25
"""Seconds before the end in which a slot may still be on its way."""

ADOPTED_BEFORE = 600
"""An adopted job may have been created this long before its claim, by a clock that is off."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a stretch of time came to. ``violations`` name the invariant first; doubles and silent misses are among them."""

    slots: int
    starts: int
    outcomes: Counter[str]
    doubles: int
    silent: int
    violations: tuple[str, ...]
    lateness: tuple[float, ...]

    def late(self, share: float) -> float:
        """The lateness in seconds that this share of all starts stays below or at."""
        return self.lateness[min(int(len(self.lateness) * share), len(self.lateness) - 1)] if self.lateness else 0.0


def judge(evidence: Evidence) -> Verdict:
    """Compare what was recorded with what should have been and with what really happened."""
    chronicle, runs = evidence.chronicle, runs_of(evidence.chronicle)
    due = {ref: DueSlots(versions, evidence.read_at) for ref, versions in chronicle.versions.items()}
    jobs: dict[ConnectionRef, list[TrueJob]] = defaultdict(list)
    for job in chronicle.jobs.values():
        jobs[job.ref].append(job)
    by_slot = {record.slot: record for rows in evidence.records.values() for record in rows}
    doubles = list(doubled(runs))
    found = [*chronicle.broken, *doubles]
    found += against_removals(evidence)
    found += [*against_posts(evidence, due), *against_claims(evidence), *against_jobs(evidence, runs, by_slot)]
    outcomes, lateness, silent, slots = Counter[str](), list[float](), list[str](), 0
    for ref, expected in due.items():
        rows = evidence.records.get(ref, ())
        slots += len(expected.slots)
        silent += _accounts(ref, expected, rows, evidence)
        found += _records(ref, expected, rows, tuple(jobs[ref]), evidence)
        found += _unmatched(ref, expected, rows, jobs[ref])
        for record in rows:
            outcomes[record.word] += record.count
            lateness += _lateness(record, expected, evidence)
    found += silent
    found += [
        f"L1 {ref} has an open claim of {claimed.claim.key.slot}, written at {claimed.committed_at}"
        for ref, claimed in chronicle.open.items()
        if claimed.committed_at <= evidence.calm_at
    ]
    starts = sum(map(len, runs.values()))
    return Verdict(slots, starts, outcomes, len(doubles), len(silent), tuple(found), tuple(sorted(lateness)))


def _accounts(ref: ConnectionRef, due: DueSlots, rows: Sequence[SlotRecord], evidence: Evidence) -> Iterable[str]:
    """S2: every slot whose time is over has a record, its own or a range that it lies in."""
    covered: set[int] = set()
    for record in rows:
        first = int(record.slot.scheduled_at.timestamp())
        covered.update([first] if record.through is None else due.between(first, int(record.through.timestamp())))
    resolve, read_at = evidence.profiles[ref.platform].resolve_after, evidence.read_at.timestamp()
    for at in due.slots:
        spec = due.last_spec(at)
        if at in covered or spec is None:
            continue
        over = min(due.deadline(spec, at), due.superseded_at(spec, at) or read_at)
        if over + resolve.total_seconds() + FORGIVEN_SECONDS < read_at:
            yield f"S2 {ref} has no record of the slot at {_at(at)}"


def _records(
    ref: ConnectionRef, due: DueSlots, rows: Sequence[SlotRecord], jobs: tuple[TrueJob, ...], evidence: Evidence
) -> Iterable[str]:
    """S2, S8, L1 and agreement: each record is about a slot, about it alone, final in time, and says what was."""
    slots, taken = set(due.slots), Counter[int]()
    claims = tuple(each for each in evidence.chronicle.claims if each.claim.ref == ref)
    final_from = evidence.read_at.timestamp() - FINAL_AFTER
    for record in rows:
        at, name = int(record.slot.scheduled_at.timestamp()), f"{record.word} of {record.slot}"
        inside = [at] if record.through is None else due.between(at, int(record.through.timestamp()))
        taken.update(inside)
        if at not in slots and not due.has_freshness:
            yield f"S8 {name}: there is no such slot"
            continue
        if record.through is not None and record.count != len(inside):
            yield f"S2 {name}: it stands for {record.count} slots, and there were {len(inside)}"
        if not record.outcome.is_final:
            spec = due.last_spec(at)
            if spec is not None and due.fires(spec, at) < final_from and not is_open_end(record):
                yield f"L1 {name}: still open at the end: {record.message}"
            continue
        if record.outcome is Outcome.TRIGGERED:
            yield from _started(record, jobs, name)
        else:
            case = Case(record, at, due, evidence, jobs, claims)
            yield from (f"S2 {name}, decided at {record.decided_at:%d %H:%M:%S}: {text}" for text in unjustified(case))
    yield from (f"S2 {ref} has {count} records of the slot at {_at(at)}" for at, count in taken.items() if count > 1)


def _started(record: SlotRecord, jobs: Iterable[TrueJob], name: str) -> Iterable[str]:
    """A slot that was started has a sync of its connection: the one that its POST made, or one that was adopted."""
    job = next((job for job in jobs if job.job_id == record.job_id), None)
    if job is None or job.kind is not JobKind.SYNC:
        yield f"S6 {name}: {record.job_id} is no sync of the connection"
        return
    made_for = None if job.post is None or job.post.claim is None else job.post.claim.claim.key.slot
    if made_for != record.slot and not record.adopted:
        yield f"S6 {name}: {job.job_id} was made for {made_for}"
    if job.created_at.timestamp() < record.slot.scheduled_at.timestamp() - ADOPTED_BEFORE:
        yield f"S6 {name}: {job.job_id} began long before it, at {job.created_at}"


def _unmatched(ref: ConnectionRef, due: DueSlots, rows: Sequence[SlotRecord], jobs: Sequence[TrueJob]) -> Iterable[str]:
    """Completeness, without looking at ids: each started slot gets a job of its own in its window, the earliest end first."""
    windows = sorted(_windows(due, rows))
    waiting: list[tuple[float, SlotKey]] = []
    number = 0
    for job in sorted((job for job in jobs if job.kind is JobKind.SYNC), key=lambda job: job.created_at):
        began = job.created_at.timestamp()
        while number < len(windows) and windows[number][0] <= began:
            heappush(waiting, windows[number][1:])
            number += 1
        while waiting and waiting[0][0] < began:
            yield f"S2 {heappop(waiting)[1]} is recorded as started, and no job of {ref} is left for it"
        if waiting:
            heappop(waiting)
    for slot in [*(slot for _, slot in waiting), *(slot for _, _, slot in windows[number:])]:
        yield f"S2 {slot} is recorded as started, and no job of {ref} is left for it"


def _windows(due: DueSlots, rows: Sequence[SlotRecord]) -> Iterable[tuple[float, float, SlotKey]]:
    """From when to when the job of each started slot must have been created."""
    for record in rows:
        at = int(record.slot.scheduled_at.timestamp())
        spec = due.last_spec(record.decided_at.timestamp())
        if record.outcome is Outcome.TRIGGERED and spec is not None:
            earliest = due.fires(spec, at) - 1.0 - ADOPTED_BEFORE * record.adopted
            yield earliest, record.decided_at.timestamp(), record.slot


def _lateness(record: SlotRecord, due: DueSlots, evidence: Evidence) -> Iterable[float]:
    """Seconds from when a slot fires to when its job was created; of ours only."""
    job = evidence.chronicle.jobs.get(f"{record.slot.ref.platform}/{record.job_id}")
    if record.outcome is not Outcome.TRIGGERED or job is None or job.post is None or job.post.claim is None:
        return
    spec = due.last_spec(job.post.claim.began_at.timestamp())
    if spec is not None:
        yield job.created_at.timestamp() - due.fires(spec, int(record.slot.scheduled_at.timestamp()))


def _at(at: int) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%SZ}"
