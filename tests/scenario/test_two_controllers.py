"""Two controllers over one store and one platform: one acts, and when it is frozen the other goes on.

One that is frozen after its last look at the clock and before its POST leaves the machine is not played: it sends whenever it returns, and
no store can stop it. Longer than T_resolve, that is a second job, of which only the platform could know better.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast

import pytest

from controller.adapters.election.memory import Leases, MemoryElection
from controller.adapters.stores.memory import MemoryStore
from controller.model.event import EventName
from controller.model.identity import ConnectionRef
from controller.ports.platform import Platform
from controller.ports.store import Store
from controller.reconcile.loop import Loop
from controller.reconcile.restored import Restorers
from controller.reconcile.world import World
from controller.simulation.virtual_time import VirtualCadence
from tests.fakes.platform import Behaviour
from tests.scenario.stage import EventLog, Stage, _restore, _restore_policy, play

TERM_SECONDS = 15
SHORT = Behaviour(timedelta(seconds=2))


@dataclass
class Ice:
    """Freezes a controller where it next touches the world, as a stopped process is: it does nothing more, and knows nothing of it.

    ``before`` and ``after`` name the one call at which it freezes by itself: the call is not made yet, or its answer is not read yet.
    """

    before: str = ""
    after: str = ""
    thawed: asyncio.Event = field(default_factory=asyncio.Event)
    calls: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.thawed.set()

    @property
    def is_frozen(self) -> bool:
        """Whether the controller stands still."""
        return not self.thawed.is_set()

    async def call(self, name: str, method: Callable[..., Awaitable[Any]], *args: Any, **kwargs: Any) -> Any:
        """Make one call of the controller, when it may go on."""
        if name == self.before:
            self.before = ""
            self.thawed.clear()
        await self.thawed.wait()
        self.calls[name] += 1
        try:
            return await method(*args, **kwargs)
        finally:
            if name == self.after:
                self.after = ""
                self.thawed.clear()
            await self.thawed.wait()


class Iced:
    """A port whose calls an `Ice` may stop."""

    def __init__(self, ice: Ice, port: object) -> None:
        self._ice = ice
        self._port = port

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._port, name)

        async def call(*args: Any, **kwargs: Any) -> Any:
            return await self._ice.call(name, method, *args, **kwargs)

        return call if asyncio.iscoroutinefunction(method) else method


@dataclass
class Controller:
    """One of the two: its life, its ice, and what it told."""

    loop: Loop
    ice: Ice
    log: EventLog
    stop: asyncio.Event
    task: asyncio.Task[None]

    async def end(self) -> None:
        """End it as an operator would."""
        self.stop.set()
        await self.task


def make(stage: Stage, name: str, leases: Leases, store: MemoryStore) -> tuple[Loop, Ice, EventLog]:
    """A controller with its own handle on the store."""
    ice, log = Ice(), EventLog()
    handle = cast("Store", Iced(ice, store))
    world = World(
        clock=stage.clock,
        cadence=VirtualCadence(stage.loop),
        store=handle,
        election=MemoryElection(leases, name, handle, stage.clock),
        spec_source=stage.specs,
        telemetry=log,
        platforms={"default": (cast("Platform", Iced(ice, stage.platform)), stage.profile)},
        restorers=Restorers(_restore, _restore_policy),
        version="test",
        specs_label="memory",
        spec_poll=timedelta(seconds=2),
    )
    return Loop(world), ice, log


def begin(stage: Stage, name: str, leases: Leases, store: MemoryStore) -> Controller:
    """Start a controller."""
    loop, ice, log = make(stage, name, leases, store)
    stop = asyncio.Event()
    return Controller(loop, ice, log, stop, asyncio.create_task(loop.run(stop)))


async def pair_of(stage: Stage) -> tuple[Controller, Controller]:
    """Two controllers, of which the first one acts."""
    leases = Leases(TERM_SECONDS)
    first = begin(stage, "first", leases, stage.store)
    await stage.run_for(1)
    return first, begin(stage, "second", leases, stage.store.beside())


def held(controller: Controller) -> list[Any]:
    """The epochs under which it acted."""
    return [event.fields["epoch"] for event in controller.log.of(EventName.PLATFORM_HELD)]


async def freeze_and_return(stage: Stage, controller: Controller, where: Mapping[str, str]) -> None:
    """Freeze it at a call, let twice the lease's term pass, and let it go on."""
    controller.ice.before, controller.ice.after = where.get("before", ""), where.get("after", "")
    for _ in range(100):
        if controller.ice.is_frozen:
            break
        await stage.run_for(0.5)
    assert controller.ice.is_frozen
    await stage.run_for(2 * TERM_SECONDS)
    controller.ice.thawed.set()


async def once_each(stage: Stage, ref: ConnectionRef) -> None:
    """No slot has two jobs, none was lost, and no job is without a slot."""
    records = await stage.slots(ref)
    assert [record.word for record in records if record.outcome.is_final] == ["Triggered"] * len(records)
    assert sorted(r.job_id or "" for r in records) == sorted(job.job_id for job in stage.platform.jobs)
    instants = [record.slot.scheduled_at for record in records]
    assert instants == [instants[0] + n * timedelta(seconds=60) for n in range(len(instants))]


def test_one_acts_and_the_other_waits() -> None:
    """While the first one asks for its lease, the second neither lists nor writes; the specs it reads."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("shop", "schedules:\n  - every: 60s", SHORT)
        first, second = await pair_of(stage)
        await stage.run_for(600)
        assert (held(first), held(second)) == ([1], [])
        assert second.loop.mind.loaded
        assert second.ice.calls.keys() & {"list_jobs", "trigger_sync", "apply", "claim", "save_jobs"} == set()
        assert len(stage.platform.jobs) == 10
        await once_each(stage, ref)
        await second.end()
        await first.end()

    play(scenario)


def test_a_controller_that_stops_hands_over_at_once() -> None:
    """A graceful stop frees the lease: the other one need not wait for its end, and goes on with what is in the store."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("shop", "schedules:\n  - every: 60s", SHORT)
        first, second = await pair_of(stage)
        await stage.run_for(150)
        await first.end()
        await stage.run_for(8)
        assert held(second) == [2]
        await stage.run_for(300)
        await once_each(stage, ref)
        await second.end()

    play(scenario)


@pytest.mark.parametrize(
    ("where", "posts"),
    [
        pytest.param({"before": "claim"}, 0, id="before-claim"),
        pytest.param({"after": "claim"}, 0, id="after-claim"),
        pytest.param({"after": "trigger_sync"}, 1, id="after-post"),
        pytest.param({"before": "confirm"}, 1, id="before-record"),
        pytest.param({"after": "list_jobs"}, 0, id="in-listing"),
    ],
)
def test_a_frozen_controller_is_replaced_and_harms_nothing_when_it_returns(where: dict[str, str], posts: int) -> None:
    """The other one takes over under a higher epoch; what the first wants to write is refused, and no POST of it leaves late."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("shop", "schedules:\n  - every: 60s", SHORT)
        first, second = await pair_of(stage)
        await stage.run_for(90)
        sent = first.ice.calls["trigger_sync"]
        await freeze_and_return(stage, first, where)
        assert (held(first), held(second)) == ([1], [2])
        await stage.run_for(200)

        assert first.ice.calls["trigger_sync"] - sent == posts
        (lost,) = first.log.of(EventName.PLATFORM_LOST)
        assert lost.fields["platform"] == "default"
        assert held(first) == [1]
        assert first.log.of(EventName.CYCLE_FAILED) == []
        await once_each(stage, ref)
        await first.end()
        await second.end()

    play(scenario)


def test_a_controller_takes_over_again_from_the_one_that_replaced_it() -> None:
    """Lost and held again: it starts from what the store says, not from what it remembers."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("shop", "schedules:\n  - every: 60s", SHORT)
        first, second = await pair_of(stage)
        await stage.run_for(90)
        await freeze_and_return(stage, first, {"before": "claim"})
        await stage.run_for(200)
        second.ice.thawed.clear()
        await stage.run_for(300)
        assert (held(first), held(second)) == ([1, 3], [2])
        second.ice.thawed.set()
        await stage.run_for(60)
        assert len(second.log.of(EventName.PLATFORM_LOST)) == 1
        await once_each(stage, ref)
        await first.end()
        await second.end()

    play(scenario)


def test_a_full_cycle_says_that_another_controller_acts() -> None:
    """`run --once` beside a controller that acts does nothing, and says why."""

    async def scenario(stage: Stage) -> None:
        stage.schedule("shop", "schedules:\n  - every: 60s", SHORT)
        leases = Leases(TERM_SECONDS)
        first = begin(stage, "first", leases, stage.store)
        await stage.run_for(1)
        second, _, _ = make(stage, "second", leases, stage.store.beside())
        assert await second.once() == "default: another controller acts on it"
        await first.end()

    play(scenario)


def test_a_post_under_way_is_not_forgotten_with_the_platform() -> None:
    """Lost and held again while a POST waits for its answer: its claim is left alone until it came, and the slot has one job."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("shop", "schedules:\n  - every: 60s", SHORT)
        trigger, answered = stage.platform.trigger_sync, asyncio.Event()

        async def slow(connection_id: str) -> Any:
            await answered.wait()
            return await trigger(connection_id)

        stage.platform.trigger_sync = slow  # type: ignore[method-assign]
        await stage.start()
        await stage.run_for(65)
        assert await stage.words(ref) == ["InDoubt"]
        await stage.store.beside().take("default", "somebody", stage.clock.now())
        await stage.run_for(40)
        assert [event.fields["epoch"] for event in stage.log.of(EventName.PLATFORM_HELD)] == [1, 3]
        assert await stage.words(ref) == ["InDoubt"]
        answered.set()
        await stage.run_for(1)
        await once_each(stage, ref)

    stage = play(scenario)
    assert len(stage.log.of(EventName.PLATFORM_LOST)) == 1
