"""``mainspring forecast`` as a command: its JSON, its range, what it refuses."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from controller.cli.foresight import forecast as command
from controller.cli.main import main

AT = "2026-03-28T12:00:00Z"
SPEC = """apiVersion: mainspring.dev/v1
kind: SyncSchedule
metadata: {{name: {name}}}
spec:
  connectionId: conn_{name}
  schedules:
    - {entry}
"""
ENTRIES = {
    "orders": 'cron: "30 2 * * *"\n      timeZone: Europe/Zurich',
    "clicks": "every: 6h",
    "archive": "every: 12h",
}

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run ``forecast`` in a folder with three specs and no store; exit code, standard output, standard error."""
    (tmp_path / "specs").mkdir()
    for name, entry in ENTRIES.items():
        (tmp_path / "specs" / f"{name}.yaml").write_text(SPEC.format(name=name, entry=entry))
    monkeypatch.chdir(tmp_path)
    for name in ("MAINSPRING_CONFIG", "MAINSPRING_STORE", "MAINSPRING_SPECS"):
        monkeypatch.delenv(name, raising=False)

    def run_command(*arguments: str) -> tuple[int, str, str]:
        try:
            code = main(["forecast", *arguments])
        except SystemExit as ended:
            code = int(str(ended.code or 0))
        out, err = capsys.readouterr()
        return code, out, err

    return run_command


def slots(run: Run, *arguments: str) -> list[dict[str, Any]]:
    """The slots of the one JSON document on standard output."""
    code, out, _ = run(*arguments, "-o", "json")
    assert code == 0
    document = json.loads(out)
    assert list(document) == ["slots"]
    rows: list[dict[str, Any]] = document["slots"]
    return rows


def test_json_has_every_slot_in_order_of_time_and_name(run: Run) -> None:
    """Two schedules at one instant are ordered by name; the beginning is excluded and the end included."""
    found = [(row["scheduled_at"][5:16], row["schedule"]) for row in slots(run, "--at", AT, "--for", "1d")]
    assert found == [
        ("03-28T18:00", "clicks"),
        ("03-29T00:00", "archive"),
        ("03-29T00:00", "clicks"),
        ("03-29T01:00", "orders"),
        ("03-29T06:00", "clicks"),
        ("03-29T12:00", "archive"),
        ("03-29T12:00", "clicks"),
    ]


def test_a_slot_in_json_has_exactly_the_documented_keys(run: Run) -> None:
    """The shape that other programs read."""
    (row,) = slots(run, "orders", "--at", AT)
    assert row == {
        "schedule": "orders",
        "platform": "default",
        "connection_id": "conn_orders",
        "scheduled_at": "2026-03-29T01:00:00Z",
        "fires_at": "2026-03-29T01:00:00Z",
        "outcome": "Triggered",
        "reason": None,
        "starts_at": "2026-03-29T01:00:00Z",
        "sentence": "starts on time",
    }


@pytest.mark.parametrize(
    "arguments",
    [
        ["--from", AT],
        ["--from", AT, "--to", "2026-03-29T12:00:00Z"],
        ["--at", AT, "--for", "24h"],
        ["--from", AT, "--at", AT],
    ],
    ids=" ".join,
)
def test_a_day_from_now_on_unless_told_otherwise(arguments: list[str], run: Run) -> None:
    """The range may be said in several ways, and a range in the past is looked at as if it were to come."""
    assert slots(run, *arguments) == slots(run, "--at", AT)


def test_one_schedule_is_named_either_way(run: Run) -> None:
    """``forecast NAME`` and ``forecast --schedule NAME`` are the same."""
    assert run("orders", "--at", AT) == run("--schedule", "orders", "--at", AT)
    assert "Europe/Zurich" in run("orders", "--at", AT)[1]


def test_no_slots_are_a_document_too(run: Run) -> None:
    """An empty range of slots is valid JSON."""
    assert slots(run, "orders", "--at", AT, "--for", "1m") == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["--from", AT, "--to", AT],
        ["--from", AT, "--to", "2026-03-29T12:00:00Z", "--for", "1d"],
        ["--at", AT, "--for", "9999d"],
        ["orders", "--schedule", "clicks"],
    ],
    ids=" ".join,
)
def test_wrong_usage_exits_two(arguments: list[str], run: Run) -> None:
    """A range that ends before it begins, that is said twice, or that has no end in sight; two names."""
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert "error:" in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["order"], "did you mean orders?"),
        (["--tz", "Europe/Zurih"], "Europe/Zurich"),
        (["--specs", "nowhere"], "nowhere"),
    ],
    ids=lambda each: " ".join(each) if isinstance(each, list) else "",
)
def test_what_cannot_be_forecast_exits_one_and_says_why(arguments: list[str], said: str, run: Run) -> None:
    """An unknown schedule, an unknown zone, specs that are not there."""
    code, out, err = run("--at", AT, *arguments)
    assert (code, out) == (1, "")
    assert said in err


def test_too_many_slots_for_one_document_name_a_shorter_range(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is written, and the range that the text names fits; the text form has no bound."""
    monkeypatch.setattr(command, "JSON_SLOTS_MAX", 14)
    code, out, err = run("--at", AT, "--for", "20d", "-o", "json")
    assert (code, out) == (1, "")
    assert "--for 2d" in err
    assert len(slots(run, "--at", AT, "--for", "2d")) <= 14
    assert run("--at", AT, "--for", "20d")[0] == 0
