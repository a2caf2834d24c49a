"""A third evaluator, fast enough for a hundred thousand questions: every minute (or second) of a window laid out on a board.

A window is walked once, instant by instant, with the wall clock of zoneinfo. What the clock showed becomes one set of positions per minute,
per hour and per day; an expression's slots are those positions that are in a set of each kind. It shares no code with `controller.decide`,
and with the walkers of `brute_force` and `quartz_brute_force` only the reading of fields and days.
"""

import os
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import NamedTuple, Self
from zoneinfo import ZoneInfo

from tests.unit.decide.brute_force import GAP_MAX, MINUTE, WARM_UP, Walker
from tests.unit.decide.quartz_brute_force import Stepper, shown_last

SEED_VARIABLE = "MAINSPRING_TEST_SEED"


def seed() -> int:
    """What the random tests begin with; the environment may say another number."""
    return int(os.environ.get(SEED_VARIABLE, "20260329"))


Shown = tuple[int, datetime]
"""An instant, and the wall time that counts there."""


def by_value(values: bytes, count: int) -> list[int]:
    """For each value below ``count`` the positions at which it stands, as bits."""
    backwards = values[::-1]
    return [int(backwards.translate(bytes(48 + (n == value) for n in range(256))), 2) for value in range(count)]


def union_of(sets: list[int], chosen: set[int]) -> int:
    """The positions of all chosen values."""
    found = 0
    for value in chosen:
        found |= sets[value]
    return found


class Board:
    """The instants of a window in ascending order, and where the wall clock shows which minute, hour and day."""

    def __init__(self, shown: list[Shown], *, seconds: bool = False) -> None:
        self.instants = [at for at, _ in shown]
        self.minutes = by_value(bytes(wall.minute for _, wall in shown), 60)
        self.hours = by_value(bytes(wall.hour for _, wall in shown), 24)
        self.seconds = by_value(bytes(wall.second for _, wall in shown), 60) if seconds else []
        self.dates: dict[date, int] = {}
        place = 0
        for day, run in groupby(wall.toordinal() for _, wall in shown):
            length, date_ = len(list(run)), date.fromordinal(day)
            self.dates[date_] = self.dates.get(date_, 0) | (1 << length) - 1 << place
            place += length

    def matching(self, walker: Walker | Stepper) -> int:
        """The positions that an expression means."""
        days = 0
        for day, places in self.dates.items():
            if walker.on_day(day):
                days |= places
        if not days:
            return 0
        found = days & union_of(self.minutes, walker.minutes) & union_of(self.hours, walker.hours)
        return found & union_of(self.seconds, walker.seconds) if isinstance(walker, Stepper) else found

    def next_after(self, found: int, instant: int) -> int | None:
        """The first of the positions after an instant, as an instant."""
        place = bisect_right(self.instants, instant)
        rest = found >> place
        return self.instants[place + (rest & -rest).bit_length() - 1] if rest else None

    def previous_at_or_before(self, found: int, instant: int) -> int | None:
        """The last of the positions at or before an instant, as an instant."""
        earlier = found & (1 << bisect_right(self.instants, instant)) - 1
        return self.instants[earlier.bit_length() - 1] if earlier else None

    def slots(self, found: int, start: int, end: int) -> list[int]:
        """All of the positions in [start, end), each instant once."""
        digits = f"{found & (1 << bisect_left(self.instants, end)) - 1:b}"[::-1]
        place, slots = digits.find("1", bisect_left(self.instants, start)), set()
        while place >= 0:
            slots.add(self.instants[place])
            place = digits.find("1", place + 1)
        return sorted(slots)


class CronBoards(NamedTuple):
    """The two boards of a window: what a wildcard goes by and what a fixed time goes by."""

    wildcard: Board
    fixed: Board

    @classmethod
    def of(cls, zone: str, start: int, end: int) -> Self:
        """The boards of the instants [start, end)."""
        # Times of one zone are compared and subtracted as the wall shows them: Python leaves out the offset then.
        step, place = timedelta(seconds=step_of(zone, start)), ZoneInfo(zone)
        walked = [
            (at, datetime.fromtimestamp(at, place)) for at in range((start - WARM_UP) // 60 * 60, end, step.seconds)
        ]
        within = [(at, wall) for at, wall in walked if at >= start and wall.second == 0]
        once = [each for each in counted_once(walked, step) if each[0] >= start]
        wildcard = Board(within)
        return cls(wildcard, wildcard if once == within else Board(once))

    def board_for(self, walker: Walker) -> Board:
        """The one that Debian's rule takes for an expression."""
        return self.wildcard if "*" in walker.minute[0] + walker.hour[0] else self.fixed


def step_of(zone: str, start: int) -> int:
    """Seconds from one look at the clock to the next: Monrovia's minutes began at half minutes until 1972."""
    return 30 if zone == "Africa/Monrovia" and start < 3 * 366 * 86_400 else 60


def counted_once(walked: list[Shown], step: timedelta) -> Iterator[Shown]:
    """Every wall minute once: where it is shown first, or where a jump of at most 3 h over it ends."""
    latest = walked[0][1] - step
    for at, wall in walked:
        if wall == latest + MINUTE and not wall.second:
            yield at, wall
        elif wall > latest:
            first = latest + step if wall - latest - step <= GAP_MAX else wall
            minute = first.replace(second=0) + (MINUTE if first.second else timedelta())
            while minute <= wall:
                yield at, minute
                minute += MINUTE
        latest = max(latest, wall)


def quartz_board(zone: str, start: int, end: int) -> Board:
    """The board of the seconds [start, end) that count in Quartz: of two copies the second."""
    return Board(shown_last(zone, start, end), seconds=True)
