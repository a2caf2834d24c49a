"""A thousand schedules as a company has them, in thirty zones, and what happens to each in the year; all drawn from seeds."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

from controller.model.calendar import EntryKind, ExcludedCron, ExcludedDates, Exclusion
from controller.model.schedule import CatchUp, CatchUpPolicy, Origin, Overlap, Retry, ScheduleSpec, Suspension
from controller.model.window import Window, WindowKind
from controller.simulation.slots.stepper import changing_days
from tests.simulation.life import END, START, Life
from tests.simulation.rhythms import DAY, DECK, HOUR, ZONES, Rhythm


def lives(count: int = 1000) -> list[Life]:
    """The first ones of the mixture; the first fifty hold every kind of calendar, the first sixty every zone."""
    return [_life(number) for number in range(count)]


def _life(number: int) -> Life:
    chance = Random(f"year/{number}")
    zone = ZONES[(number + number // (2 * len(DECK)) * 7) % len(ZONES)]
    rhythm = DECK[number % len(DECK)](chance, zone)
    is_fresh = any(entry.kind is EntryKind.FRESHNESS for entry in rhythm.entries)
    spec = ScheduleSpec(
        f"s{number}",
        "acme",
        f"c{number}",
        rhythm.entries,
        Origin(f"s{number}.yaml", 1),
        "version 0",
        **_bounds(chance, rhythm),
        **_behaviour(chance, zone, rhythm.interval),
    )
    if is_fresh:
        spec = replace(spec, jitter=None, suspend=None)
    slow = chance.random() < 0.25
    interval = int(min(rhythm.interval, 2 * DAY).total_seconds())
    return Life(
        versions=_versions(chance, spec, is_simple=is_fresh or rhythm.interval < HOUR / 6),
        off=_off(chance, zone, spec, rhythm),
        seed=f"platform/{number}",
        usual=(interval // 2, interval * 3 // 2) if slow else (20, 600),
        long=interval * 2 if slow else 3 * 3600,
        failed_share=0.3 if spec.retry is not None else 0.05,
        lost_share=0.02 if chance.random() < 0.15 else 0.0,
        lag=timedelta(seconds=chance.randrange(90)) if len(rhythm.entries) == 1 and is_fresh else timedelta(),
    )


def _bounds(chance: Random, rhythm: Rhythm) -> dict[str, Any]:
    if rhythm.covers is not None:
        # Half of them hold the spring nights, the others the autumn ones.
        around = datetime(2026, *chance.choice([(3, 20), (10, 15)]), tzinfo=UTC)
        begin = min(around - rhythm.covers / 2, END - rhythm.covers - 10 * DAY)
        return {"start_date": begin, "end_date": begin + rhythm.covers}
    begin, end = START + chance.randrange(100) * DAY, END - chance.randrange(1, 100) * DAY
    return {
        "start_date": begin if chance.random() < 0.1 else None,
        "end_date": end if chance.random() < 0.1 else None,
        "exclude": _exclude(chance) if chance.random() < 0.15 else (),
    }


def _exclude(chance: Random) -> tuple[Exclusion, ...]:
    zone = chance.choice(ZONES)
    days = [each for each in changing_days(zone, int(START.timestamp()), int(END.timestamp())) if chance.random() < 0.5]
    dates = ExcludedDates(frozenset([date(2026, 12, 25), date(2026, 5, 1), *days]), zone)
    crons = ["* * * * SUN", "* 2 * * *", "* 0-3 1 * *", "30 2 * * MON", "*/20 * * * WED"]
    cron = ExcludedCron(chance.choice(crons), zone)
    return chance.choice([(dates,), (cron,), (dates, cron)])


def _behaviour(chance: Random, zone: str, interval: timedelta) -> dict[str, Any]:
    said: dict[str, Any] = {"overlap": _overlap(chance), "catch_up": _catch_up(chance)}
    if chance.random() < 0.2:
        said["jitter"] = timedelta(seconds=chance.choice([30, 300, 600, 3600]))
    if chance.random() < 0.2:
        said["windows"] = _windows(chance, zone)
    if chance.random() < 0.12:
        said["min_gap"] = chance.choice([timedelta(), timedelta(minutes=10), min(interval, DAY) * 1.3])
    if chance.random() < 0.12:
        said["retry"] = Retry(chance.randint(1, 3), timedelta(minutes=chance.choice([1, 5])), timedelta(minutes=8))
    if chance.random() < 0.05:
        said["suspend"] = Suspension("not yet", until=START + chance.randint(3, 40) * DAY)
    return said


def _overlap(chance: Random) -> Overlap:
    return chance.choice([Overlap.SKIP, Overlap.SKIP, Overlap.QUEUE, Overlap.REPLACE])


def _catch_up(chance: Random) -> CatchUp:
    window = chance.choice([None, None, None, timedelta(minutes=5), HOUR, 6 * HOUR, 36 * HOUR])
    return CatchUp(CatchUpPolicy.NONE if chance.random() < 0.15 else CatchUpPolicy.LATEST, window)


def _windows(chance: Random, zone: str) -> tuple[Window, ...]:
    deny = Window(WindowKind.DENY, chance.choice(["0 1 * * *", "30 0 * * *", "0 2 * * SUN"]), 7200, zone, "backup")
    other = Window(WindowKind.DENY, "0 18 * * FRI", 60 * 3600, chance.choice(ZONES))
    allow = Window(WindowKind.ALLOW, "30 1 * * *", 90 * 60, zone)
    workdays = Window(WindowKind.ALLOW, "0 0 * * MON-FRI", 86_400, zone)
    return chance.choice([(deny,), (other,), (allow,), (workdays, deny), (allow, other, workdays)])


def _versions(chance: Random, spec: ScheduleSpec, *, is_simple: bool) -> tuple[tuple[datetime, ScheduleSpec], ...]:
    """Edits of what is not calendar; some suspend the schedule for a while, and some lift that before its end."""
    rows = [(START, spec)]
    edited = sorted(
        START + timedelta(seconds=chance.randrange(350 * 86_400)) for _ in range(chance.choice([0, 0, 2, 4]))
    )
    for number, since in enumerate(edited, 1):
        suspend = spec.suspend
        if not is_simple and chance.random() < 0.4:
            suspend = Suspension("migration", until=since + chance.randint(1, 20) * DAY)
        elif chance.random() < 0.3:
            suspend = None
        gap = chance.choice([spec.min_gap, None, timedelta(minutes=30)])
        spec = replace(
            spec,
            content=f"version {number}",
            overlap=_overlap(chance),
            catch_up=_catch_up(chance),
            min_gap=gap,
            suspend=suspend,
        )
        rows.append((since, spec))
    return tuple(rows)


def _off(chance: Random, zone: str, spec: ScheduleSpec, rhythm: Rhythm) -> tuple[tuple[datetime, datetime], ...]:
    """Hours to days without a controller, some of them across the nights in which the clock changes."""
    begins = [START + timedelta(seconds=chance.randrange(3 * 86_400, 355 * 86_400)) for _ in range(chance.randrange(5))]
    nights = changing_days(zone, int(START.timestamp()), int(END.timestamp()))
    for day in (each for each in nights if chance.random() < 0.25):
        midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
        begins.append(midnight - timedelta(seconds=chance.randrange(20 * 3600)))
    rows = [
        (begin, begin + timedelta(seconds=chance.choice([4, 12, 30, 72]) * chance.randint(1800, 3600)))
        for begin in begins
    ]
    if rhythm.interval < HOUR / 6 and spec.start_date is not None:
        rows.append((spec.start_date + 2 * DAY, spec.start_date + 2 * DAY + timedelta(hours=chance.randint(90, 130))))
    kept: list[tuple[datetime, datetime]] = []
    for begin, end in sorted(rows):
        if not kept or begin > kept[-1][1]:
            kept.append((begin, end))
    return tuple(kept)
