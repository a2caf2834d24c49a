"""Branches that somebody pushes to a server, as people and their machines do."""

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.git_repository import SECONDS_MAX, Files, commit_onto, git


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
        commit = commit_onto(self.author, self.branch, files, message, anew=anew)
        return commit if sign_with is None else self._signed(message, before, sign_with)

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
        timeout=SECONDS_MAX,
    )
    return path


def public_half(key: Path) -> str:
    """The public key, kind and base64, without its comment."""
    return " ".join(key.with_name(key.name + ".pub").read_text().split()[:2])
