"""How much one cycle may do to a platform: what goes beyond is held, and told."""

from collections.abc import Iterable
from typing import get_args

from controller.model.plan import (
    Action,
    CancelJob,
    ConnectionPlan,
    CorrectConnection,
    PlanningInput,
    TriggerSync,
    Write,
)
from controller.model.record import Reason

RADIUS_BOUND = (CancelJob, CorrectConnection)
"""Writes to a platform other than starts: each changes or ends what somebody may rely on."""

WRITES = get_args(Write)
"""The kinds of all that is sent to a platform."""


def is_bound(action: Action) -> bool:
    """Whether an action counts against what a platform gets between two full resyncs."""
    return isinstance(action, RADIUS_BOUND)


def spent_by(plans: Iterable[ConnectionPlan]) -> dict[str, int]:
    """How many such writes plans hold, by platform."""
    return _count(plans, RADIUS_BOUND)


def written_by(plans: Iterable[ConnectionPlan]) -> dict[str, int]:
    """How many requests of any kind plans hold, by platform."""
    return _count(plans, WRITES)


def _count(plans: Iterable[ConnectionPlan], kinds: type[Action] | tuple[type[Action], ...]) -> dict[str, int]:
    found: dict[str, int] = {}
    for plan in plans:
        for action in plan.actions:
            if isinstance(action, kinds):
                found[plan.ref.platform] = found.get(plan.ref.platform, 0) + 1
    return found


class Radius:
    """What is still allowed while one plan is put together."""

    def __init__(self, known: PlanningInput) -> None:
        self._platforms = known.platforms
        self._spent: dict[str, int] = {}
        self._triggers = known.triggers_max

    def objection(self, plan: ConnectionPlan) -> tuple[Reason, str] | None:
        """What stands against the writes of a connection's plan, if anything does."""
        name = plan.ref.platform
        facts = self._platforms.get(name)
        left = None if facts is None or facts.writes_left is None else facts.writes_left - self._spent.get(name, 0)
        if facts is not None and left is not None and left <= 0 and _is_bound(plan):
            return Reason.BLAST_RADIUS, _message(name, facts.writes_max)
        if self._triggers is not None and self._triggers <= 0 and _starts(plan):
            return Reason.AWAITING_TURN, "one cycle starts no more syncs; the next one does, at once"
        return None

    def spend(self, plan: ConnectionPlan) -> None:
        """Count what a connection's plan does."""
        name = plan.ref.platform
        if _is_bound(plan):
            self._spent[name] = self._spent.get(name, 0) + 1
        if self._triggers is not None and _starts(plan):
            self._triggers -= 1


def _is_bound(plan: ConnectionPlan) -> bool:
    return any(isinstance(action, RADIUS_BOUND) for action in plan.actions)


def _starts(plan: ConnectionPlan) -> bool:
    return any(isinstance(action, TriggerSync) for action in plan.actions)


def _message(platform: str, most: int) -> str:
    return (
        f"platform {platform} got {most:,} cancels and writes to connections since the last full resync, the most that is allowed;"
        " this one waits for the next full resync. If so many are meant, raise write_count under [safety] in the settings"
    )


def beyond(known: PlanningInput, plans: Iterable[ConnectionPlan]) -> dict[str, str]:
    """Platforms that a plan does too much to, with what is too much."""
    rows = list(plans)
    found: dict[str, str] = {}
    for name, count in spent_by(rows).items():
        left = known.platforms[name].writes_left
        if left is not None and count > left:
            found[name] = f"{count} cancels and writes to connections where {left} are left"
    triggers = _count(rows, TriggerSync)
    starts = sum(triggers.values())
    if known.triggers_max is not None and starts > known.triggers_max:
        found |= dict.fromkeys(triggers, f"{starts} starts in one cycle that may decide {known.triggers_max}")
    return found
