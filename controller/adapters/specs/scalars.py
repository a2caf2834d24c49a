"""Readers for single values: each returns what the field means, or says what is wrong and what to write."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache, partial
from typing import TypeVar
from zoneinfo import available_timezones

from controller.adapters.specs.fields import Field, Fields, Reader, text_of
from controller.adapters.specs.yaml_tree import Scalar, quoted
from controller.decide.calendar import CalendarError, compile_cron

E = TypeVar("E", bound=StrEnum)

DURATION = re.compile(r"(?:(\d{1,9})d)?(?:(\d{1,9})h)?(?:(\d{1,9})m)?(?:(\d{1,9})s)?", re.ASCII)
DURATION_MAX = timedelta(days=3_650)
# Files beside the zones that are none: a schedule never depends on the machine.
NO_ZONES = {"localtime", "posixrules", "Factory"}
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:Z|[+-]\d\d:\d\d)", re.ASCII)
DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
CONNECTION_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

DURATION_FORM = "write it like 90s, 30m, 6h, 2d or 1h30m"
INSTANT_FORM = 'write it like "2026-01-01T00:00:00Z"'


def text(field: Field) -> str:
    """Words for people, on one line."""
    value = text_of(field, "text", "write it in quotes")
    if not value.isprintable():
        raise field.rejected("bad-text", f"{field.key} holds a line break or a control character; write one line")
    return value


def name(field: Field) -> str:
    """A name that can also be a label of the Domain Name System (RFC 1123)."""
    value = text_of(field, "a name", "write a name, in quotes if it looks like a number")
    if LABEL.fullmatch(value) is None:
        message = f"{quoted(value)} is no name; write 1 to 63 lower-case letters, digits or -, with a letter or digit at both ends"
        raise field.rejected("bad-name", message)
    return value


def connection_id(field: Field) -> str:
    """A platform's name for a connection; it becomes part of addresses, so what would steer them is refused."""
    value = text_of(field, "text", f"write {field.key} in quotes")
    if CONNECTION_ID.fullmatch(value) is None:
        message = f"{quoted(value)} is no connection id; write 1 to 128 letters, digits or any of - _ . :, a letter or digit first"
        raise field.rejected("bad-connection-id", message)
    return value


def duration(field: Field) -> timedelta:
    """A length of time, longer than nothing."""
    value = text_of(field, "a duration", DURATION_FORM)
    found = DURATION.fullmatch(value)
    if found is None or not value:
        raise field.rejected("bad-duration", f"{quoted(value)} is no duration; {DURATION_FORM}")
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    total = timedelta(days=days, seconds=seconds) + timedelta(hours=hours) + timedelta(minutes=minutes)
    if not total:
        raise field.rejected("bad-duration", f"{field.key} is zero; write a longer duration, or leave {field.key} out")
    if total > DURATION_MAX:
        raise field.rejected(
            "bad-duration", f"{field.key} is longer than {DURATION_MAX.days}d; write a shorter duration"
        )
    return total


def instant(field: Field) -> datetime:
    """A point in time with its offset (RFC 3339), in whole seconds."""
    value = text_of(field, "a time", INSTANT_FORM)
    if INSTANT.fullmatch(value) is None:
        detail = "has no offset" if INSTANT.fullmatch(value + "Z") else "is no time in whole seconds with an offset"
        raise field.rejected("bad-time", f"{quoted(value)} {detail}; {INSTANT_FORM}")
    try:
        return datetime.fromisoformat(value).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise field.rejected("bad-time", f"{quoted(value)} does not exist; {INSTANT_FORM}") from error


def epoch_seconds(field: Field) -> int:
    """A point in time as whole seconds since the Unix epoch."""
    return (instant(field) - EPOCH) // timedelta(seconds=1)


def day(field: Field) -> date:
    """A calendar date."""
    value = text_of(field, "a date", 'write it like "2026-12-25"')
    try:
        if DAY.fullmatch(value) is not None:
            return date.fromisoformat(value)
    except ValueError as error:
        raise field.rejected("bad-date", f"{quoted(value)} does not exist; write a date like 2026-12-25") from error
    raise field.rejected("bad-date", f"{quoted(value)} is no date; write it like 2026-12-25")


def time_zone(field: Field) -> str:
    """The name of a zone in the IANA database; upper and lower case matter."""
    value = text_of(field, "a time zone", "write an IANA name such as Europe/Zurich")
    if not is_zone(value):
        found = field.report.hints.nearest(value, zones())
        advice = f"did you mean {found}?" if found else "write an IANA name such as Europe/Zurich"
        raise field.rejected("zone-unknown", f"there is no time zone {quoted(value)}; {advice}")
    return value


@lru_cache(maxsize=1)
def zones() -> frozenset[str]:
    """Every name that may be a zone."""
    return frozenset(available_timezones() - NO_ZONES)


@lru_cache(maxsize=1024)
def is_zone(zone: str) -> bool:
    """Tell whether calendars know a zone; asked of them, so that there is one answer."""
    # A guess at what was meant is dear, and calendars make one for each name that they do not know.
    if zone not in zones():
        return False
    try:
        compile_cron("0 0 * * *", zone)
    except CalendarError:
        return False
    return True


def whole_number(low: int, high: int) -> Reader[int]:
    """A reader for whole numbers within bounds."""
    return partial(bounded, low=low, high=high)


def bounded(field: Field, low: int, high: int) -> int:
    """A whole number."""
    node = field.node
    value = node.value if isinstance(node, Scalar) else None
    if isinstance(value, bool) or not isinstance(value, int):
        raise field.wrong_type("a whole number", f"write a number from {low} to {high}")
    if not low <= value <= high:
        raise field.rejected("out-of-range", f"{field.key} is out of range; write a number from {low} to {high}")
    return value


def one_of(values: type[E]) -> Reader[E]:
    """A reader for the words of an enumeration."""
    return partial(word, known={each.value: each for each in values})


def word(field: Field, known: Mapping[str, E]) -> E:
    """One of the words."""
    value = text_of(field, "a word", f"write one of {', '.join(known)}")
    if (found := known.get(value)) is None:
        message = f"{field.key} cannot be {quoted(value)}; {field.report.hints.instead_of(value, known)}"
        raise field.rejected("unknown-value", message)
    return found


def labels(field: Field) -> tuple[tuple[str, str], ...]:
    """Texts by text, sorted."""
    with Fields(field) as keys:
        for key in keys.written():
            if not key or not key.isprintable():
                field.report.error(keys.mark(key), "bad-text", f"{quoted(key)} is no label; write a word")
        return tuple(sorted((key, keys.take(key, text, "")) for key in keys.written()))
