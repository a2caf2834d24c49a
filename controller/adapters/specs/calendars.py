"""Readers for what says when: entries of ``schedules``, days that are excluded, windows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from functools import lru_cache, partial

from controller.adapters.specs import scalars
from controller.adapters.specs.fields import Field, Fields, Rejected, Report, each_item, read_items, text_of
from controller.adapters.specs.yaml_tree import Mapping, Mark, quoted
from controller.decide.calendar import CalendarError, compile_cron
from controller.model.schedule import CalendarEntry, EntryKind

YEAR_SECONDS = 366 * 86_400
SHORT_INTERVAL = timedelta(minutes=5)
QUARTZ_FIELDS = (6, 7)
QUARTZ_SIGNS = frozenset("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ*?/,#- ")
CRON_FORM = 'write five fields, such as "*/15 8-18 * * MON-FRI"'


class OnClose(StrEnum):
    """What happens to a running job when its window closes."""

    LET_RUN = "LetRun"
    CANCEL = "Cancel"


@dataclass(frozen=True, slots=True)
class IntervalLimit:
    """How close two slots of one entry may be.

    Attributes:
        min_interval: the platform's bound; None where the platform is not known, then a short interval is a warning.
        year_start: where the year begins in which slots are compared, so that a verdict never depends on the day.
    """

    min_interval: timedelta | None
    year_start: int

    def check(self, report: Report, mark: Mark, gap: int | None) -> None:
        """Report two slots that are too close."""
        least = SHORT_INTERVAL if self.min_interval is None else self.min_interval
        if gap is None or gap >= least.total_seconds():
            return
        limit = int(least.total_seconds())
        if self.min_interval is None:
            message = f"two slots are only {gap} s apart, and platforms refuse less than {limit} s as a rule; write a longer interval"
            report.warn(mark, "interval-too-short", message)
        else:
            message = (
                f"two slots are only {gap} s apart; the platform takes at least {limit} s, write a longer interval"
            )
            report.error(mark, "interval-too-short", message)


# Many connections share few calendars: each is compiled once, and equal entries are one value.
@lru_cache(maxsize=16_384)
def smallest_gap(expression: str, zone: str, year_start: int) -> int | None:
    """Compile a cron expression and find its two closest slots within a year."""
    return compile_cron(expression, zone).smallest_gap(year_start, year_start + YEAR_SECONDS)


@lru_cache(maxsize=16_384)
def shared_entry(kind: EntryKind, text: str, zone: str, every: int, anchor: int) -> CalendarEntry:
    """One value for all equal entries."""
    return CalendarEntry(kind, text, zone, every, anchor)


def cron(field: Field, zone: str, limit: IntervalLimit | None = None) -> str:
    """A cron expression that fires in its zone; with a limit also not too often."""
    expression = text_of(field, "a cron expression", CRON_FORM)
    try:
        if limit is None:
            compile_cron(expression, zone)
        else:
            limit.check(field.report, field.node.mark, smallest_gap(expression, zone, limit.year_start))
    except CalendarError as error:
        raise field.rejected(error.code, str(error)) from error
    return expression


def quartz(field: Field) -> str:
    """A Quartz expression, looked at lightly: whether it ever fires is not known here."""
    form = 'write six or seven fields, such as "0 0 6 ? * MON-FRI"'
    expression = text_of(field, "a Quartz expression", form)
    if len(expression.split()) not in QUARTZ_FIELDS or not QUARTZ_SIGNS.issuperset(expression.upper()):
        raise field.rejected("quartz-syntax", f"{quoted(expression)} is no Quartz expression; {form}")
    return expression


def every(field: Field, limit: IntervalLimit) -> int:
    """Whole seconds between two slots."""
    seconds = whole_seconds(field)
    limit.check(field.report, field.node.mark, seconds)
    return seconds


def nothing_more(field: Field) -> str:
    """``{}``, the value of a key that takes no settings."""
    if not isinstance(field.node, Mapping):
        raise field.wrong_type("an empty mapping", f"write {field.key}: {{}}")
    with Fields(field):
        return ""


def schedules(field: Field, limit: IntervalLimit) -> tuple[CalendarEntry, ...]:
    """The entries of ``schedules``; their union says which slots exist."""
    items = each_item(field)
    entries = read_items(field, partial(entry, limit=limit))
    for item in items:
        if len(items) > 1 and isinstance(item.node, Mapping) and EntryKind.MANUAL in item.node.entries:
            message = "manual means that there are no slots, so it stands alone; remove it or the other entries"
            field.report.error(item.node.mark, "manual-not-alone", message)
    return tuple(entries)


def entry(field: Field, limit: IntervalLimit) -> CalendarEntry:
    """One item of ``schedules``."""
    errors = len(field.report.errors)
    with Fields(field) as keys:
        zone = keys.take("timeZone", scalars.time_zone, "UTC")
        anchor = keys.take("anchor", scalars.epoch_seconds, 0)
        expression = keys.take("cron", partial(cron, zone=zone, limit=limit), "")
        expression += keys.later("quartz", quartz) or ""
        seconds = keys.take("every", partial(every, limit=limit), 0)
        seconds += keys.later("freshness", whole_seconds) or 0
        keys.later("manual", nothing_more)
        kinds = [kind for kind in EntryKind if keys.has(kind)]
        if len(kinds) == 1:
            refuse_misplaced(keys, field, "timeZone", kinds[0], (EntryKind.CRON, EntryKind.QUARTZ))
            refuse_misplaced(keys, field, "anchor", kinds[0], (EntryKind.EVERY,))
    # A misspelt kind is one mistake, not two.
    if len(kinds) != 1 and len(field.report.errors) == errors:
        raise one_kind(field, kinds, list(EntryKind))
    if len(kinds) != 1:
        return CalendarEntry(EntryKind.MANUAL)
    text = expression or keys.text(kinds[0])
    return shared_entry(kinds[0], text, zone, seconds, anchor)


def refuse_misplaced(keys: Fields, field: Field, key: str, kind: EntryKind, kinds: tuple[EntryKind, ...]) -> None:
    """Report a key that means nothing beside the entry's kind."""
    if keys.has(key) and kind not in kinds:
        message = f"{key} means nothing beside {kind}; remove it, or use {' or '.join(kinds)}"
        field.report.error(keys.mark(key), "misplaced-key", message)


def one_kind(field: Field, found: Sequence[str], known: Sequence[str]) -> Rejected:
    """The exception for a mapping that must have exactly one of several keys."""
    stands = f"has {' and '.join(found)}" if found else "says nothing"
    return field.rejected("not-exactly-one", f"{field.key} {stands}; write exactly one of {', '.join(known)}")


def whole_seconds(field: Field) -> int:
    """A duration as a number."""
    return int(scalars.duration(field).total_seconds())


def exclusion(field: Field) -> None:
    """One item of ``exclude``."""
    with Fields(field) as keys:
        zone = keys.take("timeZone", scalars.time_zone, "UTC")
        keys.take("dates", partial(read_items, read=scalars.day), None)
        keys.take("cron", partial(cron, zone=zone), None)
        found = [key for key in ("dates", "cron") if keys.has(key)]
    if len(found) != 1:
        raise one_kind(field, found, ["dates", "cron"])


def window(field: Field) -> None:
    """One item of ``windows``."""
    with Fields(field) as keys:
        keys.take("deny", opening, None)
        keys.take("allow", opening, None)
        keys.take("onClose", scalars.one_of(OnClose), None)
        found = [key for key in ("deny", "allow") if keys.has(key)]
    if len(found) != 1:
        raise one_kind(field, found, ["deny", "allow"])


def opening(field: Field) -> None:
    """When a window begins, and how long it lasts."""
    with Fields(field) as keys:
        zone = keys.take("timeZone", scalars.time_zone, "UTC")
        keys.require("cron", partial(cron, zone=zone))
        keys.require("duration", scalars.duration)
        keys.take("reason", scalars.text, None)
