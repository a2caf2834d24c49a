"""What a connection lives through in the simulated year, and what came of it: two plain values."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from controller.model.identity import ClaimKey, SlotKey
from controller.model.job import JobStatus
from controller.model.record import SlotRecord
from controller.model.schedule import ScheduleSpec

START = datetime(2026, 1, 1, tzinfo=UTC)
END = datetime(2027, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Life:
    """One connection's year before it has happened.

    Attributes:
        versions: its spec from each instant on, the first one from the start of the year; all have the same calendar.
        off: stretches without a controller, ascending; the last one ends before the year does.
        seed: of the platform's chance.
        usual: the shortest and the longest usual duration of its jobs, in seconds.
        long: the longest of the few jobs that take much longer, in seconds.
        long_share: how many those are.
        failed_share: how many jobs end failed.
        lost_share: how many answers to a trigger are lost, so that its outcome is in doubt.
        lag: how long after its end a job is seen to have ended when nobody needs a listing before.
    """

    versions: tuple[tuple[datetime, ScheduleSpec], ...]
    off: tuple[tuple[datetime, datetime], ...] = ()
    seed: str = ""
    usual: tuple[int, int] = (20, 600)
    long: int = 3600
    long_share: float = 0.02
    failed_share: float = 0.03
    lost_share: float = 0.0
    lag: timedelta = timedelta()
    start: datetime = START
    end: datetime = END

    def spec_at(self, instant: datetime) -> ScheduleSpec:
        """The newest version of its spec at an instant."""
        return next(spec for since, spec in reversed(self.versions) if since <= instant)

    @property
    def spec(self) -> ScheduleSpec:
        """Its first version."""
        return self.versions[0][1]


@dataclass(slots=True)
class PlatformJob:
    """A job on the simulated platform: when it was created and when and how it ends."""

    job_id: str
    key: ClaimKey
    created_at: datetime
    ended_at: datetime
    status: JobStatus


@dataclass(slots=True)
class Lived:
    """The year as it went: what the planner recorded, which jobs the platform has, and which claims were in doubt from when to when.

    ``broken``: promises that a plan did not keep.
    """

    life: Life
    effective_since: datetime
    records: list[SlotRecord] = field(default_factory=list)
    jobs: list[PlatformJob] = field(default_factory=list)
    doubts: list[tuple[datetime, datetime]] = field(default_factory=list)
    open_claim: SlotKey | None = None
    plans: int = 0
    broken: list[str] = field(default_factory=list)
