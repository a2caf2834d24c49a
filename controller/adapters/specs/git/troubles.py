"""What a failed command means: the remote's fault, told in words that help, or damage of our own mirror, which a new clone mends."""

import re

from controller.adapters.specs.git.command import GitFailed


class RemoteFailed(GitFailed):
    """The remote, the way to it, or what it offers: nothing that a new clone would mend."""


BROKE_OFF = "the remote broke off or answered with nonsense"
ELSEWHERE = "the server sends us to another address, which is not followed; write that address"

# In this order: what is listed first is told where several fit. Words of git, curl, ssh and their libraries, as patterns.
_TOLD: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("the host's key is not the one in known_hosts_file", ("host key verification failed",)),
    (
        "ssh cannot use ssh_key_file: it must be there, be readable by us alone, and have no passphrase",
        ("identity file .* not accessible", "load key .*", "unprotected private key"),
    ),
    (
        "the login was refused; check the token or key, and what it may read",
        (
            r"permission denied \(",
            "authentication failed",
            "could not read (?:username|password)",
            "returned error: 40[13]",
            "too many authentication",
        ),
    ),
    (
        "there is no such repository, or none that this login may see",
        (
            "repository '.*' not found",
            "repository not found",
            "does not appear to be a git repository",
            "returned error: 404",
            "does not exist",
        ),
    ),
    (
        "the server's certificate is not trusted; name its authority in ca_file",
        ("certificate", "self.signed", "cafile", "local issuer"),
    ),
    (ELSEWHERE, ("redirect", r"returned error: 30\d")),
    (
        "the host cannot be reached",
        (
            "could not resolve",
            "couldn't resolve",
            "connection refused",
            "failed to connect",
            "couldn't connect",
            "timed out",
            "network is unreachable",
            "no route to host",
            "connection reset",
            "connection closed by",
            "too slow",
        ),
    ),
    ("the server gives out no such commit or ref", ("unadvertised object", "not our ref", "couldn't find remote ref")),
    ("what the repository holds is refused", ("fsck error", "in packed object")),
    ("this kind of address is not spoken", ("transport '.*' not allowed",)),
    (
        BROKE_OFF,
        (
            r"returned error: \d+",
            "early eof",
            "hung up",
            "rpc failed",
            "protocol error",
            "bad line length",
            "unexpected disconnect",
            "unexpected eof",
            "empty reply",
            "http/0.9",
            "gnutls",
            "openssl",
            "ssh: ",
            "kex_exchange",
            "dumb http",
            "mismatched algorithms",
            "expected flush",
            "expected '",
        ),
    ),
)
_REMOTE = tuple((re.compile("|".join(words), re.IGNORECASE), told) for told, words in _TOLD)

# Of these the other side complains too, in the words of a remote that broke off, because ours gives up.
_DAMAGE = re.compile(
    r"not a git repository|corrupt|bad object|is empty|loose object|unable to (?:open|read|mmap|create)"
    r"|could not read [0-9a-f]{40}|\.lock|bad config|bad signature|bad index|too short|unresolved delta|packed-refs"
    r"|did not send all necessary objects|non-existent|missing (?:blob|tree|commit)|cannot be read",
    re.IGNORECASE,
)


def told_of_remote(error: GitFailed) -> RemoteFailed | None:
    """What a failed talk with a remote means; None: it was not the remote's fault, as far as can be seen."""
    if error.code is None:
        # It was ended by us.
        return RemoteFailed(str(error))
    said = error.complaint or str(error)
    for pattern, told in _REMOTE:
        if pattern.search(said):
            if told == BROKE_OFF and _DAMAGE.search(said):
                return None
            return RemoteFailed(f"{told} ({error})")
    return None


def is_damage(error: GitFailed) -> bool:
    """Whether our own copy of the repository is what failed."""
    return not isinstance(error, RemoteFailed) and error.code is not None
