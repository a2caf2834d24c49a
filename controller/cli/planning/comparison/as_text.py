"""A comparison of two revisions on a terminal."""

from collections.abc import Iterable

from controller.cli.page import INDENT, counted, fitted_table, heading, indented, printable
from controller.cli.planning.comparison.words import (
    Compared,
    change_text,
    from_to,
    horizon_text,
    leaving_text,
    local_text,
    request_text,
    runs_text,
    source_text,
    start_text,
    summary,
    utc_text,
    value_text,
)
from controller.cli.schedule_text import entries_text
from controller.cli.terminal import Cell, Paint
from controller.decide.comparison.difference import Change, Coming, Level, Load, PolicyChange, ScheduleChange
from controller.model.request import DeclaredRequest

STYLE = {
    Change.ADDED: "green",
    Change.CHANGED: "yellow",
    Change.REMOVED: "red",
    Change.KEPT: "cyan",
    Change.HELD: "red",
}
LEVEL_STYLE = {Level.DANGER: "red", Level.WARNING: "yellow", Level.NOTE: "dim"}

DETAILS_SHOWN = 50
"""Schedules that are told field by field; of more only the table is shown."""


def comparison_text(compared: Compared, paint: Paint, width: int | None) -> str:
    """The page."""
    found, room = compared.found, None if width is None else width - INDENT
    sides = [f"{name} {commit[:12]}" for name, commit in zip(compared.asked, compared.commits, strict=True)]
    title = (
        f"{paint('dim', 'from')} {sides[0]}  {paint('dim', 'to')} {sides[1]}  {paint('dim', 'folder')} {compared.path}"
    )
    parts = [title, f"{paint('dim', 'at')} {utc_text(found.at)}", ""]
    if found.is_empty:
        parts += ["nothing changes: no schedule, policy or request differs in what it does", ""]
    if found.cautions:
        parts += [heading("warnings", paint), indented(_cautions(compared, paint)), ""]
    if found.schedules:
        parts += [heading("schedules", paint), indented(_schedules(found.schedules, paint, room)), ""]
        for each in found.schedules[:DETAILS_SHOWN]:
            parts += [*_detail(each, paint), ""]
        if (left := len(found.schedules) - DETAILS_SHOWN) > 0:
            parts += [paint("dim", f"{counted(left, 'more schedule')} not told one by one; -o json has all"), ""]
    if found.requests:
        parts += [heading("requests", paint), indented(_requests(found.requests, paint, room)), ""]
    if found.policies:
        parts += [heading("policies", paint), *(indented(_policy(each, paint)) for each in found.policies), ""]
    parts += [heading("busiest minutes", paint), indented(_load(compared, paint)), ""]
    if compared.errors:
        parts += [heading("errors", paint), *(f"  {_error(str(each), paint)}" for each in compared.errors), ""]
    return "\n".join([*parts, summary(compared)])


def _error(text: str, paint: Paint) -> str:
    return paint("red", printable(text))


def _cautions(compared: Compared, paint: Paint) -> str:
    rows = [
        (
            Cell(str(each.level), LEVEL_STYLE[each.level]),
            Cell(each.schedule or "-", "bold"),
            str(each.origin) if each.origin is not None else "-",
            each.message,
        )
        for each in compared.found.cautions
    ]
    # What is worth a warning is worth a second line.
    return fitted_table(("LEVEL", "SCHEDULE", "WHERE", "WHAT"), rows, paint, None)


def _schedules(changes: Iterable[ScheduleChange], paint: Paint, room: int | None) -> str:
    rows = [
        (
            Cell(str(each.kind), STYLE[each.kind]),
            Cell(each.name, "bold"),
            from_to(runs_text(each.pace_before), runs_text(each.pace_after)),
            start_text(each.pace_after),
            _what(each),
        )
        for each in changes
    ]
    return fitted_table(("WHAT", "SCHEDULE", "RUNS/DAY", "NEXT START", "WHY"), rows, paint, room)


def _what(change: ScheduleChange) -> str:
    if told := leaving_text(change) or change.remark:
        return told
    if change.kind is Change.ADDED and change.after is not None:
        return entries_text(change.after.entries)
    return ", ".join(each.name for each in change.fields)


def _detail(change: ScheduleChange, paint: Paint) -> list[str]:
    where = printable(f"{change.origin}  {change.ref}")
    lines = [f"{paint(STYLE[change.kind], change.kind)} {paint('bold', change.name)}  {paint('dim', where)}"]
    if change.pace_after.quiet and change.after is not None:
        lines.append(indented(paint("yellow", f"starts nothing: {printable(change.pace_after.quiet)}")))
    if change.fields:
        lines.append(indented(_fields(change, paint)))
    if change.pace_after.coming:
        lines.append(indented("next:"))
        lines += [indented(indented(_coming(each))) for each in change.pace_after.coming]
    return lines


def _fields(change: ScheduleChange, paint: Paint) -> str:
    rows = [(each.name, change_text(change, each), source_text(each.source)) for each in change.fields]
    return fitted_table(("FIELD", "VALUE", "WRITTEN AT"), rows, paint, None)


def _requests(requests: Iterable[DeclaredRequest], paint: Paint, room: int | None) -> str:
    rows = [(Cell(each.name, "bold"), str(each.origin), request_text(each)) for each in requests]
    return fitted_table(("REQUEST", "WHERE", "WHAT"), rows, paint, room)


def _policy(change: PolicyChange, paint: Paint) -> str:
    title = f"{paint(STYLE[change.kind], change.kind)} {paint('bold', change.name)}"
    where = f"{printable(str(change.origin))}  speaks of {counted(change.selects, 'schedule')}"
    rows = [
        (each.name, from_to(value_text(each.name, each.before), value_text(each.name, each.after)))
        for each in change.fields
    ]
    return f"{title}  {paint('dim', where)}\n{indented(fitted_table(('FIELD', 'VALUE'), rows, paint, None))}"


def _coming(coming: Coming) -> str:
    local = "  ".join(f"{local_text(coming.scheduled_at, zone)} {zone}" for zone in coming.zones if zone != "UTC")
    late = f"starts {utc_text(coming.starts_at)}" if coming.starts_at is not None else "windows stay closed"
    late = "" if coming.starts_at == coming.scheduled_at else late
    return "  ".join(filter(None, [utc_text(coming.scheduled_at), local, late]))


def _load(compared: Compared, paint: Paint) -> str:
    found = compared.found
    lines = [f"{word:<7} {_peaks(each.load)}" for word, each in (("before", found.before), ("after", found.after))]
    return "\n".join([*lines, paint("dim", f"over the next {horizon_text(found.horizon)}, jitter where it falls")])


def _peaks(load: Load) -> str:
    minutes = ", ".join(f"{peak.starts:,} at {utc_text(peak.at)}" for peak in load.minutes)
    hour = f"; busiest hour {load.hour.starts:,} from {utc_text(load.hour.at)}" if load.hour is not None else ""
    return f"{minutes}{hour}" if minutes else "no start"
