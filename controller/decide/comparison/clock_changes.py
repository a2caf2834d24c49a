"""Slots at wall times that a clock which is put back shows twice: each is one slot, and a reviewer wants to know which."""

from bisect import bisect_right
from datetime import UTC, datetime, timedelta, timezone

from controller.decide.calendar import compile_cron, compile_quartz
from controller.decide.cron.fields import parse_cron
from controller.decide.cron.zone import segments_of
from controller.decide.quartz.fields import parse_quartz
from controller.model.calendar import CalendarEntry, EntryKind

YEAR_SECONDS = 366 * 86_400
ALL_HOURS = (1 << 24) - 1


def slot_in_fold(entry: CalendarEntry, since: int) -> str:
    """What becomes of the first slot that the clock would show twice within a year; empty = there is none.

    An entry for every hour means whatever hours there are: it has a slot in both.
    """
    if not _names_times(entry):
        return ""
    is_cron = entry.kind is EntryKind.CRON
    # In a zone that never changes the slots of an expression are the wall times that it names.
    walls = compile_cron(entry.text) if is_cron else compile_quartz(entry.text)
    segments = segments_of(entry.time_zone)
    for run in range(max(bisect_right(segments.starts, since), 1), len(segments.offsets)):
        change, before, after = segments.starts[run], segments.offsets[run - 1], segments.offsets[run]
        if change > since + YEAR_SECONDS:
            break
        wall = walls.next_after(change + after - 1)
        if after < before and wall is not None and wall < change + before:
            return _told(wall, before if is_cron else after, entry.time_zone, is_first=is_cron)
    return ""


def _names_times(entry: CalendarEntry) -> bool:
    if entry.kind is EntryKind.CRON:
        return parse_cron(entry.text).fixed_time
    return entry.kind is EntryKind.QUARTZ and parse_quartz(entry.text).hours != ALL_HOURS


def _told(wall: int, offset: int, zone: str, *, is_first: bool) -> str:
    shown = datetime.fromtimestamp(wall, UTC).replace(tzinfo=timezone(timedelta(seconds=offset)))
    which = "first" if is_first else "second"
    return (
        f"{shown:%Y-%m-%d} has {shown:%H:%M} twice in {zone}, because the clock is put back: "
        f"its slot is the {which} of the two, {shown.isoformat(timespec='minutes')}"
    )
