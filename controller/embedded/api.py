"""The HTTP API, put together."""

from dataclasses import dataclass
from http import HTTPStatus

from fastapi import APIRouter, Depends, FastAPI

from controller.embedded import connections_routes, jobs_routes
from controller.embedded.access import Gate, require_access
from controller.embedded.connections_routes import Connections
from controller.embedded.envelope import documented, install_envelope
from controller.embedded.jobs_routes import Jobs
from controller.embedded.wire import Health

ORGANIZATION_PATH = "/v1/organizations/{organization_id}/knowledge/connectors"
HEALTH_PATH = "/v1/knowledge/connectors/health"

health_router = APIRouter(tags=["health"])


@dataclass(frozen=True, slots=True)
class Backing:
    """What stands behind the routes."""

    gate: Gate
    jobs: Jobs
    connections: Connections


@health_router.get(HEALTH_PATH, responses=documented())
async def get_health() -> Health:
    """Say whether the platform works; needs no token."""
    return Health(status="ok", available=True)


@health_router.get(
    ORGANIZATION_PATH + "/health",
    dependencies=[Depends(require_access)],
    responses=documented(HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN),
)
async def get_organization_health() -> Health:
    """Say whether the platform works for this organization."""
    return Health(status="ok", available=True)


def build_api(backing: Backing) -> FastAPI:
    """Return the API; its description is served at `/openapi.json` and needs no token."""
    app = FastAPI(
        title="Mainspring's embedded connector platform",
        version="1",
        summary="A small, real platform in the dialect of Aitronos Knowledge Connectors",
        docs_url=None,  # these pages load scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,  # an unknown path is an error with the envelope, not a redirect without one
    )
    app.state.gate = backing.gate
    app.state.jobs = backing.jobs
    app.state.connections = backing.connections
    app.include_router(health_router)
    app.include_router(jobs_routes.router, prefix=ORGANIZATION_PATH)
    app.include_router(connections_routes.router, prefix=ORGANIZATION_PATH)
    install_envelope(app)
    return app
