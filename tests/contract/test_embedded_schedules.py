"""Schedules of connections over the real HTTP API: what is taken and shown, and that the platform starts jobs by them."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.embedded_process import PlatformProcess, Start, error_of, start_platform, wait_for

CONNECTIONS = """
connections:
  - connectionId: manual
    command: {sync: ["true"]}
  - connectionId: timed
    command: {sync: ["true"]}
    schedule: {scheduleType: basic, basicTiming: every 1 second}
  - connectionId: ticking
    command: {sync: ["true"]}
    schedule: {schedule_type: cron, cron_expression: "* * * * * ?"}
  - connectionId: paused
    command: {sync: ["true"]}
    status: inactive
    schedule: {scheduleType: basic, basicTiming: Every 1 SECONDS}
"""
ZURICH = {"scheduleType": "cron", "cronExpression": "0 0 6 ? * mon-fri Europe/Zurich"}


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlatformProcess]:
    """One platform for all tests here."""
    started = start_platform(tmp_path_factory.mktemp("platform"), CONNECTIONS)
    yield started
    assert started.stop() == 0
    assert started.log == ""


def jobs_of(platform: PlatformProcess, connection_id: str) -> list[dict[str, Any]]:
    """The connection's jobs, oldest first."""
    found: list[dict[str, Any]] = platform.call("GET", f"/jobs?connection_id={connection_id}").json()["data"]
    return found


@pytest.mark.parametrize("connection_id", ["timed", "ticking"])
def test_a_schedule_starts_jobs_that_look_like_any_other(platform: PlatformProcess, connection_id: str) -> None:
    """Nothing about a job tells who started it."""
    by_hand = platform.sync("manual")
    scheduled = wait_for(lambda: jobs_of(platform, connection_id), lambda jobs: len(jobs) > 1)[0]
    assert scheduled.keys() == by_hand.keys()
    assert {key for key in ("job_type", "rows_synced") if scheduled[key] != by_hand[key]} == set()


def test_an_inactive_connection_does_not_start(platform: PlatformProcess) -> None:
    """Others with the same schedule had two jobs meanwhile."""
    wait_for(lambda: jobs_of(platform, "timed"), lambda jobs: len(jobs) > 1)
    assert jobs_of(platform, "paused") == []


def test_a_schedule_comes_back_with_its_zone(platform: PlatformProcess) -> None:
    """What is read is not letter for letter what was written; written again it stays. The edit is in the timeline."""
    shown = {"schedule_type": "cron", "cron_expression": "0 0 6 ? * MON-FRI Europe/Zurich"}
    for written in (ZURICH, shown):
        assert platform.call("PATCH", "/connections/manual", json={"schedule": written}).json()["schedule"] == shown
    assert platform.call("GET", "/connections/manual").json()["schedule"] == shown
    event = platform.call("GET", "/connections/manual/timeline?event_type=connection_updated").json()["data"][0]
    assert event["summary"] == {"fields": ["schedule"]}
    nothing = {"scheduleType": "manual", "cronExpression": None}
    platform.call("PATCH", "/connections/manual", json={"schedule": nothing})
    assert platform.call("GET", "/connections/manual").json()["schedule"] == {"schedule_type": "manual"}


def test_the_files_schedules_are_shown_like_the_apis(platform: PlatformProcess) -> None:
    """A list shows every schedule in its one form."""
    listed = {one["connection_id"]: one["schedule"] for one in platform.call("GET", "/connections").json()["data"]}
    assert listed["timed"] == {"schedule_type": "basic", "basic_timing": "Every 1 SECONDS"}
    assert listed["ticking"] == {"schedule_type": "cron", "cron_expression": "* * * * * ? UTC"}


@pytest.mark.parametrize(
    ("schedule", "place"),
    [
        ({"scheduleType": "cron", "cronExpression": "0 6 * * *"}, "body.schedule.cron_expression: "),
        ({"scheduleType": "basic", "basicTiming": "hourly"}, "body.schedule.basic_timing: "),
        ({"scheduleType": "hourly"}, "body.schedule.schedule_type: "),
        ({"scheduleType": "cron"}, "body.schedule: "),
        ({}, "body.schedule.schedule_type: "),
    ],
)
def test_a_wrong_schedule_is_refused_and_changes_nothing(
    platform: PlatformProcess, schedule: dict[str, str], place: str
) -> None:
    """422, with the key that is wrong."""
    before = platform.call("GET", "/connections/timed").json()
    answer = platform.call("PATCH", "/connections/timed", json={"schedule": schedule, "name": "other"})
    assert answer.status_code == 422
    assert error_of(answer)["message"].startswith(place)
    assert platform.call("GET", "/connections/timed").json() == before


def test_an_edit_leaves_a_running_job_alone_and_outlives_a_restart(start: Start) -> None:
    """Taking the schedule away ends nothing; after a restart it is still away, and nothing more starts."""
    hanging = """
    connections:
      - connectionId: hangs
        source: {type: generator, rows: 3, hangAtRow: 2}
        destination: {path: out.db, table: hangs}
        schedule: {scheduleType: basic, basicTiming: Every 1 SECONDS}
      - connectionId: other
        command: {sync: ["true"]}
        schedule: {scheduleType: basic, basicTiming: Every 1 SECONDS}
    """
    platform = start(hanging)
    (job,) = wait_for(lambda: jobs_of(platform, "hangs"), bool)
    platform.job_when(job["job_id"], lambda job: job["status"] == "running")
    platform.call("PATCH", "/connections/hangs", json={"schedule": {"scheduleType": "manual"}})
    assert platform.job(job["job_id"])["status"] == "running"
    platform.kill9()
    platform = start(hanging)
    seen = len(jobs_of(platform, "other"))
    wait_for(lambda: jobs_of(platform, "other"), lambda jobs: len(jobs) > seen)
    assert [one["job_id"] for one in jobs_of(platform, "hangs")] == [job["job_id"]]
