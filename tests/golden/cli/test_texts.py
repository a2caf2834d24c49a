"""Commands whose whole output is kept beside this file. ``MAINSPRING_GOLDEN=write`` writes it anew: read the difference."""

import os
from pathlib import Path

import pytest

from controller.cli.main import main
from tests.golden.cli.scene import AT, Scene

HERE = Path(__file__).parent / "texts"

CASES = {
    "get": (0, ["get", "--at", AT]),
    "get-json": (0, ["get", "--at", AT, "-o", "json"]),
    "get-one": (0, ["get", "orders", "--at", AT]),
    "get-suspended": (0, ["get", "ledger", "--at", AT]),
    "get-edited-json": (0, ["get", "edited", "--at", AT, "-o", "json"]),
    "get-running": (0, ["get", "clicks", "--at", AT]),
    "get-runs": (0, ["get", "--runs", "orders", "--at", AT]),
    "get-runs-json": (0, ["get", "orders", "--runs", "--at", AT, "-o", "json"]),
    "get-unknown": (1, ["get", "order"]),
    "get-no-store": (0, ["get", "--store", "none.db", "--at", AT]),
    "get-no-specs": (0, ["get", "--specs", "none", "--at", AT]),
    "get-neither": (1, ["get", "--specs", "none", "--store", "none.db", "--at", AT]),
    "explain": (0, ["explain", "orders", "--at", AT]),
    "explain-suspended": (0, ["explain", "ledger", "--at", AT]),
    "explain-running": (0, ["explain", "clicks", "--at", AT]),
    "explain-json": (0, ["explain", "orders", "--at", AT, "-o", "json"]),
    "explain-doubt": (0, ["explain", "doubt", "--at", AT]),
    "explain-new": (0, ["explain", "fresh", "--at", AT]),
    "explain-twin": (0, ["explain", "twin-b", "--at", AT]),
    "events": (0, ["events", "--at", AT]),
    "events-since": (0, ["events", "--since", "1h", "--at", AT]),
    "events-json": (0, ["events", "--schedule", "clicks", "-n", "1", "-o", "json"]),
    "events-all-json": (0, ["events", "--all", "-n", "1", "-o", "json"]),
    "events-none": (0, ["events", "--schedule", "nobody"]),
    "events-no-store": (1, ["events", "--store", "none.db"]),
    "validate": (1, ["validate", "specs", "--at", AT]),
    "validate-json": (1, ["validate", "specs/legacy.yaml", "specs/fresh.yaml", "-o", "json"]),
    "validate-good": (0, ["validate", "specs/fresh.yaml", "specs/orders.yaml", "--at", AT]),
    "validate-missing": (1, ["validate", "nowhere"]),
    "next": (0, ["next", "30 2 * * *", "--tz", "Europe/Zurich", "--after", AT, "-n", "3"]),
    "next-json": (0, ["next", "30 2 * * *", "--tz", "Europe/Zurich", "--after", AT, "-n", "2", "-o", "json"]),
    "next-every": (0, ["next", "--every", "6h", "--anchor", "2026-01-01T01:00:00Z", "--after", AT, "-n", "2"]),
    "next-last": (0, ["next", "0 0 31 12 *", "--after", "2098-06-01T00:00:00Z"]),
    "next-bad": (1, ["next", "30 2 * *"]),
    "next-bad-zone": (1, ["next", "30 2 * * *", "--tz", "Europe/Zurih"]),
    "next-quartz": (0, ["next", "0 30 2 ? * SAT-MON", "--quartz", "--tz", "Europe/Zurich", "--after", AT, "-n", "3"]),
    "next-quartz-json": (0, ["next", "0/20 0 6 ? * 2", "--quartz", "--after", AT, "-n", "2", "-o", "json"]),
    "next-quartz-last": (0, ["next", "0 0 6 1 1 ? 2030", "--quartz", "--after", AT]),
    "next-quartz-bad": (1, ["next", "0 0 6 * * MON-FRI", "--quartz"]),
    "next-quartz-never": (1, ["next", "0 0 6 30 2 ?", "--quartz"]),
    "next-quartz-cron": (1, ["next", "0 6 * * MON-FRI", "--quartz"]),
    "next-cron-quartz": (1, ["next", "0 0 6 ? * MON-FRI"]),
    "next-cron-six": (1, ["next", "0 0 6 * * MON-FRI"]),
    "plan-no-platform": (1, ["plan", "--at", AT]),
}


def shown(code: int, out: str, err: str) -> str:
    """Both streams and the exit code as one text."""
    error = f"--- standard error\n{err}" if err else ""
    return f"{out}{error}--- exit code {code}\n"


@pytest.mark.parametrize("name", CASES)
def test_the_command_says_what_it_said(name: str, scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    """Every word, column and exit code of a command is as it was when somebody last looked at it."""
    expected_code, arguments = CASES[name]
    code = main(arguments)
    text = shown(code, *capsys.readouterr()).replace(str(scene.folder), "/scene")
    path = HERE / f"{name}.txt"
    if os.environ.get("MAINSPRING_GOLDEN") == "write":
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    assert "\x1b" not in text
    assert (text, code) == (path.read_text(), expected_code)
