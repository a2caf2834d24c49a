"""What a platform, a log level or the machine's environment must never bring about."""

import asyncio
import base64
import gzip
import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest

from controller.adapters.platforms.aitronos import AitronosOptions, AitronosPlatform
from controller.adapters.platforms.credentials import Secret, TokenFile
from controller.errors import OutcomeUnknown, PlatformError, PlatformUnavailable
from tests.unit.adapters.platforms.stubs import TOKEN, UNLIMITED, ManualClock, Stub, answers, reply_json, run
from tests.unit.adapters.platforms.test_loopback import CREATED, Script, Server

CANARY = "canary+7f3a/9b==~zz%41"


class Collector(logging.Handler):
    """Keeps every line that any logger hands to the root."""

    def __init__(self) -> None:
        super().__init__(logging.NOTSET)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it."""
        self.lines.append(f"{record.name}: {record.getMessage()}")


@contextmanager
def debug_logging() -> Iterator[Collector]:
    """The root logger at DEBUG, with a handler, as when somebody turns everything on."""
    root, collector = logging.getLogger(), Collector()
    before = root.level
    root.addHandler(collector)
    root.setLevel(logging.DEBUG)
    try:
        yield collector
    finally:
        root.removeHandler(collector)
        root.setLevel(before)


def answering(head: bytes, body: bytes = CREATED) -> Script:
    """Answer every request alike; ``head`` is the status line and headers."""

    async def script(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 " + head + b"\r\ncontent-length: %d\r\n\r\n" % len(body) + body)

    return script


def exchange(server: Server, *, unpinned: bool = False) -> None:
    """One read and one POST."""

    async def both() -> None:
        async with server.platform() as platform:
            if unpinned:
                for name in ("httpx", "httpcore"):
                    logging.getLogger(name).setLevel(logging.NOTSET)
            await platform.get_connection("c1")
            await platform.trigger_sync("c1")

    run(both())


@pytest.mark.parametrize("unpinned", [False, True], ids=["as built", "without the control"])
def test_debug_logging_shows_no_address_token_or_cookie(*, unpinned: bool) -> None:
    """However loud the log is: the HTTP library says nothing below WARNING; without that it shows the cookie, and never the address."""
    server = Server(answering(b"200 OK\r\nset-cookie: session=crumbs"))
    with debug_logging() as collector:
        exchange(server, unpinned=unpinned)
    text = "\n".join(line for line in collector.lines if not line.startswith("asyncio"))

    assert len(server.requests) == 2
    assert ("session=crumbs" in text, "/v1/organizations" in text) == (unpinned, False)
    assert unpinned or text == ""
    assert TOKEN not in text


@pytest.mark.parametrize("status", [b"301 Moved", b"302 Found", b"303 See Other", b"307 Temporary", b"308 Permanent"])
def test_no_redirect_is_followed(status: bytes) -> None:
    """Neither a read nor a POST goes where an answer points to: the token would go along, or the POST arrive twice."""
    target = Server(answering(b"200 OK"))

    async def scenario() -> None:
        async with target.platform():
            head = status + b"\r\nlocation: http://127.0.0.1:%d/v1/organizations/org_1" % target.port
            origin = Server(answering(head))
            async with origin.platform() as platform:
                with pytest.raises(PlatformUnavailable):
                    await platform.get_connection("c1")
                with pytest.raises(OutcomeUnknown):
                    await platform.trigger_sync("c1")
            assert len(origin.requests) == 2

    run(scenario())
    assert target.connections == 0


def test_the_machines_passwords_are_not_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A netrc file and certificate variables of the environment change no request."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\ndefault login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("SSL_CERT_FILE", str(netrc))
    server = Server(answering(b"200 OK"))

    exchange(server)

    assert len(server.requests) == 2
    assert all(f"authorization: bearer {TOKEN}".encode() in each.lower() for each in server.requests)
    assert not any(b"basic" in each.lower() for each in server.requests)


def test_an_answer_that_is_compressed_all_the_same_is_read() -> None:
    """A proxy that compresses what nobody wanted compressed makes no outage."""
    row = gzip.compress(b'{"connection_id": "c1"}')
    server = Server(answering(b"200 OK\r\ncontent-encoding: gzip", row))

    async def read() -> str | None:
        async with server.platform() as platform:
            found = await platform.get_connection("c1")
        return None if found is None else found.connection_id

    assert run(read()) == "c1"


def encodings(value: str) -> list[str]:
    """How a value may come back in a text: as it is, in an address, and in base64 wherever it begins."""
    texts = [value, quote(value), quote(value, safe="")]
    for before in ("", "a", "ab", "user:"):
        data = f"{before}{value}".encode()
        texts += [base64.b64encode(data).decode(), base64.urlsafe_b64encode(data + b"?").decode()]
    return texts


@pytest.mark.parametrize("text", encodings(CANARY))
def test_a_secret_is_struck_out_however_it_is_encoded(text: str) -> None:
    """What is left of an encoded secret cannot be decoded to it."""
    left = Secret(CANARY).blot(f"<{text}>")

    assert "***" in left
    assert len(left) <= len("<***>") + 12


@pytest.mark.parametrize("echo", encodings("canary0123456789"))
def test_an_answer_that_echoes_the_token_leaves_no_trace_of_it(echo: str) -> None:
    """In the request id, the error code and the body: neither the error nor its traceback shows it."""
    value = "canary0123456789"
    answer = reply_json(422, {"error": {"code": echo, "message": echo}}, x_request_id=echo)
    stub = Stub(answers(answer))
    token = TokenValueOf(value)
    stub.credentials = token
    texts = []

    async def trigger() -> object:
        return await stub.platform().trigger_sync("c1")

    async def connections() -> object:
        return await stub.platform().list_connections(0, 10)

    async def jobs() -> object:
        return await stub.platform().get_jobs(["j"])

    for call in (trigger, connections, jobs):
        with pytest.raises(PlatformError) as raised:
            run(call())
        texts += [str(raised.value), repr(raised.value), "".join(traceback.format_exception(raised.value))]

    assert not any(each in text for each in encodings(value) for text in texts)


class TokenValueOf:
    """Gives one token."""

    def __init__(self, value: str) -> None:
        self._secret = Secret(value)

    def current(self) -> Secret:
        """The token."""
        return self._secret

    def forget(self) -> None:
        """Nothing to forget."""


def test_a_token_that_is_rotated_during_a_hundred_calls_fails_none(tmp_path: Path) -> None:
    """A secret volume swaps a link while calls go on; each call carries the token of the moment, or the one just before it."""
    valid = ["token-0"]
    (tmp_path / "v0").mkdir()
    (tmp_path / "v0" / "token").write_text("token-0\n")
    (tmp_path / "data").symlink_to("v0")

    async def check(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = server.requests[-1].decode().lower()
        is_known = any(f"authorization: bearer {token}\r\n" in head for token in valid[-2:])
        await answering(b"200 OK" if is_known else b"401 Unauthorized")(_reader, writer)

    server = Server(check)

    def rotate() -> None:
        name = f"v{len(valid)}"
        (tmp_path / name).mkdir()
        (tmp_path / name / "token").write_text(f"token-{len(valid)}\n")
        valid.append(f"token-{len(valid)}")
        (tmp_path / "next").symlink_to(name)
        (tmp_path / "next").rename(tmp_path / "data")

    async def hundred() -> None:
        async with server.platform():
            options = AitronosOptions(
                f"http://127.0.0.1:{server.port}",
                "org_1",
                TokenFile(tmp_path / "data" / "token"),
                UNLIMITED,
                ManualClock(),
            )
            platform = AitronosPlatform(options)
            for number in range(100):
                if number % 5 == 4:
                    asyncio.get_running_loop().call_soon(rotate)
                call = platform.trigger_sync("c1") if number % 2 else platform.get_connection("c1")
                await call
            await platform.close()

    run(hundred())
    assert len(valid) == 21
    assert len(server.requests) == 100, "a call that had to be repeated was refused once"


def test_a_token_that_everybody_can_read_is_told_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A warning with the path, never the content, and the token is used all the same; a private file is no news."""
    path = tmp_path / "token"
    path.write_text(CANARY)
    path.chmod(0o644)
    public = TokenFile(path)
    assert [public.current().reveal() for _ in range(3)] == [CANARY] * 3
    public.forget()
    public.current()

    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert str(path) in caplog.text
    assert CANARY not in caplog.text

    caplog.clear()
    path.chmod(0o600)
    TokenFile(path).current()
    assert caplog.records == []
