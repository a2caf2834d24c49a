"""Revisions of a local repository, which may be somebody else's: nothing of it is run, checked out or fetched."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from controller.adapters.specs.git.command import Git, GitFailed
from controller.adapters.specs.git.objects import CommitFiles, list_files, read_blobs, resolve_commit
from controller.errors import SpecSourceUnavailable
from controller.ports.spec_source import SpecError

# A blob that is not there would be fetched by whatever the repository's own settings name.
_OFFLINE = {"GIT_NO_LAZY_FETCH": "1", "GIT_NO_REPLACE_OBJECTS": "1"}

POINTER = "gitdir:"


@dataclass(frozen=True, slots=True)
class RevisionFiles:
    """The spec files of one commit, by their path in the repository.

    Attributes:
        commit: the full hash.
        files: content by path.
        unreadable: what is there and cannot be a spec file.
        exists: whether the commit has the folder of specs at all.
    """

    commit: str
    files: Mapping[str, bytes]
    unreadable: tuple[SpecError, ...] = ()
    exists: bool = True


def repository_around(directory: Path) -> Path:
    """The Git directory of the repository that a directory is in, or that it is.

    It is found without asking git, which would read the settings of what it finds.

    Raises:
        SpecSourceUnavailable: there is none, or what looks like one is a folder of files in the working tree of another.
    """
    place = directory.absolute()
    found = _git_directory(place)
    if not (place / ".git").exists() and (place / "HEAD").is_file() and (place / "objects").is_dir():
        if found is not None:
            # What is under review could hold a history that was made up, and settings with it.
            raise SpecSourceUnavailable(
                f"{directory} looks like a repository and lies in the working tree of {found}; name one"
            )
        return place
    if found is None:
        raise SpecSourceUnavailable(f"{directory} is in no Git repository; name one with --repository")
    return found


def _git_directory(place: Path) -> Path | None:
    """What ``.git`` in a directory, or the nearest one above it, is or names.

    Raises:
        SpecSourceUnavailable: it cannot be read.
    """
    for folder in (place, *place.parents):
        found = folder / ".git"
        try:
            if found.is_dir():
                return found
            if found.is_file() and (text := found.read_text(encoding="utf-8").strip()).startswith(POINTER):
                return (folder / text.removeprefix(POINTER).strip()).absolute()
        except (OSError, UnicodeDecodeError) as error:
            raise SpecSourceUnavailable(f"{found} cannot be read: {error}") from error
    return None


async def read_two(repository: Path, path: PurePosixPath, revisions: tuple[str, str]) -> tuple[RevisionFiles, ...]:
    """Read the folder of specs in two revisions; content that both have is read once.

    Raises:
        SpecSourceUnavailable: a revision does not exist, or cannot be read whole.
    """
    git = Git(repository, environment=_OFFLINE)
    try:
        commits = [await _commit(git, revision) for revision in revisions]
        listings = [await _listing(git, commit, path) for commit in commits]
        oids = {blob.oid for listing in listings if listing is not None for blob in listing.files.values()}
        contents = await read_blobs(git, oids)
    except GitFailed as error:
        advice = await _advice(git)
        raise SpecSourceUnavailable(f"{repository} cannot be read: {error}{advice}") from error
    return tuple(_files(*each, path, contents) for each in zip(commits, listings, strict=True))


async def _commit(git: Git, revision: str) -> str:
    try:
        return await resolve_commit(git, revision)
    except GitFailed as error:
        if error.code is None:
            raise
        advice = await _advice(git) or "; git branch -a and git tag list the names that it has"
        raise SpecSourceUnavailable(f'{git.directory} has no commit "{revision}"{advice}') from error


async def _advice(git: Git) -> str:
    """What to do about what is missing."""
    shallow = git.directory is not None and (await _common(git, git.directory) / "shallow").is_file()
    return "; this clone is shallow: fetch the whole history (in CI: fetch-depth: 0, GIT_DEPTH: 0)" if shallow else ""


async def _common(git: Git, directory: Path) -> Path:
    """Where a repository and its working trees keep what they share."""
    try:
        said = (await git.run("rev-parse", "--git-common-dir")).decode("utf-8", "surrogateescape").strip()
    except GitFailed:
        return directory
    return Path("/") / said


async def _listing(git: Git, commit: str, path: PurePosixPath) -> CommitFiles | None:
    """The spec files below a path; None where the commit has nothing there."""
    if not path.parts:
        return await list_files(git, commit)
    try:
        found = await git.run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{commit}:{path}")
    except GitFailed as error:
        if error.code is None:
            raise
        return None
    kind = (await git.run("cat-file", "-t", found.decode("ascii").strip())).decode("ascii").strip()
    if kind != "tree":
        raise SpecSourceUnavailable(f"{path} is no folder in {commit}; name the folder of the specs with --path")
    return await list_files(git, commit, str(path))


def _files(
    commit: str, listing: CommitFiles | None, path: PurePosixPath, contents: Mapping[str, bytes]
) -> RevisionFiles:
    if listing is None:
        return RevisionFiles(commit, {}, exists=False)
    named = {str(path / name): contents[blob.oid] for name, blob in listing.files.items()}
    errors = (replace(each, origin=replace(each.origin, path=str(path / each.origin.path))) for each in listing.errors)
    return RevisionFiles(commit, named, tuple(errors))
