"""Who acts on a platform: the only controller there is, and one of two."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import pytest

from controller.adapters.election.memory import Leases, MemoryElection
from controller.adapters.election.single import SingleNodeElection
from controller.adapters.stores.memory import MemoryStore
from controller.errors import Fenced

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)

T = TypeVar("T")


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run one call to its end."""
    return asyncio.run(coroutine)


@dataclass
class HandClock:
    """A clock that a test moves."""

    seconds: float = 0.0

    def now(self) -> datetime:
        """Noon and the seconds."""
        return NOON + timedelta(seconds=self.seconds)

    def boottime(self) -> float:
        """The seconds."""
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        """Move on at once."""
        self.seconds += seconds


@dataclass
class Pair:
    """Two controllers on one state and one table of leases of 15 s."""

    clock: HandClock = field(default_factory=HandClock)
    store: MemoryStore = field(default_factory=MemoryStore)

    def __post_init__(self) -> None:
        leases, self.other_store = Leases(term=15), self.store.beside()
        self.one = MemoryElection(leases, "one", self.store, self.clock)
        self.two = MemoryElection(leases, "two", self.other_store, self.clock)


@pytest.fixture
def pair() -> Pair:
    """Nobody holds anything."""
    return Pair()


def test_a_single_node_keeps_its_epoch() -> None:
    """Asked again and again, and after a release, it is the same one."""
    election = SingleNodeElection(MemoryStore(), HandClock(), "host/1")
    assert [run(election.acquire("acme")), run(election.acquire("acme"))] == [1, 1]
    run(election.release("acme"))
    assert run(election.acquire("acme")) == 1


def test_a_restarted_single_node_has_a_higher_epoch() -> None:
    """A process that is not quite dead yet is fenced off by the next one."""
    store = MemoryStore()
    before, after = (SingleNodeElection(handle, HandClock(), "host/1") for handle in (store, store.beside()))
    assert [run(before.acquire("acme")), run(after.acquire("acme"))] == [1, 2]
    with pytest.raises(Fenced):
        run(store.save_jobs("acme", [], through=NOON))


def test_a_lease_that_is_asked_for_is_kept(pair: Pair) -> None:
    """Who asks often enough stays, with one epoch, and the other one waits."""
    for _ in range(10):
        assert (run(pair.one.acquire("acme")), run(pair.two.acquire("acme"))) == (1, None)
        pair.clock.seconds += 14.9


def test_a_lease_that_ran_out_is_taken_over(pair: Pair) -> None:
    """The other one gets a higher epoch; who comes back neither holds nor writes, and need not wait for ever."""
    run(pair.one.acquire("acme"))
    pair.clock.seconds += 15
    assert (run(pair.two.acquire("acme")), run(pair.one.acquire("acme"))) == (2, None)
    with pytest.raises(Fenced):
        run(pair.store.save_jobs("acme", [], through=NOON))
    pair.clock.seconds += 15
    assert (run(pair.one.acquire("acme")), run(pair.two.acquire("acme"))) == (3, None)


def test_a_lease_that_ran_out_is_never_revived(pair: Pair) -> None:
    """Also where nobody else took it: a new epoch says that it was lost in between."""
    assert run(pair.one.acquire("acme")) == 1
    pair.clock.seconds += 15
    assert run(pair.one.acquire("acme")) == 2


def test_a_released_lease_is_free_at_once(pair: Pair) -> None:
    """Nobody waits for its end; a release of what another one holds changes nothing."""
    run(pair.one.acquire("acme"))
    run(pair.two.release("acme"))
    assert run(pair.two.acquire("acme")) is None
    run(pair.one.release("acme"))
    assert run(pair.two.acquire("acme")) == 2


def test_platforms_are_elected_one_by_one(pair: Pair) -> None:
    """Each may have another holder."""
    assert (run(pair.one.acquire("acme")), run(pair.two.acquire("other"))) == (1, 1)
    assert (run(pair.one.acquire("other")), run(pair.two.acquire("acme"))) == (None, None)
