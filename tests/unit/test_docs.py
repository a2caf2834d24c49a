"""The documentation says what the code says: tables, examples, command lines, links, and words of closed lists."""

import argparse
import contextlib
import io
import re
import shlex
import tomllib
from collections.abc import Iterator
from enum import StrEnum
from importlib import import_module
from itertools import pairwise
from pathlib import Path

import pytest
from fastapi.routing import APIRoute
from pydantic import BaseModel

from controller import settings
from controller.bootstrap import check_specs
from controller.cli.main import COMMANDS, MODULES
from controller.embedded import api, connections_routes, jobs_routes
from controller.embedded.connections_file import load_connections
from controller.embedded.faults import FaultKind
from controller.model.record import ClaimStatus, Outcome, Reason
from controller.model.schedule import CatchUpPolicy, ForeignJobs, Mode, OnDelete, Overlap, WhenInDoubt
from controller.model.status import State
from controller.model.window import OnClose
from controller.ports.platform import Platform
from tests.unit import docs_tables
from tests.unit.outcomes import reasons_of

ROOT = docs_tables.ROOT
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(DOCS.rglob("*.md"))]
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]

README_LINES_MAX = 120
DECISION_LINES_MAX = 40
IMAGE_BYTES_MAX = 300_000

ALL = {
    # fields of the format as they may be written, whether they do something yet or not
    "exclude": '[{dates: ["2026-12-25"]}]',
    "jitter": "10m",
    "startDate": '"2026-01-01T00:00:00Z"',
    "endDate": '"2027-01-01T00:00:00Z"',
    "overlap": "Queue",
    "stalledAfter": "30m",
    "retry": "{attempts: 3}",
    "failureBudget": "10",
    "windows": '[{deny: {cron: "0 2 * * *", duration: 3h}}]',
    "suspend": '{until: "2026-12-01T08:00:00Z"}',
    "drift": "{platformSchedule: Warn, connectionStatus: Warn, foreignJobs: Cancel}",
    "onDelete": "CancelRunning",
    "freshnessAlert": "{warnAfter: 6h}",
}
SMALLEST = """\
apiVersion: mainspring.dev/v1
kind: SyncSchedule
metadata: {name: sample}
spec:
  connectionId: conn_sample
"""

POLICY = """\
apiVersion: mainspring.dev/v1
kind: SyncPolicy
metadata: {name: sample}
spec:
  selector: {}
"""


def text_of(name: str) -> str:
    """A page."""
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(language: str) -> Iterator[tuple[str, str]]:
    """Every fenced block of a language, with the page that it stands in."""
    for name in NAMES:
        for found in re.finditer(rf"^```{language}\n(.*?)^```$", text_of(name), re.MULTILINE | re.DOTALL):
            yield name, found[1]


def part(name: str, heading: str) -> str:
    """A page from one heading to the next of the same or a higher level."""
    level = len(heading) - len(heading.lstrip("#"))
    rest = text_of(name).partition(f"\n{heading}\n")[2]
    assert rest, f"{name} has no heading {heading}"
    return re.split(rf"^#{{1,{level}}} ", rest, maxsplit=1, flags=re.MULTILINE)[0]


def first_cells(text: str) -> list[str]:
    """What stands as code in the first cells of a text's tables."""
    return re.findall(r"^\| `([^`]+)`", text, re.MULTILINE)


def slug(heading: str) -> str:
    """The anchor of a heading."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("name", docs_tables.made())
def test_what_is_made_from_the_code_is_up_to_date(name: str) -> None:
    """A page that is made from the code is what the code says now."""
    assert text_of(name) == docs_tables.made()[name], "run: python -m tests.unit.docs_tables"


@pytest.mark.parametrize("name", NAMES)
def test_every_link_leads_somewhere(name: str) -> None:
    """A relative link names a file of the tree and a heading in it."""
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", text_of(name)):
        if target.startswith("https://"):
            continue
        path, _, anchor = target.partition("#")
        file = (ROOT / name).parent / path if path else ROOT / name
        headings = (
            {slug(line.lstrip("# ")) for line in file.read_text().splitlines() if line.startswith("#")}
            if anchor
            else set()
        )
        if not file.exists() or (anchor and anchor not in headings):
            broken.append(target)
    assert broken == []


@pytest.mark.parametrize(("name", "text"), [each for each in blocks("yaml") if "kind: Sync" in each[1]])
def test_every_spec_is_valid_and_does_something(name: str, text: str, tmp_path: Path) -> None:
    """A spec that is shown passes the real validator without an error or a warning."""
    file = tmp_path / "shown.yaml"
    file.write_text(text)
    tree = check_specs([file], None)
    assert [str(found) for found in (*tree.errors, *tree.warnings)] == []
    assert tree.specs or tree.policies or tree.requests


def is_fragment(text: str) -> bool:
    """Whether a block shows only lines that stand below ``spec``."""
    return "kind: Sync" not in text and "connections:" not in text


def test_every_fragment_of_a_spec_is_valid(tmp_path: Path) -> None:
    """Lines that are shown alone are valid below the ``spec`` of a schedule, without a warning."""
    found = [(name, text) for name, text in blocks("yaml") if is_fragment(text)]
    assert len(found) > 10
    for name, text in found:
        file = tmp_path / "shown.yaml"
        file.write_text(SMALLEST + "".join(f"  {line}\n" for line in text.splitlines()))
        tree = check_specs([file], None)
        assert [str(each) for each in (*tree.errors, *tree.warnings)] == [], (name, text)


@pytest.mark.parametrize(("name", "text"), [each for each in blocks("yaml") if "connections:" in each[1]])
def test_every_connections_file_is_valid(name: str, text: str, tmp_path: Path) -> None:
    """A connections file that is shown is one that the embedded platform takes."""
    file = tmp_path / "connections.yaml"
    file.write_text(text)
    assert load_connections(file).connections


@pytest.mark.parametrize(("name", "text"), list(blocks("toml")))
def test_every_settings_file_is_valid(name: str, text: str, tmp_path: Path) -> None:
    """Settings that are shown are settings that load."""
    file = tmp_path / "mainspring.toml"
    file.write_text(text)
    loaded = settings.load_settings({"config": str(file)}, {})
    assert loaded.platforms or loaded.webhook


def held_by(spec: str, folder: Path) -> tuple[str, ...]:
    """The fields that a spec is held for."""
    file = folder / "sample.yaml"
    file.write_text(SMALLEST + spec)
    tree = check_specs([file], None)
    assert tree.errors == ()
    return tree.specs[0].unsupported


def test_every_field_is_in_force(tmp_path: Path) -> None:
    """As the README says: no schedule is held for what it writes."""
    assert "Every field of the [spec format](docs/spec-reference.md) is in force." in " ".join(
        part("README.md", "## Not yet").split()
    )
    every = "  schedules: [{every: 6h}]\n"
    assert held_by(every + "".join(f"  {key}: {value}\n" for key, value in ALL.items()), tmp_path) == ()


def keys_of(spec: str, place: str, folder: Path) -> set[str]:
    """The keys that the validator takes in a mapping, as its own message names them for one that it does not know."""
    file = folder / "sample.yaml"
    file.write_text(spec)
    found = [
        error.message for error in check_specs([file], None).errors if error.message.startswith(f"{place} has no key")
    ]
    assert len(found) == 1
    return set(found[0].partition("its keys are ")[2].split(", "))


@pytest.mark.parametrize(
    ("spec", "place"),
    [
        (SMALLEST.replace("{name: sample}", "{name: sample, '%%': 1}"), "metadata"),
        (f"{SMALLEST}  '%%': 1\n", "spec"),
        (f"{SMALLEST}  schedules: [{{every: 6h, '%%': 1}}]\n", "schedules[0]"),
        (f"{SMALLEST}  catchUp: {{'%%': 1}}\n", "catchUp"),
        (f"{SMALLEST}  suspend: {{'%%': 1}}\n", "suspend"),
        (f"{SMALLEST}  drift: {{'%%': 1}}\n", "drift"),
        (f"{SMALLEST}  retry: {{'%%': 1}}\n", "retry"),
        (f"{SMALLEST}  exclude: [{{'%%': 1}}]\n", "exclude[0]"),
        (f"{SMALLEST}  windows: [{{'%%': 1}}]\n", "windows[0]"),
        (f"{SMALLEST}  windows: [{{deny: {{'%%': 1}}}}]\n", "deny"),
        (f"{SMALLEST}  freshnessAlert: {{'%%': 1}}\n", "freshnessAlert"),
        (POLICY + "  '%%': 1\n", "spec"),
    ],
    ids=lambda value: None if "\n" in value else value,
)
def test_every_field_is_described(spec: str, place: str, tmp_path: Path) -> None:
    """The reference has a row for every key that the validator takes."""
    rows = {name.rpartition(".")[2] for name in first_cells(text_of("docs/spec-reference.md"))}
    assert keys_of(spec, place, tmp_path) - rows == set()


@pytest.mark.parametrize("words", [Mode, CatchUpPolicy, WhenInDoubt, Overlap, ForeignJobs, OnDelete, OnClose])
def test_every_value_is_described(words: type[StrEnum]) -> None:
    """The reference names every word that a field may hold."""
    assert [word for word in words if f"`{word}`" not in text_of("docs/spec-reference.md")] == []


@pytest.mark.parametrize("name", NAMES)
def test_every_outcome_that_is_named_exists(name: str) -> None:
    """An outcome with a reason is one that a slot can come to."""
    found = re.findall(rf"\b({'|'.join(Outcome)})\((\w+)\)", text_of(name))
    wrong = [
        f"{outcome}({reason})"
        for outcome, reason in found
        if reason not in {"reason", *(str(each) for each in reasons_of(Outcome(outcome)))}
    ]
    assert wrong == []


def test_every_reason_is_described() -> None:
    """Operators find each reason of the closed list, in its order."""
    assert first_cells(part("docs/operating.md", "## Reasons")) == list(Reason)


@pytest.mark.parametrize(
    ("heading", "words"),
    [("## Outcomes", [str(each) for each in Outcome]), ("## States", [str(each) for each in State])],
)
def test_every_word_of_a_closed_list_is_described(heading: str, words: list[str]) -> None:
    """The operating page has every outcome and state, in the order of the list, and no other."""
    assert [each.partition("(")[0] for each in first_cells(part("docs/operating.md", heading))] == words


@pytest.mark.parametrize("words", [Outcome, ClaimStatus, State])
def test_the_glossary_has_the_closed_lists(words: type[StrEnum]) -> None:
    """No word of a closed list is left out of the glossary."""
    assert [word for word in words if f"`{word}`" not in text_of("docs/glossary.md")] == []


def setting_keys(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """The keys of the settings file; those of a platform stand without the platform's name."""
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from setting_keys(kind, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


def test_every_setting_is_described() -> None:
    """The operating page has a row for every key that the settings take, and no row for another."""
    described = first_cells(part("docs/operating.md", "## Settings"))
    assert sorted(described) == sorted([*setting_keys(settings._File), *setting_keys(settings._Platform)])


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("MAINSPRING_STORE", "elsewhere.db"),
        ("MAINSPRING_LOG_FORMAT", "json"),
        ("MAINSPRING_SPECS", "elsewhere"),
        ("MAINSPRING_SPEC_POLL", "7s"),
        *((f"MAINSPRING_SPECS_{each}", "https://git.example/y") for each in ("GIT", "PATH", "REF")),
    ],
)
def test_every_environment_variable_works(variable: str, value: str, tmp_path: Path) -> None:
    """A variable that the operating page names changes a setting."""
    empty = tmp_path / "empty.toml"
    empty.write_text('[specs]\ngit = "https://git.example/x"\n')
    assert f"`{variable}`" in text_of("docs/operating.md")
    without = settings.load_settings({"config": str(empty)}, {})
    assert settings.load_settings({"config": str(empty)}, {variable: value}) != without


def test_no_environment_variable_is_made_up() -> None:
    """The pages name no variable that the test above does not try."""
    named = {found for name in NAMES for found in re.findall(r"MAINSPRING_\w+", text_of(name))}
    words = "CONFIG STORE LOG_FORMAT SPECS SPEC_POLL SPECS_GIT SPECS_REF SPECS_PATH"
    assert named == {f"MAINSPRING_{each}" for each in words.split()}


def command_lines() -> Iterator[tuple[str, str]]:
    """Every ``mainspring …`` of a console block or in a sentence, without prompt, path and comment."""
    for name in NAMES:
        text = text_of(name)
        shown = [block.replace("\\\n", " ") for where, block in blocks("console") if where == name]
        lines = [line for block in shown for line in block.splitlines()] + re.findall(r"`(mainspring [^`]+)`", text)
        for line in lines:
            found = re.search(r"(?:^(?:\$ )?(?:\S*/)?mainspring|docker run .* mainspring(?::\S+)?) (\S.*)$", line)
            if found and "…" not in line:
                yield name, found[1]


@pytest.mark.parametrize(("name", "line"), sorted(set(command_lines())))
def test_every_command_line_parses(name: str, line: str) -> None:
    """A command line that is shown names a command and options that there are."""
    command, *arguments = shlex.split(line, comments=True)
    assert command in COMMANDS
    module = import_module(f"controller.cli.{MODULES[command]}")
    parser = argparse.ArgumentParser()
    module.add_arguments(parser)
    complaint = io.StringIO()
    try:
        with contextlib.redirect_stderr(complaint):
            parser.parse_args(arguments)
    except SystemExit:
        # In a sentence, a bare command stands for itself.
        assert not arguments, complaint.getvalue()


def test_every_make_target_exists() -> None:
    """A target that is shown is one of the Makefile."""
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    shown = {found for name in NAMES for found in re.findall(r"(?:^\$ |`)make ([a-z]+)", text_of(name), re.MULTILINE)}
    assert shown
    assert shown <= targets


def test_every_import_contract_is_told() -> None:
    """The architecture page names each contract that a machine checks."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    told = re.findall(r"^\| ([^|]+) \|", part("docs/architecture.md", "## Layers"), re.MULTILINE)
    assert [each["name"] for each in contracts if each["name"] not in told] == []


def test_every_route_of_the_embedded_platform_is_described() -> None:
    """The page of the embedded platform has every call, and no other."""
    routers = (jobs_routes.router, connections_routes.router, api.health_router)
    served = {
        f"{method} {route.path.removeprefix(api.ORGANIZATION_PATH)}"
        for router in routers
        for route in router.routes
        if isinstance(route, APIRoute)
        for method in route.methods or ()
    }
    described = set(re.findall(r"`((?:GET|POST|PATCH|DELETE) /[^`]*)`", text_of("docs/embedded-platform.md")))
    assert described == served


def test_every_fault_is_described() -> None:
    """The page of the embedded platform has every kind of fault, in the order of the list."""
    assert first_cells(part("docs/embedded-platform.md", "## Faults")) == list(FaultKind)


def test_the_port_of_a_platform_is_described_whole() -> None:
    """Who adds a platform finds every method of the port."""
    methods = [name for name in vars(Platform) if not name.startswith("_")]
    described = [each.partition("(")[0] for each in first_cells(part("docs/adding-a-platform.md", "## 1. The port"))]
    assert described == methods


def test_decisions_are_short_numbered_and_listed() -> None:
    """Each decision has its three parts on one page, numbers have no gap, and the list has all of them."""
    pages = sorted((DOCS / "decisions").glob("[0-9]*.md"))
    numbers = [int(page.name[:4]) for page in pages]
    assert numbers[0] == 1
    assert all(after == before + 1 for before, after in pairwise(numbers))
    assert re.findall(r"\((\d[^)]*)\)", text_of("docs/decisions/README.md")) == [page.name for page in pages]
    for page in pages:
        text = page.read_text()
        assert re.findall(r"^#+ (.*)$", text, re.MULTILINE)[1:] == ["Context", "Decision", "Consequences"], page.name
        assert text.startswith(f"# {page.name[:4]}: ")
        assert len(text.splitlines()) <= DECISION_LINES_MAX


def test_the_readme_is_short() -> None:
    """The first page can be read at once, and its picture loads at once."""
    assert len(text_of("README.md").splitlines()) <= README_LINES_MAX
    assert all(image.stat().st_size <= IMAGE_BYTES_MAX for image in (DOCS / "images").iterdir())


def test_the_changelog_knows_this_version() -> None:
    """The version that is shipped has an entry."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert re.search(rf"^## \[?{re.escape(version)}\]?", text_of("CHANGELOG.md"), re.MULTILINE)
