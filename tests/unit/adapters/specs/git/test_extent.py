"""Trees without measure: refused by what Git says of them, before anything of them is read or held."""

import asyncio
import hashlib
import sys
import tracemalloc
import zlib
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import pytest

from controller.adapters.specs.git import source
from controller.adapters.specs.git.command import GitFailed, Limits, kept_variables, run_program
from controller.adapters.specs.git.revisions import read_two
from controller.adapters.specs.snapshot import FILES_MAX, TREE_BYTES_MAX
from controller.adapters.specs.yaml_tree import BYTES_MAX
from controller.errors import SpecSourceUnavailable
from tests.fakes.spec_source import schedule_text
from tests.git_repository import Link
from tests.unit.adapters.specs.git.repositories import Repository, fetch, repository, source_of

MIB = 1 << 20


@pytest.fixture
def origin(tmp_path: Path) -> Repository:
    """An empty repository."""
    return repository(tmp_path / "origin")


def tree(origin: Repository, rows: Sequence[tuple[str, str, str, str]]) -> str:
    """Make a tree object of modes, kinds, hashes and names."""
    return origin.run(
        "mktree", given="".join(f"{mode} {kind} {oid}\t{name}\n" for mode, kind, oid, name in rows).encode()
    )


def put(origin: Repository, kind: str, content: bytes) -> str:
    """Write an object without a process; returns its hash."""
    raw = f"{kind} {len(content)}\0".encode() + content
    oid = hashlib.sha1(raw, usedforsecurity=False).hexdigest()
    path = origin.path / "objects" / oid[:2] / oid[2:]
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(zlib.compress(raw, 1))
    return oid


def publish(origin: Repository, root: str) -> None:
    """Make a tree the head of main."""
    origin.run("update-ref", "refs/heads/main", origin.run("commit-tree", root, "-m", "m"))


def copies(origin: Repository, content: bytes, directories: int, files: int) -> str:
    """A tree with one content many times; the repository is small."""
    blob = put(origin, "blob", content)
    below = tree(origin, [("100644", "blob", blob, f"f{n}.yaml") for n in range(files)])
    return tree(origin, [("040000", "tree", below, f"d{n}") for n in range(directories)])


@pytest.mark.parametrize(
    ("content", "directories", "files", "said"),
    [
        (b"x: 1\n", FILES_MAX // 1_000, 1_000, ""),
        (b"x: 1\n", FILES_MAX // 1_000 + 1, 1_000, f"more than {FILES_MAX} spec files"),
        (b"#" * BYTES_MAX, 25, TREE_BYTES_MAX // BYTES_MAX // 25 + 1, f"more than {TREE_BYTES_MAX >> 20} MiB"),
    ],
)
def test_too_much_is_refused_before_anything_is_read(
    origin: Repository, monkeypatch: pytest.MonkeyPatch, content: bytes, directories: int, files: int, said: str
) -> None:
    """The numbers and sizes come with the listing, so that of what is too much not one file is loaded."""

    async def nothing(*_: object) -> dict[str, bytes]:
        raise AssertionError("a file was loaded")

    publish(origin, copies(origin, content, directories, files))
    monkeypatch.setattr(source, "read_blobs", nothing)
    if said:
        with pytest.raises(SpecSourceUnavailable, match=said):
            fetch(source_of(origin))
        with pytest.raises(SpecSourceUnavailable, match=said):
            asyncio.run(read_two(origin.path, PurePosixPath(), ("main", "main")))
    else:
        with pytest.raises(AssertionError, match="a file was loaded"):
            fetch(source_of(origin))


def test_a_tree_that_holds_itself_many_times_over_is_given_up(origin: Repository) -> None:
    """Ten billion files in a few hundred bytes: what is said of them is not listened to for longer than any real tree needs."""
    origin.publish({"a.yaml": schedule_text("a")})
    reader = source_of(origin)
    assert [spec.name for spec in fetch(reader).specs] == ["a"]
    good = origin.head()
    root = copies(origin, b"x: 1\n", 10, 10)
    for _ in range(8):
        root = tree(origin, [("040000", "tree", root, f"d{n}") for n in range(10)])
    publish(origin, root)
    tracemalloc.start()
    try:
        # By what changed, and by a whole listing.
        for attempt in (reader, source_of(origin)):
            with pytest.raises(SpecSourceUnavailable, match="said more than 64 MiB"):
                fetch(attempt)
        assert tracemalloc.get_traced_memory()[1] < 100 * MIB
    finally:
        tracemalloc.stop()
    origin.run("update-ref", "refs/heads/main", good)
    assert [spec.name for spec in fetch(reader).specs] == ["a"]


def test_a_file_of_thirty_megabytes_is_never_in_memory(origin: Repository) -> None:
    """It is refused by its size, and its neighbour is read."""
    origin.publish({"a.yaml": schedule_text("a"), "big.yaml": b"\0" * 30_000_000})
    tracemalloc.start()
    try:
        found = fetch(source_of(origin))
        assert tracemalloc.get_traced_memory()[1] < 8 * MIB
    finally:
        tracemalloc.stop()
    assert [spec.name for spec in found.specs] == ["a"]
    assert [(str(each.origin), each.code) for each in found.errors] == [("big.yaml:1", "file-too-large")]


def test_a_huge_file_of_a_commit_stops_no_fetch(origin: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """Git passes it on in pieces, so that the bound on its memory is not what ends the fetch."""
    monkeypatch.setattr("controller.adapters.specs.git.command.DATA_BYTES_MAX", 48 * MIB)
    origin.run("config", "core.bigFileThreshold", "1m")
    origin.publish({"a.yaml": schedule_text("a"), "data.bin": b"\0" * 80_000_000})
    assert [spec.name for spec in fetch(source_of(origin)).specs] == ["a"]


def test_a_path_that_no_system_takes_is_refused_in_few_words(origin: Repository) -> None:
    """Neither by its length nor by its depth does it fill a log; 4,096 bytes are taken; and it is forgotten with its file."""
    content = schedule_text("a").encode()
    name = b"a" * 4091 + b".yaml"
    row = b"100644 " + name + b"\0" + bytes.fromhex(put(origin, "blob", content))
    publish(origin, put(origin, "tree", row))
    assert [spec.name for spec in fetch(source_of(origin)).specs] == ["a"]

    reader = source_of(origin)
    deep = put(origin, "tree", b"100644 f.yaml\0" + bytes.fromhex(put(origin, "blob", content)))
    for _ in range(3_000):
        deep = put(origin, "tree", b"40000 d\0" + bytes.fromhex(deep))
    long = b"100644 " + b"b" + name + b"\0" + bytes.fromhex(put(origin, "blob", content))
    publish(origin, put(origin, "tree", long + b"40000 d\0" + bytes.fromhex(deep)))
    found = fetch(reader)
    assert [each.code for each in found.errors] == ["bad-file-name"] * 2
    assert all(len(str(each)) < 400 for each in found.errors)
    assert found.specs == ()
    origin.publish({"a.yaml": content})
    assert fetch(reader).errors == ()


def test_a_name_that_is_no_utf_8_steers_no_terminal(origin: Repository) -> None:
    """What else it holds is escaped, and it is forgotten with its file."""
    row = b"100644 \xff\x1b[31m\n.yaml\0" + bytes.fromhex(put(origin, "blob", b"x: 1\n"))
    publish(origin, put(origin, "tree", row))
    reader = source_of(origin)
    (error,) = fetch(reader).errors
    assert str(error).isprintable()
    assert "not UTF-8" in error.message
    origin.publish({"a.yaml": schedule_text("a")})
    assert fetch(reader).errors == ()


def test_a_command_has_only_so_much_memory() -> None:
    """What unfolds without end ends the command, and nobody else of its container."""
    limits = Limits(20.0, MIB, "a test")
    program = "input()\ntry: bytearray(600 << 20)\nexcept MemoryError: raise SystemExit('fatal: no memory')"
    greedy = [sys.executable, "-c", program]
    with pytest.raises(GitFailed, match="fatal: no memory"):
        asyncio.run(run_program(greedy, limits, variables=kept_variables(), given=b"\n"))


def test_a_listing_of_the_whole_is_bounded_too(origin: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that are refused count like the others: each of them is told."""
    monkeypatch.setattr("controller.adapters.specs.git.objects.FILES_MAX", 1)
    origin.publish({"a.yaml": Link("x"), "b.yaml": Link("x")})
    with pytest.raises(SpecSourceUnavailable, match="more than 1 spec files"):
        fetch(source_of(origin))
