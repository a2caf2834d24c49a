"""The page of threats: every test that it names exists, and no threat is without one."""

import re
from pathlib import Path

import pytest

from tests.unit.test_faults_page import is_there

PAGE = (Path(__file__).parents[2] / "docs" / "threats.md").read_text()
ROWS = re.findall(r"^\| (T\d+) \|.*\| (.*) \|$", PAGE, re.MULTILINE)
NODES = sorted({node for _, tests in ROWS for node in re.findall(r"`([^`]+)`", tests)})


@pytest.mark.parametrize("node", NODES)
def test_every_test_that_is_named_exists(node: str) -> None:
    """A control is tried by a test of the tree."""
    assert is_there(node)


def test_every_threat_has_tests_or_is_said_to_be_open() -> None:
    """Of the twelve, nine have a row with tests; of the others the page says what there is."""
    numbers = [number for number, _ in ROWS]
    assert numbers == [f"T{n}" for n in (1, 2, 3, 4, 5, 6, 10, 11, 12)]
    assert all("::test_" in tests for _, tests in ROWS)
    open_ones = PAGE.partition("## What is not there")[2]
    assert all(f"- T{n}, " in open_ones for n in (7, 8, 9))
