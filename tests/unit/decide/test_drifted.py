"""What a refused correction means for the conditions."""

import pytest

from controller.decide.conditions import judge_conditions
from controller.model.condition import ConditionType
from controller.model.drift import Correction, CorrectionStatus, DriftField, NotedDrift
from controller.model.schedule import Drift
from tests.unit.decide.given import REF, Given, at, decide, spec, standing

ENFORCED = spec(drift_schedule=Drift.ENFORCE)


def reconciling(status: CorrectionStatus, asked: str = "10:00:30", ended: str = "") -> str:
    """Status and reason of Reconciling where the schedule differs since 10:00, and one correction was asked for."""
    field, before, manual = DriftField.SCHEDULE, "every 5m", "manual"
    ended_at = at(ended) if ended else None
    noted = NotedDrift(REF, field, Drift.ENFORCE, manual, before, at("10:00"), 1, ended_at)
    correction = Correction(REF, field, at(asked), before, manual, 1, 1, status)
    given = Given(
        now="10:01", spec=ENFORCED, standing=standing(ENFORCED, drifts={field: noted}, corrections=(correction,))
    )
    verdicts = judge_conditions(given.facts(), decide(given), given.platform(), at(given.now))
    found = next(each for each in verdicts if each is not None and each.type is ConditionType.RECONCILING)
    return f"{found.status} {found.reason}"


def test_a_refused_correction_is_tried_again() -> None:
    """That is under way, as long as the setting differs."""
    assert reconciling(CorrectionStatus.REFUSED) == "True Refused"


@pytest.mark.parametrize(
    ("status", "asked", "ended"),
    [
        (CorrectionStatus.TAKEN, "10:00:30", ""),
        (CorrectionStatus.REFUSED, "09:50", ""),
        (CorrectionStatus.REFUSED, "10:00:30", "10:00:50"),
    ],
)
def test_nothing_else_about_corrections_is_under_way(status: CorrectionStatus, asked: str, ended: str) -> None:
    """One that was taken, one of an earlier drift, and one whose drift somebody else has ended."""
    assert reconciling(status, asked, ended) == "False Settled"
