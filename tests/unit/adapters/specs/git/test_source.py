"""A repository as a spec source: revisions, refs, and what is read of them."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from controller.adapters.specs.git import objects, source
from controller.adapters.specs.git.command import Git
from controller.errors import SpecSourceUnavailable
from controller.ports.spec_source import SpecTree
from tests.fakes.spec_source import schedule_text
from tests.git_repository import Content, Link, Submodule
from tests.unit.adapters.specs.git.repositories import Repository, fetch, repository, source_of


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the git commands that are run, in order."""
    commands: list[str] = []
    real = Git.run

    async def run(self: Git, *arguments: str, given: bytes = b"", output_max: int = 1 << 30) -> bytes:
        commands.append(arguments[0])
        return await real(self, *arguments, given=given, output_max=output_max)

    monkeypatch.setattr(Git, "run", run)
    return commands


def told(tree: SpecTree) -> list[tuple[str, str]]:
    """Which path has which error."""
    return [(error.origin.path, error.code) for error in tree.errors]


def names(tree: SpecTree) -> list[str]:
    """The schedules of a tree, by path."""
    return [spec.name for spec in tree.specs]


def test_every_kind_of_ref_is_followed_and_names_the_revision(origin: Repository) -> None:
    """A branch, a tag, a full name, a full commit and the remote's own HEAD; an annotated tag is its commit."""
    commit = origin.head()
    origin.run("tag", "-m", "m", "v1", "main")
    origin.run("tag", "light", "main")
    origin.run("update-ref", "refs/pull/7/head", commit)
    revisions = {ref: fetch(source_of(origin, ref=ref)).revision.replace(commit, "…") for ref in ("", "main", "v1")}
    assert revisions == {"": "main@sha1:…", "main": "main@sha1:…", "v1": "v1@sha1:…"}
    more = {
        "light": "light@",
        "refs/heads/main": "main@",
        "refs/tags/v1": "v1@",
        "refs/pull/7/head": "refs/pull/7/head@",
    }
    for ref, name in {**more, commit: ""}.items():
        assert fetch(source_of(origin, ref=ref)).revision == f"{name}sha1:{commit}"


def test_a_repository_of_longer_hashes_is_read(tmp_path: Path) -> None:
    """The revision says which hash it is."""
    origin = repository(tmp_path / "origin", object_format="sha256")
    commit = origin.publish({"a.yaml": schedule_text("a")})
    assert len(commit) == 64
    reader = source_of(origin)
    assert (fetch(reader).revision, names(fetch(reader))) == (f"main@sha256:{commit}", ["a"])
    origin.change({"b.yaml": schedule_text("b")})
    assert names(fetch(reader)) == ["a", "b"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"ref": "nope"}, "no branch or tag nope"),
        ({"ref": "refs/heads/nope"}, "no ref refs/heads/nope"),
        ({"ref": "0123abc"}, "a commit is written in full"),
        ({"ref": "f" * 40}, "gives out no such commit"),
        ({"ref": "both"}, "write refs/heads/both or refs/tags/both"),
        ({"path": "nowhere/at/all"}, "the revision has no directory nowhere/at/all"),
        ({"path": "a.yaml"}, "a.yaml is no directory"),
    ],
)
def test_what_is_not_there_is_said(origin: Repository, options: dict[str, str], said: str) -> None:
    """A ref or a directory that does not exist is a failure with its name, never an empty tree."""
    origin.run("branch", "both", "main")
    origin.run("tag", "both", "main")
    with pytest.raises(SpecSourceUnavailable, match=said):
        fetch(source_of(origin, **options))


def test_an_empty_repository_has_nothing_to_say(tmp_path: Path) -> None:
    """Without a commit there is no revision."""
    with pytest.raises(SpecSourceUnavailable, match="it is empty, or"):
        fetch(source_of(repository(tmp_path / "origin")))


def test_a_tag_that_stands_for_no_commit_is_refused(origin: Repository) -> None:
    """A ref may name any object; only a commit is a revision."""
    origin.run("update-ref", "refs/tags/tree", origin.run("rev-parse", "main^{tree}"))
    with pytest.raises(SpecSourceUnavailable, match="is no commit"):
        fetch(source_of(origin, ref="tree"))


def test_an_unchanged_ref_costs_one_question(origin: Repository, asked: list[str]) -> None:
    """The same value comes back, and the remote alone was asked; of a full commit not even that."""
    reader, pinned = source_of(origin), source_of(origin, ref=origin.head())
    first, fixed = fetch(reader), fetch(pinned)
    fetch(reader)
    fetch(pinned)
    asked.clear()
    assert fetch(reader) is first
    assert asked == ["ls-remote"]
    assert fetch(pinned) is fixed
    assert asked == ["ls-remote"]


def test_only_new_contents_are_read(origin: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a commit that changes one file of three one blob is read; of one that changes another directory none."""
    read: list[str] = []
    real = objects.read_blobs

    async def counted(git: Git, oids: Iterable[str]) -> dict[str, bytes]:
        found = await real(git, oids)
        read.extend(found)
        return found

    monkeypatch.setattr(source, "read_blobs", counted)
    origin.publish({f"specs/{name}.yaml": schedule_text(name) for name in "abc"})
    reader = source_of(origin, path="specs")
    before = fetch(reader)
    assert len(read) == 3
    origin.change({"specs/b.yaml": schedule_text("b", every="7h")})
    after = fetch(reader)
    assert len(read) == 4
    assert [new is old for new, old in zip(after.specs, before.specs, strict=True)] == [True, False, True]
    origin.change({"elsewhere.yaml": schedule_text("z")})
    other = fetch(reader)
    assert (len(read), other.specs, other.revision) == (4, after.specs, f"main@sha1:{origin.head()}")


def test_a_revision_read_by_its_changes_is_the_one_read_whole(origin: Repository) -> None:
    """After additions, removals, renames, and changes of kind in both directions, nothing tells the two apart."""
    reader = source_of(origin)
    commit = origin.head()
    steps: list[dict[str, Content]] = [
        {"b.yaml": schedule_text("b"), "c.yaml": Link("/etc/passwd"), "d/e.yaml": "[", "sub": Submodule(commit)},
        {"c.yaml": schedule_text("c"), "a.yaml": Link("b.yaml"), "n\udcff.yaml": "x", "new\nline.yaml": "x"},
        {"d/e.yaml": None, "d": schedule_text("no suffix"), "A.YAML": "[", "B.yaml": schedule_text("big-b")},
        {"sub": None, "sub/f.yaml": schedule_text("f"), "n\udcff.yaml": None, "large.yaml": b"#" * (1 << 20)},
        {"new\nline.yaml": None, "large.yaml": schedule_text("large"), "a.yaml": None, "g.yaml": "[" * 10},
    ]
    for step in steps:
        origin.change(step)
        assert fetch(reader) == fetch(source_of(origin))
    assert told(fetch(reader)) == [("g.yaml", "yaml-syntax")]


def test_what_cannot_be_a_spec_file_is_told_and_harms_no_other(origin: Repository) -> None:
    """Links, submodules, names that are no text and files that are too large are failed paths; the rest is read."""
    tree_before = origin.head()
    origin.change(
        {
            "link.yaml": Link("/etc/passwd"),
            "folder": Link("../.."),
            "module": Submodule(tree_before),
            "n\udcff.yaml": schedule_text("n"),
            "large.yaml": b"#" * (2 << 20),
            "binary.yaml": bytes(range(256)),
            ".hidden/h.yaml": schedule_text("h"),
            "notes.md": "[",
        }
    )
    tree = fetch(source_of(origin))
    assert told(tree) == [
        ("binary.yaml", "not-utf8"),
        ("folder", "symlink"),
        ("large.yaml", "file-too-large"),
        ("link.yaml", "symlink"),
        ("module", "submodule"),
        ("n\\xff.yaml", "bad-file-name"),
    ]
    assert (names(tree), tree.failed_paths) == (["a"], frozenset(path for path, _ in told(tree)))


def test_paths_that_differ_in_case_are_both_read_with_a_warning(origin: Repository) -> None:
    """The second of them is where the warning stands."""
    origin.publish({"A/x.yaml": schedule_text("one"), "a/X.yaml": schedule_text("two"), "b.yaml": schedule_text("b")})
    tree = fetch(source_of(origin))
    assert (names(tree), tree.errors) == (["one", "two", "b"], ())
    assert [(each.origin.path, each.code) for each in tree.warnings] == [("a/X.yaml", "case-collision")]


@pytest.mark.parametrize("limit", ["FILES_MAX", "TREE_BYTES_MAX"])
def test_a_tree_beyond_its_limits_is_unavailable(
    origin: Repository, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    """Nothing of a tree that is too large is read, and its mirror is kept: nothing is wrong with that."""
    reader = source_of(origin)
    fetch(reader)
    origin.change({"b.yaml": schedule_text("b")})
    (mirror,) = [path for path in (origin.path.parent / "mirrors").iterdir() if path.is_dir()]
    (mirror / "kept").touch()
    monkeypatch.setattr(objects, limit, 1)
    for each in (reader, source_of(origin)):
        with pytest.raises(SpecSourceUnavailable, match="more than"):
            fetch(each)
    assert (mirror / "kept").exists()


def test_a_force_push_is_followed_unless_told_otherwise(origin: Repository) -> None:
    """By default the head is the head, wherever it went."""
    reader = source_of(origin)
    first = origin.head()
    origin.change({"b.yaml": schedule_text("b")})
    assert names(fetch(reader)) == ["a", "b"]
    origin.run("update-ref", "refs/heads/main", first)
    assert (names(fetch(reader)), fetch(reader).revision) == (["a"], f"main@sha1:{first}")
