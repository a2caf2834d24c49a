"""A decision in the making: parts that several rules contribute to one connection's plan."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

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
    actions, holds, wake_at, needs, foreseen = _all_of(parts)
    return Part(actions, holds, wake_at, needs, foreseen)


def assemble(ref: ConnectionRef, parts: Iterable[Part]) -> ConnectionPlan:
    """Put the parts of one connection together; it wakes at the earliest instant that any of them asks for."""
    actions, holds, wake_at, needs, foreseen = _all_of(parts)
    return ConnectionPlan(ref, actions, holds, wake_at, needs, foreseen=foreseen)


def _all_of(
    parts: Iterable[Part],
) -> tuple[tuple[Action, ...], tuple[Hold, ...], datetime | None, tuple[ListingNeed, ...], ListingNeed | None]:
    actions: tuple[Action, ...] = ()
    holds: tuple[Hold, ...] = ()
    needs: tuple[ListingNeed, ...] = ()
    wake_at: datetime | None = None
    foreseen: ListingNeed | None = None
    for part in parts:
        # Most say nothing, or only when to ask again.
        if part is NOTHING:
            continue
        actions += part.actions
        holds += part.holds
        needs += part.needs
        foreseen = foreseen or part.foreseen
        if part.wake_at is not None and (wake_at is None or part.wake_at < wake_at):
            wake_at = part.wake_at
    return actions, holds, wake_at, needs, foreseen
