"""The slots that one connection should have had, by brute force from the versions of its spec; seconds since the epoch."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import datetime

from controller.model.calendar import EntryKind
from controller.model.schedule import ScheduleSpec
from controller.model.window import Window
from controller.simulation.chronicle import Version
from controller.simulation.slots.stepper import calendar_slots, closed_stretches, jittered

WINDOW_MAX = 86_400
TAIL = 2 * 86_400
"""Slots are listed this far beyond the end: those before it need to know the next one."""


def is_among(slots: Sequence[int], at: int) -> bool:
    """Whether an instant is one of ascending slots."""
    place = bisect_left(slots, at)
    return place < len(slots) and slots[place] == at


class DueSlots:
    """Slots, when each fires, and how late it may start."""

    def __init__(self, versions: Sequence[Version], read_at: datetime) -> None:
        self.versions, self.end = versions, int(read_at.timestamp())
        self._since = [version.since.timestamp() for version in versions]
        self._calendars: dict[str, list[int]] = {}
        self._closed: dict[tuple[Window, ...], tuple[tuple[int, int], ...]] = {}
        self.has_freshness = any(
            entry.kind is EntryKind.FRESHNESS
            for version in versions
            if version.spec is not None
            for entry in version.spec.entries
        )
        self.slots = self._slots()

    def _slots(self) -> list[int]:
        """Every slot that was in force when it came; those of an edit count from just after it."""
        found: set[int] = set()
        for number, version in enumerate(self.versions):
            if version.spec is None:
                continue
            until = self._since[number + 1] if number + 1 < len(self.versions) else float(self.end)
            calendar = self.calendar(version.spec)
            found.update(calendar[bisect_right(calendar, self._since[number]) : bisect_right(calendar, until)])
        return sorted(found)

    def calendar(self, spec: ScheduleSpec) -> list[int]:
        """Every slot of a calendar around the time that is judged."""
        key = spec.calendar_key
        if key not in self._calendars:
            self._calendars[key] = calendar_slots(spec, int(self._since[0]), self.end + TAIL)
        return self._calendars[key]

    def between(self, first: int, last: int) -> list[int]:
        """Slots from one to another, both included."""
        return self.slots[bisect_left(self.slots, first) : bisect_right(self.slots, last)]

    def spec_at(self, instant: float) -> ScheduleSpec | None:
        """What was in force at an instant, a change at that very instant included."""
        place = bisect_right(self._since, instant)
        return self.versions[place - 1].spec if place else None

    def last_spec(self, instant: float) -> ScheduleSpec | None:
        """What was in force, or was before it went."""
        place = bisect_right(self._since, instant)
        return next((v.spec for v in reversed(self.versions[:place]) if v.spec is not None), None)

    def specs_between(self, since: float, until: float) -> list[ScheduleSpec]:
        """What was in force at any time of a stretch."""
        first = max(bisect_right(self._since, since) - 1, 0)
        return [v.spec for v in self.versions[first : bisect_right(self._since, until)] if v.spec is not None]

    def following(self, spec: ScheduleSpec, at: int) -> int | None:
        """The next slot of a calendar."""
        calendar = self.calendar(spec)
        place = bisect_right(calendar, at)
        return calendar[place] if place < len(calendar) else None

    def fires(self, spec: ScheduleSpec, at: int) -> int:
        """When a slot may start at the earliest."""
        if spec.jitter is None:
            return at
        return jittered(spec, at, self.following(spec, at))

    def superseded_at(self, spec: ScheduleSpec, at: int) -> int | None:
        """When the next slot fires."""
        following = self.following(spec, at)
        return None if following is None else self.fires(spec, following)

    def deadline(self, spec: ScheduleSpec, at: int) -> int:
        """The last instant at which a slot may start."""
        fires = self.fires(spec, at)
        if spec.catch_up.window is not None:
            return fires + int(spec.catch_up.window.total_seconds())
        superseded = self.superseded_at(spec, at)
        return fires + (WINDOW_MAX if superseded is None else min(WINDOW_MAX, superseded - fires))

    def closed(self, spec: ScheduleSpec) -> tuple[tuple[int, int], ...]:
        """When the windows let nothing start."""
        if spec.windows and spec.windows not in self._closed:
            self._closed[spec.windows] = closed_stretches(spec.windows, int(self._since[0]), self.end + TAIL)
        return self._closed.get(spec.windows, ())
