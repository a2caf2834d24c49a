"""Starts by hour as a map of shades: a row for each day, or for each day of the week where there are too many."""

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

from controller.cli.foresight.forecast_tally import Range
from controller.cli.terminal import Paint

SHADES = "░▒▓█"
STYLES = ("blue", "green", "yellow", "red")
NO_START, NO_HOUR = "·", " "

DAYS_SHOWN = 14
"""A longer range is added up by the days of the week."""

CELL = 2
"""Columns of an hour."""

LABEL = len("Sat 28 Mar")
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

Cells = Mapping[tuple[int, int], int]
"""Starts by row (a day's ordinal, or a day of the week) and hour on the wall clock."""


def heat_map(minutes: Mapping[int, int], shown: Range, paint: Paint) -> list[str]:
    """The map with its legend; ``minutes`` are starts by minute since the epoch."""
    by_week = shown.days > DAYS_SHOWN
    cells = _cells(minutes, shown, by_week=by_week)
    hours = _hours(shown, by_week=by_week)
    most = max(cells.values(), default=0)
    header = "".join(f"{hour:02}".ljust(3 * CELL) for hour in range(0, 24, 3))
    lines = [f"{' ' * LABEL}  {paint('dim', header)}{'STARTS':>8}"]
    for row in sorted({row for row, _ in hours} | {row for row, _ in cells}):
        drawn = "".join(_cell(cells.get((row, hour), 0), most, (row, hour) in hours, paint) for hour in range(24))
        total = sum(cells.get((row, hour), 0) for hour in range(24))
        lines.append(f"{_label(row, by_week=by_week)}  {drawn}{total:>8,}")
    return [*lines, "", *_legend(most, shown, paint, by_week=by_week)]


def _cells(minutes: Mapping[int, int], shown: Range, *, by_week: bool) -> Cells:
    found: Counter[tuple[int, int]] = Counter()
    for minute, starts in minutes.items():
        wall = datetime.fromtimestamp(minute * 60, shown.zone)
        found[wall.weekday() if by_week else wall.toordinal(), wall.hour] += starts
    return found


def _hours(shown: Range, *, by_week: bool) -> set[tuple[int, int]]:
    """The hours that the range has at all: not those before it, after it, or lost to a change of the clock."""
    if by_week:
        return {(day, hour) for day in range(7) for hour in range(24)}
    found, at = set(), shown.since.astimezone(UTC)
    while at < shown.until:
        wall = at.astimezone(shown.zone)
        found.add((wall.toordinal(), wall.hour))
        # No zone moves an hour by less than this, and it costs little.
        at += timedelta(minutes=15)
    return found


def _cell(starts: int, most: int, is_hour: bool, paint: Paint) -> str:  # noqa: FBT001  a cell is drawn from what is known of it
    if not starts:
        return paint("dim", NO_START) + " " if is_hour else NO_HOUR * CELL
    level = -(-starts * len(SHADES) // most) - 1
    return paint(STYLES[level], SHADES[level] * CELL)


def _label(row: int, *, by_week: bool) -> str:
    return WEEKDAYS[row].ljust(LABEL) if by_week else f"{date.fromordinal(row):%a %d %b}"


def _legend(most: int, shown: Range, paint: Paint, *, by_week: bool) -> list[str]:
    parts = [f"{paint('dim', NO_START)} none"]
    for level, shade in enumerate(SHADES):
        low, high = most * level // len(SHADES) + 1, most * (level + 1) // len(SHADES)
        if low <= high:
            parts.append(f"{paint(STYLES[level], shade)} {low:,}" + (f"-{high:,}" if high > low else ""))
    what = f"starts an hour, {shown.zone}"
    if by_week:
        what += f"; {shown.days:.0f} days, added up by weekday"
    return ["   ".join(parts), paint("dim", what)]
