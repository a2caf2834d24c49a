"""Two revisions of a local repository: what is read, what is missing, and that nothing of a hostile one is ever run."""

import asyncio
import stat
from pathlib import Path, PurePosixPath

import pytest

from controller.adapters.specs.git.revisions import RevisionFiles, read_two, repository_around
from controller.errors import SpecSourceUnavailable
from tests.git_repository import Repository, new_repository
from tests.unit.adapters.specs.git.servers import http, serving

SPECS = PurePosixPath("specs")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """Two commits: the second edits a file and adds one."""
    made = new_repository(tmp_path / "repo")
    made.commit(
        {"specs/a.yaml": "a: 1\n", "specs/deep/b.yml": "b: 1\n", "specs/.hidden.yaml": "", "other/c.yaml": "c: 1\n"}
    )
    made.commit({"specs/a.yaml": "a: 2\n"})
    return made


def read(repository: Path, *revisions: str, path: PurePosixPath = SPECS) -> tuple[RevisionFiles, ...]:
    """Read two revisions."""
    return asyncio.run(read_two(repository_around(repository), path, (revisions[0], revisions[1])))


def test_files_are_named_by_their_path_in_the_repository(repository: Repository) -> None:
    """A reviewer finds them under the names that an error gives."""
    before, after = read(repository.folder, "HEAD~1", "main")
    assert before.files == {"specs/a.yaml": b"a: 1\n", "specs/deep/b.yml": b"b: 1\n"}
    assert after.files == {"specs/a.yaml": b"a: 2\n", "specs/deep/b.yml": b"b: 1\n"}


@pytest.mark.parametrize("revision", ["main", "v1", "HEAD", "refs/heads/main", "HEAD@{0}", "v1^{commit}"])
def test_any_name_of_a_commit_does(repository: Repository, revision: str) -> None:
    """Branches, tags and what rev-parse makes of them."""
    repository.git("tag", "-a", "v1", "-m", "one")
    assert read(repository.folder, revision, revision)[0].commit == repository.git("rev-parse", "HEAD")


def test_the_working_tree_and_the_index_are_not_looked_at(repository: Repository) -> None:
    """Only commits are compared."""
    (repository.folder / "specs/a.yaml").write_text("a: 3\n")
    repository.git("add", "-A")
    assert read(repository.folder, "HEAD", "HEAD")[1].files["specs/a.yaml"] == b"a: 2\n"


def test_a_folder_that_one_revision_lacks_is_empty_there(repository: Repository) -> None:
    """The first commit of a tree, and the last."""
    found = read(repository.folder, "HEAD~1", "HEAD", path=PurePosixPath("later"))
    assert [each.exists for each in found] == [False, False]
    repository.commit({"later/d.yaml": "d: 1\n"})
    assert [each.exists for each in read(repository.folder, "HEAD~1", "HEAD", path=PurePosixPath("later"))] == [
        False,
        True,
    ]


def test_the_whole_repository_may_be_the_folder(repository: Repository) -> None:
    """An empty path is its top."""
    assert "other/c.yaml" in read(repository.folder, "HEAD", "HEAD", path=PurePosixPath())[0].files


@pytest.mark.parametrize(
    ("revisions", "path", "message"),
    [
        (("main", "nowhere"), "specs", 'has no commit "nowhere"; git branch -a and git tag list the names that it has'),
        (("--help", "main"), "specs", 'has no commit "--help"'),
        (("main", "main"), "specs/a.yaml", "specs/a.yaml is no folder in"),
    ],
)
def test_what_is_not_there_is_said(repository: Repository, revisions: tuple[str, str], path: str, message: str) -> None:
    """With what to do about it."""
    with pytest.raises(SpecSourceUnavailable, match=message.replace("(", r"\(")):
        read(repository.folder, *revisions, path=PurePosixPath(path))


def test_a_shallow_clone_is_told_from_a_wrong_name(repository: Repository, tmp_path: Path) -> None:
    """What a job in CI stumbles over first."""
    repository.git("clone", "--quiet", "--depth=1", f"file://{repository.folder}", str(tmp_path / "shallow"))
    with pytest.raises(SpecSourceUnavailable, match="this clone is shallow: fetch the whole history"):
        read(tmp_path / "shallow", "HEAD~1", "HEAD")


def test_no_repository_is_said(tmp_path: Path) -> None:
    """With the option that names one."""
    with pytest.raises(SpecSourceUnavailable, match="is in no Git repository; name one with --repository"):
        repository_around(tmp_path)


def test_a_repository_is_found_from_below_and_from_a_further_working_tree(
    repository: Repository, tmp_path: Path
) -> None:
    """As git finds it, without asking git."""
    repository.git("worktree", "add", "--quiet", str(tmp_path / "second"), "HEAD~1")
    repository.git("clone", "--quiet", "--bare", str(repository.folder), str(tmp_path / "bare.git"))
    for place in (repository.folder / "specs/deep", tmp_path / "second", tmp_path / "bare.git"):
        assert read(place, "main~1", "main")[1].files["specs/a.yaml"] == b"a: 2\n"


def test_links_and_submodules_are_refused_and_located(repository: Repository) -> None:
    """Nothing behind them is read."""
    (repository.folder / "specs/link.yaml").symlink_to("/etc/hostname")
    (repository.folder / "specs/folder").symlink_to("../other")
    repository.commit({})
    found = read(repository.folder, "HEAD", "HEAD")[0]
    assert {(each.origin.path, each.code) for each in found.unreadable} == {
        ("specs/link.yaml", "symlink"),
        ("specs/folder", "symlink"),
    }
    assert "specs/link.yaml" not in found.files


def hostile(repository: Repository, marker: Path) -> None:
    """Give a repository every setting that makes some git command start a program, each of which would leave a mark."""
    program = marker.parent / "program"
    program.write_text(f'#!/bin/sh\necho "$0 $*" >> {marker}\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    hooks = repository.folder / ".git/hooks"
    hooks.mkdir(exist_ok=True)
    for name in ("post-checkout", "post-index-change", "reference-transaction", "fsmonitor-watchman", "pre-auto-gc"):
        (hooks / name).write_text(program.read_text())
        (hooks / name).chmod(0o755)
    included = repository.folder / "included.config"
    included.write_text(f"[core]\n\tfsmonitor = {program}\n\tpager = {program}\n[alias]\n\tcat-file = !{program}\n")
    settings = repository.folder / ".git/config"
    settings.write_text(
        settings.read_text()
        + f"""
[include]
	path = {included}
[core]
	fsmonitor = {program}
	hooksPath = {hooks}
	pager = {program}
	editor = {program}
	worktree = /nonexistent
	askPass = {program}
	sshCommand = {program}
	gitProxy = {program}
	alternateRefsCommand = {program}
	attributesFile = {repository.folder}/.gitattributes
[pager]
	ls-tree = {program}
	cat-file = {program}
	rev-parse = {program}
[alias]
	rev-parse = !{program}
	ls-tree = !{program}
[diff]
	external = {program}
[diff "bad"]
	textconv = {program}
	command = {program}
[filter "bad"]
	clean = {program}
	smudge = {program}
	process = {program}
	required = true
[log]
	showSignature = true
[gpg]
	program = {program}
[gpg "ssh"]
	program = {program}
[uploadpack]
	packObjectsHook = {program}
[credential]
	helper = !{program}
[protocol]
	allow = always
[protocol "ext"]
	allow = always
[remote "origin"]
	url = ext::{program}
	uploadpack = {program}
	promisor = true
	partialclonefilter = blob:none
[extensions]
	partialClone = origin
"""
    )


def lose_a_blob(repository: Repository) -> None:
    """What a partial clone would fetch when it is asked for."""
    blob = repository.git("rev-parse", "HEAD:specs/a.yaml")
    (repository.folder / ".git/objects" / blob[:2] / blob[2:]).unlink()


def test_nothing_of_a_hostile_repository_is_run(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hooks, filters, pagers, aliases, signature programs, remotes: none starts anything, nor changes what is read."""
    repository.commit(
        {
            ".gitattributes": "*.yaml filter=bad diff=bad\n",
            ".gitmodules": '[submodule "x"]\n\tpath = x\n\turl = ext::sh\n',
        }
    )
    clean = read(repository.folder, "HEAD~1", "HEAD")
    marker = tmp_path / "marker"
    hostile(repository, marker)
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", str(tmp_path / "program"))
    monkeypatch.setenv("GIT_SSH_COMMAND", str(tmp_path / "program"))
    monkeypatch.setenv("GIT_PAGER", str(tmp_path / "program"))
    assert read(repository.folder, "HEAD~1", "HEAD") == clean
    assert not marker.exists()


def test_the_hostile_settings_would_be_run_by_git_itself(repository: Repository, tmp_path: Path) -> None:
    """The test above could fail: an ordinary git command leaves the mark."""
    marker = tmp_path / "marker"
    hostile(repository, marker)
    repository.git("--work-tree=.", "status")
    assert marker.exists()
    marker.unlink()
    lose_a_blob(repository)
    with pytest.raises(AssertionError):
        repository.git("cat-file", "-p", "HEAD:specs/a.yaml")
    assert marker.exists()


def test_a_blob_that_is_not_there_is_fetched_by_nobody(repository: Repository, tmp_path: Path) -> None:
    """A repository whose remote is a program, and that lacks an object, is unreadable and nothing else."""
    lose_a_blob(repository)
    marker = tmp_path / "marker"
    hostile(repository, marker)
    with pytest.raises(SpecSourceUnavailable, match="; fetch it whole, without a filter"):
        read(repository.folder, "HEAD~1", "HEAD")
    assert not marker.exists()


def test_a_server_that_could_be_asked_is_not(repository: Repository) -> None:
    """A partial clone fetches what it lacks from an ordinary server, by itself, whenever somebody looks: a review does not."""
    tree = repository.git("rev-parse", "HEAD:specs/deep")
    (repository.folder / ".git/objects" / tree[:2] / tree[2:]).unlink()

    async def main() -> list[str]:
        async with serving(http("404 Not Found")) as server:
            for setting, value in (("url", server.url), ("promisor", "true"), ("partialclonefilter", "blob:none")):
                repository.git("config", f"remote.origin.{setting}", value)
            repository.git("config", "core.repositoryFormatVersion", "1")
            repository.git("config", "extensions.partialClone", "origin")
            with pytest.raises(SpecSourceUnavailable):
                await read_two(repository.folder / ".git", SPECS, ("HEAD", "HEAD"))
            return server.requests

    assert asyncio.run(main()) == []


def test_objects_that_stand_for_others_are_not_followed(repository: Repository) -> None:
    """A replacement in somebody's clone does not change what a commit holds."""
    blob = repository.git("rev-parse", "HEAD:specs/a.yaml")
    repository.git("replace", blob, repository.git("rev-parse", "HEAD:specs/deep/b.yml"))
    assert read(repository.folder, "HEAD", "HEAD")[0].files["specs/a.yaml"] == b"a: 2\n"


def test_a_folder_under_review_passes_for_no_repository(repository: Repository, tmp_path: Path) -> None:
    """Files of a branch may look like a bare repository, with a history of their own that shows nothing to review."""
    inner = repository.folder / "specs/inner"
    repository.git("clone", "--quiet", "--bare", str(repository.folder), str(inner))
    with pytest.raises(SpecSourceUnavailable, match="looks like a repository and lies in the working tree of"):
        repository_around(inner)
    inner.rename(tmp_path / "outside")
    assert repository_around(tmp_path / "outside") == tmp_path / "outside"
