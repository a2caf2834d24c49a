"""The connections file: what it may say, and how it is told what it may not."""

from pathlib import Path

import pytest

from controller.embedded.connections_file import ConnectionsFileError, load_connections

GENERATED = "source: {type: generator, rows: 1}, destination: {path: a.db, table: t}"


def write(folder: Path, text: str) -> Path:
    """Write a connections file."""
    path = folder / "connections.yaml"
    path.write_text(text)
    return path


def test_paths_are_taken_from_the_files_own_folder(tmp_path: Path) -> None:
    """Relative paths start at the file's folder, wherever the process runs; absolute ones stay."""
    path = write(
        tmp_path,
        """
        workers: 3
        connections:
          - connectionId: a
            source: {type: csv, path: data/a.csv, cursor: at}
            destination: {path: /elsewhere/a.db, table: t}
          - connectionId: b
            command: {sync: [python, x.py], directory: jobs}
        """,
    )
    loaded = load_connections(path)
    assert loaded.workers == 3
    movement, command = loaded.connections[0].movement, loaded.connections[1].command
    assert movement
    assert command
    assert movement.paths() == (str(tmp_path / "data/a.csv"), "/elsewhere/a.db")
    assert (command.sync, command.directory) == (("python", "x.py"), str(tmp_path / "jobs"))


def test_both_key_styles_and_an_empty_file_are_fine(tmp_path: Path) -> None:
    """Keys may be camelCase or snake_case; a file that says nothing has no connections and two workers."""
    source = "source: {type: generator, rows: 1, rows_per_second: 5}, destination: {path: a.db, table: t}"
    loaded = load_connections(write(tmp_path, f"connections: [{{connection_id: a, {source}}}]"))
    assert loaded.connections[0].source is not None
    assert load_connections(write(tmp_path, "")).model_dump() == {"workers": 2, "connections": []}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("connections: [", "while parsing"),
        ("connections: {}", "connections: Input should be a valid list"),
        ("worker: 2", "worker: Extra inputs are not permitted"),
        ("workers: 0", "workers: Input should be greater than or equal to 1"),
        ('workers: "2"', "workers: Input should be a valid integer"),
        ("workers: 2\nworkers: 3", "key 'workers' appears twice"),
        ("- 1", "Input should be a valid dictionary"),
        (f"connections: [{{{GENERATED}}}]", "connections[0].connectionId: Field required"),
        (f"connections: [{{connectionId: '', {GENERATED}}}]", "connections[0].connectionId: "),
        (f"connections: [{{connectionId: a, colour: red, {GENERATED}}}]", "connections[0].colour: Extra inputs"),
        (f"connections: [{{connectionId: a, connection_id: a, {GENERATED}}}]", "given twice, in both spellings"),
        ("connections: [{connectionId: a}]", "connections[0]: needs a source and a destination, or a command"),
        (f"connections: [{{connectionId: a, command: {{sync: [x]}}, {GENERATED}}}]", "cannot have a source"),
        ("connections: [{connectionId: a, command: {sync: x.py}}]", "connections[0].command.sync: "),
        ("connections: [{connectionId: a, command: {sync: []}}]", "connections[0].command.sync: "),
        ("connections: [{connectionId: a, command: {sync: [x], environment: {A=B: c}}}]", "cannot name an environment"),
        ("connections: [{connectionId: a, command: {sync: [x], environment: {A: 1}}}]", "environment.A: "),
        (
            "connections: [{connectionId: a, source: {type: generator, rowsPerSecond: 1}, destination: {path: a, table: t}}]",
            "connections[0].source.rows: Field required",
        ),
        (
            "connections: [{connectionId: a, source: {type: generator, rows: 1, rowsPerSecond: x}, destination: {path: a, table: t}}]",
            "connections[0].source.rowsPerSecond: Input should be a valid number",
        ),
        (
            "connections: [{connectionId: a, source: {type: mysql}, destination: {path: a, table: t}}]",
            "connections[0].source: ",
        ),
        (
            "connections: [{connectionId: a, source: {type: generator, rows: 1}, destination: {path: a, table: _mainspring_x}}]",
            "connections[0].destination.table: names that begin with sqlite_ or _mainspring_ are reserved",
        ),
        (
            f"connections: [{{connectionId: a, {GENERATED}}}, {{connectionId: a, {GENERATED}}}]",
            "connectionId a appears twice",
        ),
        (
            f"connections: [{{connectionId: a, {GENERATED}}}, {{connectionId: b, {GENERATED}}}]",
            "have the same destination",
        ),
    ],
)
def test_a_wrong_file_names_the_file_and_the_key(tmp_path: Path, text: str, message: str) -> None:
    """Every error begins with the file's path and says where in it, in the words of the file."""
    path = write(tmp_path, text)
    with pytest.raises(ConnectionsFileError) as caught:
        load_connections(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert message in str(caught.value)


def test_all_errors_are_told_at_once(tmp_path: Path) -> None:
    """A file with two mistakes is complained about twice, a line each."""
    with pytest.raises(ConnectionsFileError) as caught:
        load_connections(
            write(tmp_path, "workers: 0\nconnections: [{connectionId: a, status: on, command: {sync: [x]}}]")
        )
    assert len(str(caught.value).splitlines()) == 2


def test_a_missing_or_huge_file_is_an_error(tmp_path: Path) -> None:
    """A file that is not there, and one too large to be meant, are refused before they are parsed."""
    with pytest.raises(ConnectionsFileError, match="No such file"):
        load_connections(tmp_path / "none.yaml")
    with pytest.raises(ConnectionsFileError, match="larger than"):
        load_connections(write(tmp_path, "#" * 5_000_000))
