"""Git servers as teams have them: smart HTTP with a password, on request over TLS, and SSH with keys; both misbehave when told to."""

import base64
import json
import os
import select
import signal
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any, ClassVar

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.e2e.embedded_process import DEADLINE_SECONDS, ROOT, START_SECONDS
from tests.e2e.git_repository import Repository, make_key, public_half
from tests.git_repository import ENVIRONMENT, git

USER = "spec-reader"


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: what was asked for, whether its sender had the password, and how its body came. The password is not kept."""

    method: str
    path: str
    is_authorized: bool
    is_chunked: bool = False


@dataclass
class HttpGitServer:
    """``git http-backend`` behind a small server of our own.

    Attributes:
        root: the folder of the repositories.
        token: the password of ``USER``; may be changed while it runs.
        refuse_auth: nobody is let in.
        hang: requests are read, and not answered as long as this holds.
        redirect_to: every request is sent elsewhere.
        asked: every request so far.
    """

    root: Path
    token: str = "canary-token-5c1d"
    certificate: Path | None = None
    refuse_auth: bool = False
    hang: bool = False
    redirect_to: str = ""
    asked: list[Asked] = field(default_factory=list)
    port: int = 0
    _server: "_Server | None" = None
    _thread: threading.Thread | None = None

    def up(self) -> None:
        """Listen, after the first time on the same port again."""
        self._server = _Server(self)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    def down(self) -> None:
        """Listen no more, and break what is open."""
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server.cut_all()
            self._thread.join(DEADLINE_SECONDS)
        self._server = None

    def url(self, name: str) -> str:
        """The address of a repository, without a password."""
        return f"{'http' if self.certificate is None else 'https'}://127.0.0.1:{self.port}/{name}"

    def login(self) -> dict[str, str]:
        """What Git needs in its environment to be let in; nothing of it is in a command line."""
        password = base64.b64encode(f"{USER}:{self.token}".encode()).decode()
        trust = {} if self.certificate is None else {"GIT_SSL_CAINFO": str(self.certificate)}
        pairs = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "http.extraHeader"}
        return {**trust, **pairs, "GIT_CONFIG_VALUE_0": f"Authorization: Basic {password}"}

    def repository(self, name: str, folder: Path) -> Repository:
        """A new repository on this server, and somebody who pushes to it over HTTP."""
        return Repository.make(self.root / name, folder, self.url(name), self.login())


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, settings: HttpGitServer) -> None:
        self.settings = settings
        self.released = threading.Event()
        self._open: set[socket.socket] = set()
        super().__init__(("127.0.0.1", settings.port), _Request)
        self._tls: ssl.SSLContext | None = None
        if settings.certificate is not None:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.load_cert_chain(settings.certificate)

    def get_request(self) -> tuple[socket.socket, Any]:
        stream, address = super().get_request()
        if self._tls is not None:
            # The handshake comes with the first read, in the thread of the request.
            stream = self._tls.wrap_socket(stream, server_side=True, do_handshake_on_connect=False)
        self._open.add(stream)
        return stream, address

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def cut_all(self) -> None:
        self.released.set()
        for stream in tuple(self._open):
            with suppress(OSError):
                stream.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that breaks off is nothing to print."""


class _Request(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server
    passed_on: ClassVar[dict[str, str]] = {
        "Content-Type": "CONTENT_TYPE",
        "Content-Encoding": "HTTP_CONTENT_ENCODING",
        "Accept-Encoding": "HTTP_ACCEPT_ENCODING",
        "Git-Protocol": "GIT_PROTOCOL",
    }

    def log_message(self, *_: Any) -> None:
        """Standard error is the tests'."""

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        settings = self.server.settings
        body = self._body()
        is_authorized = not settings.refuse_auth and self._knows(settings.token)
        settings.asked.append(Asked(self.command, self.path, is_authorized, self._is_chunked()))
        while settings.hang and not self.server.released.wait(0.02):
            pass
        if settings.redirect_to:
            self._reply(302, {"Location": settings.redirect_to + self.path})
        elif not is_authorized:
            self._reply(401, {"WWW-Authenticate": 'Basic realm="specs"'})
        else:
            self._reply(*_backend(settings.root, self._variables(), body))

    def _knows(self, token: str) -> bool:
        return self.headers.get("Authorization") == "Basic " + base64.b64encode(f"{USER}:{token}".encode()).decode()

    def _variables(self) -> dict[str, str]:
        path, _, query = self.path.partition("?")
        known = {name: self.headers[header] for header, name in self.passed_on.items() if self.headers[header]}
        return {**known, "REQUEST_METHOD": self.command, "PATH_INFO": path, "QUERY_STRING": query}

    def _is_chunked(self) -> bool:
        return str(self.headers.get("Transfer-Encoding", "")).lower() == "chunked"

    def _body(self) -> bytes:
        """As it came, packed or not; Git sends what is long in chunks."""
        if not self._is_chunked():
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        found = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            found += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return found

    def _reply(self, status: int, headers: dict[str, str], body: bytes = b"") -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


def _backend(root: Path, variables: dict[str, str], body: bytes) -> tuple[int, dict[str, str], bytes]:
    """What Git's own CGI program answers; whoever comes here may push."""
    given = {"GIT_PROJECT_ROOT": str(root), "GIT_HTTP_EXPORT_ALL": "1", "REMOTE_USER": USER, "REMOTE_ADDR": "127.0.0.1"}
    done = subprocess.run(
        ["git", "http-backend"],
        input=body,
        capture_output=True,
        env={**ENVIRONMENT, **given, **variables, "CONTENT_LENGTH": str(len(body))},
        timeout=DEADLINE_SECONDS,
        check=False,
    )
    head, _, content = done.stdout.partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if line)
    return int(headers.pop("Status", "200").split()[0]), headers, content


@contextmanager
def http_server(root: Path, *, certificate: Path | None = None) -> Iterator[HttpGitServer]:
    """A server on a free port for the repositories below a folder; over TLS where it has a certificate."""
    root.mkdir(parents=True, exist_ok=True)
    server = HttpGitServer(root, certificate=certificate)
    server.up()
    try:
        yield server
    finally:
        server.down()


def make_certificate(path: Path) -> Path:
    """A certificate for 127.0.0.1 that nobody else signed, with its private key in the same file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2100, 1, 1, tzinfo=UTC))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(made.public_bytes(Encoding.PEM) + private)
    return path


@dataclass
class SshGitServer:
    """A running SSH server; ``key`` is the only one that it lets in, ``known_hosts`` names it as it is."""

    root: Path
    folder: Path
    key: Path
    known_hosts: Path
    port: int = 0
    process: "subprocess.Popen[bytes] | None" = None

    def up(self) -> None:
        """Listen, after the first time on the same port again."""
        command = [sys.executable, "-m", "tests.e2e.ssh_server", "--root", str(self.root), "--port", str(self.port)]
        command += ["--host-key", str(self.folder / "host"), "--authorized-key", f"{self.key}.pub"]
        with (self.folder / "ssh.log").open("a") as log:
            self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=log)
        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], START_SECONDS)
        line = self.process.stdout.readline() if ready else b""
        assert line, f"the SSH server did not start: {(self.folder / 'ssh.log').read_text()}"
        self.port = json.loads(line)["port"]
        self.known_hosts.write_text(f"[127.0.0.1]:{self.port} {public_half(self.folder / 'host')}\n")

    def down(self) -> None:
        """Listen no more, and break what is open."""
        if self.process is not None and self.process.stdout is not None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(timeout=DEADLINE_SECONDS)
            self.process.stdout.close()
        self.process = None

    def url(self, name: str) -> str:
        """The address of a repository."""
        return f"ssh://git@127.0.0.1:{self.port}/{name}"

    def login(self, *, key: Path | None = None, known_hosts: Path | None = None) -> dict[str, str]:
        """What Git needs in its environment to be let in; nothing of the machine's own settings and keys is used."""
        options = {
            "IdentitiesOnly": "yes",
            "IdentityAgent": "none",
            "BatchMode": "yes",
            "StrictHostKeyChecking": "yes",
            "UserKnownHostsFile": str(known_hosts or self.known_hosts),
            "GlobalKnownHostsFile": os.devnull,
        }
        settings = " ".join(f"-o {name}={value}" for name, value in options.items())
        return {"GIT_SSH_COMMAND": f"ssh -F {os.devnull} -i {key or self.key} {settings}"}

    def repository(self, name: str, folder: Path) -> Repository:
        """A new repository on this server, and somebody who pushes to it over SSH."""
        return Repository.make(self.root / name, folder, self.url(name), self.login())


@contextmanager
def ssh_server(root: Path, folder: Path) -> Iterator[SshGitServer]:
    """A server on a free port for the repositories below a folder; its keys lie in ``folder``, which exists."""
    root.mkdir(parents=True, exist_ok=True)
    make_key(folder / "host")
    server = SshGitServer(root, folder, make_key(folder / "user"), folder / "known_hosts")
    server.up()
    try:
        yield server
    finally:
        server.down()


def ask(url: str, environment: dict[str, str]) -> str:
    """What a repository's branches are, as anybody may ask; AssertionError where Git is refused."""
    return git("ls-remote", "--heads", url, environment=environment)
