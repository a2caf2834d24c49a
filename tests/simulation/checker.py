"""Was every slot decided once, started once, and left out only for a good reason? Asked of a finished year, with the brute-force list.

Nothing here is taken from `controller.decide`: slots come from `expected`, and what stood against them from the year as it went.
"""

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from controller.model.identity import SlotKey
from controller.model.record import Outcome, Reason, SlotRecord
from tests.simulation.excuses import against_start, unexcused
from tests.simulation.expected import Expected
from tests.simulation.life import Lived, PlatformJob
from tests.simulation.retries import left_out, unfounded
from tests.simulation.world import World


class Fault(StrEnum):
    """What can be wrong with a year."""

    LOST = "lost"
    DOUBLED = "doubled"
    INVENTED = "invented"
    FORBIDDEN = "forbidden start"
    UNEXCUSED = "unexcused"
    BROKEN = "broken promise"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong."""

    fault: Fault
    text: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a year came to: how many slots and starts, how they ended, and everything that is wrong."""

    slots: int
    triggers: int
    outcomes: Counter[str]
    findings: tuple[Finding, ...]


def judge_year(lived: Lived) -> Verdict:
    """Compare a year with the brute-force list."""
    expected = Expected(lived)
    world = World(lived, expected)
    runs: dict[tuple[int, int], list[PlatformJob]] = defaultdict(list)
    for job in lived.jobs:
        runs[_at(job.key.slot), job.key.run].append(job)
    findings = [Finding(Fault.BROKEN, text) for text in lived.broken]
    findings += _accounts(lived, expected)
    findings += _starts(lived, runs)
    for number, job in enumerate(lived.jobs):
        findings += [Finding(Fault.FORBIDDEN, text) for text in against_start(world, number, job)]
        if job.key.run > 0:
            findings += [Finding(Fault.FORBIDDEN, text) for text in unfounded(world, runs, job)]
        findings += [Finding(Fault.LOST, text) for text in left_out(world, runs, job)]
    for record in lived.records:
        findings += [Finding(Fault.UNEXCUSED, text) for text in _unexcused(record, world, expected)]
    outcomes = Counter[str]()
    for record in lived.records:
        outcomes[record.word] += record.count
    return Verdict(len(expected.slots), len(lived.jobs), outcomes, tuple(findings))


def _at(slot: SlotKey) -> int:
    return int(slot.scheduled_at.timestamp())


def _accounts(lived: Lived, expected: Expected) -> Iterable[Finding]:
    """Each slot whose window is over has one final record or lies in one range, and no record is about anything else."""
    decided = Counter[int]()
    for record in lived.records:
        first = _at(record.slot)
        if record.through is None:
            decided[first] += 1
            continue
        inside = _between(expected.slots, first, int(record.through.timestamp()))
        decided.update(inside)
        if record.count != len(inside) or inside[:1] != [first] or inside[-1] != int(record.through.timestamp()):
            yield Finding(Fault.LOST, f"{record.slot} to {record.through}: {record.count} slots, listed {len(inside)}")
    spec, slots = lived.life.spec_at(lived.life.end), set(expected.slots)
    for at, count in decided.items():
        if at not in slots:
            yield Finding(Fault.INVENTED, f"{lived.life.spec.ref} has a record at {at}, where no slot is")
        elif count > 1:
            yield Finding(Fault.DOUBLED, f"{lived.life.spec.ref} has {count} records of the slot at {at}")
    for at in expected.slots:
        if not decided[at] and expected.deadline(spec, at, expected.end) + 1 < expected.end:
            yield Finding(Fault.LOST, f"{lived.life.spec.ref} has no record of the slot at {at}")


def _between(slots: list[int], first: int, last: int) -> list[int]:
    return slots[bisect_left(slots, first) : bisect_right(slots, last)]


def _starts(lived: Lived, runs: dict[tuple[int, int], list[PlatformJob]]) -> Iterable[Finding]:
    """A slot that was started has one job, a run never has two, and no job is without a slot that was started."""
    for (at, run), jobs in runs.items():
        if len(jobs) > 1:
            yield Finding(
                Fault.DOUBLED, f"{lived.life.spec.ref} has {len(jobs)} jobs for run {run} of the slot at {at}"
            )
    triggered = {record.slot: record for record in lived.records if record.outcome is Outcome.TRIGGERED}
    for slot, record in triggered.items():
        made = [job.job_id for job in runs.get((_at(slot), 0), [])]
        if record.job_id not in made:
            yield Finding(Fault.LOST, f"{slot} is recorded as started, and {record.job_id} is not among its jobs")
    # Of a claim that stayed in doubt nobody can say whether it made a job.
    unknown = {record.slot for record in lived.records if record.reason is Reason.IN_DOUBT} | {lived.open_claim}
    for job in lived.jobs:
        if job.key.slot not in triggered and job.key.slot not in unknown:
            yield Finding(Fault.DOUBLED, f"{job.job_id} began for {job.key.slot}, which is not recorded as started")


def _unexcused(record: SlotRecord, world: World, expected: Expected) -> Iterable[str]:
    if record.through is None:
        yield from unexcused(world, record, _at(record.slot))
        return
    for at in _between(expected.slots, _at(record.slot), int(record.through.timestamp())):
        yield from unexcused(world, record, at)
