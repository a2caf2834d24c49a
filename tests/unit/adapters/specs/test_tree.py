"""What only the whole tree shows: names and connections that stand twice, which files failed, what is read again."""

import asyncio
from collections.abc import Collection

import pytest

from controller.adapters.specs import tree as tree_module
from controller.adapters.specs.context import Context
from controller.adapters.specs.documents import SpecFile, read_file
from controller.adapters.specs.tree import Names, TreeReader, parse_tree
from controller.model.profile import AITRONOS
from controller.ports.spec_source import SpecError, SpecTree

BODY = """\
apiVersion: mainspring.dev/v1
kind: SyncSchedule
metadata: {{name: {name}}}
spec: {{connectionId: {connection}, platform: {platform}, schedules: [{{every: {every}}}]}}
"""


def body(name: str, connection: str = "", platform: str = "default", every: str = "6h") -> bytes:
    """One schedule."""
    return BODY.format(name=name, connection=connection or f"conn_{name}", platform=platform, every=every).encode()


def told(errors: tuple[SpecError, ...]) -> list[str]:
    """Errors without their words."""
    return [f"{e.origin.path}:{e.origin.line}:{e.origin.column}: {e.code}" for e in errors]


def read(**files: bytes) -> SpecTree:
    """Read files named after their keywords."""
    return parse_tree({f"{name}.yaml": content for name, content in files.items()}, platforms=None)


def test_a_name_that_stands_twice_is_told_at_both_places() -> None:
    """Two documents with one name are both rejected where the name stands; the controller gets both, to hold them."""
    tree = read(a=body("x", "c1"), b=b"# a comment\n" + body("x", "c2"), c=body("y"))
    assert told(tree.errors) == ["a.yaml:3:18: duplicate-name", "b.yaml:4:18: duplicate-name"]
    assert "b.yaml:4:18" in tree.errors[0].message
    assert "a.yaml:3:18" in tree.errors[1].message
    assert [spec.connection_id for spec in tree.specs] == ["c1", "c2", "conn_y"]


def test_a_connection_that_stands_twice_is_told_at_both_places() -> None:
    """One connection with two schedules is rejected twice; the same id on another platform is another connection."""
    tree = read(a=body("x", "c"), b=body("y", "c"), c=body("z", "c", platform="other"))
    assert told(tree.errors) == ["a.yaml:4:22: duplicate-connection", "b.yaml:4:22: duplicate-connection"]
    assert len(tree.specs) == 3


def test_a_duplicate_in_one_file_is_told_too() -> None:
    """The tree is what counts, not the file."""
    tree = read(a=body("x", "c") + b"---\n" + body("x", "c"))
    assert told(tree.errors) == [
        "a.yaml:3:18: duplicate-name",
        "a.yaml:4:22: duplicate-connection",
        "a.yaml:8:18: duplicate-name",
        "a.yaml:9:22: duplicate-connection",
    ]


def test_duplicates_are_not_failed_files() -> None:
    """Every document of a duplicate was read, so nothing about the file is unknown."""
    assert read(a=body("x", "c"), b=body("x", "d")).failed_paths == frozenset()


def test_a_broken_document_costs_only_itself() -> None:
    """Beside a rejected document the others of the file make their specs, and the file is marked as failed."""
    tree = read(a=body("x") + b"---\n" + body("y", every="0s") + b"---\n" + body("z"))
    assert [(spec.name, spec.origin.line) for spec in tree.specs] == [("x", 1), ("z", 11)]
    assert told(tree.errors) == ["a.yaml:9:69: bad-duration"]
    assert tree.failed_paths == {"a.yaml"}


def test_broken_yaml_costs_its_file() -> None:
    """After broken YAML nothing in the file can be trusted."""
    tree = read(a=body("x") + b"---\n[", b=body("y"))
    assert [spec.name for spec in tree.specs] == ["y"]
    assert (told(tree.errors), tree.failed_paths) == (["a.yaml:6:2: yaml-syntax"], frozenset({"a.yaml"}))


def test_an_empty_file_is_worth_a_second_look() -> None:
    """A file without a document is valid and warned about."""
    tree = read(a=b"# later\n")
    assert (tree.errors, [warning.code for warning in tree.warnings]) == ((), ["empty-file"])


def test_specs_are_ordered_by_path_and_line() -> None:
    """The order of a tree does not depend on the order of reading."""
    files = {"b.yaml": body("b"), "a.yaml": body("a2") + b"---\n" + body("a1")}
    assert [spec.name for spec in parse_tree(files, platforms=None).specs] == ["a2", "a1", "b"]


POLICY = "apiVersion: mainspring.dev/v1\nkind: SyncPolicy\nmetadata: {{name: {}}}\nspec: {{selector: {{}}}}\n"


def test_two_policies_of_one_name_are_told_and_stay() -> None:
    """Both places are located, no file failed, and the controller sees both claims; a schedule may have a policy's name."""
    tree = read(a=POLICY.format("x").encode(), b=POLICY.format("x").encode(), c=body("x"))
    assert told(tree.errors) == ["a.yaml:3:18: duplicate-name", "b.yaml:3:18: duplicate-name"]
    assert "b.yaml:3:18" in tree.errors[0].message
    assert ([policy.name for policy in tree.policies], tree.failed_paths) == (["x", "x"], frozenset())


def test_policies_are_ordered_by_path_and_line() -> None:
    """The order of a tree does not depend on the order of reading."""
    files = {"b.yaml": POLICY.format("b").encode(), "a.yaml": f"{POLICY.format('z')}---\n{POLICY.format('y')}".encode()}
    assert [policy.name for policy in parse_tree(files, platforms=None).policies] == ["z", "y", "b"]


def test_the_revision_is_named_after_paths_and_contents() -> None:
    """Equal trees have one name; a moved or a changed file gives another."""
    names = {
        read(a=body("x")).revision,
        read(b=body("x")).revision,
        read(a=body("y")).revision,
        read(a=body("x"), b=b"").revision,
    }
    assert len(names) == 4
    assert read(a=body("x")).revision in names
    assert all(name.startswith("dir@sha256:") and len(name) == 75 for name in names)


def test_only_what_changed_is_parsed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that stays as it is costs nothing at the next poll, and gives the same spec."""
    parsed: list[str] = []

    def counting(path: str, content: bytes, context: Context) -> SpecFile:
        parsed.append(path)
        return read_file(path, content, context)

    monkeypatch.setattr(tree_module, "read_file", counting)
    reader = TreeReader({"default": AITRONOS})
    first = reader.read({"a.yaml": body("a"), "b.yaml": body("b")})
    second = reader.read({"a.yaml": body("a"), "b.yaml": body("b", every="7h"), "c.yaml": body("a")})
    assert parsed == ["a.yaml", "b.yaml", "b.yaml", "c.yaml"]
    assert second.specs[0] is first.specs[0]
    assert told(second.errors)[0] == "a.yaml:3:18: duplicate-name"


def test_what_left_the_tree_is_forgotten() -> None:
    """The memory of a reader is as large as the last tree."""
    reader = TreeReader(None)
    for number in range(5):
        reader.read({f"{number}.yaml": body("a")})
    assert len(reader._known) == 1


def test_only_what_is_told_of_the_last_tree_is_believed() -> None:
    """What changed since another tree than the one that was read last says nothing: then everything is compared."""
    reader = TreeReader(None)

    async def load(wanted: Collection[str]) -> dict[str, bytes]:
        return {blob: body(blob) for blob in wanted}

    def read_named(names: Names) -> list[str]:
        tree = asyncio.run(reader.read_blobs(names, load, revision=names.listing))
        return [spec.name for spec in tree.specs]

    read_named(Names("r0", {"a.yaml": "a", "b.yaml": "b"}))
    # Read, and lost by who asked: the next one is told from the one before.
    read_named(Names("r1", {"a.yaml": "a", "b.yaml": "c"}, "r0", ["b.yaml"]))
    assert read_named(Names("r2", {"a.yaml": "d", "b.yaml": "b"}, "r0", ["a.yaml"])) == ["d", "b"]
    assert read_named(Names("r3", {"a.yaml": "d", "b.yaml": "e"}, "r2", ["b.yaml"])) == ["d", "e"]


def test_a_reading_that_ended_is_gone_on_with() -> None:
    """Contents that could not be loaded leave what was read as it was, and are read the next time."""
    reader, loaded = TreeReader(None), list[str]()

    async def load(wanted: Collection[str]) -> dict[str, bytes]:
        loaded.extend(wanted)
        return {blob: body(blob) for blob in wanted if blob != "c" or loaded.count("c") > 1}

    def read_named(names: Names) -> list[str]:
        tree = asyncio.run(reader.read_blobs(names, load, revision=names.listing))
        return [spec.name for spec in tree.specs]

    read_named(Names("r0", {"a.yaml": "a", "b.yaml": "b"}))
    with pytest.raises(KeyError):
        read_named(Names("r1", {"a.yaml": "a", "b.yaml": "c"}, "r0", ["b.yaml"]))
    assert read_named(Names("r2", {"a.yaml": "a", "b.yaml": "c", "d.yaml": "d"}, "r0", ["b.yaml", "d.yaml"])) == [
        "a",
        "c",
        "d",
    ]
    assert loaded.count("a") == 1
