"""Real repositories, made fast: one process for each commit."""

import asyncio
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from controller.adapters.clock import SystemClock
from controller.adapters.specs.git.place import GitOptions
from controller.adapters.specs.git.source import GitSpecSource
from controller.ports.spec_source import SpecTree

AUTHOR = "Test <test@example.com>"
DATE = 1_767_225_600
ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "HOME": os.devnull,
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "Test",
    "GIT_AUTHOR_EMAIL": "test@example.com",
    "GIT_AUTHOR_DATE": f"{DATE} +0000",
    "GIT_COMMITTER_NAME": "Test",
    "GIT_COMMITTER_EMAIL": "test@example.com",
    "GIT_COMMITTER_DATE": f"{DATE} +0000",
    "LC_ALL": "C",
}

FILE, LINK, MODULE = "100644", "120000", "160000"

Content = str | bytes | tuple[str, str]
"""A file's text or bytes, or a mode and what it leads to: a link's target, a submodule's commit."""


@dataclass(frozen=True, slots=True)
class Repository:
    """A bare repository at a path."""

    path: Path

    def run(self, *arguments: str, given: bytes = b"", environment: Mapping[str, str] | None = None) -> str:
        """Run git in it; returns what it said."""
        command = ["git", f"--git-dir={self.path}", *arguments]
        variables = {**ENVIRONMENT, **(environment or {})}
        return (
            subprocess.run(command, input=given, env=variables, check=True, capture_output=True, cwd="/")
            .stdout.decode()
            .strip()
        )

    def publish(self, texts: Mapping[str, Content], *, branch: str = "main") -> str:
        """Commit a whole tree onto a branch; returns the commit."""
        return self._commit(branch, b"deleteall\n" + b"".join(_change(path, each) for path, each in texts.items()))

    def change(self, texts: Mapping[str, Content | None], *, branch: str = "main") -> str:
        """Commit some files onto a branch, None deletes one; returns the commit."""
        return self._commit(branch, b"".join(_change(path, each) for path, each in texts.items()))

    def _commit(self, branch: str, changes: bytes) -> str:
        ref = f"refs/heads/{branch}"
        tip = self.run("for-each-ref", "--format=%(objectname)", ref)
        begun = f"commit {ref}\ncommitter {AUTHOR} {DATE} +0000\ndata 1\nm\n" + (f"from {tip}\n" if tip else "")
        self.run("fast-import", "--quiet", "--force", "--date-format=raw", given=begun.encode() + changes + b"\n")
        return self.head(branch)

    def head(self, branch: str = "main") -> str:
        """The commit of a branch."""
        return self.run("rev-parse", f"refs/heads/{branch}")


def _change(path: str, content: Content | None) -> bytes:
    name = path.encode("utf-8", "surrogateescape")
    quoted = b'"' + name.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n") + b'"'
    if content is None:
        return b"D " + quoted + b"\n"
    mode, data = content if isinstance(content, tuple) else (FILE, content)
    if mode == MODULE and isinstance(data, str):
        return f"M {mode} {data} ".encode() + quoted + b"\n"
    raw = data.encode() if isinstance(data, str) else data
    return f"M {mode} inline ".encode() + quoted + f"\ndata {len(raw)}\n".encode() + raw + b"\n"


def repository(path: Path, *, object_format: str = "sha1") -> Repository:
    """A new bare repository with no commit, whose HEAD is main."""
    arguments = ["--bare", "--quiet", "--template=", "--initial-branch=main", f"--object-format={object_format}"]
    subprocess.run(["git", "init", *arguments, str(path)], env=ENVIRONMENT, check=True, capture_output=True)
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
