"""`mainspring import` against a real platform with connections of every kind: its specs are valid, and nothing happens because of them."""

import json
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from controller.cli.main import main
from tests.e2e.controller_process import ControllerFolder, controller_folder
from tests.e2e.embedded_process import PlatformProcess, start_platform
from tests.git_repository import schedule
from tests.unit.adapters.specs.git.repositories import repository

QUARTZ = [
    *("0 0 12 * * ?", "0 0 12 * * ? UTC", "0 0 6 ? * MON-FRI Europe/Zurich", "0 30 2 ? * WED Europe/Zurich"),
    *("0 0/15 8-17 ? * 2-6", "0 0 22-2 * * ?", "0 5,35 * * * ?", "0 0 0 L * ?", "0 0 1 ? * 6L", "0 0 1 ? * 6#3"),
    *("0 0 1 ? * FRI-MON", "0 0 4 1 JAN-MAR,DEC ?", "30 0 3 * * ?", "0 0 3 * * ? 2026-2099", "0 0 3 ? * L"),
    *("0 15 10 ? * SUN *", "0 0 * * * ? Europe/Zurich", "0 0 0/6 * * ? Asia/Kolkata", "*/30 * * * * ?"),
    *("0 0 5 29 2 ?", "0 10 9 ? * MON,WED,FRI America/New_York", "0 0 7 1/2 * ?"),
]
BASIC = ["Every 15 MINUTES", "Every 1 HOURS", "Every 24 HOURS", "Every 7 DAYS", "Every 30 SECONDS", "Every 90 MINUTES"]
MANUAL = [
    "Orders → Warehouse",
    "orders  warehouse",
    "ORDERS WAREHOUSE",
    "日本",
    "null",
    "on",
    "2026",
    "-",
    'a "b" \\ # c',
    "x" * 100,
]


def connections() -> list[dict[str, Any]]:
    """Fifty connections: manual ones with awkward names, every kind of schedule, and some of each that are inactive."""
    found: list[dict[str, Any]] = [{"name": name} for name in MANUAL]
    found += [{"name": f"cron {each}", "schedule": {"scheduleType": "cron", "cronExpression": each}} for each in QUARTZ]
    found += [{"name": f"basic {each}", "schedule": {"scheduleType": "basic", "basicTiming": each}} for each in BASIC]
    found += [{"name": "never twice"} for _ in range(50 - 4 - len(found))]
    paused = [
        {},
        {"scheduleType": "manual"},
        *(found[at]["schedule"] for at in (10, -len(BASIC)) if "schedule" in found[at]),
    ]
    found += [
        {"name": f"paused {at}", "status": "inactive"} | ({"schedule": each} if each else {})
        for at, each in enumerate(paused)
    ]
    found += [{"name": "paused too", "status": "inactive"} for _ in range(50 - len(found))]
    return [
        {"connectionId": f"conn_{number:02}.x", "command": {"sync": ["true"]}} | each
        for number, each in enumerate(found)
    ]


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[PlatformProcess]:
    """A platform with fifty connections."""
    folder = tmp_path / "platform"
    folder.mkdir()
    running = start_platform(folder, json.dumps({"connections": connections()}))
    yield running
    running.stop()


@dataclass(frozen=True)
class Said:
    """What a command said."""

    code: int
    out: str
    err: str


def command(folder: ControllerFolder, *arguments: str) -> Said:
    """Run a command in this process, which spares a second each."""
    with redirect_stdout(StringIO()) as out, redirect_stderr(StringIO()) as err:
        code = main([*arguments, "--config", str(folder.settings)])
    return Said(code, out.getvalue(), err.getvalue())


def run_import(folder: ControllerFolder, *options: str) -> Any:
    """What an import says that it did."""
    said = command(folder, "import", *options, "-o", "json")
    assert said.code == 0, said.err
    return json.loads(said.out)


def test_a_plan_right_after_an_import_is_empty(tmp_path: Path, platform: PlatformProcess) -> None:
    """Every connection gets a valid spec, nothing would be done about any of them, and a second import writes nothing."""
    specs = tmp_path / "specs"
    folder = controller_folder(tmp_path / "controller", platform, specs)
    settings = folder.settings
    settings.write_text(settings.read_text() + "page_size = 7\n")

    dry = run_import(folder, "--dry-run")
    assert len(dry["written"]) == 50
    assert not specs.exists()
    done = json.loads(folder.command("import", "-o", "json").stdout)
    assert {**done, "dry_run": True} == dry
    assert (len(done["written"]), done["left"], done["unmanaged"]) == (50, [], [])
    assert len(list(specs.glob("*.yaml"))) == 50

    checked = json.loads(command(folder, "validate", str(specs), "-o", "json").out)
    assert (checked["errors"], checked["schedules"]) == ([], 50)
    assert {warning["code"] for warning in checked["warnings"]} <= {"missing-days"}  # the 29th of February is meant
    planned = folder.command("plan", "--detailed-exitcode")
    assert "50 schedules: nothing to do on a platform, 50 to accept; " in planned.stdout

    texts = {path: path.read_text() for path in specs.iterdir()}
    again = run_import(folder)
    assert (again["written"], again["managed"]) == ([], 50)
    assert {path: path.read_text() for path in specs.iterdir()} == texts

    folder.command("run", "--once", "--log-format", "json")
    planned_again = command(folder, "plan", "--detailed-exitcode", "-o", "json")
    assert planned_again.code == 0
    # What the platform itself starts meanwhile may be counted.
    assert {row["action"] for row in json.loads(planned_again.out)["actions"]} <= {"record"}
    assert jobs_of_the_manual(platform) == []
    check_kinds(done["written"])


def check_kinds(written: list[dict[str, Any]]) -> None:
    """Who observes, who is suspended, and in which dialect each schedule is kept."""
    by_id = {row["connection_id"]: row for row in written}
    for connection in connections():
        row = by_id[connection["connectionId"]]
        kind = connection.get("schedule", {}).get("scheduleType", "manual")
        assert row["mode"] == ("Enforce" if kind == "manual" else "Observe"), row
        assert row["suspended"] == (connection.get("status") == "inactive")
        assert row["note"] == ""
        kinds = {"manual": {"manual"}, "basic": {"every"}, "cron": {"cron", "quartz"}}
        assert row["entry"] in kinds[kind]
    assert {row["entry"] for row in written} == {"manual", "every", "cron", "quartz"}


def jobs_of_the_manual(platform: PlatformProcess) -> list[str]:
    """The connections that had a job although nothing on the platform starts them."""
    manual = {each["connectionId"] for each in connections() if "schedule" not in each}
    rows = platform.call("GET", "/jobs?limit=100").json()["data"]
    return [row["connection_id"] for row in rows if row["connection_id"] in manual]


def test_an_imported_schedule_takes_its_connection_over(tmp_path: Path, platform: PlatformProcess) -> None:
    """By the two words of the file's comment: the platform's own schedule is set to manual once, and then a plan is empty."""
    folder = controller_folder(tmp_path / "controller", platform, tmp_path / "specs")
    (row,) = run_import(folder, "--only", "conn_12.x")["written"]
    path = Path(row["path"])
    text = path.read_text()
    assert "write drift: {platformSchedule: Enforce} in its place" in " ".join(text.replace("#", "").split())
    path.write_text(text.replace("  mode: Observe\n", "  drift: {platformSchedule: Enforce}\n"))

    assert platform.call("GET", "/connections/conn_12.x").json()["schedule"]["schedule_type"] == "cron"
    folder.command("run", "--once", "--log-format", "json")
    planned = command(folder, "plan", "--detailed-exitcode")
    assert (planned.code, updates(platform, "conn_12.x")) == (2, [])
    assert "1 schedule: 1 to correct, 1 to note; 0 held" in planned.out
    for _ in range(2):
        folder.command("run", "--once", "--log-format", "json")
    assert platform.call("GET", "/connections/conn_12.x").json()["schedule"] == {"schedule_type": "manual"}
    assert updates(platform, "conn_12.x") == [["schedule"]]
    assert command(folder, "plan", "--detailed-exitcode").code == 0


def updates(platform: PlatformProcess, connection_id: str) -> list[list[str]]:
    """What was changed on a connection, by the platform's own account."""
    params = {"event_type": "connection_updated"}
    found = platform.call("GET", f"/connections/{connection_id}/timeline", params=params).json()
    return [event["summary"]["fields"] for event in found["data"]]


def test_a_tree_that_is_rejected_in_part_is_not_added_to(tmp_path: Path, platform: PlatformProcess) -> None:
    """What a broken file drives is not known, so nothing is written beside it; nor for an id that nobody has."""
    specs = tmp_path / "specs"
    specs.mkdir()
    folder = controller_folder(tmp_path / "controller", platform, specs)
    unknown = command(folder, "import", "--only", "conn_99")
    assert (unknown.code, unknown.out) == (1, "")
    assert "no platform shows conn_99" in unknown.err
    (specs / "broken.yaml").write_text("kind: SyncSchedule\n")
    rejected = command(folder, "import")
    assert (rejected.code, rejected.out) == (1, "")
    assert "broken.yaml" in rejected.err
    assert [path.name for path in specs.iterdir()] == ["broken.yaml"]


def test_what_a_repository_drives_is_not_imported_again(tmp_path: Path, platform: PlatformProcess) -> None:
    """Files go into a directory that was named, which is then read beside the repository; nothing is written into that."""
    origin = repository(tmp_path / "origin")
    head = origin.publish({"specs/team/mine.yaml": schedule("mine", "every: 6h", "conn_00.x")})
    folder = controller_folder(tmp_path / "controller", platform, Path("specs"))
    text = folder.settings.read_text()
    folder.settings.write_text(text.replace("[specs]", f'[specs]\ngit = "{origin.path}"\nallow_local = true'))

    refused = command(folder, "import")
    assert (refused.code, refused.out) == (1, "")
    assert "write --output DIR" in refused.err
    clone = tmp_path / "clone" / "specs"
    done = run_import(folder, "--output", str(clone))
    assert (len(done["written"]), done["managed"]) == (49, 1)
    assert len(list(clone.iterdir())) == 49
    again = run_import(folder, "--output", str(clone))
    assert (again["written"], again["managed"]) == ([], 50)
    assert origin.head() == head


def test_written_specs_name_the_schema_that_is_there(tmp_path: Path, platform: PlatformProcess) -> None:
    """A file in the directory of the schema begins with the way to it, one elsewhere does without."""
    specs = tmp_path / "specs"
    (specs / "team").mkdir(parents=True)
    folder = controller_folder(tmp_path / "controller", platform, specs)
    assert main(["schema", "--output", str(specs / "mainspring.schema.json")]) == 0
    assert json.loads((specs / "mainspring.schema.json").read_text())["oneOf"]
    done = run_import(folder, "--only", "conn_00.x", "--output", str(specs / "team"))
    (row,) = done["written"]
    text = Path(row["path"]).read_text()
    assert not text.startswith("# yaml-language-server")
    done = run_import(folder, "--only", "conn_01.x")
    text = Path(done["written"][0]["path"]).read_text()
    assert text.startswith(
        "# yaml-language-server: $schema=mainspring.schema.json\n# orders  warehouse: active on platform default.\n"
    )
    assert len(run_import(folder, "--dry-run")["written"]) == 48
