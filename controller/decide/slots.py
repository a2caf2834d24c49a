"""Which slots are due, how late each may still start, and when the next one comes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from controller.decide.calendar import Calendar, compile_cron, compile_every, union
from controller.model.schedule import CalendarEntry, EntryKind, ScheduleSpec, parse_entries

SLOTS_MAX = 1000
"""Slots that get a record of their own at once; older ones share one record with an exact count (``docs/operating.md``)."""

DEFAULT_WINDOW_MAX = timedelta(hours=24)
"""Without ``catchUp.window`` a slot may start until the next one, but never later than this."""

CALENDARS_CACHED = 65_536
"""Distinct calendars kept compiled; schedules with equal entries share one."""


@dataclass(frozen=True, slots=True)
class DueSlots:
    """Slots of a calendar in a range: the newest ones, oldest first, and what came before them as a count with its bounds."""

    instants: tuple[datetime, ...]
    dropped: int = 0
    dropped_from: datetime | None = None
    dropped_through: datetime | None = None


def from_epoch(seconds: int) -> datetime:
    """Whole seconds since the Unix epoch as aware UTC."""
    return datetime.fromtimestamp(seconds, UTC)


def to_epoch(instant: datetime) -> int:
    """Whole seconds since the Unix epoch, rounded down."""
    return int(instant.timestamp() // 1)


def _compile(entry: CalendarEntry) -> Calendar | None:
    match entry.kind:
        case EntryKind.CRON:
            return compile_cron(entry.text, entry.time_zone)
        case EntryKind.EVERY:
            return compile_every(entry.every, entry.anchor)
        case _:
            return None


@lru_cache(maxsize=CALENDARS_CACHED)
def calendar_of(key: str) -> Calendar | None:
    """Compile the calendar that a ``calendar_key`` names; None where no entry makes slots.

    Raises:
        CalendarError: an entry cannot be compiled; validation has refused such a spec.
    """
    calendars = [calendar for entry in parse_entries(key) if (calendar := _compile(entry)) is not None]
    if not calendars:
        return None
    return calendars[0] if len(calendars) == 1 else union(calendars)


def next_slot(calendar: Calendar, after: datetime) -> datetime | None:
    """The first slot strictly after an instant."""
    instant = calendar.next_after(to_epoch(after))
    return None if instant is None else from_epoch(instant)


def has_slot(calendar: Calendar, instant: datetime) -> bool:
    """Whether the calendar has a slot at exactly this instant."""
    epoch = to_epoch(instant)
    return calendar.previous_at_or_before(epoch) == epoch


def due_slots(calendar: Calendar, after: datetime, until: datetime) -> DueSlots:
    """Slots in (after, until], at most ``SLOTS_MAX`` of them one by one, the rest counted exactly."""
    low, at = to_epoch(after), to_epoch(until)
    found: list[int] = []
    while len(found) < SLOTS_MAX:
        slot = calendar.previous_at_or_before(at)
        if slot is None or slot <= low:
            break
        found.append(slot)
        at = slot - 1
    instants = tuple(from_epoch(slot) for slot in reversed(found))
    if len(found) < SLOTS_MAX or (dropped := calendar.count_between(low, found[-1] - 1)) == 0:
        return DueSlots(instants)
    first, last = calendar.next_after(low), calendar.previous_at_or_before(found[-1] - 1)
    return DueSlots(instants, dropped, _or_none(first), _or_none(last))


def _or_none(epoch: int | None) -> datetime | None:
    return None if epoch is None else from_epoch(epoch)


def deadline(spec: ScheduleSpec | None, calendar: Calendar | None, scheduled_at: datetime) -> datetime:
    """The last instant at which a slot may still start.

    It is ``catchUp.window`` after the slot, or else the next slot, at most 24 h away.
    """
    if spec is not None and spec.catch_up.window is not None:
        return scheduled_at + spec.catch_up.window
    following = None if calendar is None else next_slot(calendar, scheduled_at)
    latest = scheduled_at + DEFAULT_WINDOW_MAX
    return latest if following is None else min(following, latest)


def earliest(instants: Sequence[datetime | None]) -> datetime | None:
    """The earliest of those that are there."""
    known = [instant for instant in instants if instant is not None]
    return min(known, default=None)
