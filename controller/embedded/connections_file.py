"""Read the connections file: YAML, checked as a whole before any of it counts."""

import os
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field, ValidationError, model_validator

from controller.embedded.definition import (
    BothStyles,
    Command,
    ConnectionStatus,
    Destination,
    Identifier,
    Movement,
    Source,
    describe_errors,
)
from controller.embedded.schedule import Schedule

FILE_BYTES_MAX = 4 * 1024 * 1024  # some ten thousand connections
CONNECTIONS_MAX = 10_000
WORKERS_MAX = 64  # each is a process of its own
WORKERS_DEFAULT = 2


class ConnectionsFileError(Exception):
    """The file cannot be used; the text names the file and, where there is one, the key."""


class FileConnection(BothStyles):
    """One connection as the file describes it; after loading its paths are absolute."""

    connection_id: Identifier
    name: str | None = None
    source: Source | None = None
    destination: Destination | None = None
    command: Command | None = None
    status: ConnectionStatus = "active"
    schedule: Schedule | None = None
    source_id: Identifier | None = None
    destination_id: Identifier | None = None

    @model_validator(mode="after")
    def _check_work(self) -> "FileConnection":
        if self.command is None:
            if self.source is None or self.destination is None:
                raise ValueError("needs a source and a destination, or a command")
        elif self.source is not None or self.destination is not None:
            raise ValueError("has a command, so it cannot have a source or a destination")
        return self

    @property
    def movement(self) -> Movement | None:
        """Its source and destination; None for a command."""
        if self.source is None or self.destination is None:
            return None
        return Movement.model_construct(source=self.source, destination=self.destination)

    def placed_in(self, folder: Path) -> "FileConnection":
        """Return the same with absolute paths, relative ones taken from `folder`."""
        if self.command is not None:
            command = self.command.model_copy(update={"directory": str(folder / self.command.directory)})
            return self.model_copy(update={"command": command})
        movement = self.movement
        if movement is None:
            return self
        placed = movement.placed_in(folder)
        return self.model_copy(update={"source": placed.source, "destination": placed.destination})


class ConnectionsFile(BothStyles):
    """The whole file: how many jobs may run at once, and the connections."""

    workers: int = Field(default=WORKERS_DEFAULT, ge=1, le=WORKERS_MAX)
    connections: list[FileConnection] = Field(default_factory=list, max_length=CONNECTIONS_MAX)

    @model_validator(mode="after")
    def _check_doubles(self) -> "ConnectionsFile":
        ids: set[str] = set()
        targets: dict[tuple[str, str], str] = {}
        for connection in self.connections:
            if connection.connection_id in ids:
                raise ValueError(f"connectionId {connection.connection_id} appears twice")
            ids.add(connection.connection_id)
            if connection.destination is None:
                continue
            # Two syncs into one table would each take the other's rows for its own.
            target = (os.path.normpath(connection.destination.path), connection.destination.table.lower())
            if target in targets:
                raise ValueError(f"{connection.connection_id} and {targets[target]} have the same destination")
            targets[target] = connection.connection_id
        return self


def load_connections(path: Path) -> ConnectionsFile:
    """Read and check the file; relative paths in it are taken from its own folder.

    Raises:
        ConnectionsFileError: it cannot be read, is not YAML, or a key in it is wrong; all errors at once, one per line.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConnectionsFileError(f"{path}: {error.strerror}") from error
    if len(content) > FILE_BYTES_MAX:
        raise ConnectionsFileError(f"{path}: larger than {FILE_BYTES_MAX} bytes")
    try:
        document = yaml.load(content, Loader=_StrictLoader)  # noqa: S506  a SafeLoader
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise ConnectionsFileError(f"{path}: {error}") from error
    try:
        loaded = ConnectionsFile.model_validate({} if document is None else document)
    except ValidationError as error:
        lines = (
            f"{path}: {place}: {text}" if place else f"{path}: {text}"
            for place, text in describe_errors(error.errors())
        )
        raise ConnectionsFileError("\n".join(lines)) from error
    folder = path.resolve().parent
    return loaded.model_copy(update={"connections": [one.placed_in(folder) for one in loaded.connections]})


class _StrictLoader(yaml.SafeLoader):
    """A safe loader that refuses a key given twice, where YAML would silently keep the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002  theirs
        seen: set[str] = set()
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"key {key.value!r} appears twice", key.start_mark)
            if isinstance(key.value, str):
                seen.add(key.value)
        return super().construct_mapping(node, deep=deep)
