"""A time zone as runs of constant offset, on whole seconds since the Unix epoch."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from controller.decide.cron.refusal import CalendarError

BEGIN = 0
"""1970-01-01T00:00:00Z: no slot lies before it."""

END = int(datetime(2100, 1, 1, tzinfo=UTC).timestamp())
"""No slot lies at or after it: what rules a zone has then nobody knows, and the search for slots needs an end."""

PROBE_SECONDS = 3 * 86_400
"""Distance of the instants at which a zone is asked for its offset; the shortest run since 1970 lasts 6 days and 23 h."""

GAP_MADE_UP_SECONDS_MAX = 3 * 3600
"""Debian's cron makes up what a jump of the clock skipped only up to 3 h; a longer one is a corrected clock to it."""

_SECOND = timedelta(seconds=1)

NOT_ZONES = frozenset({"localtime", "Factory", "posixrules"})
"""Files beside the zones that name no place, or the machine's own."""


@dataclass(frozen=True, slots=True)
class Segments:
    """The runs of one zone between `BEGIN` and `END`.

    Run i holds the instants from ``starts[i]`` to before ``starts[i + 1]``; there the wall clock shows the instant plus ``offsets[i]``.
    ``starts`` has one element more than the others, `END`.

    Attributes:
        starts: seconds since the epoch, UTC.
        offsets: seconds east of UTC.
        wall_lows: the first wall second that run i shows.
        fixed_lows: the first wall second whose fixed-time slot run i holds. Where the clock jumped
            forward by at most 3 h that is where the gap began; where it was set back, what was shown before is not slots again.
    """

    starts: tuple[int, ...]
    offsets: tuple[int, ...]
    wall_lows: tuple[int, ...]
    fixed_lows: tuple[int, ...]


@cache
def segments_of(name: str) -> Segments:
    """The runs of an IANA zone.

    Raises:
        CalendarError: ``zone-unknown``; no such zone, or the name of a file that is none.
    """
    zone = _load(name)
    starts, offsets = [BEGIN], [_offset(zone, BEGIN)]
    known = BEGIN
    while known < END:
        probe = min(known + PROBE_SECONDS, END)
        if _offset(zone, probe) != offsets[-1]:
            starts.append(_first_with_another_offset(zone, known, probe))
            offsets.append(_offset(zone, probe))
        known = probe
    return _with_lows((*starts, END), tuple(offsets))


def _load(name: str) -> ZoneInfo:
    # Only names on the list reach the file system: it may ignore case, and a name may be a path.
    names = _zone_names()
    if name in names:
        return ZoneInfo(name)
    by_folded = {each.casefold(): each for each in names}
    near = by_folded.get(name.casefold()) or next(iter(get_close_matches(name[:40], names, n=1)), "Europe/Zurich")
    raise CalendarError("zone-unknown", f"{name[:40]!r} is no IANA time zone; write for example {near}")


@cache
def _zone_names() -> frozenset[str]:
    return frozenset(available_timezones() - NOT_ZONES)


def _offset(zone: ZoneInfo, instant: int) -> int:
    return (datetime.fromtimestamp(instant, zone).utcoffset() or timedelta()) // _SECOND


def _first_with_another_offset(zone: ZoneInfo, before: int, after: int) -> int:
    offset = _offset(zone, before)
    while after - before > 1:
        middle = (before + after) // 2
        if _offset(zone, middle) == offset:
            before = middle
        else:
            after = middle
    return after


def _with_lows(starts: tuple[int, ...], offsets: tuple[int, ...]) -> Segments:
    wall_lows = tuple(start + offset for start, offset in zip(starts, offsets, strict=False))
    fixed_lows = [wall_lows[0]]
    shown = starts[1] + offsets[0]
    for start, end, offset in zip(starts[1:], starts[2:], offsets[1:], strict=False):
        fixed_lows.append(start + offset if start + offset - shown > GAP_MADE_UP_SECONDS_MAX else shown)
        shown = max(shown, end + offset)
    return Segments(starts, offsets, wall_lows, tuple(fixed_lows))
