"""The connections that exist now: those of the file, as the API has changed them, and those that the API has made."""

import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from controller.embedded.connections_file import CONNECTIONS_MAX, FileConnection
from controller.embedded.definition import Command, ConnectionStatus, Movement, describe_errors
from controller.embedded.schedule import MANUAL_SCHEDULE
from controller.embedded.store import Origin, Store, StoredConnection

WORKSPACE_ID = "ws_embedded"  # there is only one

# Accepted, kept and shown, without any effect here.
_EXTRA_FIELDS = ("namespace_definition", "namespace_format", "prefix", "non_breaking_schema_updates_behavior")


class InvalidConfigurationError(Exception):
    """A connection cannot be configured like that; the text says which key."""


@dataclass(frozen=True, slots=True)
class Connection:
    """One connection. `work` has absolute paths; `configurations` is what clients see; `extra` was accepted and is kept."""

    connection_id: str
    origin: Origin
    name: str
    source_id: str
    destination_id: str
    status: ConnectionStatus
    schedule: Mapping[str, Any]
    configurations: Mapping[str, Any]
    work: Movement | Command
    extra: Mapping[str, Any]


class Catalogue:
    """All connections by id, in the file's order and then in the order of their creation."""

    def __init__(self, store: Store, data_directory: Path, state_directory: Path) -> None:
        self._store = store
        self._data_directory = data_directory.resolve()
        self._state_directory = state_directory.resolve()
        self._from_file: dict[str, FileConnection] = {}
        self._connections: dict[str, Connection] = {}
        self._tell: Callable[[], None] | None = None

    def subscribe(self, tell: Callable[[], None]) -> None:
        """Call a function after every change."""
        self._tell = tell

    def take_file(self, connections: list[FileConnection]) -> None:
        """Replace what the file says. What the API changed on connections that are still there stays; on others it is forgotten."""
        self._from_file = {one.connection_id: one for one in connections}
        gone = [
            stored.connection_id
            for stored in self._store.connections()
            if stored.origin == "file" and stored.connection_id not in self._from_file
        ]
        self._store.forget_connections(gone)
        self._rebuild()

    def all(self) -> list[Connection]:
        """Return every connection."""
        return list(self._connections.values())

    def get(self, connection_id: str) -> Connection | None:
        """Return one connection, or None."""
        return self._connections.get(connection_id)

    def work_of(self, connection_id: str) -> Movement | Command | None:
        """Return what a connection's jobs do, or None when it does not exist."""
        connection = self._connections.get(connection_id)
        return None if connection is None else connection.work

    def create(self, fields: Mapping[str, Any]) -> Connection:
        """Make a connection from the fields of a request (snake_case).

        Raises:
            InvalidConfigurationError: its configurations are missing or wrong, or there are too many connections.
        """
        if len(self._connections) >= CONNECTIONS_MAX:
            raise InvalidConfigurationError(f"there are {CONNECTIONS_MAX} connections, and no more are possible")
        connection_id = f"conn_{secrets.token_hex(8)}"
        self._check_movement(connection_id, fields.get("configurations"))
        return self._keep(StoredConnection(connection_id, "api", is_deleted=False, fields=dict(fields)))

    def update(self, connection: Connection, changes: Mapping[str, Any]) -> Connection:
        """Change some fields (snake_case) of a connection; the change outlives restarts.

        Raises:
            InvalidConfigurationError: the new configurations are wrong, or the file alone may change them.
        """
        if "configurations" in changes:
            if connection.origin == "file":
                raise InvalidConfigurationError(
                    "configurations: this connection is defined in the connections file, change it there"
                )
            self._check_movement(connection.connection_id, changes["configurations"])
        stored = {one.connection_id: one for one in self._store.connections()}.get(connection.connection_id)
        fields = {**(stored.fields if stored is not None else {}), **changes}
        return self._keep(
            StoredConnection(connection.connection_id, connection.origin, is_deleted=False, fields=fields)
        )

    def delete(self, connection: Connection) -> None:
        """Remove a connection; one of the file stays away until the file has been without it once."""
        if connection.origin == "api":
            self._store.forget_connections([connection.connection_id])
        else:
            self._store.put_connection(StoredConnection(connection.connection_id, "file", is_deleted=True, fields={}))
        self._rebuild()

    def _keep(self, stored: StoredConnection) -> Connection:
        self._store.put_connection(stored)
        self._rebuild()
        return self._connections[stored.connection_id]

    def _rebuild(self) -> None:
        known = {stored.connection_id: stored for stored in self._store.connections()}
        rebuilt: dict[str, Connection] = {}
        for connection_id, defined in self._from_file.items():
            stored = known.get(connection_id)
            if stored is None or (stored.origin == "file" and not stored.is_deleted):
                rebuilt[connection_id] = _from_file(defined, {} if stored is None else stored.fields)
        for stored in known.values():
            if stored.origin == "api":
                rebuilt[stored.connection_id] = self._from_api(stored)
        self._connections = rebuilt
        if self._tell is not None:
            self._tell()

    def _from_api(self, stored: StoredConnection) -> Connection:
        fields = stored.fields
        movement = Movement.model_validate(fields["configurations"])
        return Connection(
            connection_id=stored.connection_id,
            origin="api",
            name=fields.get("name") or stored.connection_id,
            source_id=fields["source_id"],
            destination_id=fields.get("destination_id") or f"dst_{stored.connection_id}",
            status=fields.get("status") or "active",
            schedule=fields.get("schedule") or MANUAL_SCHEDULE,
            configurations=fields["configurations"],
            work=movement.placed_in(self._data_directory),
            extra=_extra(fields),
        )

    def _check_movement(self, connection_id: str, configurations: object) -> None:
        if not isinstance(configurations, dict):
            raise InvalidConfigurationError("configurations: needs a source and a destination")
        if "command" in configurations:
            raise InvalidConfigurationError("configurations.command: only the connections file can define a command")
        try:
            movement = Movement.model_validate(configurations)
        except ValidationError as error:
            place, text = describe_errors(error.errors())[0]
            raise InvalidConfigurationError(".".join(filter(None, ("configurations", place))) + f": {text}") from error
        for path in movement.paths():
            self._check_path(path)
        target = _target(movement.placed_in(self._data_directory))
        for other in self._connections.values():
            if (
                other.connection_id != connection_id
                and isinstance(other.work, Movement)
                and _target(other.work) == target
            ):
                raise InvalidConfigurationError(
                    f"configurations.destination: {other.connection_id} writes this table already"
                )

    def _check_path(self, text: str) -> None:
        """Keep clients of the API inside the data directory, and out of the platform's own files in it."""
        path = Path(text)
        if path.is_absolute() or ".." in path.parts:
            raise InvalidConfigurationError(f"configurations: path {text!r} must stay under the data directory")
        place = (self._data_directory / path).resolve()
        if not place.is_relative_to(self._data_directory) or place.is_relative_to(self._state_directory):
            raise InvalidConfigurationError(f"configurations: path {text!r} must stay under the data directory")


def _from_file(defined: FileConnection, changes: Mapping[str, Any]) -> Connection:
    movement = defined.movement
    work: Movement | Command
    if defined.command is not None:
        work = defined.command
        # Its environment may hold secrets, so it is not shown.
        shown = {"command": defined.command.model_dump(mode="json", include={"sync", "reset"}, exclude_none=True)}
    elif movement is not None:
        work, shown = movement, movement.model_dump(mode="json", exclude_none=True)
    else:
        raise ValueError(f"{defined.connection_id} has nothing to do")
    return Connection(
        connection_id=defined.connection_id,
        origin="file",
        name=changes.get("name") or defined.name or defined.connection_id,
        source_id=defined.source_id or f"src_{defined.connection_id}",
        destination_id=defined.destination_id or f"dst_{defined.connection_id}",
        status=changes.get("status") or defined.status,
        schedule=changes.get("schedule") or (defined.schedule.shown() if defined.schedule else MANUAL_SCHEDULE),
        configurations=shown,
        work=work,
        extra=_extra(changes),
    )


def _extra(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: fields[name] for name in _EXTRA_FIELDS if fields.get(name) is not None}


def _target(movement: Movement) -> tuple[str, str]:
    # SQLite does not tell table names apart by letter case.
    return os.path.realpath(movement.destination.path), movement.destination.table.lower()
