"""Real Git repositories below a test's folder, with commits that are the same on every machine and in every run."""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

SECONDS_MAX = 20.0
"""Longest time for one command; a server that hangs must not hang a test."""

DATE = 1_772_366_400
"""2026-03-01T12:00:00Z, at which everything is committed."""

ENVIRONMENT = {
    **{name: os.environ[name] for name in ("PATH", "TMPDIR") if name in os.environ},
    **{f"GIT_{who}_NAME": "Ana" for who in ("AUTHOR", "COMMITTER")},
    **{f"GIT_{who}_EMAIL": "a@x.test" for who in ("AUTHOR", "COMMITTER")},
    **{f"GIT_{who}_DATE": f"{DATE} +0000" for who in ("AUTHOR", "COMMITTER")},
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "HOME": os.devnull,
    "LC_ALL": "C",
}


@dataclass(frozen=True, slots=True)
class Link:
    """A symbolic link in a tree."""

    target: str


@dataclass(frozen=True, slots=True)
class Submodule:
    """Another repository's commit in a tree."""

    commit: str = "1" * 40


Content: TypeAlias = str | bytes | Link | Submodule | None
Files: TypeAlias = Mapping[Any, Content]
"""Contents by path; None takes a file or a folder away. A path is text, or bytes: Git holds names that are no UTF-8."""


def git(
    *arguments: str,
    given: bytes = b"",
    environment: Mapping[str, str] | None = None,
    at: Path | None = None,
    within: Path | None = None,
) -> str:
    """Run one command of Git that must succeed and return what it printed; nothing of the machine's settings is read.

    ``at`` is a bare repository, ``within`` a working tree.
    """
    place = [] if at is None else [f"--git-dir={at}"]
    done = subprocess.run(
        ["git", *place, "-c", "gc.auto=0", "-c", "maintenance.auto=false", *arguments],
        input=given,
        capture_output=True,
        cwd=within or "/",
        env={**ENVIRONMENT, **(environment or {})},
        timeout=SECONDS_MAX,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    return done.stdout.decode(errors="replace").strip()


def commit_onto(at: Path, branch: str, files: Files, message: str = "change", *, anew: bool = False) -> str:
    """Commit changes to what a branch holds (``anew``: to nothing), without a checkout, so that any tree can be made; its hash."""
    ref = f"refs/heads/{branch}"
    tip = git("for-each-ref", "--format=%(objectname)", ref, at=at)
    lines = [f"commit {ref}\ncommitter Ana <a@x.test> {DATE} +0000\n".encode(), _data(message.encode())]
    lines += [f"from {tip}\n".encode()] if tip else []
    lines += [b"deleteall\n"] if anew else []
    lines += [_change(path, content) for path, content in files.items()]
    git("fast-import", "--quiet", "--force", "--date-format=raw", given=b"".join(lines), at=at)
    return git("rev-parse", ref, at=at)


def _data(content: bytes) -> bytes:
    return f"data {len(content)}\n".encode() + content + b"\n"


def _change(path: str | bytes, content: Content) -> bytes:
    name = path if isinstance(path, bytes) else path.encode("utf-8", "surrogateescape")
    quoted = b'"' + name.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n") + b'"'
    if content is None:
        return b"D " + quoted + b"\n"
    if isinstance(content, Submodule):
        return f"M 160000 {content.commit} ".encode() + quoted + b"\n"
    if isinstance(content, Link):
        return b"M 120000 inline " + quoted + b"\n" + _data(content.target.encode())
    return b"M 100644 inline " + quoted + b"\n" + _data(content.encode() if isinstance(content, str) else content)


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository with its working tree."""

    folder: Path

    def git(self, *arguments: str) -> str:
        """Run git here; returns what it printed."""
        return git(*arguments, within=self.folder)

    def commit(self, files: Mapping[str, str | None], message: str = "change") -> str:
        """Write files, None deletes one; returns the commit."""
        for name, content in files.items():
            path = self.folder / name
            if content is None:
                path.unlink()
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(content)
        self.git("add", "-A")
        self.git("commit", "--quiet", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")


def new_repository(folder: Path) -> Repository:
    """An empty repository whose branch is main."""
    folder.mkdir(parents=True, exist_ok=True)
    found = Repository(folder)
    found.git("init", "--quiet", "--initial-branch=main")
    return found


def schedule(name: str, when: str, connection_id: str = "", more: str = "", labels: str = "") -> str:
    """The text of a schedule; ``more`` are further lines below ``spec``."""
    labelled = f"\n  labels: {{{labels}}}" if labels else ""
    text = (
        f"apiVersion: mainspring.dev/v1\nkind: SyncSchedule\nmetadata:\n  name: {name}{labelled}\n"
        f"spec:\n  connectionId: {connection_id or 'conn_' + name}\n  schedules:\n    - {when}\n"
    )
    return text + "".join(f"  {line}\n" for line in more.splitlines())
