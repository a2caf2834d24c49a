"""House style that no linter checks: sizes, names, words. Each rule gets files and returns what is wrong with them."""

import ast
import re
from collections.abc import Callable, Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LINES_MAX = 400
FUNCTION_LINES_MAX = 60
DRAWERS = {"utils", "helpers", "common", "manager", "handlers", "base", "core"}
# Put together here, so that this file does not contain what it looks for.
MARKERS = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "X" * 3]) + r")\b")
BARE_IGNORE = re.compile(r"#\s*type:\s*ignore(?!\[)")
FOREIGN = re.compile(
    r"\b(pypi|pythonhosted|npmjs|debian)" + r"\.(org|com)\b|/(opt/(wheels|pypi)|root/\.|work/(main|shared)|etc/xdg)\b"
)

Rule = Callable[[list[Path]], list[str]]
Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(path: Path) -> Iterator[Function]:
    """Every function of a file, nested ones included."""
    return (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, Function))


def length(function: Function) -> int:
    """The lines of a function without its docstring."""
    first, last = function.body[0], function.end_lineno or function.lineno
    docstring = (first.end_lineno or first.lineno) - first.lineno + 1 if ast.get_docstring(function) else 0
    return last - function.lineno + 1 - docstring


def imported(path: Path) -> Iterator[str]:
    """The full name of every import of a file."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{name.name}" for name in node.names)


def lines_matching(pattern: re.Pattern[str], files: list[Path]) -> list[str]:
    """Where a pattern occurs."""
    return [
        f"{path}:{number}: {line.strip()[:80]}"
        for path in files
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1)
        if pattern.search(line)
    ]


def long_files(files: list[Path]) -> list[str]:
    """No file is too long to be read at once."""
    return [str(path) for path in files if len(path.read_text().splitlines()) > LINES_MAX]


def long_functions(files: list[Path]) -> list[str]:
    """No function fills more than a screen."""
    return [
        f"{path}:{each.lineno}: {each.name} has {length(each)} lines"
        for path in files
        for each in functions(path)
        if length(each) > FUNCTION_LINES_MAX
    ]


def drawers(files: list[Path]) -> list[str]:
    """No file is named after a drawer instead of a thing."""
    return [str(path) for path in files if path.stem in DRAWERS or path.parent.name in DRAWERS]


def silent_modules(files: list[Path]) -> list[str]:
    """Every module says what it is for."""
    return [str(path) for path in files if not ast.get_docstring(ast.parse(path.read_text()))]


def silent_tests(files: list[Path]) -> list[str]:
    """Every test says its rule."""
    return [
        f"{path}:{each.lineno}: {each.name}"
        for path in files
        for each in functions(path)
        if each.name.startswith("test_") and not ast.get_docstring(each)
    ]


def mocks(files: list[Path]) -> list[str]:
    """Fakes are real implementations."""
    return [f"{path}: {name}" for path in files for name in imported(path) if name.startswith("unittest.mock")]


def leftover_markers(files: list[Path]) -> list[str]:
    """What is left to do stands in the tracker."""
    return lines_matching(MARKERS, files)


def bare_ignores(files: list[Path]) -> list[str]:
    """A silenced type error says which one."""
    return lines_matching(BARE_IGNORE, files)


def foreign_addresses(files: list[Path]) -> list[str]:
    """Nothing in the tree depends on where it was written: no package registry, no path of a machine."""
    return lines_matching(FOREIGN, files)


def tree(*folders: str, suffix: str = "") -> list[Path]:
    """The files of the tree that Git does not ignore."""
    ignored = [line.rstrip("/") for line in (ROOT / ".gitignore").read_text().split()] + [".git"]
    return [
        path
        for folder in folders
        for path in sorted((ROOT / folder).rglob(f"*{suffix}"))
        if path.is_file() and not any(fnmatch(part, each) for part in path.relative_to(ROOT).parts for each in ignored)
    ]


FUNCTION = "def test_long():\n" + "    print()\n" * FUNCTION_LINES_MAX
CASES: list[tuple[Rule, list[str], str, str, str]] = [
    # the rule, the folders it holds in, the suffix, then a file that breaks it: name, content
    (long_files, ["controller", "tests"], ".py", "sample.py", "x = 1\n" * (LINES_MAX + 1)),
    (long_functions, ["controller"], ".py", "sample.py", FUNCTION),
    (drawers, ["controller", "tests"], ".py", "utils.py", ""),
    (silent_modules, ["controller"], ".py", "sample.py", "x = 1\n"),
    (silent_tests, ["tests"], ".py", "sample.py", FUNCTION),
    (mocks, ["controller", "tests"], ".py", "sample.py", "from unittest import mock\n"),
    (leftover_markers, ["controller", "tests"], ".py", "sample.py", "x = 1  # TO" + "DO: more\n"),
    (bare_ignores, ["controller", "tests"], ".py", "sample.py", "x = 1  # type: " + "ignore\n"),
    (foreign_addresses, ["."], "", "sample.lock", "--find-links /op" + "t/wheels\n"),
]
NAMES = [rule.__name__ for rule, *_ in CASES]


@pytest.mark.parametrize(("rule", "folders", "suffix"), [case[:3] for case in CASES], ids=NAMES)
def test_the_tree_keeps_the_rule(rule: Rule, folders: list[str], suffix: str) -> None:
    """The whole tree keeps every rule of the house."""
    assert rule(tree(*folders, suffix=suffix)) == []


@pytest.mark.parametrize(("rule", "name", "content"), [(case[0], *case[3:]) for case in CASES], ids=NAMES)
def test_the_rule_can_fail(rule: Rule, name: str, content: str, tmp_path: Path) -> None:
    """A rule that finds nothing in a bad file would find nothing anywhere."""
    (tmp_path / name).write_text(content)
    assert len(rule([tmp_path / name])) == 1


def test_the_tree_is_looked_at() -> None:
    """The rules see this file and the hidden ones, and nothing that Git ignores."""
    found = {str(path.relative_to(ROOT)) for path in tree(".")}
    assert {"tests/test_tidy.py", ".ci/run", "pyproject.toml"} <= found
    assert not any(part in {".git", ".venv", "__pycache__"} for path in found for part in Path(path).parts)
