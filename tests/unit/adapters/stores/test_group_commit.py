"""Writes of one turn of the loop share a commit, and nothing else: neither their errors nor their fate."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Collection
from pathlib import Path

import pytest

from controller.adapters.stores.group_commit import GroupCommit
from controller.adapters.stores.store_file import StoreFile, StoreMode
from controller.errors import Fenced, StoreUnavailable

Write = Callable[[sqlite3.Connection], int]


class Commits:
    """A store file of which every statement is noted."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file = StoreFile.open(path, StoreMode.ACT)
        self.asked: list[list[str]] = []
        self.group = GroupCommit(self.file, self._fence)
        self.statements: list[str] = []
        with self.file.reading() as database:
            database.set_trace_callback(self.statements.append)

    def _fence(self, _: sqlite3.Connection, platforms: Collection[str]) -> None:
        self.asked.append(list(platforms))
        if "lost" in platforms:
            raise Fenced("lost", "it is another's")

    def commits(self) -> int:
        """How many transactions were committed since the start."""
        return sum(statement == "COMMIT" for statement in self.statements)

    def kept(self) -> list[str]:
        """What another connection reads."""
        with sqlite3.connect(f"{self.path.as_uri()}?mode=ro", uri=True) as database:
            return [name for (name,) in database.execute("SELECT name FROM policy ORDER BY name")]


@pytest.fixture
def store(tmp_path: Path) -> Commits:
    """A new store."""
    return Commits(tmp_path / "store.db")


def keep(name: str) -> Write:
    """Write a row; a name that is there already is refused."""

    def write(database: sqlite3.Connection) -> int:
        return database.execute("INSERT INTO policy (name, path, content) VALUES (?, '', '')", (name,)).rowcount

    return write


async def together(*waiting: Awaitable[int]) -> list[int | BaseException]:
    """Let all of them write in one turn."""
    return await asyncio.gather(*waiting, return_exceptions=True)


def test_writes_of_one_turn_share_a_commit(store: Commits) -> None:
    """Thirty-two tasks that write at once wait for the disk once."""

    async def main() -> list[int | BaseException]:
        return await together(*(store.group.run(keep(f"p{number:02}")) for number in range(32)))

    assert asyncio.run(main()) == [1] * 32
    assert (store.commits(), len(store.kept())) == (1, 32)


def test_it_is_durable_when_it_returns(store: Commits) -> None:
    """Another connection reads a write as soon as its caller goes on."""

    async def main() -> list[str]:
        await store.group.run(keep("p"))
        return store.kept()

    assert asyncio.run(main()) == ["p"]


def test_a_refused_row_is_its_callers_alone(store: Commits) -> None:
    """Of three writes the second is refused: the other two are written, and only its caller hears of it."""

    async def main() -> list[int | BaseException]:
        await store.group.run(keep("b"))
        return await together(*(store.group.run(keep(name)) for name in "abc"))

    first, second, third = asyncio.run(main())
    assert (first, third) == (1, 1)
    assert isinstance(second, StoreUnavailable)
    assert store.kept() == ["a", "b", "c"]


def test_an_error_of_our_own_is_its_callers_alone(store: Commits) -> None:
    """What is no error of SQLite settles its waiter too, undoes what it wrote, and leaves nobody waiting."""

    def fails(database: sqlite3.Connection) -> int:
        keep("half")(database)
        raise LookupError("no such slot")

    async def main() -> list[int | BaseException]:
        async with asyncio.timeout(5):
            return await together(store.group.run(keep("a")), store.group.run(fails), store.group.run(keep("c")))

    first, second, third = asyncio.run(main())
    assert (first, third) == (1, 1)
    assert isinstance(second, LookupError)
    assert store.kept() == ["a", "c"]


def test_storage_that_fails_fails_all_at_once(store: Commits) -> None:
    """On a locked file every one of a hundred writes would wait its turn: all fail with the first, each with an error of its own."""
    with store.file.reading() as database:
        database.execute("PRAGMA busy_timeout = 20")
    other = sqlite3.connect(store.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    async def main() -> list[int | BaseException]:
        return await together(*(store.group.run(keep(f"p{number}")) for number in range(100)))

    found = asyncio.run(main())
    assert all(isinstance(error, StoreUnavailable) for error in found)
    assert len({id(error) for error in found}) == 100
    assert sum(statement.startswith("BEGIN IMMEDIATE") for statement in store.statements) <= 1
    other.execute("ROLLBACK")
    assert store.kept() == []


def test_who_is_cancelled_before_the_commit_writes_nothing(store: Commits) -> None:
    """A task that is cancelled in the turn in which it asks has not written, and harms no other."""

    async def main() -> None:
        lost = asyncio.ensure_future(store.group.run(keep("lost")))
        kept = asyncio.ensure_future(store.group.run(keep("kept")))
        # After both have asked, and before the commit, which is put behind them.
        asyncio.get_running_loop().call_soon(lost.cancel)
        await kept

    asyncio.run(main())
    assert store.kept() == ["kept"]


def test_a_platform_is_asked_about_once_for_all_its_writes(store: Commits) -> None:
    """Thirty writes for two platforms and one for none: one look at each platform, and one commit."""

    async def main() -> list[int | BaseException]:
        platforms = [*["two", "one"] * 15, None]
        return await together(*(store.group.run(keep(f"p{n}"), name) for n, name in enumerate(platforms)))

    assert asyncio.run(main()) == [1] * 31
    assert (store.asked, store.commits()) == ([["one", "two"]], 1)


def test_a_platform_that_is_lost_takes_no_other_along(store: Commits) -> None:
    """Of three writes of one turn the one for a lost platform is refused; the others are written."""

    async def main() -> list[int | BaseException]:
        named = (("a", "held"), ("b", "lost"), ("c", None))
        return await together(*(store.group.run(keep(name), platform) for name, platform in named))

    first, second, third = asyncio.run(main())
    assert (first, third) == (1, 1)
    assert isinstance(second, Fenced)
    assert store.kept() == ["a", "c"]
