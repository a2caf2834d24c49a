"""The whole controller under faults, seed after seed: nothing doubled, nothing lost silently, and the same again from the same seed."""

import os
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from controller.simulation.faults import NOT_DRAWN, FaultKind, Severity
from controller.simulation.run import Result, simulate
from controller.simulation.scene import drawn_scene
from tests.simulation.meetings import IMPOSSIBLE
from tests.simulation.seeds import SavedSeed, numbered, reported, saved_seeds

SEEDS = 40
"""What fits into the time that a change may wait for."""

WIRED_EACH = 10

DAYS = 0.5
"""How long each seed lasts."""


@cache
def lived(number: int) -> Result:
    """A seed, lived through once."""
    return numbered("ci", number, DAYS).live()


def seeds_lived() -> tuple[Result, ...]:
    """Every seed."""
    return tuple(lived(number) for number in range(SEEDS))


def test_no_seed_breaks_a_promise() -> None:
    """Whatever goes wrong, no run starts twice, no slot is without an outcome, and each outcome has its reason."""
    for number, result in enumerate(seeds_lived()):
        broken = result.verdict.violations
        assert not broken, reported(numbered("ci", number, DAYS), broken)
    assert sum(result.verdict.slots for result in seeds_lived()) > SEEDS * DAYS * 5 * 80
    _assert_every_fault_happened()


def _assert_every_fault_happened() -> None:
    """A fault that never happens tests nothing; none did in a state of the journal that it cannot meet."""
    kinds = Counter[FaultKind]()
    for result in seeds_lived():
        assert {meeting for meeting, count in result.hits.items() if count} & IMPOSSIBLE == set()
        for (kind, _), count in result.hits.items():
            kinds[kind] += count
    assert {kind for kind in FaultKind if not kinds[kind]} == NOT_DRAWN


@pytest.mark.parametrize("number", range(0, SEEDS, WIRED_EACH))
def test_one_seed_in_ten_is_the_same_through_http(number: int) -> None:
    """Lived through again with the real adapter and its HTTP client in between, a seed leaves the very same trace."""
    wired = replace(numbered("ci", number, DAYS), is_wired=True).live()
    assert (wired.trace, wired.verdict.violations) == (lived(number).trace, ())


@pytest.mark.parametrize("path", saved_seeds(), ids=lambda path: path.stem)
def test_a_saved_seed_breaks_no_promise(path: Path) -> None:
    """What once broke a promise is lived through again, for ever."""
    saved = SavedSeed.of_text(path.read_text())
    assert saved.drawn.live(saved.faults).verdict.violations == ()


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
