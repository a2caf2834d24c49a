"""The local times that slots stand for: they stay the same when a new version of the zone data moves the instants."""

from bisect import bisect_right
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import lru_cache

from controller.decide.calendar import compile_cron
from controller.decide.cron.fields import parse_cron
from controller.decide.cron.zone import segments_of
from controller.decide.slots import CALENDARS_CACHED, compile_entry, to_epoch
from controller.model.calendar import CalendarEntry, EntryKind, parse_terms

SEPARATOR = "; "


def wall_of(key: str, scheduled_at: datetime) -> str:
    """Every local time of a calendar's fixed-time entries at a slot, such as ``Europe/Zurich 2026-03-02T06:30``; empty = none.

    A wildcard entry follows the clock as it runs, so its slots are instants and nothing else.
    """
    entries = _fixed_entries(key)
    if not entries:
        return ""
    epoch = to_epoch(scheduled_at)
    walls = {
        f"{entry.time_zone} {scheduled_at + timedelta(seconds=_offset(entry.time_zone, epoch)):%Y-%m-%dT%H:%M}"
        for entry in entries
        if compile_cron(entry.text, entry.time_zone).previous_at_or_before(epoch) == epoch
    }
    return SEPARATOR.join(sorted(walls))


@lru_cache(maxsize=CALENDARS_CACHED)
def _fixed_entries(key: str) -> tuple[CalendarEntry, ...]:
    crons = (entry for entry in parse_terms(key).entries if entry.kind is EntryKind.CRON)
    # In UTC nothing ever moves.
    return tuple(entry for entry in crons if entry.time_zone != "UTC" and parse_cron(entry.text).fixed_time)


def _offset(time_zone: str, epoch: int) -> int:
    segments = segments_of(time_zone)
    return segments.offsets[max(bisect_right(segments.starts, epoch) - 1, 0)]


def walls_in(wall: str) -> tuple[str, ...]:
    """The single local times of a record's ``wall``."""
    return tuple(wall.split(SEPARATOR)) if wall else ()


def decided_as(key: str, scheduled_at: datetime, decided: Mapping[str, datetime]) -> datetime | None:
    """The slot that was decided for the same local times before the zone data changed.

    None where the calendar has this very slot for any other cause: a local time that has no decision yet, or an entry that follows no
    local time.
    """
    walls = walls_in(wall_of(key, scheduled_at))
    known = [decided[wall] for wall in walls if decided.get(wall, scheduled_at) != scheduled_at]
    if not known or len(known) < len(walls):
        return None
    fixed, epoch = _fixed_entries(key), to_epoch(scheduled_at)
    others = (compile_entry(entry) for entry in parse_terms(key).entries if entry not in fixed)
    stands_alone = any(each is not None and each.previous_at_or_before(epoch) == epoch for each in others)
    return None if stands_alone else min(known)
