"""The embedded platform as a real child process, and what tests ask of it."""

import json
import os
import select
import signal
import sqlite3
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol, TypeVar

import httpx

START_SECONDS = 20.0
DEADLINE_SECONDS = 30.0
POLL_SECONDS = 0.02
T = TypeVar("T")
ROOT = Path(__file__).resolve().parents[2]


@dataclass
class PlatformProcess:
    """A running platform. `folder` holds the connections file, `data/`, `token` and `platform.log`."""

    base_url: str
    organization_id: str
    token: str
    folder: Path
    process: "subprocess.Popen[bytes]"
    client: httpx.Client

    @property
    def pid(self) -> int:
        """The platform's process id."""
        return self.process.pid

    @property
    def prefix(self) -> str:
        """The path of everything under the organization."""
        return f"/v1/organizations/{self.organization_id}/knowledge/connectors"

    @property
    def log(self) -> str:
        """What it wrote to standard error."""
        return (self.folder / "platform.log").read_text()

    def kill9(self) -> None:
        """End it as a power cut would, and wait until it is gone."""
        self.process.kill()
        self._reap()

    def stop(self) -> int:
        """End it as an operator would; return its exit code."""
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
        return self._reap()

    def _reap(self) -> int:
        code = self.process.wait(timeout=DEADLINE_SECONDS)
        self.client.close()
        if self.process.stdout is not None:
            self.process.stdout.close()
        return code

    def call(self, method: str, path: str, **rest: Any) -> httpx.Response:
        """Send a request to a path under the organization's prefix."""
        return self.client.request(method, self.prefix + path, **rest)

    def trigger(self, connection_id: str, job_type: str = "sync") -> str:
        """Start a job and return its id."""
        answer = self.call("POST", "/jobs", json={"connection_id": connection_id, "job_type": job_type})
        assert answer.status_code == 200, answer.text
        return str(answer.json()["job_id"])

    def job(self, job_id: str) -> dict[str, Any]:
        """Return a job as it stands now."""
        found: dict[str, Any] = self.call("GET", f"/jobs/{job_id}").json()
        return found

    def lines(self, job_id: str) -> list[str]:
        """Return a job's log."""
        return [line["line"] for line in self.call("GET", f"/jobs/{job_id}/logs").json()["data"]]

    def job_when(self, job_id: str, is_there: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Wait until a job is as wanted and return it."""
        return wait_for(lambda: self.job(job_id), is_there)

    def ended(self, job_id: str) -> dict[str, Any]:
        """Wait until a job is over and return it."""
        return self.job_when(job_id, lambda job: job["status"] not in ("pending", "running"))

    def sync(self, connection_id: str, job_type: str = "sync") -> dict[str, Any]:
        """Start a job, wait for its end and return it."""
        return self.ended(self.trigger(connection_id, job_type))


class Start(Protocol):
    """Starts a platform, as `start_platform` does, in a folder that is known already."""

    def __call__(
        self, connections_yaml: str, *, workers: int | None = 2, faults: Sequence[str] = (), options: Sequence[str] = ()
    ) -> PlatformProcess:
        """Start it and wait until it accepts connections."""


def start_platform(
    folder: Path,
    connections_yaml: str,
    *,
    workers: int | None = 2,
    faults: Sequence[str] = (),
    options: Sequence[str] = (),
) -> PlatformProcess:
    """Start a platform on a free port and wait until it accepts connections.

    Called again with the same folder it continues with the same data, as after a restart.

    Args:
        folder: an existing directory of its own.
        connections_yaml: the text of the connections file; relative paths in it are under `folder`.
        workers: how many jobs at once; None takes what the file says.
        faults: as for `--fault`.
        options: further options of `python -m controller.embedded`.
    """
    (folder / "connections.yaml").write_text(connections_yaml)
    command = [sys.executable, "-m", "controller.embedded", "--data", str(folder / "data")]
    command += ["--config", str(folder / "connections.yaml"), "--token-file", str(folder / "token"), *options]
    command += [] if workers is None else ["--workers", str(workers)]
    command += [f"--fault={fault}" for fault in faults]
    with (folder / "platform.log").open("a") as log:
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=log)
    announced = _announcement(process, folder / "platform.log")
    token = Path(announced["token_file"]).read_text().strip()
    client = httpx.Client(
        base_url=announced["platform"],
        headers={"Authorization": f"Bearer {token}"},
        timeout=DEADLINE_SECONDS,
        trust_env=False,
    )
    return PlatformProcess(announced["platform"], announced["organization_id"], token, folder, process, client)


@contextmanager
def platforms_in(folder: Path) -> "Iterator[Start]":
    """Give a function that starts platforms in a folder; what still runs at the end is stopped."""
    started: list[PlatformProcess] = []

    def start(
        connections_yaml: str, *, workers: int | None = 2, faults: Sequence[str] = (), options: Sequence[str] = ()
    ) -> PlatformProcess:
        yaml = textwrap.dedent(connections_yaml)
        platform = start_platform(folder, yaml, workers=workers, faults=faults, options=options)
        started.append(platform)
        return platform

    try:
        yield start
    finally:
        for platform in started:
            if platform.process.returncode is None:
                platform.stop()


def _announcement(process: "subprocess.Popen[bytes]", log: Path) -> dict[str, Any]:
    assert process.stdout is not None
    ready, _, _ = select.select([process.stdout], [], [], START_SECONDS)
    line = process.stdout.readline() if ready else b""
    if not line:
        process.kill()
        process.wait()
        process.stdout.close()
        raise AssertionError(f"the platform did not start: {log.read_text()}")
    announced: dict[str, Any] = json.loads(line)
    return announced


def wait_for(look: Callable[[], T], is_there: Callable[[T], bool]) -> T:
    """Look until what is seen is as wanted, and return it; fail at a deadline with what was seen last."""
    deadline = time.perf_counter() + DEADLINE_SECONDS
    pause = threading.Event()
    while True:
        seen = look()
        if is_there(seen):
            return seen
        assert time.perf_counter() < deadline, f"not in {DEADLINE_SECONDS} s; last seen: {seen!r}"
        pause.wait(POLL_SECONDS)


def rows_of(path: Path, table: str) -> list[tuple[Any, ...]]:
    """Return a destination's rows in the order of their arrival."""
    with closing(sqlite3.connect(path)) as database:
        return database.execute(f'SELECT * FROM "{table}" ORDER BY rowid').fetchall()


def cursor_of(path: Path, table: str) -> tuple[Any, int]:
    """Return a destination's cursor: the last value, and the rows it accounts for."""
    statement = "SELECT last_value, rows FROM _mainspring_cursors WHERE table_name = ?"
    with closing(sqlite3.connect(path)) as database:
        found: tuple[Any, int] = database.execute(statement, (table,)).fetchone()
        return found


def is_alive(process_id: int) -> bool:
    """Whether a process exists and is not merely waiting to be reaped."""
    try:
        stat = Path(f"/proc/{process_id}/stat").read_text()
    except OSError:
        return False
    return stat[stat.rindex(")") + 2] not in "ZX"


def processes_of(job_id: str) -> list[int]:
    """Return the living processes of a job, known by what its environment says."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            is_of_job = (
                entry.name.isdigit() and f"MAINSPRING_JOB_ID={job_id}".encode() in (entry / "environ").read_bytes()
            )
        except OSError:
            continue
        if is_of_job and is_alive(int(entry.name)):
            found.append(int(entry.name))
    return found


def kill_job(job_id: str) -> None:
    """Kill a job's processes, as the kernel does when memory runs out."""
    for process_id in wait_for(lambda: processes_of(job_id), bool):
        os.kill(process_id, signal.SIGKILL)


def error_of(answer: httpx.Response) -> dict[str, Any]:
    """Check that an answer is the envelope, whole, and return what is in it."""
    body = answer.json()
    assert body.keys() == {"success", "error"}
    assert body["success"] is False
    error: dict[str, Any] = body["error"]
    assert error.keys() == {"code", "message", "type", "status", "details", "trace_id", "timestamp"}
    assert error["status"] == answer.status_code
    assert error["trace_id"] == answer.headers["x-request-id"]
    assert error["message"]
    assert datetime.fromisoformat(error["timestamp"]).utcoffset() == timedelta(0)
    kinds = {401: "authentication_error", 500: "server_error", 503: "server_error"}
    assert error["type"] == kinds.get(answer.status_code, "client_error")
    return error


def assert_fits(value: Any, schema: dict[str, Any], document: dict[str, Any]) -> None:
    """Compare a value with a schema of the description: types, allowed words, and for objects the very same keys."""
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    if "anyOf" in schema:
        schema = next(one for one in schema["anyOf"] if (one.get("type") == "null") == (value is None))
        assert_fits(value, schema, document)
        return
    kinds: dict[str, Any] = {
        "object": dict,
        "array": list,
        "string": str,
        "integer": int,
        "boolean": bool,
        "null": type(None),
    }
    assert isinstance(value, kinds[schema["type"]]), (value, schema)
    assert isinstance(value, bool) == (schema["type"] == "boolean")
    assert value in schema.get("enum", [value])
    assert value == schema.get("const", value)
    for each in value if schema["type"] == "array" else []:
        assert_fits(each, schema["items"], document)
    if "properties" in schema:
        assert value.keys() == schema["properties"].keys()
        assert set(schema["required"]) == schema["properties"].keys()
        for name, part in value.items():
            assert_fits(part, schema["properties"][name], document)
