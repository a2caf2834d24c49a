"""The spec files of one directory of a commit: listed once, from then on by what changed between two trees."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
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
from controller.adapters.specs.yaml_tree import BYTES_MAX
from controller.errors import SpecSourceUnavailable
from controller.model.schedule import Origin
from controller.ports.spec_source import SpecError


@dataclass(frozen=True, slots=True)
class Listed:
    """A tree object and the spec files in it."""

    oid: str
    files: CommitFiles = field(default_factory=CommitFiles)

    @property
    def blobs(self) -> dict[str, str]:
        """The hash of each file's content by path."""
        return {path: blob.oid for path, blob in self.files.files.items()}


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
            f"the revision has no directory {wanted}; set specs.path to the one that holds the specs"
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
    found = found or Listed(oid, await list_files(git, oid))
    check_extent(found.files)
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
    files = {path: blob for path, blob in before.files.files.items() if path not in changed}
    found = CommitFiles(files, [error for error in before.files.errors if error.origin.path not in shown])
    for (_, mode, _, blob, _), name in rows:
        if mode != ABSENT:
            add_file(found, name, mode, SpecBlob(blob, sizes.get(blob, 0)))
    return Listed(oid, found)


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
    if len({path.casefold() for path in paths}) == len(paths):
        return found
    for _, same in groupby(sorted(paths, key=lambda path: (path.casefold(), path)), key=str.casefold):
        first, *others = same
        for other in others:
            message = (
                f"this path differs from {first} only in case, and some machines keep only one of the two; rename it"
            )
            found.append(SpecError(Origin(other, 1), "case-collision", message))
    return found
