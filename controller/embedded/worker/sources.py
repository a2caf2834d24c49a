"""Where rows come from: CSV and JSONL files, a SQLite table, or a generator. Everything is read as a stream, never held whole."""

import csv
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from controller.embedded.clock import monotonic_seconds, sleep_seconds
from controller.embedded.worker.rows import (
    SQLITE_INTEGER_MAX,
    Key,
    Row,
    TransferError,
    Value,
    check_columns,
    key_from_text,
    order_of,
    quoted,
)

# In a stream of rows this asks for a commit of what came before it, because the next row may be long in coming.
COMMIT_NOW = None
RowStream = Iterator[Row | None]

STAGE_CACHE_KIB = 512  # it is written and read once, in order; more would only make every job larger
HANG_STEP_SECONDS = 60.0  # how long a hanging job sleeps at a time; signals end it at once


def open_rows(source: dict[str, Any], after: Key | None) -> RowStream:
    """Stream a source's rows: with a cursor in its order from `after` on (rows equal to it included), else in the file's order.

    Raises:
        TransferError: while opening or while streaming; the file is missing, a line cannot be read, a row has no cursor value.
    """
    kind = source["type"]
    if kind == "generator":
        return generated_rows(source, after)
    if not Path(source["path"]).is_file():
        raise TransferError(f"source file {source['path']} does not exist")
    if kind == "sqlite":
        return table_rows(source, after)
    rows = csv_rows(source) if kind == "csv" else jsonl_rows(source)
    return in_cursor_order(rows, after) if source.get("cursor") else rows


def csv_rows(source: dict[str, Any]) -> Iterator[Row]:
    """Stream a CSV file with a header line; values stay the text that they are, so 007 keeps its zeros."""
    path, cursor = Path(source["path"]), source.get("cursor")
    with path.open("rb") as file:
        weighed = _WeighedLines(file)
        reader = csv.reader(weighed, strict=True)
        try:
            header = next(reader, [])
            check_columns(header, f"{path.name} line 1")
            weighed.take_size()
            for fields in reader:
                size = weighed.take_size()
                if not fields:
                    continue  # a blank line
                where = f"{path.name} line {reader.line_num}"
                if len(fields) != len(header):
                    raise TransferError(f"{where}: {len(fields)} fields, the header has {len(header)}")
                values: dict[str, Value] = dict(zip(header, fields, strict=True))
                yield Row(values, key=_cursor_key(values, cursor, where), size_bytes=size)
        except (csv.Error, UnicodeDecodeError) as error:
            raise TransferError(f"{path.name} line {reader.line_num + 1}: {error}") from error


class _WeighedLines:
    """The lines of a UTF-8 file (a byte order mark is dropped), which adds up their bytes as they are taken."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self._size = 0
        self._is_first = True

    def __iter__(self) -> "_WeighedLines":
        return self

    def __next__(self) -> str:
        line: bytes = next(self._file)
        self._size += len(line)
        text = line.decode("utf-8-sig" if self._is_first else "utf-8")
        self._is_first = False
        return text

    def take_size(self) -> int:
        """Return the bytes read since the last call."""
        size, self._size = self._size, 0
        return size


def jsonl_rows(source: dict[str, Any]) -> Iterator[Row]:
    """Stream a file with one JSON object per line; objects and lists inside are kept as JSON text."""
    path, cursor = Path(source["path"]), source.get("cursor")
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            where = f"{path.name} line {number}"
            try:
                document = json.loads(
                    line.decode("utf-8-sig" if number == 1 else "utf-8"), parse_constant=_refuse_constant
                )
            except ValueError as error:
                raise TransferError(f"{where}: {error}") from error
            if not isinstance(document, dict):
                raise TransferError(f"{where}: not a JSON object")
            check_columns(document, where)
            values = {name: _storable(value) for name, value in document.items()}
            yield Row(values, key=_cursor_key(values, cursor, where), size_bytes=len(line))


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _storable(value: Any) -> Value:
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, int) and abs(value) > SQLITE_INTEGER_MAX:
        return str(value)
    return value if value is None or isinstance(value, int | float | str) else str(value)


def _cursor_key(values: dict[str, Value], cursor: str | None, where: str) -> Key | None:
    if cursor is None:
        return None
    value = values.get(cursor)
    # Without a place in the order a row could be neither loaded once for certain nor left out silently.
    if value is None or value == "" or isinstance(value, bytes):
        raise TransferError(f"{where}: no usable value for the cursor {cursor!r}")
    return value


def in_cursor_order(rows: Iterator[Row], after: Key | None) -> Iterator[Row]:
    """Sort rows by their cursor on disk, since files come in any order and of any size.

    A CSV's plain numbers sort as numbers. SQLite does the sorting in a private temporary file, which vanishes with the process.
    """
    with sqlite3.connect("", isolation_level=None) as stage:
        stage.execute(f"PRAGMA cache_size = -{STAGE_CACHE_KIB}")
        stage.execute("CREATE TABLE stage (key, position INTEGER PRIMARY KEY, size INTEGER, content TEXT)")
        stage.execute("BEGIN")
        stage.executemany("INSERT INTO stage (key, size, content) VALUES (?, ?, ?)", _from_cursor_on(rows, after))
        for key, size, content in stage.execute("SELECT key, size, content FROM stage ORDER BY key, position"):
            yield Row(json.loads(content), key=key, size_bytes=size)


def _from_cursor_on(rows: Iterator[Row], after: Key | None) -> Iterator[tuple[Key, int, str]]:
    floor = None if after is None else order_of(after)
    for row in rows:
        if row.key is None:
            continue
        key = key_from_text(row.key) if isinstance(row.key, str) else row.key
        if floor is None or order_of(key) >= floor:
            yield key, row.size_bytes, json.dumps(row.values, ensure_ascii=False)


def table_rows(source: dict[str, Any], after: Key | None) -> Iterator[Row]:
    """Stream a SQLite table, opened read-only: one snapshot, however long it takes and whoever writes meanwhile."""
    table, cursor = source["table"], source.get("cursor")
    database = sqlite3.connect(f"file:{quote(source['path'])}?mode=ro", uri=True)
    try:
        parameters: tuple[Key, ...] = ()
        statement = f"SELECT * FROM {quoted(table)}"  # noqa: S608  quoted
        if cursor is not None:
            # BINARY, because ties must mean the same here as in the destination, whatever the column's collation is.
            column = f"{quoted(cursor)} COLLATE BINARY"
            missing = database.execute(
                f"SELECT 1 FROM {quoted(table)} WHERE {quoted(cursor)} IS NULL LIMIT 1"  # noqa: S608
            ).fetchone()
            if missing:
                raise TransferError(f"table {table}: a row has no value for the cursor {cursor!r}")
            condition, parameters = ("", ()) if after is None else (f"WHERE {column} >= ?", (after,))
            statement += f" {condition} ORDER BY {column}"
        found = database.execute(statement, parameters)
        names = [description[0] for description in found.description]
        check_columns(names, f"table {table}")
        for fields in found:
            values: dict[str, Value] = dict(zip(names, fields, strict=True))
            size = sum(len(value) if isinstance(value, bytes) else len(str(value).encode()) for value in fields)
            yield Row(values, key=_cursor_key(values, cursor, f"table {table}"), size_bytes=size)
    except sqlite3.Error as error:
        raise TransferError(f"source {Path(source['path']).name}: {error}") from error
    finally:
        database.close()


def generated_rows(source: dict[str, Any], after: Key | None) -> RowStream:
    """Make up the next rows after the one numbered `after`, at a given rate, and fail or hang where the source says so."""
    first = (after if isinstance(after, int) else 0) + 1
    rate, started_at = source.get("rows_per_second"), monotonic_seconds()
    for position in range(1, source["rows"] + 1):
        if rate is not None:
            ahead = started_at + position / rate - monotonic_seconds()
            if ahead > 0:
                sleep_seconds(ahead)
        if position == source.get("fail_at_row"):
            raise TransferError(f"the source failed at row {position}, as it was told to")
        if position == source.get("hang_at_row"):
            yield COMMIT_NOW
            _hang()
        number = first + position - 1
        values: dict[str, Value] = {"id": number, "name": f"row {number}", "amount": number * 37 % 10_000 / 100}
        yield Row(values, key=number, size_bytes=len(json.dumps(values)))


def _hang() -> None:
    while True:
        sleep_seconds(HANG_STEP_SECONDS)
