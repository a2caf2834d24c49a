"""Specs from a real Git server: from a push to a sync, over HTTP, SSH and by webhook."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from controller.adapters.webhook.coalesce import APART_SECONDS
from tests.e2e.controller_process import ControllerFolder, stop
from tests.e2e.embedded_process import DEADLINE_SECONDS, PlatformProcess, platforms_in, wait_for
from tests.e2e.git_repository import Repository
from tests.e2e.git_server import HttpGitServer, http_server, ssh_server
from tests.e2e.git_stage import (
    assert_kept,
    call_webhook,
    connections,
    git_controller,
    next_trigger,
    now,
    over_http,
    over_ssh,
    seconds_to_plan,
    spec,
    told_of,
    told_since,
    triggers,
)

POLLED, POLLED_OVER_SSH, HOOKED, HOOKED_ROUNDS = 10, 5, 5, 2


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[PlatformProcess]:
    """A platform with a few connections."""
    (tmp_path / "platform").mkdir()
    with platforms_in(tmp_path / "platform") as start:
        yield start(connections(HOOKED))


@pytest.fixture
def http(tmp_path: Path) -> Iterator[HttpGitServer]:
    """A Git server that asks for a password."""
    with http_server(tmp_path / "http") as server:
        yield server


def push_and_wait(controller: ControllerFolder, repository: Repository, number: int) -> float:
    """Push a change that changes no schedule; returns the seconds until its plan."""
    commit = repository.push({"specs/steady.yaml": spec("steady", "conn_0", note=f"version {number}")})
    return seconds_to_plan(controller, commit, now())


def test_a_push_over_http_is_planned_within_a_poll_and_its_schedule_triggers(
    platform: PlatformProcess, http: HttpGitServer, tmp_path: Path
) -> None:
    """Every commit comes into force, and what is due starts by the newest; the password is nowhere."""
    repository = http.repository("specs.git", tmp_path / "author")
    repository.push({"specs/steady.yaml": spec("steady", "conn_0"), "README.md": "no spec"})
    controller = git_controller(tmp_path / "controller", platform, over_http(http, "specs.git", tmp_path / "token"))
    process = controller.start()
    try:
        controller.event_when("specs_loaded")
        samples = [push_and_wait(controller, repository, number) for number in range(POLLED)]
        started = wait_for(lambda: triggers(controller, "steady"), bool)[-1]
    finally:
        assert stop(process) == 0
    print("\n" + told_of(samples, "polled every second over http"))
    assert max(samples) < 10
    # Ten polls take longer than five seconds, so that the last start was by one of the pushes.
    assert started["revision"] in {
        event["revision"] for event in controller.events() if event["event"] == "specs_loaded"
    }
    assert {job["connection_id"] for job in platform.call("GET", "/jobs").json()["data"]} == {"conn_0"}
    assert_kept(controller, "steady")
    assert http.asked
    assert all(asked.is_authorized for asked in http.asked)
    written = [path.read_bytes() for path in controller.folder.rglob("*") if path.is_file()]
    assert not any(http.token.encode() in text for text in written)


def test_a_push_over_ssh_is_planned_within_a_poll(platform: PlatformProcess, tmp_path: Path) -> None:
    """The same with a key and a known host."""
    (tmp_path / "keys").mkdir()
    with ssh_server(tmp_path / "served", tmp_path / "keys") as server:
        repository = server.repository("specs.git", tmp_path / "author")
        repository.push({"specs/steady.yaml": spec("steady", "conn_0")})
        controller = git_controller(tmp_path / "controller", platform, over_ssh(server, "specs.git"))
        process = controller.start()
        try:
            controller.event_when("specs_loaded")
            samples = [push_and_wait(controller, repository, number) for number in range(POLLED_OVER_SSH)]
            wait_for(lambda: triggers(controller, "steady"), bool)
        finally:
            assert stop(process) == 0
    print("\n" + told_of(samples, "polled every second over ssh"))
    assert max(samples) < 10
    assert_kept(controller, "steady")


def test_a_push_that_is_told_by_a_webhook_is_planned_at_once(
    platform: PlatformProcess, http: HttpGitServer, tmp_path: Path
) -> None:
    """The poll would come after a minute. Several controllers, because one fetches no more than once in five seconds."""
    rows = []
    for n in range(HOOKED):
        repository = http.repository(f"specs-{n}.git", tmp_path / f"author-{n}")
        repository.push({"specs/steady.yaml": spec("steady", f"conn_{n}", every="1h")})
        settings = over_http(http, f"specs-{n}.git", tmp_path / "token")
        controller = git_controller(tmp_path / f"controller-{n}", platform, settings, poll="60s", takes_webhooks=True)
        rows.append((n, repository, controller, controller.start()))
    samples: list[float] = []
    called_at = dict.fromkeys(range(HOOKED), now() - timedelta(minutes=1))
    try:
        for _, _, controller, _ in rows:
            controller.event_when("specs_loaded")
        for turn in range(HOOKED_ROUNDS):
            for n, repository, controller, _ in rows:
                commit = repository.push({"specs/steady.yaml": spec("steady", f"conn_{n}", every=f"{turn + 2}h")})
                wait_for(now, (called_at[n] + timedelta(seconds=APART_SECONDS)).__lt__)
                called_at[n] = now()
                call_webhook(controller)
                samples.append(seconds_to_plan(controller, commit, called_at[n]))
    finally:
        for *_, process in rows:
            process.terminate()
        codes = [process.wait(DEADLINE_SECONDS) for *_, process in rows]
    print("\n" + told_of(samples, "by webhook over http"))
    assert codes == [0] * HOOKED
    assert max(samples) < 10


def test_a_server_in_trouble_leaves_the_last_good_revision_in_force(
    platform: PlatformProcess, http: HttpGitServer, tmp_path: Path
) -> None:
    """Down, refusing the password, hanging: each is told, no slot is left out meanwhile, and what was pushed comes once it is over."""
    repository = Repository.make(http.root / "specs.git", tmp_path / "author")
    repository.push({"specs/steady.yaml": spec("steady", "conn_0")})
    token_file = tmp_path / "token"
    controller = git_controller(tmp_path / "controller", platform, over_http(http, "specs.git", token_file))
    process = controller.start()
    try:
        controller.event_when("specs_loaded")
        count = len(controller.events())
        http.down()
        told_since(controller, count, "spec_source_failed", "cannot be reached")
        commit = repository.push({"specs/steady.yaml": spec("steady", "conn_0", note="while it was down")})
        http.up()
        recovered = [seconds_to_plan(controller, commit, now())]

        http.token, count = "canary-token-rotated", len(controller.events())
        told_since(controller, count, "spec_source_failed", "login was refused")
        commit = repository.push({"specs/steady.yaml": spec("steady", "conn_0", note="while it refused")})
        token_file.write_text(http.token)
        recovered.append(seconds_to_plan(controller, commit, now()))

        http.hang, asked = True, len(http.asked)
        wait_for(lambda: len(http.asked), lambda found: found > asked)
        commit = repository.push({"specs/steady.yaml": spec("steady", "conn_0", note="while it hung")})
        next_trigger(controller, "steady")
        http.hang = False
        recovered.append(seconds_to_plan(controller, commit, now()))
    finally:
        assert stop(process) == 0
    print("\nback in force after " + ", ".join(f"{seconds:.2f} s" for seconds in recovered) + " (down, refused, hung)")
    assert max(recovered) < 10
    assert_kept(controller, "steady")
    log = (controller.folder / "controller.log").read_text()
    assert "canary-token" not in log
