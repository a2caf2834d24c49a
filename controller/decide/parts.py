"""A decision in the making: parts that several rules contribute to one connection's plan."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from controller.decide.slots import earliest
from controller.model.identity import ConnectionRef
from controller.model.plan import Action, ConnectionPlan, Hold, ListingNeed


@dataclass(frozen=True, slots=True)
class Part:
    """What one rule adds: things to do, reasons not to, when to ask again, what must be seen first, and what the next slot must see."""

    actions: tuple[Action, ...] = ()
    holds: tuple[Hold, ...] = ()
    wake_at: datetime | None = None
    needs: tuple[ListingNeed, ...] = ()
    foreseen: ListingNeed | None = None


NOTHING = Part()


def joined(*parts: Part) -> Part:
    """Several parts as one; it wakes at the earliest instant that any of them asks for."""
    # Most say nothing, or only when to ask again.
    rows = [part for part in parts if part is not NOTHING]
    if len(rows) < 2:
        return rows[0] if rows else NOTHING
    actions, holds, needs = list[Action](), list[Hold](), list[ListingNeed]()
    foreseen: ListingNeed | None = None
    for part in rows:
        actions += part.actions
        holds += part.holds
        needs += part.needs
        foreseen = foreseen or part.foreseen
    return Part(tuple(actions), tuple(holds), earliest([part.wake_at for part in rows]), tuple(needs), foreseen)


def assemble(ref: ConnectionRef, parts: Iterable[Part]) -> ConnectionPlan:
    """Put the parts of one connection together; it wakes at the earliest instant that any of them asks for."""
    whole = joined(*parts)
    return ConnectionPlan(ref, whole.actions, whole.holds, whole.wake_at, whole.needs, foreseen=whole.foreseen)
