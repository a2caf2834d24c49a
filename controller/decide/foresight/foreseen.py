"""What a forecast says of a slot: values, and the sentence for people."""

from collections.abc import Callable
from datetime import timedelta
from enum import StrEnum
from typing import NamedTuple

from controller.decide.explain import explain_wait
from controller.decide.slots import from_epoch
from controller.model.identity import ConnectionRef
from controller.model.record import Reason

ASSUMED_DURATION = timedelta(minutes=1)
"""How long a sync is taken to last where none of the connection's is known to have succeeded."""


class Prospect(StrEnum):
    """What a slot will come to; the words of `Outcome`, and one for slots that do not exist."""

    TRIGGERED = "Triggered"
    COUNTED = "Counted"
    SKIPPED = "Skipped"
    HELD = "Held"
    EXCLUDED = "Excluded"


class Foreseen(NamedTuple):
    """One slot of a forecast; all instants are whole seconds since the epoch, as a million of them must stay cheap.

    The order of the fields is the order of a forecast: by instant, then by name.

    Attributes:
        scheduled: the slot's own instant.
        schedule: the name of its schedule.
        ref: the connection.
        fires: when it may start at the earliest: its instant and its share of ``jitter``.
        outcome: what it comes to.
        reason: why it does not start; None where it does.
        starts: when it starts; None where it does not.
        waited_for: what it waits for before it starts, the last of it; None where it starts at once or not at all.
        message: more about what stands against it.
        free_at: when that ends; None where it does not end, or where that decides nothing.
    """

    scheduled: int
    schedule: str
    ref: ConnectionRef
    fires: int
    outcome: Prospect
    reason: Reason | None = None
    starts: int | None = None
    waited_for: Reason | None = None
    message: str = ""
    free_at: int | None = None

    @property
    def word(self) -> str:
        """The outcome as people read it, such as ``Skipped(Active)``."""
        return f"{self.outcome}({self.reason})" if self.reason else str(self.outcome)


def utc(instant: int) -> str:
    """An instant with its date, ``2026-03-29 01:00:00Z``."""
    return f"{from_epoch(instant):%Y-%m-%d %H:%M:%SZ}"


def sentence(slot: Foreseen, when: Callable[[int], str] = utc) -> str:
    """Why it comes to what it comes to; ``when`` puts an instant in words."""
    free = when(slot.free_at) if slot.free_at is not None else ""
    match slot.outcome:
        case Prospect.TRIGGERED:
            return _start(slot, free)
        case Prospect.COUNTED:
            return f"a sync should end at {free}, and makes the data fresh"
        case Prospect.EXCLUDED:
            return "no slot: exclude covers it"
        case _ if slot.reason is None:
            return slot.message
        case _ if slot.reason is Reason.ACTIVE:
            return f"a sync should last until {free}"
        case _ if slot.reason is Reason.MIN_GAP:
            return f"minGap lasts until {free}"
        case _ if slot.reason is Reason.WINDOW_CLOSED:
            opens = f"opens at {free}, too late for it" if free else "never opens again"
            return f"{slot.message}; {opens}"
        case _:
            return explain_wait(slot.reason, slot.message)


def _start(slot: Foreseen, free: str) -> str:
    match slot.waited_for:
        case Reason.WINDOW_CLOSED:
            return f"starts at {free}, when a window opens"
        case Reason.ACTIVE:
            return f"starts at {free}, when the sync before it should end"
        case Reason.MIN_GAP:
            return f"starts at {free}, when minGap is over"
        case Reason.REPLACED:
            return f"takes the place of a sync that would last until {free}"
        case _ if slot.fires > slot.scheduled:
            return f"starts {slot.fires - slot.scheduled} s later, by jitter"
        case _:
            return "starts on time"
