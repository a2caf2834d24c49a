"""`mainspring run` as a process: bad files, signals, a second controller, secrets."""

import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.controller_process import ControllerFolder, controller_folder, let_run, stop
from tests.e2e.embedded_process import ROOT, PlatformProcess, start_platform, wait_for

CORPUS = ROOT / "tests" / "unit" / "adapters" / "specs" / "corpus" / "bad"

CONNECTION = """
  - connectionId: conn_{n}
    source: {{type: generator, rows: 10}}
    destination: {{path: out/{n}.db, table: rows}}
"""

SPEC = """apiVersion: mainspring.dev/v1
kind: SyncSchedule
metadata: {{name: good-{n}}}
spec:
  connectionId: conn_{n}
  schedules:
    - every: 5s
"""


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[PlatformProcess]:
    """An embedded platform with five quick connections."""
    folder = tmp_path / "platform"
    folder.mkdir()
    running = start_platform(folder, "connections:" + "".join(CONNECTION.format(n=n) for n in range(5)))
    yield running
    running.stop()


@pytest.fixture
def controller(tmp_path: Path, platform: PlatformProcess) -> ControllerFolder:
    """A folder with five good specs."""
    specs = tmp_path / "specs"
    specs.mkdir()
    for n in range(5):
        (specs / f"good-{n}.yaml").write_text(SPEC.format(n=n))
    return controller_folder(tmp_path / "controller", platform, specs)


def test_thirty_broken_files_harm_none_of_the_five_good_ones(tmp_path: Path, controller: ControllerFolder) -> None:
    """Every broken file is reported with its place, and every good schedule runs beside them."""
    for path in CORPUS.iterdir():
        shutil.copyfile(path, tmp_path / "specs" / path.name)
    process = controller.start()
    try:
        for n in range(5):
            controller.event_when("sync_triggered", schedule=f"good-{n}")
    finally:
        assert stop(process) == 0

    rejected = [event for event in controller.events() if event["event"] == "specs_rejected"]
    assert {event["path"] for event in rejected} == {path.name for path in CORPUS.iterdir()}
    assert len({event["path"] for event in rejected}) == 34
    assert all(event["line"] >= 1 and event["column"] >= 1 and event["code"] and event["message"] for event in rejected)


def test_a_hangup_reads_the_specs_at_once(tmp_path: Path, controller: ControllerFolder) -> None:
    """``SIGHUP`` makes an edit count without waiting for the poll."""
    controller.settings.write_text(controller.settings.read_text().replace('poll = "1s"', 'poll = "1h"'))
    process = controller.start()
    try:
        controller.event_when("schedule_accepted", schedule="good-4")
        (tmp_path / "specs" / "good-4.yaml").write_text(SPEC.format(n=4) + "  maxDuration: 1m\n")
        process.send_signal(signal.SIGHUP)
        changed = controller.event_when("schedule_changed", schedule="good-4")
    finally:
        stop(process)

    assert changed["generation"] == 2


def test_a_second_controller_on_the_same_store_is_refused(controller: ControllerFolder) -> None:
    """Two controllers on one store cannot both be right: the second says so and ends with 1, the first goes on."""
    process = controller.start()
    try:
        controller.event_when("sync_triggered")
        refused = controller.command("run", "--once", code=1)

        assert "controller" in refused.stderr
        assert str(controller.store) in refused.stderr
        assert process.poll() is None
    finally:
        stop(process)


def test_one_full_cycle_triggers_what_is_due_and_ends(controller: ControllerFolder) -> None:
    """``run --once`` leaves with 0 after its POSTs were answered and recorded."""
    process = controller.start()
    controller.event_when("sync_triggered")
    stop(process)
    let_run(6)
    controller.command("run", "--once", "--log-format", "json")
    lines = controller.command("events", "--since", "5s", "-o", "json").stdout

    assert "sync_triggered" in lines


def test_no_secret_is_ever_written(controller: ControllerFolder, platform: PlatformProcess) -> None:
    """The token occurs in no log, no record and no output, also while every request is refused."""
    process = controller.start()
    try:
        controller.event_when("sync_triggered")
        good = platform.token
        (platform.folder / "token").write_text("wrong-" + good)
        controller.event_when("listing_failed")
        (platform.folder / "token").write_text(good)
        controller.event_when("listing_recovered")
    finally:
        stop(process)
    written = [path.read_bytes() for path in controller.folder.rglob("*") if path.is_file()]
    written.append(controller.command("get", "-o", "json").stdout.encode())

    assert not any(good.encode() in text for text in written)


def test_an_outage_of_the_platform_is_told_once_and_recovered_from(
    controller: ControllerFolder, platform: PlatformProcess
) -> None:
    """While the platform is down nothing ends; once it is back slots start again."""
    process = controller.start()
    try:
        controller.event_when("sync_triggered")
        platform.kill9()
        controller.event_when("listing_failed")
        port = platform.base_url.rsplit(":", 1)[1]
        again = start_platform(
            platform.folder,
            (platform.folder / "connections.yaml").read_text(),
            options=("--listen", f"127.0.0.1:{port}"),
        )
        controller.event_when("listing_recovered")
        before = len([event for event in controller.events() if event["event"] == "sync_triggered"])
        wait_for(
            lambda: len([event for event in controller.events() if event["event"] == "sync_triggered"]),
            lambda count: count > before,
        )
        again.stop()
    finally:
        assert stop(process) == 0
    assert len([event for event in controller.events() if event["event"] == "listing_failed"]) <= 2
