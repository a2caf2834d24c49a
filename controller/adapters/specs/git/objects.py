"""What a commit holds: its spec files by path and blob, and the content of blobs. Only regular files are files: nothing is followed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from controller.adapters.specs.git.command import Git, GitFailed
from controller.adapters.specs.snapshot import FILES_MAX, SUFFIXES, TREE_BYTES_MAX
from controller.adapters.specs.yaml_tree import BYTES_MAX
from controller.model.schedule import Origin
from controller.ports.spec_source import SpecError

_ENDINGS = tuple(suffix.encode("ascii") for suffix in SUFFIXES)

SYMLINK, SUBMODULE, ABSENT = "120000", "160000", "000000"

LISTING_BYTES_MAX = 64 * 1024 * 1024
"""What a listing may say. A few trees that hold each other ten times over name more files than any memory holds, in a few hundred bytes."""

PATH_BYTES_MAX = 4096
"""What a path may have on this system; Git itself has no limit."""

SHOWN_MAX = 200
"""How much is shown of a path that is longer than that."""

MISSING = 128
"""What git itself ends with when an object that must be there is not."""


@dataclass(frozen=True, slots=True)
class SpecBlob:
    """One spec file of a commit: the hash and the size of its content."""

    oid: str
    size: int


@dataclass(frozen=True, slots=True)
class CommitFiles:
    """The spec files of a commit below a path, by their path relative to it, and what is there and cannot be a spec file."""

    files: dict[str, SpecBlob] = field(default_factory=dict)
    errors: list[SpecError] = field(default_factory=list)


async def resolve_commit(git: Git, revision: str) -> str:
    """The full hash of the commit that a revision names; tags are followed to it.

    Raises:
        GitFailed: it names none.
    """
    found = await git.run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    return found.decode("ascii").strip()


async def list_files(git: Git, commit: str, path: str = "") -> CommitFiles:
    """List the spec files of a commit below a path.

    Raises:
        GitFailed: the commit or the path does not exist, content is missing, or there is too much.
    """
    tree = f"{commit}:{path.strip('/')}" if path.strip("./") else commit
    rows = (await git.run("ls-tree", "-r", "-z", "-l", "--full-tree", tree, output_max=LISTING_BYTES_MAX)).split(b"\0")
    found = CommitFiles()
    for row in rows:
        if row:
            described, _, name = row.partition(b"\t")
            mode, _, oid, size = described.decode("ascii").split()
            if size == "BAD":
                raise GitFailed(f"the repository lacks object {oid}; fetch it whole, without a filter")
            add_file(found, name, mode, SpecBlob(oid, int(size) if size != "-" else 0))
    check_extent(found, sum(blob.size for blob in found.files.values()))
    return found


def check_extent(found: CommitFiles, size: int) -> None:
    """Refuse too many files, and too many bytes in all (``size``), before any is read.

    Raises:
        GitFailed: there are.
    """
    if len(found.files) + len(found.errors) > FILES_MAX:
        raise GitFailed(f"the tree holds more than {FILES_MAX} spec files")
    if size > TREE_BYTES_MAX:
        raise GitFailed(f"the spec files of the revision have more than {TREE_BYTES_MAX >> 20} MiB")


def add_file(found: CommitFiles, name: bytes, mode: str, blob: SpecBlob) -> None:
    """Add what stands at a path, or why it is refused; what is no spec file is passed over."""
    try:
        path = name.decode("utf-8")
    except UnicodeDecodeError:
        if name.endswith(_ENDINGS):
            _refuse(found, shown_path(name), "bad-file-name", "the file's name is not UTF-8; rename it")
        return
    if any(part.startswith(".") for part in path.split("/")):
        return
    if mode == SUBMODULE:
        _refuse(
            found,
            shown_path(name),
            "submodule",
            "this is a submodule, which is never fetched; put the files themselves here",
        )
    elif not path.endswith(SUFFIXES):
        if mode == SYMLINK:
            # It may lead to a directory of specs, and what is behind it is not read.
            _refuse(found, shown_path(name), "symlink", "links are not followed in Git; put the files themselves here")
    elif len(name) > PATH_BYTES_MAX:
        message = f"the file's path has more than {PATH_BYTES_MAX} bytes; shorten it"
        _refuse(found, shown_path(name), "bad-file-name", message)
    elif not path.isprintable():
        message = "the file's name holds a character that cannot be shown; rename it"
        _refuse(found, shown_path(name), "bad-file-name", message)
    elif mode == SYMLINK:
        _refuse(found, path, "symlink", "links are not followed in Git; put the file itself here")
    elif blob.size > BYTES_MAX:
        message = f"the file has more than {BYTES_MAX >> 10} KiB; split it"
        _refuse(found, path, "file-too-large", message)
    else:
        found.files[path] = blob


def shown_path(name: bytes) -> str:
    """A path as text that can be shown and kept, whatever it holds and however long it is."""
    path = name.decode("utf-8", "backslashreplace")
    shown = path if path.isprintable() else path.encode("unicode_escape").decode("ascii")
    return shown if len(name) <= PATH_BYTES_MAX else f"{shown[:SHOWN_MAX]}…"


def _refuse(found: CommitFiles, path: str, code: str, message: str) -> None:
    found.errors.append(SpecError(Origin(path, 1), code, message))


async def read_blobs(git: Git, oids: Iterable[str]) -> dict[str, bytes]:
    """Read the contents of blobs, each once.

    Raises:
        GitFailed: one is missing.
    """
    wanted = sorted(set(oids))
    if not wanted:
        return {}
    output = await git.run("cat-file", "--batch", given="".join(f"{oid}\n" for oid in wanted).encode("ascii"))
    return _split(output, wanted)


def _split(output: bytes, wanted: Sequence[str]) -> dict[str, bytes]:
    contents: dict[str, bytes] = {}
    at = 0
    for oid in wanted:
        end = output.index(b"\n", at)
        header = output[at:end].split()
        if len(header) != 3 or header[1] != b"blob":
            raise GitFailed(f"the repository holds no blob {oid}", MISSING)
        size = int(header[2])
        contents[oid] = output[end + 1 : end + 1 + size]
        at = end + 1 + size + 1
    return contents
