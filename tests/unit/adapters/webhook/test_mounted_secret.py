"""Secrets that change while the receiver is mounted, and requests that are sent again and again."""

import asyncio
import logging
import os
from pathlib import Path

import pytest

from controller.adapters.webhook.coalesce import Coalescer
from controller.adapters.webhook.proof import Hook, Scheme
from controller.adapters.webhook.secret_file import SECRET_BYTES_MAX, SecretFile
from tests.unit.adapters.webhook.mounted import HandClock, mounted, play, whole
from tests.unit.adapters.webhook.requests import signed

BODY = b"{}"
OLD, NEW = b"the old secret", b"the new secret"


def test_a_secret_that_is_replaced_counts_from_the_next_request_on(tmp_path: Path) -> None:
    """No restart: the new one is taken and the old one no more, even where the file has the same size and time."""
    path = tmp_path / "secret"
    path.write_bytes(OLD + b"\n")
    secret = SecretFile(path)

    async def scene() -> None:
        async with mounted(lambda: Hook(Scheme.GITHUB, secret.current())) as receiver:
            assert await receiver.status(whole(signed(BODY, OLD), BODY)) == 202
            was = path.stat()
            (tmp_path / "next").write_bytes(NEW + b"\n")
            os.utime(tmp_path / "next", ns=(was.st_atime_ns, was.st_mtime_ns))
            (tmp_path / "next").rename(path)
            assert await receiver.status(whole(signed(BODY, OLD), BODY)) == 401
            assert await receiver.status(whole(signed(BODY, NEW), BODY)) == 202

    play(scene)


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "No such file"), (b"", "is empty"), (b"\n", "is empty"), (b"x" * 5000, str(SECRET_BYTES_MAX))],
)
def test_without_a_secret_the_endpoint_is_gone_and_comes_back_with_it(
    content: bytes | None, said: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """An old secret may have been taken back, so it is not kept; the log says once what is wrong, and nothing of the file."""
    path = tmp_path / "secret"
    path.write_bytes(OLD)
    secret = SecretFile(path)

    async def scene() -> None:
        async with mounted(lambda: Hook(Scheme.GITHUB, secret.current())) as receiver:
            assert await receiver.status(whole(signed(BODY, OLD), BODY)) == 202
            path.unlink()
            if content is not None:
                path.write_bytes(content)
            for _ in range(3):
                assert await receiver.status(whole(signed(BODY, OLD), BODY)) == 404
            path.write_bytes(NEW)
            assert await receiver.status(whole(signed(BODY, NEW), BODY)) == 202

    with caplog.at_level(logging.WARNING):
        play(scene)
    (told,) = [record.getMessage() for record in caplog.records]
    assert said in told
    assert str(path) in told
    assert "xxx" not in told


def test_a_hundred_replays_are_one_fetch_now_and_one_in_five_seconds() -> None:
    """The signature has no time in it, so that each is accepted; the source is asked twice."""
    clock, at = HandClock(), list[float]()
    coalescer = Coalescer(clock, lambda: at.append(clock.at))

    async def scene() -> None:
        async with mounted(fetches=coalescer) as receiver:
            again = [receiver.status(whole(signed(BODY), BODY)) for _ in range(50)]
            assert set(await asyncio.gather(*again)) == {202}
            assert at == [0]
            clock.go_on(4.9)
            again = [receiver.status(whole(signed(BODY), BODY)) for _ in range(50)]
            assert set(await asyncio.gather(*again)) == {202}
            assert at == [0]
            clock.go_on(0.1)
            assert await receiver.status(whole([], BODY)) == 401
            assert at == [0, 5]
        await coalescer.close()

    play(scene)
