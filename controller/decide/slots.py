"""Which slots are due, how late each may still start, and when the next one comes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import blake2b
from math import ceil

from controller.decide.calendar import Calendar, compile_cron, compile_every, compile_quartz, union
from controller.decide.exclusion import bounded, without
from controller.model.calendar import CalendarEntry, CalendarTerms, EntryKind, parse_terms
from controller.model.identity import ConnectionRef
from controller.model.profile import PlatformProfile
from controller.model.record import Standing
from controller.model.schedule import ScheduleSpec

SLOTS_MAX = 1000
"""Slots that get a record of their own at once; older ones share one record with an exact count (``docs/operating.md``)."""

DEFAULT_WINDOW_MAX = timedelta(hours=24)
"""Without ``catchUp.window`` a slot may start until the next one, but never later than this."""

CALENDARS_CACHED = 65_536
"""Distinct calendars kept compiled; schedules with equal entries share one."""

AGAIN_EACH = 4
"""A freshness slot comes again after this part of the age that was asked for, until a sync succeeds."""


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class DueSlots:
    """Slots of a calendar in a range: the newest ones, oldest first, and what came before them as a count with its bounds."""

    instants: tuple[datetime, ...]
    dropped: int = 0
    dropped_from: datetime | None = None
    dropped_through: datetime | None = None


NONE_DUE = DueSlots(())


def from_epoch(seconds: int) -> datetime:
    """Whole seconds since the Unix epoch as aware UTC."""
    return datetime.fromtimestamp(seconds, UTC)


def to_epoch(instant: datetime) -> int:
    """Whole seconds since the Unix epoch, rounded down."""
    return (instant - EPOCH) // SECOND


def compile_entry(entry: CalendarEntry) -> Calendar | None:
    """The slots of one entry; None for one whose slots no calendar knows: ``freshness``, ``manual``.

    Raises:
        CalendarError: it cannot be compiled; validation has refused such a spec.
    """
    match entry.kind:
        case EntryKind.CRON:
            return compile_cron(entry.text, entry.time_zone)
        case EntryKind.QUARTZ:
            return compile_quartz(entry.text, entry.time_zone)
        case EntryKind.EVERY:
            return compile_every(entry.every, entry.anchor)
        case EntryKind.FRESHNESS | EntryKind.MANUAL:
            return None


@lru_cache(maxsize=CALENDARS_CACHED)
def calendar_of(key: str) -> Calendar | None:
    """Compile the calendar that a ``calendar_key`` names, without its ``freshness`` slots; None where it has no others.

    Raises:
        CalendarError: an entry or an exclusion cannot be compiled; validation has refused such a spec.
    """
    terms = parse_terms(key)
    calendars = [calendar for entry in terms.entries if (calendar := compile_entry(entry)) is not None]
    return _narrowed(union(calendars), terms) if calendars else None


def _narrowed(calendar: Calendar, terms: CalendarTerms) -> Calendar:
    start = None if terms.start_at is None else to_epoch(terms.start_at)
    end = None if terms.end_at is None else to_epoch(terms.end_at)
    return bounded(without(calendar, terms.exclude), start, end)


@lru_cache(maxsize=CALENDARS_CACHED)
def freshness_ages(key: str) -> tuple[int, ...]:
    """The ages in seconds that a calendar's ``freshness`` entries ask for, ascending."""
    return tuple(sorted({entry.every for entry in parse_terms(key).entries if entry.kind is EntryKind.FRESHNESS}))


def calendar_in_force(standing: Standing, profile: PlatformProfile, *, success_known: bool = True) -> Calendar | None:
    """All slots of a connection as things stand, ``freshness`` ones included; None where there can be none.

    ``success_known``: False while it is not known whether a sync of the connection ever succeeded: then freshness makes no slot.
    """
    key = standing.calendar_key
    if key is None:
        return None
    ages = freshness_ages(key)
    if not ages or standing.effective_since is None or (standing.fresh_since is None and not success_known):
        return calendar_of(key)
    since = standing.fresh_since
    # With no success known the first slot is the first whole second after the schedule came into force.
    never = to_epoch(standing.effective_since) + 1
    firsts = tuple((age, never if since is None else ceil(since.timestamp()) + age) for age in ages)
    return _with_freshness(key, firsts, int(profile.min_interval.total_seconds()))


@lru_cache(maxsize=CALENDARS_CACHED)
def _with_freshness(key: str, firsts: tuple[tuple[int, int], ...], shortest: int) -> Calendar:
    """``firsts``: each age asked for with its first slot."""
    stale = [bounded(compile_every(again_after(age, shortest), first), first, None) for age, first in firsts]
    others, narrowed = calendar_of(key), _narrowed(union(stale), parse_terms(key))
    return narrowed if others is None else union((others, narrowed))


def again_after(age: int, shortest: int) -> int:
    """Seconds between two slots of a ``freshness`` entry while no sync succeeds: a quarter of its age, or the platform's shortest."""
    return max(age // AGAIN_EACH, shortest, 1)


def next_slot(calendar: Calendar, after: datetime) -> datetime | None:
    """The first slot strictly after an instant."""
    instant = calendar.next_after(to_epoch(after))
    return None if instant is None else from_epoch(instant)


def upcoming(
    spec: ScheduleSpec | None, standing: Standing, profile: PlatformProfile, now: datetime, count: int
) -> tuple[datetime, ...]:
    """The next slots as things stand, at most ``count``; of a spec that is not in force yet, those that it will have."""
    if spec is not None and spec.calendar_key != standing.calendar_key:
        standing = replace(standing, calendar_key=spec.calendar_key, effective_since=now)
    calendar, found = calendar_in_force(standing, profile), list[datetime]()
    while calendar is not None and len(found) < count:
        slot = next_slot(calendar, found[-1] if found else now)
        if slot is None:
            break
        found.append(slot)
    return tuple(found)


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
    if not found:
        return NONE_DUE
    instants = tuple([from_epoch(slot) for slot in reversed(found)])
    if len(found) < SLOTS_MAX or (dropped := calendar.count_between(low, found[-1] - 1)) == 0:
        return DueSlots(instants)
    first, last = calendar.next_after(low), calendar.previous_at_or_before(found[-1] - 1)
    return DueSlots(instants, dropped, _or_none(first), _or_none(last))


def _or_none(epoch: int | None) -> datetime | None:
    return None if epoch is None else from_epoch(epoch)


def fires_at(
    spec: ScheduleSpec | None, calendar: Calendar | None, ref: ConnectionRef, scheduled_at: datetime
) -> datetime:
    """When a slot may start at the earliest: its instant, later by what ``jitter`` gives this very slot, always before the next slot."""
    if spec is None or spec.jitter is None:
        return scheduled_at
    most = spec.jitter
    if calendar is not None and (following := next_slot(calendar, scheduled_at)) is not None:
        most = min(most, following - scheduled_at)
    return scheduled_at + timedelta(seconds=hashed_share(f"{ref}@{to_epoch(scheduled_at)}", int(most.total_seconds())))


def hashed_share(text: str, most: int) -> int:
    """A whole number from 0 to below ``most`` that depends on the text alone: the same on every machine, in every process."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big") * most >> 64


def deadline(
    spec: ScheduleSpec | None, calendar: Calendar | None, ref: ConnectionRef, scheduled_at: datetime
) -> datetime:
    """The last instant at which a slot may still start.

    It is ``catchUp.window`` after `fires_at`, or else when the next slot fires, at most 24 h away.
    """
    fires = fires_at(spec, calendar, ref, scheduled_at)
    if spec is not None and spec.catch_up.window is not None:
        return fires + spec.catch_up.window
    following = None if calendar is None else next_slot(calendar, scheduled_at)
    latest = fires + DEFAULT_WINDOW_MAX
    if following is None or following >= latest:
        return latest
    return min(fires_at(spec, calendar, ref, following), latest)


def earliest(instants: Sequence[datetime | None]) -> datetime | None:
    """The earliest of those that are there."""
    found = None
    for instant in instants:
        if instant is not None and (found is None or instant < found):
            found = instant
    return found
