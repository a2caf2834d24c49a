"""What a built-in job leaves in its destination: nothing twice, nothing lost, nothing half."""

import sqlite3
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from controller.embedded.worker.destination import Destination
from controller.embedded.worker.rows import Row, TransferError
from controller.embedded.worker.transfer import transfer


class Work:
    """One CSV file, one destination table, and jobs between them."""

    def __init__(self, folder: Path, cursor: str | None = None, table: str = "t") -> None:
        self.file = folder / "source.csv"
        self.place = folder / "out/rows.db"
        self.table = table
        self.source: dict[str, Any] = {"type": "csv", "path": str(self.file), "cursor": cursor}
        self.reports: list[tuple[int, int]] = []

    def write(self, *lines: str) -> None:
        """Replace the source file."""
        self.file.write_text("\n".join(lines) + "\n")

    def sync(self, action: str = "sync") -> int:
        """Run a job and return the rows that it reported."""
        self.reports = []
        destination = {"path": str(self.place), "table": self.table}
        job = {"action": action, "source": self.source, "destination": destination}
        transfer(job, lambda rows, size_bytes: self.reports.append((rows, size_bytes)))
        return sum(rows for rows, _ in self.reports)

    def ask(self, statement: str) -> list[tuple[Any, ...]]:
        """Ask the destination."""
        with closing(sqlite3.connect(self.place)) as database, database:
            return database.execute(statement).fetchall()

    def rows(self) -> list[tuple[Any, ...]]:
        """Return the destination's rows in the order of arrival."""
        name = self.table.replace('"', '""')
        return self.ask(f'SELECT * FROM "{name}" ORDER BY rowid')


def test_new_rows_at_the_last_cursor_value_are_loaded_and_old_ones_are_not(tmp_path: Path) -> None:
    """Ties: rows that share the last value are told apart by content, wherever in the file they stand."""
    work = Work(tmp_path, cursor="at")
    work.write("id,at", "1,2026-01-01", "2,2026-01-02", "3,2026-01-02")
    assert work.sync() == 3
    work.write("id,at", "5,2026-01-03", "4,2026-01-02", "3,2026-01-02", "2,2026-01-02", "1,2026-01-01")
    assert work.sync() == 2
    assert [row[0] for row in work.rows()] == ["1", "2", "3", "4", "5"]
    assert work.sync() == 0


def test_equal_lines_are_as_many_as_in_the_source(tmp_path: Path) -> None:
    """Two lines that are alike are two rows; a third one that comes later is a third row."""
    work = Work(tmp_path, cursor="at")
    work.write("at", "1", "1")
    assert work.sync() == 2
    work.write("at", "1", "1", "1")
    assert work.sync() == 1
    assert work.rows() == [("1",)] * 3


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    batches=st.lists(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), max_size=6), min_size=1, max_size=5),
    chance=st.randoms(use_true_random=False),
)
def test_any_growing_file_arrives_exactly_once(
    tmp_path_factory: pytest.TempPathFactory, batches: Any, chance: Any
) -> None:
    """However a file grows at or after its newest cursor value, and however it is shuffled, its rows arrive as they are, once each."""
    work = Work(tmp_path_factory.mktemp("growing"), cursor="at")
    lines: list[str] = []
    newest = 0
    for batch in batches:
        lines += [f"{newest + step},{name}" for step, name in batch]
        newest += max((step for step, _ in batch), default=0)
        chance.shuffle(lines)
        work.write("at,name", *lines)
        work.sync()
        if lines:
            assert Counter(",".join(row) for row in work.rows()) == Counter(lines)


def test_pages_and_their_cursor_are_one(tmp_path: Path) -> None:
    """A source of many pages reports each, and a failure in a later one leaves rows and cursor equal."""
    work = Work(tmp_path)
    work.source = {"type": "generator", "rows": 1200, "fail_at_row": 1101}
    with pytest.raises(TransferError, match="failed at row 1101"):
        work.sync()
    assert [rows for rows, _ in work.reports] == [500, 500, 100]
    assert work.ask("SELECT last_value, rows FROM _mainspring_cursors") == [(1100, 1100)]
    assert work.ask("SELECT count(*), max(id) FROM t") == [(1100, 1100)]


def test_columns_grow_with_the_source(tmp_path: Path) -> None:
    """A new column is added, older rows have nothing in it, letter case does not make a new one, a vanished one stays empty."""
    work = Work(tmp_path, cursor="id")
    work.write("id,name", "1,a")
    work.sync()
    work.write("ID,id 2,Name", "2,x,b")
    work.source["cursor"] = "ID"
    with pytest.raises(TransferError, match="reset it first"):
        work.sync()
    work.write("id,mail,Name", "2,x,b")
    work.source["cursor"] = "id"
    work.sync()
    work.write("id,mail", "3,y")
    work.sync()
    assert work.rows() == [("1", "a", None), ("2", "b", "x"), ("3", None, "y")]


def test_without_a_cursor_a_sync_replaces_the_table(tmp_path: Path) -> None:
    """A full refresh leaves exactly the file's rows, and people's indexes and views of the table go on working."""
    work = Work(tmp_path)
    work.write("id,name", "1,a", "2,b")
    assert work.sync() == 2
    work.ask("CREATE INDEX mine ON t (id)")
    work.ask("CREATE VIEW names AS SELECT name FROM t")
    work.write("id,name,more", "2,b,", "3,c,x")
    assert work.sync() == 2
    assert work.rows() == [("2", "b", ""), ("3", "c", "x")]
    assert work.ask("SELECT * FROM names") == [("b",), ("c",)]
    assert work.ask("SELECT count(*) FROM sqlite_master WHERE name = 'mine'") == [(1,)]
    assert work.ask("SELECT rows FROM _mainspring_cursors") == [(2,)]


def test_a_replacement_that_fails_leaves_the_old_table_whole(tmp_path: Path) -> None:
    """Until the last row is there, readers see the old content; leftovers of the failed one do not reach the next."""
    work = Work(tmp_path)
    work.write("id", "1", "2")
    work.sync()
    work.write("id", *map(str, range(10, 700)), "too,many")
    with pytest.raises(TransferError, match="2 fields"):
        work.sync()
    assert work.reports
    assert work.rows() == [("1",), ("2",)]
    work.write("id", "3")
    work.sync()
    assert work.rows() == [("3",)]


def test_an_emptied_file_empties_the_table(tmp_path: Path) -> None:
    """A file without rows is a table without rows, and a first sync of one is no error."""
    work = Work(tmp_path)
    work.write("id")
    assert work.sync() == 0
    work.write("id", "1")
    work.sync()
    work.write("id")
    work.sync()
    assert work.rows() == []


def test_a_reset_clears_rows_cursor_and_ties(tmp_path: Path) -> None:
    """After a reset everything comes again, also from another kind of source; a reset of what never ran does nothing."""
    work = Work(tmp_path, cursor="at")
    work.sync("reset")
    assert not work.place.exists()
    work.write("at", "1", "1")
    work.sync()
    work.sync("reset")
    assert work.rows() == []
    assert work.ask("SELECT count(*) FROM _mainspring_ties") == [(0,)]
    assert work.sync() == 2
    work.sync("reset")
    work.source = {"type": "generator", "rows": 1}
    work.sync()
    assert work.ask("SELECT id FROM t") == [(1,)]


def test_a_table_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    """A table that no sync made is neither filled, nor replaced, nor cleared."""
    work = Work(tmp_path)
    work.place.parent.mkdir()
    work.ask("CREATE TABLE t (precious)")
    work.ask("INSERT INTO t VALUES (1)")
    work.write("id", "2")
    for action in ("sync", "reset"):
        with pytest.raises(TransferError, match="left alone"):
            work.sync(action)
    assert work.rows() == [(1,)]


def test_names_are_data(tmp_path: Path) -> None:
    """Quotes, semicolons and SQL in table and column names are part of the names and nothing else."""
    work = Work(tmp_path, cursor='a"; DROP TABLE x; --', table='t"); DROP TABLE t; --')
    work.write('"a""; DROP TABLE x; --","[b]"', "1,2")
    assert work.sync() == 1
    assert work.rows() == [("1", "2")]


def page(*keys: int) -> Sequence[Row]:
    """A page of rows that hold their own key."""
    return [Row({"id": key}, key=key, size_bytes=1) for key in keys]


def test_a_page_is_all_or_nothing(tmp_path: Path) -> None:
    """A page that fails after some of its rows were written leaves neither rows nor a moved cursor."""
    destination = Destination(tmp_path / "x.db", "t", "generator")
    destination.append(page(1, 2))
    impossible = Row({"id": object()}, key=4, size_bytes=1)  # type: ignore[dict-item]
    with pytest.raises(sqlite3.Error):
        destination.append([*page(3), impossible])
    destination.close()
    with closing(sqlite3.connect(tmp_path / "x.db")) as database:
        assert database.execute("SELECT id FROM t").fetchall() == [(1,), (2,)]
        assert database.execute("SELECT last_value, rows FROM _mainspring_cursors").fetchall() == [(2, 2)]


def test_a_second_writer_is_noticed(tmp_path: Path) -> None:
    """Of two processes that write one table only one moves the cursor; the other fails with all of its page undone."""
    first, second = (Destination(tmp_path / "x.db", "t", "generator") for _ in range(2))
    first.append(page(1, 2))
    with pytest.raises(TransferError, match="another process"):
        second.append(page(1, 2))
    first.append(page(3))
    first.close()
    second.close()
    with closing(sqlite3.connect(tmp_path / "x.db")) as database:
        assert database.execute("SELECT id FROM t").fetchall() == [(1,), (2,), (3,)]
