"""Slots that the wall clock never showed, because it was set forward over them."""

from collections.abc import Collection
from datetime import datetime

from controller.decide.slots import DueSlots
from controller.model.plan import ClockJump

FEWEST = 2
"""One slot in a jump is what a controller that was late by one interval finds, and is caught up like any other. With two of them the jump
is longer than an interval, and nobody knows which of the runs that they stand for anybody still wants: at the end of a jump of months
every schedule of a fleet would start at once. So none of them starts, not even the newest; the next slot is an ordinary one."""


def jumped_over(jump: ClockJump | None, fires: Collection[datetime], before: DueSlots) -> frozenset[datetime]:
    """Those of the instants at which due slots fire that a jump of more than one interval leapt over.

    ``before``: the range of older slots that are only counted.
    """
    if jump is None:
        return frozenset()
    inside = frozenset(at for at in fires if jump.since < at <= jump.until)
    older = before.dropped if before.dropped_through is not None and before.dropped_through > jump.since else 0
    return inside if len(inside) + older >= FEWEST else frozenset()


def jump_text(jump: ClockJump) -> str:
    """What to say of such slots."""
    return (
        f"the clock was set forward over it, from {jump.since:%Y-%m-%d %H:%M:%SZ} to {jump.until:%Y-%m-%d %H:%M:%SZ},"
        " which is more than one interval"
    )
