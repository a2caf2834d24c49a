"""Run the embedded platform in this process until a signal ends it."""

import asyncio
import fcntl
import logging
import random
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from controller.embedded.access import Gate, read_or_make_token
from controller.embedded.api import Backing, build_api
from controller.embedded.catalogue import Catalogue
from controller.embedded.clock import utc_now
from controller.embedded.connections_file import ConnectionsFile, ConnectionsFileError, load_connections
from controller.embedded.connections_routes import Connections
from controller.embedded.faults import Fault, parse_fault
from controller.embedded.gateway import Gateway, Rules
from controller.embedded.jobs_routes import Jobs
from controller.embedded.runner import Runner
from controller.embedded.store import Store
from controller.embedded.timetable import Ticker, Timetable

__all__ = [
    "Announcement",
    "ConnectionsFileError",
    "DataDirectoryInUseError",
    "Fault",
    "PlatformOptions",
    "load_connections",
    "parse_fault",
    "serve",
]

ORGANIZATION_ID_DEFAULT = "org_demo"
STATE_FOLDER = "platform"  # in the data directory: the platform's own files, closed to clients of the API
KEEP_ALIVE_SECONDS = (
    75  # longer than clients keep theirs (httpx: 5 s), or a request may meet our closing and be in doubt
)
SHUTDOWN_SECONDS = 1  # for answers under way; jobs end meanwhile, and all of it has to fit into 5 s


class DataDirectoryInUseError(Exception):
    """Another platform process works in the data directory."""


@dataclass(frozen=True, slots=True)
class PlatformOptions:
    """How to run a platform.

    `port` 0 takes a free one; `workers` None takes the file's number; `requests_per_minute` None is no limit; `fault_seed` decides
    which requests a fault with a share meets.
    """

    data_directory: Path
    token_file: Path
    connections_file: Path | None = None
    host: str = "127.0.0.1"
    port: int = 0
    workers: int | None = None
    faults: tuple[Fault, ...] = ()
    fault_seed: int = 0
    organization_id: str = ORGANIZATION_ID_DEFAULT
    requests_per_minute: int | None = None


@dataclass(frozen=True, slots=True)
class Announcement:
    """Where a platform that accepts connections can be reached: `http://host:port`, without a path."""

    base_url: str
    organization_id: str
    token_file: Path


Announce = Callable[[Announcement], None]


def serve(options: PlatformOptions, *, announce: Announce) -> int:
    """Run until SIGTERM or SIGINT, then end the running jobs and return 0. SIGHUP reads the connections file again.

    Needs the main thread, for the signals. `announce` is called once, when connections are accepted.

    Raises:
        ConnectionsFileError: the connections file cannot be used.
        DataDirectoryInUseError: another platform works in the data directory.
        OSError: the address is taken, or a file cannot be made.
        ValueError: the token file does not hold one word.
    """
    connections = ConnectionsFile() if options.connections_file is None else load_connections(options.connections_file)
    state = options.data_directory / STATE_FOLDER
    state.mkdir(parents=True, exist_ok=True)
    token = read_or_make_token(options.token_file)
    with _lock(state / "lock"), _listen(options.host, options.port) as listening:
        asyncio.run(_serve(options, connections, token, listening, announce))
    return 0


async def _serve(
    options: PlatformOptions, connections: ConnectionsFile, token: str, listening: socket.socket, announce: Announce
) -> None:
    state = options.data_directory / STATE_FOLDER
    store = Store(state / "platform.db")
    try:
        catalogue = Catalogue(store, options.data_directory, state)
        catalogue.take_file(connections.connections)
        runner = Runner(store, catalogue.work_of, options.workers or connections.workers)
        runner.recover()
        jobs = Jobs(store, catalogue, runner)
        ticker = Ticker(Timetable(store, utc_now()), catalogue, jobs.start_by_schedule)
        catalogue.subscribe(ticker.refresh)
        backing = Backing(
            Gate(token, options.organization_id),
            jobs,
            Connections(store, catalogue, runner),
        )
        rules = Rules(
            faults=options.faults,
            chance=random.Random(options.fault_seed),  # noqa: S311  not for secrets
            requests_per_minute=options.requests_per_minute,
            break_connection=_BreakableProtocol.break_connection,
        )
        server = _server(Gateway(build_api(backing), rules))
        host, port = listening.getsockname()[:2]
        base_url = f"http://[{host}]:{port}" if listening.family == socket.AF_INET6 else f"http://{host}:{port}"
        server.announce = lambda: announce(Announcement(base_url, options.organization_id, options.token_file))
        with _signals(lambda: server.request_stop(runner), lambda: _read_again(options, catalogue, runner)):
            ticker.refresh()
            await server.serve(sockets=[listening])
        ticker.stop()
        await runner.stop()
    finally:
        store.close()


def _read_again(options: PlatformOptions, catalogue: Catalogue, runner: Runner) -> None:
    if options.connections_file is None:
        return
    try:
        connections = load_connections(options.connections_file)
    except ConnectionsFileError as error:
        logging.getLogger(__name__).error("the connections file stays as it was before:\n%s", error)  # noqa: TRY400  no traceback
        return
    catalogue.take_file(connections.connections)
    runner.set_slots(options.workers or connections.workers)


class _Server(uvicorn.Server):
    """A server that leaves signals to us and tells when it accepts connections."""

    announce: Callable[[], None]
    _stopping: "asyncio.Task[None] | None" = None

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        # Theirs would raise the signal again after the end, and the exit code would not be 0.
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.announce()

    def request_stop(self, runner: Runner) -> None:
        self.should_exit = True
        # At once, beside the last answers; the reference keeps the task alive.
        self._stopping = asyncio.get_running_loop().create_task(runner.stop())


class _BreakableProtocol(H11Protocol):
    """The HTTP protocol, with a way to cut one client off, which faults need and ASGI does not have."""

    _by_client: "dict[tuple[str, int], asyncio.Transport]" = {}  # noqa: RUF012  one server per process

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if self.client is not None:
            self._by_client[self.client] = transport

    def connection_lost(self, exc: Exception | None) -> None:
        if self.client is not None:
            self._by_client.pop(self.client, None)
        super().connection_lost(exc)

    @classmethod
    def break_connection(cls, client: tuple[str, int]) -> None:
        transport = cls._by_client.get(client)
        if transport is not None:
            transport.abort()


def _server(app: Gateway) -> _Server:
    logging.basicConfig(stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s", level=logging.WARNING)
    return _Server(
        uvicorn.Config(
            app,
            http=_BreakableProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="warning",
            access_log=False,
            date_header=False,  # theirs lags a second behind; the gateway writes an exact one, for clients compare clocks
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        )
    )


@contextmanager
def _signals(stop: Callable[[], None], read_again: Callable[[], None]) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    wanted = {signal.SIGTERM: stop, signal.SIGINT: stop, signal.SIGHUP: read_again}
    for number, reaction in wanted.items():
        loop.add_signal_handler(number, reaction)
    try:
        yield
    finally:
        for number in wanted:
            loop.remove_signal_handler(number)


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    """Hold the data directory. The kernel lets go when the process ends, however it ends."""
    with path.open("a") as file:
        _claim(file, path)
        yield


def _claim(file: IO[str], path: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise DataDirectoryInUseError(f"another platform works in {path.parent.parent}") from None


def _listen(host: str, port: int) -> socket.socket:
    # Bound before anything else starts, so that a taken port is an error of the start. The protocol is named because asyncio turns
    # Nagle's algorithm off only then, and with it every answer would come 40 ms late.
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
    except OSError:
        listening.close()
        raise
    return listening
