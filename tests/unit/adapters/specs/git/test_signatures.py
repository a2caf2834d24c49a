"""Signed revisions: who may sign is in a file of the settings; everything else is refused, and says why."""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from controller.adapters.specs.git.place import Verify
from controller.errors import SpecSourceUnavailable
from tests.fakes.spec_source import schedule_text
from tests.git_repository import ENVIRONMENT
from tests.unit.adapters.specs.git.repositories import Repository, fetch, repository, source_of


@dataclass(frozen=True, slots=True)
class Signer:
    """Somebody with a key: how git signs with it, and the file of the public half as a verifier wants it."""

    settings: tuple[str, ...]
    verify: Verify
    trusted: Path
    environment: dict[str, str]

    def commit(self, origin: Repository, texts: dict[str, str]) -> str:
        """A signed commit on main."""
        plain = origin.publish(texts)
        tree, parent = origin.run("rev-parse", f"{plain}^{{tree}}"), origin.run("rev-list", "--parents", "-1", plain)
        parents = [part for each in parent.split()[1:] for part in ("-p", each)]
        made = self._run(origin, "commit-tree", "-S", tree, *parents, "-m", "signed")
        origin.run("update-ref", "refs/heads/main", made)
        return made

    def tag(self, origin: Repository, name: str) -> None:
        """A signed tag on main."""
        self._run(origin, "tag", "-s", "-m", "m", name, "main")

    def options(self) -> dict[str, Any]:
        """What a source that trusts this signer is told."""
        keys = "allowed_signers_file" if self.verify is Verify.SSH else "keyring_file"
        return {"verify": self.verify, keys: self.trusted}

    def _run(self, origin: Repository, *arguments: str) -> str:
        settings = [part for each in self.settings for part in ("-c", each)]
        return origin.run(*settings, *arguments, environment=self.environment)


def ssh_signer(folder: Path, name: str, principals: str = "test@example.com") -> Signer:
    """A new key for ssh, and an allowed signers file with it."""
    key = folder / name
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(key)], check=True)
    signers = folder / f"{name}.signers"
    signers.write_text(f"{principals} {key.with_suffix('.pub').read_text()}")
    return Signer(("gpg.format=ssh", f"user.signingkey={key}"), Verify.SSH, signers, {})


def gpg_signer(folder: Path, name: str) -> Signer:
    """A new key for gpg, in a home of its own, and its public half."""
    home = folder / name
    home.mkdir(mode=0o700)
    environment = {**ENVIRONMENT, "GNUPGHOME": str(home)}
    made = [
        "--batch",
        "--quiet",
        "--passphrase",
        "",
        "--quick-generate-key",
        f"{name}@example.com",
        "ed25519",
        "sign",
        "never",
    ]
    subprocess.run(["gpg", *made], env=environment, check=True, capture_output=True)
    exported = subprocess.run(["gpg", "--armor", "--export"], env=environment, check=True, capture_output=True).stdout
    (folder / f"{name}.asc").write_bytes(exported)
    return Signer(
        (f"user.signingkey={name}@example.com",), Verify.GPG, folder / f"{name}.asc", {"GNUPGHOME": str(home)}
    )


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, tuple[Signer, Signer]]]:
    """Two signers of each kind: ours, and another."""
    folder = tmp_path_factory.mktemp("k")
    made = {
        "ssh": (ssh_signer(folder, "ours"), ssh_signer(folder, "other")),
        "gpg": (gpg_signer(folder, "g"), gpg_signer(folder, "h")),
    }
    yield made
    for signer in made["gpg"]:
        subprocess.run(["gpgconf", "--kill", "all"], env={**ENVIRONMENT, **signer.environment}, check=False)


@pytest.fixture
def origin(tmp_path: Path) -> Repository:
    """An empty repository."""
    return repository(tmp_path / "origin")


A, B = {"a.yaml": schedule_text("a")}, {"b.yaml": schedule_text("b")}


@pytest.mark.parametrize("kind", ["ssh", "gpg"])
def test_a_signed_head_is_taken_and_any_other_is_refused(
    keys: dict[str, tuple[Signer, Signer]], origin: Repository, kind: str
) -> None:
    """Unsigned, or signed by somebody else, or by the other program: the commit is named, and a signed one mends it."""
    ours, other = keys[kind]
    (foreign, _) = keys["gpg" if kind == "ssh" else "ssh"]
    reader = source_of(origin, **ours.options())
    first = ours.commit(origin, A)
    assert fetch(reader).revision == f"main@sha1:{first}"
    for refused, why in (
        (origin.publish(B), "it carries no signature"),
        (other.commit(origin, B), "signed"),
        (foreign.commit(origin, B), "signed"),
    ):
        origin.run("update-ref", "refs/heads/main", refused)
        for _ in range(2):
            with pytest.raises(SpecSourceUnavailable, match=f"commit {refused} is refused.*{why}.*stays in force"):
                fetch(reader)
    second = ours.commit(origin, B)
    assert fetch(reader).revision == f"main@sha1:{second}"


@pytest.mark.parametrize("kind", ["ssh", "gpg"])
def test_a_signature_moved_to_another_commit_is_refused(
    keys: dict[str, tuple[Signer, Signer]], origin: Repository, kind: str
) -> None:
    """The tree is changed and the signature kept: git itself sees that they do not belong together."""
    ours, _ = keys[kind]
    signed = ours.commit(origin, A)
    other_tree = origin.run("rev-parse", f"{origin.publish(B)}^{{tree}}")
    raw = origin.run("cat-file", "commit", signed)
    tree = origin.run("rev-parse", f"{signed}^{{tree}}")
    forged = origin.run(
        "hash-object", "-t", "commit", "-w", "--stdin", given=(raw.replace(tree, other_tree) + "\n").encode()
    )
    origin.run("update-ref", "refs/heads/main", forged)
    with pytest.raises(SpecSourceUnavailable, match=f"commit {forged} is refused"):
        fetch(source_of(origin, **ours.options()))


def test_a_key_that_was_not_valid_at_the_commit_is_refused(tmp_path: Path, origin: Repository) -> None:
    """``valid-before`` of the allowed signers is kept; the repository's commits are of 2026."""
    expired = ssh_signer(tmp_path, "expired", 'test@example.com valid-before="20250101"')
    expired.commit(origin, A)
    with pytest.raises(SpecSourceUnavailable, match="is refused"):
        fetch(source_of(origin, **expired.options()))
    expired.trusted.write_text(expired.trusted.read_text().replace("20250101", "20270101"))
    assert fetch(source_of(origin, **expired.options())).specs


def test_a_key_that_is_taken_out_of_the_file_counts_no_more(tmp_path: Path, origin: Repository) -> None:
    """The file is looked at for each poll: a head that was accepted is refused, and accepted again once its key is back."""
    ours, other = ssh_signer(tmp_path, "ours"), ssh_signer(tmp_path, "other")
    ours.commit(origin, A)
    reader = source_of(origin, **ours.options())
    first = fetch(reader)
    text = ours.trusted.read_text()
    ours.trusted.write_text(other.trusted.read_text())
    with pytest.raises(SpecSourceUnavailable, match="is refused"):
        fetch(reader)
    ours.trusted.write_text(text)
    assert fetch(reader) == first
    ours.trusted.unlink()
    with pytest.raises(SpecSourceUnavailable, match="cannot be read"):
        fetch(reader)


@pytest.mark.parametrize("kind", ["ssh", "gpg"])
def test_a_signed_tag_vouches_for_its_commit(
    keys: dict[str, tuple[Signer, Signer]], origin: Repository, kind: str
) -> None:
    """An annotated tag must be signed itself, under its own name; a plain tag leaves it to the commit."""
    ours, _ = keys[kind]
    origin.publish(A)
    ours.tag(origin, "v1")
    assert fetch(source_of(origin, ref="v1", **ours.options())).specs
    origin.run("update-ref", "refs/tags/v2", origin.run("rev-parse", "refs/tags/v1"))
    with pytest.raises(SpecSourceUnavailable, match="another name"):
        fetch(source_of(origin, ref="v2", **ours.options()))
    ours.commit(origin, B)
    origin.run("tag", "-m", "m", "v3", "main")
    with pytest.raises(SpecSourceUnavailable, match=r"the tag v3 of commit .* no signature"):
        fetch(source_of(origin, ref="v3", **ours.options()))
    origin.run("tag", "v4", "main")
    assert fetch(source_of(origin, ref="v4", **ours.options())).specs
