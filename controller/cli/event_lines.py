"""Events as one line for people: the time, the schedule, and a sentence."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from controller.cli.page import printable
from controller.cli.terminal import Paint, clock_time, local
from controller.model.event import Event, EventName, Severity

Fields = Mapping[str, str | int | float | bool | None]

NAME_WIDTH = 22
"""Columns for the schedule's name; longer names push their own line only."""


def _slot_time(fields: Fields) -> str:
    text = fields.get("scheduled_at")
    return local(datetime.fromisoformat(str(text))) if text else "?"


def _counted(fields: Fields, things: str) -> str:
    return f"{fields[things]} {things if fields[things] != 1 else things.removesuffix('s')}"


def _asked(f: Fields) -> str:
    why = f": {f['asked_because']}" if f.get("asked_because") else ""
    return f"{f['asked_by']} asked for {f['action']}{why}"


def _answered(f: Fields) -> str:
    return f"{f['action']} by {f['asked_by']} is {f['status']}: {f['message'] or f['job_id']}"


def _triggered(f: Fields) -> str:
    if f.get("reason") == "Request":
        return f"triggered {f['job_id']}, as somebody asked"
    if f.get("run"):
        return f"retry {f['run']} of the {_slot_time(f)} slot is {f['job_id']}"
    return f"triggered the {_slot_time(f)} slot as {f['job_id']}, {f['trigger_delay_seconds']} s after it was due"


def _finished(f: Fields) -> str:
    seconds = f" in {f['seconds']} s" if f.get("seconds") is not None else ""
    rows = f"{f['rows']:,} rows" if isinstance(f.get("rows"), int) else "rows unknown"
    return f"{f['job_id']} {f['status']}: {rows}{seconds}"


def _ended(verb: str, f: Fields) -> str:
    count = f.get("count")
    if isinstance(count, int) and count > 1:
        through = local(datetime.fromisoformat(str(f["through"])))
        return f"{verb} {count:,} slots, {_slot_time(f)} to {through} ({f['reason']}): {f['message']}"
    return f"{verb} the {_slot_time(f)} slot ({f['reason']}): {f['message']}"


def _age(f: Fields) -> str:
    at = f.get("last_success_at")
    return (
        f"no sync has succeeded since {local(datetime.fromisoformat(str(at)))}" if at else "no sync has succeeded yet"
    )


def _settled(f: Fields) -> str:
    if f.get("job_id"):
        return f"settled the doubt about the {_slot_time(f)} slot: {f['job_id']} is its job"
    return f"settled the doubt about the {_slot_time(f)} slot: there is no job"


def _agreed(f: Fields) -> str:
    if f.get("platform"):
        return f"the clock of platform {f['platform']} and ours agree again"
    if f.get("corrected_seconds"):
        return f"the wall clock is believed again, corrected by {f['corrected_seconds']} s"
    return "the wall clock is as it was before"


_SENTENCES: Mapping[EventName, Callable[[Fields], str]] = {
    EventName.CONTROLLER_STARTED: lambda f: (
        f"Mainspring {f['version']} reconciles {f['specs']} against {f['platforms']}"
    ),
    EventName.CONTROLLER_STOPPED: lambda f: (
        f"stopped ({f['reason']}); running syncs are left alone"
        + (f"; {f['unanswered']} triggers are in doubt" if f.get("unanswered") else "")
    ),
    EventName.ACCOUNTING_STARTED: lambda _: "the store is empty: slots are accounted for from now on",
    EventName.SPECS_LOADED: lambda f: (
        f"{_counted(f, 'schedules')} in force from {_counted(f, 'files')}"
        + (f", {f['rejected']} rejected" if f.get("rejected") else "")
    ),
    EventName.SPECS_REJECTED: lambda f: f"{f['path']}:{f['line']}:{f['column']}: {f['code']}: {f['message']}",
    EventName.SPECS_DOUBTFUL: lambda f: f"{f['path']}: {f['code']}: {f['message']}",
    EventName.SPEC_SOURCE_FAILED: lambda f: (
        f"the specs cannot be read, what was in force stays in force: {f['message']}"
    ),
    EventName.SPECS_RESTORED: lambda f: (
        f"{_counted(f, 'schedules')} in force as the store says, nothing is retired: {f['message']}"
    ),
    EventName.REVISION_HELD: lambda f: f"revision {f['revision']} is held: {f['message']}",
    EventName.REMOVALS_CONFIRMED: lambda f: (
        f"revision {f['revision']} takes {f['removed']} schedules out of force, confirmed by {f['confirmed_by']}"
    ),
    EventName.WEBHOOK_LISTENING: lambda f: f"takes webhooks at {f['address']}",
    EventName.SCHEDULE_ACCEPTED: lambda _: "came into force",
    EventName.SCHEDULE_CHANGED: lambda f: f"changed; generation {f['generation']} is in force",
    EventName.SCHEDULE_REMOVED: lambda _: "is gone from the specs and no longer driven",
    EventName.SCHEDULE_HELD: lambda f: f"is held ({f['reason']}): {f['message']}",
    EventName.SCHEDULE_RELEASED: lambda f: f"is no longer held ({f['reason']})",
    EventName.SCHEDULE_SUSPENDED: _answered,
    EventName.SCHEDULE_RESUMED: _answered,
    EventName.REQUEST_MADE: _asked,
    EventName.REQUEST_DONE: _answered,
    EventName.REQUEST_REFUSED: _answered,
    EventName.SYNC_TRIGGERED: _triggered,
    EventName.TRIGGER_REFUSED: lambda f: f"the {_slot_time(f)} slot was refused, it is tried again: {f['message']}",
    EventName.TRIGGER_IN_DOUBT: lambda f: f"the {_slot_time(f)} slot is in doubt: {f['message']}",
    EventName.TRIGGER_NOT_SENT: lambda f: f"the {_slot_time(f)} slot was not sent: {f['message']}",
    EventName.DOUBT_SETTLED: _settled,
    EventName.LATE_DUPLICATE_FOUND: lambda f: (
        f"the {_slot_time(f)} slot may have two jobs: {f['job_id']} and {f['surplus']}"
    ),
    EventName.PHANTOM_JOB_REPORTED: lambda f: f"look at the connection on the platform: {f['message']}",
    EventName.DRIFT_DETECTED: lambda f: (
        f"{f['field']} is {f['observed']} on the platform, and {f['desired']} is wanted (drift: {f['policy']})"
    ),
    EventName.DRIFT_CORRECTED: lambda f: f"set {f['field']} of the connection from {f['before']} to {f['after']}",
    EventName.DRIFT_ENDED: lambda f: f"{f['field']} is {f['desired']} again on the platform",
    EventName.CORRECTION_FAILED: lambda f: (
        f"{f['field']} could not be set from {f['before']} to {f['after']}: {f['message']}"
    ),
    EventName.FIGHT_DETECTED: lambda f: (
        f"somebody else sets {f['field']} back to {f['observed']} each time it is corrected; it is left alone"
    ),
    EventName.FRESHNESS_WARNED: lambda f: f"the data is getting old: {_age(f)}",
    EventName.FRESHNESS_LOST: lambda f: f"the data is too old: {_age(f)}",
    EventName.FRESHNESS_RESTORED: lambda _: "the data is fresh again",
    EventName.SLOT_COUNTED: lambda f: f"the {_slot_time(f)} slot is covered: {f['message']}",
    EventName.SLOT_SKIPPED: lambda f: _ended("skipped", f),
    EventName.SLOT_MISSED: lambda f: _ended("missed", f),
    EventName.CANCEL_REQUESTED: lambda f: f"asked the platform to cancel {f['job_id']} ({f['reason']}): {f['message']}",
    EventName.CANCEL_FAILED: lambda f: f"{f['job_id']} was not cancelled ({f['reason']}): {f['message']}",
    EventName.JOB_STARTED_ELSEWHERE: lambda f: f"somebody else started {f['job_id']} ({f['job_type']})",
    EventName.JOB_FINISHED: _finished,
    EventName.PLATFORM_HELD: lambda f: f"acts on platform {f['platform']} now (epoch {f['epoch']})",
    EventName.PLATFORM_LOST: lambda f: (
        f"leaves platform {f['platform']} to another controller, and asks for it again: {f['message']}"
    ),
    EventName.LISTING_FAILED: lambda f: (
        f"platform {f['platform']} cannot be listed, so nothing new starts there: {f['message']}"
    ),
    EventName.LISTING_RECOVERED: lambda f: f"platform {f['platform']} answers again after {f['failed_seconds']} s",
    EventName.CLOCK_FROZEN: lambda f: (
        f"the wall clock was set by {f['seconds']} s, and nothing is done until it is known what time it is:"
        f" it shows {f['wall']} instead of {f['expected']}"
    ),
    EventName.CLOCK_SKEWED: lambda f: f"nothing is done on platform {f['platform']}: {f['message']}",
    EventName.CLOCK_AGREED: _agreed,
    EventName.RESYNC_CORRECTED: lambda f: f"the full resync caught what had been missed: {f['message']}",
    EventName.PLAN_REFUSED: lambda f: f"a plan broke a promise and was not acted on: {f['message']}",
    EventName.CYCLE_FAILED: lambda f: f"a cycle failed and is tried again: {f['message']}",
}

_GOOD = frozenset(
    {
        EventName.SYNC_TRIGGERED,
        EventName.LISTING_RECOVERED,
        EventName.FRESHNESS_RESTORED,
        EventName.DRIFT_CORRECTED,
        EventName.DRIFT_ENDED,
        EventName.DOUBT_SETTLED,
        EventName.SCHEDULE_RELEASED,
    }
)
_SEVERITY_STYLE = {Severity.WARNING: "yellow", Severity.ERROR: "red", Severity.DEBUG: "dim"}


def sentence(event: Event) -> str:
    """What happened, as one sentence without time and name."""
    make = _SENTENCES.get(event.name)
    return str(event.name) if make is None else make(event.fields)


@dataclass(frozen=True, slots=True)
class EventLines:
    """Renders events for one stream."""

    paint: Paint

    def __call__(self, event: Event) -> str | None:
        """One line, or None for what only machines read."""
        if event.name is EventName.CYCLE_FINISHED:
            return None
        mark, style = self._look(event)
        at = self.paint("dim", clock_time(event.at))
        name = f"{self.paint('bold', event.schedule.ljust(NAME_WIDTH))} " if event.schedule else ""
        return f"{at} {self.paint(style, mark)} {name}{self.paint(style, printable(sentence(event)))}"

    def _look(self, event: Event) -> tuple[str, str]:
        if event.name is EventName.JOB_FINISHED:
            status = event.fields.get("status")
            return {"succeeded": ("✓", "green"), "failed": ("✗", "red")}.get(str(status), ("■", "yellow"))
        if event.name in _GOOD:
            return "▶", "cyan"
        if event.name is EventName.SLOT_SKIPPED:
            return "·", "dim"
        style = _SEVERITY_STYLE.get(event.severity, "")
        return {"red": ("✗", "red"), "yellow": ("!", "yellow")}.get(style, ("·", style))
