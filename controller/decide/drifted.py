"""Whether a connection's own settings on its platform are other than its schedule needs."""

from datetime import datetime

from controller.decide.against import Against
from controller.decide.drift import beside_text, is_at_rest, is_suspended, sight_of
from controller.decide.rules import inactivity
from controller.model.drift import CorrectionStatus, DriftField
from controller.model.plan import ConnectionFacts
from controller.model.record import Reason


def drift_of(facts: ConnectionFacts, now: datetime) -> Against | None:
    """What of a connection that was read differs from what is desired; what the spec ignores does not count."""
    spec = facts.spec
    if spec is None or (facts.connection is not None and is_at_rest(facts)):
        return None
    schedule = sight_of(facts, DriftField.SCHEDULE, now)
    if schedule is not None and schedule.differs:
        return Reason.DOUBLE_SCHEDULED, beside_text(spec, facts.connection, schedule)
    if facts.connection is None:
        return None if is_suspended(spec, now) else inactivity(facts)
    status = sight_of(facts, DriftField.STATUS, now)
    if status is None or not status.differs:
        return None
    reason = Reason.SUSPENDED if is_suspended(spec, now) else Reason.CONNECTION_INACTIVE
    return reason, f"the connection is {status.observed} on the platform"


def is_refused(facts: ConnectionFacts) -> bool:
    """Whether the platform refused the last correction of a field that still differs; it is asked again after a pause."""
    for field, noted in facts.standing.drifts.items():
        made = [each for each in facts.standing.corrections if each.field is field and each.at >= noted.began_at]
        newest = max(made, key=lambda correction: correction.at, default=None)
        if noted.stands and newest is not None and newest.status is CorrectionStatus.REFUSED:
            return True
    return False
