"""Cron calendars against cronsim, in one process: ``python -m benchmarks.calendar_speed``.

Both search from the same instants, spread over four years. What counts is
the ratio; absolute figures depend on the machine. cronsim is asked in its fastest way, which is not its public one: a parsed object whose
position is set.
"""

import gc
import sys
import time
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from zoneinfo import ZoneInfo

from cronsim import CronSim

from controller.decide import calendar
from controller.decide.cron.days import days_of
from controller.decide.cron.evaluator import smallest_distance, times_of
from controller.decide.cron.zone import segments_of

EXPRESSIONS = ("*/5 * * * *", "0 2 * * *", "0 0 29 2 *", "0 0 L * *", "0 0 * * 5#2")
ZONES = ("UTC", "America/New_York")
ROUNDS = 5
OPERATIONS = 4_000
BEGIN, SPREAD = 1_700_000_000, 4 * 365 * 86_400
INSTANTS = [BEGIN + n * 7_654_321 % SPREAD // 60 * 60 for n in range(OPERATIONS)]
SCHEDULES = 2_000
TARGET = 3.0


def line(text: str) -> None:
    """Print one line."""
    sys.stdout.write(text + "\n")


def rate(operation: Callable[[], object], operations: int) -> float:
    """Operations per CPU second, the best of several rounds."""
    best = float("inf")
    for _ in range(ROUNDS):
        begun = time.process_time()
        operation()
        best = min(best, time.process_time() - begun)
    return operations / best


def ours(expression: str, zone: str, *, reverse: bool) -> float:
    """The speed of our search."""
    compiled = calendar.compile_cron(expression, zone)
    search = compiled.previous_at_or_before if reverse else compiled.next_after
    return rate(lambda: [search(at) for at in INSTANTS], OPERATIONS)


def theirs(expression: str, zone: str, *, reverse: bool) -> float:
    """The speed of cronsim's."""
    place = ZoneInfo(zone) if zone != "UTC" else UTC
    times = [datetime.fromtimestamp(at, place) for at in INSTANTS]
    parsed = CronSim(expression, times[0], reverse=reverse)
    naive = parsed.dt.tzinfo is None

    def search() -> None:
        for at in times:
            parsed.dt = at.replace(tzinfo=None) if naive else at
            next(parsed)

    return rate(search, OPERATIONS)


def forget() -> None:
    """Empty every cache but the zones', which a process fills once."""
    for cached in (calendar.compile_cron, calendar._cron, days_of, times_of, smallest_distance):
        cached.cache_clear()


def cold() -> tuple[float, float]:
    """Parse and search once per second of CPU, nothing known but the zone: ours, theirs."""
    at, zone = INSTANTS[1], ZoneInfo("America/New_York")

    def compile_and_search() -> None:
        for n in range(500):
            forget()
            calendar.compile_cron(f"{n % 60} 2 * * *", zone.key).next_after(at)

    def parse_and_search() -> None:
        for n in range(500):
            next(CronSim(f"{n % 60} 2 * * *", datetime.fromtimestamp(at, zone)))

    segments_of(zone.key)
    return rate(compile_and_search, 500), rate(parse_and_search, 500)


def bytes_per_schedule(keep: Callable[[int], object]) -> float:
    """Memory that each further schedule takes, allocations as Python counts them."""
    forget()
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    kept = [keep(n) for n in range(SCHEDULES)]
    gc.collect()
    taken = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    return taken / len(kept)


def main() -> None:
    """Print the tables."""
    worst = float("inf")
    line(f"{'expression':14}{'zone':18}{'next/s':>10}{'prev/s':>10}{'cronsim':>10}{'':>10}{'ratio':>8}{'':>8}")
    for expression in EXPRESSIONS:
        for zone in ZONES:
            forwards, backwards = ours(expression, zone, reverse=False), ours(expression, zone, reverse=True)
            other, other_back = theirs(expression, zone, reverse=False), theirs(expression, zone, reverse=True)
            ratios = forwards / other, backwards / other_back
            worst = min(worst, *ratios)
            line(
                f"{expression:14}{zone:18}{forwards:10,.0f}{backwards:10,.0f}{other:10,.0f}{other_back:10,.0f}"
                f"{ratios[0]:7.1f}x{ratios[1]:7.1f}x"
            )
    line(f"worst ratio {worst:.1f}x, target {TARGET}x")
    line("cold, parse and next: ours {:,.0f}/s, cronsim {:,.0f}/s".format(*cold()))
    year = 365 * 86_400
    for expression in EXPRESSIONS:
        compiled = calendar.compile_cron(expression, "America/New_York")
        count = rate(partial(compiled.count_between, BEGIN, BEGIN + year), 1)
        gap = rate(partial(compiled.smallest_gap, BEGIN, BEGIN + year), 1)
        line(f"{expression:14}a year: count {1e6 / count:,.0f} us, smallest gap {1e3 / gap:.2f} ms")
    start = datetime.fromtimestamp(BEGIN, ZoneInfo("America/New_York"))
    kept = {
        "equal expressions": lambda _: calendar.compile_cron("*/5 * * * *", "America/New_York"),
        "distinct daily times": lambda n: calendar.compile_cron(f"{n % 60} {n // 60 % 24} * * *", "America/New_York"),
        "distinct times and days": lambda n: calendar.compile_cron(
            f"{n % 60} {n // 60 % 24} {1 + n % 28} * *", "America/New_York"
        ),
        "cronsim, */5": lambda _: CronSim("*/5 * * * *", start),
        "cronsim, daily": lambda n: CronSim(f"{n % 60} 2 * * *", start),
    }
    for name, keep in kept.items():
        line(f"{name:26}{bytes_per_schedule(keep):8,.0f} bytes per schedule")


if __name__ == "__main__":
    main()
