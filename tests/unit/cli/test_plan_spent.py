"""What a plan takes from the controller that runs is told with it."""

from datetime import UTC, datetime, timedelta

from controller.cli.planning.plan import spent_notes
from controller.model.plan import Plan, PlanningInput
from controller.reconcile.preview import Preview

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def preview_of(spent: dict[str, datetime]) -> Preview:
    """A preview of nothing."""
    return Preview(PlanningInput(NOON, "", {}, ()), Plan(NOON, ()), spent=spent)


def test_a_spent_allowance_is_told_with_its_source() -> None:
    """The platform, since when, and that conditions in the store say so; nothing where nothing is spent."""
    (text,) = spent_notes(preview_of({"acme": NOON - timedelta(minutes=1)}))
    assert "platform acme" in text
    assert "conditions in the store (BlastRadius since 11:59:00Z)" in text
    assert spent_notes(preview_of({})) == []
