"""The page about reviews, and the CI files beside it, say and do what the code does."""

import json
import os
import re
import shlex
import subprocess
import sys
from argparse import ArgumentParser
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml

from controller.cli.main import MODULES
from controller.cli.planning.comparison.as_markdown import MARKER
from tests.git_repository import new_repository, schedule

ROOT = Path(__file__).parents[2]
CI = ROOT / "docs/ci"
WORKFLOWS = [CI / "github-review.yml", CI / "github-comment.yml"]
FILES = [*WORKFLOWS, CI / "gitlab-review.yml", CI / "pre-commit-config.yaml"]
PAGE = (ROOT / "docs/review.md").read_text()
GOLDEN = ROOT / "tests/golden/cli/texts/comparison.json"


def read(file: Path) -> Any:
    """A CI file."""
    return yaml.safe_load(file.read_text())


def steps(file: Path) -> list[dict[str, Any]]:
    """The steps of a workflow's jobs."""
    return [step for job in read(file)["jobs"].values() for step in job["steps"]]


def test_every_ci_file_is_told() -> None:
    """The page links each of them."""
    assert {file.name for file in CI.iterdir()} == {file.name for file in FILES}
    assert [file.name for file in FILES if f"(ci/{file.name})" not in PAGE] == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_command_in_a_ci_file_parses(file: Path) -> None:
    """With the options that there are; shell around it left out."""
    text = file.read_text()
    lines = re.findall(r"^ *(?:- |entry: )?mainspring (plan|validate) ([^>|\n#]+)", text, re.MULTILINE)
    assert bool(lines) is (file.name != "github-comment.yml")
    for command, arguments in lines:
        parser = ArgumentParser()
        import_module(f"controller.cli.{MODULES[command]}").add_arguments(parser)
        parser.parse_args(shlex.split(arguments))


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_a_workflow_gives_nothing_away(file: Path) -> None:
    """Actions by their major version, no expression inside a script, no secret, and no trigger that runs foreign code with rights."""
    text = file.read_text()
    used = [step["uses"] for step in steps(file) if "uses" in step]
    assert [each for each in used if not re.fullmatch(r"actions/[a-z-]+@v\d+", each)] == []
    assert [step["run"] for step in steps(file) if "${{" in step.get("run", "")] == []
    assert "secrets." not in text
    assert "pull_request_target" not in text


def test_what_reads_a_pull_request_can_write_nothing() -> None:
    """And what can write reads none of it: the two are never one job."""
    review, comment = WORKFLOWS
    assert read(review)["permissions"] == {"contents": "read"}
    assert read(comment)["permissions"] == {"actions": "read", "pull-requests": "write"}
    assert not any("checkout" in step.get("uses", "") for step in steps(comment))
    checkout = next(step for step in steps(review) if "checkout" in step.get("uses", ""))
    assert checkout["with"] == {"fetch-depth": 0, "persist-credentials": False}
    assert read(CI / "gitlab-review.yml")["schedules review"]["variables"] == {"GIT_DEPTH": "0"}


def test_a_comment_is_found_again_by_its_first_line() -> None:
    """The marker is the same in the code and in the workflow."""
    assert read(WORKFLOWS[1])["jobs"]["comment"]["env"]["MARKER"] == MARKER


@pytest.mark.parametrize(("content", "code"), [(schedule("b", "every: 6h"), 0), ("a: [\n", 1)])
def test_the_script_of_the_workflow_plans_a_merge(content: str, code: int, tmp_path: Path) -> None:
    """Run as GitHub runs it, on the merge of a pull request: the plan is in the summary, also if a file is rejected."""
    repository = new_repository(tmp_path / "repo")
    repository.commit({"specs/a.yaml": schedule("a", "every: 6h")})
    repository.git("checkout", "--quiet", "-b", "change")
    repository.commit({"specs/b.yaml": content})
    repository.git("checkout", "--quiet", "main")
    repository.commit({"README.md": "meanwhile\n"})
    repository.git("merge", "--quiet", "--no-ff", "-m", "merge", "change")
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "mainspring").write_text(f'#!/bin/sh\nexec {sys.executable} -m controller "$@"\n')
    (programs / "mainspring").chmod(0o755)
    script = next(step["run"] for step in steps(WORKFLOWS[0]) if step.get("name") == "Plan")
    environment = {
        **os.environ,
        "PATH": f"{programs}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"),
    }
    done = subprocess.run(["bash", "-e", "-c", script], cwd=repository.folder, env=environment, check=False)
    assert done.returncode == code
    summary = (tmp_path / "summary.md").read_text()
    assert summary.startswith(f"{MARKER}\n")
    assert ("**1 added, 0 changed, 0 removed" in summary) is (code == 0)


def shape(value: Any) -> Any:
    """The keys of a document, level by level; of a list those of its first item."""
    if isinstance(value, dict):
        return {key: shape(each) for key, each in value.items()}
    return [shape(value[0])] if isinstance(value, list) and value and isinstance(value[0], dict) else None


def told(shown: Any, made: Any) -> bool:
    """Whether one shape has the keys of another, as far as both go."""
    if isinstance(shown, dict) and isinstance(made, dict):
        return list(shown) == list(made) and all(told(shown[key], made[key]) for key in shown)
    return not (isinstance(shown, list) and isinstance(made, list)) or told(shown[0], made[0])


def test_the_document_is_described_as_it_is() -> None:
    """The page has every key, in the order in which it is written."""
    shown = re.search(r"^```json\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert shown is not None
    assert told(shape(json.loads(shown[1])), shape(json.loads(GOLDEN.read_text())))


def test_every_code_of_a_warning_is_told() -> None:
    """The page has those that a comparison makes itself."""
    sources = (ROOT / "controller/decide/comparison").glob("*.py")
    found = {code for file in sources for code in re.findall(r'Level\.[A-Z]+, f?"([^"]+)"', file.read_text())}
    codes = {code.replace("{word}", word) for code in found for word in ("suspended", "frozen")}
    assert len(codes) > 15
    assert [code for code in sorted(codes) if f"`{code}`" not in PAGE] == []
