"""Where a repository is and what is read of it: options that were checked before anything of them reaches a command line."""

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from controller.errors import SettingsInvalid

COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")

FETCH_SECONDS_MAX = 50.0
"""Longest time for one fetch in all: shorter than the loop waits, so that what is told is ours, and git is ended by then."""

REF_LENGTH_MAX = 1024

LOOPBACK = re.compile(r"localhost|127(?:\.\d{1,3}){3}|\[::1\]")

_SCP = re.compile(r"(?:(?P<user>[\w.+-]+)@)?(?P<host>[\w.-]+):(?P<path>[^:].*)")
_USER = re.compile(r"[\w.+~-]+")
_HOST = re.compile(r"[\w.-]+|\[[0-9a-fA-F:.]+\]")
# What git-check-ref-format forbids anywhere in a name.
_NO_REF = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/\.|\.lock(?:/|$)")


class Verify(StrEnum):
    """Whose signature the head must carry."""

    OFF = "off"
    SSH = "ssh"
    GPG = "gpg"


@dataclass(frozen=True, slots=True)
class GitOptions:
    """One place in one repository, and how it is got at; ``place_of`` checks them.

    Attributes:
        url: https, ssh, ``user@host:path``; http to a loopback address; a path where ``allow_local``.
        mirrors: the directory of the bare mirrors.
        ref: a branch, a tag, a full name or a full commit; empty = what the remote's HEAD names.
        path: the directory of the specs in the repository; empty or ``.`` = all of it.
        fast_forward_only: a revision that does not descend from the one in force is refused.
        seconds_max: longest time for one fetch in all.
    """

    url: str
    mirrors: Path
    ref: str = ""
    path: str = ""
    token_file: Path | None = None
    username: str | None = None
    ssh_key_file: Path | None = None
    known_hosts_file: Path | None = None
    ca_file: Path | None = None
    verify: Verify = Verify.OFF
    allowed_signers_file: Path | None = None
    keyring_file: Path | None = None
    fast_forward_only: bool = False
    allow_local: bool = False
    seconds_max: float = FETCH_SECONDS_MAX


@dataclass(frozen=True, slots=True)
class Place:
    """A checked address.

    Attributes:
        url: as git gets it; without a user where there is a password, which is none of git's business here.
        shown: as people see it, without any user.
        transport: what ``GIT_ALLOW_PROTOCOL`` names: ``https``, ``ssh``, ``http`` or ``file``.
        origin: ``scheme://host:port/`` of http and https.
        user: who the address says that we are.
    """

    url: str
    shown: str
    transport: str
    origin: str = ""
    user: str = ""


def place_of(options: GitOptions) -> Place:
    """Check options and say where they lead.

    Raises:
        SettingsInvalid: something cannot be used, or contradicts something else; the text names the setting and no secret.
    """
    place = _address(options.url, allow_local=options.allow_local)
    if options.ref:
        _check_ref(options.ref)
    _check_path(options.path)
    _check_login(options, place)
    _check_signers(options)
    return place


def _refused(setting: str, message: str) -> SettingsInvalid:
    return SettingsInvalid(f"specs.{setting}: {message}")


def _address(url: str, *, allow_local: bool) -> Place:
    if not url or url.startswith("-") or not url.isprintable() or any(each.isspace() for each in url):
        raise _refused("git", "an address begins with no hyphen and holds no space; write https://host/path")
    if url.startswith(("/", "file://")):
        if not allow_local:
            raise _refused("git", "a path is only read with allow_local = true; else write https:// or ssh://")
        path = url.removeprefix("file://")
        if not path.startswith("/"):
            raise _refused("git", "file:// takes a path on this machine: file:///srv/syncs.git")
        return Place(path, path, "file")
    if re.match(r"[A-Za-z0-9+.-]+::", url):
        raise _refused("git", "addresses that name a program are never run; write https://host/path or ssh://host/path")
    if "://" in url:
        return _with_scheme(url)
    found = _SCP.fullmatch(url)
    if found is None:
        raise _refused("git", "this is no address; write https://host/path, ssh://user@host/path or user@host:path")
    if found["host"].startswith("-") or (found["user"] or "").startswith("-") or found["path"].startswith("-"):
        raise _refused("git", "no part of an address begins with a hyphen")
    return Place(url, f"{found['host']}:{found['path']}", "ssh", user=found["user"] or "")


def _with_scheme(url: str) -> Place:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _refused("git", "the host or the port cannot be read; write https://host:port/path") from None
    userinfo, _, address = parts.netloc.rpartition("@")
    host = address.removesuffix(f":{port}") if port is not None else address
    if ":" in userinfo:
        raise _refused("git", "the address holds a password; put it into a file and name that as token_file")
    if parts.query or parts.fragment or "?" in url or "#" in url:
        raise _refused("git", "an address has no query and no fragment")
    if parts.scheme not in ("https", "ssh", "http"):
        raise _refused("git", f"{parts.scheme}:// is not spoken; write https:// or ssh://")
    if parts.scheme == "http" and not LOOPBACK.fullmatch(host):
        raise _refused("git", "http:// is only spoken with this machine itself; write https://")
    if not _HOST.fullmatch(host) or host.startswith("-") or parts.path in ("", "/"):
        raise _refused("git", "an address has a host and a path: https://host/path")
    if userinfo and (not _USER.fullmatch(userinfo) or userinfo.startswith("-")):
        raise _refused("git", "the user in the address holds a character that it cannot")
    shown = f"{parts.scheme}://{address}{parts.path}"
    if parts.scheme == "ssh":
        return Place(url, shown, "ssh", user=userinfo)
    return Place(shown, shown, parts.scheme, f"{parts.scheme}://{address}/", userinfo)


def is_ref(ref: str) -> bool:
    """Whether a text may name a branch or a tag, and can be shown."""
    is_one = not (ref.startswith(("-", "/", ".")) or ref.endswith(("/", ".")) or ref == "@" or _NO_REF.search(ref))
    return is_one and ref.isprintable() and len(ref) <= REF_LENGTH_MAX


def _check_ref(ref: str) -> None:
    if not is_ref(ref):
        raise _refused("ref", "this is no name of a branch or a tag, and no full commit")


def _check_path(path: str) -> None:
    if path.startswith(("-", "/", "~")) or not path.isprintable() or "\\" in path:
        raise _refused("path", "in a repository a path is relative to its root and begins with no hyphen")
    if ".." in path.split("/"):
        raise _refused("path", "a path in a repository does not lead out of it; write it without ..")


def _check_login(options: GitOptions, place: Place) -> None:
    over_http, over_ssh = place.transport in ("http", "https"), place.transport == "ssh"
    for setting, fits, schemes in (
        ("token_file", over_http, "https://"),
        ("username", over_http, "https://"),
        ("ca_file", place.transport == "https", "https://"),
        ("ssh_key_file", over_ssh, "ssh://"),
        ("known_hosts_file", over_ssh, "ssh://"),
    ):
        if getattr(options, setting) is not None and not fits:
            raise _refused(setting, f"only an address with {schemes} has use for it; take it out")
    if options.username is not None and options.token_file is None:
        raise _refused("username", "a user needs a token_file beside it")
    if options.username is not None and (":" in options.username or not options.username.isprintable()):
        raise _refused("username", "a user's name holds no colon")
    if over_ssh:
        if options.ssh_key_file is None:
            raise _refused("ssh_key_file", "ssh needs the file of a private key that has no passphrase")
        if options.known_hosts_file is None:
            raise _refused(
                "known_hosts_file", "ssh needs a file with the host's key; ssh-keyscan writes one to compare"
            )
    for setting in ("ssh_key_file", "known_hosts_file", "ca_file", "allowed_signers_file"):
        # They pass through configuration, a shell and ssh's own words, each with quotes of its own.
        if re.search(r"[\"'\\$`\x00-\x1f]", str(getattr(options, setting) or "")):
            raise _refused(setting, "the path holds a quote, a dollar or a backslash; name the file otherwise")


def _check_signers(options: GitOptions) -> None:
    for setting, kind in (("allowed_signers_file", Verify.SSH), ("keyring_file", Verify.GPG)):
        given = getattr(options, setting) is not None
        if given and options.verify is not kind:
            raise _refused(setting, f'it is only looked at with verify = "{kind}"; write that, or take it out')
        if not given and options.verify is kind:
            raise _refused("verify", f'"{kind}" needs {setting}')
