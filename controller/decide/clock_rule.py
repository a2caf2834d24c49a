"""Where the time is in doubt nothing is judged at all."""

from controller.model.plan import ConnectionFacts, ConnectionPlan, Hold, PlanningInput
from controller.model.record import Reason


def judge_clock(facts: ConnectionFacts, known: PlanningInput) -> ConnectionPlan | None:
    """Hold a connection while the time is in doubt; None while it is not.

    An edit waits as well: the instant from which its slots count would be a wrong one. There is no instant at which to ask again: the
    loop asks about everything when the clocks agree.
    """
    platform = known.platforms[facts.ref.platform]
    reason, message = Reason.CLOCK_FROZEN, known.frozen
    if not known.frozen:
        reason, message = Reason.CLOCK_SKEW, platform.skewed
    if not message:
        return None
    if facts.spec is None and facts.standing.calendar_key is None:
        return ConnectionPlan(facts.ref)
    name = facts.spec.name if facts.spec is not None else facts.standing.schedule
    return ConnectionPlan(facts.ref, holds=(Hold(facts.ref, name, reason, message),))
