"""Whose signature a revision carries: judged by git, by keys that only the settings name."""

import hashlib
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from controller.adapters.specs.git.command import Git, GitFailed, Limits, kept_variables, run_program
from controller.adapters.specs.git.place import Verify
from controller.adapters.specs.git.refs import Tip
from controller.errors import SpecSourceUnavailable

KEYS_BYTES_MAX = 4 * 1024 * 1024
GPG_SECONDS_MAX = 20.0
ARMOUR = b"-----BEGIN PGP"

# A signature of another kind than the one asked for must find no program that might like it.
_NOBODY = (
    "gpg.program=/bin/false",
    "gpg.x509.program=/bin/false",
    "gpg.ssh.program=/bin/false",
    "gpg.minTrustLevel=undefined",
)

_GPG_CONF = "no-autostart\nno-auto-key-retrieve\ntrust-model always\n"


@dataclass(frozen=True, slots=True)
class Signers:
    """Who may sign: the file of their public keys, and a directory for what gpg makes of it."""

    verify: Verify
    keys_file: Path | None
    home: Path

    def stamp(self) -> bytes:
        """What differs when the keys do.

        Raises:
            SpecSourceUnavailable: the file cannot be read.
        """
        return b"" if self.keys_file is None else hashlib.sha256(self._keys()).digest()

    async def check(self, git: Git, tip: Tip) -> None:
        """Accept a revision or refuse it. What the ref names must be signed: an annotated tag vouches for its commit, else the commit.

        Raises:
            SpecSourceUnavailable: it is not signed, or by nobody who may.
        """
        if self.verify is Verify.OFF:
            return
        command, what = ("verify-tag", f"the tag {tip.name} of commit") if tip.is_tag else ("verify-commit", "commit")
        try:
            await (await self._judging(git)).run(command, "--raw", tip.oid)
            if tip.is_tag:
                await _check_name(git, tip)
        except GitFailed as error:
            why = "it carries no signature" if _is_silent(error) else str(error)
            raise SpecSourceUnavailable(
                f"{what} {tip.commit} is refused, because {self._wanted()} ({why}); the last good revision stays in force"
            ) from None

    def _wanted(self) -> str:
        return f"it must be signed ({self.verify}) by a key of {self.keys_file}"

    async def _judging(self, git: Git) -> Git:
        """Git as it judges a signature: by one program, one file of keys, and nothing that a machine or a home directory trusts."""
        judging = [*_NOBODY, "gpg.format=openpgp", "gpg.program=gpg"]
        environment = dict(git.environment)
        if self.verify is Verify.SSH and self.keys_file is not None:
            allowed = f"gpg.ssh.allowedSignersFile={self.keys_file.absolute()}"
            judging = [*_NOBODY, "gpg.format=ssh", "gpg.ssh.program=ssh-keygen", allowed]
        else:
            environment["GNUPGHOME"] = str(await self._keyring())
        return replace(git, configuration=(*git.configuration, *judging), environment=environment)

    async def _keyring(self) -> Path:
        """A home for gpg that knows these keys and nothing else; made anew when the file changes."""
        keys = self._keys()
        home = self.home / hashlib.sha256(keys).hexdigest()[:24]
        if (home / "complete").exists():
            return home
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(mode=0o700, parents=True)
        (home / "gpg.conf").write_text(_GPG_CONF, encoding="ascii")
        if ARMOUR in keys:
            # Not --import, which wants an agent, whose socket must have a short path.
            arguments = ["gpg", "--homedir", str(home), "--batch", "--no-tty", "--quiet", "--dearmor"]
            limits = Limits(GPG_SECONDS_MAX, KEYS_BYTES_MAX, "gpg --dearmor")
            keys = await run_program(arguments, limits, variables={**kept_variables(), "LC_ALL": "C"}, given=keys)
        (home / "pubring.gpg").write_bytes(keys)
        (home / "complete").touch()
        return home

    def _keys(self) -> bytes:
        if self.keys_file is None:
            return b""
        try:
            with self.keys_file.open("rb") as file:
                return file.read(KEYS_BYTES_MAX)
        except OSError as error:
            raise SpecSourceUnavailable(f"the signers in {self.keys_file} cannot be read: {error.strerror}") from None


def _is_silent(error: GitFailed) -> bool:
    return error.code is not None and not error.complaint.strip()


async def _check_name(git: Git, tip: Tip) -> None:
    """Refuse a signed old tag that is pushed under a newer name: it is still the old one."""
    head = (await git.run("cat-file", "tag", tip.oid)).partition(b"\n\n")[0]
    if f"tag {tip.name}".encode() not in head.split(b"\n"):
        raise GitFailed("the signed tag calls itself by another name")
