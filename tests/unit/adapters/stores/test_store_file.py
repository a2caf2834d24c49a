"""What opening a store file does, and what it says when it cannot."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from controller.adapters.stores.sqlite import SqliteStore, StoreMode
from controller.adapters.stores.store_file import MIGRATIONS, SCHEMA_VERSION, StoreFile
from controller.errors import StoreUnavailable
from controller.model.identity import ClaimKey
from tests.unit.adapters.stores.samples import (
    ORDERS,
    acting,
    alter,
    job_of,
    minute,
    reading,
    run,
    slot,
    standing,
)

WRITTEN_BY_VERSION_1 = """
    INSERT INTO schedule (platform, connection_id, name, calendar_key, content, effective_since, watermark, generation)
    VALUES ('acme', 'orders', 'nightly', '[]', '{}', 1772366400000000, 1772366400000000, 1);
    INSERT INTO slot_record VALUES
    ('acme', 'orders', 1772366400000000, 'Triggered', 1772366400000000, 'nightly', NULL, '', '7', 0, NULL, 1, 'main@sha1:1');
    INSERT INTO attribution VALUES ('acme', '7', 'orders', 1772366400000000, 0);
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a store may be."""
    return tmp_path / "store.db"


def test_reading_what_is_not_there_creates_nothing(path: Path) -> None:
    """A reader of a missing file is told so, and no file appears."""
    with pytest.raises(StoreUnavailable, match=f"{path} does not exist: no controller has run"):
        reading(path)
    assert list(path.parent.iterdir()) == []


def test_reading_an_empty_file_says_what_to_do(path: Path) -> None:
    """A file without a schema is not taken for an empty store."""
    path.touch()
    with pytest.raises(StoreUnavailable, match="Start the controller once"):
        reading(path)


@pytest.mark.parametrize("mode", StoreMode)
def test_a_newer_file_is_left_alone(path: Path, mode: StoreMode) -> None:
    """A file of a newer version is refused with the advice to upgrade."""
    run(acting(path).close())
    alter(path, f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    with pytest.raises(StoreUnavailable, match=f"has version {SCHEMA_VERSION + 1}.* Upgrade this program"):
        SqliteStore.open(path, mode=mode)


def test_an_older_file_is_brought_up_to_date(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Opening for acting runs the scripts that a file lacks, each once; opening for reading does not."""
    run(acting(path).close())
    script = "CREATE TABLE later (n INTEGER); INSERT INTO later VALUES (1);"
    monkeypatch.setattr("controller.adapters.stores.store_file.MIGRATIONS", (*MIGRATIONS, script))
    monkeypatch.setattr("controller.adapters.stores.store_file.SCHEMA_VERSION", SCHEMA_VERSION + 1)
    with pytest.raises(StoreUnavailable, match="brings the file up to date"):
        reading(path)
    run(acting(path).close())
    run(acting(path).close())
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("SELECT count(*) FROM later").fetchone() == (1,)


def test_a_file_of_version_1_keeps_what_it_holds(path: Path) -> None:
    """What the first release wrote is there after the upgrade, and the new columns have their defaults."""
    with closing(sqlite3.connect(path)) as database:
        database.executescript(MIGRATIONS[0] + "PRAGMA user_version = 1;")
        database.executescript(WRITTEN_BY_VERSION_1)
    store = acting(path)
    now = standing(store, ORDERS, "7")
    assert (now.schedule, now.watermark, now.attributed) == ("nightly", minute(0), {"7": ClaimKey(slot(), 0)})
    assert (now.failures, now.last_success, now.fresh_since, now.walls) == (0, None, None, {})
    assert [(each.word, each.wall) for each in run(store.slots(ORDERS, 5))] == [("Triggered", "")]
    run(store.close())


def test_a_failed_migration_changes_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A script that fails half way leaves the file at its old version, usable by the old program."""
    run(acting(path).close())
    with monkeypatch.context() as patched:
        patched.setattr(
            "controller.adapters.stores.store_file.MIGRATIONS", (*MIGRATIONS, "DROP TABLE job; DROP TABLE no;")
        )
        patched.setattr("controller.adapters.stores.store_file.SCHEMA_VERSION", SCHEMA_VERSION + 1)
        with pytest.raises(StoreUnavailable, match="no such table: no"):
            acting(path)
    store = acting(path)
    run(store.save_jobs("acme", [job_of("1")]))
    run(store.close())


@pytest.mark.parametrize("mode", StoreMode)
def test_a_file_that_is_no_database_is_named(path: Path, mode: StoreMode) -> None:
    """Something else in the store's place is refused in words, with the cause chained, and is not touched."""
    text = "this is a letter to my aunt " * 50
    path.write_text(text)
    with pytest.raises(StoreUnavailable, match=f"{path} is not a SQLite database") as refused:
        SqliteStore.open(path, mode=mode)
    assert isinstance(refused.value.__cause__, sqlite3.DatabaseError)
    assert path.read_text() == text


def test_the_database_of_another_program_is_left_alone(path: Path) -> None:
    """A SQLite file with tables that are not ours gets none of ours."""
    alter(path, "CREATE TABLE theirs (n INTEGER)")
    with pytest.raises(StoreUnavailable, match="the database of another program"):
        acting(path)


@pytest.mark.parametrize("mode", StoreMode)
def test_a_damaged_file_is_named(path: Path, mode: StoreMode) -> None:
    """Pages that make no sense become ``StoreUnavailable`` with advice, not an exception of sqlite3."""
    run(acting(path).close())
    whole = path.read_bytes()
    path.write_bytes(whole[:100] + b"\xff" * (len(whole) - 100))
    with pytest.raises(StoreUnavailable, match=f"{path} is damaged. Put a backup in its place"):
        SqliteStore.open(path, mode=mode)


@pytest.mark.parametrize("mode", StoreMode)
def test_a_directory_is_no_store(tmp_path: Path, mode: StoreMode) -> None:
    """A directory in the place of the file is refused with an example of what to write."""
    with pytest.raises(StoreUnavailable, match=f"{tmp_path} is a directory. Name a file in it"):
        SqliteStore.open(tmp_path, mode=mode)


def test_missing_directories_are_made(tmp_path: Path) -> None:
    """The controller makes the directory of its store; where it cannot, it says so."""
    run(acting(tmp_path / "a" / "b" / "store.db").close())
    (tmp_path / "file").touch()
    with pytest.raises(StoreUnavailable, match="cannot be made"):
        acting(tmp_path / "file" / "store.db")


def test_commits_are_durable_when_they_return(path: Path) -> None:
    """The file is opened with a write-ahead log and ``synchronous=FULL``: a power cut loses no acknowledged claim."""
    file = StoreFile.open(path, StoreMode.ACT)
    with file.reading() as database:
        found = [
            database.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout", "user_version")
        ]
    assert found == ["wal", 2, 1, 5_000, SCHEMA_VERSION]
    file.close()
