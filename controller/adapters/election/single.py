"""The election of a single node: the lock on its store's file lets nobody else in, so it always wins."""

from controller.ports.clock import Clock
from controller.ports.store import Store


class SingleNodeElection:
    """See `controller.ports.election.Election`; ``holder`` is what the store says for people to read."""

    def __init__(self, store: Store, clock: Clock, holder: str) -> None:
        self._store = store
        self._clock = clock
        self._holder = holder

    async def acquire(self, platform: str) -> int | None:
        """The epoch in force, if it is ours; else a new one."""
        held = await self._store.epoch(platform)
        return held if held is not None else await self._store.take(platform, self._holder, self._clock.now())

    async def release(self, platform: str) -> None:
        """Nobody waits for it, and the epoch in the store outlives the process anyway."""
