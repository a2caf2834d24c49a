"""Every secret of a controller whose specs come from Git has a mark, which is looked for in all that it and its commands leave behind."""

import base64
import json
import signal
import subprocess
from contextlib import redirect_stderr, redirect_stdout, suppress
from dataclasses import replace
from io import StringIO
from pathlib import Path

import httpx
import pytest

from controller.cli.main import main
from tests.e2e.controller_process import ControllerFolder, stop
from tests.e2e.embedded_process import DEADLINE_SECONDS, PlatformProcess, start_platform, wait_for
from tests.e2e.git_server import USER, HttpGitServer, http_server
from tests.e2e.git_stage import HOOK_SECRET, call_webhook, connections, git_controller, over_http, spec, told_since
from tests.e2e.test_canary import forms
from tests.unit.adapters.specs.git.servers import command_lines

OF_GIT = "canary+51c8/7b==yy%41"
REFUSED = "canary+0d22/4e==xx%43"
OF_PLATFORM = "canary+93ab/1f==zz%42"
OF_KEY = "canaryKey7b1e44f0aa"
IN_ADDRESS = "canaryUser6e10b7"
GUESSED = "canary-guess-19f3"
MARKS = (OF_GIT, REFUSED, OF_PLATFORM, OF_KEY, IN_ADDRESS, GUESSED, HOOK_SECRET)

COMMANDS = (
    "get",
    "get -o json",
    "explain steady",
    "plan",
    "plan -o json",
    "plan --ref nowhere",
    "forecast",
    "events",
    "run --print-settings",
    "import --dry-run",
    "suspend steady --reason moving",
    "resume steady",
    "trigger steady --reason now",
)
OF_TWO = "plan --from-revision HEAD --to-revision HEAD --path specs -o markdown"


class Found:
    """All that was written where somebody may read it."""

    def __init__(self, controller: ControllerFolder) -> None:
        self.controller = controller
        self.texts: list[bytes] = []

    def command(self, *arguments: str, controller: ControllerFolder | None = None) -> str:
        """Run a command, keep what it wrote, and return it."""
        done = (controller or self.controller).command(*arguments, code=None)
        self.texts.append((done.stdout + done.stderr).encode())
        return done.stdout + done.stderr

    def commands(self, *lines: str) -> None:
        """Run several in this process, which saves them their start."""
        for line in lines:
            written = StringIO()
            with redirect_stdout(written), redirect_stderr(written), suppress(SystemExit):
                main([*line.split(), "--config", str(self.controller.settings)])
            assert written.getvalue(), line
            self.texts.append(written.getvalue().encode())


def trouble(found: Found, http: HttpGitServer, process: "subprocess.Popen[bytes]", token_file: Path) -> None:
    """Everything that can go wrong with a server, each told by the controller and by a command."""
    controller = found.controller

    def told(words: str) -> None:
        count = len(controller.events())
        process.send_signal(signal.SIGHUP)
        told_since(controller, count, "spec_source_failed", words)

    token_file.write_text(REFUSED)
    told("login was refused")
    assert "login was refused" in found.command("plan")
    http.redirect_to = "http://127.0.0.1:9/elsewhere"
    told("another address")
    http.redirect_to = ""
    token_file.write_text(OF_GIT)
    http.hang = True
    process.send_signal(signal.SIGHUP)
    lines = wait_for(lambda: command_lines(f"127.0.0.1:{http.port}/"), bool)
    assert any("ls-remote" in line for line in lines)
    found.texts += [line.encode() for line in lines]
    http.hang = False
    http.down()
    told("cannot be reached")
    assert "cannot be reached" in found.command("plan")
    http.up()


def variant(controller: ControllerFolder, name: str, **given: str) -> ControllerFolder:
    """The same controller with other settings of its specs."""
    platform = controller.settings.read_text().partition("[platforms")
    rows = "".join(f"{key} = {json.dumps(value)}\n" for key, value in given.items())
    store, _, _ = platform[0].partition("[specs]")
    settings = controller.folder / f"{name}.toml"
    settings.write_text(f"{store}[specs]\n{rows}[platforms{platform[2]}")
    return replace(controller, settings=settings)


def odd_settings(found: Found, http: HttpGitServer, secrets: Path) -> None:
    """A key that is none, and signers that are not there."""
    (secrets / "key").write_text(f"-----BEGIN OPENSSH PRIVATE KEY-----\n{OF_KEY}\n-----END OPENSSH PRIVATE KEY-----\n")
    (secrets / "key").chmod(0o600)
    (secrets / "hosts").write_text("")
    key = {"ssh_key_file": str(secrets / "key"), "known_hosts_file": str(secrets / "hosts")}
    over_ssh = variant(found.controller, "ssh", git=f"ssh://{IN_ADDRESS}@127.0.0.1:9/x", **key)
    assert "cannot be reached" in found.command("plan", controller=over_ssh)
    found.command("run", "--print-settings", controller=over_ssh)
    login = {"git": address(http), "username": USER, "token_file": str(secrets / "token"), "verify": "ssh"}
    signed = variant(found.controller, "signed", **login, allowed_signers_file=str(secrets / "none"))
    assert "cannot be read" in found.command("plan", controller=signed)


def address(http: HttpGitServer) -> str:
    """The repository's address with a user in it; who logs in is said beside it."""
    return http.url("specs.git").replace("//", f"//{IN_ADDRESS}@")


def wrong_hook(controller: ControllerFolder) -> None:
    """Somebody who guesses the secret."""
    where = controller.event_when("webhook_listening")["address"]
    headers = {"X-Hub-Signature-256": f"sha256={GUESSED}", "X-Gitlab-Token": GUESSED}
    answer = httpx.post(where, content=GUESSED.encode(), headers=headers, timeout=DEADLINE_SECONDS, trust_env=False)
    assert answer.status_code == 401


def written_below(*folders: Path) -> list[bytes]:
    """The contents of all files but those that are there to hold a secret or an address."""
    kept = ("token", "hook-secret", "mainspring.toml", "ssh.toml", "signed.toml")
    files = (path for folder in folders for path in folder.rglob("*") if path.is_file() and path.name not in kept)
    return [str(path).encode() + path.read_bytes() for path in files]


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    """The folder of the secrets."""
    folder = tmp_path / "secrets"
    folder.mkdir()
    return folder


def platform_in(folder: Path) -> PlatformProcess:
    """A platform whose token is marked, and which fails now and then."""
    folder.mkdir()
    (folder / "token").write_text(OF_PLATFORM)
    return start_platform(folder, connections(2), faults=("http-500@0.1",))


def test_no_secret_of_a_git_source_is_found_anywhere(tmp_path: Path, secrets: Path) -> None:
    """Through every kind of trouble: in no output, log, page, plan, store, mirror or argument."""
    platform = platform_in(tmp_path / "platform")
    with http_server(tmp_path / "http") as http:
        http.token = OF_GIT
        repository = http.repository("specs.git", tmp_path / "author")
        repository.push({"specs/steady.yaml": spec("steady", "conn_0"), "specs/odd.yaml": "odd: [\n"})
        settings = {**over_http(http, "specs.git", secrets / "token"), "git": address(http)}
        controller = git_controller(tmp_path / "controller", platform, settings, takes_webhooks=True)
        found = Found(controller)
        process = controller.start()
        try:
            controller.event_when("sync_triggered")
            call_webhook(controller)
            wrong_hook(controller)
            found.commands(*COMMANDS, f"{OF_TWO} --repository {repository.bare}")
            trouble(found, http, process, secrets / "token")
            odd_settings(found, http, secrets)
        finally:
            assert stop(process) == 0
        console = found.command("run", "--once", "--log-format", "console")
        platform.stop()
    assert "reconciles http://127.0.0.1" in console
    texts = found.texts + written_below(controller.folder, platform.folder)
    assert any(b"pack" in text[:200] or b"objects" in text[:200] for text in texts)
    logins = [base64.b64encode(f"{USER}:{token}".encode()) for token in (OF_GIT, REFUSED)]
    marks = [(mark, form) for mark in MARKS for form in forms(mark)] + [(USER, login) for login in logins]
    assert [(mark, text[:300]) for mark, form in marks for text in texts if form in text] == []
