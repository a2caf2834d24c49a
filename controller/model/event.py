"""The closed catalogue of events: past-tense facts, each with a severity and the fields it always carries."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Severity(StrEnum):
    """How loudly to say it."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Kind:
    """One entry of the catalogue: its severity, what it means, and the fields that it always has."""

    severity: Severity
    meaning: str
    fields: tuple[str, ...] = ()


class EventName(StrEnum):
    """Every event there is."""

    CONTROLLER_STARTED = "controller_started"
    CONTROLLER_STOPPED = "controller_stopped"
    ACCOUNTING_STARTED = "accounting_started"
    SPECS_LOADED = "specs_loaded"
    SPECS_REJECTED = "specs_rejected"
    SPECS_DOUBTFUL = "specs_doubtful"
    SPEC_SOURCE_FAILED = "spec_source_failed"
    SPECS_RESTORED = "specs_restored"
    REVISION_HELD = "revision_held"
    REMOVALS_CONFIRMED = "removals_confirmed"
    WEBHOOK_LISTENING = "webhook_listening"
    SCHEDULE_ACCEPTED = "schedule_accepted"
    SCHEDULE_CHANGED = "schedule_changed"
    SCHEDULE_REMOVED = "schedule_removed"
    SCHEDULE_HELD = "schedule_held"
    SCHEDULE_RELEASED = "schedule_released"
    SCHEDULE_SUSPENDED = "schedule_suspended"
    SCHEDULE_RESUMED = "schedule_resumed"
    REQUEST_MADE = "request_made"
    REQUEST_DONE = "request_done"
    REQUEST_REFUSED = "request_refused"
    SYNC_TRIGGERED = "sync_triggered"
    TRIGGER_REFUSED = "trigger_refused"
    TRIGGER_IN_DOUBT = "trigger_in_doubt"
    TRIGGER_NOT_SENT = "trigger_not_sent"
    DOUBT_SETTLED = "doubt_settled"
    LATE_DUPLICATE_FOUND = "late_duplicate_found"
    PHANTOM_JOB_REPORTED = "phantom_job_reported"
    SLOT_COUNTED = "slot_counted"
    SLOT_SKIPPED = "slot_skipped"
    SLOT_MISSED = "slot_missed"
    CANCEL_REQUESTED = "cancel_requested"
    CANCEL_FAILED = "cancel_failed"
    JOB_STARTED_ELSEWHERE = "job_started_elsewhere"
    JOB_FINISHED = "job_finished"
    DRIFT_DETECTED = "drift_detected"
    DRIFT_CORRECTED = "drift_corrected"
    DRIFT_ENDED = "drift_ended"
    CORRECTION_FAILED = "correction_failed"
    FIGHT_DETECTED = "fight_detected"
    FRESHNESS_WARNED = "freshness_warned"
    FRESHNESS_LOST = "freshness_lost"
    FRESHNESS_RESTORED = "freshness_restored"
    PLATFORM_HELD = "platform_held"
    PLATFORM_LOST = "platform_lost"
    LISTING_FAILED = "listing_failed"
    LISTING_RECOVERED = "listing_recovered"
    CLOCK_FROZEN = "clock_frozen"
    CLOCK_SKEWED = "clock_skewed"
    CLOCK_AGREED = "clock_agreed"
    RESYNC_CORRECTED = "resync_corrected"
    PLAN_REFUSED = "plan_refused"
    CYCLE_FAILED = "cycle_failed"
    CYCLE_FINISHED = "cycle_finished"


_REQUEST = ("schedule", "platform", "connection_id", "request", "action", "asked_by", "asked_because")
_SLOT = ("schedule", "platform", "connection_id", "scheduled_at", "revision")

CATALOGUE: Mapping[EventName, Kind] = {
    EventName.CONTROLLER_STARTED: Kind(
        Severity.INFO, "The controller began to reconcile.", ("version", "specs", "platforms")
    ),
    EventName.CONTROLLER_STOPPED: Kind(
        Severity.INFO, "The controller ended; running syncs were left alone.", ("reason", "unanswered")
    ),
    EventName.ACCOUNTING_STARTED: Kind(
        Severity.INFO, "The store was empty: slots are accounted for from this instant on.", ("since",)
    ),
    EventName.SPECS_LOADED: Kind(
        Severity.INFO, "A revision of the specs came into force.", ("revision", "schedules", "files", "rejected")
    ),
    EventName.SPECS_REJECTED: Kind(
        Severity.ERROR,
        "A file holds an error; what it last held in good order stays in force.",
        ("path", "line", "column", "code", "message", "revision"),
    ),
    EventName.SPECS_DOUBTFUL: Kind(
        Severity.WARNING,
        "The specs lie where a change of them may never be seen, or where other machines read something else; told once.",
        ("path", "code", "message", "revision"),
    ),
    EventName.SPEC_SOURCE_FAILED: Kind(
        Severity.ERROR, "The specs could not be read; the last good revision stays in force.", ("message", "revision")
    ),
    EventName.SPECS_RESTORED: Kind(
        Severity.WARNING,
        "The controller has no revision that it may act by: what the store says was in force is in force, and nothing is retired.",
        ("revision", "schedules", "message"),
    ),
    EventName.REVISION_HELD: Kind(
        Severity.ERROR,
        "A revision would take ``removed`` of ``in_force`` schedules out of force: all of it waits until somebody confirms it.",
        ("revision", "removed", "in_force", "message"),
    ),
    EventName.REMOVALS_CONFIRMED: Kind(
        Severity.WARNING,
        "A revision that removes many schedules comes into force, because somebody confirmed it.",
        ("revision", "removed", "confirmed_by"),
    ),
    EventName.WEBHOOK_LISTENING: Kind(
        Severity.INFO,
        "Webhooks are taken from now on; each that proves itself causes a fetch of the specs.",
        ("address",),
    ),
    EventName.SCHEDULE_ACCEPTED: Kind(
        Severity.INFO,
        "A schedule came into force.",
        ("schedule", "platform", "connection_id", "effective_since", "revision"),
    ),
    EventName.SCHEDULE_CHANGED: Kind(
        Severity.INFO,
        "A schedule in force was edited.",
        ("schedule", "platform", "connection_id", "effective_since", "generation", "revision"),
    ),
    EventName.SCHEDULE_REMOVED: Kind(
        Severity.INFO,
        "A schedule is gone from the specs and is no longer driven.",
        ("schedule", "platform", "connection_id", "revision"),
    ),
    EventName.SCHEDULE_HELD: Kind(
        Severity.WARNING,
        "Something stands against a schedule.",
        ("schedule", "platform", "connection_id", "reason", "message"),
    ),
    EventName.SCHEDULE_RELEASED: Kind(
        Severity.INFO, "What stood against a schedule is over.", ("schedule", "platform", "connection_id", "reason")
    ),
    EventName.SCHEDULE_SUSPENDED: Kind(
        Severity.WARNING, "A person suspended a schedule.", (*_REQUEST, "status", "job_id", "message")
    ),
    EventName.SCHEDULE_RESUMED: Kind(
        Severity.INFO,
        "A person ended what kept a schedule from starting: a suspension by hand, a row of failures.",
        (*_REQUEST, "status", "job_id", "message"),
    ),
    EventName.REQUEST_MADE: Kind(Severity.INFO, "Somebody asked for something, by hand or in a document.", _REQUEST),
    EventName.REQUEST_DONE: Kind(
        Severity.INFO,
        "What somebody asked for was carried out: ``job_id`` was started, or has ended.",
        (*_REQUEST, "status", "job_id", "message"),
    ),
    EventName.REQUEST_REFUSED: Kind(
        Severity.WARNING,
        "What somebody asked for was not carried out; ``status`` says what became of it, and nothing of it starts later unless that is"
        " ``Waiting``.",
        (*_REQUEST, "status", "job_id", "message"),
    ),
    EventName.SYNC_TRIGGERED: Kind(
        Severity.INFO,
        "A POST made a job for a slot, or for what somebody asked for (then ``reason`` is ``Request``, and ``scheduled_at`` when that was);"
        " ``run`` is 0 for its start, else the number of the retry.",
        (*_SLOT, "job_id", "run", "reason", "trigger_delay_seconds"),
    ),
    EventName.TRIGGER_REFUSED: Kind(
        Severity.WARNING, "The platform certainly made no job; the slot is due again.", (*_SLOT, "message", "reason")
    ),
    EventName.TRIGGER_IN_DOUBT: Kind(
        Severity.WARNING,
        "Whether a POST made a job is unknown; it is settled by observing.",
        (*_SLOT, "message", "reason"),
    ),
    EventName.TRIGGER_NOT_SENT: Kind(
        Severity.WARNING,
        "A claim was closed before its POST left; the slot is due again.",
        (*_SLOT, "message", "reason"),
    ),
    EventName.DOUBT_SETTLED: Kind(
        Severity.INFO,
        "A trigger in doubt was settled: a job was adopted, or there is none.",
        (*_SLOT, "resolution", "job_id", "reason"),
    ),
    EventName.LATE_DUPLICATE_FOUND: Kind(
        Severity.ERROR, "More than one new job appeared while a trigger was in doubt.", (*_SLOT, "job_id", "surplus")
    ),
    EventName.PHANTOM_JOB_REPORTED: Kind(
        Severity.ERROR,
        "Three starts in a row were refused for a job that is in no complete list; told once, and somebody must look at the connection.",
        (*_SLOT, "message", "reason"),
    ),
    EventName.SLOT_COUNTED: Kind(
        Severity.INFO,
        "A job that is not ours counts for a slot, or the slot was satisfied in another way.",
        (*_SLOT, "job_id", "reason", "message"),
    ),
    EventName.SLOT_SKIPPED: Kind(
        Severity.INFO,
        "Something stood against a slot, or against ``count`` of them up to ``through``.",
        (*_SLOT, "reason", "message", "count", "through"),
    ),
    EventName.SLOT_MISSED: Kind(
        Severity.WARNING,
        "Nothing stood against a slot (or ``count`` of them up to ``through``), but nobody could start it.",
        (*_SLOT, "reason", "message", "count", "through"),
    ),
    EventName.CANCEL_REQUESTED: Kind(
        Severity.WARNING,
        "The platform was asked to end a job.",
        ("schedule", "platform", "connection_id", "job_id", "reason", "message", "revision"),
    ),
    EventName.CANCEL_FAILED: Kind(
        Severity.WARNING,
        "A cancel was not sent or not taken; it is judged again.",
        ("schedule", "platform", "connection_id", "job_id", "reason", "message"),
    ),
    EventName.JOB_STARTED_ELSEWHERE: Kind(
        Severity.INFO,
        "A job that we did not start was seen on a connection of ours.",
        ("schedule", "platform", "connection_id", "job_id", "job_type"),
    ),
    EventName.JOB_FINISHED: Kind(
        Severity.INFO,
        "A job of a connection of ours reached its end; told once, also where it ended while no controller looked.",
        ("schedule", "platform", "connection_id", "job_id", "job_type", "status", "rows", "bytes", "seconds"),
    ),
    EventName.DRIFT_DETECTED: Kind(
        Severity.WARNING,
        "A setting of a connection is not as desired; ``field`` is its name below ``spec.drift``, ``policy`` what is done about it.",
        ("schedule", "platform", "connection_id", "field", "desired", "observed", "policy"),
    ),
    EventName.DRIFT_CORRECTED: Kind(
        Severity.INFO,
        "The platform took a correction of a connection; whether it holds is read next.",
        ("schedule", "platform", "connection_id", "field", "before", "after", "message"),
    ),
    EventName.DRIFT_ENDED: Kind(
        Severity.INFO,
        "A setting of a connection is as desired again, whoever changed it back.",
        ("schedule", "platform", "connection_id", "field", "desired", "seconds"),
    ),
    EventName.CORRECTION_FAILED: Kind(
        Severity.WARNING,
        "A correction of a connection was refused, or its outcome is not known; it is asked again later.",
        ("schedule", "platform", "connection_id", "field", "before", "after", "message"),
    ),
    EventName.FIGHT_DETECTED: Kind(
        Severity.ERROR,
        "Somebody else changes a setting of a connection back each time it is corrected: it is left alone.",
        ("schedule", "platform", "connection_id", "field", "desired", "observed"),
    ),
    EventName.FRESHNESS_WARNED: Kind(
        Severity.WARNING,
        "The last successful sync is older than ``freshnessAlert.warnAfter``.",
        ("schedule", "platform", "connection_id", "last_success_at"),
    ),
    EventName.FRESHNESS_LOST: Kind(
        Severity.ERROR,
        "The last successful sync is older than ``freshnessAlert.errorAfter``.",
        ("schedule", "platform", "connection_id", "last_success_at"),
    ),
    EventName.FRESHNESS_RESTORED: Kind(
        Severity.INFO,
        "A sync succeeded: the data is as fresh as it should be again.",
        ("schedule", "platform", "connection_id", "last_success_at"),
    ),
    EventName.PLATFORM_HELD: Kind(
        Severity.INFO,
        "This controller acts on a platform from now on; each time that one begins to, the epoch is higher.",
        ("platform", "epoch"),
    ),
    EventName.PLATFORM_LOST: Kind(
        Severity.WARNING,
        "Another controller acts on a platform: nothing is written to it any more, and it is asked for again.",
        ("platform", "message"),
    ),
    EventName.LISTING_FAILED: Kind(
        Severity.WARNING,
        "A platform's jobs could not be listed; its last view stays, marked stale.",
        ("platform", "message"),
    ),
    EventName.LISTING_RECOVERED: Kind(Severity.INFO, "A platform answers again.", ("platform", "failed_seconds")),
    EventName.CLOCK_FROZEN: Kind(
        Severity.ERROR,
        "The wall clock was set: it shows ``wall`` where ``expected`` was due by the clock that never steps. Nothing is started, ended or"
        " judged anywhere until they agree again, or until a platform's answers confirm the new time.",
        ("wall", "expected", "seconds"),
    ),
    EventName.CLOCK_SKEWED: Kind(
        Severity.ERROR,
        "A platform's clock and ours contradict each other by ``seconds``: nothing is started, ended or judged there until they agree.",
        ("platform", "seconds", "tolerance", "message"),
    ),
    EventName.CLOCK_AGREED: Kind(
        Severity.INFO,
        "The clocks agree again: those of the machine where ``platform`` is empty, after a correction of the wall clock by"
        " ``corrected_seconds``; else the platform's and ours.",
        ("platform", "corrected_seconds"),
    ),
    EventName.RESYNC_CORRECTED: Kind(
        Severity.WARNING,
        "The full resync found what the incremental path had missed.",
        ("schedule", "platform", "connection_id", "message"),
    ),
    EventName.PLAN_REFUSED: Kind(
        Severity.ERROR,
        "A plan broke a promise and was not acted on: a defect.",
        ("schedule", "platform", "connection_id", "message"),
    ),
    EventName.CYCLE_FAILED: Kind(Severity.ERROR, "A cycle could not be completed and is tried again.", ("message",)),
    EventName.CYCLE_FINISHED: Kind(
        Severity.DEBUG,
        "One cycle's counts.",
        ("revision", "considered", "triggers", "cancels", "records", "settled", "holds", "corrections"),
    ),
}
"""What every event means and always carries; ``docs/events.md`` is made from it."""


@dataclass(frozen=True, slots=True)
class Event:
    """One fact. ``at`` is aware UTC; ``fields`` holds plain values (text, numbers, booleans, None)."""

    name: EventName
    at: datetime
    fields: Mapping[str, str | int | float | bool | None]

    @property
    def severity(self) -> Severity:
        """How loudly to say it."""
        return CATALOGUE[self.name].severity

    @property
    def schedule(self) -> str | None:
        """The schedule that it speaks of, if it speaks of one."""
        name = self.fields.get("schedule")
        return name if isinstance(name, str) else None
