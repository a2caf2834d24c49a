"""``plan`` with two revisions: exit codes, options, and that it rests on nothing but the two commits."""

import json
import re
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from controller.cli.main import main
from tests.git_repository import Repository, new_repository, schedule
from tests.unit.cli.test_escaping import rendered

AT = ("--at", "2026-03-02T05:00:00Z")
CONFIG = """\
[specs]
path = "team"
[platforms.%s]
kind = "embedded"
base_url = "http://127.0.0.1:1"
organization_id = "org"
token_env = "NONE"
"""

Plan = Callable[..., tuple[int, str, str]]


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """Main, and branches that add a schedule, break one, and touch none."""
    made = new_repository(tmp_path / "repo")
    made.commit({"specs/a.yaml": schedule("a", "every: 6h")})
    branches: dict[str, dict[str, str | None]] = {
        "adds": {"specs/b.yaml": schedule("b", "every: 6h")},
        "breaks": {"specs/a.yaml": "a: [\n"},
        "other": {"README.md": "x\n"},
        "moves": {"specs/a.yaml": None, "team/a.yaml": schedule("a", "every: 6h")},
    }
    for branch, files in branches.items():
        made.git("checkout", "--quiet", "-b", branch, "main")
        made.commit(files)
    return made


@pytest.fixture
def plan(repository: Repository, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Plan:
    """Run ``plan`` in the repository, without a network; exit code, standard output, standard error."""
    monkeypatch.chdir(repository.folder)

    def refuse(*_: object) -> None:
        raise AssertionError("the network is used")

    monkeypatch.setattr(socket.socket, "connect", refuse)

    def run(before: str | None, after: str | None, *more: str) -> tuple[int, str, str]:
        given = [("--from-revision", before), ("--to-revision", after)]
        named = [part for name, value in given if value is not None for part in (name, value)]
        try:
            code = main(["plan", *named, *AT, *more])
        except SystemExit as ended:
            code = int(str(ended.code))
        out, err = capsys.readouterr()
        return code, out, err

    return run


@pytest.mark.parametrize(
    ("after", "more", "code"),
    [
        ("adds", (), 0),
        ("adds", ("--detailed-exitcode",), 2),
        ("other", ("--detailed-exitcode",), 0),
        ("breaks", (), 1),
        ("breaks", ("--detailed-exitcode",), 1),
        ("nowhere", ("--detailed-exitcode",), 1),
    ],
)
def test_the_exit_code_is_that_of_terraform_if_asked(plan: Plan, after: str, more: tuple[str, ...], code: int) -> None:
    """Changes alone are no failure; broken files and unknown revisions are."""
    assert plan("main", after, *more)[0] == code


@pytest.mark.parametrize(
    ("before", "after", "more", "message"),
    [
        ("main", None, (), "--from-revision and --to-revision go together"),
        (None, "adds", ("--path", "x"), "--from-revision and --to-revision go together"),
        (None, None, ("--repository", "x"), "--from-revision and --to-revision go together"),
        ("main", "adds", ("--store", "x"), "--store means nothing beside two revisions"),
        ("main", "adds", ("--specs", "x"), "--specs means nothing beside two revisions"),
        ("main", "adds", ("--git", "https://git.example/x"), "--git means nothing beside two revisions"),
        ("main", "adds", ("--ref", "next"), "--ref means nothing beside two revisions"),
        ("main", "adds", ("--path", "../x"), '--path "../x" leaves the repository'),
        ("main", "adds", ("--path", "/x"), '--path "/x" leaves the repository'),
    ],
)
def test_wrong_usage_is_said(
    plan: Plan, before: str | None, after: str | None, more: tuple[str, ...], message: str
) -> None:
    """With exit code 2."""
    code, out, err = plan(before, after, *more)
    assert (code, out) == (2, "")
    assert message in err


def test_a_path_alone_asks_for_no_comparison(plan: Plan, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It belongs to the specs of a plan of the next cycle as well, which wants a platform."""
    monkeypatch.chdir(tmp_path)
    code, out, err = plan(None, None, "--path", "x")
    assert (code, out) == (1, "")
    assert "no platform is set" in err


def test_settings_in_the_working_directory_are_not_read(
    plan: Plan, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They may be part of what is under review, and neither they nor the environment change a word."""
    expected = plan("main", "adds")
    (repository.folder / "mainspring.toml").write_text("this is no TOML")
    (repository.folder / ".mainspring").mkdir()
    (repository.folder / ".mainspring/mainspring.toml").write_text("nor is this")
    monkeypatch.setenv("MAINSPRING_CONFIG", "mainspring.toml")
    monkeypatch.setenv("MAINSPRING_SPECS_PATH", "elsewhere")
    assert plan("main", "adds") == expected


def test_settings_that_are_named_say_which_platforms_there_are(plan: Plan, tmp_path: Path) -> None:
    """And where the specs are; a flag wins."""
    config = tmp_path / "settings.toml"
    config.write_text(CONFIG % "other")
    code, out, err = plan("main", "moves", "--config", str(config))
    assert code == 1
    assert "unknown-platform" in out
    assert "main has no folder team: compared as empty" in err
    config.write_text(CONFIG % "default")
    assert plan("main", "moves", "--config", str(config))[0] == 0
    assert "has no folder" not in plan("main", "adds", "--config", str(config), "--path", "specs")[2]


def test_the_limits_are_those_of_the_controller(plan: Plan, repository: Repository, tmp_path: Path) -> None:
    """What its settings hold is told before the merge."""
    repository.commit({"team/b.yaml": schedule("b", "every: 6h"), "team/c.yaml": schedule("c", "every: 6h")})
    repository.commit({"team/b.yaml": None})
    config = tmp_path / "settings.toml"
    config.write_text(CONFIG % "default")
    assert "held-until-confirmed" not in plan("moves~1", "moves", "--config", str(config), "-o", "json")[1]
    config.write_text(CONFIG % "default" + "[safety]\nremoval_count = 1\n")
    assert "held-until-confirmed" in plan("moves~1", "moves", "--config", str(config), "-o", "json")[1]


@pytest.mark.parametrize("field", ["platformSchedule", "connectionStatus"])
def test_drift_that_will_be_enforced_is_warned_of(plan: Plan, repository: Repository, field: str) -> None:
    """A reviewer sees the value, where it comes from, and what the controller will do by itself from then on."""
    repository.git("checkout", "--quiet", "-b", "enforces", "main")
    repository.commit({"specs/a.yaml": schedule("a", "every: 6h", more=f"drift: {{{field}: Enforce}}")})
    changes = json.loads(plan("main", "enforces", "-o", "json")[1])
    (warning,) = changes["warnings"]
    assert (warning["code"], warning["schedule"]) == ("corrects", "a")
    assert warning["message"] == f"drift.{field} Enforce: it changes the connection on the platform by itself"
    (change,) = changes["schedules"]
    assert [(row["field"], row["before"], row["after"]) for row in change["fields"]] == [
        (f"drift.{field}", "Warn", "Enforce")
    ]
    assert f"drift.{field}" in rendered(plan("main", "enforces", "-o", "markdown")[1]).text
    assert json.loads(plan("enforces", "main", "-o", "json")[1])["warnings"] == []


def test_a_folder_that_one_side_lacks_is_noted_and_one_that_both_lack_is_an_error(plan: Plan) -> None:
    """The first commit of a tree is reviewed like any other."""
    code, out, err = plan("main", "moves", "--path", "team", "-o", "json")
    assert (code, json.loads(out)["counts"]["added"]) == (0, 1)
    assert "main has no folder team: compared as empty" in err
    code, _, err = plan("main", "moves", "--path", "nowhere")
    assert code == 1
    assert "neither main nor moves has a folder nowhere; name the folder of the specs with --path" in err


def test_a_file_that_was_broken_before_is_noted(plan: Plan) -> None:
    """What it held then is not known, so its schedule looks new."""
    code, out, err = plan("breaks", "main")
    assert code == 0
    assert "specs/a.yaml is rejected in breaks" in err
    assert "1 added" in out


def test_a_warning_that_stood_before_is_not_told_again(plan: Plan, repository: Repository) -> None:
    """A comment is about what the change does."""
    repository.git("checkout", "--quiet", "-b", "warned", "main")
    repository.commit({"specs/w.yaml": schedule("w", "every: 1m")})
    assert "interval-too-short" in plan("main", "warned", "-o", "json")[1]
    repository.commit(
        {"specs/w.yaml": "# one line more\n" + schedule("w", "every: 1m"), "specs/b.yaml": schedule("b", "every: 6h")}
    )
    assert "interval-too-short" not in plan("warned~1", "warned", "-o", "json")[1]


HOSTILE = schedule(
    "a",
    'cron: "0 6 * * *"',
    more='suspend: {reason: "@all <script>x</script> | `tick` [a](http://e.test)", by: "|"}',
    labels="'a.b/c': 'x'",
)


def test_a_comment_is_safe_whatever_a_spec_says(plan: Plan, repository: Repository) -> None:
    """Reasons and names are shown, and none becomes markup."""
    repository.git("checkout", "--quiet", "-b", "hostile", "main")
    repository.commit({"specs/a.yaml": HOSTILE, "specs/<b>|x`.yaml": "a: [\n"})
    code, out, _ = plan("main", "hostile", "-o", "markdown")
    page = rendered(out)
    assert code == 1
    assert "<script>" in page.text
    assert not {"script", "a", "img"} & set(page.tags)
    # Every row of a table has the cells of its head.
    for block in re.findall(r"(?:^\|.*\n)+", out, re.MULTILINE):
        rows = rendered(block).tags
        assert rows.count("td") == rows.count("th") * (block.count("\n") - 2)


def test_a_large_comment_is_cut_and_says_so(plan: Plan, repository: Repository) -> None:
    """It stays below what a pull request takes, with the counts of all."""
    repository.git("checkout", "--quiet", "-b", "large", "main")
    repository.commit({f"specs/{n}.yaml": schedule(f"s-{n:04}-{'x' * 50}", "every: 6h") for n in range(300)})
    out = plan("main", "large", "-o", "markdown")[1]
    assert len(out) < 65_536
    assert "**300 added" in out
    assert re.search(r"the details of \d+ more schedules left out here", out) is not None
    assert out.count("<details>") == out.count("</details>")
