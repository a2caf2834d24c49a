"""Fast-forward-only: what does not descend from the revision in force is refused, whatever was fetched before."""

from pathlib import Path

import pytest

from controller.adapters.specs.git.lineage import commit_of
from controller.errors import SpecSourceUnavailable
from tests.fakes.spec_source import schedule_text
from tests.unit.adapters.specs.git.repositories import Repository, fetch, repository, source_of


@pytest.fixture
def origin(tmp_path: Path) -> Repository:
    """A repository with three commits."""
    made = repository(tmp_path / "origin")
    for hours in (6, 7, 8):
        made.publish({"a.yaml": schedule_text("a", every=f"{hours}h")})
    return made


def test_a_push_is_taken_and_a_rewind_is_refused(origin: Repository) -> None:
    """A descendant is applied; an ancestor is refused with both commits and the setting, again and again, until there is a descendant."""
    reader = source_of(origin, fast_forward_only=True)
    applied = fetch(reader).revision
    origin.change({"b.yaml": schedule_text("b")})
    applied = fetch(reader, applied).revision
    head, older = origin.head(), origin.run("rev-parse", "main~2")
    origin.run("update-ref", "refs/heads/main", older)
    for _ in range(2):
        with pytest.raises(SpecSourceUnavailable, match=f"{older} does not descend from {head}.*fast_forward_only"):
            fetch(reader, applied)
    origin.run("update-ref", "refs/heads/main", head)
    assert fetch(reader, applied).revision == applied
    origin.change({"c.yaml": schedule_text("c")})
    assert fetch(reader, applied).revision == f"main@sha1:{origin.head()}"


def test_a_rewritten_history_is_refused_by_a_new_process_too(origin: Repository) -> None:
    """A mirror that never saw the old commit cannot find it among the ancestors, which is an answer and no damage."""
    applied = f"main@sha1:{origin.head()}"
    origin.run("update-ref", "-d", "refs/heads/main")
    origin.publish({"a.yaml": schedule_text("a")})
    origin.run("gc", "--quiet", "--prune=now")
    with pytest.raises(SpecSourceUnavailable, match="does not descend"):
        fetch(source_of(origin, fast_forward_only=True), applied)
    assert fetch(source_of(origin), applied).revision == f"main@sha1:{origin.head()}"


def test_a_revision_that_was_read_but_never_applied_is_judged_by_what_is_applied(origin: Repository) -> None:
    """The head did not change since the last read; what is in force did, and it is not behind the head."""
    reader = source_of(origin, fast_forward_only=True)
    assert fetch(reader).specs
    origin.run("branch", "side", "main~1")
    origin.change({"x.yaml": schedule_text("x")}, branch="side")
    side = fetch(source_of(origin, ref="side", fast_forward_only=True)).revision
    with pytest.raises(SpecSourceUnavailable, match="does not descend"):
        fetch(reader, side)


def test_the_mode_can_be_switched_on_over_a_mirror_without_history(origin: Repository) -> None:
    """What a shallow mirror lacks is fetched, and a plain push is seen to be one."""
    applied = fetch(source_of(origin)).revision
    origin.change({"b.yaml": schedule_text("b")})
    fetch(source_of(origin), applied)
    origin.change({"c.yaml": schedule_text("c")})
    assert len(fetch(source_of(origin, fast_forward_only=True), applied).specs) == 3


@pytest.mark.parametrize(
    ("revision", "commit"),
    [
        ("", ""),
        ("main@sha1:" + "a" * 40, "a" * 40),
        ("sha1:" + "a" * 40, "a" * 40),
        ("v1@sha256:" + "b" * 64, "b" * 64),
        ("dir@sha1:" + "a" * 40, "a" * 40),
        ("dir@sha256:" + "b" * 64, ""),
        ("refs/pull/1/head@sha1:" + "a" * 40, "a" * 40),
        ("memory@3", ""),
    ],
)
def test_only_a_commit_has_descendants(revision: str, commit: str) -> None:
    """A name made of a directory's contents says nothing about history; git-sync's directories do."""
    assert commit_of(revision) == commit
