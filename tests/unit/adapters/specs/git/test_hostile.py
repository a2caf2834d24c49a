"""Hostile addresses, environments and repositories: nothing of theirs runs, and nothing of ours is read."""

import asyncio
from pathlib import Path

import pytest

from controller.adapters.clock import SystemClock
from controller.adapters.specs.git.command import TRANSPORTS, Git, GitFailed
from controller.adapters.specs.git.mirror import Mirror
from controller.adapters.specs.git.place import Place
from controller.adapters.specs.git.refs import Tip, find_tip
from controller.errors import SpecSourceUnavailable
from tests.fakes.spec_source import schedule_text
from tests.unit.adapters.specs.git.repositories import Repository, fetch, source_of
from tests.unit.adapters.specs.git.test_signatures import ssh_signer


@pytest.fixture
def marker(tmp_path: Path) -> Path:
    """What an attack would leave."""
    return tmp_path / "marker"


def program(marker: Path) -> Path:
    """A program that leaves the marker."""
    path = marker.with_name("attack")
    path.write_text(f"#!/bin/sh\ntouch {marker}\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("transports", [TRANSPORTS, "http", "file", ""])
def test_addresses_that_run_programs_are_refused_by_git_too(marker: Path, transports: str) -> None:
    """Should one ever pass our own check, git itself still speaks only what it was told to."""
    git = Git(transports=transports)
    for url in (f"ext::{program(marker)}", f"fd::0/{marker}"):
        with pytest.raises(GitFailed, match="not allowed"):
            asyncio.run(git.run("ls-remote", "--", url))
    assert not marker.exists()


def test_our_own_files_are_no_remote_unless_that_is_set(origin: Repository) -> None:
    """A path is spoken to only where the settings allow local ones."""
    with pytest.raises(GitFailed, match="'file' not allowed"):
        asyncio.run(Git(transports=TRANSPORTS).run("ls-remote", "--", f"file://{origin.path}"))


def test_an_option_in_the_place_of_a_value_is_a_value(origin: Repository, marker: Path) -> None:
    """Behind the end of the options nothing is one any more, whatever it looks like."""
    attack = f"--upload-pack={program(marker)}"
    for arguments in (
        ("ls-remote", "--", attack),
        ("fetch", "--", attack, "main"),
        ("ls-remote", "--", str(origin.path), attack),
    ):
        git = Git(origin.path if arguments[0] == "fetch" else None, transports="file")
        try:
            asyncio.run(git.run(*arguments))
        except GitFailed as error:
            assert error.code is not None  # noqa: PT017  a pattern that fits no ref is no failure
    assert not marker.exists()


def test_the_environment_and_the_home_of_the_controller_change_nothing(
    origin: Repository, marker: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Neither variables nor configuration of whoever started us reach git."""
    attack = program(marker)
    home = tmp_path / "home"
    (home / "git").mkdir(parents=True)
    evil = f'[core]\n\thooksPath = {tmp_path}\n\tsshCommand = {attack}\n[url "ext::{attack}"]\n\tinsteadOf = {origin.path}\n'
    for name in (".gitconfig", "git/config"):
        (home / name).write_text(evil)
    variables = {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home),
        "GIT_SSH_COMMAND": str(attack),
        "GIT_SSH": str(attack),
        "GIT_ASKPASS": str(attack),
        "GIT_PROXY_COMMAND": str(attack),
        "GIT_EXTERNAL_DIFF": str(attack),
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.ext::{attack}.insteadOf",
        "GIT_CONFIG_VALUE_0": str(origin.path),
        "GIT_DIR": "/nowhere",
        "GIT_OBJECT_DIRECTORY": "/nowhere",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    reader = source_of(origin)
    assert [spec.name for spec in fetch(reader).specs] == ["a"]
    signer = ssh_signer(tmp_path, "key")
    keys = {"ssh_key_file": tmp_path / "key", "known_hosts_file": signer.trusted}
    with pytest.raises(SpecSourceUnavailable, match="cannot be reached"):
        fetch(source_of(origin, url="ssh://git@127.0.0.1:9/x", **keys))
    assert not marker.exists()


def test_what_a_repository_says_about_programs_is_not_listened_to(origin: Repository, marker: Path) -> None:
    """Attributes, filters, LFS, hooks, aliases and configuration in it or beside it are files, or nothing."""
    attack = program(marker)
    origin.change(
        {
            ".gitattributes": "* filter=evil diff=evil merge=evil\n*.yaml filter=lfs diff=lfs -text working-tree-encoding=UTF-16\n",
            ".lfsconfig": f'[lfs]\n\turl = "ext::{attack}"\n',
            ".gitconfig": f"[alias]\n\tls-tree = !{attack}\n",
            "config": f"[core]\n\tfsmonitor = {attack}\n",
            "hooks/post-checkout": attack.read_text(),
            "lfs.yaml": "version https://git-lfs.github.com/spec/v1\noid sha256:" + "0" * 64 + "\nsize 1\n",
        }
    )
    (origin.path / "hooks").mkdir()
    for name in ("post-checkout", "reference-transaction", "post-update", "pre-receive", "upload-pack"):
        (origin.path / "hooks" / name).write_text(attack.read_text())
        (origin.path / "hooks" / name).chmod(0o755)
    for setting in ("uploadpack.packObjectsHook", "core.fsmonitor", "filter.evil.smudge", "alias.cat-file"):
        origin.run("config", setting, str(attack))
    tree = fetch(source_of(origin))
    assert [spec.name for spec in tree.specs] == ["a"]
    assert tree.failed_paths == {"lfs.yaml"}
    assert not marker.exists()


def test_a_revision_that_attacks_git_is_not_let_in(origin: Repository, marker: Path) -> None:
    """Objects are checked when they arrive: a submodule's address that is an option is refused, and the mirror is unharmed."""
    reader = source_of(origin)
    before = fetch(reader)
    good = origin.head()
    origin.change({".gitmodules": f'[submodule "x"]\n\tpath = x\n\turl = -u{program(marker)}\n'})
    with pytest.raises(SpecSourceUnavailable, match=r"what the repository holds is refused.*gitmodules"):
        fetch(reader)
    origin.run("update-ref", "refs/heads/main", good)
    assert fetch(reader) is before
    assert not marker.exists()


def test_a_tree_that_leads_out_of_itself_is_not_let_in(origin: Repository) -> None:
    """A path through ``..`` is no path; git refuses the tree that holds one."""
    blob = origin.run("hash-object", "-w", "--stdin", given=schedule_text("out").encode())
    inner = origin.run("mktree", given=f"100644 blob {blob}\tx.yaml\n".encode())
    tree = origin.run("mktree", given=f"040000 tree {inner}\t..\n".encode())
    commit = origin.run("commit-tree", tree, "-m", "m")
    origin.run("update-ref", "refs/heads/main", commit)
    with pytest.raises(SpecSourceUnavailable, match="is refused"):
        fetch(source_of(origin))


def test_an_address_stands_behind_the_end_of_the_options(
    origin: Repository, marker: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Should one that is an option ever pass our own check, git still takes it for an address."""
    attack = f"--upload-pack={program(marker)}"
    with pytest.raises(GitFailed):
        asyncio.run(find_tip(Git(transports="file"), attack, ""))
    assert not marker.exists()

    said: list[tuple[str, ...]] = []

    async def run(_: Git, *arguments: str, **__: object) -> bytes:
        said.append(arguments)
        return b""

    monkeypatch.setattr(Git, "run", run)
    tip = Tip("main", "a" * 40, "a" * 40)
    mirror = Mirror(origin.path, SystemClock())
    asyncio.run(mirror.download(Git(), Place(attack, attack, "file"), tip, history=False))
    (arguments,) = said
    assert arguments.index("--") < arguments.index(attack)
