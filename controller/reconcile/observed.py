"""What this process remembers of one platform: its jobs as last seen, and who waits to see more."""

from collections import defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta
from itertools import islice
from math import ceil
from operator import attrgetter

from controller.decide.observation import (
    INITIAL_LOOKBACK,
    ListingHistory,
    expected_end,
    listing_since,
    next_listing_at,
)
from controller.decide.sight import CLOCK_TOLERANCE
from controller.model.connection import Connection
from controller.model.identity import ConnectionRef
from controller.model.job import Job, JobStatus
from controller.model.plan import ClockJump, Listing, ListingNeed, NeedKind, PlatformFacts
from controller.model.profile import PlatformProfile
from controller.ports.platform import JobListing, Platform

RETAIN = timedelta(minutes=30)
"""Ended jobs are remembered this long after their creation, and the newest of each connection for ever; longer than any baseline needs
(``CLOCK_TOLERANCE`` before a claim) and short enough that memory follows the rate of jobs and not the months of running."""

_newness = attrgetter("created_at", "job_id")
_all_but_duration = attrgetter(*(each.name for each in fields(Job) if each.name != "duration"))

DURATIONS_KEPT = 5
"""Durations of a connection's last succeeded jobs that its expected end is the median of."""


@dataclass(slots=True)
class ObservedPlatform:
    """One platform as this process sees it. Mutable; owned by the loop, touched only between awaits.

    ``unkept``: changes of jobs, as (before, now), that are in memory and not kept yet: the store did not take them, or the look that showed
    them failed before its end.
    """

    name: str
    platform: Platform
    profile: PlatformProfile
    start: datetime | None
    history: ListingHistory = field(default_factory=ListingHistory)
    trouble: str = ""
    failing_since: datetime | None = None
    jobs: dict[str, dict[str, Job]] = field(default_factory=lambda: defaultdict(dict))
    active: dict[str, Job] = field(default_factory=dict)
    connections: dict[str, tuple[Connection | None, datetime]] = field(default_factory=dict)
    connections_read_at: datetime | None = None
    confirmed: set[str] = field(default_factory=set)
    looks: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    listed_connections: set[str] = field(default_factory=set)
    written_at: dict[str, datetime] = field(default_factory=dict)
    needs: dict[ConnectionRef, tuple[ListingNeed, ...]] = field(default_factory=dict)
    waiting_turn: dict[ConnectionRef, None] = field(default_factory=dict)
    in_flight: set[str] = field(default_factory=set)
    listing_under_way: bool = False
    noted_at: datetime | None = None
    unkept: list[tuple[Job | None, Job]] = field(default_factory=list)
    moved_at: dict[str, datetime] = field(default_factory=dict)
    clock_in_doubt: bool = False
    successes_read: set[str] = field(default_factory=set)
    durations: dict[str, deque[timedelta]] = field(
        default_factory=lambda: defaultdict(lambda: deque(maxlen=DURATIONS_KEPT))
    )
    usual: dict[str, timedelta] = field(default_factory=dict)

    @classmethod
    def seen_through(
        cls, name: str, platform: Platform, profile: PlatformProfile, through: datetime | None
    ) -> "ObservedPlatform":
        """One whose jobs were seen by an earlier process up to an instant; the first look covers every slot that was due since."""
        return cls(name, platform, profile, through - max(profile.overlap, CLOCK_TOLERANCE) if through else None)

    @property
    def is_unseen(self) -> bool:
        """Whether no look at it has come to an end, good or bad, since there is anything to see."""
        return self.history.last is None and not self.history.failures

    def carry_on(self, before: "ObservedPlatform") -> None:
        """Take over from an earlier view what only this process knows: its requests under way, and a pause that was asked for."""
        self.in_flight, self.written_at = before.in_flight, before.written_at
        self.history = ListingHistory(quiet_until=before.history.quiet_until)

    def next_in_turn(self) -> tuple[ConnectionRef, ...]:
        """Those that wait for a write permit, as many as there are permits, the longest waiting first."""
        if not self.waiting_turn:
            return ()
        return tuple(islice(self.waiting_turn, self.permits))

    @property
    def permits(self) -> int:
        """How many writes may start now."""
        return max(self.profile.write_concurrency - len(self.in_flight), 0)

    def facts(
        self,
        skewed: str = "",
        jump: ClockJump | None = None,
        writes_left: int | None = None,
        writes_max: int = 0,
    ) -> PlatformFacts:
        """What the planner may know of the platform as a whole; of the clocks and of what it may still get, its owner tells."""
        return PlatformFacts(
            self.profile,
            self.history.last,
            self.permits,
            self.history.quiet_until,
            self.trouble,
            skewed,
            jump,
            writes_left,
            writes_max,
            max(ceil(len(self.connections) / self.profile.page_size), 1),
        )

    def took(self, connection: Connection, at: datetime) -> None:
        """Take a connection as the answer to a change shows it; it counts as read, but not as confirmed."""
        self.connections[connection.connection_id] = (connection, at)
        self.confirmed.discard(connection.connection_id)

    def connection_listed(self, connection: Connection, at: datetime) -> bool:
        """Take in a connection from a listing that began at an instant; whether it is another than was known."""
        name = connection.connection_id
        self.looks[name] += 1
        self.listed_connections.add(name)
        before = self.connections.get(name)
        if before is not None and before[1] >= at:
            # It was read by id while the listing was under way.
            return False
        self.connections[name] = (connection, at)
        self.confirmed.discard(name)
        return before is None or before[0] != connection

    def end_of_connections(self) -> list[str]:
        """After the last page of connections: those that were known and that no page since the first one showed."""
        listed, self.listed_connections = self.listed_connections, set()
        return sorted(name for name, (known, _) in self.connections.items() if known is not None and name not in listed)

    def read_order(self, connection_id: str) -> tuple[bool, float]:
        """Those that were never read come first, then those that were read longest ago."""
        known = self.connections.get(connection_id)
        return (known is not None, 0.0 if known is None else known[1].timestamp())

    def connection_read(self, connection_id: str, connection: Connection | None, at: datetime) -> None:
        """Take in a read by id that began at an instant."""
        self.connections[connection_id] = (connection, at)
        self.confirmed.add(connection_id)

    def doubt_clock(self, back: timedelta) -> None:
        """What is listed from now on may be misplaced in time by ``back``: the first listing after the doubt begins before that."""
        last = self.history.last
        if last is not None:
            begins = last.begun_at - back - self.profile.overlap
            self.start = min(begins, self.start) if self.clock_in_doubt and self.start is not None else begins
        self.clock_in_doubt = True

    def clock_set(self, by: timedelta) -> None:
        """The wall clock was set: what this process has noted of time goes with it, so that pauses are as long as they were."""
        before = self.history
        self.history = replace(
            before, last=None, failed_at=_moved(before.failed_at, by), quiet_until=_moved(before.quiet_until, by)
        )
        self.failing_since, self.noted_at = _moved(self.failing_since, by), _moved(self.noted_at, by)
        self.connections_read_at = _moved(self.connections_read_at, by)
        self.connections = {name: (row, read_at + by) for name, (row, read_at) in self.connections.items()}
        self.moved_at = {job_id: at + by for job_id, at in self.moved_at.items()}
        for name, at in self.written_at.items():
            self.written_at[name] = at + by

    def trust_clock(self) -> None:
        """The doubt is over: nothing is acted on before a listing that began since, and that reads from before the doubt."""
        self.history = replace(self.history, last=None)
        self.clock_in_doubt = False

    def jobs_of(self, connection_id: str) -> tuple[Job, ...]:
        """Remembered jobs of a connection, newest first."""
        rows = self.jobs.get(connection_id, {})
        return tuple(sorted(rows.values(), key=_newness, reverse=True))

    def has_active(self, connection_id: str) -> bool:
        """Whether a job of a connection was active when last seen."""
        return not self.active.keys().isdisjoint(self.jobs.get(connection_id, ()))

    def remembers(self, job: Job) -> bool:
        """Whether a job was seen before."""
        return job.job_id in self.jobs.get(job.connection_id, {})

    def active_jobs(self) -> tuple[Job, ...]:
        """Every job that was active when last seen."""
        return tuple(self.active.values())

    def next_listing_at(self, now: datetime) -> datetime:
        """When the next listing should begin."""
        needs = [need for row in self.needs.values() for need in row]
        if (self.clock_in_doubt or self.unkept) and self.history.last is not None:
            # What the store did not take is offered to it again after the next look.
            begun_at = self.history.last.begun_at
            needs.append(ListingNeed(NeedKind.CLOCK, begun_at, begun_at + self.profile.poll))
        expected = expected_end(self.profile, self.active.values(), self.usual)
        return next_listing_at(self.profile, self.history, needs, expected, now)

    def listing_since(self, now: datetime) -> datetime:
        """How far back the next listing reads."""
        needs = (need for row in self.needs.values() for need in row)
        return listing_since(self.profile, self.history.last, needs, self.start or now - INITIAL_LOOKBACK, now)

    def remember(self, jobs: Iterable[Job], seen_at: datetime) -> list[tuple[Job | None, Job]]:
        """Take in jobs as seen at an instant; returns (before, now) of those that are new or different."""
        changes: list[tuple[Job | None, Job]] = []
        for job in jobs:
            rows = self.jobs[job.connection_id]
            before = rows.get(job.job_id)
            if before == job or (before is not None and before.status.is_terminal and job.is_active):
                continue
            rows[job.job_id] = job
            if job.is_active:
                self.active[job.job_id] = job
            else:
                self.active.pop(job.job_id, None)
            if before is not None and _only_took_longer(before, job):
                continue
            changes.append((before, job))
            self._note_progress(before, job, seen_at)
            if job.status is JobStatus.SUCCEEDED and job.duration is not None and (before is None or before.is_active):
                self._note_duration(job.connection_id, job.duration)
        return changes

    def _note_duration(self, connection_id: str, duration: timedelta) -> None:
        known = self.durations[connection_id]
        known.append(duration)
        self.usual[connection_id] = sorted(known)[len(known) // 2]

    def _note_progress(self, before: Job | None, job: Job, seen_at: datetime) -> None:
        if not job.is_active:
            self.moved_at.pop(job.job_id, None)
        elif before is None or (before.rows, before.bytes, before.status) != (job.rows, job.bytes, job.status):
            self.moved_at[job.job_id] = seen_at

    def forget(self, job_ids: Iterable[str]) -> None:
        """Drop jobs that the platform does not show any more, also when read again by id."""
        gone = set(job_ids)
        if not gone:
            return
        for rows in self.jobs.values():
            for job_id in gone & rows.keys():
                del rows[job_id]
                self.moved_at.pop(job_id, None)
                self.active.pop(job_id, None)

    def listed(self, listing: JobListing, begun_at: datetime) -> None:
        """Note a complete listing, and forget ended jobs that nothing can ask for any more."""
        last = self.history.last
        contiguous = last is not None and listing.covers_since <= last.begun_at
        since = (
            min(last.covers_since, listing.covers_since) if last is not None and contiguous else listing.covers_since
        )
        horizon = min(begun_at - RETAIN, listing.covers_since)
        self.history = ListingHistory(Listing(begun_at, max(since, horizon)), quiet_until=self.history.quiet_until)
        self.trouble, self.failing_since = "", None
        for rows in self.jobs.values():
            old = [job for job in rows.values() if job.created_at < horizon and not job.is_active]
            if old:
                newest = max(rows.values(), key=_newness)
                for job in old:
                    if job is not newest:
                        del rows[job.job_id]

    def failed(self, message: str, at: datetime, quiet_for: timedelta | None) -> None:
        """Note a listing that failed: the last view stays, marked stale."""
        quiet = self._later_quiet(at, quiet_for)
        self.history = ListingHistory(self.history.last, self.history.failures + 1, at, quiet)
        self.trouble, self.failing_since = message, self.failing_since or at

    def be_quiet(self, at: datetime, quiet_for: timedelta) -> None:
        """Note that the platform asked for fewer requests in its answer to a write."""
        self.history = ListingHistory(
            self.history.last, self.history.failures, self.history.failed_at, self._later_quiet(at, quiet_for)
        )

    def _later_quiet(self, at: datetime, quiet_for: timedelta | None) -> datetime | None:
        """A longer pause that was asked for before is never shortened."""
        known = self.history.quiet_until
        asked = None if quiet_for is None else at + quiet_for
        return max((instant for instant in (known, asked) if instant is not None), default=None)


def _only_took_longer(before: Job, job: Job) -> bool:
    """Whether time has passed and nothing else: every listing shows each active job so, and nobody needs to be told."""
    return job.is_active and _all_but_duration(before) == _all_but_duration(job)


def _moved(at: datetime | None, by: timedelta) -> datetime | None:
    return None if at is None else at + by
