"""Controllers whose specs come from a real Git server: their settings, their pushes, and what they told about them."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx

from controller.adapters.clock import SystemClock
from tests.e2e.controller_process import ControllerFolder, controller_folder
from tests.e2e.embedded_process import DEADLINE_SECONDS, PlatformProcess, wait_for
from tests.e2e.git_server import USER, HttpGitServer, SshGitServer

HOOK_SECRET = "canary-hook-77aa01"

CONNECTION = """
  - connectionId: conn_{n}
    source: {{type: generator, rows: 10}}
    destination: {{path: data/warehouse.db, table: t{n}}}
"""


def connections(count: int) -> str:
    """The platform's connections file: ``conn_0`` and so on, whose syncs take a moment."""
    return "connections:" + "".join(CONNECTION.format(n=n) for n in range(count))


def spec(name: str, connection: str, *, every: str = "5s", note: str = "") -> str:
    """A schedule; ``note`` is a comment for people, by which two versions differ and their schedules do not."""
    head = f"apiVersion: mainspring.dev/v1\nkind: SyncSchedule\nmetadata: {{name: {name}}}\n"
    return f"# {note}\n{head}spec: {{connectionId: {connection}, schedules: [{{every: {every}}}]}}\n"


def over_http(server: HttpGitServer, name: str, token_file: Path, **more: str) -> dict[str, str]:
    """The settings of specs in a repository on an HTTP server, which log in by a file that this writes."""
    token_file.write_text(server.token + "\n")
    return {"git": server.url(name), "token_file": str(token_file), "username": USER, **more}


def over_ssh(server: SshGitServer, name: str) -> dict[str, str]:
    """The same of an SSH server."""
    files = {"ssh_key_file": str(server.key), "known_hosts_file": str(server.known_hosts)}
    return {"git": server.url(name), **files}


def git_controller(
    folder: Path,
    platform: PlatformProcess,
    settings: Mapping[str, str],
    *,
    poll: str = "1s",
    takes_webhooks: bool = False,
) -> ControllerFolder:
    """A controller that reads ``specs`` on ``main``."""
    found = controller_folder(folder, platform, Path("specs"))
    given = {"ref": "main", **settings}
    rows = "".join(f"{name} = {json.dumps(value)}\n" for name, value in given.items())
    text = found.settings.read_text().replace('poll = "1s"', f'poll = "{poll}"\n{rows}')
    if takes_webhooks:
        (found.folder / "hook-secret").write_text(HOOK_SECRET)
        text += f'[webhook]\nlisten = "127.0.0.1:0"\nkind = "github"\nsecret_file = "{found.folder}/hook-secret"\n'
    found.settings.write_text(text)
    return found


def call_webhook(controller: ControllerFolder) -> None:
    """Tell a controller what GitHub tells it after a push."""
    body = b'{"ref": "refs/heads/main"}'
    signature = "sha256=" + hmac.new(HOOK_SECRET.encode(), body, hashlib.sha256).hexdigest()
    address = controller.event_when("webhook_listening")["address"]
    answer = httpx.post(
        address, content=body, headers={"X-Hub-Signature-256": signature}, timeout=DEADLINE_SECONDS, trust_env=False
    )
    assert answer.status_code == 202


def now() -> datetime:
    """The wall clock, which the events' times are of too."""
    return SystemClock().now()


def seconds_to_plan(controller: ControllerFolder, commit: str, pushed_at: datetime) -> float:
    """Wait until a commit is in force; returns how long that took after its push was over."""
    loaded = controller.event_when("specs_loaded", revision=f"main@sha1:{commit}")
    return (datetime.fromisoformat(loaded["at"]) - pushed_at).total_seconds()


def told_since(controller: ControllerFolder, count: int, name: str, words: str) -> dict[str, Any]:
    """Wait for an event after the first ``count`` ones that holds these words, and return it."""

    def matching() -> list[dict[str, Any]]:
        return [event for event in controller.events()[count:] if event["event"] == name and words in json.dumps(event)]

    return wait_for(matching, bool)[0]


def triggers(controller: ControllerFolder, schedule: str) -> list[dict[str, Any]]:
    """Every start of a schedule so far."""
    return [
        event for event in controller.events() if event["event"] == "sync_triggered" and event["schedule"] == schedule
    ]


def next_trigger(controller: ControllerFolder, schedule: str) -> dict[str, Any]:
    """Wait for one more start of a schedule."""
    before = len(triggers(controller, schedule))
    return wait_for(lambda: triggers(controller, schedule), lambda found: len(found) > before)[-1]


def assert_kept(controller: ControllerFolder, schedule: str) -> None:
    """No slot was left out and none started twice, and nothing else than starts came of any."""
    slots = [datetime.fromisoformat(event["scheduled_at"]) for event in triggers(controller, schedule)]
    assert slots
    assert all(later - earlier == timedelta(seconds=5) for earlier, later in pairwise(slots))
    told = {event["event"] for event in controller.events()}
    assert not told & {
        "slot_missed",
        "slot_skipped",
        "schedule_removed",
        "trigger_refused",
        "plan_refused",
        "cycle_failed",
    }


def told_of(samples: list[float], what: str) -> str:
    """A sentence about a distribution of seconds."""
    ordered = sorted(samples)
    p50, p95 = ordered[len(ordered) // 2], ordered[min(len(ordered) - 1, round(0.95 * len(ordered)))]
    return f"push to plan, {what}: p50 {p50:.2f} s, p95 {p95:.2f} s, max {ordered[-1]:.2f} s, N = {len(ordered)}"
