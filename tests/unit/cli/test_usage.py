"""What every command has in common: help with an example, exit codes, JSON alone on standard output."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from controller.cli.main import COMMANDS, main
from tests.golden.cli.scene import AT, make_scene

Run = Callable[..., tuple[int, str, str]]

READING = ("validate", "plan", "next", "get", "events", "explain")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command in the scene's folder; exit code, standard output, standard error."""
    make_scene(tmp_path)
    monkeypatch.chdir(tmp_path)

    def run_command(*arguments: str) -> tuple[int, str, str]:
        try:
            code = main(arguments)
        except SystemExit as ended:
            code = int(str(ended.code or 0))
        out, err = capsys.readouterr()
        return code, out, err

    return run_command


@pytest.mark.parametrize("command", COMMANDS)
def test_help_shows_an_example(command: str, run: Run) -> None:
    """Whoever asks a command for help sees a line to copy."""
    code, out, err = run(command, "--help")
    assert (code, err) == (0, "")
    assert "example" in out
    assert f"\n  mainspring {command}" in out


@pytest.mark.parametrize(
    "arguments",
    [
        ["validate"],
        ["validate", "specs", "--nonsense"],
        ["validate", "specs", "-o", "yaml"],
        ["plan", "--at", "yesterday"],
        ["plan", "--at", "2026-03-28T12:00:30"],
        ["plan", "--from-revision", "a"],
        ["next"],
        ["next", "* * * * *", "--every", "6h"],
        ["next", "* * * * *", "-n", "0"],
        ["next", "* * * * *", "-n", "many"],
        ["get", "--runs"],
        ["get", "a", "b"],
        ["events", "-n", "x"],
        ["events", "--since", "soon"],
        ["explain"],
        ["nonsense"],
    ],
    ids=" ".join,
)
def test_wrong_usage_exits_two_and_says_why(arguments: list[str], run: Run) -> None:
    """Wrong usage is told on standard error and has an exit code of its own."""
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert "error:" in err


@pytest.mark.parametrize("command", ["get", "explain", "plan", "events"])
def test_settings_that_cannot_be_read_exit_one(command: str, run: Run) -> None:
    """A named settings file that is not there is a failure, and the text names it."""
    name = ["orders"] if command == "explain" else []
    code, out, err = run(command, *name, "--config", "nowhere.toml")
    assert (code, out) == (1, "")
    assert "nowhere.toml" in err


STATUS_KEYS = {
    "name",
    "platform",
    "connectionId",
    "mode",
    "labels",
    "generation",
    "observedGeneration",
    "revision",
    "origin",
    "schedules",
    "suspended",
    "state",
    "reason",
    "message",
    "nextSlotAt",
    "nextFiresAt",
    "failuresInARow",
    "conditions",
    "kstatus",
    "drifts",
    "correctedToday",
    "freshness",
    "lastScheduledAt",
    "lastTriggeredAt",
    "lastSuccessAt",
    "missedCount",
    "activeJob",
    "lastSlots",
    "lastRuns",
    "requests",
    "suspendedByHand",
    "catchUp",
    "whenInDoubt",
    "minGap",
    "overlap",
    "maxDuration",
    "stalledAfter",
    "retry",
    "failureBudget",
    "exclude",
    "jitter",
    "startDate",
    "endDate",
    "windows",
    "suspend",
    "freezes",
    "foreignJobs",
    "drift",
    "onDelete",
    "freshnessAlert",
    "conflicts",
    "notYetSupported",
    "origins",
}


def document(run: Run, *arguments: str) -> Any:
    """The one JSON document on standard output."""
    _, out, _ = run(*arguments, "-o", "json")
    return json.loads(out)


def test_get_holds_exactly_the_documented_keys(run: Run) -> None:
    """Every schedule has every key, whatever its state; the list and the single schedule agree."""
    rows = document(run, "get", "--at", AT)
    assert len(rows) == 12
    assert all(set(row) == STATUS_KEYS for row in rows)
    assert document(run, "get", "clicks", "--at", AT) in rows


def test_get_lists_runs_either_way_round(run: Run) -> None:
    """``get --runs NAME`` and ``get NAME --runs`` are the same."""
    rows = document(run, "get", "--runs", "orders")
    assert rows == document(run, "get", "orders", "--runs")
    assert [(row["jobId"], row["origin"]) for row in rows["runs"]] == [("job_9", "ours"), ("job_8", "ours")]


def test_validate_holds_exactly_the_documented_keys(run: Run) -> None:
    """The shape that CI reads."""
    found = document(run, "validate", "specs", "--at", AT)
    assert set(found) == {"errors", "warnings", "files", "schedules", "policies"}
    assert all(set(row) == {"path", "line", "column", "code", "message"} for row in found["errors"] + found["warnings"])
    assert (len(found["errors"]), len(found["warnings"]), found["files"]) == (3, 2, 12)


def test_next_holds_exactly_the_documented_keys(run: Run) -> None:
    """The documented example, across a change of the clocks."""
    found = document(run, "next", "30 2 * * *", "--tz", "Europe/Zurich", "--after", AT, "-n", "1")
    assert found == {"expression": "30 2 * * *", "time_zone": "Europe/Zurich", "next": ["2026-03-29T01:00:00Z"]}


def test_events_are_one_document(run: Run) -> None:
    """All of them in one list, oldest first, with growing numbers."""
    found = document(run, "events")
    assert set(found) == {"events"}
    numbers = [row["number"] for row in found["events"]]
    assert numbers == sorted(numbers) == [1, 2, 3]


def test_warnings_alone_exit_zero(run: Run) -> None:
    """A warning is no error."""
    code, out, _ = run("validate", "specs/future.yaml")
    assert code == 0
    assert "warning: missing-days" in out


def test_validate_knows_platforms_only_from_a_named_file(run: Run) -> None:
    """The default settings file is not looked at: the same tree gives the same answer in every directory."""
    Path("other.yaml").write_text(Path("specs/fresh.yaml").read_text() + "  platform: elsewhere\n")
    with Path("mainspring.toml").open("a") as settings:
        settings.write(
            '[platforms.default]\nkind = "embedded"\nbase_url = "http://127.0.0.1:1"\norganization_id = "o"\n'
        )
    assert run("validate", "other.yaml")[0] == 0
    code, out, _ = run("validate", "other.yaml", "--config", "mainspring.toml")
    assert code == 1
    assert "unknown-platform" in out


def test_an_interval_below_the_platforms_minimum_is_a_warning_until_the_platform_is_known(run: Run) -> None:
    """Without settings nobody knows how short an interval may be."""
    Path("short.yaml").write_text(Path("specs/fresh.yaml").read_text().replace("6h", "1s"))
    with Path("mainspring.toml").open("a") as settings:
        settings.write(
            '[platforms.default]\nkind = "embedded"\nbase_url = "http://127.0.0.1:1"\norganization_id = "o"\n'
        )
    assert run("validate", "short.yaml")[0] == 0
    assert run("validate", "short.yaml", "--config", "mainspring.toml")[0] == 1
