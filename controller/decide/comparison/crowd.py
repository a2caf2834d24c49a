"""Where the starts of many schedules crowd: minute by minute over the days to come, with every jitter where it really falls."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from heapq import nlargest

from controller.decide.calendar import Calendar
from controller.decide.comparison.difference import Load, Peak
from controller.decide.comparison.pace import Counter, starts_from
from controller.decide.cron.zone import END
from controller.decide.slots import calendar_of, fires_at, from_epoch, to_epoch
from controller.model.schedule import ScheduleSpec

STARTS_MAX = 500_000
"""Starts that are looked at one by one; of larger fleets a shorter time is. It takes a second or two."""

JITTER_COST = 4
"""A start with jitter takes about as long as this many without."""

HORIZONS = (timedelta(days=7), timedelta(days=3), timedelta(days=1), timedelta(hours=6), timedelta(hours=1))
"""How far is looked, the first that is within `STARTS_MAX`, else the last."""

SHOWN = 3
"""How many of the busiest minutes are told."""

MINUTE, HOUR = 60, 3600
HOUR_MINUTES = 60


@dataclass(frozen=True, slots=True)
class _Crowd:
    """Schedules that start at the same instants: all with one calendar, or one with jitter."""

    spec: ScheduleSpec
    calendar: Calendar
    size: int

    @property
    def cost(self) -> int:
        return 1 if self.spec.jitter is None else JITTER_COST


def loads(
    same: Iterable[ScheduleSpec], before: Iterable[ScheduleSpec], after: Iterable[ScheduleSpec], counter: Counter
) -> tuple[Load, Load, timedelta]:
    """The load of the schedules that stay the same with those of before, with those of after, and how far was looked.

    What stays the same is gone through once.
    """
    first = to_epoch(counter.at) + 1
    begin = first // HOUR * HOUR
    groups = [_crowds(each, to_epoch(counter.at)) for each in (same, before, after)]
    horizon = next((each for each in HORIZONS if _cost(groups, counter, first, each) <= STARTS_MAX), HORIZONS[-1])
    end = to_epoch(counter.at + horizon)
    minutes = [0] * ((end - begin) // MINUTE + 1)
    _fill(minutes, groups[0], counter, first, end)
    earlier, later = list(minutes), minutes
    _fill(earlier, groups[1], counter, first, end)
    _fill(later, groups[2], counter, first, end)
    return _load(earlier, begin), _load(later, begin), horizon


def _crowds(specs: Iterable[ScheduleSpec], at: int) -> list[_Crowd]:
    shared: dict[tuple[object, ...], list[ScheduleSpec]] = defaultdict(list)
    for spec in specs:
        begin, _ = starts_from(spec, at)
        if begin < END:
            own = None if spec.jitter is None else spec.ref
            shared[spec.calendar_key, spec.windows, spec.catch_up.window, begin, own].append(spec)
    found = ((rows[0], calendar_of(rows[0].calendar_key), len(rows)) for rows in shared.values())
    return [_Crowd(spec, calendar, size) for spec, calendar, size in found if calendar is not None]


def _cost(groups: Sequence[Sequence[_Crowd]], counter: Counter, first: int, horizon: timedelta) -> int:
    end = to_epoch(counter.at + horizon)
    return sum(each.calendar.count_between(first - 1, end - 1) * each.cost for group in groups for each in group)


def _fill(minutes: list[int], crowds: Iterable[_Crowd], counter: Counter, first: int, end: int) -> None:
    """Add starts to the minutes in which they fall; what jitter puts beyond the end is left out."""
    begin = first // HOUR * HOUR
    for each in crowds:
        spec, calendar = each.spec, each.calendar
        for slot in counter.starts(spec, calendar, first, end):
            at = slot if spec.jitter is None else to_epoch(fires_at(spec, calendar, spec.ref, from_epoch(slot)))
            if at < end:
                minutes[(at - begin) // MINUTE] += each.size


def _load(minutes: Sequence[int], begin: int) -> Load:
    top = nlargest(SHOWN, range(len(minutes)), key=lambda minute: (minutes[minute], -minute))
    hours = [sum(minutes[start : start + HOUR_MINUTES]) for start in range(0, len(minutes), HOUR_MINUTES)]
    busiest = max(range(len(hours)), key=lambda hour: (hours[hour], -hour))
    if not hours[busiest]:
        return Load()
    peaks = tuple(Peak(from_epoch(begin + minute * MINUTE), minutes[minute]) for minute in top if minutes[minute])
    return Load(peaks, Peak(from_epoch(begin + busiest * HOUR), hours[busiest]))
