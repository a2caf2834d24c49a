"""Other libraries for cron, each asked through what it documents: the first slot strictly after an instant, and the last one before it."""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from apscheduler.triggers.cron import CronTrigger
from croniter import croniter
from cronsim import CronSim

Search = Callable[[str, str, int], int | None]
"""Asked with an expression, a zone and an instant."""

WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat", "sun")


def wall(zone: str, at: int) -> datetime:
    """An instant as the libraries want it."""
    return datetime.fromtimestamp(at, ZoneInfo(zone))


def instant(found: datetime) -> int:
    """Seconds since the epoch."""
    return int(found.timestamp())


def cronsim_next(expression: str, zone: str, at: int) -> int | None:
    """A new iterator from the instant on."""
    return instant(next(CronSim(expression, wall(zone, at))))


def cronsim_previous(expression: str, zone: str, at: int) -> int | None:
    """A new iterator backwards."""
    return instant(next(CronSim(expression, wall(zone, at), reverse=True)))


def croniter_next(expression: str, zone: str, at: int) -> int | None:
    """As it is without any option."""
    return instant(croniter(expression, wall(zone, at)).get_next(datetime))


def croniter_previous(expression: str, zone: str, at: int) -> int | None:
    """The same backwards."""
    return instant(croniter(expression, wall(zone, at)).get_prev(datetime))


def croniter_star_next(expression: str, zone: str, at: int) -> int | None:
    """With the option that makes ``*/n`` a star."""
    return instant(croniter(expression, wall(zone, at), implement_cron_bug=True).get_next(datetime))


def croniter_star_previous(expression: str, zone: str, at: int) -> int | None:
    """The same backwards."""
    return instant(croniter(expression, wall(zone, at), implement_cron_bug=True).get_prev(datetime))


def apscheduler_next(expression: str, zone: str, at: int) -> int | None:
    """As ``from_crontab`` reads it; its answer may be the instant that it is asked with, so the next second is asked."""
    trigger = CronTrigger.from_crontab(expression, ZoneInfo(zone))
    found = trigger.get_next_fire_time(None, wall(zone, at + 1))
    return None if found is None else instant(found)


def apscheduler_named_next(expression: str, zone: str, at: int) -> int | None:
    """The same with weekdays by name, which avoids its counting from Monday."""
    *others, weekday = expression.split()
    named = ",".join(_named(item) for item in weekday.split(","))
    return apscheduler_next(" ".join((*others, named)), zone, at)


def _named(item: str) -> str:
    body, slash, step = item.partition("/")
    if body == "*":
        return ",".join(WEEKDAYS[0 : 7 : int(step)]) if slash else "*"
    first, dash, last = body.partition("-")
    end = int(last) if dash else 6 if slash else int(first)
    return ",".join(WEEKDAYS[int(first) : end + 1 : int(step or 1)])


class Library(NamedTuple):
    """What is asked of one library."""

    name: str
    next_after: Search
    previous_before: Search | None = None


LIBRARIES = (
    Library("cronsim", cronsim_next, cronsim_previous),
    Library("croniter", croniter_next, croniter_previous),
    Library("croniter, */n a star", croniter_star_next, croniter_star_previous),
    Library("APScheduler, names", apscheduler_named_next),
    Library("APScheduler", apscheduler_next),
)
