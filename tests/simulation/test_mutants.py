"""Defects by hand, at least one for each rule of the protocol: each is found, and what finds it has nothing to say of the tree as it is."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulation.mutants.catalogue import LIVED, MUTANTS, TESTED
from tests.simulation.mutants.journal import ACT
from tests.simulation.mutants.mutant import Edit, Mutant, PassageMoved, edited, source_of
from tests.simulation.mutants.stretches import STRETCHES, lived

ROOT = Path(__file__).parent.parent.parent

RULES = [*(f"R{number}" for number in range(1, 14)), "S12"]


def hunted(mutant: Mutant) -> subprocess.CompletedProcess[str]:
    """A process that lives, or is tested, with a mutant in it: 0 if it was found, 1 if it survived."""
    program = [sys.executable, "-m", "tests.simulation.mutants.killing", mutant.name]
    # Nothing that is compiled with a mutant in it may be found by anybody else.
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(program, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_every_rule_has_a_mutant() -> None:
    """A rule that no defect breaks might as well not be kept; each name is there once, and each stretch is needed."""
    assert {mutant.rule for mutant in MUTANTS} == set(RULES)
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS)
    assert {mutant.stretch for mutant in MUTANTS if mutant.stretch} == set(STRETCHES)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: f"{mutant.rule}: {mutant.name}")
def test_a_mutant_is_found(mutant: Mutant) -> None:
    """Within the seeds of its stretch, or by the test that watches over its rule."""
    ran = hunted(mutant)
    print(f"| {mutant.rule} | {mutant.name} | {ran.stdout.strip().splitlines()[-1:]}")
    assert ran.returncode == 0, f"{mutant.what}: {ran.stdout[-2000:]}{ran.stderr[-2000:]}"


@pytest.mark.parametrize("name", STRETCHES)
def test_the_tree_as_it_is_lives_through_the_same(name: str) -> None:
    """What a mutant is found by is no fault of the seeds."""
    results = list(lived(name))
    assert [text for result in results for text in result.verdict.violations] == []
    assert len(results) == STRETCHES[name].seeds


@pytest.mark.parametrize("harmless", [LIVED, TESTED], ids=lambda mutant: mutant.name)
def test_a_harmless_change_is_not_found(harmless: Mutant) -> None:
    """Neither the seeds nor the tests object to a change of nothing, made in the same way."""
    ran = hunted(harmless)
    assert (ran.returncode, "survived" in ran.stdout) == (1, True), ran.stdout[-2000:] + ran.stderr[-2000:]


@pytest.mark.parametrize("old", ["not a line of it", "claim"], ids=["gone", "everywhere"])
def test_a_passage_that_moved_is_noticed(old: str) -> None:
    """A mutant that changes nothing, or more than it says, says so instead of surviving."""
    with pytest.raises(PassageMoved):
        edited(source_of(ACT), [Edit(ACT, old, "")])
