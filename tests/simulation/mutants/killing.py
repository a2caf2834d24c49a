"""The program that lives, or is tested, with one mutant in it: ``python -m tests.simulation.mutants.killing NAME``.

It prints what found the mutant and ends with 0, or with 1 if nothing did.
"""

import sys
import time

import pytest

from tests.simulation.mutants.catalogue import BY_NAME
from tests.simulation.mutants.mutant import Grafting, Mutant


def main() -> int:
    """Put the mutant in place, and look for it."""
    mutant = BY_NAME[sys.argv[1]]
    grafting = Grafting(mutant)
    sys.meta_path.insert(0, grafting)
    found = _by_seeds(mutant) if mutant.stretch else _by_tests(mutant)
    assert grafting.is_complete, f"never imported: {mutant.edits}"
    sys.stdout.write(f"{found or 'survived'} in {time.process_time():.1f} CPU s\n")
    return 0 if found else 1


def _by_seeds(mutant: Mutant) -> str:
    # Only now, because it imports what is to be changed.
    from tests.simulation.mutants.stretches import lived  # noqa: PLC0415

    for result in lived(mutant.stretch):
        for text in result.verdict.violations:
            if text.startswith(mutant.finds):
                return f"seed {result.scene.seed}: {text}"
    return ""


def _by_tests(mutant: Mutant) -> str:
    code = pytest.main(["-x", "-q", "-p", "no:cacheprovider", "--no-header", *mutant.test.split()])
    return mutant.test if code is pytest.ExitCode.TESTS_FAILED else ""


if __name__ == "__main__":
    sys.exit(main())
