"""How the API says no: one envelope for every error, with a code for machines and a sentence for people."""

from http import HTTPStatus
from typing import Any, Literal

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from controller.embedded.clock import utc_now

ErrorType = Literal["client_error", "server_error", "authentication_error"]

_CODES = {
    HTTPStatus.BAD_REQUEST: "BAD_REQUEST",
    HTTPStatus.UNAUTHORIZED: "AUTHENTICATION_REQUIRED",
    HTTPStatus.FORBIDDEN: "ACCESS_DENIED",
    HTTPStatus.NOT_FOUND: "NOT_FOUND",
    HTTPStatus.METHOD_NOT_ALLOWED: "METHOD_NOT_ALLOWED",
    HTTPStatus.CONFLICT: "CONFLICT",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "REQUEST_TOO_LARGE",
    HTTPStatus.UNPROCESSABLE_ENTITY: "VALIDATION_ERROR",
    HTTPStatus.TOO_MANY_REQUESTS: "RATE_LIMIT_EXCEEDED",
    HTTPStatus.INTERNAL_SERVER_ERROR: "INTERNAL_ERROR",
    HTTPStatus.SERVICE_UNAVAILABLE: "SERVICE_UNAVAILABLE",
}


class ErrorBody(BaseModel):
    """What went wrong."""

    code: str
    message: str
    type: ErrorType
    status: int
    details: dict[str, Any]
    trace_id: str
    timestamp: str


class ErrorEnvelope(BaseModel):
    """The body of every answer from 400 on."""

    success: Literal[False]
    error: ErrorBody


class ApiError(Exception):
    """An answer that is an error: the status, the code of the envelope, and a sentence."""

    def __init__(self, status: HTTPStatus, code: str, message: str, details: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.details = details or {}


def envelope_of(error: ApiError, trace_id: str) -> dict[str, Any]:
    """Return the body for an error; `trace_id` is the request's id, which is also in the answer's `x-request-id`."""
    kind: ErrorType = "client_error"
    if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        kind = "server_error"
    elif error.status == HTTPStatus.UNAUTHORIZED:
        kind = "authentication_error"
    body = ErrorBody(
        code=error.code,
        message=error.message,
        type=kind,
        status=error.status,
        details=error.details,
        trace_id=trace_id,
        timestamp=utc_now().isoformat().replace("+00:00", "Z"),
    )
    return ErrorEnvelope(success=False, error=body).model_dump(mode="json")


def error_of_status(status: HTTPStatus, message: str) -> ApiError:
    """Return the error with the general code of a status."""
    return ApiError(status, _CODES.get(status, "ERROR"), message)


def documented(*statuses: HTTPStatus) -> dict[int | str, dict[str, Any]]:
    """Declare for OpenAPI which errors a route answers, beside those that every route can."""
    always = (HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.INTERNAL_SERVER_ERROR)
    return {int(status): {"model": ErrorEnvelope, "description": status.phrase} for status in (*statuses, *always)}


def install_envelope(app: FastAPI) -> None:
    """Make the application answer every error with the envelope, the framework's own included."""

    def answer(request: Request, error: ApiError, headers: dict[str, str] | None = None) -> JSONResponse:
        return JSONResponse(envelope_of(error, request.scope["request_id"]), status_code=error.status, headers=headers)

    @app.exception_handler(ApiError)
    async def _ours(request: Request, error: ApiError) -> JSONResponse:
        return answer(request, error)

    @app.exception_handler(HTTPException)
    async def _frameworks(request: Request, error: HTTPException) -> JSONResponse:
        headers = dict(error.headers) if error.headers else None
        return answer(request, error_of_status(HTTPStatus(error.status_code), str(error.detail)), headers)

    @app.exception_handler(RequestValidationError)
    async def _invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        errors = [{"place": ".".join(map(str, one["loc"])), "message": one["msg"]} for one in error.errors()]
        message = f"{errors[0]['place']}: {errors[0]['message']}" if errors else "The request is not valid."
        invalid = error_of_status(HTTPStatus.UNPROCESSABLE_ENTITY, message)
        invalid.details = {"errors": errors}
        return answer(request, invalid)

    @app.exception_handler(Exception)
    async def _unexpected(request: Request, _: Exception) -> JSONResponse:
        # What happened is in the log, for the framework raises it again; clients need not know our insides.
        return answer(request, error_of_status(HTTPStatus.INTERNAL_SERVER_ERROR, "Something went wrong on our side."))
