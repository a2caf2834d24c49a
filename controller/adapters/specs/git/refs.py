"""What a ref names on the remote now, found in one round trip."""

from dataclasses import dataclass

from controller.adapters.specs.git.command import Git
from controller.adapters.specs.git.place import COMMIT, is_ref
from controller.adapters.specs.git.troubles import RemoteFailed

HEADS, TAGS = "refs/heads/", "refs/tags/"
LISTING_BYTES_MAX = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Tip:
    """The object that a ref names.

    Attributes:
        name: the ref's short name; empty where a commit was asked for by its hash.
        oid: the object, which is a tag or a commit.
        commit: the commit behind it.
    """

    name: str
    oid: str
    commit: str

    @property
    def is_tag(self) -> bool:
        """Whether it is an annotated tag, which is an object of its own."""
        return self.oid != self.commit

    @property
    def format(self) -> str:
        """The hash of the repository's objects: ``sha1`` or ``sha256``."""
        return "sha1" if len(self.commit) == 40 else "sha256"

    @property
    def revision(self) -> str:
        """The revision as it is shown: ``main@sha1:…``."""
        hashed = f"{self.format}:{self.commit}"
        return f"{self.name}@{hashed}" if self.name else hashed


async def find_tip(remote: Git, url: str, ref: str) -> Tip:
    """Ask the remote what a ref names; a full commit names itself. Empty: what its HEAD names.

    Raises:
        GitFailed: the remote cannot be asked, or has no such ref, or two.
    """
    if COMMIT.fullmatch(ref):
        return Tip("", ref, ref)
    wanted = (ref or "HEAD",) if not ref or ref.startswith("refs/") else (HEADS + ref, TAGS + ref)
    patterns = [pattern for each in wanted for pattern in (each, each + "^{}")]
    said = await remote.run("ls-remote", "--symref", "--", url, *patterns, output_max=LISTING_BYTES_MAX)
    objects, branch = _listed(said.decode("utf-8", "replace"))
    found = [each for each in wanted if each in objects]
    if not found:
        raise RemoteFailed(_missing(ref))
    if len(found) > 1:
        raise RemoteFailed(f"{ref} is a branch and a tag; write {HEADS}{ref} or {TAGS}{ref}")
    name = branch or "HEAD" if not ref else found[0].removeprefix(HEADS).removeprefix(TAGS)
    return Tip(name, objects[found[0]], objects.get(found[0] + "^{}", objects[found[0]]))


def _listed(said: str) -> tuple[dict[str, str], str]:
    """The objects by the full name of their ref, and the branch that HEAD stands for."""
    objects: dict[str, str] = {}
    branch = ""
    for line in said.splitlines():
        named, _, ref = line.partition("\t")
        if named.startswith("ref: "):
            branch = named.removeprefix("ref: ").removeprefix(HEADS) if ref == "HEAD" else branch
            if not is_ref(branch or "HEAD"):
                # It becomes part of the revision's name, and a server may say anything.
                raise RemoteFailed("the remote's HEAD names a branch that cannot be one")
        elif COMMIT.fullmatch(named):
            objects[ref] = named
    return objects, branch


def _missing(ref: str) -> str:
    if not ref:
        return "the repository has no HEAD: it is empty, or the address is of something else"
    if 7 <= len(ref) <= 64 and all(each in "0123456789abcdef" for each in ref):
        return f"the repository has no branch or tag {ref}; a commit is written in full, with 40 or 64 digits"
    return (
        f"the repository has no ref {ref}" if ref.startswith("refs/") else f"the repository has no branch or tag {ref}"
    )
