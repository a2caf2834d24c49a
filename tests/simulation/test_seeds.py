"""The whole controller under faults, seed after seed: nothing doubled, nothing lost silently, and the same again from the same seed."""

import os
import subprocess
import sys
from collections import Counter

import pytest

from controller.simulation.faults import NOT_DRAWN, FaultKind, Severity
from controller.simulation.run import Result, simulate
from controller.simulation.scene import drawn_scene
from controller.simulation.shrink import fails_alike, reproduction, shrink

SEEDS = 16
"""Half a day each: what fits into the time that a change may wait for."""

DAYS = 0.5


@pytest.fixture(scope="module")
def results() -> list[Result]:
    """Every seed, lived through once; every other one with many more faults."""
    severities = (Severity.STANDARD, Severity.HEAVY)
    return [
        simulate(drawn_scene(f"ci/{number}", days=DAYS, severity=severities[number % 2])) for number in range(SEEDS)
    ]


def explain(result: Result) -> str:
    """The shortest way to see a failing seed again."""
    first = result.verdict.violations[0]
    faults = shrink(result.faults, fails_alike(result.scene, first.split()[0]))
    return reproduction(result.scene, faults, result.verdict.violations)


def test_no_seed_breaks_a_promise(results: list[Result]) -> None:
    """Whatever goes wrong, no run starts twice, no slot is without an outcome, and each outcome has its reason."""
    failed = [result for result in results if result.verdict.violations]
    assert not failed, explain(failed[0])
    assert sum(result.verdict.slots for result in results) > SEEDS * DAYS * 5 * 80


def test_every_fault_happened(results: list[Result]) -> None:
    """A fault that never happens tests nothing; crashes happen in every state of the journal."""
    kinds = Counter[FaultKind]()
    for result in results:
        for (kind, _), count in result.hits.items():
            kinds[kind] += count
    assert {kind for kind in FaultKind if not kinds[kind]} == set(NOT_DRAWN)


def test_no_fault_no_miss() -> None:
    """On a calm day nothing is missed, and starts are in time."""
    result = simulate(drawn_scene("calm", days=0.25, severity=Severity.NONE))
    assert result.verdict.violations == ()
    assert not any(word.startswith("Missed") for word in result.verdict.outcomes)
    assert result.verdict.late(0.5) <= 1


def trace_of(hash_seed: str) -> str:
    """The trace of a simulation in a process with other hashes."""
    program = (
        "from controller.simulation.run import simulate;"
        "from controller.simulation.scene import drawn_scene;"
        "print(simulate(drawn_scene('twice', days=0.1)).trace)"
    )
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    ran = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    return ran.stdout.strip()


def test_the_same_seed_gives_the_same_trace() -> None:
    """A failing seed can be lived through again, in any process."""
    here = simulate(drawn_scene("twice", days=0.1)).trace
    assert {here, trace_of("1"), trace_of("2")} == {simulate(drawn_scene("twice", days=0.1)).trace}
    assert here != simulate(drawn_scene("another", days=0.1)).trace
