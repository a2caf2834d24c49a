"""`mainspring verify` beside a real controller and a real platform: clean as they are, and not after somebody spoils the store."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.controller_process import ControllerFolder, controller_folder, stop
from tests.e2e.embedded_process import start_platform, wait_for

CONNECTIONS = """connections:
  - connectionId: conn_quick
    source: {type: generator, rows: 10}
    destination: {path: out/quick.db, table: rows}
"""

SPEC = """apiVersion: mainspring.dev/v1
kind: SyncSchedule
metadata: {name: quick}
spec:
  connectionId: conn_quick
  schedules:
    - every: 5s
"""

MICROS = 1_000_000
OVER_AFTER = 5 + 12 + 60 + 2
"""Seconds after a slot of this schedule from which on its absence is an offence: its window, T_resolve, and what is forgiven."""

TRIGGERED = "SELECT scheduled_at FROM slot_record WHERE outcome = 'Triggered' ORDER BY scheduled_at"


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControllerFolder]:
    """What a controller left that started three slots; its platform is still there."""
    root = tmp_path_factory.mktemp("verify")
    (root / "platform").mkdir()
    (root / "specs").mkdir()
    (root / "specs" / "quick.yaml").write_text(SPEC)
    platform = start_platform(root / "platform", CONNECTIONS)
    try:
        folder = controller_folder(root / "controller", platform, root / "specs")
        process = folder.start()
        try:
            wait_for(lambda: started(folder), has_three)
        finally:
            stop(process)
        yield folder
    finally:
        platform.stop()


def started(folder: ControllerFolder) -> list[int]:
    """The slots that were started so far, in seconds since the epoch."""
    if not folder.store.exists():
        return []
    with closing(sqlite3.connect(f"file:{folder.store}?mode=ro", uri=True)) as database:
        try:
            return [at // MICROS for (at,) in database.execute(TRIGGERED)]
        except sqlite3.OperationalError:
            return []


def has_three(slots: list[int]) -> bool:
    """Whether enough happened."""
    return len(slots) >= 3


def spoiled(ran: ControllerFolder, tmp_path: Path, *statements: str) -> ControllerFolder:
    """The same folder with a copy of the store in which somebody wrote; the triggers that refuse that are gone."""
    copy = tmp_path / "spoiled.db"
    with closing(sqlite3.connect(ran.store)) as source, closing(sqlite3.connect(copy)) as database:
        source.backup(database)
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            database.execute(statement)
        database.commit()
    return replace(ran, store=copy)


def verdict(folder: ControllerFolder, at: int | None = None, code: int = 0) -> dict[str, Any]:
    """The JSON document of the command."""
    when = () if at is None else ("--at", datetime.fromtimestamp(at, UTC).isoformat())
    done = folder.command("verify", "--since", "1h", "--store", str(folder.store), *when, "-o", "json", code=code)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def rfc3339(at: int) -> str:
    """As the documents write it."""
    return datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")


def test_what_a_controller_left_is_as_it_should_be(ran: ControllerFolder) -> None:
    """Every slot has its one record and its job, and the page says so."""
    found = verdict(ran)
    assert found.pop("slots") >= 3
    assert found == {"doubled": [], "missed_silently": [], "unexplained": []}
    assert "each has its one record and its job" in ran.command("verify").stdout


def deleted(at: int) -> str:
    """Nobody remembers a slot."""
    return f"DELETE FROM slot_record WHERE scheduled_at = {at * MICROS}"


def stretched(at: int) -> str:
    """The record before a slot speaks for that slot as well."""
    return f"UPDATE slot_record SET through = {at * MICROS}, count = 2 WHERE scheduled_at = {(at - 5) * MICROS}"


def invented(at: int) -> str:
    """A slot claims a job that nobody has."""
    return f"UPDATE slot_record SET job_id = 'job_of_nobody' WHERE scheduled_at = {at * MICROS}"


def shared(at: int) -> str:
    """A slot has the job of the slot before it as well as its own."""
    return (
        "UPDATE attribution SET scheduled_at ="
        f" {at * MICROS} WHERE job_id = (SELECT job_id FROM slot_record WHERE scheduled_at = {(at - 5) * MICROS})"
    )


@pytest.mark.parametrize(
    ("spoil", "where"),
    [(deleted, "missed_silently"), (stretched, "doubled"), (invented, "unexplained"), (shared, "doubled")],
)
def test_a_spoiled_store_is_told(
    ran: ControllerFolder, tmp_path: Path, spoil: Callable[[int], str], where: str
) -> None:
    """A record that is gone, one too many, a job of nobody, two jobs of one slot: each is found, and names its slot."""
    slot = started(ran)[1]
    found = verdict(spoiled(ran, tmp_path, spoil(slot)), slot + OVER_AFTER, code=1)
    assert [row["scheduled_at"] for row in found[where]] == [rfc3339(slot)]
    assert found[where][0]["schedule"] == "quick"


def test_a_store_that_nobody_made_is_refused(ran: ControllerFolder, tmp_path: Path) -> None:
    """Without a store there is nothing to compare, which is no success."""
    done = ran.command("verify", "--store", str(tmp_path / "none.db"), code=1)
    assert "does not exist" in done.stderr
