"""Real jobs on a real platform process: what is moved, what a kill leaves, what a cancel ends."""

import os
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.e2e.embedded_process import (
    Start,
    cursor_of,
    is_alive,
    kill_job,
    processes_of,
    rows_of,
    wait_for,
)

SLOW = """
connections:
  - connectionId: slow
    source: {type: generator, rows: 3000, rowsPerSecond: 2000}
    destination: {path: out/slow.db, table: slow}
"""


def assert_whole(path: Path, table: str) -> int:
    """Destination and cursor agree and no generated row is there twice or left out; return the number of rows."""
    ids = [row[0] for row in rows_of(path, table)]
    last_value, rows = cursor_of(path, table)
    assert ids == list(range(1, len(ids) + 1))
    assert (last_value, rows) == (len(ids), len(ids))
    return len(ids)


def test_every_kind_of_source_reaches_its_destination(start: Start, tmp_path: Path) -> None:
    """CSV, JSONL, SQLite and generated rows arrive, and the job's counts are the rows that arrived."""
    (tmp_path / "orders.csv").write_text("id,updated_at\n007,2026-01-01\n8,2026-01-02\n")
    (tmp_path / "events.jsonl").write_text('{"id": 1, "tags": ["a"]}\n\n{"id": 2, "ok": true}\n')
    with closing(sqlite3.connect(tmp_path / "app.db")) as database, database:
        database.execute("CREATE TABLE users (id INTEGER, name TEXT)")
        database.executemany("INSERT INTO users VALUES (?, ?)", [(1, "Ada"), (2, "Grace"), (3, "Edsger")])
    platform = start("""
        connections:
          - connectionId: csv
            source: {type: csv, path: orders.csv, cursor: updated_at}
            destination: {path: out/all.db, table: orders}
          - connectionId: jsonl
            source: {type: jsonl, path: events.jsonl}
            destination: {path: out/all.db, table: events}
          - connectionId: sqlite
            source: {type: sqlite, path: app.db, table: users, cursor: id}
            destination: {path: out/all.db, table: users}
          - connectionId: generator
            source: {type: generator, rows: 1200}
            destination: {path: out/all.db, table: made up}
        """)
    jobs = {name: platform.sync(name) for name in ("csv", "jsonl", "sqlite", "generator")}
    assert {name: (job["status"], job["rows_synced"]) for name, job in jobs.items()} == {
        "csv": ("succeeded", 2),
        "jsonl": ("succeeded", 2),
        "sqlite": ("succeeded", 3),
        "generator": ("succeeded", 1200),
    }
    assert all(job["bytes_synced"] > 0 for job in jobs.values())
    place = tmp_path / "out/all.db"
    assert rows_of(place, "orders") == [("007", "2026-01-01"), ("8", "2026-01-02")]
    assert rows_of(place, "events") == [(1, '["a"]', None), (2, None, 1)]
    assert rows_of(place, "users") == [(1, "Ada"), (2, "Grace"), (3, "Edsger")]
    assert assert_whole(place, "made up") == 1200


def test_a_reset_clears_and_the_next_sync_begins_anew(start: Start, tmp_path: Path) -> None:
    """A reset leaves no row and no cursor; without one each sync brings only what is new."""
    platform = start(SLOW.replace("rows: 3000, rowsPerSecond: 2000", "rows: 30"))
    platform.sync("slow")
    platform.sync("slow")
    assert assert_whole(tmp_path / "out/slow.db", "slow") == 60
    job = platform.sync("slow", "reset")
    assert (job["status"], job["job_type"]) == ("succeeded", "reset")
    assert rows_of(tmp_path / "out/slow.db", "slow") == []
    platform.sync("slow")
    assert assert_whole(tmp_path / "out/slow.db", "slow") == 30


def test_counts_grow_while_a_job_runs(start: Start) -> None:
    """A running job's rows, bytes and duration are seen to grow, and it has no end yet."""
    platform = start(SLOW)
    job_id = platform.trigger("slow")
    first = platform.job_when(job_id, lambda job: job["rows_synced"] > 0)
    second = platform.job_when(job_id, lambda job: job["rows_synced"] > first["rows_synced"])
    assert second["status"] == "running"
    assert second["bytes_synced"] > first["bytes_synced"]
    assert second["last_updated_at"] is None
    assert platform.ended(job_id)["rows_synced"] == 3000


def test_a_source_that_fails_keeps_the_rows_before(start: Start, tmp_path: Path) -> None:
    """A source's failAtRow ends the job as failed with a reason in its log, and the rows before it stay, with their cursor."""
    platform = start(SLOW.replace("rowsPerSecond: 2000", "failAtRow: 701"))
    job = platform.sync("slow")
    assert (job["status"], job["rows_synced"]) == ("failed", 700)
    assert any("failed at row 701" in line for line in platform.lines(job["job_id"]))
    assert assert_whole(tmp_path / "out/slow.db", "slow") == 700


def test_a_hanging_job_hangs_until_it_is_cancelled(start: Start, tmp_path: Path) -> None:
    """A source's hangAtRow commits what came before and stays running; a cancel ends it as cancelled."""
    platform = start(SLOW.replace("rowsPerSecond: 2000", "hangAtRow: 701"))
    job_id = platform.trigger("slow")
    platform.job_when(job_id, lambda job: job["rows_synced"] == 700)
    assert platform.job(job_id)["status"] == "running"
    assert platform.call("DELETE", f"/jobs/{job_id}").status_code == 204
    assert platform.ended(job_id)["status"] == "cancelled"
    assert processes_of(job_id) == []
    assert assert_whole(tmp_path / "out/slow.db", "slow") == 700


@pytest.mark.parametrize("blow", ["cancel", "kill the job", "kill the platform"])
def test_a_job_ended_in_the_middle_doubles_and_loses_nothing(start: Start, tmp_path: Path, blow: str) -> None:
    """However a sync is cut off, rows equal the cursor, and the next sync goes on with no row twice and none left out."""
    platform = start(SLOW)
    job_id = platform.trigger("slow")
    platform.job_when(job_id, lambda job: job["rows_synced"] > 0)
    if blow == "cancel":
        platform.call("DELETE", f"/jobs/{job_id}")
    elif blow == "kill the job":
        kill_job(job_id)
    else:
        platform.kill9()
        platform = start(SLOW)
    job = platform.ended(job_id)
    assert job["status"] == ("cancelled" if blow == "cancel" else "failed")
    wait_for(lambda: processes_of(job_id), lambda found: found == [])
    kept = assert_whole(tmp_path / "out/slow.db", "slow")
    assert 0 < kept < 3000
    assert platform.sync("slow")["status"] == "succeeded"
    assert assert_whole(tmp_path / "out/slow.db", "slow") == kept + 3000


def test_a_restart_after_a_kill_loses_nothing_else(start: Start) -> None:
    """After kill -9 the running job is failed with a line that says why, its waiting neighbour runs, old ids stay and are not reused."""
    two = SLOW + SLOW.replace("connections:\n", "").replace("slow", "other").replace("rows: 3000", "rows: 10")
    platform = start(two, workers=1)
    done = platform.sync("other")
    running, waiting = platform.trigger("slow"), platform.trigger("other")
    platform.job_when(running, lambda job: job["rows_synced"] > 0)
    platform.kill9()
    platform = start(two, workers=1)
    assert platform.ended(running)["status"] == "failed"
    assert "the platform ended while this job was running" in platform.lines(running)[-1]
    assert platform.ended(waiting)["status"] == "succeeded"
    assert platform.job(done["job_id"]) == done
    assert platform.trigger("other") not in (done["job_id"], running, waiting)


def test_a_job_does_not_outlive_its_platform(start: Start) -> None:
    """When the platform is killed, a built-in job that writes nothing and a command end by themselves, without a restart."""
    command = "  - connectionId: command\n    command: {sync: [sleep, '1000']}\n"
    platform = start(SLOW.replace("rowsPerSecond: 2000", "hangAtRow: 2") + command)
    jobs = [platform.trigger("slow"), platform.trigger("command")]
    platform.job_when(jobs[0], lambda job: job["rows_synced"] == 1)
    processes = [wait_for(lambda job=job: processes_of(job), bool)[0] for job in jobs]  # type: ignore[misc]
    wait_for(
        lambda: [(Path(f"/proc/{one}/cmdline")).read_bytes() for one in processes],
        lambda all_: b"sleep\x001000\x00" in all_,
    )
    platform.kill9()
    wait_for(lambda: [one for one in processes if is_alive(one)], lambda alive: alive == [])


def test_a_restart_ends_what_a_command_left(start: Start, tmp_path: Path) -> None:
    """A program that ignores its parent's death is killed with its group at the restart, before its job is called failed."""
    (tmp_path / "deaf.sh").write_text(
        'trap \'\' TERM\necho "$$" > pid\nsleep 1000 &\necho "$!" > grandchild\nwait\nsleep 1000\n'
    )
    yaml = "connections: [{connectionId: deaf, command: {sync: [sh, deaf.sh]}}]"
    platform = start(yaml)
    job_id = platform.trigger("deaf")
    pids = [wait_for(lambda name=name: _number(tmp_path / name), bool) for name in ("pid", "grandchild")]  # type: ignore[misc]
    platform.kill9()
    assert all(is_alive(pid) for pid in pids)
    platform = start(yaml)
    assert platform.job(job_id)["status"] == "failed"
    assert "its process was killed" in platform.lines(job_id)[-1]
    assert not any(is_alive(pid) for pid in pids)


def _number(path: Path) -> int:
    text = path.read_text().strip() if path.exists() else ""
    return int(text) if text else 0


def test_only_as_many_jobs_run_as_there_are_workers(start: Start) -> None:
    """With one worker the second job is pending until the first ends, then they go first in, first out; a pending one cancels at once."""
    names = ("a", "b", "c")
    platform = start(
        "connections:\n"
        + "".join(f"  - connectionId: {name}\n    command: {{sync: [sleep, '1000']}}\n" for name in names),
        workers=1,
    )
    first, second, third = (platform.trigger(name) for name in names)
    platform.job_when(first, lambda job: job["status"] == "running")
    assert [platform.job(job_id)["status"] for job_id in (second, third)] == ["pending", "pending"]
    assert platform.job(second)["duration"] is None
    platform.call("DELETE", f"/jobs/{second}")
    assert platform.job(second)["status"] == "cancelled"
    platform.call("DELETE", f"/jobs/{first}")
    platform.job_when(third, lambda job: job["status"] == "running")


def test_sigterm_ends_jobs_and_exits_0(start: Start) -> None:
    """On SIGTERM running jobs end as failed with a line that says so, waiting ones wait, and the platform exits 0."""
    platform = start(SLOW + "  - {connectionId: waits, command: {sync: ['true']}}\n", workers=1)
    running, waiting = platform.trigger("slow"), platform.trigger("waits")
    platform.job_when(running, lambda job: job["rows_synced"] > 0)
    assert platform.stop() == 0
    assert processes_of(running) == []
    platform = start(SLOW, workers=1)
    assert platform.job(running)["status"] == "failed"
    assert platform.lines(running)[-1] == "platform stopped"
    job = platform.ended(waiting)  # its connection has left the file meanwhile
    assert job["status"] == "failed"
    assert "does not exist any more" in platform.lines(waiting)[-1]


def test_sighup_reads_the_file_again(start: Start, tmp_path: Path) -> None:
    """A good new connections file is taken over while running; a bad one changes nothing and is complained about."""
    platform = start(SLOW)
    (tmp_path / "connections.yaml").write_text("connections: [{connectionId: broken}]")
    os.kill(platform.pid, signal.SIGHUP)
    wait_for(lambda: platform.log, lambda log: "needs a source and a destination" in log)
    assert "the connections file stays as it was" in platform.log
    assert "Traceback" not in platform.log
    assert [one["connection_id"] for one in platform.call("GET", "/connections").json()["data"]] == ["slow"]
    (tmp_path / "connections.yaml").write_text("connections: [{connectionId: new, command: {sync: ['true']}}]")
    os.kill(platform.pid, signal.SIGHUP)
    wait_for(
        lambda: [one["connection_id"] for one in platform.call("GET", "/connections").json()["data"]],
        lambda ids: ids == ["new"],
    )


YEARLY = {"schedule_type": "cron", "cron_expression": "0 0 6 1 1 ? Europe/Zurich"}


def test_what_the_api_changed_outlives_a_restart(start: Start, tmp_path: Path) -> None:
    """A file's connection changed over the API stays changed, and one made over the API is still there."""
    platform = start(SLOW)
    platform.call("PATCH", "/connections/slow", json={"name": "renamed", "schedule": YEARLY})
    platform.call("POST", "/connections/slow/pause")
    configurations = {"source": {"type": "generator", "rows": 3}, "destination": {"path": "mine.db", "table": "mine"}}
    made = platform.call("POST", "/connections", json={"source_id": "s", "configurations": configurations}).json()
    platform.kill9()
    platform = start(SLOW)
    slow = platform.call("GET", "/connections/slow").json()
    assert (slow["name"], slow["status"], slow["schedule"]) == ("renamed", "inactive", YEARLY)
    assert platform.call("GET", f"/connections/{made['connection_id']}").json() == made
    assert platform.sync(made["connection_id"])["rows_synced"] == 3
    assert assert_whole(tmp_path / "data/mine.db", "mine") == 3


def test_two_platforms_do_not_share_a_data_directory(start: Start) -> None:
    """A second platform on the same data refuses to start instead of killing the first one's jobs."""
    start(SLOW)
    with pytest.raises(AssertionError, match="another platform works in"):
        start(SLOW)
