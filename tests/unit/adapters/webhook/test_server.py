"""The mounted receiver, over real sockets: who is answered how, what a slow or endless sender costs, and how it ends."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

import pytest

from controller.adapters.webhook.proof import Hook, Scheme
from controller.adapters.webhook.receiver import BODY_BYTES_MAX
from controller.adapters.webhook.server import Limits, listen
from tests.unit.adapters.webhook.mounted import Mounted, chunked, head, mounted, play, whole
from tests.unit.adapters.webhook.requests import GENERIC, GITHUB, GITLAB, SECRET, sign, signed

BODY = b'{"ref": "refs/heads/main"}'
QUICK = Limits(header_seconds=0.05, body_seconds=0.05, linger_seconds=0.05, connections_max=8)

ANSWERS: dict[str, tuple[Hook, bytes, int]] = {
    "GitHub": (GITHUB, whole(signed(BODY), BODY), 202),
    "GitLab": (GITLAB, whole([(b"X-Gitlab-Token", SECRET)], BODY), 202),
    "a sender of one's own": (GENERIC, whole([(b"X-Mainspring-Signature", sign(BODY))], BODY), 202),
    "one with a header of its own": (
        replace(GENERIC, header="X-Gitea-Signature"),
        whole([(b"X-Gitea-Signature", sign(BODY))], BODY),
        202,
    ),
    "in chunks": (GITHUB, b"".join(chunked(signed(BODY), [BODY[:5], BODY[5:]])), 202),
    "with a query": (GITHUB, whole(signed(BODY), BODY, path="/hook?x=1"), 202),
    "a wrong signature": (GITHUB, whole(signed(BODY + b" "), BODY), 401),
    "no signature": (GITHUB, whole([], BODY), 401),
    "two signatures": (GITHUB, whole([*signed(BODY), *signed(BODY)], BODY), 401),
    "no secret here": (Hook(Scheme.GITHUB), whole(signed(BODY, b""), BODY), 404),
    "too long, and it says so": (GITHUB, head([*signed(BODY), (b"Content-Length", b"26214401")]), 413),
    "another path": (GITHUB, whole(signed(BODY), BODY, path="/hook/"), 404),
    "the root": (GITHUB, whole(signed(BODY), BODY, path="/"), 404),
    "another method": (GITHUB, whole(signed(BODY), BODY, method="PUT"), 405),
    "a look": (GITHUB, head([], method="GET"), 405),
    "only the head": (GITHUB, head([], method="HEAD"), 405),
    "no HTTP": (GITHUB, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 3 + b"\r\n\r\n", 400),
    "HTTP/2": (GITHUB, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 404),
    "no length that is one": (GITHUB, head([*signed(BODY), (b"Content-Length", b"-1")]), 400),
    "two lengths": (GITHUB, head([(b"Content-Length", b"1"), (b"Content-Length", b"2")]) + b"xx", 400),
    "a chunk that is none": (GITHUB, head([*signed(BODY), (b"Transfer-Encoding", b"chunked")]) + b"zz\r\n", 400),
    "an upgrade": (GITHUB, head([(b"Connection", b"Upgrade"), (b"Upgrade", b"websocket")], method="GET"), 405),
}


@pytest.mark.parametrize(("hook", "request_", "expected"), ANSWERS.values(), ids=ANSWERS)
def test_a_request_gets_its_answer_and_its_connection_is_closed(hook: Hook, request_: bytes, expected: int) -> None:
    """Only who proves to know the secret causes a fetch; nobody learns what serves here, and one request is all that a connection has."""

    async def scene() -> None:
        async with mounted(hook, limits=Limits(linger_seconds=0.05)) as receiver:
            answer = await receiver.raw(request_ + whole(signed(BODY), BODY))
            assert answer.startswith(f"HTTP/1.1 {expected} ".encode())
            assert answer.count(b"HTTP/1.1") == 1
            assert b"connection: close" in answer.lower()
            assert (b"allow: POST" in answer) == (expected == 405)
            assert not any(word in answer.lower() for word in (b"server:", b"uvicorn", b"mainspring", SECRET))
            assert receiver.pokes.count == (expected == 202)

    play(scene)


def flood() -> Iterator[bytes]:
    """A body that is longer than allowed and is never there as a whole."""
    for _ in range(BODY_BYTES_MAX // 65_536 + 20):
        yield bytes(65_536)


def test_a_body_over_the_cap_is_cut_off_and_its_sender_reads_the_answer() -> None:
    """In chunks, so that nothing announces it: 413, and no reset that swallows it."""

    async def scene() -> None:
        async with mounted() as receiver:
            assert await receiver.status(*chunked(signed(b""), flood())) == 413
            assert receiver.pokes.count == 0

    play(scene)


def test_a_sender_that_goes_on_after_its_answer_is_not_listened_to_without_end() -> None:
    """What a refused sender still has on its way is thrown away, and no more than that."""

    async def scene() -> None:
        async with mounted(limits=Limits(linger_seconds=9)) as receiver:
            reader, writer = await asyncio.open_connection("127.0.0.1", receiver.port)
            writer.write(head([(b"Content-Length", str(BODY_BYTES_MAX).encode())]))
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 401 ")
            sent = 0
            with suppress(ConnectionError):
                while sent < BODY_BYTES_MAX:
                    writer.write(bytes(65_536))
                    await writer.drain()
                    sent += 65_536
            assert sent < BODY_BYTES_MAX
            writer.transport.abort()

    play(scene)


SLOW: dict[str, tuple[bytes, int]] = {
    "nothing at all": (b"", 0),
    "half a head": (b"POST /hook HTTP/1.1\r\nHost: x\r\n", 0),
    "a head without end": (b"POST /hook HTTP/1.1\r\nX: " + b"x" * 100_000, 400),
    "half a body": (head([*signed(BODY), (b"Content-Length", b"26")]) + BODY[:5], 408),
    "half a chunk": (head([*signed(BODY), (b"Transfer-Encoding", b"chunked")]) + b"1a\r\n{", 408),
    "half a body that is refused": (head([(b"Content-Length", b"26")]) + BODY[:5], 401),
}


@pytest.mark.parametrize(("pieces", "expected"), SLOW.values(), ids=SLOW)
def test_a_sender_that_stops_in_the_middle_is_cut_off(pieces: bytes, expected: int) -> None:
    """A head has its time and a body has its own; then the connection ends, with an answer if there was a request."""

    async def scene() -> None:
        async with mounted(limits=QUICK) as receiver:
            assert await receiver.status(pieces) == expected
            assert receiver.pokes.count == 0

    play(scene)


def test_a_body_that_trickles_in_is_cut_off() -> None:
    """Each byte comes in time, and all of them together do not."""

    async def trickle(receiver: Mounted) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", receiver.port)
        writer.write(head([*signed(BODY), (b"Content-Length", b"99999")]))
        answer = asyncio.create_task(reader.readline())
        while not answer.done():
            writer.write(b"x")
            await asyncio.wait([answer], timeout=0.005)
        writer.transport.abort()
        return await answer

    async def scene() -> None:
        async with mounted(limits=QUICK) as receiver:
            async with asyncio.timeout(5):
                assert (await trickle(receiver)).startswith(b"HTTP/1.1 408 ")

    play(scene)


def test_connections_beyond_the_limit_are_closed_and_the_others_go_on() -> None:
    """A hundred that say nothing use up no more than their share; a place that gets free is taken."""

    async def scene() -> None:
        limits = replace(QUICK, header_seconds=5.0)
        async with mounted(limits=limits) as receiver:
            silent = [await asyncio.open_connection("127.0.0.1", receiver.port) for _ in range(100)]
            ends = [asyncio.create_task(reader.read()) for reader, _ in silent]
            await asyncio.wait(ends, timeout=5, return_when=asyncio.FIRST_COMPLETED)
            while sum(end.done() for end in ends) < 92:
                await asyncio.wait([end for end in ends if not end.done()], timeout=5, return_when="FIRST_COMPLETED")
            assert sum(not end.done() for end in ends) == limits.connections_max
            assert await receiver.status(whole(signed(BODY), BODY)) == 0
            for _, writer in silent:
                writer.transport.abort()
            await asyncio.gather(*ends, return_exceptions=True)
            while not (answered := await receiver.status(whole(signed(BODY), BODY))):
                pass
            assert answered == 202

    play(scene)


def test_an_exception_in_it_is_an_answer_and_ends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """Not one that a defect raises either; what it says may be a stranger's words and stays out of the log."""
    attempts = iter([RuntimeError("a stranger's words")])

    def hook() -> Hook:
        for error in attempts:
            raise error
        return GITHUB

    async def scene() -> None:
        async with mounted(hook) as receiver:
            assert await receiver.status(whole(signed(BODY), BODY)) == 500
            assert await receiver.status(whole(signed(BODY), BODY)) == 202

    play(scene)
    assert [record.getMessage() for record in caplog.records] == ["the webhook receiver failed: RuntimeError"]


def test_nonsense_writes_no_log(caplog: pytest.LogCaptureFixture) -> None:
    """Whoever can reach the port cannot fill a disk: neither with requests that are none, nor with what follows an answer."""
    begun = head([(b"Transfer-Encoding", b"chunked")])

    async def scene() -> None:
        async with mounted() as receiver:
            for request in (b"\0\r\n\r\n", begun + b"1\r\nx\r\nzz\r\n"):
                await receiver.raw(request)
            reader, writer = await asyncio.open_connection("127.0.0.1", receiver.port)
            writer.write(begun)
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 401 ")
            writer.write(b"no chunk\r\n")
            with suppress(ConnectionError):
                assert await reader.read() == b""
            writer.transport.abort()

    with caplog.at_level(logging.DEBUG):
        play(scene)
    assert [
        record.name for record in caplog.records if record.name != "asyncio" or record.levelno > logging.DEBUG
    ] == []


def test_the_end_waits_for_nobody() -> None:
    """Senders in the middle of a head or a body are cut off, the port is free again, and no task is left."""
    beginnings = (b"", b"POST", head([*signed(BODY), (b"Content-Length", b"26")]))

    async def scene() -> None:
        async with mounted() as receiver:
            streams = [await asyncio.open_connection("127.0.0.1", receiver.port) for _ in beginnings]
            for (_, writer), pieces in zip(streams, beginnings, strict=True):
                writer.write(pieces)
            # Who comes after them is answered after them.
            assert await receiver.status(whole(signed(BODY), BODY)) == 202
            assert len(asyncio.all_tasks()) == 2
        assert asyncio.all_tasks() == {asyncio.current_task()}
        for reader, writer in streams:
            with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
                await reader.readexactly(1)
            writer.transport.abort()
        listen("127.0.0.1", receiver.port).close()

    play(scene)


def test_a_port_that_is_taken_is_an_error() -> None:
    """It is not shared with whoever has it."""
    taken = listen("127.0.0.1", 0)
    taken.listen()
    with pytest.raises(OSError, match="in use"):
        listen("127.0.0.1", taken.getsockname()[1])
    taken.close()
