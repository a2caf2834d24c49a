"""What a simulation came to, as a page for people and as one JSON document."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from controller.cli.page import counted, fitted_table, heading, indented, room_below_title
from controller.cli.terminal import Cell, Paint, ago, rfc3339, table
from controller.model.record import Outcome
from controller.simulation.faults import Fault
from controller.simulation.judge.tally import ScheduleTally
from controller.simulation.run import Result

SHOWN_VIOLATIONS = 20


@dataclass(frozen=True, slots=True)
class Report:
    """A result, its schedules, and where a promise was broken the few faults that it takes, by number.

    ``command`` lives through it again.
    """

    result: Result
    schedules: Sequence[ScheduleTally]
    faults: Mapping[int, Fault]
    command: str


def as_json(report: Report) -> dict[str, Any]:
    """The one document."""
    result, verdict = report.result, report.result.verdict
    return {
        "seed": result.scene.seed,
        "days": result.scene.days,
        "from": rfc3339(result.scene.start),
        "faults": str(result.scene.severity),
        "controllers": result.scene.controllers,
        "slots": verdict.slots,
        "starts": verdict.starts,
        "outcomes": dict(sorted(verdict.outcomes.items())),
        "doubles": verdict.doubles,
        "silent_misses": verdict.silent,
        "violations": list(verdict.violations),
        "lateness_seconds": {"p50": round(verdict.late(0.5), 3), "p99": round(verdict.late(0.99), 3)},
        "schedules": [_schedule(each) for each in report.schedules],
        "faults_injected": _injected(result),
        "controller_starts": result.lives,
        "reproduction": _reproduction(report) if verdict.violations else None,
        "trace": result.trace,
    }


def _schedule(row: ScheduleTally) -> dict[str, Any]:
    return {
        "name": row.name,
        "platform": row.ref.platform,
        "connection_id": row.ref.connection_id,
        "slots": row.slots,
        "started": row.outcomes[Outcome.TRIGGERED],
        "counted": row.outcomes[Outcome.COUNTED],
        "skipped": row.outcomes[Outcome.SKIPPED],
        "missed": row.outcomes[Outcome.MISSED],
        "worst_lateness_seconds": round(row.worst, 3),
    }


def _reproduction(report: Report) -> dict[str, Any]:
    faults = [
        {"number": number, "at_seconds": fault.at, "kind": str(fault.kind), "seconds": fault.seconds}
        for number, fault in report.faults.items()
    ]
    return {"command": report.command, "faults": faults}


def _injected(result: Result) -> dict[str, int]:
    """How many calls, or moments, each fault hit."""
    found = Counter[str]()
    for (kind, _), count in result.hits.items():
        found[str(kind)] += count
    return dict(sorted(found.items()))


def as_text(report: Report, paint: Paint) -> str:
    """A page for people."""
    result, verdict = report.result, report.result.verdict
    outcomes = _rows(("OUTCOME", "SLOTS"), sorted(verdict.outcomes.items(), key=lambda row: (-row[1], row[0])), paint)
    parts = [heading("simulated", paint), indented(_head(result, paint))]
    parts += ["", heading("schedules", paint), indented(_schedules(report.schedules, paint))]
    parts += ["", heading("outcomes", paint), indented(outcomes)]
    if injected := _injected(result):
        rows = _rows(("FAULT", "HITS"), list(injected.items()), paint)
        title = f"faults, with {counted(result.lives, 'start')} of the controller"
        parts += ["", heading(title, paint), indented(rows)]
    if verdict.violations:
        parts += _broken(report, paint)
    return "\n".join(parts)


def _head(result: Result, paint: Paint) -> str:
    verdict, scene = result.verdict, result.scene
    until = scene.start + timedelta(seconds=scene.seconds)
    pair = ", two controllers" if scene.controllers > 1 else ""
    broken = len(verdict.violations)
    kept = paint("red", f"✗ {counted(broken, 'broken promise')}") if broken else paint("green", "✓ every promise kept")
    return (
        f"{scene.start:%Y-%m-%d %H:%M:%SZ} to {until:%Y-%m-%d %H:%M:%SZ}, seed {scene.seed},"
        f" faults {scene.severity}{pair}\n"
        f"{counted(verdict.slots, 'slot')}, {counted(verdict.starts, 'start')}, {counted(verdict.doubles, 'double')},"
        f" {verdict.silent:,} missed silently\n"
        f"late: half within {verdict.late(0.5):.1f} s, 99 % within {verdict.late(0.99):.1f} s\n{kept}"
    )


def _schedules(schedules: Sequence[ScheduleTally], paint: Paint) -> str:
    head = ("SCHEDULE", "SLOTS", "STARTED", "COUNTED", "SKIPPED", "MISSED", "WORST LATENESS")
    rows: list[list[Cell | str]] = []
    for row in schedules:
        missed = row.outcomes[Outcome.MISSED]
        words = (Outcome.TRIGGERED, Outcome.COUNTED, Outcome.SKIPPED)
        numbers: list[Cell | str] = [f"{row.slots:,}", *(f"{row.outcomes[word]:,}" for word in words)]
        rows.append([row.name, *numbers, Cell(f"{missed:,}", "yellow" if missed else ""), _late(row.worst)])
    return fitted_table(head, rows, paint, room_below_title()) if rows else "none has had a slot"


def _late(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 120 else ago(seconds)


def _rows(head: tuple[str, str], rows: Sequence[tuple[str, int]], paint: Paint) -> str:
    return table(head, [(name, f"{count:,}") for name, count in rows], paint)


def _broken(report: Report, paint: Paint) -> list[str]:
    violations, scene = report.result.verdict.violations, report.result.scene
    texts = list(violations[:SHOWN_VIOLATIONS])
    if more := len(violations) - len(texts):
        texts.append(f"and {more:,} more; -o json has them all")
    rows = [
        (str(number), f"{scene.start + timedelta(seconds=fault.at):%Y-%m-%d %H:%M:%SZ}", str(fault.kind))
        for number, fault in report.faults.items()
    ]
    again = [report.command, "", table(("NO.", "AT", "FAULT"), rows, paint)] if rows else [report.command]
    return [
        "",
        heading("broken promises", paint),
        indented("\n".join(texts)),
        "",
        heading("to see it again", paint),
        indented("\n".join(again)),
    ]
