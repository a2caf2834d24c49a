"""One due slot, or the retry of one, before the rules, and what a rule may say about it."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from controller.model.identity import ClaimKey, SlotKey
from controller.model.job import Job
from controller.model.plan import ConnectionFacts, ListingNeed, PlatformFacts
from controller.model.record import Outcome, Reason, Setbacks, SlotRecord
from controller.model.schedule import ScheduleSpec

PUNCTUAL = timedelta(seconds=10)
"""Under ``catchUp: None`` a slot that no cycle saw within this time after it was due counts as missed: no controller ran."""

WINDOW_STEP = timedelta(milliseconds=1)
"""A window's end is still inside it, so the slot is judged as late this much after it."""

NO_SETBACKS = Setbacks()


@dataclass(frozen=True, slots=True)
class Case:
    """The newest due slot of a connection, or the next run of one, with all that the rules ask about.

    Attributes:
        due_at: when it may start at the earliest: its jittered instant, or the end of the back-off before a retry.
        until: its deadline, inclusive.
        pending: its record, if it waits already.
        run: 0, or the number of the retry.
        waits_for_idle: whether it waits for an active job whatever ``overlap`` says: a ``freshness`` slot.
        decided_as: the slot that stands for the same local time and was decided before the zone data changed.
        wall: the local times that it stands for.
    """

    facts: ConnectionFacts
    platform: PlatformFacts
    now: datetime
    slot: SlotKey
    due_at: datetime
    until: datetime
    pending: SlotRecord | None = None
    run: int = 0
    waits_for_idle: bool = False
    decided_as: datetime | None = None
    wall: str = ""

    @property
    def scheduled_at(self) -> datetime:
        """The slot's own instant."""
        return self.slot.scheduled_at

    @property
    def seen_since(self) -> datetime:
        """From when on jobs must be known: any that started since then may count for it, or stand against it."""
        return self.slot.scheduled_at if self.run == 0 else self.due_at

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
        known = self.facts.standing.setbacks
        return known.get(ClaimKey(self.slot, self.run), NO_SETBACKS) if known else NO_SETBACKS

    @property
    def active(self) -> Job | None:
        """The newest active job of the connection."""
        for job in self.facts.jobs:
            if job.is_active:
                return job
        return None


@dataclass(frozen=True, slots=True)
class Finish:
    """The slot's final outcome."""

    outcome: Outcome
    reason: Reason | None
    message: str
    job_id: str | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """A job that should end: ``since`` when, and why; nothing is cancelled on a view begun before that."""

    job: Job
    reason: Reason
    since: datetime
    message: str


@dataclass(frozen=True, slots=True)
class Wait:
    """Not now: ``until`` is when to ask again, ``need`` what must be seen first; None = at the window's end.

    ``wish``: the job that must end before.
    """

    reason: Reason
    message: str
    until: datetime | None = None
    need: ListingNeed | None = None
    wish: Wish | None = field(default=None)


@dataclass(frozen=True, slots=True)
class Start:
    """Nothing stands against it: trigger it."""


START = Start()


Verdict = Finish | Wait | Start
