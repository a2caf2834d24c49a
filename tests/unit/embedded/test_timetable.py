"""The platform's own scheduler, at the times that it is told: what is due, what is skipped, what outlives a restart."""

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from controller.embedded.catalogue import Connection
from controller.embedded.definition import Command
from controller.embedded.schedule import MANUAL_SCHEDULE
from controller.embedded.store import ConnectionBusyError, Store
from controller.embedded.timetable import Timetable

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
HOURLY = {"schedule_type": "basic", "basic_timing": "Every 1 HOURS"}
QUARTERS = {"schedule_type": "cron", "cron_expression": "0 0/15 * * * ? UTC"}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty store."""
    with closing(Store(tmp_path / "platform.db")) as opened:
        yield opened


def connection(schedule: Mapping[str, Any], name: str = "a") -> Connection:
    """A connection with a schedule of its own."""
    work = Command.model_validate({"sync": ["true"]})
    return Connection(name, "file", name, "s", "d", "active", schedule, {}, work, {})


class Bench:
    """A timetable over a store, and the jobs that it starts."""

    def __init__(self, store: Store, *connections: Connection, at: datetime = NOW) -> None:
        self.store = store
        self.now = at
        self.started: list[datetime] = []
        self.timetable = Timetable(store, at)
        self.timetable.take(connections, at)

    def _start(self, connection_id: str) -> bool:
        try:
            self.store.create_job(connection_id, "sync", self.now)
        except ConnectionBusyError:
            return False
        self.started.append(self.now)
        return True

    def until(self, at: datetime, *, ends: bool = True) -> list[datetime]:
        """Live until an instant, looking whenever something is due; jobs end at once unless said otherwise."""
        self.started = []
        while (due := self.timetable.next_at()) is not None and due <= at:
            self.now = max(due, self.now)
            self.timetable.run(self.now, self._start)
            if ends:
                self.end()
        self.now = at
        return self.started

    def end(self) -> None:
        """End the active job."""
        for job in self.store.active_jobs():
            self.store.end_job(job, "cancelled", self.now)


def test_cron_ticks_do_not_depend_on_jobs(store: Store) -> None:
    """A job by hand between two ticks moves nothing."""
    bench = Bench(store, connection(QUARTERS))
    assert bench.until(NOW + 20 * MINUTE) == [NOW + 15 * MINUTE]
    store.create_job("a", "sync", NOW + 20 * MINUTE)
    bench.end()
    assert bench.until(NOW + 45 * MINUTE) == [NOW + 30 * MINUTE, NOW + 45 * MINUTE]


def test_a_cron_tick_during_a_job_is_skipped(store: Store) -> None:
    """It is not made up for when the job ends."""
    bench = Bench(store, connection(QUARTERS))
    bench.until(NOW + 40 * MINUTE, ends=False)
    assert bench.started == [NOW + 15 * MINUTE]
    bench.end()
    assert bench.until(NOW + 50 * MINUTE) == [NOW + 45 * MINUTE]


@pytest.mark.parametrize("job_type", ["sync", "reset"])
def test_an_interval_counts_from_the_last_job_whoever_started_it(store: Store, job_type: Any) -> None:
    """A job by hand, even one that was cancelled, puts the next one off."""
    bench = Bench(store, connection(HOURLY))
    assert bench.until(NOW + 90 * MINUTE) == [NOW + HOUR]
    store.create_job("a", job_type, NOW + 90 * MINUTE)
    bench.end()
    assert bench.until(NOW + 4 * HOUR) == [NOW + 150 * MINUTE, NOW + 210 * MINUTE]


def test_an_interval_that_passes_during_a_job_starts_when_that_ends(store: Store) -> None:
    """Nothing overlaps, and nothing is lost."""
    bench = Bench(store, connection(HOURLY))
    bench.until(NOW + 130 * MINUTE, ends=False)
    assert bench.started == [NOW + HOUR]
    bench.end()
    started = bench.until(NOW + 131 * MINUTE)
    assert [at - NOW > 130 * MINUTE for at in started] == [True]


def test_what_passes_while_the_platform_is_down_is_skipped(store: Store) -> None:
    """After a restart an interval still counts from the last job, and cron goes on with its next tick."""
    bench = Bench(store, connection(HOURLY), connection(QUARTERS, "b"))
    bench.until(NOW + HOUR)
    later = NOW + 3 * HOUR + 10 * MINUTE
    again = Bench(store, connection(HOURLY), connection(QUARTERS, "b"), at=later)
    assert again.timetable.due_at("a") == NOW + 4 * HOUR
    assert again.timetable.due_at("b") == NOW + 3 * HOUR + 15 * MINUTE


def test_an_interval_without_a_job_outlives_a_restart(store: Store) -> None:
    """It counts from when the schedule was set, not from each start: a platform that restarts often still fires."""
    for minutes in (0, 25, 50):
        bench = Bench(store, connection(HOURLY), at=NOW + minutes * MINUTE)
        assert bench.timetable.due_at("a") == NOW + HOUR
    assert bench.until(NOW + HOUR) == [NOW + HOUR]


def test_an_edit_never_fires_what_had_passed_before_it(store: Store) -> None:
    """A schedule set, or a connection resumed, long after the last job waits for its next time."""
    store.create_job("a", "sync", NOW - 10 * HOUR - 20 * MINUTE)
    bench = Bench(store, connection(MANUAL_SCHEDULE))
    bench.end()
    bench.timetable.take([connection(HOURLY)], NOW)
    assert bench.timetable.due_at("a") == NOW + 40 * MINUTE
    bench.timetable.take([replace(connection(HOURLY), status="inactive")], NOW)
    assert bench.timetable.next_at() is None
    bench.timetable.take([connection(HOURLY)], NOW + 3 * HOUR)
    assert bench.timetable.due_at("a") == NOW + 3 * HOUR + 40 * MINUTE


def test_an_edit_of_something_else_keeps_the_times(store: Store) -> None:
    """Renaming a connection does not begin its interval anew."""
    bench = Bench(store, connection(HOURLY))
    bench.timetable.take([replace(connection(HOURLY), name="renamed")], NOW + 30 * MINUTE)
    assert bench.timetable.due_at("a") == NOW + HOUR


def test_an_edit_elsewhere_loses_nothing_that_waits(store: Store) -> None:
    """An interval that passed during a job still starts when that ends, whatever else was edited meanwhile."""
    bench = Bench(store, connection(HOURLY))
    bench.until(NOW + 130 * MINUTE, ends=False)
    bench.timetable.take([connection(HOURLY), connection(QUARTERS, "b")], NOW + 130 * MINUTE)
    assert bench.timetable.due_at("a") == NOW + 130 * MINUTE + timedelta(seconds=1)


def test_a_tick_that_was_slept_through_is_skipped(store: Store) -> None:
    """A machine that wakes an hour late does not start what was due in the night."""
    bench = Bench(store, connection(QUARTERS))
    bench.now = NOW + HOUR + MINUTE
    bench.timetable.run(bench.now, bench._start)
    assert bench.started == []
    assert bench.timetable.due_at("a") == NOW + 75 * MINUTE


def test_a_clock_that_is_set_back_does_not_stop_the_schedule(store: Store) -> None:
    """Times that were computed on the wrong clock are computed anew."""
    bench = Bench(store, connection(QUARTERS))
    bench.timetable.run(NOW - 5 * HOUR, bench._start)
    assert bench.timetable.due_at("a") == NOW - 5 * HOUR + 15 * MINUTE


def test_a_schedule_of_an_earlier_version_never_fires(store: Store) -> None:
    """What an earlier version took unread, and is no schedule, is left alone."""
    assert Bench(store, connection({"schedule_type": "cron"})).timetable.next_at() is None
