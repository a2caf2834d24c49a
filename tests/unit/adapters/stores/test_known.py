"""What is not read again by the one that acts on a file, because nobody else may write it; and when it is read again after all."""

from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest

from controller.adapters.stores.sqlite import SqliteStore, StoreMode
from controller.errors import Fenced, StoreUnavailable
from controller.model.revision import AppliedRevision, Revisions
from tests.unit.adapters.stores.samples import NOON, acting, alter, job_of, minute, reading, run

FIRST = Revisions(AppliedRevision("main@sha1:1", minute(0)))
SECOND = Revisions(AppliedRevision("main@sha1:2", minute(1)))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a store may be."""
    return tmp_path / "store.db"


def statements_of(store: SqliteStore, *questions: Coroutine[Any, Any, Any]) -> list[str]:
    """What the file is asked while these are answered."""
    asked: list[str] = []
    with store._file.reading() as database:
        database.set_trace_callback(asked.append)
    for question in questions:
        run(question)
    return asked


def test_what_is_in_force_is_read_once(path: Path) -> None:
    """The election asks every few seconds, and each look at the specs asks too: neither costs a statement."""
    store = acting(path)
    assert len(statements_of(store, store.epoch("acme"), store.revisions())) == 2
    assert statements_of(store, store.epoch("acme"), store.beside().revisions(), store.revisions()) == []
    run(store.close())


def test_a_write_is_compared_with_the_file_all_the_same(path: Path) -> None:
    """Where the lock kept nobody out, the first write is refused, and from then on the handle knows that it holds nothing."""
    store = acting(path)
    assert run(store.epoch("acme")) == 1
    alter(path, "UPDATE epoch SET epoch = 2 WHERE platform = 'acme';")
    with pytest.raises(Fenced):
        run(store.save_jobs("acme", [job_of("1")]))
    assert run(store.epoch("acme")) is None
    assert run(store.take("acme", "test", NOON)) == 3
    run(store.close())


def test_what_a_failed_take_has_done_is_read(path: Path) -> None:
    """A commit may be there although its answer never came."""
    store = acting(path)
    assert run(store.epoch("acme")) == 1
    alter(path, "CREATE TRIGGER cut BEFORE UPDATE ON epoch BEGIN SELECT RAISE(ABORT, 'cut'); END;")
    with pytest.raises(StoreUnavailable):
        run(store.take("acme", "test", NOON))
    alter(path, "DROP TRIGGER cut; UPDATE epoch SET epoch = 2 WHERE platform = 'acme';")
    assert run(store.epoch("acme")) is None
    run(store.close())


def test_what_failed_to_be_kept_of_revisions_is_read(path: Path) -> None:
    """The same of revisions."""
    store = acting(path)
    run(store.keep_revisions(FIRST))
    assert run(store.revisions()) == FIRST
    alter(path, "CREATE TRIGGER cut BEFORE INSERT ON revision_applied BEGIN SELECT RAISE(ABORT, 'cut'); END;")
    with pytest.raises(StoreUnavailable):
        run(store.keep_revisions(SECOND))
    alter(path, "DROP TRIGGER cut; UPDATE revision_applied SET name = 'main@sha1:3';")
    assert run(store.revisions()) == Revisions(AppliedRevision("main@sha1:3", minute(0)))
    run(store.close())


def test_who_only_looks_reads_each_time(path: Path) -> None:
    """The controller goes on to a new revision while a page is open."""
    store = acting(path)
    page = reading(path)
    for revisions in (FIRST, SECOND):
        run(store.keep_revisions(revisions))
        assert (run(page.revisions()), run(store.revisions())) == (revisions, revisions)
    run(page.close())
    run(store.close())


def test_who_only_asks_changes_nothing_of_it(path: Path) -> None:
    """The controller would not see that somebody else took its platform, or put another revision in force."""
    store = acting(path)
    command = SqliteStore.open(path, mode=StoreMode.ASK)
    with pytest.raises(StoreUnavailable, match="is open for asking only"):
        run(command.take("acme", "command", NOON))
    with pytest.raises(StoreUnavailable, match="is open for asking only"):
        run(command.keep_revisions(FIRST))
    assert (run(store.epoch("acme")), run(command.epoch("acme"))) == (1, None)
    run(command.close())
    run(store.close())
