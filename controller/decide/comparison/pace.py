"""How often a schedule starts a sync, as far as its spec alone says it: counted, not simulated.

Suspensions, freezes and windows are counted with; what depends on jobs (``overlap``, ``minGap``, failures) is not.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from controller.decide.calendar import Calendar
from controller.decide.comparison.difference import Coming, Pace
from controller.decide.cron.zone import END
from controller.decide.slots import (
    DEFAULT_WINDOW_MAX,
    calendar_of,
    compile_entry,
    deadline,
    fires_at,
    freshness_ages,
    from_epoch,
    to_epoch,
)
from controller.decide.windows import is_open, next_edge, opens_at
from controller.model.calendar import EntryKind
from controller.model.schedule import Mode, ScheduleSpec, Suspension
from controller.model.window import Window

PACE_DAYS = 28
"""Whole days that are counted, from the next midnight on: four of every weekday."""

COMING = 3
"""How many slots to come are told of a schedule."""

DAY = 86_400

Stretch = tuple[int, int]
"""The instants from the first to before the second, in seconds since the epoch."""


def starts_from(spec: ScheduleSpec, at: int) -> tuple[int, str]:
    """From when on a schedule starts anything, `END` = never, and why not before."""
    if spec.conflicts:
        return END, f"policies quarrel about {', '.join(spec.conflicts)}"
    if spec.unsupported:
        return END, f"not supported yet: {', '.join(spec.unsupported)}"
    if spec.mode is Mode.OBSERVE:
        return END, "it only observes"
    until, why = at, ""
    for word, each in [("suspended", spec.suspend), *(("frozen", freeze) for freeze in spec.freezes)]:
        if each is not None and (ends := _ends(each)) > until:
            until, why = ends, word if each.until is None else f"{word} until {each.until:%Y-%m-%d %H:%MZ}"
    return until, why


def _ends(suspension: Suspension) -> int:
    return END if suspension.until is None else min(-int(-suspension.until.timestamp() // 1), END)


@dataclass(slots=True)
class Counter:
    """Counts the starts of schedules from one instant on; what schedules have in common is worked out once."""

    at: datetime
    _days: dict[str, tuple[int, ...]] = field(default_factory=dict)
    _counts: dict[tuple[str, str], tuple[int, tuple[int, ...]]] = field(default_factory=dict)
    _open: dict[tuple[tuple[Window, ...], int, int], tuple[Stretch, ...]] = field(default_factory=dict)

    def runs_per_day(self, spec: ScheduleSpec) -> float:
        """The mean number of starts a day."""
        return self._counted(spec)[0] / PACE_DAYS

    def pace(self, spec: ScheduleSpec, *, held: str = "") -> Pace:
        """All that is told of a schedule; ``held``: why it starts nothing whatever it says."""
        if held:
            return Pace(quiet=held)
        total, days = self._counted(spec)
        _, quiet = starts_from(spec, to_epoch(self.at))
        ages = freshness_ages(spec.calendar_key)
        least, most = (None, None) if ages else (min(days), max(days))
        return Pace(total / PACE_DAYS, least, most, self.coming(spec), quiet, bool(ages))

    def coming(self, spec: ScheduleSpec) -> tuple[Coming, ...]:
        """The next slots that start something, or would if their window were open."""
        calendar = calendar_of(spec.calendar_key)
        begin, _ = starts_from(spec, to_epoch(self.at))
        slot = None if calendar is None or begin >= END else calendar.next_after(max(begin - 1, to_epoch(self.at)))
        found: list[Coming] = []
        while calendar is not None and slot is not None and len(found) < COMING:
            found.append(Coming(from_epoch(slot), _start_of(spec, calendar, slot), zones_at(spec, slot)))
            slot = calendar.next_after(slot)
        return tuple(found)

    def starts(self, spec: ScheduleSpec, calendar: Calendar, begin: int, end: int) -> Iterator[int]:
        """When a schedule starts something in [begin, end), without jitter."""
        begin = max(begin, starts_from(spec, to_epoch(self.at))[0])
        for first, last in self._stretches(spec, begin, end):
            if _waited(spec, calendar, first, begin):
                yield first
            slot = calendar.next_after(first - 1)
            while slot is not None and slot < last:
                yield slot
                slot = calendar.next_after(slot)

    def count(self, spec: ScheduleSpec, calendar: Calendar, begin: int, end: int) -> int:
        """How many `starts` are in [begin, end)."""
        begin = max(begin, starts_from(spec, to_epoch(self.at))[0])
        return sum(
            calendar.count_between(first - 1, last - 1) + _waited(spec, calendar, first, begin)
            for first, last in self._stretches(spec, begin, end)
        )

    def _stretches(self, spec: ScheduleSpec, begin: int, end: int) -> tuple[Stretch, ...]:
        """When windows are open in [begin, end)."""
        if begin >= end:
            return ()
        if not spec.windows:
            return ((begin, end),)
        key = (spec.windows, begin, end)
        if key not in self._open:
            self._open[key] = tuple(_open_stretches(spec.windows, begin, end))
        return self._open[key]

    def _counted(self, spec: ScheduleSpec) -> tuple[int, tuple[int, ...]]:
        """The starts of all days together, and of each."""
        zone = zone_of(spec)
        days = self._day_starts(zone)
        begin = starts_from(spec, to_epoch(self.at))[0]
        shared = None if spec.windows or begin > days[0] else (spec.calendar_key, zone)
        if shared is not None and shared in self._counts:
            return self._counts[shared]
        calendar = calendar_of(spec.calendar_key)
        each = tuple(
            0 if calendar is None else self.count(spec, calendar, first, last) for first, last in pairwise(days)
        )
        total, ages = sum(each), freshness_ages(spec.calendar_key)
        if ages:
            # As if every sync succeeded at once: it comes again whenever the data is that old.
            total = max(total, max(days[-1] - max(begin, days[0]), 0) // ages[0])
        if shared is not None:
            self._counts[shared] = total, each
        return total, each

    def _day_starts(self, zone: str) -> tuple[int, ...]:
        if zone not in self._days:
            there = ZoneInfo(zone)
            first = self.at.astimezone(there).date() + timedelta(days=1)
            midnights = (datetime.combine(first + timedelta(days=n), time(), there) for n in range(PACE_DAYS + 1))
            self._days[zone] = tuple(to_epoch(midnight.astimezone(UTC)) for midnight in midnights)
        return self._days[zone]


def _open_stretches(windows: tuple[Window, ...], begin: int, end: int) -> Iterator[Stretch]:
    since: int | None = None
    here: int | None = begin
    while here is not None and here < end:
        opened = is_open(windows, here).open
        if opened and since is None:
            since = here
        elif not opened and since is not None:
            yield since, here
            since = None
        here = next_edge(windows, here)
    if since is not None:
        yield since, end


def _start_of(spec: ScheduleSpec, calendar: Calendar, slot: int) -> datetime | None:
    """When a slot starts something; None where windows stay closed for as long as it may wait."""
    fires = fires_at(spec, calendar, spec.ref, from_epoch(slot))
    if not spec.windows:
        return fires
    opening = opens_at(spec.windows, to_epoch(fires))
    latest = deadline(spec, calendar, spec.ref, from_epoch(slot))
    return None if opening is None or from_epoch(opening) > latest else from_epoch(opening)


def _waited(spec: ScheduleSpec, calendar: Calendar, opening: int, begin: int) -> bool:
    """Whether a slot that came while windows were closed still starts when they open: the newest, as long as its window lasts."""
    if not spec.windows or opening <= begin:
        return False
    slot = calendar.previous_at_or_before(opening)
    if slot is None or slot == opening or slot < begin or is_open(spec.windows, slot).open:
        return False
    lasts = DEFAULT_WINDOW_MAX if spec.catch_up.window is None else spec.catch_up.window
    return opening - slot <= lasts.total_seconds()


def zone_of(spec: ScheduleSpec) -> str:
    """The zone that a schedule speaks of, UTC where it speaks of several or of none."""
    zones = {entry.time_zone for entry in spec.entries if entry.kind in (EntryKind.CRON, EntryKind.QUARTZ)}
    return zones.pop() if len(zones) == 1 else "UTC"


def zones_at(spec: ScheduleSpec, slot: int) -> tuple[str, ...]:
    """The zones of the entries that have a slot."""
    entries = ((entry.time_zone, compile_entry(entry)) for entry in spec.entries)
    found = (zone for zone, each in entries if each is not None and each.previous_at_or_before(slot) == slot)
    return tuple(dict.fromkeys(found))
