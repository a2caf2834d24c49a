"""The checker over what a store and a platform say: all that `checker` asks, as far as it needs no hidden truth."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from controller.model.identity import ClaimKey
from controller.model.job import JobKind
from controller.model.record import Outcome
from controller.reconcile.books import Books
from controller.simulation.chronicle import Version
from controller.simulation.slots.accounts import (
    FORGIVEN_SECONDS,
    recorded_twice,
    start_windows,
    unmatched,
    unrecorded,
)
from controller.simulation.slots.due import DueSlots


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that should not be, about one slot of a schedule."""

    schedule: str
    connection: str
    scheduled_at: datetime
    message: str


@dataclass(frozen=True, slots=True)
class Findings:
    """What a comparison came to; ``slots``: how many there should have been. ``unread``: schedules that could not be compared."""

    slots: int
    doubled: tuple[Finding, ...]
    missed_silently: tuple[Finding, ...]
    unexplained: tuple[Finding, ...]
    unread: tuple[str, ...]

    @property
    def is_clean(self) -> bool:
        """Whether nothing was found."""
        return not (self.doubled or self.missed_silently or self.unexplained)


def verify(books: Sequence[Books]) -> Findings:
    """Compare the books of every connection."""
    slots, unread = 0, list[str]()
    doubled, silent, unexplained = list[Finding](), list[Finding](), list[Finding]()
    for each in books:
        if each.spec is None or each.standing.calendar_key is None:
            unread.append(
                f"{each.standing.schedule or each.ref}: no spec of it can be read back, only its jobs are compared"
            )
            due = DueSlots((), each.read_at)
        else:
            due = DueSlots((Version(each.since, each.spec),), each.read_at)
        spec = each.spec
        if spec is not None:
            now = each.read_at.timestamp()
            slots += sum(due.fires(spec, at) <= now for at in due.slots)
        doubled += [*_records_twice(each, due), *_jobs_twice(each)]
        silent += _silent(each, due)
        unexplained += [*_strangers(each), *_without_job(each, due)]
    return Findings(slots, tuple(doubled), tuple(silent), tuple(unexplained), tuple(unread))


def _finding(books: Books, at: int | datetime, message: str) -> Finding:
    instant = at if isinstance(at, datetime) else datetime.fromtimestamp(at, UTC)
    return Finding(books.standing.schedule, str(books.ref), instant, message)


def _records_twice(books: Books, due: DueSlots) -> Iterable[Finding]:
    for at, count in recorded_twice(due, books.records):
        yield _finding(books, at, f"{count} records speak for it")


def _jobs_twice(books: Books) -> Iterable[Finding]:
    """Two jobs of one run, and one job in two records."""
    by_run: dict[ClaimKey, list[str]] = defaultdict(list)
    for job_id, key in books.owners.items():
        if key.slot.ref == books.ref:
            by_run[key].append(job_id)
    for key, ids in sorted(by_run.items()):
        if len(ids) > 1:
            yield _finding(books, key.slot.scheduled_at, f"run {key.run} has {len(ids)} jobs: {', '.join(sorted(ids))}")


def _silent(books: Books, due: DueSlots) -> Iterable[Finding]:
    decided = books.standing.watermark
    for at in unrecorded(due, books.records, books.profile.resolve_after, books.read_at.timestamp()):
        is_behind = decided is None or at > decided.timestamp()
        until = "ever" if decided is None else f"after {decided:%Y-%m-%d %H:%M:%SZ}"
        why = f"no controller decided anything of it {until}" if is_behind else "and slots after it are decided"
        yield _finding(books, at, f"its time was over {FORGIVEN_SECONDS} s ago or more, it has no record, {why}")


def _strangers(books: Books) -> Iterable[Finding]:
    """Jobs of records that the platform does not have, that belong elsewhere, or that stand in two records."""
    first: dict[str, datetime] = {}
    for record in books.records:
        job_id, at = record.job_id, record.slot.scheduled_at
        if job_id is None:
            continue
        if job_id in books.missing:
            yield _finding(books, at, f"its job {job_id} is not on the platform")
        elif job_id in books.elsewhere:
            yield _finding(books, at, f"its job {job_id} belongs to {books.elsewhere[job_id]}")
        if job_id in first:
            yield _finding(books, at, f"its job {job_id} is that of {first[job_id]:%Y-%m-%dT%H:%M:%SZ} as well")
        first.setdefault(job_id, at)


def _without_job(books: Books, due: DueSlots) -> Iterable[Finding]:
    """Started slots for which no sync is left in their window, without looking at ids; those that lost theirs are told already."""
    lost = {*books.missing, *books.elsewhere}
    rows = [
        each
        for each in books.records
        if each.outcome is Outcome.TRIGGERED and each.job_id not in lost and each.slot.scheduled_at > books.since
    ]
    requested = {job_id for job_id, key in books.owners.items() if key.slot.is_request}
    syncs = (job for job in books.listed if job.kind is JobKind.SYNC and job.job_id not in requested)
    starts = [job.created_at.timestamp() for job in syncs]
    tolerance = books.profile.clock_tolerance.total_seconds() + 1.0
    for slot in unmatched(start_windows(due, rows, tolerance), starts):
        yield _finding(
            books, slot.scheduled_at, "it is recorded as started, and the platform shows no sync left for it"
        )
