"""Ten bad commits in a row, then a good one, from a real Git server to a running controller."""

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.controller_process import ControllerFolder, stop
from tests.e2e.embedded_process import PlatformProcess, platforms_in, wait_for
from tests.e2e.git_repository import make_key, public_half
from tests.e2e.git_server import HttpGitServer, http_server
from tests.e2e.git_stage import (
    assert_kept,
    connections,
    git_controller,
    next_trigger,
    now,
    over_http,
    seconds_to_plan,
    spec,
    told_since,
    triggers,
)
from tests.git_repository import Content, Link, Submodule

Tree = dict[str | bytes, Content]

STEADY = spec("steady", "conn_0")
GOOD: Tree = {
    "README.md": "no spec",
    "specs/steady.yaml": STEADY,
    "specs/rare.yaml": spec("rare", "conn_1", every="1h"),
}
CONFLICT = f"<<<<<<< HEAD\n{STEADY}=======\n{STEADY.replace('5s', '10s')}>>>>>>> theirs\n"
BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9)
)

BAD: dict[str, tuple[Tree, str, str]] = {
    # the tree, then the event that tells of it and words in it
    "its directory is gone": ({"README.md": "no spec"}, "spec_source_failed", "no directory specs"),
    "conflict markers": ({**GOOD, "specs/steady.yaml": CONFLICT}, "specs_rejected", "steady.yaml"),
    "a bomb": ({**GOOD, "specs/steady.yaml": BOMB}, "specs_rejected", "steady.yaml"),
    "a link out of the tree": (
        {**GOOD, "specs/steady.yaml": Link("../../../../../../etc/passwd")},
        "specs_rejected",
        "links are not followed",
    ),
    "a submodule": ({**GOOD, "specs/vendor": Submodule()}, "specs_rejected", "submodule"),
    "a name that is no UTF-8": ({**GOOD, b"specs/\xff\xfe.yaml": spec("odd", "conn_2")}, "specs_rejected", "not UTF-8"),
    "an empty tree": ({}, "spec_source_failed", "no directory specs"),
    "names that differ in case": (
        {**GOOD, "specs/Cased.yaml": spec("cased", "conn_2"), "specs/cased.yaml": spec("cased", "conn_2")},
        "specs_rejected",
        "ased.yaml",
    ),
    "a connection twice": (
        {**GOOD, "specs/one.yaml": spec("one", "conn_2"), "specs/two.yaml": spec("two", "conn_2")},
        "specs_rejected",
        "conn_2",
    ),
}


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[PlatformProcess]:
    """A platform with a few connections."""
    (tmp_path / "platform").mkdir()
    with platforms_in(tmp_path / "platform") as start:
        yield start(connections(4))


@pytest.fixture
def http(tmp_path: Path) -> Iterator[HttpGitServer]:
    """A Git server that asks for a password."""
    with http_server(tmp_path / "http") as server:
        yield server


def look(controller: ControllerFolder, process: "subprocess.Popen[bytes]") -> int:
    """Make a controller look at its specs now; returns how many events there were before."""
    count = len(controller.events())
    process.send_signal(signal.SIGHUP)
    return count


def test_ten_bad_commits_lose_nothing_and_the_good_one_after_them_counts_at_once(
    platform: PlatformProcess, http: HttpGitServer, tmp_path: Path
) -> None:
    """Each is told, what was in force goes on to the slot, nothing of a bad one starts, and no restart or patience is needed."""
    key = make_key(tmp_path / "key")
    (tmp_path / "signers").write_text(f"ada@example.org {public_half(key)}\n")
    repository = http.repository("specs.git", tmp_path / "author")
    repository.push(GOOD, sign_with=key)
    signed = {"verify": "ssh", "allowed_signers_file": str(tmp_path / "signers")}
    settings = over_http(http, "specs.git", tmp_path / "token", **signed)
    controller = git_controller(tmp_path / "controller", platform, settings, poll="1h")
    process = controller.start()
    try:
        controller.event_when("specs_loaded")
        for tree, event, words in BAD.values():
            repository.push(tree, sign_with=key, anew=True)
            told_since(controller, look(controller, process), event, words)
        unsigned = repository.push({**GOOD, "specs/unsigned.yaml": spec("unsigned", "conn_3")}, anew=True)
        told_since(controller, look(controller, process), "spec_source_failed", f"{unsigned} is refused")
        good = repository.push({**GOOD, "specs/late.yaml": spec("late", "conn_3")}, sign_with=key, anew=True)
        pushed_at = now()
        look(controller, process)
        seconds = seconds_to_plan(controller, good, pushed_at)
        started = next_trigger(controller, "late")
        wait_for(lambda: triggers(controller, "steady"), lambda found: len(found) > 1)
        jobs = platform.call("GET", "/jobs", params={"limit": 100}).json()["data"]
    finally:
        assert stop(process) == 0
    print(f"\nthe good commit is in force {seconds:.2f} s after its push")
    assert seconds < 10
    assert started["revision"] == f"main@sha1:{good}"
    assert {job["connection_id"] for job in jobs} == {"conn_0", "conn_3"}
    assert_kept(controller, "steady")
    accepted = {event["schedule"] for event in controller.events() if event["event"] == "schedule_accepted"}
    assert accepted == {"steady", "rare", "late"}
    assert "root:" not in (controller.folder / "controller.log").read_text()
