"""The receiver of webhooks in a running controller: what hostile senders cost it, and what an honest one causes."""

import hashlib
import hmac
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import httpx
import pytest

from controller.adapters.webhook.receiver import BODY_BYTES_MAX
from tests.e2e.controller_process import ControllerFolder, controller_folder, stop
from tests.e2e.embedded_process import DEADLINE_SECONDS, PlatformProcess, platforms_in, wait_for

SECRET = "canary-9b1f7c0d5e2a"
BODY = b'{"ref": "refs/heads/main"}'
TWO_GIBIBYTES = 2 * 1024**3
MEBIBYTE = 1024 * 1024
SPEC = """
apiVersion: mainspring.dev/v1
kind: SyncSchedule
metadata: {{name: hooked}}
spec: {{connectionId: conn_0, schedules: [{{every: 1h}}], suspend: {{reason: "{reason}"}}}}
"""
WEBHOOK = """
[webhook]
listen = "127.0.0.1:{port}"
kind = "github"
secret_file = "{folder}/hook-secret"
"""


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[PlatformProcess]:
    """A platform with one connection."""
    (tmp_path / "platform").mkdir()
    with platforms_in(tmp_path / "platform") as start:
        yield start(
            """
            connections:
              - connectionId: conn_0
                source: {type: generator, rows: 10}
                destination: {path: data/warehouse.db, table: t}
            """
        )


@pytest.fixture
def controller(tmp_path: Path, platform: PlatformProcess) -> ControllerFolder:
    """A controller that looks at its specs by itself only after an hour, and takes webhooks at a free port."""
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "hooked.yaml").write_text(SPEC.format(reason="at first"))
    found = controller_folder(tmp_path / "controller", platform, tmp_path / "specs")
    (found.folder / "hook-secret").write_text(SECRET + "\n")
    settings = found.settings.read_text().replace('poll = "1s"', 'poll = "1h"')
    found.settings.write_text(settings + WEBHOOK.format(port=0, folder=found.folder))
    return found


def sign(body: bytes) -> str:
    """GitHub's signature."""
    return "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()


def address_of(controller: ControllerFolder) -> str:
    """Where it listens, and that its specs are read."""
    controller.event_when("specs_loaded")
    return str(controller.event_when("webhook_listening")["address"])


def loads(controller: ControllerFolder) -> int:
    """How many revisions came into force."""
    return sum(event["event"] == "specs_loaded" for event in controller.events())


def memory(process: "subprocess.Popen[bytes]", kind: str) -> int:
    """Resident memory in bytes: ``VmRSS`` now, ``VmHWM`` at its peak."""
    found = re.search(rf"{kind}:\s+(\d+) kB", Path(f"/proc/{process.pid}/status").read_text())
    assert found is not None
    return int(found[1]) * 1024


def pour(address: str, length: str) -> int:
    """Send a head and two gibibytes until the connection ends; returns how many bytes went out."""
    host, port = address.removeprefix("http://").split("/")[0].split(":")
    chunk = bytes(65_536) if length.startswith("Content-Length") else b"10000\r\n" + bytes(65_536) + b"\r\n"
    sent = 0
    with closing(socket.create_connection((host, int(port)), timeout=DEADLINE_SECONDS)) as stream:
        head = f"POST /hook HTTP/1.1\r\nHost: x\r\nX-Hub-Signature-256: {sign(BODY)}\r\n{length}\r\n\r\n"
        stream.sendall(head.encode())
        with suppress(ConnectionError):
            while sent < TWO_GIBIBYTES:
                stream.sendall(chunk)
                sent += 65_536
    return sent


def test_two_gibibytes_cost_no_memory_and_hold_nothing_up(controller: ControllerFolder) -> None:
    """Cut off after 25 MiB, three times; resident memory grows by 8 MiB at most, and the next honest request is taken."""
    process = controller.start()
    try:
        address = address_of(controller)
        assert httpx.post(address, content=BODY).status_code == 401
        before = memory(process, "VmRSS")
        Path(f"/proc/{process.pid}/clear_refs").write_text("5")
        for _ in range(3):
            assert BODY_BYTES_MAX <= pour(address, "Transfer-Encoding: chunked") < 2 * BODY_BYTES_MAX
        assert pour(address, f"Content-Length: {TWO_GIBIBYTES}") < BODY_BYTES_MAX
        grown = memory(process, "VmHWM") - before
        honest = httpx.post(address, content=BODY, headers={"X-Hub-Signature-256": sign(BODY)})
        print(f"\nresident memory grew by {grown / MEBIBYTE:.1f} MiB at its peak")
    finally:
        assert stop(process) == 0
    assert grown <= 8 * MEBIBYTE
    assert honest.status_code == 202


def test_a_hundred_replays_are_one_fetch_in_five_seconds(controller: ControllerFolder, tmp_path: Path) -> None:
    """Before each there is something new, so that each fetch would show: one comes at once, one after five seconds, with all of it."""
    spec = tmp_path / "specs" / "hooked.yaml"
    process = controller.start()
    try:
        address = address_of(controller)
        begun = time.perf_counter()
        with httpx.Client(headers={"X-Hub-Signature-256": sign(BODY)}) as client:
            for number in range(100):
                (tmp_path / "next").write_text(SPEC.format(reason=f"replay {number}"))
                (tmp_path / "next").rename(spec)
                assert client.post(address, content=BODY).status_code == 202
        wait_for(lambda: loads(controller), lambda count: count > 2)
        seconds = time.perf_counter() - begun
        status = controller.command("get", "hooked", "-o", "json").stdout
        count = loads(controller)
    finally:
        stop(process)
    assert seconds >= 5
    assert count <= 2 + seconds // 5
    assert "replay 99" in status
    log = (controller.folder / "controller.log").read_text()
    assert "uvicorn" not in log
    assert not any(
        SECRET.encode() in path.read_bytes() for path in controller.folder.iterdir() if path.name != "hook-secret"
    )


def test_slow_senders_hold_up_neither_a_sync_nor_the_end(controller: ControllerFolder) -> None:
    """Two hundred connections that say half of something: the specs are still taken in by a signal, and SIGTERM ends it at once."""
    process = controller.start()
    streams: list[socket.socket] = []
    try:
        host, port = address_of(controller).removeprefix("http://").split("/")[0].split(":")
        for number in range(200):
            streams.append(socket.create_connection((host, int(port)), timeout=DEADLINE_SECONDS))
            with suppress(ConnectionError):
                streams[-1].sendall(b"POST /hook HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n"[: 20 + number % 40])
        connected = time.perf_counter()
        # Those that are too many are closed a moment after they were accepted; the others only after ten seconds.
        wait_for(lambda: len(list(Path(f"/proc/{process.pid}/fd").iterdir())), lambda count: count < 64 + 60)
        assert time.perf_counter() - connected < 5
        (controller.folder.parent / "specs" / "hooked.yaml").write_text(SPEC.format(reason="while they wait"))
        process.send_signal(signal.SIGHUP)
        wait_for(lambda: loads(controller), lambda count: count == 2)
        begun = time.perf_counter()
    finally:
        code = stop(process)
    seconds = time.perf_counter() - begun
    for stream in streams:
        stream.close()
    print(f"\nended {seconds:.2f} s after SIGTERM")
    assert code == 0
    assert seconds < 5


def test_a_start_that_cannot_take_webhooks_is_refused(controller: ControllerFolder) -> None:
    """A port that is taken and a secret that is not there are told with their names and what to do; nothing runs without them."""
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        settings = controller.settings.read_text()
        controller.settings.write_text(settings.replace("127.0.0.1:0", f"127.0.0.1:{port}"))
        refused = controller.command("run", code=1)
        assert f"webhook.listen: 127.0.0.1:{port} cannot be listened on: Address already in use" in refused.stderr
    (controller.folder / "hook-secret").unlink()
    refused = controller.command("run", code=1)
    assert "webhook.secret_file" in refused.stderr
    assert "Traceback" not in refused.stderr
