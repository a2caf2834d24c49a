"""A bare mirror on our own disk: one commit of it, or a history; used by one process at a time, and thrown away when it is damaged."""

import contextlib
import fcntl
import os
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path

from controller.adapters.specs.git.command import Git, GitFailed
from controller.adapters.specs.git.place import Place
from controller.adapters.specs.git.refs import Tip
from controller.adapters.specs.git.troubles import told_of_remote
from controller.ports.clock import Clock

HEAD_REF = "refs/mainspring/head"
"""What was fetched last, whole: git moves it only when everything behind it is there."""

LOCK_SECONDS = 0.1
"""How often a mirror that another process uses is asked for."""

LOOSE_MAX, PACKS_MAX = 2_000, 20
"""More than this is tidied up when there is nothing else to do, four times as much at once."""

TIDY_SECONDS_MAX = 20.0


@dataclass(frozen=True, slots=True)
class Mirror:
    """The mirror of one repository."""

    directory: Path
    clock: Clock
    held: int | None = field(default=None, repr=False)

    @property
    def git(self) -> Git:
        """Git on what is here; it speaks with nobody."""
        return Git(self.directory, held=self.held)

    @property
    def is_shallow(self) -> bool:
        """Whether it holds less than the whole history of what it holds."""
        return (self.directory / "shallow").exists()

    @contextlib.asynccontextmanager
    async def locked(self) -> AsyncIterator["Mirror"]:
        """This mirror, for as long as no other process may use it. The commands hold the lock too, even when we were killed.

        Raises:
            OSError: the directory cannot be written.
        """
        self.directory.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(
            self.directory.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600
        )
        try:
            while not _lock(handle):
                await self.clock.sleep(LOCK_SECONDS)
            yield replace(self, held=handle)
        finally:
            os.close(handle)

    async def prepare(self, tip: Tip) -> None:
        """Make the mirror if there is none, and sweep out what killed commands left: we hold the lock, so nobody uses it.

        Raises:
            GitFailed: what is there is no repository, or none can be made.
            OSError: the directory cannot be written.
        """
        if not self.directory.exists():
            made = ("--bare", "--quiet", "--template=", "--initial-branch=main", f"--object-format={tip.format}")
            await replace(self.git, directory=None).run("init", *made, "--", str(self.directory))
            self.directory.chmod(0o700)
            return
        for place, pattern in (
            (".", "*.lock"),
            ("refs", "**/*.lock"),
            ("objects", "**/tmp_*"),
            ("objects/info", "**/*.lock"),
        ):
            for left in (self.directory / place).glob(pattern):
                left.unlink(missing_ok=True)

    async def fetched(self) -> str:
        """The object that was fetched last; nothing in a new mirror.

        Raises:
            GitFailed: this is no repository.
        """
        return (await self.git.run("for-each-ref", "--format=%(objectname)", "--", HEAD_REF)).decode("ascii").strip()

    async def download(self, remote: Git, place: Place, tip: Tip, *, history: bool) -> None:
        """Fetch exactly one object with what belongs to it, or with its history as well.

        Raises:
            RemoteFailed: the remote does not give it.
            GitFailed: the mirror cannot take it.
        """
        depth = ["--unshallow"] if history and self.is_shallow else [] if history else ["--depth=1"]
        told = (
            "--quiet",
            "--no-tags",
            "--no-write-fetch-head",
            "--no-recurse-submodules",
            "--no-auto-maintenance",
            "--force",
        )
        fetching = replace(remote, directory=self.directory, held=self.held)
        try:
            await fetching.run("fetch", *told, *depth, "--", place.url, f"{tip.oid}:{HEAD_REF}")
        except GitFailed as error:
            raise told_of_remote(error) or error from None

    async def tidy(self, *, at_once: bool) -> bool:
        """Throw away what no revision needs any more, if there is much of it; whether there was.

        Raises:
            GitFailed: the mirror is damaged.
        """
        counts = await self._counts()
        factor = 4 if at_once else 1
        if counts.get("count", 0) <= LOOSE_MAX * factor and counts.get("packs", 0) <= PACKS_MAX * factor:
            return False
        await replace(self.git, seconds_max=TIDY_SECONDS_MAX).run("gc", "--quiet", "--prune=now")
        return True

    async def _counts(self) -> dict[str, int]:
        rows = (
            line.partition(": ") for line in (await self.git.run("count-objects", "-v")).decode("utf-8").splitlines()
        )
        return {name: int(value) for name, _, value in rows if value.isdigit()}

    def discard(self) -> None:
        """Throw the mirror away; what it held is fetched again."""
        aside = self.directory.with_suffix(".damaged")
        shutil.rmtree(aside, ignore_errors=True)
        if self.directory.exists():
            # First out of the way in one step: what is deleted in part must not be taken for a mirror.
            self.directory.rename(aside)
        shutil.rmtree(aside, ignore_errors=True)


def mirror_of(place: Place, tip: Tip, mirrors: Path, clock: Clock) -> Mirror:
    """The mirror of an address. Users are no part of its name, and it holds nothing that a login adds."""
    hashed = sha256(place.shown.encode()).hexdigest()[:24]
    return Mirror(mirrors / (hashed if tip.format == "sha1" else f"{hashed}-{tip.format}"), clock)


def _lock(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
