"""A controller whose disk is full, or whose store cannot be written: as a process, on the system's own limits."""

import resource
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.e2e.accounting import problems
from tests.e2e.busy_pair import RHYTHMS, SETTLED_WITHIN, BusyPair, busy_pair, now
from tests.e2e.controller_process import let_run, stop
from tests.e2e.embedded_process import DEADLINE_SECONDS, wait_for
from tests.e2e.preloaded import preloaded

FULL_SECONDS = 4.0
"""Four slots, and longer than the POSTs that were under way when the disk filled up."""


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[BusyPair]:
    """A platform and a controller that is not started."""
    with busy_pair(tmp_path, ()) as found:
        yield found


def test_a_full_disk_stops_all_starts_until_there_is_space(pair: BusyPair) -> None:
    """What cannot be claimed is not sent, the trouble is told, the process lives; with space again it goes on and accounts for all."""
    process = pair.controller.start()
    try:
        pair.controller.event_when("sync_triggered")
        size = pair.controller.store.with_name("state.db-wal").stat().st_size
        hard = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)[1]
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (size, hard))
        failed = pair.controller.event_when("cycle_failed")
        before = len(pair.jobs())
        let_run(FULL_SECONDS)
        meanwhile = len(pair.jobs()) - before
        assert process.poll() is None
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (hard, hard))
        wait_for(lambda: len(pair.jobs()), lambda count: count > before + meanwhile)
        let_run(SETTLED_WITHIN)
        ended_at = now()
    finally:
        code = stop(process)

    assert str(pair.controller.store) in failed["message"]
    assert meanwhile == 0
    assert code == 0
    assert problems(RHYTHMS, pair.controller.store, pair.jobs(), ended_at, open_for=round(SETTLED_WITHIN)) == []


def test_a_full_log_ends_no_controller(pair: BusyPair) -> None:
    """A log that takes no line any more costs lines, not starts."""
    process = pair.controller.start()
    try:
        pair.controller.event_when("sync_triggered")
        # Less than the log has already, and the store's files are not looked at while their writes fit what is there.
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
        let_run(3)
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        before = len(pair.jobs())
        wait_for(lambda: len(pair.jobs()), lambda count: count > before)
        assert process.poll() is None
    finally:
        code = stop(process)
    assert code == 0


def test_a_store_that_cannot_be_made_refuses_the_start(pair: BusyPair) -> None:
    """On a full disk, and where nobody may write: one sentence with the path and what to do, exit code 1, no request."""
    run = [sys.executable, "-m", "controller", "run", "--config", str(pair.controller.settings)]
    limited = ["/bin/sh", "-c", 'ulimit -f 0 && exec "$@"', "sh", *run]
    full = subprocess.run(limited, capture_output=True, text=True, timeout=DEADLINE_SECONDS, check=False)
    pair.controller.store.unlink(missing_ok=True)
    text = pair.controller.settings.read_text()
    # Not even the superuser, who runs tests in containers, can make a file there.
    pair.controller.settings.write_text(text.replace(str(pair.controller.store), "/proc/mainspring/state.db"))
    forbidden = subprocess.run(run, capture_output=True, text=True, timeout=DEADLINE_SECONDS, check=False)

    for done, path in ((full, str(pair.controller.store)), (forbidden, "/proc/mainspring/state.db")):
        assert done.returncode == 1
        assert path in done.stderr
        assert "Check" in done.stderr or "Free" in done.stderr
        assert "Traceback" not in done.stderr
    assert pair.jobs() == []


def test_a_directory_that_becomes_read_only_stops_all_starts_until_it_is_not(tmp_path: Path) -> None:
    """As when a file system is remounted after an error: told with the path, nothing is sent, the process lives and goes on after it."""
    machine = preloaded(tmp_path)
    with busy_pair(tmp_path, ()) as pair:
        with machine.for_children():
            process = pair.controller.start()
        try:
            pair.controller.event_when("sync_triggered")
            failed, sent = _while_it_lasts(pair, lambda is_on: machine.tell(read_only=is_on))
            ended_at = now()
        finally:
            code = stop(process)
        jobs = pair.jobs()

    assert str(pair.controller.store) in failed
    assert (sent, code) == (0, 0)
    assert problems(RHYTHMS, pair.controller.store, jobs, ended_at, open_for=round(SETTLED_WITHIN)) == []


def test_a_store_that_somebody_else_locks_stops_all_starts_until_it_is_free(pair: BusyPair) -> None:
    """A backup or a person in a shell that holds the write lock: told, nothing is sent, and it goes on when the lock is gone."""
    process = pair.controller.start()
    with closing(sqlite3.connect(pair.controller.store, isolation_level=None)) as other:
        try:
            pair.controller.event_when("sync_triggered")
            other.execute("PRAGMA busy_timeout = 30000")
            failed, sent = _while_it_lasts(
                pair, lambda is_on: other.execute("BEGIN IMMEDIATE" if is_on else "ROLLBACK")
            )
            ended_at = now()
        finally:
            code = stop(process)

    assert "lock" in failed
    assert (sent, code) == (0, 0)
    assert problems(RHYTHMS, pair.controller.store, pair.jobs(), ended_at, open_for=round(SETTLED_WITHIN)) == []


def _while_it_lasts(pair: BusyPair, switch: Callable[[bool], object]) -> tuple[str, int]:
    """Switch a trouble on and off again; returns what was told of it, and how many syncs were started while it lasted."""
    switch(True)
    failed = pair.controller.event_when("cycle_failed")
    before = len(pair.jobs())
    let_run(FULL_SECONDS)
    meanwhile = len(pair.jobs()) - before
    switch(False)
    wait_for(lambda: len(pair.jobs()), lambda count: count > before + meanwhile)
    let_run(SETTLED_WITHIN)
    return str(failed["message"]), meanwhile
