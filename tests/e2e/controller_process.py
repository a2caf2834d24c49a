"""The controller as a real child process against a real embedded platform."""

import json
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.e2e.embedded_process import DEADLINE_SECONDS, PlatformProcess, wait_for

SETTINGS = """
store = {store}
[specs]
path = {specs}
poll = "1s"
[platforms.default]
kind = "embedded"
base_url = {base_url}
organization_id = "org_demo"
token_file = {token_file}
"""


@dataclass
class ControllerFolder:
    """Where one controller keeps its settings, store and log, over any number of starts."""

    folder: Path
    settings: Path
    store: Path

    def start(self, *options: str) -> "subprocess.Popen[bytes]":
        """Start `mainspring run` on it; its events are appended to the log, one JSON object a line."""
        command = [
            sys.executable,
            "-m",
            "controller",
            "run",
            "--config",
            str(self.settings),
            "--log-format",
            "json",
            *options,
        ]
        with (self.folder / "controller.log").open("ab") as log:
            return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder)

    def command(self, *arguments: str, code: int | None = 0) -> "subprocess.CompletedProcess[str]":
        """Run another command on the same settings and wait for it."""
        command = [sys.executable, "-m", "controller", *arguments, "--config", str(self.settings)]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=DEADLINE_SECONDS, check=False, cwd=self.folder
        )
        assert code is None or done.returncode == code, done.stdout + done.stderr
        return done

    def events(self) -> list[dict[str, Any]]:
        """Every event that was logged so far, but for a last line that is still being written."""
        path = self.folder / "controller.log"
        lines = path.read_text().split("\n")[:-1] if path.exists() else []
        return [json.loads(line) for line in lines if line.startswith("{")]

    def event_when(self, name: str, **fields: Any) -> dict[str, Any]:
        """Wait until an event with these fields was logged and return it."""

        def matching() -> list[dict[str, Any]]:
            rows = (row for row in self.events() if row["event"] == name)
            return [row for row in rows if all(row.get(key) == value for key, value in fields.items())]

        return wait_for(matching, bool)[-1]


def controller_folder(folder: Path, platform: PlatformProcess, specs: Path) -> ControllerFolder:
    """Write settings that name a running platform."""
    folder.mkdir(parents=True, exist_ok=True)
    found = ControllerFolder(folder, folder / "mainspring.toml", folder / "state.db")
    values = {
        "store": str(found.store),
        "specs": str(specs),
        "base_url": platform.base_url,
        "token_file": str(platform.folder / "token"),
    }
    found.settings.write_text(SETTINGS.format(**{name: json.dumps(value) for name, value in values.items()}))
    return found


def let_run(seconds: float) -> None:
    """Let real processes do their work for a while; only where the test is about what happens in that time."""
    threading.Event().wait(seconds)


def stop(process: "subprocess.Popen[bytes]") -> int:
    """End a controller as an operator would; returns its exit code."""
    process.send_signal(signal.SIGTERM)
    return process.wait(timeout=DEADLINE_SECONDS)
