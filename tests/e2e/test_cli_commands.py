"""The reading commands against a real platform and what a real controller left behind: they agree with each other."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.controller_process import ControllerFolder, controller_folder, stop
from tests.e2e.embedded_process import PlatformProcess, start_platform, wait_for

CONNECTIONS = """connections:
  - connectionId: conn_quick
    source: {type: generator, rows: 10}
    destination: {path: out/quick.db, table: rows}
  - connectionId: conn_slow
    source: {type: generator, rows: 100000, rowsPerSecond: 100}
    destination: {path: out/slow.db, table: rows}
  - connectionId: conn_away
    source: {type: generator, rows: 10}
    destination: {path: out/away.db, table: rows}
  - connectionId: conn_nightly
    source: {type: generator, rows: 10}
    destination: {path: out/nightly.db, table: rows}
"""

SPEC = """apiVersion: mainspring.dev/v1
kind: SyncSchedule
metadata: {{name: {name}}}
spec:
  connectionId: conn_{name}
  schedules:
    - {entry}
"""

SPECS = {
    "quick": SPEC.format(name="quick", entry="every: 5s"),
    "slow": SPEC.format(name="slow", entry="every: 5s"),
    "away": SPEC.format(name="away", entry="every: 5s") + "  suspend: {reason: moving house, by: ana}\n",
    "nightly": SPEC.format(name="nightly", entry='cron: "30 2 29 2 *"'),
}


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[PlatformProcess]:
    """An embedded platform with a quick, a slow and two more connections."""
    folder = tmp_path / "platform"
    folder.mkdir()
    running = start_platform(folder, CONNECTIONS)
    yield running
    running.stop()


def folder_with(tmp_path: Path, platform: PlatformProcess, *names: str) -> ControllerFolder:
    """A controller's folder with some of the specs."""
    specs = tmp_path / "specs"
    specs.mkdir()
    for name in names:
        (specs / f"{name}.yaml").write_text(SPECS[name])
    return controller_folder(tmp_path / "controller", platform, specs)


def read(folder: ControllerFolder, *arguments: str) -> Any:
    """The JSON document that a command prints."""
    return json.loads(folder.command(*arguments, "-o", "json").stdout)


def has_run(rows: list[dict[str, Any]]) -> bool:
    """Whether the quick one has succeeded, the slow one was in its own way, and the suspended one was skipped."""
    status = {row["name"]: row for row in rows}
    skipped = {slot["reason"] for slot in status["slow"]["lastSlots"]}
    return bool(status["quick"]["lastSuccessAt"] and status["away"]["lastSlots"] and "Active" in skipped)


def test_the_reading_commands_agree_with_each_other(tmp_path: Path, platform: PlatformProcess) -> None:
    """What a few seconds of a real controller came to is told alike by `get`, `explain`, `events` and `plan`."""
    folder = folder_with(tmp_path, platform, *SPECS)
    process = folder.start()
    try:
        folder.event_when("sync_triggered", schedule="quick")
        wait_for(lambda: read(folder, "get"), has_run)  # beside the running controller
    finally:
        assert stop(process) == 0
    # Seen from the instant of the last event on, nothing is due that the controller has not decided.
    events = read(folder, "events", "-n", "1000")["events"]
    at = events[-1]["at"]
    rows = {row["name"]: row for row in read(folder, "get", "--at", at)}
    plan = read(folder, "plan", "--at", at)

    assert [row["name"] for row in rows.values()] == [row["schedule"] for row in plan["schedules"]] == sorted(SPECS)
    coming = {row["schedule"]: row["next"] for row in plan["schedules"]}
    for name, row in rows.items():
        explained = read(folder, "explain", name, "--at", at)
        assert explained["platform_asked"]
        assert row["nextSlotAt"] == coming[name][0] == explained["next"][0]
        assert explained["next"] == coming[name]
        assert [slot["scheduledAt"] for slot in row["lastSlots"]] == [
            slot["scheduled_at"] for slot in explained["last_slots"]
        ]
        assert_told(row, [event for event in events if event.get("schedule") == name])
    assert rows["slow"]["state"] == "Running"
    assert rows["slow"]["activeJob"]["jobId"] == read(folder, "explain", "slow", "--at", at)["active_job"]["job_id"]
    assert (rows["away"]["state"], rows["away"]["reason"]) == ("Suspended", "Suspended")
    assert "Suspended" in {hold["reason"] for hold in plan["holds"] if hold["schedule"] == "away"}
    assert rows["quick"]["lastRuns"] == read(folder, "get", "quick", "--runs", "--at", at)["runs"][:10]


def assert_told(row: dict[str, Any], events: list[dict[str, Any]]) -> None:
    """Every slot that `get` lists was told as an event with the same outcome and job."""
    made = ("sync_triggered", "doubt_settled")  # a busy machine may answer late; then the job is adopted
    triggered = {event["scheduled_at"]: event["job_id"] for event in events if event["event"] in made}
    skipped = {event["scheduled_at"]: event["reason"] for event in events if event["event"] == "slot_skipped"}
    for slot in row["lastSlots"]:
        if slot["outcome"] == "Triggered":
            assert triggered[slot["scheduledAt"]] == slot["jobId"]
        elif slot["outcome"] == "Skipped":
            assert skipped[slot["scheduledAt"]] == slot["reason"]
    assert events[0]["event"] == "schedule_accepted"


def test_a_plan_before_and_after_the_first_start(tmp_path: Path, platform: PlatformProcess) -> None:
    """Without a store the plan is that of a first start, which changes nothing on the platform; once done, there is nothing to do."""
    folder = folder_with(tmp_path, platform, "nightly")
    first = folder.command("plan", "--detailed-exitcode", "-o", "json", code=0)
    assert [(row["action"], row["schedule"]) for row in json.loads(first.stdout)["actions"]] == [("accept", "nightly")]
    assert "planned as for a first start" in first.stderr
    assert not folder.store.exists()
    assert folder.command("plan").returncode == 0

    folder.command("run", "--once", "--log-format", "json")
    assert json.loads(folder.command("plan", "--detailed-exitcode", "-o", "json").stdout)["actions"] == []


def test_a_plan_for_another_instant_starts_what_is_due_then(tmp_path: Path, platform: PlatformProcess) -> None:
    """``--at`` moves the clock of the decision: at that instant the slot is due, and nothing is carried out."""
    folder = folder_with(tmp_path, platform, "nightly")
    folder.command("run", "--once", "--log-format", "json")
    slot = read(folder, "get", "nightly")["nextSlotAt"]
    then = (datetime.fromisoformat(slot) + timedelta(seconds=1)).astimezone(UTC).isoformat()
    planned = json.loads(folder.command("plan", "--at", then, "--detailed-exitcode", "-o", "json", code=2).stdout)
    assert [(row["action"], row["scheduled_at"]) for row in planned["actions"]] == [("trigger", slot)]
    assert [row["action"] for row in read(folder, "explain", "nightly", "--at", then)["would_do"]] == ["trigger"]
    assert platform.call("GET", "/jobs").json()["data"] == []


def test_without_the_platform_the_store_still_answers(tmp_path: Path, platform: PlatformProcess) -> None:
    """`plan` rests on the platform and fails with a reason; `explain` and `get` say what the store holds."""
    folder = folder_with(tmp_path, platform, "nightly")
    folder.command("run", "--once", "--log-format", "json")
    platform.stop()

    failed = folder.command("plan", "--detailed-exitcode", "-o", "json", code=1)
    assert failed.stdout == ""
    assert "platform default cannot be read" in failed.stderr
    explained = folder.command("explain", "nightly", "-o", "json")
    assert json.loads(explained.stdout)["platform_asked"] is False
    assert "platform default cannot be read" in explained.stderr
    assert read(folder, "get", "nightly")["state"] == "Ready"
