"""The platform's memory: one active job per connection, ends that are final, logs that stay small."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from controller.embedded.store import LOG_LINES_MAX, ConnectionBusyError, JobFilter, LogLine, Page, Store

NOW = datetime(2026, 3, 29, 12, 0, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty store."""
    with closing(Store(tmp_path / "platform.db")) as opened:
        yield opened


def test_the_database_itself_refuses_a_second_active_job(store: Store) -> None:
    """Pending or running, one per connection; a terminal one does not count."""
    job = store.create_job("a", "sync", NOW)
    for _ in range(2):
        with pytest.raises(ConnectionBusyError):
            store.create_job("a", "reset", NOW)
        store.mark_running(job.job_id)
    store.create_job("b", "sync", NOW)
    store.end_job(job, "failed", NOW)
    store.create_job("a", "sync", NOW)


def test_a_job_ends_once(store: Store) -> None:
    """A terminal job stays what it is, and its event is written once; an end is never before the beginning."""
    job = store.create_job("a", "sync", NOW)
    store.end_job(job, "cancelled", NOW - timedelta(hours=1))
    store.end_job(job, "succeeded", NOW + timedelta(hours=1))
    ended = store.job(job.job_id)
    assert ended
    assert (ended.status, ended.ended_at) == ("cancelled", NOW)
    events, total = store.timeline("a", None, Page(10, 0))
    assert (total, events[0].event_type) == (1, "sync_cancelled")


def test_ids_are_unique_for_ever(tmp_path: Path) -> None:
    """An id is not used again after a restart, nor by a store that somebody began anew."""
    seen = set()
    for name in ("one.db", "one.db", "two.db"):
        with closing(Store(tmp_path / name)) as store:
            job = store.create_job("a", "sync", NOW)
            store.end_job(job, "failed", NOW)
            seen.add(job.job_id)
    assert len(seen) == 3


def test_jobs_wait_in_line(store: Store) -> None:
    """The next job is the one that has waited longest."""
    first, second = (store.create_job(name, "sync", NOW) for name in ("a", "b"))
    assert store.next_pending() == first
    store.mark_running(first.job_id)
    assert store.next_pending() == second
    assert [job.job_id for job in store.active_jobs()] == [first.job_id, second.job_id]


def test_of_a_long_log_the_newest_lines_stay(store: Store) -> None:
    """A job's log is bounded, another job's lines are not touched by that, and counts add up."""
    job, other = (store.create_job(name, "sync", NOW) for name in ("a", "b"))
    store.add_progress(other.job_id, 0, 0, [LogLine(NOW, "mine")])
    for start in range(0, LOG_LINES_MAX + 500, 500):
        store.add_progress(job.job_id, 1, 10, [LogLine(NOW, str(start + number)) for number in range(500)])
    lines, total = store.log_lines(job.job_id, Page(1, 0))
    assert (total, lines[0].line) == (LOG_LINES_MAX, "500")
    assert store.log_lines(other.job_id, Page(1, 0))[1] == 1
    counted = store.job(job.job_id)
    assert counted
    assert counted.bytes_synced == 10 * counted.rows_synced == 10 * (LOG_LINES_MAX // 500 + 1)


def test_history_is_bounded(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of very many jobs only the newest are kept; one that is still active is kept whatever its age."""
    monkeypatch.setattr("controller.embedded.store.JOBS_KEPT", 3)
    monkeypatch.setattr("controller.embedded.store.PRUNE_EVERY_JOBS", 5)
    ids = [store.create_job("still going", "sync", NOW).job_id]
    for _ in range(9):
        job = store.create_job("a", "sync", NOW)
        store.end_job(job, "succeeded", NOW)
        ids.append(job.job_id)
    kept, total = store.list_jobs(JobFilter(), Page(100, 0))
    assert [job.job_id for job in kept] == [ids[0], *ids[-3:]]
    assert total == 4


def test_a_lagging_view_ends_at_the_lag() -> None:
    """A list that lags ends then, or at the client's own bound when that is earlier."""
    assert JobFilter().seen_until(NOW).created_at_end == NOW
    earlier = NOW - timedelta(days=1)
    assert JobFilter(created_at_end=earlier).seen_until(NOW).created_at_end == earlier
