"""From the files of a tree to its specs, with what only the whole tree can show: names and connections that stand twice."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from controller.adapters.specs.bulk import collector_paused
from controller.adapters.specs.context import Context
from controller.adapters.specs.documents import SpecFile, read_file
from controller.adapters.specs.tree_index import NO_FILE, TreeIndex
from controller.model.profile import PlatformProfile
from controller.ports.spec_source import SpecError, SpecTree, TreeDelta

# The year in which the distance of slots is judged; a fixed one, so that a file that is valid today is valid tomorrow.
YEAR_START = 1_767_225_600  # 2026-01-01T00:00:00Z

SLICE = 1_000
"""Files that are loaded and parsed in one go."""

Load = Callable[[Collection[str]], Awaitable[Mapping[str, bytes]]]

NOTHING = (b"", NO_FILE)
"""What is known of a path that was not there."""


@dataclass(frozen=True, slots=True)
class Names:
    """The names of the contents of a tree.

    Attributes:
        listing: the name of all of them: the same name is the same tree for ever.
        blobs: the name of the content by path; the same name is the same content for ever.
        since: the listing that ``changed`` counts from; empty = nothing is known of it.
        changed: the paths that may differ between the two.
    """

    listing: str
    blobs: Mapping[str, str]
    since: str = ""
    changed: Collection[str] = ()


class TreeReader:
    """Reads trees one after another and remembers the last one, so that what did not change costs nothing."""

    def __init__(
        self,
        platforms: Mapping[str, PlatformProfile] | None,
        year_start: int = YEAR_START,
        warn_from: int | None = None,
    ) -> None:
        self._context = Context(platforms, year_start, year_start if warn_from is None else warn_from)
        self._known: dict[str, tuple[bytes, SpecFile]] = {}
        self._begun: dict[tuple[str, bytes], SpecFile] = {}
        self._index = TreeIndex()
        self._listing = ""
        self._read: SpecTree | None = None

    def read(self, files: Mapping[str, bytes], *, revision: str = "", unreadable: Iterable[SpecError] = ()) -> SpecTree:
        """Read the files of one revision.

        Args:
            files: content by path.
            revision: its name; left out, one is made from the contents.
            unreadable: what is wrong with files of the tree that have no content here.
        """
        contents = {path: hashlib.sha256(content).digest() for path, content in sorted(files.items())}
        known = self._known
        changes: dict[str, tuple[bytes, SpecFile]] = dict.fromkeys(known.keys() - contents.keys(), NOTHING)
        with collector_paused(len(contents) - len(known)):
            for path, digest in contents.items():
                if known.get(path, NOTHING)[0] != digest:
                    changes[path] = (digest, read_file(path, files[path], self._context))
        self._listing = ""
        return self._take(changes, revision or name_revision(contents), list(unreadable))

    async def read_blobs(
        self, names: Names, load: Load, *, revision: str, unreadable: Iterable[SpecError] = ()
    ) -> SpecTree:
        """Read the files of one revision whose contents have names; only what was not there before is loaded.

        Args:
            names: the names of the contents; where ``since`` is the tree that was read last, nothing but ``changed`` is looked at.
            load: gives contents by name; what it raises ends the reading, and what was read so far is not read again.
            revision: its name.
            unreadable: what is wrong with files of the tree that have no content here.
        """
        blobs, known = names.blobs, self._known
        is_told = names.since != "" and names.since == self._listing
        paths = names.changed if is_told else known.keys() | blobs.keys()
        wanted = {path: blobs[path].encode("ascii") if path in blobs else b"" for path in sorted(paths)}
        differing = {path: blob for path, blob in wanted.items() if known.get(path, NOTHING)[0] != blob}
        self._begun = {key: file for key, file in self._begun.items() if differing.get(key[0]) == key[1]}
        missing = [(path, blob) for path, blob in differing.items() if blob and (path, blob) not in self._begun]
        with collector_paused(len(missing)):
            for at in range(0, len(missing), SLICE):
                some = missing[at : at + SLICE]
                contents = await load({blob.decode("ascii") for _, blob in some})
                # A first reading takes seconds, in which the loop has other things to do.
                self._begun |= await asyncio.to_thread(self._parse, some, contents)
        changes = {path: (blob, self._begun[path, blob]) if blob else NOTHING for path, blob in differing.items()}
        self._begun, self._listing = {}, names.listing
        return self._take(changes, revision, list(unreadable))

    def _parse(
        self, wanted: Sequence[tuple[str, bytes]], contents: Mapping[str, bytes]
    ) -> dict[tuple[str, bytes], SpecFile]:
        return {(path, blob): read_file(path, contents[blob.decode("ascii")], self._context) for path, blob in wanted}

    def _take(
        self, changes: Mapping[str, tuple[bytes, SpecFile]], revision: str, unreadable: list[SpecError]
    ) -> SpecTree:
        """Put what changed in its place; the tree as it is then."""
        moved = self._index.replace(
            {path: (self._known.get(path, NOTHING)[1], file) for path, (_, file) in changes.items()}
        )
        for path, row in changes.items():
            if row is NOTHING:
                del self._known[path]
            else:
                self._known[path] = row
        index, last = self._index, self._read
        failed = [*unreadable, *index.errors.whole()]
        errors = sorted([*failed, *index.duplicates()])
        is_known = last is not None and not last.errors and not errors and moved.is_plain
        self._read = SpecTree(
            revision=revision,
            specs=index.specs.whole(),
            errors=tuple(errors),
            warnings=index.warnings.whole(),
            files=len(self._known),
            failed_paths=frozenset(error.origin.path for error in failed),
            policies=index.policies.whole(),
            requests=index.requests.whole(),
            delta=TreeDelta(last.revision, moved.before, moved.after) if last is not None and is_known else None,
        )
        return self._read


def parse_tree(
    files: Mapping[str, bytes],
    *,
    platforms: Mapping[str, PlatformProfile] | None,
    year_start: int = YEAR_START,
    warn_from: int | None = None,
) -> SpecTree:
    """Read the files of a tree, content by path; nothing is remembered."""
    return TreeReader(platforms, year_start, warn_from).read(files)


def name_revision(contents: Mapping[str, bytes]) -> str:
    """Name a revision after the paths and hashed contents of its files."""
    lines = hashlib.sha256()
    for path, digest in sorted(contents.items()):
        lines.update(f"{len(path)}:{path}".encode("utf-8", "surrogateescape") + digest)
    return f"dir@sha256:{lines.hexdigest()}"
