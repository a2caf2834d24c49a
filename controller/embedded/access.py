"""Who may call: one token, as a bearer token or as an API key, for one organization."""

import hmac
import os
import secrets
from http import HTTPStatus
from pathlib import Path
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer

from controller.embedded.envelope import ApiError, error_of_status

TOKEN_BYTES = 32  # 256 bits: not to be guessed
_PRIVATE = 0o600

_bearer = HTTPBearer(auto_error=False, description="the content of the platform's token file")
_api_key = APIKeyHeader(name="X-API-Key", auto_error=False, description="the same, for clients that send keys")


def read_or_make_token(path: Path) -> str:
    """Return the token in a file; a missing file is made with a new random one, readable for its owner only.

    Raises:
        OSError: the file can neither be read nor made.
        ValueError: the file is empty or holds more than one word.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE)
    except FileExistsError:
        words = path.read_text(encoding="utf-8").split()
        if len(words) != 1:
            raise ValueError(f"token file {path} must hold exactly one word") from None
        return words[0]
    token = secrets.token_urlsafe(TOKEN_BYTES)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(token + "\n")
    return token


class Gate:
    """Checks a request's token and organization; raises the envelope's errors."""

    def __init__(self, token: str, organization_id: str) -> None:
        self._token = token.encode()
        self._organization_id = organization_id

    def check(self, presented: str | None, organization_id: str) -> None:
        """Let a request pass or raise ApiError: 401 without the token, 403 for another organization."""
        if presented is None:
            raise error_of_status(
                HTTPStatus.UNAUTHORIZED, "Send the token as `Authorization: Bearer` or as `X-API-Key`."
            )
        if not hmac.compare_digest(presented.encode(), self._token):
            raise ApiError(HTTPStatus.UNAUTHORIZED, "INVALID_CREDENTIALS", "The token is not valid.")
        if organization_id != self._organization_id:
            raise ApiError(
                HTTPStatus.FORBIDDEN,
                "ORGANIZATION_ACCESS_DENIED",
                f"The token is not for organization {organization_id}.",
            )


async def require_access(
    organization_id: str,
    request: Request,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
    api_key: Annotated[str | None, Depends(_api_key)],
) -> None:
    """Guard a route under an organization's path."""
    gate: Gate = request.app.state.gate
    gate.check(bearer.credentials if bearer is not None else api_key, organization_id)
