"""The mutants, by the rule of the protocol that each breaks."""

from tests.simulation.mutants.journal import ACT, OF_THE_JOURNAL
from tests.simulation.mutants.mutant import Edit, Mutant
from tests.simulation.mutants.surroundings import OF_THE_SURROUNDINGS

MUTANTS: tuple[Mutant, ...] = (*OF_THE_JOURNAL, *OF_THE_SURROUNDINGS)

UNCHANGED = (Edit(ACT, '"""Carry out a plan.', '"""Carry a plan out.'),)

LIVED = Mutant("", "harmless, and lived with", "no defect: nothing may find it", UNCHANGED, stretch="calm")

TESTED = Mutant(
    "",
    "harmless, and tested",
    "no defect: every test that finds a mutant passes with it",
    UNCHANGED,
    test=" ".join(sorted({mutant.test for mutant in MUTANTS if mutant.test})),
)

BY_NAME = {mutant.name: mutant for mutant in (*MUTANTS, LIVED, TESTED)}
