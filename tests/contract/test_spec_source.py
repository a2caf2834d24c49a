"""What every spec source keeps, whatever it reads from."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from controller.adapters.specs.directory import DirectorySpecSource
from controller.errors import SpecSourceUnavailable
from controller.ports.spec_source import SpecSource, SpecTree
from tests.fakes.spec_source import MemorySpecSource, policy_text, schedule_text
from tests.unit.adapters.specs.git.repositories import repository, source_of


@dataclass(frozen=True, slots=True)
class Subject:
    """A source, how to publish a tree to it, and how to make it unavailable."""

    source: SpecSource
    publish: Callable[[Mapping[str, str]], None]
    break_down: Callable[[], object]

    def fetch(self) -> SpecTree:
        """Read the newest revision."""
        return asyncio.run(self.source.fetch())


def memory(tmp_path: Path) -> Subject:
    """The fake."""
    source = MemorySpecSource()
    return Subject(source, source.set_texts, source.fail_next)


def directory(tmp_path: Path) -> Subject:
    """A link to a directory, as git-sync publishes it."""
    link = tmp_path / "current"
    published: list[Path] = []

    def publish(texts: Mapping[str, str]) -> None:
        root = tmp_path / f"revision-{len(published)}"
        for path, text in texts.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)
        root.mkdir(exist_ok=True)
        published.append(root)
        link.unlink(missing_ok=True)
        link.symlink_to(root)

    return Subject(DirectorySpecSource(link, None), publish, lambda: link.unlink(missing_ok=True))


def git(tmp_path: Path) -> Subject:
    """A branch of a repository."""
    origin = repository(tmp_path / "origin")
    away = tmp_path / "away"

    def publish(texts: Mapping[str, str]) -> None:
        if away.exists():
            away.rename(origin.path)
        origin.publish(texts)

    return Subject(source_of(origin), publish, lambda: origin.path.rename(away))


@pytest.fixture(params=[memory, directory, git], ids=["memory", "directory", "git"])
def subject(request: pytest.FixtureRequest, tmp_path: Path) -> Subject:
    """Each source in turn."""
    build: Callable[[Path], Subject] = request.param
    return build(tmp_path)


def test_a_fetch_returns_the_whole_tree(subject: Subject) -> None:
    """Every valid document is there, ordered by path and line, with its path relative to the tree."""
    subject.publish({"b.yaml": schedule_text("b"), "a/a.yaml": schedule_text("a2") + "---\n" + schedule_text("a1")})
    tree = subject.fetch()
    assert [(spec.name, str(spec.origin)) for spec in tree.specs] == [
        ("a2", "a/a.yaml:1"),
        ("a1", "a/a.yaml:9"),
        ("b", "b.yaml:1"),
    ]
    assert (tree.errors, tree.files, tree.failed_paths) == ((), 2, frozenset())


def test_a_fetch_returns_the_policies(subject: Subject) -> None:
    """Every valid policy is there beside the schedules, as written."""
    subject.publish(
        {"p.yaml": policy_text("b") + "---\n" + policy_text("a", "  freeze: true\n"), "s.yaml": schedule_text("s")}
    )
    tree = subject.fetch()
    assert [(policy.name, str(policy.origin)) for policy in tree.policies] == [("b", "p.yaml:1"), ("a", "p.yaml:7")]
    assert ([spec.name for spec in tree.specs], [spec.freezes for spec in tree.specs]) == (["s"], [()])


def test_an_empty_tree_is_a_tree(subject: Subject) -> None:
    """Nothing to read is an answer, not a failure."""
    subject.publish({})
    assert (subject.fetch().specs, subject.fetch().files) == ((), 0)


def test_an_unchanged_tree_keeps_its_revision(subject: Subject) -> None:
    """Reading twice gives the same value."""
    subject.publish({"a.yaml": schedule_text("a")})
    assert subject.fetch() == subject.fetch()


def test_a_changed_tree_is_another_revision(subject: Subject) -> None:
    """A new content is seen at the next fetch, under a new name."""
    subject.publish({"a.yaml": schedule_text("a")})
    before = subject.fetch()
    subject.publish({"a.yaml": schedule_text("a", every="7h")})
    after = subject.fetch()
    assert before.revision != after.revision
    assert [spec.entries[0].text for spec in after.specs] == ["7h"]


def test_a_rejected_file_is_named_and_harms_no_other(subject: Subject) -> None:
    """An error has its place, its file counts as failed, and the other specs are there."""
    subject.publish({"a.yaml": schedule_text("a", more="  nope: 1\n"), "b.yaml": schedule_text("b")})
    tree = subject.fetch()
    assert str(tree.errors[0]).startswith("a.yaml:8:3: unknown-key: ")
    assert ([spec.name for spec in tree.specs], tree.failed_paths) == (["b"], frozenset({"a.yaml"}))


def test_duplicates_are_errors_and_stay_specs(subject: Subject) -> None:
    """Who claims a connection twice is told, and the controller sees both claims."""
    subject.publish({"a.yaml": schedule_text("a"), "b.yaml": schedule_text("a")})
    tree = subject.fetch()
    assert {error.code for error in tree.errors} == {"duplicate-name", "duplicate-connection"}
    assert len(tree.specs) == 2


def test_a_source_that_cannot_be_read_raises(subject: Subject) -> None:
    """A failure is never an empty tree, and is over as soon as the source is back."""
    texts = {"a.yaml": schedule_text("a")}
    subject.publish(texts)
    subject.break_down()
    with pytest.raises(SpecSourceUnavailable):
        subject.fetch()
    subject.publish(texts)
    assert [spec.name for spec in subject.fetch().specs] == ["a"]
