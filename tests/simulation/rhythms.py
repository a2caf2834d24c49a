"""The kinds of calendars that schedules have, each drawn for a zone, and the thirty zones."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from random import Random

from controller.model.calendar import CalendarEntry, EntryKind

ZONES = (
    "UTC",
    "Africa/Cairo",
    "Africa/Casablanca",
    "America/Havana",
    "America/Los_Angeles",
    "America/Mexico_City",
    "America/New_York",
    "America/Nuuk",
    "America/Santiago",
    "America/Sao_Paulo",
    "America/St_Johns",
    "Antarctica/Troll",
    "Asia/Beirut",
    "Asia/Gaza",
    "Asia/Jerusalem",
    "Asia/Kathmandu",
    "Asia/Kolkata",
    "Asia/Tehran",
    "Asia/Tokyo",
    "Atlantic/Azores",
    "Australia/Adelaide",
    "Australia/Lord_Howe",
    "Europe/Chisinau",
    "Europe/Dublin",
    "Europe/London",
    "Europe/Riga",
    "Europe/Zurich",
    "Pacific/Apia",
    "Pacific/Auckland",
    "Pacific/Chatham",
)

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True)
class Rhythm:
    """The calendar of a schedule, its usual distance of two slots, and how much of the year it covers."""

    entries: tuple[CalendarEntry, ...]
    interval: timedelta
    covers: timedelta | None = None


Draw = Callable[[Random, str], Rhythm]


def _cron(text: str, zone: str) -> CalendarEntry:
    return CalendarEntry(EntryKind.CRON, text, zone)


def _quartz(text: str, zone: str) -> CalendarEntry:
    return CalendarEntry(EntryKind.QUARTZ, text, zone)


def _every(seconds: int, anchor: int = 0) -> CalendarEntry:
    return CalendarEntry(EntryKind.EVERY, f"{seconds}s", every=seconds, anchor=anchor)


def _fresh(hours: int) -> CalendarEntry:
    return CalendarEntry(EntryKind.FRESHNESS, f"{hours}h", every=hours * 3600)


def _nightly(chance: Random, zone: str) -> Rhythm:
    """Daily, mostly in the hours in which clocks change."""
    hour = chance.choice([0, 0, 0, 1, 1, 2, 2, 2, 3, 23, chance.randrange(24)])
    return Rhythm((_cron(f"{chance.choice([0, 15, 30, 45, 59])} {hour} * * *", zone),), DAY)


def _twice(chance: Random, zone: str) -> Rhythm:
    return Rhythm((_cron(f"{chance.choice([0, 30])} {chance.choice(['0,1', '1,2', '2,3', '6,18'])} * * *", zone),), DAY)


def _workdays(chance: Random, zone: str) -> Rhythm:
    return Rhythm((_cron(f"{chance.randrange(60)} {chance.randrange(5, 9)} * * MON-FRI", zone),), DAY)


def _weekly(chance: Random, zone: str) -> Rhythm:
    day = chance.choice(["SUN", "SUN", "SAT", "FRI", "1", "7"])
    return Rhythm((_cron(f"{chance.choice([0, 30])} {chance.randrange(4)} * * {day}", zone),), 7 * DAY)


def _monthly(chance: Random, zone: str) -> Rhythm:
    days = chance.choice(
        ["L * *", "LW * *", "15W * *", "* * FRI#2", "* * 5L", "1 * *", "31 * *", "29 * *", "* * SUN#3"]
    )
    return Rhythm((_cron(f"30 {chance.randrange(4)} {days}", zone),), 28 * DAY)


def _both_days(chance: Random, zone: str) -> Rhythm:
    return Rhythm(
        (_cron(f"30 {chance.choice(['2', '*/6', '0,2'])} {chance.choice(['13', '*/2', '1-7'])} * FRI,SUN", zone),), DAY
    )


def _lifted(chance: Random, zone: str) -> Rhythm:
    """Quartz, as lifted from a platform."""
    times = ["0 30 2 * * ?", "15 0 1 ? * MON-FRI", "0 45 0 L * ?", "0 0 2 ? * 1#2", "0 30 1,2 ? * SUN", "0 0 3 LW * ?"]
    times += ["0 59 23 ? * FRI-MON", "30 15 0/6 * * ?"]
    return Rhythm((_quartz(chance.choice(times), zone),), DAY)


def _lifted_often(chance: Random, zone: str) -> Rhythm:
    return Rhythm((_quartz(f"20 {chance.randrange(30)}/30 0/4 ? * *", zone),), HOUR / 2)


def _steady(chance: Random, zone: str) -> Rhythm:
    hours = chance.choice([6, 8, 12, 24])
    return Rhythm((_every(hours * 3600, chance.randrange(86_400)),), hours * HOUR)


def _every_two_hours(chance: Random, zone: str) -> Rhythm:
    return Rhythm((_every(7200, chance.randrange(7200)),), 2 * HOUR)


def _hourly(chance: Random, zone: str) -> Rhythm:
    return Rhythm((_cron(f"{chance.randrange(60)} * * * *", zone),), HOUR, 200 * DAY)


def _half_hourly(chance: Random, zone: str) -> Rhythm:
    return Rhythm((_cron("*/30 * * * *", zone),), HOUR / 2, 100 * DAY)


def _half_hourly_at_night(chance: Random, zone: str) -> Rhythm:
    return Rhythm((_cron("*/30 0-3 * * *", zone),), HOUR / 2)


def _office(chance: Random, zone: str) -> Rhythm:
    return Rhythm((_cron("*/15 8-17 * * MON-FRI", zone),), HOUR / 4, 90 * DAY)


def _dense(chance: Random, zone: str) -> Rhythm:
    """So often that a long time without a controller leaves more than a thousand slots behind."""
    return Rhythm((_every(300, chance.randrange(300)),), HOUR / 12, 12 * DAY)


def _two_zones(chance: Random, zone: str) -> Rhythm:
    other = chance.choice(ZONES)
    return Rhythm((_cron("30 2 * * *", zone), _cron(f"{chance.choice([0, 30])} 2 * * *", other)), DAY / 2)


def _two_kinds(chance: Random, zone: str) -> Rhythm:
    first = chance.choice([_cron("0 1-4 * * *", zone), _quartz("0 0 1,2,3 * * ?", zone), _every(6 * 3600, 30)])
    return Rhythm((first, _cron(chance.choice(["30 1 * * *", "0 3 * * *", "*/20 2 * * SUN"]), zone)), 4 * HOUR)


def _fresh_only(chance: Random, zone: str) -> Rhythm:
    hours = chance.choice([4, 6, 12, 24])
    return Rhythm((_fresh(hours),), hours * HOUR)


def _fresh_too(chance: Random, zone: str) -> Rhythm:
    return Rhythm((_fresh(chance.choice([8, 12, 30])), _cron("30 2 * * *", zone)), 8 * HOUR)


DECK: tuple[Draw, ...] = (
    *(_nightly,) * 13,
    *(_twice, _workdays, _both_days, _fresh_only, _two_zones) * 2,
    *(_weekly, _monthly, _lifted, _steady) * 4,
    *(_lifted_often, _every_two_hours, _hourly, _half_hourly, _half_hourly_at_night, _office),
    *(_dense, _two_kinds, _two_kinds, _fresh_too, _nightly),
)
"""Every kind of calendar, as often as it is met among fifty."""
