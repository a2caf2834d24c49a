"""One due slot before the rules, and what a rule may say about it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from controller.model.identity import SlotKey
from controller.model.plan import ConnectionFacts, ListingNeed, PlatformFacts
from controller.model.record import Outcome, Reason, Setbacks, SlotRecord
from controller.model.schedule import ScheduleSpec

PUNCTUAL = timedelta(seconds=10)
"""Under ``catchUp: None`` a slot that no cycle saw within this time after it was due counts as missed: no controller ran."""

WINDOW_STEP = timedelta(milliseconds=1)
"""A window's end is still inside it, so the slot is judged as late this much after it."""


@dataclass(frozen=True, slots=True)
class Case:
    """The newest due slot of a connection, with all that the rules ask about. ``until`` is its deadline, inclusive."""

    facts: ConnectionFacts
    platform: PlatformFacts
    now: datetime
    slot: SlotKey
    until: datetime
    pending: SlotRecord | None

    @property
    def due_at(self) -> datetime:
        """When it may start at the earliest."""
        return self.slot.scheduled_at

    @property
    def spec(self) -> ScheduleSpec | None:
        """The schedule in force; None while only its calendar is known."""
        return self.facts.spec

    @property
    def is_late(self) -> bool:
        """Whether its window has ended."""
        return self.now > self.until

    @property
    def setbacks(self) -> Setbacks:
        """What its closed claims came to."""
        return self.facts.standing.setbacks.get(self.due_at, Setbacks())


@dataclass(frozen=True, slots=True)
class Finish:
    """The slot's final outcome."""

    outcome: Outcome
    reason: Reason | None
    message: str
    job_id: str | None = None


@dataclass(frozen=True, slots=True)
class Wait:
    """Not now: ``until`` is when to ask again, ``need`` what must be seen first; None = at the window's end."""

    reason: Reason
    message: str
    until: datetime | None = None
    need: ListingNeed | None = None


@dataclass(frozen=True, slots=True)
class Start:
    """Nothing stands against it: trigger it."""


Verdict = Finish | Wait | Start
