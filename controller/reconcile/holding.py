"""Which platforms this controller acts on. What it does not hold it neither lists nor writes to; its specs are read all the same."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from controller.errors import Fenced, StoreUnavailable
from controller.model.event import Event, EventName
from controller.reconcile import say
from controller.reconcile.conditions import recall_conditions
from controller.reconcile.gather import Mind
from controller.reconcile.observed import ObservedPlatform
from controller.reconcile.world import World

ASK_AGAIN_SECONDS = 3.0
"""The election is asked, also for what is held, by the first cycle after this; with the loop's longest nap that is at most 8 s."""


class Holding:
    """The platforms held, each with its epoch. Asking, losing and giving back all happen here, and are told here.

    ``wake`` makes the loop ask: what was lost may be free already, and is not left until the loop looks around by itself.

    Attributes:
        gained: platforms held anew of which nothing was judged yet; whoever judges them takes them out.
    """

    def __init__(self, world: World, mind: Mind, wake: Callable[[], None]) -> None:
        self._world = world
        self._mind = mind
        self._wake = wake
        self.gained: set[str] = set()
        self._epochs: dict[str, int] = {}
        self._asked_at: float | None = None

    def drives(self, platform: str) -> bool:
        """Whether this controller decides about a platform's connections. That no setting knows it is told, and nothing is written."""
        return platform in self._epochs or platform not in self._world.platforms

    def acts_on(self, platform: ObservedPlatform) -> bool:
        """Whether it is held, and has been since this view of it began: what an older view led to is not to be done any more."""
        return platform.name in self._epochs and self._mind.platforms.get(platform.name) is platform

    def not_held(self) -> list[str]:
        """Platforms that another controller acts on."""
        return [name for name in self._world.platforms if name not in self._epochs]

    async def ask(self) -> None:
        """Ask for every platform, when it is time to; of one that is held anew, what the store knows is read again.

        Raises:
            StoreUnavailable: it is asked again in the next cycle.
        """
        now = self._world.clock.boottime()
        if self._asked_at is not None and now - self._asked_at < ASK_AGAIN_SECONDS:
            return
        for name in self._world.platforms:
            epoch, before = await self._world.election.acquire(name), self._epochs.get(name)
            if before is not None and epoch != before:
                await self._drop(name, "its lease ran out")
            if epoch is not None and epoch != before:
                await self._begin(name, epoch)
            if name not in self._mind.platforms:
                self._mind.platforms[name] = ObservedPlatform(name, *self._world.platforms[name], None)
        self._asked_at = now

    async def _begin(self, name: str, epoch: int) -> None:
        world, now = self._world, self._world.clock.now()
        platform, profile = world.platforms[name]
        seen = ObservedPlatform.seen_through(name, platform, profile, await world.store.observed_through(name))
        # A job that failed just before is still to be retried, and one that was active is asked after by its id.
        seen.remember(await world.store.latest_jobs(name), now)
        if (before := self._mind.platforms.get(name)) is not None:
            seen.carry_on(before)
        await recall_conditions(world, self._mind, name)
        self._mind.platforms[name] = seen
        self._epochs[name] = epoch
        self.gained.add(name)
        await say.tell(world, [Event(EventName.PLATFORM_HELD, now, {"platform": name, "epoch": epoch})])

    async def lose(self, error: Fenced) -> None:
        """Give up a platform that the store says is another controller's."""
        await self._drop(error.platform, str(error))

    async def _drop(self, name: str, message: str) -> None:
        # Several writes under way are fenced one after the other; it is told once.
        if self._epochs.pop(name, None) is not None:
            asyncio.get_running_loop().call_later(ASK_AGAIN_SECONDS, self._ask_soon)
            event = Event(EventName.PLATFORM_LOST, self._world.clock.now(), {"platform": name, "message": message})
            await say.tell(self._world, [event])

    def _ask_soon(self) -> None:
        self._asked_at = None
        self._wake()

    async def release(self) -> None:
        """Let others act on everything; one that cannot be told finds out by itself."""
        for name in tuple(self._epochs):
            del self._epochs[name]
            with suppress(StoreUnavailable):
                await self._world.election.release(name)
