"""Options of a repository: what reaches a command line was checked before, and what is refused is named without secrets."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from controller.adapters.specs.git.place import GitOptions, Verify, place_of
from controller.errors import SettingsInvalid

SSH = {"ssh_key_file": Path("/keys/id"), "known_hosts_file": Path("/keys/known_hosts")}


def options(url: str, **given: Any) -> GitOptions:
    """Options for an address."""
    return replace(GitOptions(url, Path("/mirrors")), **given)


@pytest.mark.parametrize(
    ("url", "given", "used", "shown", "transport"),
    [
        (
            "https://git.example/team/x.git",
            {},
            "https://git.example/team/x.git",
            "https://git.example/team/x.git",
            "https",
        ),
        ("https://bob@git.example:8443/x", {}, "https://git.example:8443/x", "https://git.example:8443/x", "https"),
        ("http://127.0.0.1:80/x", {}, "http://127.0.0.1:80/x", "http://127.0.0.1:80/x", "http"),
        ("http://[::1]:80/x", {}, "http://[::1]:80/x", "http://[::1]:80/x", "http"),
        ("ssh://git@git.example:22/x", SSH, "ssh://git@git.example:22/x", "ssh://git.example:22/x", "ssh"),
        ("git@git.example:team/x.git", SSH, "git@git.example:team/x.git", "git.example:team/x.git", "ssh"),
        ("/srv/x", {"allow_local": True}, "/srv/x", "/srv/x", "file"),
        ("file:///srv/x", {"allow_local": True}, "/srv/x", "/srv/x", "file"),
    ],
)
def test_addresses_that_are_spoken(url: str, given: dict[str, Any], used: str, shown: str, transport: str) -> None:
    """Git gets an address without our name where that goes into a header, and people see none at all."""
    place = place_of(options(url, **given))
    assert (place.url, place.shown, place.transport) == (used, shown, transport)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "-oProxyCommand=touch /tmp/x",
        "--upload-pack=touch",
        "ext::sh -c touch",
        "ext::sh",
        "fd::17",
        "file:///srv/x",
        "/srv/x",
        "../x",
        "x",
        "ftp://git.example/x",
        "git://git.example/x",
        "http://git.example/x",
        "http://127.0.0.1.evil.example/x",
        "http://localhost@evil.example/x",
        "https://git.example",
        "https://git.example/x?token=canary",
        "https://git.example/x#canary",
        "https://user:canary@git.example/x",
        "https://:canary@git.example/x",
        "https://git.example:port/x",
        "https://git.example/x\n",
        "https://git.example/x y",
        "https://git.exam\tple/x",
        "ssh://-oProxyCommand=touch/x",
        "ssh://-luser@git.example/x",
        "-user@git.example:x",
        "git@-oProxyCommand=touch:x",
        "git@git.example:-x",
        "git@git.example:",
        "git@git.example::x",
        "https://%2doProxyCommand=x/y",
    ],
)
def test_addresses_that_are_refused(url: str) -> None:
    """Programs, options, passwords, other machines without encryption and our own files are no addresses."""
    for given in ({}, SSH):
        with pytest.raises(SettingsInvalid, match="specs") as refused:
            place_of(options(url, **given))
    assert "canary" not in str(refused.value)


@pytest.mark.parametrize("ref", ["main", "feature/x", "v1.2", "refs/pull/7/head", "a" * 40, "ümlaut", "a@b", "x-y_z+1"])
def test_refs_that_git_knows(ref: str) -> None:
    """Whatever may name a branch or a tag is taken."""
    assert place_of(options("https://git.example/x", ref=ref))


BAD_REFS = r"-x --output=x --upload-pack=x a..b a~1 a^{} a:b a? a* [a a\b a.lock a/ /a a//b .a a/.b a. @ a@{1} x.lock/y"


@pytest.mark.parametrize("ref", [*BAD_REFS.split(), "a b", "a\nb", "a\x7f"])
def test_refs_that_git_refuses(ref: str) -> None:
    """Options, expressions and patterns are no refs."""
    with pytest.raises(SettingsInvalid, match=r"specs\.ref"):
        place_of(options("https://git.example/x", ref=ref))


@pytest.mark.parametrize("path", ["-x", "--output=x", "/specs", "..", "a/../b", "a\nb", "~/x", "a\\b"])
def test_paths_that_lead_elsewhere(path: str) -> None:
    """A path is below the root of the repository."""
    with pytest.raises(SettingsInvalid, match=r"specs\.path"):
        place_of(options("https://git.example/x", path=path))


@pytest.mark.parametrize(
    ("url", "given", "said"),
    [
        ("ssh://git.example/x", {}, "ssh_key_file"),
        ("ssh://git.example/x", {"ssh_key_file": Path("k")}, "known_hosts_file"),
        ("ssh://git.example/x", {**SSH, "token_file": Path("t")}, "token_file"),
        ("https://git.example/x", {"ssh_key_file": Path("k")}, "ssh_key_file"),
        ("https://git.example/x", {"known_hosts_file": Path("k")}, "known_hosts_file"),
        ("https://git.example/x", {"username": "bob"}, "username"),
        ("https://git.example/x", {"username": "b:b", "token_file": Path("t")}, "username"),
        ("http://127.0.0.1/x", {"ca_file": Path("ca")}, "ca_file"),
        ("https://git.example/x", {"ca_file": Path("c'a")}, "ca_file"),
        ("ssh://git.example/x", {**SSH, "ssh_key_file": Path('k"`touch x`')}, "ssh_key_file"),
        ("ssh://git.example/x", {**SSH, "known_hosts_file": Path("${HOME}/k")}, "known_hosts_file"),
        ("https://git.example/x", {"verify": Verify.SSH}, "allowed_signers_file"),
        ("https://git.example/x", {"verify": Verify.GPG, "allowed_signers_file": Path("s")}, "allowed_signers_file"),
        ("https://git.example/x", {"verify": Verify.GPG}, "keyring_file"),
        ("https://git.example/x", {"keyring_file": Path("k")}, "keyring_file"),
    ],
)
def test_options_that_contradict_each_other_are_named(url: str, given: dict[str, Any], said: str) -> None:
    """What has no effect, or lacks its other half, is not passed over."""
    with pytest.raises(SettingsInvalid, match=said):
        place_of(options(url, **given))
