"""A forecast as counts: what text shows of it, whatever its length."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from controller.decide.foresight.forecast import Outlook
from controller.decide.foresight.foreseen import Foreseen, Prospect
from controller.model.record import Reason

SLOTS_SHOWN = 50
"""How many slots of a single schedule are listed."""

Word = tuple[Prospect, Reason | None]


@dataclass(frozen=True, slots=True)
class Range:
    """What is looked at: slots in (since, until], as known at ``now``, shown in a zone."""

    since: datetime
    until: datetime
    now: datetime
    zone: ZoneInfo

    @property
    def days(self) -> float:
        """Its length in days."""
        return (self.until - self.since) / timedelta(days=1)


@dataclass(slots=True)
class Tally:
    """All schedules together: outcomes, what the starts waited for, and how many starts each minute (since the epoch) has."""

    words: Counter[Word] = field(default_factory=Counter)
    waits: Counter[Reason | None] = field(default_factory=Counter)
    minutes: Counter[int] = field(default_factory=Counter)

    @property
    def starts(self) -> int:
        """How many slots start."""
        return self.words[Prospect.TRIGGERED, None]


@dataclass(slots=True)
class Row:
    """One schedule; ``first`` holds its first slots where they are wanted."""

    outlook: Outlook
    words: Counter[Word] = field(default_factory=Counter)
    next_start: int | None = None
    first: list[Foreseen] = field(default_factory=list)

    @property
    def slots(self) -> int:
        """How many slots exist."""
        return sum(count for (outcome, _), count in self.words.items() if outcome is not Prospect.EXCLUDED)

    @property
    def starts(self) -> int:
        """How many of them start."""
        return self.words[Prospect.TRIGGERED, None]

    @property
    def against(self) -> list[tuple[Word, int]]:
        """What the others come to, the most frequent first."""
        kinds = (Prospect.SKIPPED, Prospect.HELD)
        return [(word, count) for word, count in self.words.most_common() if word[0] in kinds]


def tally(outlook: Outlook, slots: Iterable[Foreseen], whole: Tally, *, keep: bool = False) -> Row:
    """Count the slots of one schedule, for itself and for the whole."""
    row, words, waits, minutes = Row(outlook), Counter[Word](), whole.waits, whole.minutes
    for slot in slots:
        starts = slot.starts
        words[slot.outcome, slot.reason] += 1
        if starts is not None:
            minutes[starts // 60] += 1
            waits[slot.waited_for] += 1
            if row.next_start is None:
                row.next_start = starts
        if keep and len(row.first) < SLOTS_SHOWN:
            row.first.append(slot)
    row.words = words
    whole.words.update(words)
    return row
