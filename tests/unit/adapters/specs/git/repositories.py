"""Bare repositories as a source reads them."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from controller.adapters.clock import SystemClock
from controller.adapters.specs.git.place import GitOptions
from controller.adapters.specs.git.source import GitSpecSource
from controller.ports.spec_source import SpecTree
from tests.git_repository import Files, commit_onto, git


@dataclass(frozen=True, slots=True)
class Repository:
    """A bare repository at a path."""

    path: Path

    def run(self, *arguments: str, given: bytes = b"", environment: Mapping[str, str] | None = None) -> str:
        """Run git in it; returns what it said."""
        return git(*arguments, given=given, environment=environment, at=self.path)

    def publish(self, files: Files, *, branch: str = "main") -> str:
        """Commit a whole tree onto a branch; returns the commit."""
        return commit_onto(self.path, branch, files, anew=True)

    def change(self, files: Files, *, branch: str = "main") -> str:
        """Commit some files onto a branch, None deletes one; returns the commit."""
        return commit_onto(self.path, branch, files)

    def head(self, branch: str = "main") -> str:
        """The commit of a branch."""
        return self.run("rev-parse", f"refs/heads/{branch}")


def repository(path: Path, *, object_format: str = "sha1") -> Repository:
    """A new bare repository with no commit, whose HEAD is main."""
    git(
        "init",
        "--bare",
        "--quiet",
        "--template=",
        "--initial-branch=main",
        f"--object-format={object_format}",
        str(path),
    )
    return Repository(path)


def options_for(origin: Repository, **given: Any) -> GitOptions:
    """How a source gets at a repository on this machine, with its mirror beside it."""
    defaults = GitOptions(str(origin.path), origin.path.parent / "mirrors", allow_local=True)
    return replace(defaults, **given)


def source_of(origin: Repository, **given: Any) -> GitSpecSource:
    """A source for a repository on this machine."""
    return GitSpecSource(options_for(origin, **given), None, SystemClock())


def fetch(source: GitSpecSource, applied: str = "") -> SpecTree:
    """Fetch once."""
    return asyncio.run(source.fetch(applied))
