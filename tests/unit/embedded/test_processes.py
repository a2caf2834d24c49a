"""Real processes: known again by more than their id, heard to the last line, and ended with all that they started."""

import asyncio
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from controller.embedded.child import LINE_BYTES_MAX, Child, Launch, Listener
from controller.embedded.processes import JOB_ID_VARIABLE, end_leftovers, group_members, identify
from controller.embedded.store import ChildIdentity
from tests.e2e.embedded_process import is_alive

JOB_ID = f"job_{secrets.token_hex(8)}"
"""Of this run alone: every process of the machine is looked at, also those of the same tests in another run."""


@pytest.fixture
def sleeper() -> Iterator["subprocess.Popen[bytes]"]:
    """A process of job ``JOB_ID`` in a group of its own."""
    process = subprocess.Popen(["sleep", "1000"], start_new_session=True, env={**os.environ, JOB_ID_VARIABLE: JOB_ID})
    yield process
    process.kill()
    process.wait()


def test_a_process_is_more_than_its_id(sleeper: "subprocess.Popen[bytes]") -> None:
    """The same id with another start is another process, and is not killed for what the first one left."""
    identity = identify(sleeper.pid)
    assert identity == identify(sleeper.pid)
    assert identity.started
    stranger = ChildIdentity(sleeper.pid, identity.started + "0")
    assert not end_leftovers(f"{JOB_ID}_other", stranger)
    assert is_alive(sleeper.pid)
    assert end_leftovers(f"{JOB_ID}_other", identity)
    assert not is_alive(sleeper.pid)


def test_what_carries_a_jobs_id_is_the_jobs(sleeper: "subprocess.Popen[bytes]") -> None:
    """A process that was never recorded is found by its environment, and only by the whole id."""
    assert not end_leftovers(JOB_ID[:-1], None)
    assert is_alive(sleeper.pid)
    assert end_leftovers(JOB_ID, None)
    assert not is_alive(sleeper.pid)
    assert not end_leftovers(JOB_ID, None)


@dataclass
class Heard:
    """What a child said."""

    counts: list[tuple[int, int]] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)


def run(script: str, *, is_terminated: bool = False) -> tuple[int, Heard, int]:
    """Run a shell script as a child to its end; return its exit code, what it said, and its process id."""
    heard = Heard()

    async def attend() -> tuple[int, int]:
        said = asyncio.Event()

        def log(line: str) -> None:
            heard.lines.append(line)
            said.set()

        listener = Listener(counted=lambda rows, size: heard.counts.append((rows, size)), logged=log)
        child = Child(Launch(("sh", "-c", script), Path.cwd(), os.environ), listener)
        if is_terminated:
            await said.wait()
            child.terminate()
            child.terminate()
        return await child.wait(), child.identity.process_id

    code, process_id = asyncio.run(attend())
    return code, heard, process_id


def test_everything_said_is_heard() -> None:
    """Lines of both outputs, progress, a last line without an end, and of a line without end only its beginning."""
    code, heard, _ = run(
        "echo out; echo err >&2; echo '{\"rows\": 2}'; head -c 300000 /dev/zero | tr '\\0' x; printf '\\nlast'; exit 7"
    )
    assert code == 7
    assert heard.counts == [(2, 0)]
    assert sorted(heard.lines) == sorted(["out", "err", "x" * LINE_BYTES_MAX, "last"])


def test_a_program_that_reads_finds_nothing_to_read() -> None:
    """Standard input of a command is empty, so that a program which reads it goes on instead of waiting for ever."""
    code, heard, _ = run("cat; echo read")
    assert (code, heard.lines) == (0, ["read"])


def test_what_a_job_leaves_behind_ends_with_it() -> None:
    """A background process of a job that has ended is killed, and does not keep the job from ending."""
    code, heard, process_id = run("sleep 1000 & echo $!")
    assert code == 0
    assert group_members(process_id) == []
    assert not is_alive(int(heard.lines[0]))


def test_a_stranger_that_holds_the_pipe_does_not_hold_the_job(tmp_path: Path) -> None:
    """A process that left the job's group may keep the output open; the job ends all the same."""
    code, heard, _ = run(
        f"setsid sh -c 'echo $$ > {tmp_path}/pid; exec sleep 1000' & until [ -s {tmp_path}/pid ]; do :; done; echo done"
    )
    os.kill(int((tmp_path / "pid").read_text()), 9)
    assert (code, heard.lines) == (0, ["done"])


def test_a_polite_end_is_waited_for() -> None:
    """On SIGTERM a whole group has time to clean up, also when its leader is gone at once."""
    code, heard, process_id = run(
        "(trap 'sleep 0.3; echo cleaned; exit' TERM; echo ready; while :; do sleep 0.05; done) & wait",
        is_terminated=True,
    )
    assert code == -15
    assert "cleaned" in heard.lines
    assert group_members(process_id) == []


def test_a_deaf_process_is_killed_after_the_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that ignores SIGTERM has the grace and no more."""
    monkeypatch.setattr("controller.embedded.child.TERMINATION_GRACE_SECONDS", 0.2)
    code, _, process_id = run("trap '' TERM; echo ready; while :; do sleep 0.05; done", is_terminated=True)
    assert code == -9
    assert group_members(process_id) == []


def test_the_job_process_loads_the_standard_library_only() -> None:
    """What a built-in job imports is Python's own and the engine, so that it starts in milliseconds."""
    script = (
        "import sys; sys.path.insert(0, sys.argv[1]); import controller.embedded.worker.__main__;"
        "print(sorted({name.split('.')[0] for name in sys.modules} - sys.stdlib_module_names - {'__main__'}))"
    )
    root = str(Path(__file__).resolve().parents[3])
    loaded = subprocess.run(
        [sys.executable, "-I", "-S", "-c", script, root], check=True, capture_output=True, text=True
    )
    assert loaded.stdout.strip() == "['controller']"
