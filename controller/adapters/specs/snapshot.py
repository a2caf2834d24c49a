"""A directory read whole: every file as it was at one moment, or nothing."""

import os
import stat
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from controller.adapters.specs.yaml_tree import BYTES_MAX
from controller.errors import SpecSourceUnavailable
from controller.model.schedule import Origin
from controller.ports.spec_source import SpecError

SUFFIXES = (".yaml", ".yml")
FILES_MAX = 200_000
TREE_BYTES_MAX = 256 * 1024 * 1024

Signature = tuple[int, int, int, int]


class TreeChanged(Exception):
    """A file or directory is not what it was a moment ago."""


@dataclass(frozen=True, slots=True)
class Listing:
    """What a directory holds.

    Attributes:
        root: the directory itself, with every link resolved.
        files: where each spec file really is and its signature, by path below the root.
        directories: the signature of each directory that was listed.
        errors: what is there and cannot be read.
    """

    root: Path
    files: dict[str, tuple[Path, Signature]] = field(default_factory=dict)
    directories: dict[str, Signature] = field(default_factory=dict)
    errors: list[SpecError] = field(default_factory=list)


def signature(status: os.stat_result) -> Signature:
    """What differs once a file was written or replaced."""
    return (status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size)


def list_tree(root: Path) -> Listing:
    """List the spec files below a resolved directory; links may lead anywhere inside it and nowhere else."""
    listing = Listing(root)
    seen: set[tuple[int, int]] = set()
    # Real directories come first: a link to one of them leads to what is listed already.
    waiting = deque([("", root)])
    links: deque[tuple[str, Path]] = deque()
    while waiting or links:
        name, directory = (waiting or links).popleft()
        status = directory.stat()
        if (status.st_dev, status.st_ino) in seen:
            message = "this link leads to a directory that is read already; remove it"
            listing.errors.append(SpecError(Origin(name, 1), "symlink-loop", message))
            continue
        seen.add((status.st_dev, status.st_ino))
        listing.directories[name] = signature(status)
        for below, entry in _visible(listing, name, directory):
            if entry.is_symlink():
                _follow(listing, links, below, Path(entry.path))
            elif entry.is_dir():
                waiting.append((below, Path(entry.path)))
            else:
                _add(listing, below, Path(entry.path), entry.stat(follow_symlinks=False))
    return listing


def _visible(listing: Listing, name: str, directory: Path) -> Iterator[tuple[str, "os.DirEntry[str]"]]:
    with os.scandir(directory) as entries:
        for entry in sorted(entries, key=lambda each: each.name):
            if entry.name.startswith("."):
                continue
            below = f"{name}/{entry.name}" if name else entry.name
            if entry.name.isprintable():
                yield below, entry
            elif entry.name.endswith(SUFFIXES) or entry.is_dir():
                shown = below.encode("unicode_escape", "surrogatepass").decode()
                message = "the file's name holds a character that cannot be shown; rename it"
                listing.errors.append(SpecError(Origin(shown, 1), "bad-file-name", message))


def _follow(listing: Listing, links: deque[tuple[str, Path]], name: str, link: Path) -> None:
    try:
        target = link.resolve(strict=True)
        status = target.stat()
    except (OSError, RuntimeError):
        if name.endswith(SUFFIXES):
            message = "this link leads nowhere; mend or remove it"
            listing.errors.append(SpecError(Origin(name, 1), "symlink-dangling", message))
        return
    is_directory = stat.S_ISDIR(status.st_mode)
    if not is_directory and not name.endswith(SUFFIXES):
        return
    if not target.is_relative_to(listing.root):
        message = "this link leads out of the tree; put the file itself here"
        listing.errors.append(SpecError(Origin(name, 1), "symlink-outside", message))
    elif is_directory:
        links.append((name, target))
    else:
        _add(listing, name, target, status)


def _add(listing: Listing, name: str, path: Path, status: os.stat_result) -> None:
    if not name.endswith(SUFFIXES):
        return
    if not stat.S_ISREG(status.st_mode):
        message = "this is a device, socket or pipe; put a file here"
        listing.errors.append(SpecError(Origin(name, 1), "not-a-file", message))
        return
    listing.files[name] = (path, signature(status))
    if len(listing.files) > FILES_MAX:
        raise SpecSourceUnavailable(f"{listing.root} holds more than {FILES_MAX} spec files")


def read_files(listing: Listing) -> dict[str, bytes]:
    """Read every listed file, of those that are too large only the beginning.

    Raises:
        TreeChanged: a file is not the one that was listed.
    """
    if sum(min(each[-1], BYTES_MAX + 1) for _, each in listing.files.values()) > TREE_BYTES_MAX:
        raise SpecSourceUnavailable(f"the spec files of {listing.root} have more than {TREE_BYTES_MAX >> 20} MiB")
    return {name: read_file(path, expected) for name, (path, expected) in listing.files.items()}


def read_file(path: Path, expected: Signature) -> bytes:
    """Read one file, if it is still the one that was listed."""
    # Links were resolved when the file was listed; one that appeared since is a change, and a pipe must not block.
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(handle, "rb", buffering=0) as file:
        if signature(os.fstat(handle)) != expected:
            raise TreeChanged(str(path))
        content = bytearray()
        while len(content) <= BYTES_MAX and (more := file.read(BYTES_MAX + 1 - len(content))):
            content += more
    return bytes(content)
