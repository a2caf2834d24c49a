"""Pokes become fetches: the first at once, then one in five seconds at most, however many pokes there were in between."""

import asyncio
from collections.abc import Callable

from controller.ports.clock import Clock

APART_SECONDS = 5.0
"""Smallest distance of two fetches. A push of many branches is many requests, and whoever replays a signed one must not make us busy."""


class Coalescer:
    """At most one fetch waits; what comes while it does is the same wish."""

    def __init__(self, clock: Clock, fetch: Callable[[], None]) -> None:
        self._clock = clock
        self._fetch = fetch
        # By the clock that never steps: a wall clock that is set back must not close the endpoint for an hour.
        self._last_at: float | None = None
        self._queued: asyncio.Task[None] | None = None

    def poke(self) -> None:
        """Something may be new."""
        if self._queued is not None:
            return
        wait = 0.0 if self._last_at is None else self._last_at + APART_SECONDS - self._clock.boottime()
        if wait <= 0:
            self._go()
        else:
            self._queued = asyncio.create_task(self._later(wait), name="fetch the specs for a webhook")

    async def close(self) -> None:
        """Forget the fetch that waits."""
        waiting, self._queued = self._queued, None
        if waiting is not None:
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)

    async def _later(self, seconds: float) -> None:
        await self._clock.sleep(seconds)
        self._queued = None
        self._go()

    def _go(self) -> None:
        self._last_at = self._clock.boottime()
        self._fetch()
