"""A comparison of two revisions as one comment for a pull request."""

from collections.abc import Sequence

from controller.cli.page import counted, printable
from controller.cli.planning.comparison.escaping import code, cut, details, fitting, html_code, plain, table
from controller.cli.planning.comparison.words import (
    Compared,
    from_to,
    horizon_text,
    items_of,
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
from controller.decide.comparison.difference import (
    Caution,
    Change,
    FieldChange,
    Level,
    Load,
    PolicyChange,
    ScheduleChange,
)
from controller.decide.comparison.pace import PACE_DAYS
from controller.model.request import DeclaredRequest, RequestAction
from controller.ports.spec_source import SpecError

MARKER = "<!-- mainspring plan -->"
"""By this a job finds its earlier comment and updates it."""

BYTES_MAX = 65_000
"""GitHub takes 65,536 characters."""

CAUTIONS_BYTES, ERRORS_BYTES, ROWS_BYTES, OTHERS_BYTES = 10_000, 8_000, 20_000, 6_000
"""What each part may take; all schedules' details share the rest."""

TEXT_MAX, CELL_MAX, VALUE_MAX = 400, 60, 1_000
FIELDS_SHOWN = 2

EXPLAINED = (
    f"<sub>Runs per day: slots that may start, the mean over {PACE_DAYS} days. Suspensions, freezes and windows are counted with; "
    "what depends on running jobs is not. Made offline from the two commits; nothing was asked or started.</sub>"
)

ALERTS = {Level.DANGER: "CAUTION", Level.WARNING: "WARNING", Level.NOTE: "NOTE"}


def comparison_markdown(compared: Compared) -> str:
    """The comment."""
    found = compared.found
    head = [MARKER, "## Mainspring plan", "", f"**{summary(compared)}**", "", _asked(compared), ""]
    head += [f"*{plain(cut(each, TEXT_MAX))}*\n" for each in compared.notes]
    head += _errors(compared)
    head += _cautions(found.cautions)
    if found.is_empty:
        head += ["Nothing changes: no schedule, policy or request differs in what it does.", ""]
    head += _requests(compared)
    head += _policies(found.policies)
    head += _schedules(found.schedules)
    tail = ["", _load(compared), "", EXPLAINED]
    room = BYTES_MAX - len("\n".join([*head, *tail]).encode())
    shown, left = fitting(found.schedules, _detail, room)
    return "\n".join([*head, *shown, *_left_out(left, "schedule", "the details of"), *tail])


def _asked(compared: Compared) -> str:
    sides = [f"{code(name)} ({commit[:12]})" for name, commit in zip(compared.asked, compared.commits, strict=True)]
    return f"From {sides[0]} to {sides[1]}, folder {code(compared.path)}, as of {utc_text(compared.found.at)}."


def _left_out(left: int, noun: str, what: str = "") -> list[str]:
    if not left:
        return []
    of = f"{what} " if what else ""
    return ["", f"*{of}{counted(left, f'more {noun}')} left out here; `mainspring plan -o json` has all.*".lstrip(), ""]


def _cautions(cautions: Sequence[Caution]) -> list[str]:
    lines: list[str] = []
    shown, left = fitting(cautions, _caution, CAUTIONS_BYTES)
    for level, alert in ALERTS.items():
        rows = [line for line, each in zip(shown, cautions, strict=False) if each.level is level]
        if rows:
            lines += [f"> [!{alert}]", *(f"> - {row}" for row in rows), ""]
    return lines + _left_out(left, "warning")


def _caution(caution: Caution) -> str:
    about = [f"**{code(caution.schedule)}**"] if caution.schedule else []
    place = [f"({code(str(caution.origin))})"] if caution.origin is not None else []
    message = plain(cut(caution.message, TEXT_MAX))
    if caution.level is Level.DANGER:
        message = f"**{message}**"
    return " ".join([*about, *place]) + (": " if about or place else "") + message


def _errors(compared: Compared) -> list[str]:
    if not compared.errors:
        return []
    shown, left = fitting(compared.errors, _error, ERRORS_BYTES)
    count = counted(len(compared.errors), "error")
    kept = "What a rejected file last held in good order stays in force."
    return [
        "> [!CAUTION]",
        f"> **{count} in {code(compared.asked[1])}.** {kept}",
        *shown,
        "",
        *_left_out(left, "error"),
    ]


def _error(error: SpecError) -> str:
    place = code(f"{error.origin}:{error.origin.column}")
    return f"> - {place} {code(error.code)}: {plain(cut(error.message, TEXT_MAX))}"


def _schedules(changes: Sequence[ScheduleChange]) -> list[str]:
    if not changes:
        return []
    head = ("", "Schedule", "What changes", "Runs per day", "Next start (UTC)")
    shown, left = fitting(changes, _row, ROWS_BYTES)
    return ["### Schedules", "", *table(head, ()), *shown, "", *_left_out(left, "schedule")]


def _row(change: ScheduleChange) -> str:
    runs = from_to(runs_text(change.pace_before), runs_text(change.pace_after))
    cells = (f"**{change.kind}**", code(change.name), _what(change), runs, plain(start_text(change.pace_after)))
    return f"| {' | '.join(cells)} |"


def _what(change: ScheduleChange) -> str:
    if told := leaving_text(change) or change.remark:
        return plain(told)
    if change.kind is Change.ADDED and change.after is not None:
        return code(cut(entries_text(change.after.entries), CELL_MAX))
    shown = [
        f"{each.name}: {code(_short(each, each.before))} → {code(_short(each, each.after))}"
        for each in change.fields[:FIELDS_SHOWN]
    ]
    more = len(change.fields) - len(shown)
    return "<br>".join([*shown, *([f"and {counted(more, 'more field')}"] if more else [])])


def _short(field: FieldChange, value: object) -> str:
    return cut(value_text(field.name, value), CELL_MAX)


def _requests(compared: Compared) -> list[str]:
    if not compared.found.requests:
        return []
    shown, left = fitting(compared.found.requests, _request, OTHERS_BYTES)
    return ["### Requests", "", *shown, "", *_left_out(left, "request")]


def _request(request: DeclaredRequest) -> str:
    told = plain(cut(request_text(request), TEXT_MAX))
    strong = f"**{told}**" if request.action is RequestAction.RESET else told
    return f"- {code(request.name)} ({code(str(request.origin))}): {strong}"


def _policies(changes: Sequence[PolicyChange]) -> list[str]:
    if not changes:
        return []
    shown, left = fitting(changes, _policy, OTHERS_BYTES)
    return ["### Policies", "", *shown, "", *_left_out(left, "policy change")]


def _policy(change: PolicyChange) -> str:
    title = f"<b>{change.kind}</b> {html_code(change.name)} · speaks of {counted(change.selects, 'schedule')}"
    body = [code(str(change.origin)), "", *_diff(change.fields, is_new=change.kind is Change.ADDED)]
    return details(title, body)


def _detail(change: ScheduleChange) -> str:
    runs = from_to(runs_text(change.pace_before), runs_text(change.pace_after))
    body = [f"{code(str(change.origin))} · connection {code(str(change.ref))}", ""]
    if told := leaving_text(change) or change.remark:
        body += [plain(told), ""]
    if change.pace_after.quiet and change.after is not None:
        body += [f"Starts nothing: {plain(change.pace_after.quiet)}.", ""]
    body += _diff(change.fields, is_new=change.before is None)
    body += _coming(change)
    return details(f"<b>{change.kind}</b> {html_code(change.name)} · runs per day {runs}", body)


def _diff(fields: Sequence[FieldChange], *, is_new: bool = False) -> list[str]:
    """What differs, in a block in which nothing is markup; every line has a sign before it, so none can end the block."""
    if not fields:
        return []
    lines = ["```diff"]
    for each in fields:
        where = f" {printable(source_text(each.source))}" if each.source.origin is not None else ""
        before, after = [] if is_new else items_of(each.name, each.before), items_of(each.name, each.after)
        lines.append(f"@@ {each.name} @@{where}")
        lines += [f"- {_value(item)}" for item in before if item not in after]
        lines += [f"  {_value(item)}" for item in before if item in after]
        lines += [f"+ {_value(item)}" for item in after if item not in before]
    return [*lines, "```", ""]


def _value(text: str) -> str:
    return cut(printable(text), VALUE_MAX)


def _coming(change: ScheduleChange) -> list[str]:
    coming = change.pace_after.coming
    if not coming:
        return []
    zones = list(dict.fromkeys(zone for each in coming for zone in each.zones if zone != "UTC"))
    is_late = any(each.starts_at != each.scheduled_at for each in coming)
    head = ["Next slots (UTC)", *map(code, zones), *(["Starts (UTC)"] if is_late else [])]
    rows = []
    for each in coming:
        row = [utc_text(each.scheduled_at)]
        row += [local_text(each.scheduled_at, zone) if zone in each.zones else "-" for zone in zones]
        start = "never: windows stay closed" if each.starts_at is None else utc_text(each.starts_at)
        row += [start] if is_late else []
        rows.append(row)
    return table(head, rows)


def _load(compared: Compared) -> str:
    found = compared.found
    sides = [found.before.load, found.after.load]
    rows = [(f"{place + 1}.", *(_minute(load, place) for load in sides)) for place in range(3)]
    rows = [row for row in rows if row[1:] != ("-", "-")]
    rows.append(("hour", *(_hour(load) for load in sides)))
    title = f"Busiest minutes over the next {horizon_text(found.horizon)}"
    schedules = from_to(f"{found.before.schedules:,}", f"{found.after.schedules:,}")
    body = table(("", "Before", "After"), rows)
    return details(title, [*body, "", f"Schedules: {schedules}. Jitter is counted where it falls."])


def _minute(load: Load, place: int) -> str:
    if place >= len(load.minutes):
        return "-"
    peak = load.minutes[place]
    return f"{counted(peak.starts, 'start')} at {utc_text(peak.at)}"


def _hour(load: Load) -> str:
    return "-" if load.hour is None else f"{counted(load.hour.starts, 'start')} from {utc_text(load.hour.at)}"
