"""What a controller knows of the platforms that it acts on."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from controller.adapters.cadence import ApschedulerCadence
from controller.adapters.stores.memory import MemoryStore
from controller.errors import Fenced, StoreUnavailable
from controller.model.event import EventName
from controller.model.identity import ConnectionRef
from controller.model.profile import EMBEDDED
from controller.reconcile.gather import Mind
from controller.reconcile.holding import ASK_AGAIN_SECONDS, Holding
from controller.reconcile.restored import Restorers
from controller.reconcile.world import World
from controller.simulation.virtual_time import VirtualClock, VirtualTimeLoop
from tests.fakes.platform import FakePlatform
from tests.fakes.spec_source import MemorySpecSource
from tests.scenario.stage import EventLog

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Scripted:
    """An election that answers what a test sets, and fails where it sets nothing."""

    def __init__(self) -> None:
        self.answers: dict[str, int | None] = {}

    async def acquire(self, platform: str) -> int | None:
        """The answer."""
        if platform not in self.answers:
            raise StoreUnavailable("the disk is full")
        return self.answers[platform]

    async def release(self, platform: str) -> None:
        """Fail, as where the database is what is away."""
        raise StoreUnavailable(f"{platform} cannot be released")


class Bench:
    """A holding of the platforms ``a`` and ``b``."""

    def __init__(self, loop: VirtualTimeLoop) -> None:
        self.loop, self.election, self.log, self.mind = loop, Scripted(), EventLog(), Mind()
        self.clock = VirtualClock(loop)
        fake = FakePlatform(self.clock)
        world = World(
            clock=self.clock,
            cadence=ApschedulerCadence(),
            store=MemoryStore(),
            election=self.election,
            spec_source=MemorySpecSource(),
            telemetry=self.log,
            platforms={"a": (fake, EMBEDDED), "b": (fake, EMBEDDED)},
            restorers=Restorers(lambda _: None),
            version="test",
            specs_label="memory",
        )
        self.holding = Holding(world, self.mind, lambda: None)

    def ask(self, **answers: int | None) -> None:
        """Let time pass, and ask an election that answers so."""
        self.election.answers = dict(answers)
        self.loop.run_until_complete(self.clock.sleep(ASK_AGAIN_SECONDS))
        self.loop.run_until_complete(self.holding.ask())

    def told(self) -> list[tuple[EventName, str]]:
        """What was told about which platform."""
        return [(event.name, str(event.fields["platform"])) for event in self.log.events]


@pytest.fixture
def bench() -> Iterator[Bench]:
    """Nothing was asked yet."""
    loop = VirtualTimeLoop(NOON)
    yield Bench(loop)
    loop.close()


def test_what_another_one_holds_is_not_driven(bench: Bench) -> None:
    """Connections on a platform that no setting knows are driven: they are only told about."""
    refs = {ConnectionRef(platform, "c") for platform in ("a", "b", "unknown")}
    bench.ask(a=1, b=None)
    assert {ref for ref in refs if not bench.holding.drives(ref.platform)} == {ConnectionRef("b", "c")}
    assert bench.holding.not_held() == ["b"]


def test_a_platform_that_was_gained_before_a_failure_is_still_judged(bench: Bench) -> None:
    """The store fails at the second platform: the first one is held, and stays marked until somebody judged it."""
    with pytest.raises(StoreUnavailable):
        bench.ask(a=1)
    bench.ask(a=1, b=None)
    assert bench.holding.gained == {"a"}
    assert bench.told() == [(EventName.PLATFORM_HELD, "a")]


def test_a_platform_under_another_epoch_is_looked_at_anew(bench: Bench) -> None:
    """What was seen is forgotten; a pause that the platform asked for and requests under way are not."""
    bench.ask(a=1, b=1)
    before, other = bench.mind.platforms["a"], bench.mind.platforms["b"]
    before.be_quiet(bench.clock.now(), timedelta(minutes=9))
    before.in_flight.add("c")
    bench.ask(a=3, b=1)
    after = bench.mind.platforms["a"]
    assert (bench.holding.acts_on(before), bench.holding.acts_on(after), bench.holding.acts_on(other)) == (
        False,
        True,
        True,
    )
    assert after.history.quiet_until == before.history.quiet_until
    before.in_flight.discard("c")
    assert after.in_flight == set()
    assert bench.told()[2:] == [(EventName.PLATFORM_LOST, "a"), (EventName.PLATFORM_HELD, "a")]


def test_a_loss_is_told_once(bench: Bench) -> None:
    """Every write under way is refused, one after the other."""
    bench.ask(a=1, b=1)
    for _ in range(3):
        bench.loop.run_until_complete(bench.holding.lose(Fenced("a", "taken")))
    assert bench.told()[2:] == [(EventName.PLATFORM_LOST, "a")]
    assert bench.holding.not_held() == ["a"]


def test_what_cannot_be_released_is_let_go(bench: Bench) -> None:
    """A stop does not wait for a database that is away."""
    bench.ask(a=1, b=1)
    bench.loop.run_until_complete(bench.holding.release())
    assert bench.holding.not_held() == ["a", "b"]
