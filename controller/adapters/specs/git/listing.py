"""The spec files of one directory of a commit: listed once, from then on by what changed between two trees."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import groupby

from controller.adapters.specs.git.command import Git, GitFailed
from controller.adapters.specs.git.objects import (
    ABSENT,
    LISTING_BYTES_MAX,
    CommitFiles,
    SpecBlob,
    add_file,
    check_extent,
    list_files,
    shown_path,
)
from controller.adapters.specs.tree import Names
from controller.adapters.specs.yaml_tree import BYTES_MAX
from controller.errors import SpecSourceUnavailable
from controller.model.schedule import Origin
from controller.ports.spec_source import SpecError


class BlobNames(Mapping[str, str]):
    """The hash of each file's content by path, without a dictionary of its own."""

    def __init__(self, files: Mapping[str, SpecBlob]) -> None:
        self._files = files

    def __getitem__(self, path: str) -> str:
        return self._files[path].oid

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)


@dataclass(frozen=True, slots=True)
class Listed:
    """A tree object and the spec files in it.

    Attributes:
        size: bytes of all files.
        folded: how many files share each path, without regard to case.
        since: the tree object that ``changed`` counts from; empty where the tree was listed as a whole.
        changed: the paths that differ between the two.
    """

    oid: str
    files: CommitFiles = field(default_factory=CommitFiles)
    size: int = 0
    folded: Mapping[str, int] = field(default_factory=dict)
    since: str = ""
    changed: Collection[str] = ()

    @property
    def names(self) -> Names:
        """What a reader is told of it."""
        return Names(self.oid, BlobNames(self.files.files), self.since, self.changed)

    def collisions(self) -> list[SpecError]:
        """Files whose paths differ only in case: all are read here, and on other machines one of them covers the other."""
        return [] if len(self.folded) == len(self.files.files) else collisions(self.files.files)


def listed_whole(oid: str, files: CommitFiles) -> Listed:
    """A tree of which nothing was known."""
    size = sum(blob.size for blob in files.files.values())
    return Listed(oid, files, size, Counter(map(_fold, files.files)))


def _fold(path: str) -> str:
    """A path without regard to case; most are that already, and then it is the same object."""
    folded = path.casefold()
    return path if folded == path else folded


async def tree_of(git: Git, commit: str, path: str) -> str:
    """The tree object of a directory.

    Raises:
        SpecSourceUnavailable: the commit has no such directory, or something else is there.
        GitFailed: the commit cannot be read.
    """
    wanted = "/".join(part for part in path.split("/") if part not in ("", "."))
    if not wanted:
        return (
            (await git.run("rev-parse", "--verify", "--end-of-options", f"{commit}^{{tree}}")).decode("ascii").strip()
        )
    row = (await git.run("ls-tree", "-z", "--full-tree", commit, "--", wanted)).partition(b"\0")[0]
    kind, oid = row.partition(b"\t")[0].split()[1:3] if row else (b"", b"")
    if not row:
        raise SpecSourceUnavailable(
            f"the revision has no directory {wanted}; set specs.path to the one that holds the specs,"
            " or keep a file in it where all of them shall go"
        )
    if kind != b"tree":
        raise SpecSourceUnavailable(f"{wanted} is no directory in the revision; links and submodules are not followed")
    return oid.decode("ascii")


async def list_tree(git: Git, oid: str, before: Listed | None) -> Listed:
    """List a tree; with another one known, only by what differs between the two.

    Raises:
        GitFailed: the tree cannot be read, or holds too much.
    """
    found = None if before is None else await _changed(git, before, oid)
    found = found or listed_whole(oid, await list_files(git, oid))
    check_extent(found.files, found.size)
    return found


async def _changed(git: Git, before: Listed, oid: str) -> Listed | None:
    """The new tree as the old one with its changes; None if the old one is gone, which is no damage."""
    try:
        said = await git.run(
            *("diff-tree", "-r", "-z", "--no-renames", "--no-ext-diff", "--no-textconv", before.oid, oid),
            output_max=LISTING_BYTES_MAX,
        )
    except GitFailed as error:
        if error.code is None:
            raise
        return None
    parts = said.split(b"\0")
    rows = [(row.decode("ascii").lstrip(":").split(), name) for row, name in zip(parts[::2], parts[1::2], strict=False)]
    sizes = await _sizes(git, {row[3] for row, _ in rows if row[1].startswith("100")})
    changed = {name.decode("utf-8", "backslashreplace") for _, name in rows}
    # A file that was refused is told by the name that it is shown by.
    shown = {shown_path(name) for _, name in rows}
    # A copy of ten thousand rows costs less than one of the commands; a walk over them does not.
    files = dict(before.files.files)
    for path in changed:
        files.pop(path, None)
    found = CommitFiles(files, [error for error in before.files.errors if error.origin.path not in shown])
    for (_, mode, _, blob, _), name in rows:
        if mode != ABSENT:
            add_file(found, name, mode, SpecBlob(blob, sizes.get(blob, 0)))
    return _moved(before, Listed(oid, found, since=before.oid, changed=changed))


def _moved(before: Listed, now: Listed) -> Listed:
    """The new tree with its sums, counted on from those of the old one."""
    size, folded = before.size, dict(before.folded)
    for path in now.changed:
        key, was, row = _fold(path), before.files.files.get(path), now.files.files.get(path)
        size += (row.size if row is not None else 0) - (was.size if was is not None else 0)
        folded[key] = folded.get(key, 0) + (row is not None) - (was is not None)
        if not folded[key]:
            del folded[key]
    return replace(now, size=size, folded=folded)


async def _sizes(git: Git, oids: Iterable[str]) -> dict[str, int]:
    wanted = sorted(oids)
    if not wanted:
        return {}
    said = await git.run(
        "cat-file", "--batch-check=%(objectname) %(objectsize)", given="\n".join([*wanted, ""]).encode()
    )
    rows = (line.split() for line in said.decode("ascii").splitlines())
    # One that is missing has no size here, and is found missing when it is read.
    return {oid: int(size) if size.isdigit() else BYTES_MAX for oid, size in rows}


def collisions(paths: Collection[str]) -> list[SpecError]:
    """Files whose paths differ only in case: all are read here, and on other machines one of them covers the other."""
    found: list[SpecError] = []
    for _, same in groupby(sorted(paths, key=lambda path: (path.casefold(), path)), key=str.casefold):
        first, *others = same
        for other in others:
            message = (
                f"this path differs from {first} only in case, and some machines keep only one of the two; rename it"
            )
            found.append(SpecError(Origin(other, 1), "case-collision", message))
    return found
