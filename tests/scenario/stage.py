"""A stage: the whole controller on fakes, in virtual time, with acts that a test plays on it."""

import asyncio
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from controller.adapters.election.single import SingleNodeElection
from controller.adapters.specs.tree import parse_tree
from controller.adapters.stores.memory import MemoryStore
from controller.model.event import Event, EventName
from controller.model.identity import ConnectionRef
from controller.model.policy import Policy
from controller.model.profile import EMBEDDED, PlatformProfile
from controller.model.record import Answer, Claim, SlotRecord, Standing
from controller.model.schedule import ScheduleSpec
from controller.ports.store import StoredPolicy
from controller.reconcile.loop import Loop
from controller.reconcile.restored import Restorers
from controller.reconcile.world import World
from controller.simulation.virtual_time import VirtualCadence, VirtualClock, VirtualTimeLoop, run_virtual
from tests.fakes.platform import Behaviour, FakePlatform
from tests.fakes.spec_source import MemorySpecSource

START = datetime(2026, 3, 2, 12, 0, 1, tzinfo=UTC)


@dataclass
class EventLog:
    """Telemetry that keeps everything."""

    events: list[Event] = field(default_factory=list)

    def emit(self, event: Event) -> None:
        """Keep it."""
        self.events.append(event)

    def of(self, name: EventName, schedule: str | None = None) -> list[Event]:
        """Events of one kind, of one schedule if asked for."""
        return [
            event for event in self.events if event.name is name and (schedule is None or event.schedule == schedule)
        ]


class MortalStore(MemoryStore):
    """A store that takes no more writes once its controller is dead.

    A cancelled coroutine still runs its ``except`` blocks; a killed process does not.
    """

    dead = False
    poisoned: set[ConnectionRef]

    def __init__(self) -> None:
        super().__init__()
        self.poisoned = set()

    def poison(self, ref: ConnectionRef) -> None:
        """Make what is known of a connection such that nobody can plan with it."""
        self.poisoned.add(ref)

    async def standings(self, jobs: Mapping[ConnectionRef, Collection[str]]) -> dict[ConnectionRef, Standing]:
        """As the port says, with poison in it."""
        found = await super().standings(jobs)
        return {
            ref: replace(row, calendar_key="[[poison") if ref in self.poisoned else row for ref, row in found.items()
        }

    async def answered(self, claim: Claim, answer: Answer, at: datetime, events: Sequence[Event] = ()) -> None:
        """As the port says, while alive."""
        if not self.dead:
            await super().answered(claim, answer, at, events)

    async def append_events(self, events: Sequence[Event]) -> None:
        """As the port says, while alive."""
        if not self.dead:
            await super().append_events(events)


@dataclass
class Stage:
    """What a scenario may touch: time, the platform's truth, the specs, and the controller's life."""

    loop: VirtualTimeLoop
    profile: PlatformProfile
    clock: VirtualClock
    platform: FakePlatform
    specs: MemorySpecSource
    store: MortalStore
    log: EventLog
    texts: dict[str, str | bytes] = field(default_factory=dict)
    _task: asyncio.Task[None] | None = None
    _stop: asyncio.Event | None = None
    controller: Loop | None = None

    def schedule(self, name: str, lines: str, behaviour: Behaviour | None = None) -> ConnectionRef:
        """Add a connection and a spec for it; ``lines`` are those below ``spec``, without indentation."""
        connection_id = f"conn_{name}"
        self.platform.add_connection(connection_id, behaviour or Behaviour(timedelta(seconds=2)))
        self.edit(name, lines)
        return ConnectionRef("default", connection_id)

    def edit(self, name: str, lines: str | None) -> None:
        """Write a schedule's file anew, or delete it; the controller sees it at its next poll."""
        if lines is None:
            self.texts.pop(f"{name}.yaml", None)
        else:
            body = "\n".join(f"  {line}" for line in lines.strip("\n").splitlines())
            head = f"apiVersion: mainspring.dev/v1\nkind: SyncSchedule\nmetadata: {{name: {name}}}\nspec:\n  connectionId: conn_{name}\n"
            self.texts[f"{name}.yaml"] = head + body + "\n"
        self.specs.set_texts(self.texts)

    def world(self, **changes: Any) -> World:
        """What a controller on the same store talks to."""
        store = changes.pop("store", self.store)
        world = World(
            clock=self.clock,
            cadence=VirtualCadence(self.loop),
            store=store,
            election=SingleNodeElection(store, self.clock, "stage"),
            spec_source=self.specs,
            telemetry=self.log,
            platforms={"default": (self.platform, self.profile)},
            restorers=Restorers(_restore, _restore_policy),
            version="test",
            specs_label="memory",
            spec_poll=timedelta(seconds=2),
        )
        return replace(world, **changes)

    async def start(self, **changes: Any) -> None:
        """Start a controller on the same store, as after a restart."""
        self._stop = asyncio.Event()
        self.controller = Loop(self.world(**changes))
        self._task = asyncio.create_task(self.controller.run(self._stop))
        await self.clock.sleep(0)

    async def crash(self) -> None:
        """End the controller as ``kill -9`` would: nothing more is written."""
        assert self._task is not None
        self.store.dead = True
        for task in asyncio.all_tasks():
            if task is not asyncio.current_task():
                task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self.store.dead = False
        self._task = None

    async def stop(self) -> None:
        """End the controller as an operator would."""
        assert self._stop is not None
        assert self._task is not None
        self._stop.set()
        await self._task
        self._task = None

    async def run_for(self, seconds: float) -> None:
        """Let virtual time pass."""
        await self.clock.sleep(seconds)
        if self._task is not None and self._task.done():
            self._task.result()

    async def slots(self, ref: ConnectionRef) -> list[SlotRecord]:
        """Every record of a connection, oldest first."""
        return list(reversed(await self.store.slots(ref, 100_000)))

    async def words(self, ref: ConnectionRef) -> list[str]:
        """The outcomes of a connection's slots, oldest first."""
        return [record.word for record in await self.slots(ref)]


def _restore(content: str) -> ScheduleSpec | None:
    specs = parse_tree({"(from the store)": content.encode()}, platforms=None).specs
    return specs[0] if specs else None


def _restore_policy(stored: StoredPolicy) -> Policy | None:
    policies = parse_tree({"(from the store)": stored.content.encode()}, platforms=None).policies
    return policies[0] if policies else None


def play(
    scenario: Callable[[Stage], Coroutine[Any, Any, None]],
    *,
    start: datetime = START,
    profile: PlatformProfile = EMBEDDED,
) -> Stage:
    """Play a scenario to its end and return the stage for inspection."""
    stages: list[Stage] = []

    async def main(loop: VirtualTimeLoop) -> None:
        clock = VirtualClock(loop)
        source = MemorySpecSource({"default": profile})
        stage = Stage(loop, profile, clock, FakePlatform(VirtualClock(loop)), source, MortalStore(), EventLog())
        stages.append(stage)
        await scenario(stage)
        if stage._task is not None:
            await stage.stop()

    run_virtual(start, main)
    return stages[0]
