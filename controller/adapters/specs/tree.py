"""From the files of a tree to its specs, with what only the whole tree can show: names and connections that stand twice."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence

from controller.adapters.specs.context import Context
from controller.adapters.specs.documents import Document, SpecFile, read_file
from controller.model.profile import PlatformProfile
from controller.model.schedule import Origin
from controller.ports.spec_source import SpecError, SpecTree

# The year in which the distance of slots is judged; a fixed one, so that a file that is valid today is valid tomorrow.
YEAR_START = 1_767_225_600  # 2026-01-01T00:00:00Z


SLICE = 1_000
"""Files that are loaded and parsed in one go."""

Load = Callable[[Collection[str]], Awaitable[Mapping[str, bytes]]]


class TreeReader:
    """Reads trees one after another and remembers the files of the last one, so that what did not change costs nothing."""

    def __init__(
        self,
        platforms: Mapping[str, PlatformProfile] | None,
        year_start: int = YEAR_START,
        warn_from: int | None = None,
    ) -> None:
        self._context = Context(platforms, year_start, year_start if warn_from is None else warn_from)
        self._known: dict[tuple[str, bytes], SpecFile] = {}
        self._begun: dict[tuple[str, bytes], SpecFile] = {}

    def read(self, files: Mapping[str, bytes], *, revision: str = "", unreadable: Iterable[SpecError] = ()) -> SpecTree:
        """Read the files of one revision.

        Args:
            files: content by path.
            revision: its name; left out, one is made from the contents.
            unreadable: what is wrong with files of the tree that have no content here.
        """
        contents = {path: hashlib.sha256(content).digest() for path, content in sorted(files.items())}
        read: dict[tuple[str, bytes], SpecFile] = {}
        for path, digest in contents.items():
            key = (path, digest)
            read[key] = self._known.get(key) or read_file(path, files[path], self._context)
        self._known = read
        return _tree(revision or name_revision(contents), read, list(unreadable))

    async def read_blobs(
        self, blobs: Mapping[str, str], load: Load, *, revision: str, unreadable: Iterable[SpecError] = ()
    ) -> SpecTree:
        """Read the files of one revision whose contents have names; only what was not there before is loaded.

        Args:
            blobs: the name of the content by path; the same name is the same content for ever.
            load: gives contents by name; what it raises ends the reading, and what was read so far is not read again.
            revision: its name.
            unreadable: what is wrong with files of the tree that have no content here.
        """
        keys = [(path, blob.encode("ascii")) for path, blob in sorted(blobs.items())]
        known = ((key, self._known.get(key) or self._begun.get(key)) for key in keys)
        self._begun = {key: file for key, file in known if file is not None}
        missing = [key for key in keys if key not in self._begun]
        for at in range(0, len(missing), SLICE):
            wanted = missing[at : at + SLICE]
            contents = await load({blob.decode("ascii") for _, blob in wanted})
            # A first reading takes seconds, in which the loop has other things to do.
            self._begun |= await asyncio.to_thread(self._parse, wanted, contents)
        self._known, self._begun = {key: self._begun[key] for key in keys}, {}
        return _tree(revision, self._known, list(unreadable))

    def _parse(
        self, wanted: Sequence[tuple[str, bytes]], contents: Mapping[str, bytes]
    ) -> dict[tuple[str, bytes], SpecFile]:
        return {(path, blob): read_file(path, contents[blob.decode("ascii")], self._context) for path, blob in wanted}


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


def _tree(revision: str, read: Mapping[tuple[str, bytes], SpecFile], unreadable: list[SpecError]) -> SpecTree:
    found = read.values()
    errors = unreadable + [error for each in found for error in each.errors]
    documents = [document for each in found for document in each.documents]
    specs = [document.spec for document in documents if document.spec is not None]
    policies = [document.policy for document in documents if document.policy is not None]
    requests = [document.request for document in documents if document.request is not None]
    return SpecTree(
        revision=revision,
        specs=tuple(sorted(specs, key=lambda spec: spec.origin)),
        errors=tuple(sorted([*errors, *_duplicates(documents)])),
        warnings=tuple(sorted(warning for each in found for warning in each.warnings)),
        files=len(read),
        failed_paths=frozenset(error.origin.path for error in errors),
        policies=tuple(sorted(policies, key=lambda policy: policy.origin)),
        requests=tuple(sorted(requests, key=lambda request: request.origin)),
    )


def _duplicates(documents: Iterable[Document]) -> list[SpecError]:
    names: dict[tuple[str, ...], list[Origin]] = {}
    connections: dict[tuple[str, ...], list[Origin]] = {}
    for each in documents:
        names.setdefault((each.kind, each.name), []).append(each.name_origin)
        if each.spec is not None:
            ref = each.spec.ref
            connections.setdefault((ref.platform, ref.connection_id), []).append(each.connection_origin)
    return [
        *_claims(names, "duplicate-name", "the name {0[1]}", "give each document a name of its own"),
        *_claims(
            connections, "duplicate-connection", "the connection {0[1]} on platform {0[0]}", "keep one schedule for it"
        ),
    ]


def _claims(places: Mapping[tuple[str, ...], list[Origin]], code: str, what: str, advice: str) -> Iterable[SpecError]:
    for key, origins in places.items():
        if len(origins) > 1:
            # Two places are enough to find the others; a name that stands a thousand times is told a thousand times, not a million.
            for origin in origins:
                other = origins[1] if origin == origins[0] else origins[0]
                where = f"{other.path}:{other.line}:{other.column}"
                yield SpecError(origin, code, f"{what.format(key)} also stands at {where}; {advice}")
