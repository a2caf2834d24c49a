"""Commits made out of nothing but their contents, and pushed: no checkout, so that every tree that Git can hold can be made."""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

PUSH_SECONDS_MAX = 20.0
"""Longest time for one command; a server that hangs must not hang a test."""

ENVIRONMENT = {
    **{name: os.environ[name] for name in ("PATH", "TMPDIR") if name in os.environ},
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "HOME": os.devnull,
    "LC_ALL": "C",
    **{
        f"GIT_{who}_{what}": value
        for who in ("AUTHOR", "COMMITTER")
        for what, value in (("NAME", "Ada"), ("EMAIL", "ada@example.org"))
    },
    **{f"GIT_{who}_DATE": "1767225600 +0000" for who in ("AUTHOR", "COMMITTER")},
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
    *arguments: str, given: bytes = b"", environment: Mapping[str, str] | None = None, at: Path | None = None
) -> str:
    """Run one command of Git that must succeed and return what it printed; nothing of the machine's settings is read."""
    place = [] if at is None else [f"--git-dir={at}"]
    done = subprocess.run(
        ["git", *place, "-c", "gc.auto=0", "-c", "maintenance.auto=false", *arguments],
        input=given,
        capture_output=True,
        env={**ENVIRONMENT, **(environment or {})},
        timeout=PUSH_SECONDS_MAX,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    return done.stdout.decode(errors="replace").strip()


def make_bare(path: Path) -> Path:
    """An empty repository that a server may serve, with ``main`` as its branch."""
    git("init", "--quiet", "--bare", "--initial-branch=main", str(path))
    # A fetch of one commit by its hash needs it, and the great hosts allow it.
    for name in ("uploadpack.allowAnySHA1InWant", "uploadpack.allowFilter"):
        git("config", name, "true", at=path)
    return path


@dataclass
class Repository:
    """A branch that somebody pushes to.

    Attributes:
        bare: the repository that is served.
        author: where commits are made before they are pushed.
        remote: where pushes go to: an address, or the bare repository's own path.
        environment: what Git needs to log in there.
    """

    bare: Path
    author: Path
    remote: str
    environment: Mapping[str, str] = field(default_factory=dict)
    branch: str = "main"

    @classmethod
    def make(
        cls, bare: Path, folder: Path, remote: str = "", environment: Mapping[str, str] | None = None
    ) -> "Repository":
        """An empty one; without ``remote`` pushes go past the server, which a server that is down cannot hold up."""
        git("init", "--quiet", "--bare", "--initial-branch=main", str(folder))
        return cls(make_bare(bare), folder, remote or str(bare), environment or {})

    def push(
        self, files: Files, message: str = "Change the specs", *, sign_with: Path | None = None, anew: bool = False
    ) -> str:
        """Commit changes to what the branch holds (``anew``: to nothing) and push it; returns the commit's hash.

        ``sign_with`` is a private key of SSH, and the commit is signed by it.
        """
        return self._push(self.commit(files, message, sign_with=sign_with, anew=anew))

    def commit(
        self, files: Files, message: str = "Change the specs", *, sign_with: Path | None = None, anew: bool = False
    ) -> str:
        """The same without the push."""
        before = self._head()
        lines = [
            f"commit refs/heads/{self.branch}\ncommitter Ada <ada@example.org> 1767225600 +0000\n".encode(),
            _data(message.encode()),
        ]
        lines += [f"from {before}\n".encode()] if before else []
        lines += [b"deleteall\n"] if anew else []
        lines += [
            _change(path if isinstance(path, bytes) else path.encode(), content) for path, content in files.items()
        ]
        git("fast-import", "--quiet", "--force", given=b"".join(lines), at=self.author)
        return self._head() if sign_with is None else self._signed(message, before, sign_with)

    def force_push(self, commit: str) -> str:
        """Set the branch to a commit that was made before, whatever came after it."""
        git("update-ref", f"refs/heads/{self.branch}", commit, at=self.author)
        return self._push(commit)

    def delete(self) -> None:
        """Take the branch away; the served repository must not have it as its head."""
        self._send(f":refs/heads/{self.branch}")

    def tag(self, name: str) -> None:
        """Push a tag for the branch as it is."""
        self._send(f"+{self._head()}:refs/tags/{name}")

    def _push(self, commit: str) -> str:
        self._send(f"+{commit}:refs/heads/{self.branch}")
        return commit

    def _send(self, refspec: str) -> None:
        git("push", "--quiet", "--no-verify", self.remote, refspec, environment=self.environment, at=self.author)

    def _head(self) -> str:
        return git("for-each-ref", "--format=%(objectname)", f"refs/heads/{self.branch}", at=self.author)

    def _signed(self, message: str, before: str, key: Path) -> str:
        tree = git("rev-parse", f"refs/heads/{self.branch}^{{tree}}", at=self.author)
        settings = ("-c", "gpg.format=ssh", "-c", f"user.signingKey={key}")
        parent = ("-p", before) if before else ()
        commit = git(*settings, "commit-tree", "-S", *parent, "-m", message, tree, at=self.author)
        git("update-ref", f"refs/heads/{self.branch}", commit, at=self.author)
        return commit


def make_key(path: Path) -> Path:
    """A key pair of SSH without a passphrase; the public half lies beside it in ``.pub``."""
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", str(path)],
        check=True,
        timeout=PUSH_SECONDS_MAX,
    )
    return path


def public_half(key: Path) -> str:
    """The public key, kind and base64, without its comment."""
    return " ".join(key.with_name(key.name + ".pub").read_text().split()[:2])


def _data(content: bytes) -> bytes:
    return f"data {len(content)}\n".encode() + content + b"\n"


def _change(path: bytes, content: Content) -> bytes:
    if content is None:
        return b"D " + path + b"\n"
    if isinstance(content, Submodule):
        return f"M 160000 {content.commit} ".encode() + path + b"\n"
    if isinstance(content, Link):
        return b"M 120000 inline " + path + b"\n" + _data(content.target.encode())
    return b"M 100644 inline " + path + b"\n" + _data(content.encode() if isinstance(content, str) else content)
