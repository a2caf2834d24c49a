"""A schedule's status for people: the table of all of them, one in detail, its runs."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from controller.cli.page import fitted_table, heading, indented, moment, printable, room_below_title, since, width_of
from controller.cli.schedule_text import entries_text, origin_rows, resolved_text
from controller.cli.state.condition_text import conditions_table
from controller.cli.terminal import Cell, Paint, ago
from controller.decide.explain import explain_record
from controller.model.asked import RequestStatus
from controller.model.job import JobStatus
from controller.model.record import Outcome, SlotRecord
from controller.model.schedule import ScheduleSpec
from controller.model.status import Run, ScheduleStatus, State, StatusReport

STATE_STYLE = {
    State.READY: "green",
    State.RUNNING: "cyan",
    State.OBSERVING: "dim",
    State.FAILING: "red",
    State.IN_DOUBT: "red",
    State.REMOVED: "red",
}
"""All others are yellow: nothing is broken, and somebody should know."""

OUTCOME_STYLE = {
    Outcome.TRIGGERED: "green",
    Outcome.COUNTED: "green",
    Outcome.MISSED: "red",
    Outcome.SKIPPED: "yellow",
    Outcome.IN_DOUBT: "red",
    Outcome.HELD: "yellow",
}

JOB_STYLE = {JobStatus.SUCCEEDED: "green", JobStatus.FAILED: "red", JobStatus.CANCELLED: "yellow"}

REQUEST_STYLE = {
    RequestStatus.DONE: "green",
    RequestStatus.ENDED: "dim",
    RequestStatus.REFUSED: "red",
    RequestStatus.FAILED: "red",
    RequestStatus.IN_DOUBT: "red",
}

SLOTS_SHOWN = 5


def state_cell(state: State) -> Cell:
    """The state in its colour."""
    return Cell(str(state), STATE_STYLE.get(state, "yellow"))


def overview(report: StatusReport, paint: Paint) -> str:
    """Every schedule in one line."""
    now = report.now
    rows = [
        (
            Cell(status.name, "bold"),
            state_cell(status.condition.state),
            _last_slot(status, now),
            since(status.last_success_at, now),
            moment(status.next_slot_at, now),
            status.condition.message,
        )
        for status in report.schedules
    ]
    return fitted_table(("NAME", "STATE", "LAST SLOT", "LAST SUCCESS", "NEXT SLOT", "WHY"), rows, paint, width_of())


def _last_slot(status: ScheduleStatus, now: datetime) -> Cell:
    if not status.slots:
        return Cell("-", "dim")
    record = status.slots[0]
    return Cell(f"{record.word} {since(status.last_scheduled_at, now)}", OUTCOME_STYLE[record.outcome])


def facts(rows: Iterable[tuple[str, str]], paint: Paint) -> str:
    """Names and values, one a line."""
    given = [(name, value) for name, value in rows if value]
    pad = max((len(name) for name, _ in given), default=0)
    return "\n".join(f"{paint('dim', name.ljust(pad))}  {value}" for name, value in given)


def place_of(spec: ScheduleSpec | None, specs: Path) -> str:
    """Where a spec is written, as an editor opens it; one that only the store holds is in no file."""
    if spec is None:
        return "unknown"
    written = specs / spec.origin.path
    return f"{written}:{spec.origin.line}" if written.exists() else str(spec.origin.path)


def detail(status: ScheduleStatus, report: StatusReport, specs: Path, paint: Paint) -> str:
    """One schedule with everything that is known of it."""
    now, condition, spec, width = report.now, status.condition, status.spec, room_below_title()
    why = f"  {condition.message}" if condition.message else ""
    cell = state_cell(condition.state)
    labels = ", ".join(f"{key}={value}" for key, value in spec.labels) if spec is not None else ""
    generation = str(status.observed_generation)
    if status.generation != status.observed_generation:
        generation += f", {status.generation} is not taken in yet"
    rows = (
        ("state", paint(cell.style, cell.text) + why),
        ("connection", str(status.ref)),
        ("written in", place_of(spec, specs)),
        ("labels", labels),
        ("schedule", entries_text(status.entries)),
        ("behaviour", resolved_text(spec, status.min_gap) if spec is not None else ""),
        ("generation", generation),
        ("next slot", _next_slot(status, now)),
        ("last trigger", _when(status.last_triggered_at, now)),
        ("last success", _when(status.last_success_at, now)),
        ("failures", f"{status.failures} in a row" if status.failures else ""),
        ("drift", drift_text(status)),
        ("freshness", str(status.freshness) if status.freshness is not None else ""),
        ("missed", f"{status.missed_count:,} of the newest slots" if status.missed_count else "none"),
    )
    parts = [paint("bold", status.name), indented(facts(rows, paint))]
    parts += ["", heading("conditions", paint), indented(conditions_table(status.conditions, now, paint, width))]
    parts += origins_section(status, paint)
    parts += ["", heading("last slots", paint), indented(slots_table(status.slots[:SLOTS_SHOWN], now, paint, width))]
    parts += ["", heading("last runs", paint), indented(runs_table(status.runs[:SLOTS_SHOWN], now, paint))]
    parts += requests_section(status, now, paint)
    return "\n".join(parts)


def requests_section(status: ScheduleStatus, now: datetime, paint: Paint) -> list[str]:
    """What was asked for, by whom, and what came of it; nothing where nobody asked."""
    if not status.requests:
        return []
    rows = [
        (
            moment(each.made_at.replace(microsecond=0), now),
            str(each.action),
            Cell(str(each.status), REQUEST_STYLE.get(each.status, "yellow")),
            printable(each.asked_by),
            printable(each.message or each.reason),
        )
        for each in status.requests
    ]
    table = fitted_table(("ASKED", "FOR", "STATUS", "BY", "WHAT CAME OF IT"), rows, paint, room_below_title())
    return ["", heading("requests", paint), indented(table)]


def drift_text(status: ScheduleStatus) -> str:
    """What of the connection is not as desired, and how often it was set right today; nothing where all is well."""
    told = [f"{drift.field} is {drift.observed}, {drift.desired} is wanted" for drift in status.drifts if drift.stands]
    if status.corrected_today:
        told.append(f"corrected {status.corrected_today} time{'s' * (status.corrected_today != 1)} today")
    return printable("; ".join(told))


def origins_section(status: ScheduleStatus, paint: Paint) -> list[str]:
    """Each value that is not a default, with the file and line that it came from; nothing where none is known."""
    rows = origin_rows(status.spec, status.min_gap) if status.spec is not None else []
    if not rows:
        return []
    told = [(name, f"{printable(value)}  {paint('dim', f'({place})')}") for name, value, place in rows]
    return ["", heading("written values", paint), indented(facts(told, paint))]


def _next_slot(status: ScheduleStatus, now: datetime) -> str:
    text = moment(status.next_slot_at, now)
    if status.next_fires_at == status.next_slot_at:
        return text
    return f"{text}, starts at {moment(status.next_fires_at, now)} by its jitter"


def _when(at: datetime | None, now: datetime) -> str:
    return "never" if at is None else f"{moment(at, now)}, {since(at, now)}"


def slots_table(records: Sequence[SlotRecord], now: datetime, paint: Paint, width: int | None) -> str:
    """Slots with their outcome and why."""
    if not records:
        return paint("dim", "none yet")
    rows = [
        (moment(each.slot.scheduled_at, now), Cell(each.word, OUTCOME_STYLE[each.outcome]), explain_record(each))
        for each in records
    ]
    return fitted_table(("SLOT", "OUTCOME", "WHY"), rows, paint, width)


def runs_table(runs: Sequence[Run], now: datetime, paint: Paint) -> str:
    """Observed jobs of a connection."""
    if not runs:
        return paint("dim", "none seen yet")
    rows = [
        (
            Cell(run.job.job_id, "bold"),
            Cell(str(run.job.status), JOB_STYLE.get(run.job.status, "cyan")),
            moment(run.scheduled_at, now),
            moment(run.job.created_at, now),
            _duration(run.job.duration),
            f"{run.job.rows:,}" if run.job.rows is not None else "-",
            _size(run.job.bytes),
            run.origin if run.job.kind.value == "sync" else f"{run.origin}, {run.job.kind}",
        )
        for run in runs
    ]
    head = ("JOB", "STATUS", "SLOT", "STARTED", "DURATION", "ROWS", "BYTES", "ORIGIN")
    return fitted_table(head, rows, paint, None)


def _duration(duration: timedelta | None) -> str:
    if duration is None:
        return "-"
    seconds = duration.total_seconds()
    return f"{seconds:.1f} s" if seconds < 10 else ago(seconds)


def _size(size: int | None) -> str:
    if size is None:
        return "-"
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size >= factor:
            return f"{size / factor:.1f} {unit}"
    return f"{size} B"
