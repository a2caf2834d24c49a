"""Files that were made to harm: each is rejected, cheaply, without a word of what it holds, and harms no other."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from controller.adapters.specs import yaml_tree
from controller.adapters.specs.tree import parse_tree
from tests.fakes.spec_source import schedule_text

ROOT = Path(__file__).parents[4]
MARK = "a-secret-that-no-error-may-quote"

FILES: dict[str, tuple[bytes, str, int]] = {
    # content, the code that rejects it, the most events of the parser that this may take; new versions of libyaml look ahead in
    # brackets and refuse deep ones themselves
    "alias bomb": (
        (
            "a: &a [x, x]\n" + "".join(f"{b}: &{b} [*{a}, *{a}]\n" for a, b in zip("abcdefg", "bcdefgh", strict=True))
        ).encode(),
        "yaml-anchor",
        6,
    ),
    "alias of nothing": (b"a: *a\n", "yaml-alias", 6),
    "5,000 lists in each other": (b"[" * 5000, "too-deep yaml-syntax", 30),
    "5,000 mappings in each other": (b"{a: " * 5000, "too-deep yaml-syntax", 60),
    "1 MiB": (b"k: v\n" * (1 << 18), "file-too-large", 0),
    "256 KiB of items": (b"- a\n" * (1 << 15), "too-many-nodes", 20_010),
    "duplicate keys": (b"a: 1\na: 2\n", "duplicate-key", 10),
    "a tag that makes an object": (b"a: !!python/object/apply:os.system [id]\n", "yaml-tag", 6),
    "merge keys": (b"a:\n  <<: [{b: 1}]\n", "yaml-merge-key", 10),
    "NUL": (b"a: b\0c\n", "bad-character", 0),
    "invalid UTF-8": (b"a: \xff\xfe\n", "not-utf8", 0),
    "a number of 100,000 digits": (b"a: " + b"9" * 100_000, "scalar-too-long", 6),
}

GOOD = {"good.yaml": schedule_text("good").encode()}


@pytest.mark.parametrize(("content", "code", "events"), FILES.values(), ids=FILES)
def test_a_file_is_rejected_at_the_first_event_that_makes_it_hostile(
    monkeypatch: pytest.MonkeyPatch, content: bytes, code: str, events: int
) -> None:
    """The parser is asked for no more than it takes to know, and the file beside it is read as if it were alone."""
    real, asked = yaml_tree.LOADER, 0

    class Counting:
        """Counts what the parser is asked for."""

        def __init__(self, text: str) -> None:
            self._next: Callable[[], Any] = real(text).get_event

        def get_event(self) -> Any:
            """The next event."""
            nonlocal asked
            asked += 1
            return self._next()

    monkeypatch.setattr(yaml_tree, "LOADER", Counting)
    hostile = parse_tree({"hostile.yaml": content}, platforms=None)
    cost = asked
    assert hostile.errors[0].code in code.split()
    assert cost <= events
    both = parse_tree({"hostile.yaml": content, **GOOD}, platforms=None)
    assert both.specs == parse_tree(GOOD, platforms=None).specs
    assert both.failed_paths == {"hostile.yaml"}


MEMORY = """
import resource, sys
from controller.adapters.specs.tree import parse_tree
from tests.unit.adapters.specs.test_hostile_files import FILES, GOOD

parse_tree(GOOD, platforms=None)
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
before = peak()
for content, code, _ in FILES.values():
    tree = parse_tree({"hostile.yaml": content, **GOOD}, platforms=None)
    assert tree.errors[0].code in code.split()
    [str(error) for error in tree.errors]
print(peak() - before)
"""


def test_all_of_them_together_take_fifty_mebibytes_at_most() -> None:
    """Resident memory of a process that reads one after the other."""
    assert int(script(MEMORY)) <= 50 * 1024


OUTSIDE = """
import asyncio, json, sys
from pathlib import Path

from controller.adapters.specs.directory import DirectorySpecSource

opened = []
sys.addaudithook(lambda name, given: opened.append(str(given[0])) if name == "open" else None)
tree = asyncio.run(DirectorySpecSource(Path(sys.argv[1]), None).fetch())
print(json.dumps({
    "opened": opened,
    "errors": {error.origin.path: error.code for error in tree.errors},
    "text": " ".join(map(str, tree.errors)),
    "specs": [spec.name for spec in tree.specs],
}))
"""


def test_nothing_outside_of_a_tree_is_opened_or_quoted(tmp_path: Path) -> None:
    """Links out of it, by whatever way, 30 MB, and binary files: each is rejected by name, and the rest is read."""
    root, outside = tmp_path / "root", tmp_path / "outside"
    (root / "team").mkdir(parents=True)
    outside.mkdir()
    (outside / "secret.yaml").write_text(MARK)
    (root / "good.yaml").write_bytes(GOOD["good.yaml"])
    (root / "absolute.yaml").symlink_to(outside / "secret.yaml")
    (root / "team" / "up.yaml").symlink_to("../../outside/secret.yaml")
    (root / "round.yaml").symlink_to("team/../../outside/secret.yaml")
    (root / "folder").symlink_to("../outside")
    (root / "chain.yaml").symlink_to("absolute.yaml")
    (root / "password.yaml").symlink_to("/etc/passwd")
    (root / "machine.yaml").symlink_to("/proc/self/environ")
    (root / "large.yaml").write_bytes(MARK.encode() * (30_000_000 // len(MARK)))
    (root / "binary.yaml").write_bytes(b"\x7fELF\x02\x01\x01\x00" + MARK.encode() + bytes(range(256)) * 40)
    (root / "picture.yaml").write_bytes(b"\x89PNG\r\n\x1a\n" + MARK.encode())
    found = json.loads(script(OUTSIDE, str(root)))

    links = ("absolute.yaml", "team/up.yaml", "round.yaml", "folder", "chain.yaml", "password.yaml", "machine.yaml")
    assert {path for path, code in found["errors"].items() if code == "symlink-outside"} == set(links)
    assert {path: code for path, code in found["errors"].items() if path not in links} == {
        "large.yaml": "file-too-large",
        "binary.yaml": "not-utf8",
        "picture.yaml": "not-utf8",
    }
    assert found["specs"] == ["good"]
    assert MARK not in found["text"]
    places = [Path(path).resolve() for path in found["opened"] if path.startswith("/")]
    mine = [path for path in places if path.is_relative_to(tmp_path)]
    assert len(mine) >= 4
    assert all(path.is_relative_to(root) for path in mine)
    assert not {Path("/etc/passwd"), Path("/proc/self/environ").resolve()} & set(places)


def script(text: str, *arguments: str) -> str:
    """Run a script in a process of its own; returns what it prints."""
    command = [sys.executable, "-c", text, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout
