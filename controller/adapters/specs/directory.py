"""Spec trees in a directory: a checkout, the published link of git-sync, a mounted ConfigMap; and loose paths, for ``validate``."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from controller.adapters.specs.frozen_mounts import frozen_warnings
from controller.adapters.specs.one_reading import OneReading
from controller.adapters.specs.quarrels import with_quarrels
from controller.adapters.specs.snapshot import Listing, TreeChanged, list_tree, read_file, read_files, signature
from controller.adapters.specs.tree import YEAR_START, TreeReader
from controller.errors import SpecSourceUnavailable
from controller.model.profile import PlatformProfile
from controller.model.schedule import Origin
from controller.ports.spec_source import SpecError, SpecTree

READS_MAX = 3
BY_COMMIT = "dir@sha1:"
COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")

ReadFiles = Callable[[Listing], dict[str, bytes]]


class DirectorySpecSource:
    """The tree below a path that may be a link; whoever moves the link publishes a new revision."""

    def __init__(
        self,
        path: Path,
        platforms: Mapping[str, PlatformProfile] | None,
        *,
        year_start: int = YEAR_START,
        read: ReadFiles = read_files,
        warn: Callable[[Path], list[SpecError]] = frozen_warnings,
    ) -> None:
        self._path = path
        self._reader = TreeReader(platforms, year_start)
        self._read = read
        self._warn = warn
        self._readings: OneReading[SpecTree] = OneReading()

    async def fetch(self, applied: str = "") -> SpecTree:  # noqa: ARG002 - only a source with a history asks what came before
        """Read the directory that the path leads to now, in a thread: a mount that hangs must not hold up the loop.

        Raises:
            SpecSourceUnavailable: it is missing, cannot be read, is too large, or keeps changing.
        """
        return await self._readings.run(self._tree)

    def _tree(self) -> SpecTree:
        listing, files = snapshot(self._path, self._read)
        commit = commit_of(self._path, listing.root)
        revision = f"{BY_COMMIT}{commit}" if commit else ""
        tree = self._reader.read(files, revision=revision, unreadable=listing.errors)
        if tree.delta is not None and (commit or tree.delta.since.startswith(BY_COMMIT)):
            # Who writes into such a directory changes a revision under its name, so what is in force may be another than the one
            # that was read last.
            tree = replace(tree, delta=None)
        warnings = self._warn(self._path)
        return replace(tree, warnings=tuple(sorted([*tree.warnings, *warnings]))) if warnings else tree


def commit_of(path: Path, root: Path) -> str | None:
    """The commit that names the directory which was read, or the directory behind a link above it, as git-sync publishes one."""
    for place, real in zip((path, *path.parents), (root, *root.parents), strict=False):
        if (place == path or place.is_symlink()) and COMMIT.fullmatch(real.name):
            return real.name
        if place.name != real.name:
            return None
    return None


def snapshot(path: Path, read: ReadFiles = read_files) -> tuple[Listing, dict[str, bytes]]:
    """Read a directory as it was at one moment: what changes under the reader is read anew, a few times.

    Raises:
        SpecSourceUnavailable: no moment was found.
    """
    reason: Exception | None = None
    for _ in range(READS_MAX):
        try:
            # Once for each read: the link may move at any time, the directory behind it stays.
            before = list_tree(path.resolve(strict=True))
            files = read(before)
            if list_tree(before.root) == before:
                return before, files
            reason = TreeChanged(f"{path} changed while it was read")
        except (OSError, RuntimeError, TreeChanged) as error:
            reason = error
    raise SpecSourceUnavailable(f"the specs in {path} could not be read whole: {reason}") from reason


def validate_paths(
    paths: Sequence[Path],
    platforms: Mapping[str, PlatformProfile] | None = None,
    *,
    year_start: int = YEAR_START,
    warn_from: int | None = None,
) -> SpecTree:
    """Read files and directories as one tree; what cannot be read is an error of that path, named as it was given.

    ``warn_from``: the instant from which on warnings look a year ahead, ``year_start`` unless given.
    """
    files: dict[str, bytes] = {}
    errors: list[SpecError] = []
    seen: set[Path] = set()
    for path in paths:
        try:
            found = _read_path(path, errors)
        except (OSError, RuntimeError, TreeChanged, SpecSourceUnavailable) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            message = f"this path cannot be read ({reason}); name a file or directory that can"
            errors.append(SpecError(Origin(str(path), 1), "unreadable", message))
            continue
        for name, (place, content) in found.items():
            # A file that is named beside its directory is one file, not a duplicate.
            if place not in seen:
                files[name] = content
        seen.update(place for place, _ in found.values())
    return with_quarrels(TreeReader(platforms, year_start, warn_from).read(files, unreadable=errors))


def _read_path(path: Path, errors: list[SpecError]) -> dict[str, tuple[Path, bytes]]:
    place = path.resolve(strict=True)
    if not place.is_dir():
        return {str(path): (place, read_file(place, signature(place.stat())))}
    listing, files = snapshot(path)
    for error in listing.errors:
        origin = Origin(str(path / error.origin.path), error.origin.line, error.origin.column)
        errors.append(SpecError(origin, error.code, error.message))
    return {str(path / name): (listing.files[name][0], content) for name, content in files.items()}
