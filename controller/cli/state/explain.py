"""``mainspring explain``: why a schedule did or did not run, and when it will."""

import argparse
import sys
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from controller.bootstrap import preview_cycle, read_status
from controller.cli.choose import add_at, add_name, schedule_called
from controller.cli.options import add_output, add_settings, settings_of
from controller.cli.outcome import outcome_of
from controller.cli.page import (
    distance,
    fitted_table,
    heading,
    indented,
    moment,
    note,
    printable,
    room_below_title,
    write,
    write_json,
)
from controller.cli.planning.plan import spent_notes, unreached
from controller.cli.planning.plan_rows import ActionRow, HoldRow, action_row, holds_told
from controller.cli.schedule_text import entries_text, entry_json, resolved_origins, span
from controller.cli.state.condition_text import ready_text
from controller.cli.state.get import notes
from controller.cli.state.status_json import (
    NEWEST,
    condition_json,
    drift_json,
    request_json,
    run_json,
    slot_json,
    snake_keys,
)
from controller.cli.state.status_text import (
    drift_text,
    facts,
    origins_section,
    place_of,
    requests_section,
    slots_table,
    state_cell,
)
from controller.cli.terminal import Cell, Paint, rfc3339
from controller.decide.explain import explain_record
from controller.errors import MainspringError
from controller.model.identity import ClaimKey, ConnectionRef, SlotKey
from controller.model.plan import ConnectionFacts, ConnectionPlan
from controller.model.record import Reason
from controller.model.status import Run, ScheduleStatus, run_of
from controller.settings import Settings

EXAMPLE = """examples:
  mainspring explain orders-to-warehouse
  mainspring explain orders-to-warehouse --at 2026-03-29T01:00:00Z
  mainspring explain orders-to-warehouse -o json"""


@dataclass(frozen=True, slots=True)
class Seen:
    """What the next cycle would decide for one connection."""

    facts: ConnectionFacts
    decided: ConnectionPlan


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything that is known of one schedule; ``seen`` None: the platform was not asked or did not answer."""

    now: datetime
    status: ScheduleStatus
    seen: Seen | None

    @property
    def holds(self) -> tuple[HoldRow, ...]:
        """What it waits for now."""
        return holds_told(self.seen.decided) if self.seen is not None else ()

    @property
    def actions(self) -> tuple[ActionRow, ...]:
        """What the next cycle does for it."""
        return tuple(action_row(action) for action in self.seen.decided.actions) if self.seen is not None else ()

    @property
    def wake_at(self) -> datetime | None:
        """When it is looked at again: what the plan says, else the next slot."""
        if self.seen is not None:
            return self.seen.decided.wake_at
        return self.status.next_slot_at if self.status.effective_since is not None else None

    @property
    def next_slots(self) -> tuple[datetime, ...]:
        """The next slots."""
        return self.status.next_slots

    @property
    def active_run(self) -> Run | None:
        """The active job: as the platform shows it, else as it was last recorded."""
        if self.seen is None:
            return self.status.active_run
        attributed = self.seen.facts.standing.attributed
        active = (run_of(job, _slot_of(attributed.get(job.job_id))) for job in self.seen.facts.jobs if job.is_active)
        return next(active, None)


def _slot_of(key: ClaimKey | None) -> SlotKey | None:
    return None if key is None else key.slot


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_name(parser)
    add_at(parser)
    add_output(parser)
    add_settings(parser, specs=True)


def execute(parsed: argparse.Namespace) -> int:
    """Explain one schedule."""
    settings = settings_of(parsed)
    report = outcome_of(read_status(settings, parsed.at, parsed.name))
    status = schedule_called(parsed.name, report)
    seen, trouble = outcome_of(look_at(status.ref, settings, parsed.at))
    note([*notes(report, settings), *trouble])
    explanation = Explanation(report.now, status, seen)
    if parsed.output == "json":
        write_json(as_json(explanation))
    else:
        write(as_text(explanation, settings, Paint.for_stream(sys.stdout)))
    return 0


async def look_at(ref: ConnectionRef, settings: Settings, at: datetime | None) -> tuple[Seen | None, list[str]]:
    """What the next cycle would decide for a connection; why it is not known, where the platform cannot be read."""
    try:
        shown = await preview_cycle(settings, at)
    except MainspringError as error:
        return None, [f"no platform was asked, this is what the store holds: {printable(str(error))}"]
    trouble = unreached(shown.known).get(ref.platform)
    if trouble is not None:
        return None, [f"platform {ref.platform} cannot be read, this is what the store holds: {printable(trouble)}"]
    for connection, decided in zip(shown.known.connections, shown.plan.connections, strict=True):
        if connection.ref == ref:
            is_held = any(hold.reason is Reason.BLAST_RADIUS for hold in decided.holds)
            return Seen(connection, decided), spent_notes(shown) if is_held else []
    return None, []


def as_json(explained: Explanation) -> dict[str, Any]:
    """The explanation as plain values."""
    status, active = explained.status, explained.active_run
    condition, spec = status.condition, status.spec
    return {
        "schedule": status.name,
        "platform": status.ref.platform,
        "connection_id": status.ref.connection_id,
        "at": rfc3339(explained.now),
        "origin": str(spec.origin) if spec is not None else None,
        "schedules": [entry_json(entry) for entry in status.entries],
        "origins": resolved_origins(spec),
        "state": str(condition.state),
        "reason": str(condition.reason) if condition.reason else None,
        "message": condition.message,
        "conditions": [snake_keys(condition_json(each)) for each in status.conditions],
        "generation": status.observed_generation,
        "effective_since": rfc3339(status.effective_since),
        "watermark": rfc3339(status.watermark),
        "drifts": [snake_keys(drift_json(drift)) for drift in status.drifts],
        "corrected_today": status.corrected_today,
        "platform_asked": explained.seen is not None,
        "would_do": [{**row.as_json, "sentence": row.sentence} for row in explained.actions],
        "waits_for": [{**row.as_json, "sentence": row.sentence} for row in explained.holds],
        "wake_at": rfc3339(explained.wake_at),
        "next": [rfc3339(slot) for slot in explained.next_slots],
        "active_job": snake_keys(run_json(active)) if active is not None else None,
        "last_slots": [
            {**snake_keys(slot_json(each)), "sentence": explain_record(each)} for each in status.slots[:NEWEST]
        ],
        "requests": [snake_keys(request_json(each)) for each in status.requests],
    }


def as_text(explained: Explanation, settings: Settings, paint: Paint) -> str:
    """The explanation for people."""
    status, now, room = explained.status, explained.now, room_below_title()
    cell, message = state_cell(status.condition.state), status.condition.message
    since = status.effective_since
    in_force = (
        f"since {moment(since, now)}, generation {status.observed_generation}" if since is not None else "not yet"
    )
    rows = (
        ("state", paint(cell.style, cell.text) + (f"  {printable(message)}" if message else "")),
        ("ready", ready_text(status.conditions, now)),
        ("connection", str(status.ref)),
        ("written in", place_of(status.spec, settings.specs)),
        ("schedule", entries_text(status.entries)),
        ("in force", in_force),
        ("accounted to", moment(status.watermark, now)),
        ("drift", drift_text(status)),
        ("active job", _active(explained)),
    )
    parts = [paint("bold", status.name), indented(facts(rows, paint)), *origins_section(status, paint), ""]
    parts += [heading("now", paint), indented("\n".join(_now(explained, paint))), ""]
    parts += [heading("next slots", paint), indented(_next(explained, paint)), ""]
    parts += [heading("last slots", paint), indented(slots_table(status.slots[:NEWEST], now, paint, room))]
    parts += requests_section(status, now, paint)
    return "\n".join(parts)


def _active(explained: Explanation) -> str:
    run = explained.active_run
    if run is None:
        return "none"
    rows = f", {run.job.rows:,} rows so far" if run.job.rows is not None else ""
    whose = "" if run.is_ours else ", not ours"
    return f"{run.job.job_id}, {run.job.status} since {moment(run.job.created_at, explained.now)}{rows}{whose}"


def _now(explained: Explanation, paint: Paint) -> list[str]:
    """What would be done, what stands against more, and when it is looked at again."""
    now, wake_at = explained.now, explained.wake_at
    lines = []
    for done in explained.actions:
        slot = f" the {moment(done.scheduled_at, now)} slot" if done.scheduled_at is not None else ""
        lines.append(f"{paint('green', 'would ' + done.action)}{slot}: {printable(done.sentence)}")
    for held in explained.holds:
        at = held.hold.scheduled_at
        slot = f"the {moment(at, now)} slot waits: " if at is not None else ""
        lines.append(f"{paint('yellow', str(held.hold.reason))}  {slot}{printable(held.sentence)}")
    if explained.seen is not None and explained.seen.decided.defect:
        defect = printable(explained.seen.decided.defect)
        lines.append(f"{paint('red', 'nothing can be decided')}, a defect of Mainspring: {defect}")
    if not lines:
        lines.append("nothing is due" if explained.seen is not None else "not known without the platform")
    if wake_at is not None and wake_at > now:
        lines.append(f"wakes {distance(wake_at, now)}, at {moment(wake_at, now)}, {_what_for(explained, wake_at)}")
    return lines


def _what_for(explained: Explanation, wake_at: datetime) -> str:
    if wake_at in explained.next_slots:
        return "for its next slot"
    run, spec = explained.active_run, explained.status.spec
    limit = spec.max_duration if spec is not None else None
    if run is not None and limit is not None and run.job.created_at + limit == wake_at:
        return f"when {run.job.job_id} reaches maxDuration {span(limit)}"
    return "to look again"


def _next(explained: Explanation, paint: Paint) -> str:
    if not explained.next_slots:
        return paint("dim", "none")
    rows = [(moment(slot, explained.now), Cell(distance(slot, explained.now), "dim")) for slot in explained.next_slots]
    return fitted_table(("SLOT", "WHEN"), rows, paint, None)
