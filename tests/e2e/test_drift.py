"""Somebody edits connections of a real platform while a real controller runs."""

import json
from pathlib import Path
from typing import Any

from tests.e2e.controller_process import controller_folder, let_run, stop
from tests.e2e.embedded_process import PlatformProcess, start_platform, wait_for

CONNECTION = """
  - connectionId: {name}
    source: {{type: generator, rows: 5}}
    destination: {{path: out/{name}.db, table: rows}}
"""
SPEC = """apiVersion: mainspring.dev/v1
kind: SyncSchedule
metadata: {{name: {name}}}
spec:
  connectionId: {name}
  schedules:
    - every: 5s
  drift: {drift}
"""
EDITS: dict[str, tuple[str, dict[str, Any]]] = {
    "cron": ("{platformSchedule: Enforce}", {"schedule": {"scheduleType": "cron", "cronExpression": "0 0 2 * * ?"}}),
    "basic": ("{platformSchedule: Enforce}", {"schedule": {"scheduleType": "basic", "basicTiming": "Every 24 HOURS"}}),
    "paused": ("{connectionStatus: Enforce}", {"status": "inactive"}),
    "both": (
        "{platformSchedule: Enforce, connectionStatus: Enforce}",
        {"schedule": {"schedule_type": "cron", "cron_expression": "0 0 3 * * ?"}, "status": "inactive"},
    ),
    "warned": ("{platformSchedule: Warn}", {"schedule": {"schedule_type": "cron", "cron_expression": "0 0 4 * * ?"}}),
}
AGAIN = {"schedule": {"scheduleType": "cron", "cronExpression": "0 0 5 * * ?"}}
"""What somebody makes of the first of them after its correction."""


def changes(platform: PlatformProcess, name: str) -> list[list[str]]:
    """What was changed on a connection, oldest first, by the platform's own account."""
    found = platform.call("GET", f"/connections/{name}/timeline", params={"event_type": "connection_updated"}).json()
    return [event["summary"]["fields"] for event in reversed(found["data"])]


def test_drift_of_every_kind_is_corrected_once(tmp_path: Path) -> None:
    """The platform counts the person's change and one of ours, and none where the spec only warns; then slots start again.

    What is edited again is corrected again, by the next controller, and counted; nothing else is.
    """
    (tmp_path / "platform").mkdir()
    (tmp_path / "specs").mkdir()
    listed = "".join(CONNECTION.format(name=name) for name in EDITS)
    platform = start_platform(tmp_path / "platform", f"connections:{listed}")
    for name, (drift, edit) in EDITS.items():
        (tmp_path / "specs" / f"{name}.yaml").write_text(SPEC.format(name=name, drift=drift))
        assert platform.call("PATCH", f"/connections/{name}", json=edit).status_code == 200
    controller = controller_folder(tmp_path / "controller", platform, tmp_path / "specs")
    process = controller.start()
    try:
        for name in ("cron", "basic", "paused", "both"):
            controller.event_when("drift_ended", schedule=name)
            controller.event_when("sync_triggered", schedule=name)
        controller.event_when("slot_skipped", schedule="warned", reason="DoubleScheduled")
        # What was one request too many would be sent at once.
        let_run(2)
        stored = controller.command("get", "warned", "-o", "json").stdout
        assert stop(process) == 0
        # Somebody edits again what was corrected, while no controller runs.
        before = len(controller.events())
        assert platform.call("PATCH", "/connections/cron", json=AGAIN).status_code == 200
        process = controller.start()
        wait_for(
            lambda: controller.events()[before:], lambda events: "drift_ended" in {each["event"] for each in events}
        )
        let_run(2)
        counted = json.loads(controller.command("get", "cron", "-o", "json").stdout)["correctedToday"]
        seen = {name: platform.call("GET", f"/connections/{name}").json() for name in EDITS}
        made = {name: changes(platform, name) for name in EDITS}
    finally:
        assert stop(process) == 0
        platform.stop()

    assert made == {
        "cron": [["schedule"], ["schedule"], ["schedule"], ["schedule"]],
        "basic": [["schedule"], ["schedule"]],
        "paused": [["status"], ["status"]],
        "both": [["schedule", "status"], ["schedule", "status"]],
        "warned": [["schedule"]],
    }
    assert all(seen[name]["status"] == "active" for name in EDITS)
    assert all("manual" in seen[name]["schedule"].values() for name in ("cron", "basic", "both"))
    assert '"reason": "DoubleScheduled"' in stored
    assert counted == 2
    corrected = [event["schedule"] for event in controller.events()[before:] if event["event"] == "drift_corrected"]
    assert corrected == ["cron"]
    events = [event["event"] for event in controller.events() if event.get("schedule") == "both"]
    assert [events.count(name) for name in ("drift_detected", "drift_corrected", "drift_ended")] == [2, 2, 2]
