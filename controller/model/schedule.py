"""One connection's desired schedule, validated and with every default filled in."""

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from controller.model.identity import ConnectionRef


class Mode(StrEnum):
    """Whether the schedule may write to the platform."""

    ENFORCE = "Enforce"
    OBSERVE = "Observe"


class CatchUpPolicy(StrEnum):
    """What becomes of slots that passed while nobody could trigger them."""

    LATEST = "Latest"
    NONE = "None"


class WhenInDoubt(StrEnum):
    """Whether a slot may be tried again after an outcome that stayed unknown past the settle time."""

    RETRY = "Retry"
    SKIP = "Skip"


class Overlap(StrEnum):
    """What a due slot does while a job of its connection is active."""

    SKIP = "Skip"
    QUEUE = "Queue"
    REPLACE = "Replace"


class ForeignJobs(StrEnum):
    """What a job that is not ours means for a slot."""

    COUNT = "Count"
    IGNORE = "Ignore"
    CANCEL = "Cancel"


class OnDelete(StrEnum):
    """What happens to a running job when its schedule is deleted."""

    ORPHAN = "Orphan"
    CANCEL_RUNNING = "CancelRunning"


class EntryKind(StrEnum):
    """The dialects in which ``spec.schedules`` may say when."""

    CRON = "cron"
    QUARTZ = "quartz"
    EVERY = "every"
    FRESHNESS = "freshness"
    MANUAL = "manual"


@dataclass(frozen=True, slots=True)
class CalendarEntry:
    """One entry of ``spec.schedules``.

    Attributes:
        kind: the dialect.
        text: the cron or quartz expression, or the duration as written; empty for ``manual``.
        time_zone: IANA name, for cron and quartz.
        every: whole seconds, for ``every`` and ``freshness``.
        anchor: whole seconds since the Unix epoch, for ``every``.
    """

    kind: EntryKind
    text: str = ""
    time_zone: str = "UTC"
    every: int = 0
    anchor: int = 0


@dataclass(frozen=True, slots=True)
class CatchUp:
    """How late a slot may still be triggered; ``window`` None = until the next slot, at most 24 h."""

    policy: CatchUpPolicy = CatchUpPolicy.LATEST
    window: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Suspension:
    """Why nothing starts; ``until`` (aware UTC) itself is no longer suspended."""

    reason: str = ""
    by: str = ""
    until: datetime | None = None


@dataclass(frozen=True, slots=True, order=True)
class Origin:
    """Where a value was written: path relative to the spec tree, 1-based line and column."""

    path: str
    line: int
    column: int = 1

    def __str__(self) -> str:
        return f"{self.path}:{self.line}"


@dataclass(frozen=True, slots=True)
class ScheduleSpec:
    """A ``SyncSchedule`` document, resolved.

    ``unsupported`` names the fields that were written, are valid, and do nothing yet: the schedule is held for them.
    ``content`` is the canonical text of the parsed document (comments and order do not matter); it names a generation.
    """

    name: str
    platform: str
    connection_id: str
    entries: tuple[CalendarEntry, ...]
    origin: Origin
    content: str
    mode: Mode = Mode.ENFORCE
    catch_up: CatchUp = CatchUp()
    when_in_doubt: WhenInDoubt = WhenInDoubt.RETRY
    min_gap: timedelta | None = None
    overlap: Overlap = Overlap.SKIP
    max_duration: timedelta | None = None
    suspend: Suspension | None = None
    foreign_jobs: ForeignJobs = ForeignJobs.COUNT
    on_delete: OnDelete = OnDelete.ORPHAN
    labels: tuple[tuple[str, str], ...] = ()
    unsupported: tuple[str, ...] = field(default=())

    @property
    def ref(self) -> ConnectionRef:
        """The connection that this schedule drives."""
        return ConnectionRef(self.platform, self.connection_id)

    @property
    def calendar_key(self) -> str:
        """Canonical JSON of what decides which slots exist; equal keys have equal slots."""
        return dump_entries(self.entries)


def dump_entries(entries: tuple[CalendarEntry, ...]) -> str:
    """Write calendar entries as canonical JSON, one list per entry, sorted."""
    rows = sorted([e.kind.value, e.text, e.time_zone, e.every, e.anchor] for e in entries)
    return json.dumps(rows, separators=(",", ":"))


def parse_entries(key: str) -> tuple[CalendarEntry, ...]:
    """Read back what `dump_entries` wrote."""
    return tuple(
        CalendarEntry(EntryKind(kind), text, zone, every, anchor) for kind, text, zone, every, anchor in json.loads(key)
    )
