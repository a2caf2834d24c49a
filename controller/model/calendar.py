"""Which slots exist, as a spec says it: entries, exclusions and bounds; and the canonical text that names a calendar."""

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any


class EntryKind(StrEnum):
    """The dialects in which ``spec.schedules`` may say when."""

    CRON = "cron"
    QUARTZ = "quartz"
    EVERY = "every"
    FRESHNESS = "freshness"
    MANUAL = "manual"


@dataclass(frozen=True, slots=True)
class CalendarEntry:
    """One entry of ``spec.schedules``.

    Attributes:
        kind: the dialect.
        text: the cron or quartz expression, or the duration as written; empty for ``manual``.
        time_zone: IANA name, for cron and quartz.
        every: whole seconds, for ``every`` and ``freshness``.
        anchor: whole seconds since the Unix epoch, for ``every``.
    """

    kind: EntryKind
    text: str = ""
    time_zone: str = "UTC"
    every: int = 0
    anchor: int = 0


@dataclass(frozen=True, slots=True)
class ExcludedDates:
    """Whole days on the wall clock of a zone, from midnight to midnight, 23 or 25 hours where the clock changes."""

    dates: frozenset[date]
    time_zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class ExcludedCron:
    """The minutes that a cron expression names: its own slots, by the Debian rule, each with the 59 seconds after it."""

    cron: str
    time_zone: str = "UTC"


Exclusion = ExcludedDates | ExcludedCron


@dataclass(frozen=True, slots=True)
class CalendarTerms:
    """All that decides which slots exist.

    Attributes:
        entries: a slot exists where any of them has one.
        exclude: slots that fall here do not exist.
        start_at: the first instant at which a slot may be (aware UTC); None = no bound.
        end_at: the first instant at which none may be any more (aware UTC); None = no bound.
    """

    entries: tuple[CalendarEntry, ...]
    exclude: tuple[Exclusion, ...] = ()
    start_at: datetime | None = None
    end_at: datetime | None = None


def dump_terms(terms: CalendarTerms) -> str:
    """Write a calendar as canonical JSON: a list of entries, or an object where there is more; order does not matter."""
    entries = sorted([e.kind.value, e.text, e.time_zone, e.every, e.anchor] for e in terms.entries)
    more: dict[str, Any] = {}
    if terms.exclude:
        more["exclude"] = sorted(_exclusion_row(each) for each in terms.exclude)
    if terms.start_at is not None:
        more["start"] = int(terms.start_at.timestamp())
    if terms.end_at is not None:
        more["end"] = int(terms.end_at.timestamp())
    return json.dumps({"entries": entries, **more} if more else entries, separators=(",", ":"))


def _exclusion_row(exclusion: Exclusion) -> list[Any]:
    if isinstance(exclusion, ExcludedCron):
        return ["cron", exclusion.time_zone, [exclusion.cron]]
    return ["dates", exclusion.time_zone, sorted(day.isoformat() for day in exclusion.dates)]


def parse_terms(key: str) -> CalendarTerms:
    """Read back what `dump_terms` wrote."""
    read = json.loads(key)
    said = read if isinstance(read, dict) else {"entries": read}
    entries = tuple(
        CalendarEntry(EntryKind(kind), text, zone, every, anchor) for kind, text, zone, every, anchor in said["entries"]
    )
    exclude = tuple(_exclusion(kind, zone, values) for kind, zone, values in said.get("exclude", ()))
    return CalendarTerms(entries, exclude, _instant(said.get("start")), _instant(said.get("end")))


def _exclusion(kind: str, zone: str, values: list[str]) -> Exclusion:
    if kind == "cron":
        return ExcludedCron(values[0], zone)
    return ExcludedDates(frozenset(date.fromisoformat(value) for value in values), zone)


def _instant(epoch: int | None) -> datetime | None:
    return None if epoch is None else datetime.fromtimestamp(epoch, UTC)
