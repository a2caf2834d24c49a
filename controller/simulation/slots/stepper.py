"""Every slot of a schedule and every stretch of closed windows, found by brute force: day by day on zoneinfo's wall clock.

It shares no code with `controller.decide`: fields come from a grammar of its own, each wall time of each local day is turned into
instants by the Debian rule (Quartz: by its own), and exclusions, bounds and unions are operations on sets of instants. Instants are
whole seconds since the epoch.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache
from hashlib import blake2b
from itertools import pairwise
from zoneinfo import ZoneInfo

from controller.model.calendar import CalendarEntry, EntryKind, ExcludedDates, Exclusion
from controller.model.schedule import ScheduleSpec
from controller.model.window import Window, WindowKind
from controller.simulation.slots.wall_fields import CronFields, QuartzFields

DAY, MINUTE = 86_400, 60
GAP_MAX = 3 * 3600
PROBES = range(-36, 37, 3)
"""Hours around a day's noon in UTC: no clock is set forth and back again within three."""

Stretch = tuple[int, int]
"""From the first instant to before the second."""

Rule = Callable[[str, datetime], Iterator[int]]
"""The instants at which a wall time of a zone means a slot."""


@cache
def steady_offset(zone: str, day: date) -> int | None:
    """The zone's offset in seconds on a local day and around it; None where the clock changes."""
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    offsets = {(noon + timedelta(hours=hours)).astimezone(ZoneInfo(zone)).utcoffset() for hours in PROBES}
    offset = offsets.pop()
    return None if offsets or offset is None else int(offset.total_seconds())


@cache
def changing_days(zone: str, start: int, end: int) -> tuple[date, ...]:
    """Local days on or next to which the clock of a zone changes."""
    return tuple(day for day in _days(start, end) if steady_offset(zone, day) is None)


def _days(start: int, end: int) -> Iterator[date]:
    first, last = (datetime.fromtimestamp(at, UTC).date().toordinal() for at in (start - DAY, end + DAY))
    return (date.fromordinal(number) for number in range(first, last + 1))


def shown(zone: str, wall: datetime, fold: int) -> tuple[int, bool]:
    """The instant that zoneinfo gives a wall time, and whether the clock shows that time then."""
    place = ZoneInfo(zone)
    at = int(wall.replace(tzinfo=place, fold=fold).timestamp())
    return at, datetime.fromtimestamp(at, place).replace(tzinfo=None, fold=0) == wall


def fixed_instants(zone: str, wall: datetime) -> Iterator[int]:
    """Debian's rule for a fixed time: once, in its first copy; in a gap of at most three hours at the first instant after it."""
    after, is_shown = shown(zone, wall, 0)
    before, _ = shown(zone, wall, 1)
    if is_shown:
        yield after
    elif after - before <= GAP_MAX:
        place = ZoneInfo(zone)
        old = datetime.fromtimestamp(before, place).utcoffset()
        yield next(at for at in range(before, after + 1, 60) if datetime.fromtimestamp(at, place).utcoffset() != old)


def wildcard_instants(zone: str, wall: datetime) -> Iterator[int]:
    """Debian's rule for a wildcard: whenever the clock shows it."""
    yield from (at for at, is_shown in (shown(zone, wall, fold) for fold in (0, 1)) if is_shown)


def quartz_instants(zone: str, wall: datetime) -> Iterator[int]:
    """Quartz's rule: lost in a gap, and of two copies the second."""
    at, is_shown = shown(zone, wall, 1)
    if is_shown:
        yield at


@lru_cache(maxsize=1024)
def cron_slots(expression: str, zone: str, start: int, end: int) -> frozenset[int]:
    """The slots of a cron expression in [start, end)."""
    fields = CronFields(expression)
    rule = fixed_instants if fields.is_fixed else wildcard_instants
    found: set[int] = set()
    for day in filter(fields.on_day, _days(start, end)):
        found.update(_on_day(zone, day, fields.seconds_of_day, rule))
    return frozenset(at for at in found if start <= at < end)


@lru_cache(maxsize=1024)
def quartz_slots(expression: str, zone: str, start: int, end: int) -> frozenset[int]:
    """The slots of a Quartz expression in [start, end)."""
    fields = QuartzFields(expression)
    found: set[int] = set()
    for day in filter(fields.on_day, _days(start, end)):
        found.update(_on_day(zone, day, fields.seconds_of_day, quartz_instants))
    return frozenset(at for at in found if start <= at < end)


def _on_day(zone: str, day: date, times: list[int], rule: Rule) -> Iterator[int]:
    midnight = datetime(day.year, day.month, day.day)  # noqa: DTZ001 - a wall time has no zone yet
    offset = steady_offset(zone, day)
    if offset is None:
        for time in times:
            yield from rule(zone, midnight + timedelta(seconds=time))
        return
    begin = int(midnight.replace(tzinfo=UTC).timestamp()) - offset
    yield from (begin + time for time in times)


def entry_slots(entry: CalendarEntry, start: int, end: int) -> frozenset[int]:
    """The slots of one entry in [start, end); ``freshness`` ones rest on what happens, so no list has them."""
    match entry.kind:
        case EntryKind.CRON:
            return cron_slots(entry.text, entry.time_zone, start, end)
        case EntryKind.QUARTZ:
            return quartz_slots(entry.text, entry.time_zone, start, end)
        case EntryKind.EVERY:
            first = start + (entry.anchor - start) % entry.every
            return frozenset(range(first, end, entry.every))
        case EntryKind.FRESHNESS | EntryKind.MANUAL:
            return frozenset()


def kept(spec: ScheduleSpec, slots: Iterable[int]) -> set[int]:
    """What bounds and exclusions leave of slots."""
    since = None if spec.start_date is None else spec.start_date.timestamp()
    until = None if spec.end_date is None else spec.end_date.timestamp()
    inside = {at for at in slots if (since is None or at >= since) and (until is None or at < until)}
    if not inside:
        return inside
    first, last = min(inside), max(inside) + 1
    for exclusion in spec.exclude:
        inside = {at for at in inside if not _excludes(exclusion, at, first - DAY, last)}
    return inside


def _excludes(exclusion: Exclusion, at: int, start: int, end: int) -> bool:
    if isinstance(exclusion, ExcludedDates):
        return datetime.fromtimestamp(at, ZoneInfo(exclusion.time_zone)).date() in exclusion.dates
    return at // MINUTE * MINUTE in cron_slots(exclusion.cron, exclusion.time_zone, start, end)


def calendar_slots(spec: ScheduleSpec, start: int, end: int) -> list[int]:
    """The slots of a schedule in [start, end), ``freshness`` ones aside, ascending."""
    return sorted(kept(spec, set().union(*(entry_slots(entry, start, end) for entry in spec.entries))))


@lru_cache(maxsize=256)
def closed_stretches(windows: tuple[Window, ...], start: int, end: int) -> tuple[Stretch, ...]:
    """When the windows let nothing start, within [start, end)."""
    openings = [
        sorted(cron_slots(window.cron, window.time_zone, start - window.duration - DAY, end)) for window in windows
    ]
    edges = {start, end}
    for window, opened in zip(windows, openings, strict=True):
        edges |= {at for begin in opened for at in (begin, begin + window.duration) if start < at < end}
    found: list[Stretch] = []
    for begin, following in pairwise(sorted(edges)):
        covered = [_covers(opened, window.duration, begin) for window, opened in zip(windows, openings, strict=True)]
        denied = any(c for c, window in zip(covered, windows, strict=True) if window.kind is WindowKind.DENY)
        allowed = [c for c, window in zip(covered, windows, strict=True) if window.kind is WindowKind.ALLOW]
        if not denied and (not allowed or any(allowed)):
            continue
        joined = found.pop()[0] if found and found[-1][1] == begin else begin
        found.append((joined, following))
    return tuple(found)


def _covers(opened: list[int], duration: int, at: int) -> bool:
    place = bisect_right(opened, at)
    return place > 0 and at < opened[place - 1] + duration


def jittered(spec: ScheduleSpec, at: int, following: int | None) -> int:
    """When a slot fires: a share of ``jitter`` that connection and slot decide, and always before the next slot."""
    if spec.jitter is None:
        return at
    most = int(spec.jitter.total_seconds())
    if following is not None:
        most = min(most, following - at)
    text = f"{spec.platform}/{spec.connection_id}@{at}"
    return at + int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big") * most // 2**64
