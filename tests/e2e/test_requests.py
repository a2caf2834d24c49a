"""``suspend``, ``resume``, ``trigger`` and ``cancel`` against a running controller, and without one."""

import json
import signal
from pathlib import Path
from typing import Any

from tests.e2e.controller_process import ControllerFolder, controller_folder, stop
from tests.e2e.embedded_process import start_platform

CONNECTIONS = """
connections:
  - connectionId: conn_slow
    source: {type: generator, rows: 100000, rowsPerSecond: 10}
    destination: {path: out/slow.db, table: rows}
"""

SPEC = """apiVersion: mainspring.dev/v1
kind: SyncSchedule
metadata: {name: slow}
spec:
  connectionId: conn_slow
  schedules: [{every: 12h}]
"""


def asked(controller: ControllerFolder, *arguments: str, code: int) -> dict[str, Any]:
    """Ask by hand and read the answer."""
    done = controller.command(*arguments, "--by", "ana", "-o", "json", code=code)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_a_person_suspends_resumes_triggers_and_cancels(tmp_path: Path) -> None:
    """The whole way through two processes and a file; without a controller only what may wait is kept."""
    (tmp_path / "platform").mkdir()
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "slow.yaml").write_text(SPEC)
    platform = start_platform(tmp_path / "platform", CONNECTIONS)
    controller = controller_folder(tmp_path / "controller", platform, tmp_path / "specs")
    process = controller.start()
    try:
        controller.event_when("schedule_accepted", schedule="slow")
        suspended = asked(controller, "suspend", "slow", "--reason", "moving", "--until", "2h", code=0)
        assert (suspended["status"], suspended["askedBy"], suspended["controllerRunning"]) == ("Done", "ana", True)
        refused = asked(controller, "trigger", "slow", code=1)
        assert (refused["status"], refused["message"][:27]) == ("Refused", "Suspended: moving (by ana),")
        process.send_signal(signal.SIGTERM)
        process.wait()

        alone = controller.command("trigger", "slow", code=1)
        assert "no controller is running" in alone.stderr
        assert alone.stdout == ""
        (status,) = json.loads(controller.command("get", "-o", "json").stdout)
        assert (status["state"], status["suspendedByHand"]["reason"]) == ("Suspended", "moving")
        assert [row["action"] for row in status["requests"]] == ["Trigger", "Suspend"]
        stored = asked(controller, "resume", "slow", code=0)
        assert (stored["status"], stored["controllerRunning"]) == ("Waiting", False)

        process = controller.start()
        controller.event_when("schedule_resumed", schedule="slow")
        started = asked(controller, "trigger", "slow", "--reason", "now", code=0)
        assert controller.event_when("sync_triggered", reason="Request")["job_id"] == started["jobId"]
        cancelled = controller.command("cancel", "slow", code=0).stdout
        assert f"{started['jobId']} is cancelled" in cancelled
        verified = controller.command("verify", "-o", "json", code=0)
        assert json.loads(verified.stdout)["unexplained"] == []
    finally:
        stop(process)
        platform.stop()
