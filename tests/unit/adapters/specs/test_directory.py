"""Reading a directory: whole or not at all, and nothing from outside it."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from controller.adapters.specs import snapshot as snapshot_module
from controller.adapters.specs.directory import READS_MAX, DirectorySpecSource, validate_paths
from controller.adapters.specs.snapshot import Listing, TreeChanged, list_tree, read_file, read_files
from controller.errors import SpecSourceUnavailable
from controller.ports.spec_source import SpecTree
from tests.fakes.spec_source import schedule_text

ReadFiles = Callable[[Listing], dict[str, bytes]]


def write(root: Path, *names: str) -> None:
    """Write one valid schedule for each name."""
    root.mkdir(parents=True, exist_ok=True)
    for name in names:
        (root / f"{name}.yaml").write_text(schedule_text(name))


def fetch(path: Path, read: ReadFiles = read_files) -> SpecTree:
    """Read a directory once."""
    return asyncio.run(DirectorySpecSource(path, None, read=read).fetch())


def names(tree: SpecTree) -> list[str]:
    """The schedules of a valid tree."""
    assert tree.errors == ()
    return [spec.name for spec in tree.specs]


def told(tree: SpecTree) -> list[tuple[str, str]]:
    """Which path has which error."""
    return [(error.origin.path, error.code) for error in tree.errors]


def interrupted(*changes: Callable[[], object]) -> ReadFiles:
    """A reader in whose first readings something happens between listing and reading."""
    waiting = list(changes)

    def read(listing: Listing) -> dict[str, bytes]:
        if waiting:
            waiting.pop(0)()
        return read_files(listing)

    return read


def test_spec_files_are_found_everywhere_below_the_root(tmp_path: Path) -> None:
    """Files ending in .yaml or .yml count, in every directory; what begins with a dot and everything else does not."""
    write(tmp_path, "a")
    write(tmp_path / "team", "b")
    write(tmp_path / ".github", "hidden")
    (tmp_path / "c.yml").write_text(schedule_text("c"))
    (tmp_path / ".d.yaml").write_text("[")
    (tmp_path / "notes.md").write_text("[")
    tree = fetch(tmp_path)
    assert names(tree) == ["a", "c", "b"]
    assert [spec.origin.path for spec in tree.specs] == ["a.yaml", "c.yml", "team/b.yaml"]
    assert tree.files == 3


@pytest.mark.parametrize("digits", [40, 64])
def test_a_directory_named_by_a_commit_is_that_revision(tmp_path: Path, digits: int) -> None:
    """The published link of git-sync leads to a directory whose name is the revision."""
    commit = "0123456789abcdef" * 4
    write(tmp_path / commit[:digits], "a")
    (tmp_path / "current").symlink_to(commit[:digits])
    assert fetch(tmp_path / "current").revision == f"dir@sha1:{commit[:digits]}"


def test_a_directory_below_the_link_of_a_commit_is_that_revision(tmp_path: Path) -> None:
    """Where the specs are a part of the repository. A directory that no link leads to may hold anything, whatever it is called."""
    commit = "0123456789abcdef" * 2 + "01234567"
    write(tmp_path / commit / "team" / "specs", "a")
    (tmp_path / "current").symlink_to(commit)
    assert fetch(tmp_path / "current" / "team" / "specs").revision == f"dir@sha1:{commit}"
    assert fetch(tmp_path / commit / "team" / "specs").revision.startswith("dir@sha256:")


def test_any_other_directory_is_named_by_its_contents(tmp_path: Path) -> None:
    """Two directories with the same files are the same revision."""
    write(tmp_path / "one", "a")
    write(tmp_path / "two", "a")
    first, second = fetch(tmp_path / "one"), fetch(tmp_path / "two")
    assert first == second
    assert first.revision.startswith("dir@sha256:")


def test_a_mounted_config_map_is_read_through_its_links(tmp_path: Path) -> None:
    """Kubernetes publishes files as links through ``..data``; hidden names themselves are no files."""
    write(tmp_path / "..2026_01_01", "a")
    write(tmp_path / "..2026_01_01" / "sub", "b")
    (tmp_path / "..data").symlink_to("..2026_01_01")
    (tmp_path / "a.yaml").symlink_to("..data/a.yaml")
    (tmp_path / "sub").symlink_to("..data/sub")
    assert names(fetch(tmp_path)) == ["a", "b"]


def test_a_config_map_that_moves_on_is_read_anew(tmp_path: Path) -> None:
    """New contents arrive although no visible name changes its own time."""
    for day, name in (("..1", "a"), ("..2", "b")):
        write(tmp_path / day, name)
        (tmp_path / day / f"{name}.yaml").rename(tmp_path / day / "x.yaml")
    (tmp_path / "..data").symlink_to("..1")
    (tmp_path / "x.yaml").symlink_to("..data/x.yaml")
    source = DirectorySpecSource(tmp_path, None)
    assert names(asyncio.run(source.fetch())) == ["a"]
    flip(tmp_path / "..data", "..2")
    assert names(asyncio.run(source.fetch())) == ["b"]


def flip(link: Path, target: str) -> None:
    """Move a link as publishers do: a new one, renamed over the old one."""
    new = link.with_name("new-link")
    new.symlink_to(target)
    new.rename(link)


def test_a_link_that_moves_during_the_read_mixes_nothing(tmp_path: Path) -> None:
    """The link is followed once: the whole of the old revision is read, or the whole of the new one."""
    write(tmp_path / "old", "a", "b")
    write(tmp_path / "new", "c", "d")
    (tmp_path / "current").symlink_to("old")
    read = interrupted(lambda: flip(tmp_path / "current", "new"))
    assert names(fetch(tmp_path / "current", read)) == ["a", "b"]
    assert names(fetch(tmp_path / "current")) == ["c", "d"]


def test_a_config_map_that_flips_during_the_read_mixes_nothing(tmp_path: Path) -> None:
    """Half of the files from before and half from after are never one tree."""
    write(tmp_path / "..1", "a", "b")
    write(tmp_path / "..2", "a", "b")
    for path in (tmp_path / "..2").iterdir():
        path.write_text(path.read_text().replace("6h", "7h"))
    (tmp_path / "..data").symlink_to("..1")
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).symlink_to(f"..data/{name}")
    tree = fetch(tmp_path, interrupted(lambda: flip(tmp_path / "..data", "..2")))
    assert [spec.entries[0].text for spec in tree.specs] == ["7h", "7h"]


@pytest.mark.parametrize("change", ["write", "replace", "add", "remove"])
def test_a_change_during_the_read_is_read_anew(tmp_path: Path, change: str) -> None:
    """A tree that changes under the reader is read again, so that what is returned once was the tree."""
    write(tmp_path, "a", "b")

    def happen() -> None:
        if change == "write":
            (tmp_path / "a.yaml").write_text(schedule_text("c") + "# longer\n")
        elif change == "replace":
            (tmp_path / "z").write_text(schedule_text("c"))
            (tmp_path / "z").rename(tmp_path / "a.yaml")
        elif change == "add":
            write(tmp_path, "c")
        else:
            (tmp_path / "a.yaml").unlink()

    expected = {"write": ["c", "b"], "replace": ["c", "b"], "add": ["a", "b", "c"], "remove": ["b"]}
    assert names(fetch(tmp_path, interrupted(happen))) == expected[change]


def test_a_directory_that_vanishes_and_comes_back_is_read_anew(tmp_path: Path) -> None:
    """A file that is not there any more is a reason to read again, never a deletion."""
    write(tmp_path / "old", "a")
    write(tmp_path / "new", "b")
    (tmp_path / "current").symlink_to("old")

    def collect_garbage() -> None:
        flip(tmp_path / "current", "new")
        (tmp_path / "old" / "a.yaml").unlink()
        (tmp_path / "old").rmdir()

    assert names(fetch(tmp_path / "current", interrupted(collect_garbage))) == ["b"]


def test_a_tree_that_keeps_changing_is_unavailable(tmp_path: Path) -> None:
    """After a few readings nothing is concluded from a tree that does not hold still."""
    write(tmp_path, "a")
    changes = [lambda n=n: write(tmp_path, f"new{n}") for n in range(READS_MAX)]
    with pytest.raises(SpecSourceUnavailable, match="changed while it was read"):
        fetch(tmp_path, interrupted(*changes))
    with pytest.raises(SpecSourceUnavailable, match="could not be read whole"):
        fetch(tmp_path, interrupted(*[lambda n=n: write(tmp_path, f"other{n}") for n in range(READS_MAX)]))
    assert len(fetch(tmp_path).specs) == 1 + 2 * READS_MAX


def test_a_missing_root_is_unavailable(tmp_path: Path) -> None:
    """A directory that is not there is not an empty one."""
    with pytest.raises(SpecSourceUnavailable, match="No such file"):
        fetch(tmp_path / "nowhere")
    (tmp_path / "file").write_text("")
    with pytest.raises(SpecSourceUnavailable, match="Not a directory"):
        fetch(tmp_path / "file")


def test_a_file_that_cannot_be_read_makes_the_tree_unavailable(tmp_path: Path) -> None:
    """One unreadable file is not a deleted one."""
    write(tmp_path, "a")

    def refuse(listing: Listing) -> dict[str, bytes]:
        raise PermissionError(13, "Permission denied", str(listing.root))

    with pytest.raises(SpecSourceUnavailable, match="Permission denied"):
        fetch(tmp_path, refuse)


def test_links_that_lead_out_of_the_tree_are_refused(tmp_path: Path) -> None:
    """A file or directory outside is never read, and the path is marked as failed."""
    root = tmp_path / "root"
    write(root, "a")
    write(tmp_path / "outside", "secret")
    (root / "file.yaml").symlink_to("../outside/secret.yaml")
    (root / "folder").symlink_to("../outside")
    (root / "absolute.yaml").symlink_to(tmp_path / "outside" / "secret.yaml")
    (root / "README").symlink_to("../outside/secret.yaml")
    tree = fetch(root)
    assert told(tree) == [(name, "symlink-outside") for name in ("absolute.yaml", "file.yaml", "folder")]
    assert ([spec.name for spec in tree.specs], tree.failed_paths) == (
        ["a"],
        frozenset({"absolute.yaml", "file.yaml", "folder"}),
    )


def test_other_things_that_are_no_files_are_refused(tmp_path: Path) -> None:
    """A dangling link, a loop, a pipe and a name that cannot be shown are told, and nothing hangs."""
    write(tmp_path, "a")
    (tmp_path / "dangling.yaml").symlink_to("nothing")
    (tmp_path / "itself.yaml").symlink_to("itself.yaml")
    (tmp_path / "loop").symlink_to(".")
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "new\nline.yaml").write_text("")
    tree = fetch(tmp_path)
    assert told(tree) == [
        ("dangling.yaml", "symlink-dangling"),
        ("itself.yaml", "symlink-dangling"),
        ("loop", "symlink-loop"),
        ("new\\nline.yaml", "bad-file-name"),
        ("pipe.yaml", "not-a-file"),
    ]
    assert [spec.name for spec in tree.specs] == ["a"]


def test_links_among_directories_cost_no_more_than_the_directories(tmp_path: Path) -> None:
    """Directories that all link to each other are each read once."""
    for name in "abcdefgh":
        write(tmp_path / name, name)
        for other in "abcdefgh":
            (tmp_path / name / f"to-{other}").symlink_to(f"../{other}")
    tree = fetch(tmp_path)
    assert (tree.files, len(tree.specs), len(tree.errors)) == (8, 8, 64)


def test_a_file_swapped_for_a_link_after_the_listing_is_not_followed(tmp_path: Path) -> None:
    """What was listed as a file is opened as that file or not at all."""
    write(tmp_path, "a")
    path, expected = list_tree(tmp_path).files["a.yaml"]
    path.rename(tmp_path / "b")
    path.symlink_to("b")
    with pytest.raises(OSError, match="symbolic links"):
        read_file(path, expected)
    path.unlink()
    write(tmp_path, "a")
    with pytest.raises(TreeChanged):
        read_file(path, expected)


def test_a_large_file_is_refused_without_being_read(tmp_path: Path) -> None:
    """Of a file beyond the limit only the beginning is read, enough to refuse it."""
    write(tmp_path, "a")
    with (tmp_path / "large.yaml").open("wb") as file:
        file.truncate(1 << 40)
    assert told(fetch(tmp_path)) == [("large.yaml", "file-too-large")]


@pytest.mark.parametrize(("limit", "words"), [("FILES_MAX", "more than 1 spec files"), ("TREE_BYTES_MAX", "MiB")])
def test_a_tree_beyond_its_limits_is_unavailable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, words: str
) -> None:
    """A tree that is too large is not read in part."""
    write(tmp_path, "a", "b")
    monkeypatch.setattr(snapshot_module, limit, 1)
    with pytest.raises(SpecSourceUnavailable, match=words):
        fetch(tmp_path)


def test_validate_names_paths_as_they_were_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Errors carry the path that the person wrote, for files and below directories."""
    write(tmp_path / "specs", "a")
    (tmp_path / "specs" / "b.yaml").write_text("[")
    (tmp_path / "specs" / "out.yaml").symlink_to("/dev/null")
    (tmp_path / "c.txt").write_text("[")
    monkeypatch.chdir(tmp_path)
    tree = validate_paths([Path("specs"), Path("c.txt"), tmp_path / "nowhere.yaml"])
    assert sorted(told(tree)) == [
        (str(tmp_path / "nowhere.yaml"), "unreadable"),
        ("c.txt", "yaml-syntax"),
        ("specs/b.yaml", "yaml-syntax"),
        ("specs/out.yaml", "symlink-outside"),
    ]
    assert ([spec.origin.path for spec in tree.specs], tree.files) == (["specs/a.yaml"], 3)


def test_validate_reads_a_file_once_however_it_is_named(tmp_path: Path) -> None:
    """A file beside its own directory is no duplicate of itself; a copy is."""
    write(tmp_path, "a")
    assert names(validate_paths([tmp_path, tmp_path / "a.yaml", tmp_path / ".." / tmp_path.name])) == ["a"]
    (tmp_path / "b.yaml").write_text(schedule_text("a"))
    assert {code for _, code in told(validate_paths([tmp_path]))} == {"duplicate-name", "duplicate-connection"}
