"""Commands on specs that come from Git: the same words, wherever the tree is."""

import json
from pathlib import Path

import pytest

from controller.cli.main import main
from tests.fakes.spec_source import schedule_text
from tests.unit.adapters.specs.git.repositories import Repository, repository

FROM = ("--from", "2026-03-01T00:00:00Z", "--to", "2026-03-02T00:00:00Z")


@pytest.fixture
def origin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """A repository with one spec, and a working directory whose settings let it be read."""
    made = repository(tmp_path / "origin")
    made.publish({"specs/a.yaml": schedule_text("a")})
    (tmp_path / "mainspring.toml").write_text(f'[specs]\ngit = "{made.path}"\nallow_local = true\n')
    monkeypatch.chdir(tmp_path)
    return made


def test_get_and_forecast_read_the_repository(origin: Repository, capsys: pytest.CaptureFixture[str]) -> None:
    """No controller has taken it in yet; the mirror lies beside the store."""
    assert main(["get", "-o", "json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert (found["name"], found["revision"]) == ("a", None)
    assert main(["forecast", *FROM, "-o", "json"]) == 0
    assert {row["schedule"] for row in json.loads(capsys.readouterr().out)["slots"]} == {"a"}
    assert (origin.path.parent / ".mainspring" / "git").is_dir()


def test_flags_name_a_branch_and_a_directory(origin: Repository, capsys: pytest.CaptureFixture[str]) -> None:
    """What is not there is named in one line, with the repository."""
    origin.change({"other/b.yaml": schedule_text("b")}, branch="next")
    assert main(["get", "--ref", "next", "--path", "other", "-o", "json"]) == 0
    assert [row["name"] for row in json.loads(capsys.readouterr().out)] == ["b"]
    assert main(["get", "--ref", "next", "--path", "nowhere"]) == 1
    assert f"{origin.path}: the revision has no directory nowhere" in capsys.readouterr().err
    origin.publish({"specs/.keep": ""})
    assert main(["get"]) == 0
    assert f"no schedules in {origin.path} (HEAD, specs)" in capsys.readouterr().out


def test_two_sources_are_refused(origin: Repository, capsys: pytest.CaptureFixture[str]) -> None:
    """A directory and a repository at once are a mistake."""
    assert main(["get", "--specs", "specs", "--git", "https://git.example/x"]) == 1
    assert "--specs is a directory on this machine" in capsys.readouterr().err
