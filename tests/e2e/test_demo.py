"""`mainspring demo` as a newcomer and as a script would use it."""

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from controller.cli.running.demo_edit import MARK, TOLD
from tests.e2e.accounting import Rhythm, problems, records
from tests.e2e.embedded_process import ROOT
from tests.e2e.test_accounting import RHYTHMS

DEMO = (sys.executable, "-m", "controller", "demo")


def run_demo(*options: str, cwd: Path = ROOT) -> "subprocess.CompletedProcess[str]":
    """Run a demo to its end."""
    return subprocess.run([*DEMO, *options], capture_output=True, text=True, timeout=90, check=False, cwd=cwd)


def read_json(done: "subprocess.CompletedProcess[str]") -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The first line, and the events after it."""
    first, *rest = done.stdout.splitlines()
    return json.loads(first), [json.loads(line) for line in rest]


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the first demo keeps what it has."""
    return tmp_path_factory.mktemp("demo") / "state"


def run_hasty_demo(seconds: int, state: Path) -> "subprocess.CompletedProcess[str]":
    """Run a demo that would make its edit early enough for a test."""
    program = (
        "from controller.cli import main; from controller.cli.running import demo_edit; "
        "demo_edit.AFTER_SECONDS = 2.0; raise SystemExit(main.main())"
    )
    command = [sys.executable, "-c", program, "demo", "--for", f"{seconds}s", "-o", "json", "--state", str(state)]
    return subprocess.run(command, capture_output=True, text=True, timeout=90, check=False, cwd=ROOT)


@pytest.fixture(scope="module")
def first(state: Path) -> "subprocess.CompletedProcess[str]":
    """The first demo there; the edit comes before the second look at the connections, and the end after it."""
    return run_hasty_demo(15, state)


def test_a_demo_says_where_it_is_and_moves_rows(first: "subprocess.CompletedProcess[str]", state: Path) -> None:
    """``-o json`` writes what a script needs as its first line, then one event per line; a sync succeeds within seconds."""
    done = first
    announced, events = read_json(done)

    assert done.returncode == 0, done.stderr
    assert set(announced) == {"page", "platform", "organization_id", "token", "state"}
    assert announced["page"] is None
    assert announced["state"] == str(state)
    assert events[-1]["event"] == "controller_stopped"
    finished = [event for event in events if event["event"] == "job_finished" and event["status"] == "succeeded"]
    assert finished
    assert finished[0]["rows"] == 100


def test_a_demo_shows_what_drift_is(first: "subprocess.CompletedProcess[str]", state: Path) -> None:
    """It changes one connection as a person would, says that it did, and the controller sets it right."""
    _, events = read_json(first)
    assert first.stderr.count(TOLD) == 1
    of_invoices = [event["event"] for event in events if event.get("schedule") == "invoices"]
    told = [name for name in of_invoices if name.startswith("drift")]
    assert told == ["drift_detected", "drift_corrected", "drift_ended"]
    assert {event.get("schedule") for event in events if event["event"].startswith("drift")} == {"invoices"}
    assert (state / MARK).exists()


@pytest.mark.usefixtures("first")
def test_a_second_demo_continues_where_the_first_one_ended(state: Path) -> None:
    """The state is kept: no slot gets a second job over two starts, the pause between them is accounted for, and no edit is made again."""
    done = run_hasty_demo(12, state)
    ended_at = datetime.now(UTC)  # noqa: TID251  the test stands outside the product
    _, events = read_json(done)

    assert "accounting_started" not in {event["event"] for event in events}
    assert TOLD not in done.stderr
    jobs = _jobs_of_a_new_start(state)
    every = [rhythm for rhythm in RHYTHMS if rhythm.connection_id != "conn_crm"]
    assert problems([*every, Rhythm("conn_crm", 20)], state / "state.db", jobs, ended_at, open_for=20) == []
    assert len([row for row in records(state / "state.db") if row.connection_id == "conn_shop_orders"]) >= 4


def _jobs_of_a_new_start(state: Path) -> list[dict[str, Any]]:
    """The platform's own job list, from a platform started again on the same state."""
    command = [
        sys.executable,
        "-m",
        "controller",
        "platform",
        "--data",
        str(state),
        "--token-file",
        str(state / "token"),
    ]
    process = subprocess.Popen(
        [*command, "--until-stdin-closes"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdin is not None
    announced = json.loads(process.stdout.readline())
    url = f"{announced['platform']}/v1/organizations/{announced['organization_id']}/knowledge/connectors/jobs"
    headers = {"Authorization": f"Bearer {(state / 'token').read_text().strip()}"}
    jobs: list[dict[str, Any]] = []
    while len(
        page := httpx.get(url, headers=headers, params={"limit": 100, "offset": len(jobs)}, trust_env=False).json()[
            "data"
        ]
    ):
        jobs.extend(page)
    process.stdin.close()
    process.stdout.close()
    assert process.wait(timeout=20) == 0
    return jobs


def test_the_first_screen_shows_what_runs_next_and_no_escape_codes(tmp_path: Path) -> None:
    """Away from a terminal the output is plain text: a table of every schedule, then sentences."""
    done = run_demo("--for", "1s", "--state", str(tmp_path / "state"))
    head = done.stdout.splitlines()[0]

    assert done.returncode == 0, done.stderr
    assert head.split()[:2] == ["SCHEDULE", "WHEN"]
    for name in (
        "shop-orders",
        "orders-to-warehouse",
        "customers-nightly",
        "clickstream-export",
        "partner-prices",
        "crm-contacts",
    ):
        assert name in done.stdout
    assert "suspended: the ledger is being migrated" in done.stdout
    assert "\x1b" not in done.stdout


def test_a_demo_that_cannot_start_its_platform_says_why(tmp_path: Path) -> None:
    """A broken connections file ends the demo with 1 and the platform's own words."""
    state = tmp_path / "state"
    state.mkdir()
    (state / "connections.yaml").write_text("connections: [{nonsense: 1}]\n")
    done = run_demo("--for", "1s", "--state", str(state))

    assert done.returncode == 1
    assert "connections.yaml" in done.stderr
