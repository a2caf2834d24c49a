"""What is shipped: locked with hashes, permissively licensed, complete, and the same in every file that says it."""

import ast
import re
import sys
import tomllib
from fnmatch import fnmatch
from hashlib import sha256
from importlib.metadata import distribution, packages_distributions, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCKS = ["requirements.lock", "requirements-dev.lock"]
PERMISSIVE = {
    *("MIT", "MIT-0", "0BSD", "BSD", "BSD-2-Clause", "BSD-3-Clause", "Apache-2.0", "Apache Software", "ISC", "ISCL"),
    *("PSF-2.0", "Python Software Foundation", "Python-2.0", "Unlicense", "MPL-2.0", "Mozilla Public 2.0"),
}


def locked(lock: str) -> dict[str, Requirement]:
    """The pins of a lock file that apply here, by name."""
    text = (ROOT / lock).read_text()
    pins = [Requirement(line.rstrip(" \\")) for line in text.splitlines() if re.match(r"\w", line)]
    return {canonicalize_name(pin.name): pin for pin in pins if pin.marker is None or pin.marker.evaluate()}


def asked(*groups: str) -> list[Requirement]:
    """What pyproject.toml asks for: the runtime's dependencies and those of the groups."""
    lines = PROJECT["project"]["dependencies"] + [
        each for group in groups for each in PROJECT["dependency-groups"][group]
    ]
    return [Requirement(line) for line in lines]


def licences(name: str) -> set[str]:
    """The licences that a distribution states: the SPDX expression, else the classifiers, else the old field."""
    said = distribution(name).metadata
    if expressions := said.get_all("License-Expression"):
        return {each for text in expressions for each in re.split(r" (?:AND|OR) ", re.sub("[()]", "", text))}
    classifiers = [each for each in said.get_all("Classifier") or [] if each.startswith("License :: OSI Approved :: ")]
    if classifiers:
        return {re.sub(r" License| \(.*\)", "", each.rpartition(" :: ")[2]) for each in classifiers}
    return {each.removesuffix(" License") for each in said.get_all("License") or []}


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_file_holds_pins_with_hashes_and_nothing_else(lock: str) -> None:
    """No option, no address, no path, and no release without its hashes."""
    text = re.sub(r"^ *#.*\n", "", (ROOT / lock).read_text(), flags=re.MULTILINE).replace("\\\n", "")
    pin = re.compile(r"[\w.-]+==[\w.!+]+( ; [^;]+?)?( +--hash=sha256:[0-9a-f]{64})+ *")
    assert [line for line in text.splitlines() if not pin.fullmatch(line)] == []


@pytest.mark.parametrize(("lock", "groups"), [(LOCKS[0], ["build"]), (LOCKS[1], ["build", "dev"])], ids=LOCKS)
def test_a_lock_file_holds_what_pyproject_asks_for(lock: str, groups: list[str]) -> None:
    """A dependency that was added or raised without `make lock` is noticed."""
    pins = locked(lock)
    missing = [
        str(each)
        for each in asked(*groups)
        if (pin := pins.get(canonicalize_name(each.name))) is None
        or not each.specifier.contains(next(iter(pin.specifier)).version)
    ]
    assert missing == []


def test_development_uses_the_releases_that_are_shipped() -> None:
    """The development lock pins each runtime dependency to the runtime lock's release."""
    development = locked("requirements-dev.lock")
    assert {name: str(development.get(name)) for name in locked("requirements.lock")} == {
        name: str(pin) for name, pin in locked("requirements.lock").items()
    }


def test_the_project_is_built_with_the_locked_build_tools() -> None:
    """The group that puts the build tools into the lock names what the build system asks for."""
    assert PROJECT["dependency-groups"]["build"] == PROJECT["build-system"]["requires"]


@pytest.mark.parametrize("name", locked("requirements.lock"))
def test_a_runtime_dependency_is_installed_as_locked_under_a_permissive_licence(name: str) -> None:
    """What is shipped may be used by anybody, and is what the lock file says."""
    assert locked("requirements.lock")[name].specifier.contains(version(name))
    assert licences(name)
    assert licences(name) <= PERMISSIVE


def test_everything_imported_is_a_declared_dependency() -> None:
    """The controller imports nothing that is only there because a dependency, or a development tool, needs it."""
    distributions = packages_distributions()
    used = {
        name.partition(".")[0]
        for path in (ROOT / "controller").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        for name in (
            [each.name for each in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom) and not node.level
            else []
        )
    }
    third_party = used - set(sys.stdlib_module_names) - {"controller"}
    # pydantic and FastAPI document names of these two as their own, and pin or bound them.
    declared = {canonicalize_name(each.name) for each in asked()} | {"pydantic-core", "starlette"}
    assert {
        name for name in third_party if not declared & {canonicalize_name(d) for d in distributions.get(name, [])}
    } == set()


def test_every_data_file_is_packaged() -> None:
    """A file beside the code that no pattern of package-data matches would be missing once installed."""
    patterns = [pattern.replace("**/", "*") for pattern in PROJECT["tool"]["setuptools"]["package-data"]["controller"]]
    data = [
        str(path.relative_to(ROOT / "controller"))
        for path in (ROOT / "controller").rglob("*")
        if path.is_file() and path.suffix not in {".py", ".pyc"}
    ]
    assert [path for path in data if not any(fnmatch(path, pattern) for pattern in patterns)] == []


def test_the_licence_is_the_whole_apache_licence() -> None:
    """The text is the canonical one, to the byte."""
    assert PROJECT["project"]["license"] == "Apache-2.0"
    assert sha256((ROOT / "LICENSE").read_bytes()).hexdigest().startswith("cfc7749b96f63bd3")


def test_the_image_says_what_it_is() -> None:
    """The labels repeat pyproject.toml."""
    text = (ROOT / "Dockerfile").read_text()
    labels = dict(re.findall(r'org\.opencontainers\.image\.(\w+)="([^"]*)"', text))
    project = PROJECT["project"]
    assert labels == {
        "title": project["name"],
        "description": project["description"],
        "version": project["version"],
        "licenses": project["license"],
    }


def test_the_image_runs_as_nobody_and_gets_its_signals() -> None:
    """A numeric user, which Kubernetes can verify, and no shell between it and the process."""
    final = (ROOT / "Dockerfile").read_text().rpartition("\nFROM ")[2]
    assert re.search(r"^USER 65532:65532$", final, re.MULTILINE)
    assert re.search(r'^ENTRYPOINT \["/opt/mainspring/bin/mainspring"\]$', final, re.MULTILINE)
