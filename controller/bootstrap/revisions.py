"""Two revisions of a local repository, read side by side: no settings but those given, no store, no platform, no network."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath

from controller.adapters.specs.git.revisions import read_two, repository_around
from controller.adapters.specs.quarrels import with_quarrels
from controller.adapters.specs.tree import YEAR_START, TreeReader
from controller.errors import SpecSourceUnavailable
from controller.model.profile import PlatformProfile
from controller.ports.spec_source import SpecTree


@dataclass(frozen=True, slots=True)
class Revisions:
    """What to compare.

    Attributes:
        repository: a directory in it.
        path: the folder of the specs in it.
        before: a revision as git names them.
        after: the same.
        profiles: the platforms that specs may name; None = not known, then their names are not checked.
        at: the instant from which on warnings look a year ahead.
    """

    repository: Path
    path: PurePosixPath
    before: str
    after: str
    profiles: Mapping[str, PlatformProfile] | None
    at: datetime


@dataclass(frozen=True, slots=True)
class RevisionTree:
    """One revision: how it was asked for, which commit that is, whether it has the folder of specs, and what that holds."""

    asked: str
    commit: str
    exists: bool
    tree: SpecTree


async def read_revisions(wanted: Revisions) -> tuple[RevisionTree, RevisionTree]:
    """Read both trees; files that are the same in both are judged once.

    Raises:
        SpecSourceUnavailable: there is no such repository, revision or folder, or it cannot be read whole.
    """
    asked = (wanted.before, wanted.after)
    found = await read_two(repository_around(wanted.repository), wanted.path, asked)
    if not any(each.exists for each in found):
        both = f"neither {wanted.before} nor {wanted.after} has a folder {wanted.path}"
        raise SpecSourceUnavailable(f"{both}; name the folder of the specs with --path")
    reader = TreeReader(wanted.profiles, YEAR_START, int(wanted.at.timestamp()))
    trees = [
        with_quarrels(reader.read(each.files, revision=f"git@sha1:{each.commit}", unreadable=each.unreadable))
        for each in found
    ]
    before, after = (
        RevisionTree(name, each.commit, each.exists, tree) for name, each, tree in zip(asked, found, trees, strict=True)
    )
    return before, after
