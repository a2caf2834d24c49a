"""Readers for what says when: entries of ``schedules``, days that are excluded, windows."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import lru_cache, partial

from controller.adapters.specs import scalars
from controller.adapters.specs.fields import Field, Fields, Rejected, Report, each_item, read_items, text_of
from controller.adapters.specs.oddities import oddities
from controller.adapters.specs.yaml_tree import Mapping, Mark
from controller.decide.calendar import CalendarError, compile_cron, compile_quartz
from controller.model.calendar import CalendarEntry, EntryKind, ExcludedCron, ExcludedDates, Exclusion
from controller.model.window import OnClose, Window, WindowKind

YEAR_SECONDS = 366 * 86_400
SHORT_INTERVAL = timedelta(minutes=5)
CRON_FORM = 'write five fields, such as "*/15 8-18 * * MON-FRI"'
FORMS = {
    EntryKind.CRON: ("a cron expression", CRON_FORM),
    EntryKind.QUARTZ: ("a Quartz expression", 'write six or seven fields, such as "0 0 6 ? * MON-FRI"'),
}


@dataclass(frozen=True, slots=True)
class EntryRules:
    """What an entry is judged by beside itself.

    Attributes:
        min_interval: how close two slots may be: the platform's bound; None where it is not known, then a short interval is a warning.
        year_start: where the year begins in which slots are compared, so that a verdict never depends on the day.
        warn_from: where the year begins of whose changes of the clock somebody is warned.
    """

    min_interval: timedelta | None
    year_start: int
    warn_from: int

    def check(self, report: Report, mark: Mark, gap: int | None, what: str = "two slots are only {} apart") -> None:
        """Report slots that are too close."""
        least = SHORT_INTERVAL if self.min_interval is None else self.min_interval
        if gap is None or gap >= least.total_seconds():
            return
        said, limit = what.format(f"{gap} s"), int(least.total_seconds())
        if self.min_interval is None:
            message = f"{said}, and platforms refuse less than {limit} s as a rule; write a longer interval"
            report.warn(mark, "interval-too-short", message)
        else:
            message = f"{said}; the platform takes at least {limit} s, write a longer interval"
            report.error(mark, "interval-too-short", message)


COMPILERS = {EntryKind.CRON: compile_cron, EntryKind.QUARTZ: compile_quartz}


WINDOW_KINDS = (WindowKind.DENY, WindowKind.ALLOW)

UNUSABLE = Window(WindowKind.DENY, "* * * * *", 1)
"""Stands for a window that was rejected, and so for one that never comes into force."""


# Many connections share few calendars: each is compiled once, and equal entries are one value.
@lru_cache(maxsize=16_384)
def smallest_gap(kind: EntryKind, expression: str, zone: str, year_start: int) -> int | None:
    """Compile an expression and find its two closest slots within a year."""
    return COMPILERS[kind](expression, zone).smallest_gap(year_start, year_start + YEAR_SECONDS)


@lru_cache(maxsize=16_384)
def shared_entry(kind: EntryKind, text: str, zone: str, every: int, anchor: int) -> CalendarEntry:
    """One value for all equal entries."""
    return CalendarEntry(kind, text, zone, every, anchor)


def cron(field: Field, zone: str) -> str:
    """A cron expression that fires in its zone."""
    expression = text_of(field, "a cron expression", CRON_FORM)
    try:
        compile_cron(expression, zone)
    except CalendarError as error:
        raise field.rejected(error.code, str(error)) from error
    return expression


def timed(field: Field, kind: EntryKind, zone: str, rules: EntryRules) -> str:
    """A cron or Quartz expression that fires in its zone, not too often; what is odd about its slots is a warning."""
    wanted, form = FORMS[kind]
    expression, mark = text_of(field, wanted, form), field.node.mark
    try:
        rules.check(field.report, mark, smallest_gap(kind, expression, zone, rules.year_start))
    except CalendarError as error:
        raise field.rejected(error.code, str(error)) from error
    for code, message in oddities(kind, expression, zone, rules.warn_from):
        field.report.warn(mark, code, message)
    return expression


def every(field: Field, rules: EntryRules) -> int:
    """Whole seconds between two slots."""
    seconds = whole_seconds(field)
    rules.check(field.report, field.node.mark, seconds)
    return seconds


def freshness(field: Field, rules: EntryRules) -> int:
    """From which age of the last successful sync on there is a slot, in whole seconds."""
    seconds = whole_seconds(field)
    rules.check(field.report, field.node.mark, seconds, "an age of {} asks for slots that close to each other")
    return seconds


def nothing_more(field: Field) -> str:
    """``{}``, the value of a key that takes no settings."""
    if not isinstance(field.node, Mapping):
        raise field.wrong_type("an empty mapping", f"write {field.key}: {{}}")
    with Fields(field):
        return ""


def schedules(field: Field, rules: EntryRules) -> tuple[CalendarEntry, ...]:
    """The entries of ``schedules``; their union says which slots exist."""
    items = each_item(field)
    entries = read_items(field, partial(entry, rules=rules))
    for item in items:
        if len(items) > 1 and isinstance(item.node, Mapping) and EntryKind.MANUAL in item.node.entries:
            message = "manual means that there are no slots, so it stands alone; remove it or the other entries"
            field.report.error(item.node.mark, "manual-not-alone", message)
    return tuple(entries)


def entry(field: Field, rules: EntryRules) -> CalendarEntry:
    """One item of ``schedules``."""
    errors = len(field.report.errors)
    with Fields(field) as keys:
        zone = keys.take("timeZone", scalars.time_zone, "UTC")
        anchor = keys.take("anchor", scalars.epoch_seconds, 0)
        expression = ""
        for kind in FORMS:
            expression += keys.take(kind, partial(timed, kind=kind, zone=zone, rules=rules), "")
        seconds = keys.take("every", partial(every, rules=rules), 0)
        seconds += keys.take("freshness", partial(freshness, rules=rules), 0)
        keys.take("manual", nothing_more, "")
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


def exclusion(field: Field) -> Exclusion:
    """One item of ``exclude``."""
    with Fields(field) as keys:
        zone = keys.take("timeZone", scalars.time_zone, "UTC")
        dates = keys.take("dates", partial(read_items, read=scalars.day), [])
        expression = keys.take("cron", partial(cron, zone=zone), "")
        found = [key for key in ("dates", "cron") if keys.has(key)]
    if len(found) != 1:
        raise one_kind(field, found, ["dates", "cron"])
    return ExcludedCron(expression, zone) if keys.has("cron") else ExcludedDates(frozenset(dates), zone)


def window(field: Field) -> Window:
    """One item of ``windows``."""
    read: Window | None = None
    with Fields(field) as keys:
        for kind in WINDOW_KINDS:
            read = keys.take(kind, partial(opening, kind=kind), None) or read
        on_close = keys.take("onClose", scalars.one_of(OnClose), OnClose.LET_RUN)
        found = [kind for kind in WINDOW_KINDS if keys.has(kind)]
    if len(found) != 1:
        raise one_kind(field, found, WINDOW_KINDS)
    return replace(read or UNUSABLE, on_close=on_close)


def opening(field: Field, kind: WindowKind) -> Window:
    """When a window begins, and how long it lasts."""
    with Fields(field) as keys:
        zone = keys.take("timeZone", scalars.time_zone, "UTC")
        expression = keys.require("cron", partial(cron, zone=zone))
        seconds = keys.require("duration", whole_seconds)
        reason = keys.take("reason", scalars.text, "")
    if expression is None or seconds is None:
        return UNUSABLE
    return Window(kind, expression, seconds, zone, reason)
