"""A connection's own schedule: what clients may write, how it is shown, and when it comes next."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from pydantic import Field, ValidationError, field_validator, model_validator

from controller.embedded.definition import BothStyles
from controller.embedded.quartz import EXPRESSION_LENGTH_MAX, Quartz, parse_quartz

TIMING = re.compile(r"every\s+([1-9][0-9]{0,5})\s+(second|minute|hour|day)s?", re.IGNORECASE)
UNITS = {
    "SECONDS": timedelta(seconds=1),
    "MINUTES": timedelta(minutes=1),
    "HOURS": timedelta(hours=1),
    "DAYS": timedelta(days=1),
}
INTERVAL_MAX = timedelta(days=365)
MANUAL_SCHEDULE: Mapping[str, Any] = {"schedule_type": "manual"}


@dataclass(frozen=True, slots=True)
class Timing:
    """An interval as it is written, ``Every 15 MINUTES``."""

    text: str
    interval: timedelta


def parse_timing(text: str) -> Timing:
    """Read an interval.

    Raises:
        ValueError: it is none; the text says what to write instead.
    """
    found = TIMING.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text[:40]!r} is no interval; write it like Every 15 MINUTES, in {', '.join(UNITS)}")
    number, unit = int(found[1]), f"{found[2].upper()}S"
    if number * UNITS[unit] > INTERVAL_MAX:
        raise ValueError(f"{text[:40]!r} is longer than {INTERVAL_MAX.days} days")
    return Timing(f"Every {number} {unit}", number * UNITS[unit])


class Schedule(BothStyles):
    """Manual, a Quartz expression (UTC unless a zone stands behind it), or an interval. Keys may also be camelCase."""

    schedule_type: Literal["manual", "cron", "basic"]
    cron_expression: str | None = Field(default=None, description="0 0 6 * * ?, or 0 0 6 * * ? Europe/Zurich")
    basic_timing: str | None = Field(default=None, description="Every 15 MINUTES")

    @field_validator("cron_expression")
    @classmethod
    def _check_expression(cls, text: str | None) -> str | None:
        return None if text is None else parse_quartz(text).text

    @field_validator("basic_timing")
    @classmethod
    def _check_timing(cls, text: str | None) -> str | None:
        return None if text is None else parse_timing(text[: EXPRESSION_LENGTH_MAX + 1]).text

    @model_validator(mode="after")
    def _check_kind(self) -> "Schedule":
        for kind, key, value in (
            ("cron", "cronExpression", self.cron_expression),
            ("basic", "basicTiming", self.basic_timing),
        ):
            if self.schedule_type == kind and value is None:
                raise ValueError(f"scheduleType {kind} needs {key}")
            if self.schedule_type != kind and value is not None:
                raise ValueError(f"{key} means nothing beside scheduleType {self.schedule_type}")
        return self

    def shown(self) -> dict[str, Any]:
        """The schedule as it is kept and shown."""
        return self.model_dump(exclude_none=True)

    @property
    def rhythm(self) -> Quartz | Timing | None:
        """What it counts by; None when it is manual."""
        if self.cron_expression is not None:
            return parse_quartz(self.cron_expression)
        return None if self.basic_timing is None else parse_timing(self.basic_timing)


MANUAL = Schedule(schedule_type="manual")


def rhythm_of(shown: Mapping[str, Any]) -> Quartz | Timing | None:
    """What a schedule that was kept counts by; None also for one of an earlier version that is none today."""
    try:
        return Schedule.model_validate(shown).rhythm
    except ValidationError:
        return None


def next_multiple(base: datetime, interval: timedelta, after: datetime) -> datetime:
    """The first instant later than ``after`` that is a whole number of intervals, one at least, after ``base``."""
    return base + interval * max((after - base) // interval + 1, 1)
