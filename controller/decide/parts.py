"""A decision in the making: parts that several rules contribute to one connection's plan."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from controller.decide.slots import earliest
from controller.model.identity import ConnectionRef
from controller.model.plan import Action, ConnectionPlan, Hold, ListingNeed


@dataclass(frozen=True, slots=True)
class Part:
    """What one rule adds: things to do, reasons not to, when to ask again, what must be seen first."""

    actions: tuple[Action, ...] = ()
    holds: tuple[Hold, ...] = ()
    wake_at: datetime | None = None
    needs: tuple[ListingNeed, ...] = ()


NOTHING = Part()


def joined(*parts: Part) -> Part:
    """Several parts as one; it wakes at the earliest instant that any of them asks for."""
    return Part(
        actions=tuple(action for part in parts for action in part.actions),
        holds=tuple(hold for part in parts for hold in part.holds),
        wake_at=earliest([part.wake_at for part in parts]),
        needs=tuple(need for part in parts for need in part.needs),
    )


def assemble(ref: ConnectionRef, parts: Iterable[Part]) -> ConnectionPlan:
    """Put the parts of one connection together; it wakes at the earliest instant that any of them asks for."""
    whole = joined(*parts)
    return ConnectionPlan(ref, actions=whole.actions, holds=whole.holds, wake_at=whole.wake_at, needs=whole.needs)
