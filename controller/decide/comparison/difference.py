"""What a comparison of two revisions says: plain values, for a text, a comment or a document."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from controller.model.identity import ConnectionRef
from controller.model.policy import Policy
from controller.model.request import DeclaredRequest
from controller.model.schedule import Origin, ScheduleSpec


class Change(StrEnum):
    """What becomes of a schedule."""

    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"
    KEPT = "kept"
    HELD = "held"


class Level(StrEnum):
    """How much a reviewer should care."""

    DANGER = "danger"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Revision:
    """What one revision holds, as its files say it; ``failed_paths``: files of which something is rejected."""

    specs: tuple[ScheduleSpec, ...] = ()
    policies: tuple[Policy, ...] = ()
    requests: tuple[DeclaredRequest, ...] = ()
    failed_paths: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Source:
    """Where a value comes from: a place in a file, and the policy that stands there; no place = a built-in default."""

    origin: Origin | None = None
    policy: str = ""


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One value that differs, by its name below ``spec``; ``metadata.name``, ``metadata.labels`` and ``file`` stand beside it."""

    name: str
    before: object
    after: object
    source: Source = Source()


@dataclass(frozen=True, slots=True)
class Coming:
    """A slot to come.

    Attributes:
        scheduled_at: its instant (aware UTC).
        starts_at: the same, later by its jitter and while windows are closed; None = they stay closed for too long.
        zones: the zones of the entries that have it.
    """

    scheduled_at: datetime
    starts_at: datetime | None
    zones: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a schedule starts a sync.

    Attributes:
        mean: starts a day over `PACE_DAYS` days.
        least: fewest on one of them, in the schedule's zone; None where that depends on what happens.
        most: the most on one of them.
        coming: the next slots that start one.
        quiet: why it starts none, now or at all; empty = nothing stands against it.
        is_guess: it also depends on how old the data is.
    """

    mean: float = 0.0
    least: int | None = 0
    most: int | None = 0
    coming: tuple[Coming, ...] = ()
    quiet: str = ""
    is_guess: bool = False


@dataclass(frozen=True, slots=True)
class Caution:
    """What deserves a second look; ``code`` is stable."""

    level: Level
    code: str
    message: str
    schedule: str = ""
    origin: Origin | None = None


@dataclass(frozen=True, slots=True)
class ScheduleChange:
    """One schedule that the revision touches: by its connection, so that a new name or file is a change and not another schedule.

    Attributes:
        before: what was in force; None = nothing.
        after: what comes into force; None = nothing.
        remark: what the kind of change alone does not say.
    """

    ref: ConnectionRef
    kind: Change
    before: ScheduleSpec | None
    after: ScheduleSpec | None
    fields: tuple[FieldChange, ...] = ()
    pace_before: Pace = Pace()
    pace_after: Pace = Pace()
    remark: str = ""

    @property
    def name(self) -> str:
        """What it is called now."""
        found = self.after or self.before
        return found.name if found is not None else self.ref.connection_id

    @property
    def origin(self) -> Origin | None:
        """Where it stands now, or stood."""
        found = self.after or self.before
        return found.origin if found is not None else None


@dataclass(frozen=True, slots=True)
class PolicyChange:
    """One policy that the revision touches; ``selects``: how many schedules it speaks of."""

    name: str
    kind: Change
    origin: Origin
    selects: int
    fields: tuple[FieldChange, ...] = ()


@dataclass(frozen=True, slots=True)
class Peak:
    """How many syncs start within a minute or an hour (aware UTC)."""

    at: datetime
    starts: int


@dataclass(frozen=True, slots=True)
class Load:
    """Where starts crowd: the busiest minutes, most first, and the busiest hour."""

    minutes: tuple[Peak, ...] = ()
    hour: Peak | None = None


@dataclass(frozen=True, slots=True)
class Totals:
    """One whole revision."""

    schedules: int = 0
    runs_per_day: float = 0.0
    load: Load = Load()


@dataclass(frozen=True, slots=True)
class Comparison:
    """All that a revision changes.

    Attributes:
        at: the instant that everything is told for.
        horizon: how far the busiest minute was looked for.
        held: why the controller would not apply the revision until somebody confirms it; empty = it would.
        unread: files of the earlier revision that are rejected there: what they hold is not known.
    """

    at: datetime
    schedules: tuple[ScheduleChange, ...] = ()
    policies: tuple[PolicyChange, ...] = ()
    requests: tuple[DeclaredRequest, ...] = ()
    cautions: tuple[Caution, ...] = ()
    before: Totals = Totals()
    after: Totals = Totals()
    horizon: timedelta = timedelta()
    held: str = ""
    unread: tuple[str, ...] = ()
    counts: Mapping[Change, int] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether nothing that is in force would change."""
        return not (self.schedules or self.policies or self.requests)
