"""The API's connections: list, get, create, change, pause, delete, how they stand and what happened to them."""

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from controller.embedded.access import require_access
from controller.embedded.catalogue import Catalogue, Connection, InvalidConfigurationError
from controller.embedded.clock import utc_now
from controller.embedded.envelope import ApiError, documented
from controller.embedded.jobs_routes import FORBIDDEN, LIMIT_DEFAULT, NOT_FOUND, TOO_LARGE, UNAUTHORIZED, Limit, Offset
from controller.embedded.runner import Runner
from controller.embedded.store import Page, Store
from controller.embedded.wire import (
    ConnectionAnswer,
    ConnectionFields,
    ConnectionList,
    CreateConnectionRequest,
    SyncStatus,
    Timeline,
    UpdateConnectionRequest,
    connection_answer,
    event_answer,
    job_answer,
)

EVENT_TYPE_LENGTH_MAX = 64

router = APIRouter(tags=["connections"], dependencies=[Depends(require_access)])


class Connections:
    """What the routes need, and the rules for changing a connection."""

    def __init__(self, store: Store, catalogue: Catalogue, runner: Runner) -> None:
        self.store = store
        self.catalogue = catalogue
        self._runner = runner

    def find(self, connection_id: str) -> Connection:
        """Return a connection or raise 404."""
        connection = self.catalogue.get(connection_id)
        if connection is None:
            raise ApiError(NOT_FOUND, "CONNECTOR_CONNECTION_NOT_FOUND", f"There is no connection {connection_id}.")
        return connection

    def create(self, body: CreateConnectionRequest) -> Connection:
        """Make a connection or raise 422."""
        try:
            connection = self.catalogue.create(_said(body))
        except InvalidConfigurationError as error:
            raise _invalid(error) from error
        self.store.add_event(connection.connection_id, "connection_created", utc_now(), {})
        return connection

    def update(self, connection_id: str, body: ConnectionFields) -> Connection:
        """Change a connection or raise 404, 422; jobs that run already are left alone."""
        connection = self.find(connection_id)
        changes = _said(body)
        if not changes:
            return connection
        try:
            connection = self.catalogue.update(connection, changes)
        except InvalidConfigurationError as error:
            raise _invalid(error) from error
        self.store.add_event(connection_id, "connection_updated", utc_now(), {"fields": sorted(changes)})
        return connection

    def delete(self, connection_id: str) -> None:
        """Remove a connection and cancel its active job, or raise 404; its jobs stay in the list."""
        self.catalogue.delete(self.find(connection_id))
        latest = self.store.latest_job(connection_id)
        if latest is not None and latest.is_active:
            self._runner.cancel(latest)


def _said(body: ConnectionFields) -> dict[str, Any]:
    said = body.model_dump(exclude_unset=True)
    # As it is shown: an expression with its zone, nothing that says nothing.
    return said | {"schedule": body.schedule.shown()} if "schedule" in said else said


def _invalid(error: InvalidConfigurationError) -> ApiError:
    return ApiError(HTTPStatus.UNPROCESSABLE_ENTITY, "CONNECTOR_INVALID_CONFIG", str(error))


def _connections(request: Request) -> Connections:
    connections: Connections = request.app.state.connections
    return connections


ConnectionsOfApp = Annotated[Connections, Depends(_connections)]


@router.get("/connections", responses=documented(UNAUTHORIZED, FORBIDDEN))
async def list_connections(
    connections: ConnectionsOfApp, limit: Limit = LIMIT_DEFAULT, offset: Offset = 0
) -> ConnectionList:
    """List connections: the file's in its order, then the API's, oldest first."""
    everything = connections.catalogue.all()
    page = everything[offset : offset + limit]
    return ConnectionList(data=[connection_answer(one) for one in page], total=len(everything))


@router.get("/connections/{connection_id}", responses=documented(UNAUTHORIZED, FORBIDDEN, NOT_FOUND))
async def get_connection(connection_id: str, connections: ConnectionsOfApp) -> ConnectionAnswer:
    """Get one connection."""
    return connection_answer(connections.find(connection_id))


@router.post("/connections", responses=documented(UNAUTHORIZED, FORBIDDEN, TOO_LARGE))
async def create_connection(body: CreateConnectionRequest, connections: ConnectionsOfApp) -> ConnectionAnswer:
    """Make a connection. It can move rows between files under the data directory; commands come from the connections file only."""
    return connection_answer(connections.create(body))


@router.patch("/connections/{connection_id}", responses=documented(UNAUTHORIZED, FORBIDDEN, NOT_FOUND, TOO_LARGE))
async def update_connection(
    connection_id: str, body: UpdateConnectionRequest, connections: ConnectionsOfApp
) -> ConnectionAnswer:
    """Change a connection; absent keys stay. `status: active` resumes a paused one."""
    return connection_answer(connections.update(connection_id, body))


@router.delete(
    "/connections/{connection_id}",
    status_code=HTTPStatus.NO_CONTENT,
    responses=documented(UNAUTHORIZED, FORBIDDEN, NOT_FOUND),
)
async def delete_connection(connection_id: str, connections: ConnectionsOfApp) -> Response:
    """Delete a connection; an active job of it is cancelled."""
    connections.delete(connection_id)
    return Response(status_code=HTTPStatus.NO_CONTENT)


@router.post("/connections/{connection_id}/pause", responses=documented(UNAUTHORIZED, FORBIDDEN, NOT_FOUND))
async def pause_connection(connection_id: str, connections: ConnectionsOfApp) -> ConnectionAnswer:
    """Make a connection inactive: nothing more is started, what runs goes on."""
    return connection_answer(connections.update(connection_id, ConnectionFields(status="inactive")))


@router.get("/connections/{connection_id}/sync-status", responses=documented(UNAUTHORIZED, FORBIDDEN, NOT_FOUND))
async def get_sync_status(connection_id: str, connections: ConnectionsOfApp) -> SyncStatus:
    """Say whether a job is active, and show the newest one."""
    connection = connections.find(connection_id)
    latest = connections.store.latest_job(connection_id)
    return SyncStatus(
        connection_id=connection_id,
        status=connection.status,
        is_running=latest is not None and latest.is_active,
        last_job=None if latest is None else job_answer(latest, utc_now()),
    )


@router.get("/connections/{connection_id}/timeline", responses=documented(UNAUTHORIZED, FORBIDDEN, NOT_FOUND))
async def get_timeline(
    connection_id: str,
    connections: ConnectionsOfApp,
    event_type: Annotated[str | None, Query(max_length=EVENT_TYPE_LENGTH_MAX)] = None,
    limit: Limit = LIMIT_DEFAULT,
    offset: Offset = 0,
) -> Timeline:
    """List what happened to a connection, newest first."""
    connections.find(connection_id)
    events, total = connections.store.timeline(connection_id, event_type, Page(limit, offset))
    return Timeline(data=[event_answer(event) for event in events], total=total)
