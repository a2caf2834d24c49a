"""The last line of a plan: everything that it lists is counted, and what changes a platform is told from the controller's own books."""

import ast
from datetime import UTC, datetime
from pathlib import Path

import pytest

from controller.cli.planning import plan_rows
from controller.cli.planning.plan_rows import BOOKKEEPING, WRITES, ActionRow, PlanRows
from controller.cli.planning.plan_text import counts
from controller.model.identity import ConnectionRef

REF = ConnectionRef("acme", "orders")
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def plan_of(*actions: str) -> PlanRows:
    """A plan that lists these actions."""
    return PlanRows(AT, "dir@1", tuple(ActionRow("orders", REF, each, "why") for each in actions), (), ())


@pytest.mark.parametrize("action", [*WRITES, *BOOKKEEPING])
def test_every_action_is_counted(action: str) -> None:
    """None is listed above a line that says that there is nothing to do."""
    said = counts(plan_of(action))
    assert f"1 to {action}" in said
    assert ("nothing to do on a platform" in said) == (action in BOOKKEEPING)
    assert len(plan_of(action).writes) == (action in WRITES)


def test_no_row_has_a_word_of_its_own() -> None:
    """The words by which rows are made are those that are counted."""
    source = ast.parse(Path(plan_rows.__file__).read_text())
    (made,) = [each for each in source.body if isinstance(each, ast.FunctionDef) and each.name == "action_row"]
    texts = {each.value for each in ast.walk(made) if isinstance(each, ast.Constant) and isinstance(each.value, str)}
    assert {text for text in texts if text.isalpha()} == {*WRITES, *BOOKKEEPING}


def test_nothing_is_nothing() -> None:
    """A plan without actions says so once."""
    assert counts(plan_of()) == "0 schedules: nothing to do; 0 held"
