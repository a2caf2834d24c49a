"""The checker: was every slot decided once, started at most once, in time, and left out only for a reason that really stood?

Nothing here is taken from `controller.decide`: slots come from the brute-force stepper, and what stood against them from the truth.
A violation begins with the name of the promise that was broken:

====  =====================================================================================================================
S1a   one job a run where the spec forbids another POST after a doubt: `starts.doubled`; one for each request: `by_hand.asked_twice`
S1b   one job a run elsewhere; a further run only after a failed one (`S1`): `starts.doubled`, `further.against_further_run`
S2    each slot has one final record, and its reason stood: `_accounts`, `_records`, `_unmatched`, `excuses`, `causes`
S3    each POST has a claim that was committed before it, and a claim has one POST: `starts.against_posts`
S4    a POST leaves within the time that its claim gives it: `starts.against_posts`
S5    the epochs under which a platform is written to never decrease: `fenced`
S6    a job belongs to one run, and is a sync of its connection: `starts.against_jobs`, `_started`, the witness
S7    nothing starts before it fires, nor before its data is too old, nor a further run before its back-off: `starts`, `further`
S8    slots are claimed in their order, and only those that exist: `starts`, the witness
S9    one open claim a connection, no POST beside an active job: `starts.against_posts`, the witness
S10   nothing is claimed that the specs, as last read, forbid, nor beside the platform's own schedule, as last shown, nor while
      somebody has suspended it: `starts.against_claims`, `by_hand.against_claim`
S11   other connections change nothing: two simulations are compared, in the tests
S12   with ``forward_only``, no claim by a revision that does not descend from the one acted on before: `starts.against_rewinds`
L1    nothing stays open once all is calm: `judge`, `_records`
L2    what nothing stood against starts within two seconds, 99 times of 100: `punctual`
L3    the next life settles what a dead one left: L1 says it, since every life but the last dies
====  =====================================================================================================================

What is judged by the records and the jobs alone stands in `accounts`, for a real store as well; the rest needs the hidden truth.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from controller.model.identity import ConnectionRef
from controller.model.job import JobKind
from controller.model.record import Outcome, SlotRecord
from controller.simulation.chronicle import Claimed, TrueJob
from controller.simulation.judge.by_hand import asked_twice
from controller.simulation.judge.case import Case
from controller.simulation.judge.evidence import Evidence
from controller.simulation.judge.excuses import hindered, unjustified
from controller.simulation.judge.lateness import start_of
from controller.simulation.judge.starts import (
    against_claims,
    against_jobs,
    against_posts,
    against_removals,
    against_rewinds,
    doubled,
    is_open_end,
    runs_of,
)
from controller.simulation.slots.accounts import (
    ADOPTED_BEFORE,
    instant_of,
    recorded_twice,
    spoken_for,
    start_windows,
    unmatched,
    unrecorded,
)
from controller.simulation.slots.due import DueSlots

FINAL_AFTER = 25
"""Seconds before the end in which a slot may still be on its way."""

PUNCTUAL_SECONDS = 2.0
PUNCTUAL_SHARE = 0.99

ROUND_TRIP_SECONDS = 0.5
"""The longest that a request and its answer travel where nothing goes wrong."""


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
    doubles = list(doubled(runs, due))
    found = [*chronicle.broken, *doubles, *fenced(chronicle.epochs)]
    found += [*against_removals(evidence), *against_rewinds(evidence), *asked_twice(chronicle.jobs.values())]
    found += [*against_posts(evidence, due), *against_claims(evidence), *against_jobs(evidence, runs, by_slot, due)]
    outcomes, lateness, silent, slots = Counter[str](), list[float](), list[str](), 0
    starts_late = list[tuple[float, Case]]()
    claims: dict[ConnectionRef, list[Claimed]] = defaultdict(list)
    for claimed in chronicle.claims:
        claims[claimed.claim.ref].append(claimed)
    for ref, expected in due.items():
        rows = evidence.records.get(ref, ())
        slots += len(expected.slots)
        silent += _accounts(ref, expected, rows, evidence)
        around = (expected, evidence, tuple(jobs[ref]), tuple(claims[ref]))
        found += _records(ref, rows, around)
        found += _unmatched(ref, expected, rows, jobs[ref])
        for record in rows:
            outcomes[record.word] += record.count
            start = start_of(record, expected, evidence)
            if start is not None:
                lateness.append(start.late)
                starts_late.append((start.late, Case(record, instant_of(record), *around)))
    found += [*silent, *punctual(_unhindered(_without_queue(starts_late)))]
    found += [
        f"L1 {ref} has an open claim of {claimed.claim.key.slot}, written at {claimed.committed_at}"
        for ref, claimed in chronicle.open.items()
        if claimed.committed_at <= evidence.calm_at
    ]
    starts = sum(map(len, runs.values()))
    return Verdict(slots, starts, outcomes, len(doubles), len(silent), tuple(found), tuple(sorted(lateness)))


def _accounts(ref: ConnectionRef, due: DueSlots, rows: Sequence[SlotRecord], evidence: Evidence) -> Iterable[str]:
    """S2: every slot whose time is over has a record, its own or a range that it lies in."""
    resolve = evidence.profiles[ref.platform].resolve_after
    for at in unrecorded(due, rows, resolve, evidence.read_at.timestamp()):
        yield f"S2 {ref} has no record of the slot at {_at(at)}"


Around = tuple[DueSlots, Evidence, tuple[TrueJob, ...], tuple[Claimed, ...]]
"""What there is around every record of one connection."""


def _records(ref: ConnectionRef, rows: Sequence[SlotRecord], around: Around) -> Iterable[str]:
    """S2, S8, L1 and agreement: each record is about a slot, about it alone, final in time, and says what was."""
    due, evidence, rows_of_jobs, _ = around
    slots, jobs = set(due.slots), {job.job_id: job for job in rows_of_jobs}
    final_from = evidence.read_at.timestamp() - FINAL_AFTER
    for record in rows:
        at, name = instant_of(record), f"{record.word} of {record.slot}"
        inside = spoken_for(due, record)
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
            case = Case(record, at, *around)
            yield from (f"S2 {name}, decided at {record.decided_at:%d %H:%M:%S}: {text}" for text in unjustified(case))
    yield from (f"S2 {ref} has {count} records of the slot at {_at(at)}" for at, count in recorded_twice(due, rows))


def _started(record: SlotRecord, jobs: Mapping[str, TrueJob], name: str) -> Iterable[str]:
    """A slot that was started has a sync of its connection: the one that its POST made, or one that was adopted."""
    job = jobs.get(record.job_id or "")
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
    slots = (job for job in jobs if job.kind is JobKind.SYNC and not _is_requested(job))
    starts = [job.created_at.timestamp() for job in slots]
    for slot in unmatched(start_windows(due, rows), starts):
        yield f"S2 {slot} is recorded as started, and no job of {ref} is left for it"


def _is_requested(job: TrueJob) -> bool:
    """Whether somebody asked for it: then it is no slot's."""
    return job.post is not None and job.post.claim is not None and bool(job.post.claim.claim.request)


def fenced(epochs: Iterable[tuple[str, int]]) -> Iterable[str]:
    """S5: in the order of their commits, the epochs of a platform never decrease."""
    newest: dict[str, int] = {}
    for platform, epoch in epochs:
        if epoch < newest.get(platform, epoch):
            yield f"S5 {platform} was written to under epoch {epoch}, after epoch {newest[platform]}"
        newest[platform] = max(epoch, newest.get(platform, epoch))


def punctual(lateness: Iterable[float]) -> Iterable[str]:
    """L2: of the starts that nothing stood against, 99 of 100 came within two seconds."""
    rows = sorted(lateness)
    if rows and (late := rows[min(int(len(rows) * PUNCTUAL_SHARE), len(rows) - 1)]) > PUNCTUAL_SECONDS:
        yield f"L2 of {len(rows)} starts that nothing stood against, one of a hundred was {late:.1f} s late or more"


def _without_queue(starts: Sequence[tuple[float, Case]]) -> list[tuple[float, Case]]:
    """Lateness without the time in which the platform's write permits were in use for starts that were due at the same instant."""
    found, ahead = list[tuple[float, Case]](), Counter[tuple[str, int]]()
    for seconds, case in sorted(starts, key=lambda start: start[1].decided):
        platform, profile = case.record.slot.ref.platform, case.evidence.profiles[case.record.slot.ref.platform]
        rounds = ahead[platform, case.at] // profile.write_concurrency
        ahead[platform, case.at] += 1
        found.append((seconds - rounds * ROUND_TRIP_SECONDS, case))
    return found


def _unhindered(starts: Sequence[tuple[float, Case]]) -> list[float]:
    """The lateness of the starts that nothing stood against; where none of them was late the others need no looking at."""
    late = [seconds for seconds, case in starts if seconds > PUNCTUAL_SECONDS and _was_unhindered(case)]
    return [seconds for seconds, case in starts if _was_unhindered(case)] if late else []


def _was_unhindered(case: Case) -> bool:
    """Whether neither a fault, nor a job, nor the spec stood against a start at any time since shortly before its slot."""
    record, due = case.record, case.due
    spec = due.spec_at(record.slot.scheduled_at.timestamp())
    if spec is None or record.adopted or record.outcome is not Outcome.TRIGGERED or spec != due.spec_at(case.decided):
        return False
    return not hindered(case, spec, due.fires(spec, case.at))


def _at(at: int) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%SZ}"
