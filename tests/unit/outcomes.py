"""Which reasons each outcome of a slot may have."""

from controller.decide.explain import MISSED
from controller.model.record import STOOD_AGAINST, Outcome, Reason


def reasons_of(outcome: Outcome) -> tuple[Reason | None, ...]:
    """The reasons that an outcome may have, in the order of the closed list."""
    match outcome:
        case Outcome.SKIPPED:
            return tuple(reason for reason in Reason if reason in STOOD_AGAINST)
        case Outcome.MISSED:
            return tuple(MISSED)
        case Outcome.HELD:
            return tuple(Reason)
        case _:
            return (None,)
