"""Many days of the whole controller under faults, in two processes: ``make soak``, or ``python -m benchmarks.simulation_soak --help``.

It prints what they came to, keeps each seed that broke a promise, made small, in ``tests/seeds``, and ends with exit code 1 if one did.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial

from controller.model.record import Outcome, Reason
from controller.model.schedule import WhenInDoubt
from controller.simulation.chronicle import Journal
from controller.simulation.faults import NOT_DRAWN, FaultKind, Severity
from controller.simulation.judge.evidence import Evidence
from controller.simulation.judge.lateness import FIGURES, waits_of
from tests.simulation.meetings import meetings
from tests.simulation.seeds import numbered, reported

PROCESSES = 2
SEEDS = 2400
DAYS = 1.0
"""About an hour on two cores."""

SHOWN = 5

LATE_SECONDS = 300.0
WISH, NEITHER = "no outage, the wish of the schedule", "no outage and no wish"


@dataclass(slots=True)
class Tally:
    """What some seeds came to. ``attempted`` and ``skipped``: slots with a POST, and those of them left because nobody knew its outcome.

    ``lateness``: starts by figure and seconds. ``later``: starts later than `LATE_SECONDS`, by every outage that hit them.
    """

    days: float = 0.0
    cpu: float = 0.0
    slots: int = 0
    starts: int = 0
    doubles: int = 0
    silent: int = 0
    lives: int = 0
    broken: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    attempted: Counter[WhenInDoubt] = field(default_factory=Counter)
    skipped: Counter[WhenInDoubt] = field(default_factory=Counter)
    hits: Counter[tuple[FaultKind, Journal]] = field(default_factory=Counter)
    lateness: Counter[tuple[str, float]] = field(default_factory=Counter)
    later: Counter[str] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)

    def add(self, other: "Tally") -> None:
        """Add what other seeds came to."""
        for name in ("days", "cpu", "slots", "starts", "doubles", "silent", "lives", "broken"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in ("outcomes", "attempted", "skipped", "hits", "lateness", "later"):
            getattr(self, name).update(getattr(other, name))
        self.failed += other.failed

    def inspect(self, evidence: Evidence) -> None:
        """Count what became of slots with a POST, by what their schedules want in doubt; an edit leaves that as it is."""
        for ref, rows in evidence.records.items():
            specs = [version.spec for version in evidence.chronicle.versions.get(ref, ()) if version.spec is not None]
            for record in rows if specs else ():
                was_left = (record.outcome, record.reason) == (Outcome.SKIPPED, Reason.IN_DOUBT)
                self.attempted[specs[0].when_in_doubt] += was_left or record.outcome is Outcome.TRIGGERED
                self.skipped[specs[0].when_in_doubt] += was_left
        for wait in waits_of(evidence):
            for figure in FIGURES:
                if (seconds := figure.of(wait)) is not None:
                    self.lateness[figure.name, round(seconds, 1)] += 1
            if wait.seconds > LATE_SECONDS:
                self.later.update(wait.hit_by or [WISH if wait.by_wish else NEITHER])

    def late(self, share: float, name: str) -> float:
        """The lateness in seconds that this share of the starts of a figure stays below or at."""
        found = sorted((seconds, count) for (figure, seconds), count in self.lateness.items() if figure == name)
        wanted, seen = share * sum(count for _, count in found), 0
        for seconds, count in found:
            seen += count
            if seen >= wanted:
                return seconds
        return 0.0


def lived(number: int, family: str, days: float, severity: Severity | None) -> Tally:
    """Live through one seed; what fails is made small and kept."""
    drawn, tally, began = numbered(family, number, days, severity), Tally(days=days), time.process_time()
    result = drawn.live(inspect=tally.inspect)
    tally.cpu = time.process_time() - began
    verdict = result.verdict
    tally.slots, tally.starts, tally.doubles, tally.silent = (
        verdict.slots,
        verdict.starts,
        verdict.doubles,
        verdict.silent,
    )
    tally.lives, tally.outcomes, tally.hits, tally.broken = (
        result.lives,
        verdict.outcomes,
        result.hits,
        len(verdict.violations),
    )
    if verdict.violations:
        tally.failed.append(reported(drawn, verdict.violations))
    return tally


def rows_of(tally: Tally, calm: Tally, elapsed: float) -> Iterator[tuple[str, str]]:
    """The figures."""
    yield "simulated days", f"{tally.days:,.0f}"
    yield "days per CPU minute", f"{tally.days / tally.cpu * 60:.1f}"
    yield "minutes", f"{elapsed / 60:.1f}"
    yield "starts of a controller", f"{tally.lives:,}"
    yield "slots", f"{tally.slots:,}"
    yield "jobs started", f"{tally.starts:,}"
    yield "doubles", f"{tally.doubles:,}"
    yield "silent misses", f"{tally.silent:,}"
    for word, count in tally.outcomes.most_common():
        yield f"outcome {word}", f"{count:,} ({count / tally.slots:.2%})"
    for policy in WhenInDoubt:
        attempted, skipped = tally.attempted[policy] or 1, tally.skipped[policy]
        yield f"skipped after a POST, whenInDoubt {policy}", f"{skipped:,} of {attempted:,} ({skipped / attempted:.3%})"
    attempted, skipped = tally.attempted[WhenInDoubt.RETRY] or 1, tally.skipped[WhenInDoubt.RETRY]
    # Doubles of both are taken from it: there are none, and if there were one nobody would look at this figure first.
    yield "exactly once after a POST, whenInDoubt Retry", f"{(attempted - skipped - tally.doubles) / attempted:.3%}"
    for name, each, prefix in (
        *((figure.name, tally, "late under faults") for figure in FIGURES),
        (FIGURES[0].name, calm, "late on calm days"),
    ):
        yield f"{prefix}, {name}, p50 and p99", f"{each.late(0.5, name):.1f} s, {each.late(0.99, name):.1f} s"
    for word, count in tally.later.most_common():
        yield f"starts later than {LATE_SECONDS:.0f} s that met: {word}", f"{count:,}"
    met = [each for each in meetings() if each[0] not in NOT_DRAWN]
    yield "faults and states that met", f"{sum(tally.hits[each] > 0 for each in met)} of {len(met)}"
    for kind, state in sorted(met, key=lambda each: tally.hits[each])[:SHOWN]:
        yield f"the rarest: {kind} while {state}", f"{tally.hits[kind, state]:,}"
    yield "violations", f"{tally.broken:,} in {len(tally.failed):,} seeds"


def main() -> int:
    """Live through all seeds and print what they came to."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.simulation_soak", description="Simulate many days.")
    parser.add_argument("--seeds", type=int, default=SEEDS, help=f"how many ({SEEDS})")
    parser.add_argument("--days", type=float, default=DAYS, help=f"how long each is ({DAYS:g})")
    parser.add_argument("--severity", choices=[str(each) for each in Severity], help="(standard and heavy in turn)")
    parser.add_argument("--family", default="soak", help="other seeds (soak)")
    asked = parser.parse_args()
    severity = None if asked.severity is None else Severity(asked.severity)
    began, tally, calm = time.monotonic(), Tally(), Tally()
    with ProcessPoolExecutor(PROCESSES) as pool:
        one = partial(lived, family=asked.family, days=asked.days, severity=severity)
        for number, each in enumerate(pool.map(one, range(asked.seeds)), 1):
            tally.add(each)
            for text in each.failed:
                sys.stdout.write(text)
            if number % 100 == 0:
                sys.stderr.write(f"{number} of {asked.seeds} seeds, {tally.broken} violations\n")
        for each in pool.map(partial(lived, family="calm", days=asked.days, severity=Severity.NONE), range(PROCESSES)):
            calm.add(each)
            tally.failed += each.failed
    for name, value in rows_of(tally, calm, time.monotonic() - began):
        sys.stdout.write(f"{name:74}{value}\n")
    return 1 if tally.failed else 0


if __name__ == "__main__":
    sys.exit(main())
