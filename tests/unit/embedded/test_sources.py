"""What comes out of the built-in sources, and what stops them."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from controller.embedded.worker.rows import Row, TransferError, key_from_text, order_of
from controller.embedded.worker.sources import open_rows


def read(source: dict[str, Any], after: float | str | None = None) -> list[dict[str, Any]]:
    """Read a whole source; requests to commit are left out."""
    return [dict(row.values) for row in open_rows(source, after) if isinstance(row, Row)]


def test_a_csv_value_stays_the_text_that_it_is(tmp_path: Path) -> None:
    """Zeros, quotes, line breaks inside quotes and a byte order mark: the text of a field arrives as meant, blank lines do not."""
    path = tmp_path / "a.csv"
    path.write_bytes('\ufeffid,note\r\n007,"two\nlines, ""quoted"""\r\n\r\n8,\r\n'.encode())
    assert read({"type": "csv", "path": str(path)}) == [
        {"id": "007", "note": 'two\nlines, "quoted"'},
        {"id": "8", "note": ""},
    ]


def test_bytes_are_those_of_the_source(tmp_path: Path) -> None:
    """A row weighs the bytes of its own lines in the file, the header is nobody's."""
    path = tmp_path / "a.csv"
    path.write_text('id,name\n1,"a\nb"\n2,\u00e9\n')
    assert [row.size_bytes for row in open_rows({"type": "csv", "path": str(path)}, None) if row] == [8, 5]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"a,b\n1\n", "a.csv line 2: 1 fields, the header has 2"),
        (b"a,b\n1,2\n1,2,3\n", "line 3: 3 fields"),
        (b"a,A\n1,2\n", "'A' appears twice"),
        (b"a,\n1,2\n", "no usable name"),
        (b"a\n\xff\n", "line 2: 'utf-8' codec"),
        (b'a\n"open\n', "unexpected end of data"),
    ],
)
def test_a_csv_that_cannot_be_read_says_where(tmp_path: Path, content: bytes, reason: str) -> None:
    """A file that is not what it should be stops the job with its name and line, and no row is guessed."""
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(TransferError) as caught:
        read({"type": "csv", "path": str(tmp_path / "a.csv")})
    assert reason in str(caught.value)


def test_jsonl_values_are_stored_as_sqlite_can(tmp_path: Path) -> None:
    """Numbers stay numbers, nested values become JSON text, an integer beyond 64 bits becomes text instead of an error."""
    path = tmp_path / "a.jsonl"
    path.write_text('{"n": 1.5, "b": true, "o": {"x": "\u00e9"}, "big": 9223372036854775808, "none": null}\n\n')
    assert read({"type": "jsonl", "path": str(path)}) == [
        {"n": 1.5, "b": True, "o": '{"x": "\u00e9"}', "big": "9223372036854775808", "none": None}
    ]


@pytest.mark.parametrize(
    ("line", "reason"),
    [("[1]", "not a JSON object"), ("{", "line 1"), ('{"a": NaN}', "NaN"), ('{"a": 1, "A": 2}', "twice")],
)
def test_a_jsonl_line_that_is_no_object_says_where(tmp_path: Path, line: str, reason: str) -> None:
    """A line that is not one JSON object with usable names stops the job with its number."""
    (tmp_path / "a.jsonl").write_text(line + "\n")
    with pytest.raises(TransferError, match=reason):
        read({"type": "jsonl", "path": str(tmp_path / "a.jsonl")})


def test_a_cursor_puts_a_file_in_order_and_leaves_out_the_past(tmp_path: Path) -> None:
    """Rows come in cursor order whatever the file's order, numbers as numbers, from the given value on, it included."""
    (tmp_path / "a.csv").write_text("id\n10\n9\n100\n11\n10\n")
    source = {"type": "csv", "path": str(tmp_path / "a.csv"), "cursor": "id"}
    assert [row["id"] for row in read(source)] == ["9", "10", "10", "11", "100"]
    assert [row["id"] for row in read(source, 10)] == ["10", "10", "11", "100"]


@pytest.mark.parametrize("value", ["", "null"])
def test_a_row_without_a_cursor_value_stops_the_job(tmp_path: Path, value: str) -> None:
    """A row that has no place in the order would be lost silently later, so it is an error now."""
    csv, jsonl = tmp_path / "a.csv", tmp_path / "a.jsonl"
    csv.write_text("id,at\n1,\n")
    jsonl.write_text(json.dumps({"id": 1, "at": value or None}) + "\n" if value == "" else '{"id": 1}\n')
    for source in ({"type": "csv", "path": str(csv)}, {"type": "jsonl", "path": str(jsonl)}):
        with pytest.raises(TransferError, match="no usable value for the cursor 'at'"):
            read({**source, "cursor": "at"})


def test_numbers_come_before_text() -> None:
    """The order of cursor values is SQLite's own, so that sorting there and comparing here agree."""
    keys = ["b", 10, "a", 9.5, "10x", -3]
    with closing(sqlite3.connect(":memory:")) as database:
        database.execute("CREATE TABLE t (k)")
        database.executemany("INSERT INTO t VALUES (?)", [(key,) for key in keys])
        theirs = [key for (key,) in database.execute("SELECT k FROM t ORDER BY k")]
    assert sorted(keys, key=order_of) == theirs  # type: ignore[arg-type]
    assert [key_from_text(text) for text in ("12", "-1.5", "007", "1e5", "2026-01-01", "1" * 19)] == [
        12,
        -1.5,
        7,
        "1e5",
        "2026-01-01",
        "1" * 19,
    ]


def table(folder: Path, definition: str, rows: list[tuple[Any, ...]]) -> dict[str, Any]:
    """Make a SQLite source."""
    path = folder / "source ?%.db"
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(f"CREATE TABLE t {definition}")
        marks = ", ".join("?" * len(rows[0]))
        database.executemany(f"INSERT INTO t VALUES ({marks})", rows)
    return {"type": "sqlite", "path": str(path), "table": "t"}


def test_a_table_is_read_in_cursor_order_by_bytes(tmp_path: Path) -> None:
    """A column that ignores letter case is ordered by its bytes all the same, or ties would mean two different things."""
    source = table(tmp_path, "(k TEXT COLLATE NOCASE)", [("b",), ("A",), ("a",), ("B",)])
    assert [row["k"] for row in read({**source, "cursor": "k"})] == ["A", "B", "a", "b"]
    assert [row["k"] for row in read({**source, "cursor": "k"}, "a")] == ["a", "b"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"cursor": "k"}, "has no value for the cursor"),
        ({"table": "missing"}, "no such table"),
        ({"cursor": "missing"}, "missing"),
        ({"path": "/nowhere.db"}, "does not exist"),
    ],
)
def test_a_table_that_cannot_be_read_says_why(tmp_path: Path, change: dict[str, str], reason: str) -> None:
    """A missing file, table, column or cursor value stops the job with a sentence."""
    source = table(tmp_path, "(k)", [(1,), (None,)])
    with pytest.raises(TransferError, match=reason):
        read({**source, **change})


def test_a_source_table_is_never_written(tmp_path: Path) -> None:
    """The source's file is opened read-only and is byte for byte what it was."""
    source = table(tmp_path, "(k)", [(1,)])
    before = Path(source["path"]).read_bytes()
    read(source)
    assert Path(source["path"]).read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["source ?%.db"]


def test_generated_rows_go_on_after_the_cursor() -> None:
    """Each sync of a generator brings as many rows as asked, numbered on from the last one."""
    source = {"type": "generator", "rows": 3}
    assert [row["id"] for row in read(source)] == [1, 2, 3]
    assert [row["id"] for row in read(source, 3)] == [4, 5, 6]
