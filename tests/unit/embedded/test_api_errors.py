"""An unexpected error: the client gets the envelope and none of our insides."""

import asyncio
import random
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from controller.embedded.__main__ import main
from controller.embedded.envelope import install_envelope
from controller.embedded.gateway import Gateway, Rules


def test_an_unexpected_error_is_an_envelope_too() -> None:
    """A mistake of ours is a 500 with the envelope and the request's id, and its text stays inside."""
    app = FastAPI()
    install_envelope(app)

    @app.get("/v1/broken")
    async def _broken() -> None:
        raise RuntimeError("the secret of the house")

    rules = Rules(faults=(), chance=random.Random(1), requests_per_minute=None, break_connection=lambda _: None)
    transport = httpx.ASGITransport(app=Gateway(app, rules), raise_app_exceptions=False)

    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=transport, base_url="http://platform") as client:
            return await client.get("/v1/broken")

    answer = asyncio.run(ask())
    body: dict[str, Any] = answer.json()
    assert answer.status_code == 500
    assert (body["error"]["code"], body["error"]["type"]) == ("INTERNAL_ERROR", "server_error")
    assert body["error"]["trace_id"] == answer.headers["x-request-id"]
    assert "secret" not in answer.text


@pytest.mark.parametrize("wrong", [["--listen", "8000"], ["--fault", "lost"], ["--workers", "0"]])
def test_the_command_line_says_what_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], wrong: list[str]
) -> None:
    """A port, a fault or a number that cannot be understood is wrong usage, and is told before anything starts."""
    with pytest.raises(SystemExit) as caught:
        main(["--data", str(tmp_path / "data"), "--token-file", str(tmp_path / "token"), *wrong])
    assert caught.value.code == 2
    assert wrong[1] in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_start_that_fails_says_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A connections file that cannot be used ends the start with its errors and exit code 1."""
    config = tmp_path / "connections.yaml"
    arguments = ["--data", str(tmp_path / "data"), "--token-file", str(tmp_path / "token"), "--config", str(config)]
    config.write_text("workers: many")
    assert main(arguments) == 1
    assert capsys.readouterr().err.startswith(f"{config}: workers: ")
