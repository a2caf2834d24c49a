"""A source that knows the revision before: what it reads by what changed is what one reads that knows nothing."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

from controller.adapters.specs.yaml_tree import BYTES_MAX
from controller.model.schedule import Origin, ScheduleSpec
from tests.fakes.spec_source import policy_text, schedule_text
from tests.git_repository import Content, Link
from tests.unit.adapters.specs.git.repositories import (
    Repository,
    fetch,
    repository,
    source_of,
)

COMMITS: tuple[Mapping[str, Content], ...] = (
    {"a.yaml": schedule_text("a", "7h"), "README.md": "not a spec"},
    {"README.md": "still none"},
    {"b/moved.yaml": schedule_text("b"), "b.yaml": None},
    {"A.yaml": schedule_text("d"), "x\ny.yaml": schedule_text("e")},
    {"A.yaml": None, "x\ny.yaml": None, "c.yaml": Link("a.yaml"), "big.yaml": "#" * (BYTES_MAX + 1)},
    {"c.yaml": schedule_text("a"), "big.yaml": None, "p.yaml": policy_text("p")},
    {"c.yaml": None, "p.yaml": policy_text("p", "  freeze: true\n")},
    {"a.yaml": None},
    {"a.yaml": schedule_text("a")},
)
DELTAS = (True, True, True, False, False, False, False, True, True)
"""After which commits the schedules that changed are all that differs."""


@pytest.fixture
def origin(tmp_path: Path) -> Repository:
    """A repository with two specs on its main branch."""
    made = repository(tmp_path / "origin")
    made.publish({"a.yaml": schedule_text("a"), "b.yaml": schedule_text("b")})
    return made


def contents(specs: Iterable[ScheduleSpec]) -> set[tuple[Origin, str]]:
    """Where each stands, and what it says."""
    return {(spec.origin, spec.content) for spec in specs}


def test_a_tree_read_by_its_changes_is_the_tree(origin: Repository, tmp_path: Path) -> None:
    """Renames, removals, links, odd names, cases, policies and what is no spec: each commit gives the same tree both ways."""
    told = source_of(origin)
    before, deltas = fetch(told), []
    for number, change in enumerate(COMMITS):
        origin.change(change)
        tree = fetch(told)
        assert tree == fetch(source_of(origin, mirrors=tmp_path / f"mirrors-{number}"))
        deltas.append(tree.delta is not None)
        if tree.delta is not None:
            assert tree.delta.since == before.revision
            was, now, gone, come = map(contents, (before.specs, tree.specs, tree.delta.before, tree.delta.after))
            assert now - was <= come <= now
            assert was - now <= gone <= was
        before = tree
    assert tuple(deltas) == DELTAS
