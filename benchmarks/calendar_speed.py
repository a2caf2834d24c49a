"""Calendars against cronsim, croniter and APScheduler, in one process: ``python -m benchmarks.calendar_speed``.

All search from the same instants, spread over four years, and take turns, the best of several rounds each. What counts is the ratio of CPU
time; absolute figures depend on the machine. A library's object is kept and set to each instant. cronsim is asked that way, which is not
its public one, and with a new object per instant, which is. The exit code is 1 if a target is missed.
"""

import gc
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, tzinfo
from functools import partial
from random import Random
from zoneinfo import ZoneInfo

from apscheduler.triggers.cron import CronTrigger
from croniter import croniter
from cronsim import CronSim

from controller.decide import calendar
from controller.decide.calendar import Calendar
from controller.decide.cron.days import days_of
from controller.decide.cron.evaluator import smallest_distance, times_of
from controller.decide.cron.zone import segments_of
from controller.decide.exclusion import without
from controller.model.calendar import ExcludedCron, ExcludedDates

EXPRESSIONS = ("*/5 * * * *", "0 2 * * *", "0 0 29 2 *", "0 0 L * *", "0 0 * * 5#2")
ZONES = ("UTC", "America/New_York")
APSCHEDULER_WORDS = {"L": "last", "5#2": "2nd fri"}
ROUNDS = 5
BEGIN, SPREAD = 1_700_000_000, 4 * 365 * 86_400
INSTANTS = [BEGIN + n * 7_654_321 % SPREAD // 60 * 60 for n in range(4_000)]
FEWER = INSTANTS[:1_000]
"""What the slower ones are asked; as evenly spread."""

SCHEDULES = 10_000
SPEED_TARGET, BYTES_TARGET = 3.0, 3 * 1024

Searches = tuple[Callable[[], object], int]
"""Something to measure, and how many searches it is."""


def line(text: str) -> None:
    """Print one line."""
    sys.stdout.write(text + "\n")


def rates(contestants: dict[str, Searches]) -> dict[str, float]:
    """Searches per CPU second: the best of several rounds, in each of which everyone has a turn."""
    best = dict.fromkeys(contestants, float("inf"))
    for _ in range(ROUNDS):
        for name, (operation, _) in contestants.items():
            begun = time.process_time()
            operation()
            best[name] = min(best[name], time.process_time() - begun)
    return {name: count / best[name] for name, (_, count) in contestants.items()}


def searches(search: Callable[[int], object]) -> Searches:
    """A search of ours from every instant."""
    return lambda: [search(at) for at in INSTANTS], len(INSTANTS)


def place_of(zone: str) -> tzinfo:
    """The fastest form of a zone."""
    return ZoneInfo(zone) if zone != "UTC" else UTC


def kept_cronsim(expression: str, zone: str, *, reverse: bool) -> Searches:
    """A parsed object whose position is set."""
    times = [datetime.fromtimestamp(at, place_of(zone)) for at in FEWER]
    parsed = CronSim(expression, times[0], reverse=reverse)
    if parsed.dt.tzinfo is None:
        times = [at.replace(tzinfo=None) for at in times]

    def search() -> None:
        for at in times:
            parsed.dt = at
            next(parsed)

    return search, len(times)


def new_cronsim(expression: str, zone: str, *, reverse: bool) -> Searches:
    """A new object per instant."""
    times = [datetime.fromtimestamp(at, place_of(zone)) for at in FEWER]
    return lambda: [next(CronSim(expression, at, reverse=reverse)) for at in times], len(times)


def kept_croniter(expression: str, zone: str, *, reverse: bool) -> Searches:
    """An object whose position is set."""
    times = [datetime.fromtimestamp(at, place_of(zone)) for at in FEWER]
    parsed = croniter(expression, times[0])

    def search() -> None:
        for at in times:
            parsed.set_current(at)
            (parsed.get_prev if reverse else parsed.get_next)(datetime)

    return search, len(times)


def kept_apscheduler(expression: str, zone: str) -> Searches:
    """One trigger; special days in its own words."""
    minute, hour, day, month, weekday = expression.split()
    if "#" in weekday:
        day, weekday = APSCHEDULER_WORDS[weekday], "*"
    trigger = CronTrigger(
        None, month, APSCHEDULER_WORDS.get(day, day), None, weekday, hour, minute, timezone=ZoneInfo(zone)
    )
    times = [datetime.fromtimestamp(at, place_of(zone)) for at in FEWER]
    return lambda: [trigger.get_next_fire_time(None, at) for at in times], len(times)


def speed() -> float:
    """Print one line per expression, zone and direction; the worst ratio."""
    worst = float("inf")
    names = ("cronsim kept", "cronsim new", "croniter", "APScheduler")
    line(f"{'searches per CPU second':42}{'ours':>10}" + "".join(f"{name:>22}" for name in names))
    for expression in EXPRESSIONS:
        for zone in ZONES:
            compiled = calendar.compile_cron(expression, zone)
            for reverse in (False, True):
                contestants = {
                    "ours": searches(compiled.previous_at_or_before if reverse else compiled.next_after),
                    "cronsim kept": kept_cronsim(expression, zone, reverse=reverse),
                    "cronsim new": new_cronsim(expression, zone, reverse=reverse),
                    "croniter": kept_croniter(expression, zone, reverse=reverse),
                }
                if not reverse:
                    contestants["APScheduler"] = kept_apscheduler(expression, zone)
                measured = rates(contestants)
                ours = measured.pop("ours")
                worst = min(worst, *(ours / other for other in measured.values()))
                cells = "".join(
                    f"{f'{measured[name]:,.0f} {ours / measured[name]:6.1f}x' if name in measured else '-':>22}"
                    for name in names
                )
                line(f"{expression:14}{zone:18}{'prev' if reverse else 'next':10}{ours:10,.0f}{cells}")
    return worst


def others() -> None:
    """Print the speed of what no library has, and of counts."""
    weekends = ExcludedCron("* * * * SAT,SUN", "America/New_York")
    holidays = ExcludedDates(
        frozenset(date(year, 12, day) for year in range(2023, 2029) for day in (24, 25, 26)), "America/New_York"
    )
    daily = calendar.compile_cron("0 2 * * *", "America/New_York")
    calendars: dict[str, Calendar] = {
        "quartz 0 0/5 * * * ?": calendar.compile_quartz("0 0/5 * * * ?", "America/New_York"),
        "quartz 0 0 2 ? * 6#2": calendar.compile_quartz("0 0 2 ? * 6#2", "America/New_York"),
        "daily, weekends excluded": without(daily, [weekends]),
        "daily, holidays excluded": without(daily, [holidays]),
        "union of two": calendar.union([daily, calendar.compile_every(3600)]),
    }
    for name, each in calendars.items():
        measured = rates({"next": searches(each.next_after), "prev": searches(each.previous_at_or_before)})
        line(f"{name:42}{measured['next']:10,.0f} next{measured['prev']:12,.0f} prev, no target")
    year = 365 * 86_400
    for expression in EXPRESSIONS:
        compiled = calendar.compile_cron(expression, "America/New_York")
        count = partial(compiled.count_between, BEGIN, BEGIN + year)
        gap = partial(compiled.smallest_gap, BEGIN, BEGIN + year)
        measured = rates({"count": (count, 1), "gap": (gap, 1)})
        line(
            f"{expression:14}a year: count {1e6 / measured['count']:,.0f} us, smallest gap {1e3 / measured['gap']:.2f} ms"
        )


def cold() -> None:
    """Print how fast an expression is parsed and asked once, nothing known but the zone."""
    at, zone = INSTANTS[1], ZoneInfo("America/New_York")
    expressions = [f"{n % 60} 2 * * *" for n in range(500)]

    def ours() -> None:
        for expression in expressions:
            forget()
            calendar.compile_cron(expression, zone.key).next_after(at)

    def theirs() -> None:
        for expression in expressions:
            next(CronSim(expression, datetime.fromtimestamp(at, zone)))

    segments_of(zone.key)
    measured = rates({"ours": (ours, len(expressions)), "cronsim": (theirs, len(expressions))})
    line(
        f"parse and one search, nothing cached: ours {measured['ours']:,.0f}/s, cronsim {measured['cronsim']:,.0f}/s, no target"
    )


def forget() -> None:
    """Empty every cache but the zones', which a process fills once."""
    for cached in (calendar.compile_cron, calendar._cron, days_of, times_of, smallest_distance):
        cached.cache_clear()


def bytes_per_schedule(wanted: Iterable[tuple[str, str]], keep: Callable[[str, str], object]) -> float:
    """Memory per kept object, allocations as Python counts them; zones are part of it."""
    wanted = list(wanted)
    forget()
    segments_of.cache_clear()
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    kept = [keep(expression, zone) for expression, zone in wanted]
    gc.collect()
    taken = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    return taken / len(kept)


def mix() -> list[tuple[str, str]]:
    """What ten thousand connections look like: mostly daily and every few hours, some weekly and monthly, few zones."""
    chance = Random(SCHEDULES)
    zones = ("UTC", "UTC", "America/New_York", "Europe/Zurich", "America/Los_Angeles", "Asia/Tokyo", "Australia/Sydney")
    found = []
    for _ in range(SCHEDULES):
        minute, hour = chance.randrange(0, 60, chance.choice((1, 5, 15))), chance.randrange(24)
        shapes = [f"*/{chance.choice((5, 10, 15, 30))} * * * *"] * 2 + [
            f"{minute} */{chance.choice((2, 3, 4, 6, 12))} * * *"
        ] * 3
        shapes += [f"{minute} * * * *"] * 3 + [f"{minute} {hour} * * *"] * 6 + [f"{minute} {hour} * * MON-FRI"] * 3
        shapes += [
            f"{minute} {hour} * * {chance.randrange(7)}",
            f"{minute} {hour} {chance.randint(1, 28)} * *",
            f"{minute} {hour} L * *",
        ]
        found.append((chance.choice(shapes), chance.choice(zones)))
    return found


def memory() -> float:
    """Print bytes per schedule; those of ours for the mix."""
    wanted = mix()
    here = bytes_per_schedule(wanted, calendar.compile_cron)
    there = bytes_per_schedule(
        wanted[:1000], lambda expression, zone: CronSim(expression, datetime.fromtimestamp(BEGIN, place_of(zone)))
    )
    line(f"{SCHEDULES:,} schedules, {len(set(wanted)):,} distinct: {here:,.0f} bytes each; cronsim {there:,.0f}")
    daily = [(f"{n % 60} {n // 60 % 24} {1 + n % 28} * *", "America/New_York") for n in range(SCHEDULES)]
    line(
        f"{SCHEDULES:,} distinct times and days: {bytes_per_schedule(daily, calendar.compile_cron):,.0f} bytes each, no target"
    )
    return here


def main() -> int:
    """Print the tables; 1 if a target is missed."""
    ratio = speed()
    line(f"worst ratio {ratio:.1f}x, target at least {SPEED_TARGET:.0f}x")
    cold()
    others()
    size = memory()
    line(f"bytes per schedule {size:,.0f}, target at most {BYTES_TARGET:,}")
    return int(ratio < SPEED_TARGET or size > BYTES_TARGET)


if __name__ == "__main__":
    sys.exit(main())
