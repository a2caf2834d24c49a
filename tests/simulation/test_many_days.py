"""Whole days of the whole controller under faults, one seed each: what a build lives through beside the mixture of `test_seeds`."""

from dataclasses import replace

import pytest

from tests.simulation.seeds import aligned, reported

SEEDS = 460
"""What fits into the time that a change may wait for; with those of `test_seeds` 500."""

TOGETHER = 20
"""Seeds of one test: enough of them to share out between processes, and few enough names to read."""

WIRED_EACH = 10

SLOTS_A_DAY = 400
"""Fewer of the 480 would mean that a day was not lived through; some fall away with what people delete and suspend."""


@pytest.mark.parametrize("first", range(0, SEEDS, TOGETHER))
def test_no_day_breaks_a_promise(first: int) -> None:
    """Whatever goes wrong in a day, nothing starts twice and nothing is lost silently; through HTTP one in ten leaves the same trace."""
    for number in range(first, first + TOGETHER):
        drawn = aligned("day", number, 1.0)
        result = drawn.live()
        assert not result.verdict.violations, reported(drawn, result.verdict.violations)
        assert result.verdict.slots > SLOTS_A_DAY
        if number % WIRED_EACH == 0:
            assert replace(drawn, is_wired=True).live().trace == result.trace
