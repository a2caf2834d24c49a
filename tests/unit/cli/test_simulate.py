"""``mainspring simulate``: what it refuses, what it says, and that the same seed says it again."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from controller.cli.main import main
from controller.cli.simulation import simulate as command
from controller.cli.simulation.simulate_progress import Progress
from controller.decide import recovery
from controller.model.event import Event, EventName
from controller.model.plan import PlatformFacts
from controller.model.record import Claim
from controller.simulation.faults import Severity
from controller.simulation.scene import drawn_scene

FROM = "2026-03-02T12:00:00Z"
SPEC = """apiVersion: mainspring.dev/v1
kind: SyncSchedule
metadata: {{name: {name}, labels: {{team: web}}}}
spec:
  connectionId: conn_{name}
  schedules:
    - every: {every}
"""
POLICY = """apiVersion: mainspring.dev/v1
kind: SyncPolicy
metadata: {name: web}
spec:
  selector: {labels: {team: web}}
  defaults: {suspend: {reason: a rest}}
"""

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run ``simulate`` in a folder with a small spec tree; exit code, standard output, standard error."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "specs").mkdir()
    for name, every in (("orders", "15m"), ("clicks", "10m")):
        (tmp_path / "specs" / f"{name}.yaml").write_text(SPEC.format(name=name, every=every))

    def run_command(*arguments: str) -> tuple[int, str, str]:
        try:
            code = main(["simulate", *arguments])
        except SystemExit as ended:
            code = int(str(ended.code or 0))
        out, err = capsys.readouterr()
        return code, out, err

    return run_command


def small(*more: str, days: str = "0.05") -> Sequence[str]:
    """The arguments of a short simulation of the folder's specs."""
    return ("--specs", "specs", "--days", days, "--from", FROM, *more)


def document(run: Run, *more: str) -> dict[str, Any]:
    """The one JSON document of a simulation that keeps its promises."""
    code, out, err = run(*small("-o", "json", *more))
    assert (code, err) == (0, "")
    found: dict[str, Any] = json.loads(out)
    return found


def test_the_same_seed_says_the_same(run: Run) -> None:
    """Twice the same arguments, twice the same bytes; another seed, another trace."""
    heavy = small("--faults", "heavy", "--seed", "7", "-o", "json")
    assert run(*heavy) == run(*heavy)
    assert document(run, "--seed", "1")["trace"] != document(run, "--seed", "2")["trace"]


def test_a_calm_day_misses_nothing(run: Run) -> None:
    """Without faults every slot is started, and none is counted as a fault."""
    found = document(run, "--faults", "none")
    assert set(found["outcomes"]) == {"Triggered"}
    assert (found["faults_injected"], found["reproduction"], found["doubles"]) == ({}, None, 0)
    rows = found["schedules"]
    assert [row["name"] for row in rows] == ["clicks", "orders"]
    assert all(row["slots"] == row["started"] and row["worst_lateness_seconds"] < 2 for row in rows)


def test_policies_hold_in_a_simulation(run: Run) -> None:
    """What a policy sets for a schedule is what the simulated controller does."""
    Path("specs/policy.yaml").write_text(POLICY)
    found = document(run, "--faults", "none")
    assert found["starts"] == 0
    assert set(found["outcomes"]) == {"Skipped(Suspended)"}


def test_two_controllers_share_the_work(run: Run) -> None:
    """With a second controller there are at least two starts of one, and the page says that there are two."""
    assert document(run, "--controllers", "2", "--faults", "none")["controller_starts"] == 2
    assert "two controllers" in run(*small("--controllers", "2", "--faults", "none"))[1]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--days", "0"], "at most 366 days"),
        (["--days", "soon"], "is no number of days"),
        (["--days", "nan"], "at most 366 days"),
        (["--faults", "lots"], "invalid choice"),
        (["--controllers", "3"], "invalid choice"),
        (["--from", "2026-03-02T12:00:00"], "has no offset"),
        (["--only", "one"], "is no list of numbers"),
        (["--profile", "acme"], "invalid choice"),
    ],
)
def test_wrong_usage_is_refused(arguments: list[str], text: str, run: Run) -> None:
    """Exit code 2, a reason, and nothing on standard output."""
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert text in err


def test_specs_without_a_valid_schedule_are_said_to_be_so(run: Run, tmp_path: Path) -> None:
    """Exit code 1 and where the first error is, or that there is nothing at all."""
    for path in (tmp_path / "specs").iterdir():
        path.unlink()
    code, out, err = run(*small())
    assert (code, out) == (1, "")
    assert "no schedule is in specs" in err
    Path("specs/bad.yaml").write_text(SPEC.format(name="bad", every="soon"))
    code, out, err = run(*small())
    assert (code, out) == (1, "")
    assert "no valid schedule is in specs, the first error is at bad.yaml:7" in err
    assert "mainspring validate specs" in err


def test_a_folder_that_is_not_there_fails(run: Run) -> None:
    """As for every other command."""
    code, out, err = run("--specs", "nowhere")
    assert (code, out) == (1, "")
    assert "nowhere" in err


def test_a_bad_file_beside_good_ones_is_a_note(run: Run) -> None:
    """The valid schedules are simulated, and standard error says what is left out."""
    Path("specs/bad.yaml").write_text("kind: what\n")
    code, out, err = run(*small("--faults", "none"))
    assert code == 0
    assert "✓ every promise kept" in out
    assert "in specs, the first at bad.yaml:1:1" in err


def test_the_demo_is_simulated_where_no_specs_are_named(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its schedules run every few seconds, so that a minute of them is enough."""
    monkeypatch.setattr(command, "DEMO_DAYS", 0.0007)
    code, out, err = run("--from", FROM)
    assert (code, err) == (0, "")
    assert "orders-to-warehouse" in out


def impatient(platform: PlatformFacts, claim: Claim) -> bool:
    """A planted defect: absence is believed at once, so that a late effect becomes a second job."""
    return platform.listing is not None and platform.listing.begun_at >= claim.written_at


def test_a_broken_promise_is_shown_with_the_few_faults_that_it_takes(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 1, and the command that is printed breaks the same promise again."""
    monkeypatch.setattr(recovery, "proves_absence", impatient)
    monkeypatch.setattr(command, "SHRINK_DAYS", 2.0)
    for seed in range(100):
        given = small("--faults", "heavy", "--seed", str(seed), "-o", "json", days="0.1")
        code, out, _ = run(*given)
        found = json.loads(out)
        if found["doubles"]:
            break
    assert code == 1
    again = found["reproduction"]
    assert 1 <= len(again["faults"]) < 10
    words = again["command"].split()
    assert words[:2] == ["mainspring", "simulate"]
    code, page, _ = run(*words[2:])
    assert code == 1
    assert "BROKEN PROMISES" in page
    assert "TO SEE IT AGAIN" in page
    assert again["faults"][0]["kind"] in page


def test_a_fault_that_is_not_in_the_plan_is_refused(run: Run) -> None:
    """Its number is named, and how many there are."""
    code, out, err = run(*small("--only", "9999"))
    assert (code, out) == (1, "")
    assert "there is no fault 9999 in a plan of" in err


class Terminal:
    """A stream that is a terminal, or not."""

    def __init__(self, *, is_terminal: bool) -> None:
        self._is_terminal = is_terminal
        self.text = ""

    def isatty(self) -> bool:
        """Whether it is one."""
        return self._is_terminal

    def write(self, text: str) -> int:
        """Take in a text."""
        self.text += text
        return len(text)

    def flush(self) -> None:
        """Nothing is held back."""


class Hurrying:
    """A clock on which a second passes between two looks."""

    def __init__(self) -> None:
        self._seconds = 0.0

    def boottime(self) -> float:
        """One more."""
        self._seconds += 1
        return self._seconds


@pytest.mark.parametrize("is_terminal", [True, False])
def test_progress_is_shown_on_a_terminal_only(is_terminal: bool) -> None:
    """One line, written over and gone at the end; into a file nothing is written."""
    stream, scene = Terminal(is_terminal=is_terminal), drawn_scene("progress", days=2, severity=Severity.NONE)
    with Progress(stream, Hurrying(), scene) as progress:  # type: ignore[arg-type]
        progress.watch(Event(EventName.CYCLE_FAILED, scene.start.replace(day=3), {}))
    assert stream.text == ("\r\x1b[Ksimulating: 2026-03-03 12:00Z, 50%\r\x1b[K" if is_terminal else "")
