"""A year's number of slots in every zone that ever changed its clock: arithmetic against walking.

The days around every change are walked minute by minute; on every other day each matching minute of the wall clock comes exactly once,
so that matching days times matching times is what a walk would count.
"""

from datetime import date, datetime, timedelta
from itertools import pairwise
from random import Random
from zoneinfo import ZoneInfo, available_timezones

from controller.decide.calendar import compile_cron
from tests.unit.decide.boards import CronBoards, seed
from tests.unit.decide.brute_force import NOT_ZONES, Walker, changes

ONE = timedelta(days=1)
FIXED = ("30 2 * * *", "0,30 0-3 * * *", "15 1 * * SUN", "59 23 L * *", "0 0 1,15 * MON", "0/45 0-23/3 * * *")
WILDCARD = ("* * * * *", "*/20 1 * * *", "17 * * * *", "*/30 0 */2 * *", "5 */2 * * 6,0")


class Year:
    """A year on the wall of one zone, from a midnight to a midnight; days close to a change of the clock are rough."""

    def __init__(self, zone: str, year: int) -> None:
        self.zone, self.place = zone, ZoneInfo(zone)
        self.rough: set[date] = set()
        for change in changes(zone, 1970, 2037):
            first, last = (datetime.fromtimestamp(at, self.place).date() for at in (change - 1, change))
            self.rough |= {first - ONE + n * ONE for n in range((last - first).days + 3)}
        begin, end = self.smooth(date(year, 1, 1)), self.smooth(date(year + 1, 1, 1))
        self.days = [begin + n * ONE for n in range((end - begin).days)]
        self.start, self.end = self.midnight(begin), self.midnight(end)
        self.walked = [(CronBoards.of(zone, *ends), *ends) for ends in self.rough_runs()]

    def smooth(self, day: date) -> date:
        """The first day from this one on that is not rough."""
        while day in self.rough:
            day += ONE
        return day

    def midnight(self, day: date) -> int:
        """When a day begins."""
        return int(datetime(day.year, day.month, day.day, tzinfo=self.place).timestamp())

    def rough_runs(self) -> list[tuple[int, int]]:
        """Where rough days follow each other: the midnights at both ends."""
        rough = [day for day in self.days if day in self.rough]
        begins = rough[:1] + [day for before, day in pairwise(rough) if day - before > ONE]
        ends = [before for before, day in pairwise(rough) if day - before > ONE] + rough[-1:]
        return [(self.midnight(a), self.midnight(b + ONE)) for a, b in zip(begins, ends, strict=True)]

    def count(self, walker: Walker) -> int:
        """The slots of an expression in this year."""
        whole = sum(remembered(walker, day) for day in self.days if day not in self.rough)
        total = whole * len(walker.minutes) * len(walker.hours)
        for boards, start, end in self.walked:
            board = boards.board_for(walker)
            total += len(board.slots(board.matching(walker), start, end))
        return total


def remembered(walker: Walker, day: date) -> bool:
    """Whether an expression has slots on a day, looked up once."""
    if day not in walker.known:
        walker.known[day] = walker.on_day(day)
    return walker.known[day]


def test_a_year_is_counted_as_it_is_walked_in_every_zone() -> None:
    """Fixed times and wildcards, in a year in which the zone changes its clock: the count is the walk's."""
    chance, wrong, asked, zones = Random(seed()), [], 0, 0
    walkers = [Walker(text) for text in FIXED + WILDCARD]
    for zone in sorted(available_timezones() - NOT_ZONES):
        if not (found := changes(zone, 1970, 2037)):
            continue
        changed = datetime.fromtimestamp(chance.choice(found), ZoneInfo(zone)).year
        year, zones = Year(zone, max(1971, changed)), zones + 1
        for walker in walkers:
            expected, asked = year.count(walker), asked + 1
            calendar = compile_cron(walker.expression, zone)
            if calendar.count_between(year.start - 1, year.end - 1) != expected:
                wrong.append((zone, year.days[0], walker.expression, expected))
    assert wrong == [], seed()
    assert zones > 300
    assert asked == zones * len(walkers)


def test_a_walked_year_is_a_year_of_minutes() -> None:
    """What the walk counts for every minute is the length of the year, and for a daily time the days that existed."""
    year = Year("Pacific/Apia", 2011)
    assert year.count(Walker("* * * * *")) == (year.end - year.start) // 60
    assert year.count(Walker("30 12 * * *")) == len(year.days) - 1
