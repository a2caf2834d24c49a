"""A schedule's conditions for people."""

from collections.abc import Sequence
from datetime import datetime

from controller.cli.page import fitted_table, moment, printable, since
from controller.cli.terminal import Cell, Paint
from controller.model.condition import Condition, ConditionStatus, ConditionType

GOOD = {
    ConditionType.READY: ConditionStatus.TRUE,
    ConditionType.RECONCILING: ConditionStatus.FALSE,
    ConditionType.STALLED: ConditionStatus.FALSE,
    ConditionType.DRIFTED: ConditionStatus.FALSE,
    ConditionType.HEALTHY: ConditionStatus.TRUE,
    ConditionType.IN_WINDOW: ConditionStatus.TRUE,
}
"""The status of each that nobody need look at."""

ALARMING = (ConditionType.READY, ConditionType.STALLED, ConditionType.DRIFTED, ConditionType.HEALTHY)
"""Those whose other status is a matter for somebody."""


def status_cell(condition: Condition) -> Cell:
    """The status in its colour."""
    if condition.status is ConditionStatus.UNKNOWN:
        return Cell(str(condition.status), "dim")
    if condition.status is GOOD[condition.type]:
        return Cell(str(condition.status), "green")
    return Cell(str(condition.status), "red" if condition.type in ALARMING else "yellow")


def conditions_table(conditions: Sequence[Condition], now: datetime, paint: Paint, width: int | None) -> str:
    """Each condition with since when, and why."""
    rows = [
        (
            Cell(str(each.type), "bold"),
            status_cell(each),
            since(each.last_transition_at, now) if each.last_transition_at is not None else "-",
            str(each.reason),
            each.message,
        )
        for each in conditions
    ]
    return fitted_table(("CONDITION", "STATUS", "SINCE", "REASON", "WHY"), rows, paint, width)


def ready_text(conditions: Sequence[Condition], now: datetime) -> str:
    """Whether it is ready, since when, and why."""
    ready = next((each for each in conditions if each.type is ConditionType.READY), None)
    if ready is None:
        return ""
    at = ready.last_transition_at
    begun = f" since {moment(at, now)}" if at is not None else ""
    return f"{ready.status}{begun}, {ready.reason}: {printable(ready.message)}"
