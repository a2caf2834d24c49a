"""Real Git repositories below a test's folder, with commits that are the same on every machine and in every run."""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

DATE = "2026-03-01T12:00:00Z"
WHO = {
    **{
        f"GIT_{role}_{what}": value
        for role in ("AUTHOR", "COMMITTER")
        for what, value in (("NAME", "Ana"), ("EMAIL", "a@x.test"))
    },
    "GIT_AUTHOR_DATE": DATE,
    "GIT_COMMITTER_DATE": DATE,
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
}


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository with its working tree."""

    folder: Path

    def git(self, *arguments: str) -> str:
        """Run git here; returns what it printed."""
        done = subprocess.run(
            ["git", *arguments], cwd=self.folder, env={**os.environ, **WHO}, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

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
