"""The page of faults: every test that it names exists."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROWS = re.findall(r"^\| ([PF]\d+) \|.*\| (.*) \|$", (ROOT / "docs" / "faults.md").read_text(), re.MULTILINE)
NODES = sorted({node for _, tests in ROWS for node in re.findall(r"`([^`]+)`", tests)})


def is_there(node: str) -> bool:
    """Whether a file has a test of this name."""
    path, _, name = node.partition("::")
    file = ROOT / path
    if not file.is_file():
        return False
    return any(isinstance(each, ast.FunctionDef) and each.name == name for each in ast.parse(file.read_text()).body)


@pytest.mark.parametrize("node", NODES)
def test_every_test_that_is_named_exists(node: str) -> None:
    """A fault is tried by a test of the tree."""
    assert is_there(node)


def test_a_test_that_is_not_there_is_found_out() -> None:
    """Neither a file nor a function can be made up."""
    here = f"tests/unit/{Path(__file__).name}"
    assert is_there(f"{here}::test_every_test_that_is_named_exists")
    assert not is_there(f"{here}::test_nothing")
    assert not is_there("tests/unit/test_nothing.py::test_nothing")


def test_every_fault_has_a_number_of_its_own_and_a_test() -> None:
    """Rows are told apart, and none is a promise alone."""
    numbers = [number for number, _ in ROWS]
    assert len(numbers) == len(set(numbers)) >= 24
    assert all("::test_" in tests for _, tests in ROWS)
