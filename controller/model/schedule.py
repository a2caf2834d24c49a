"""One connection's desired schedule, validated and with every default filled in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache

from controller.model.calendar import CalendarEntry, CalendarTerms, Exclusion, dump_terms
from controller.model.identity import ConnectionRef
from controller.model.window import Window


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


class Drift(StrEnum):
    """What is done about a difference that somebody else made on the platform."""

    ENFORCE = "Enforce"
    WARN = "Warn"
    IGNORE = "Ignore"


class OnDelete(StrEnum):
    """What happens to a running job when its schedule is deleted."""

    ORPHAN = "Orphan"
    CANCEL_RUNNING = "CancelRunning"


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

    def covers(self, instant: datetime) -> bool:
        """Whether it stands at an instant; nobody knows when it began, so it covers all of the past."""
        return self.until is None or instant < self.until


@dataclass(frozen=True, slots=True)
class Retry:
    """How a failed job is tried again: at most ``attempts`` further jobs, the pause doubled each time up to ``max_backoff``."""

    attempts: int = 3
    backoff: timedelta = timedelta(minutes=1)
    max_backoff: timedelta = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class FreshnessAlert:
    """From which age of the last successful sync on somebody is told; None = never."""

    warn_after: timedelta | None = None
    error_after: timedelta | None = None


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

    Attributes:
        content: the canonical text of the parsed document (comments and order do not matter); it names a generation.
        freezes: what policies say against any write to the platform.
        by_hand: what a person's command suspended it for; it stands in no document.
        conflicts: fields that policies of equal priority set differently, of which no earlier value is known: the schedule is held.
        unsupported: the fields that were written, are valid, and do nothing yet: the schedule is held for them.
        origins: where each value that somebody wrote stands, by its name below ``spec`` such as ``catchUp.window``; what is absent
            has its default.
        calendar_key: canonical JSON of what decides which slots exist; equal keys have equal slots.
    """

    name: str
    platform: str
    connection_id: str
    entries: tuple[CalendarEntry, ...]
    origin: Origin
    content: str
    exclude: tuple[Exclusion, ...] = ()
    start_date: datetime | None = None
    end_date: datetime | None = None
    jitter: timedelta | None = None
    mode: Mode = Mode.ENFORCE
    catch_up: CatchUp = CatchUp()
    when_in_doubt: WhenInDoubt = WhenInDoubt.RETRY
    min_gap: timedelta | None = None
    overlap: Overlap = Overlap.SKIP
    max_duration: timedelta | None = None
    stalled_after: timedelta | None = None
    retry: Retry | None = None
    failure_budget: int | None = None
    windows: tuple[Window, ...] = ()
    suspend: Suspension | None = None
    foreign_jobs: ForeignJobs = ForeignJobs.COUNT
    drift_schedule: Drift = Drift.WARN
    drift_status: Drift = Drift.WARN
    on_delete: OnDelete = OnDelete.ORPHAN
    freshness_alert: FreshnessAlert | None = None
    labels: tuple[tuple[str, str], ...] = ()
    freezes: tuple[Suspension, ...] = ()
    by_hand: Suspension | None = None
    conflicts: tuple[str, ...] = ()
    unsupported: tuple[str, ...] = ()
    origins: Mapping[str, Origin] = field(default_factory=dict)
    calendar_key: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        key = _key_of(self.entries, self.exclude, self.start_date, self.end_date)
        object.__setattr__(self, "calendar_key", key)

    @property
    def ref(self) -> ConnectionRef:
        """The connection that this schedule drives."""
        return ConnectionRef(self.platform, self.connection_id)


@lru_cache(maxsize=65_536)
def _key_of(
    entries: tuple[CalendarEntry, ...],
    exclude: tuple[Exclusion, ...],
    start_date: datetime | None,
    end_date: datetime | None,
) -> str:
    """Schedules with equal calendars share one key."""
    return dump_terms(CalendarTerms(entries, exclude, start_date, end_date))
