"""A real controller on a directory whose files disappear: it holds that, every command says so, and the operator confirms it."""

import json
from pathlib import Path

import pytest

from controller.cli.main import main
from tests.e2e.controller_process import controller_folder
from tests.e2e.embedded_process import start_platform

NAMES = ("a", "b", "c", "d")

CONNECTIONS = "connections:\n" + "".join(
    f"  - connectionId: conn_{name}\n    source: {{type: generator, rows: 10}}\n    destination: {{path: {name}.db, table: rows}}\n"
    for name in NAMES
)

SPEC = """apiVersion: mainspring.dev/v1
kind: SyncSchedule
metadata: {{name: {name}}}
spec: {{connectionId: conn_{name}, schedules: [{{every: 6h}}]}}
"""


def test_files_that_disappear_are_held_until_somebody_confirms_it(tmp_path: Path) -> None:
    """Across processes, by the first digits of the revision's hash."""
    (tmp_path / "platform").mkdir()
    platform = start_platform(tmp_path / "platform", CONNECTIONS)
    specs = tmp_path / "specs"
    specs.mkdir()
    for name in NAMES:
        (specs / f"{name}.yaml").write_text(SPEC.format(name=name))
    folder = controller_folder(tmp_path / "controller", platform, specs)
    try:
        folder.command("run", "--once", "--log-format", "json")
        for name in NAMES[1:]:
            (specs / f"{name}.yaml").unlink()

        held = folder.command("run", "--once", "--log-format", "json", code=1)
        events = {row["event"]: row for row in map(json.loads, held.stderr.splitlines()[:-1])}
        assert (events["revision_held"]["removed"], events["revision_held"]["in_force"]) == (3, 4)
        assert events["specs_restored"]["schedules"] == 4
        revision = events["revision_held"]["revision"]
        digits = revision.partition(":")[2][:12]
        assert f"--confirm-revision {digits}" in held.stderr

        shown = folder.command("get", "-o", "json")
        assert [row["state"] for row in json.loads(shown.stdout)] == ["Stale"] * 4
        assert f"revision {revision} is held: it removes 3 of 4 schedules" in shown.stderr
        planned = json.loads(folder.command("plan", "-o", "json").stdout)
        assert (planned["actions"], planned["held"].partition(":")[0]) == ([], f"revision {revision.partition(':')[0]}")
        assert f"revision {revision} is held" in folder.command("forecast").stderr

        folder.command("run", "--once", "--log-format", "json", "--confirm-revision", digits)
        assert [row["name"] for row in json.loads(folder.command("get", "-o", "json").stdout)] == ["a"]
    finally:
        platform.stop()


@pytest.mark.parametrize("given", ["main", "abc123", "abcdefg"])
def test_what_names_no_revision_is_wrong_usage(given: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A branch moves, and too few digits may be any commit's."""
    with pytest.raises(SystemExit) as ended:
        main(["run", "--config", str(tmp_path / "none.toml"), "--confirm-revision", given])
    assert ended.value.code == 2
    assert (
        f'"{given}" names no revision; write its whole name, or at least 7 digits of its hash'
        in capsys.readouterr().err
    )
