"""When the spec source is asked, and for whom: beside everything else, so that a source that hangs holds up nothing."""

import asyncio
from collections.abc import Callable, Coroutine

from controller.errors import SpecSourceUnavailable
from controller.model.identity import ConnectionRef
from controller.ports.spec_source import SpecTree
from controller.reconcile.fetch import applied_revision, fetch_specs, take_specs
from controller.reconcile.gather import Mind, all_refs_on
from controller.reconcile.world import World

FIRST_READ_AGAIN_SECONDS = 5.0
"""Pause before a spec source is asked again that could not be read since the start."""


class SpecWatch:
    """What was asked of the spec source, and what of its answers is not taken in yet."""

    def __init__(self, world: World, mind: Mind, wake: Callable[[], None]) -> None:
        self._world, self._mind = world, mind
        self._wake = wake
        self._fetched: SpecTree | SpecSourceUnavailable | None = None
        self._again: asyncio.TimerHandle | None = None
        self._outdated: set[str] = set()
        self._updating: set[str] = set()
        self.must_fetch = True

    def fetch_soon(self) -> None:
        """Read the specs again at once."""
        self.must_fetch = True
        self._wake()

    async def outdate(self, platforms: set[str]) -> None:
        """Read the specs for platforms that are held anew, and before anything of them is judged if another revision is in force by now.

        Whoever held them before may have acted on a newer one than was read here last; a source that hangs holds up nobody else.

        Raises:
            StoreUnavailable: which revision is in force could not be read.
        """
        self.must_fetch = True
        if await applied_revision(self._world.store, self._mind) != self._mind.desired.revision:
            self._outdated |= platforms

    def awaits(self, platform: str) -> bool:
        """Whether a platform's specs are to be read before anything of it is judged."""
        return platform in self._outdated or platform in self._updating

    @property
    def has_work(self) -> bool:
        """Whether an answer is to be taken in, or the source to be asked again."""
        return self.must_fetch or self._fetched is not None

    async def begin(self) -> Coroutine[None, None, None]:
        """One fetch, for those who are outdated now.

        Raises:
            StoreUnavailable: which revision is in force could not be read.
        """
        applied = await applied_revision(self._world.store, self._mind)
        self.must_fetch = False
        self._updating |= self._outdated
        self._outdated.clear()
        return self._fetch(applied)

    async def _fetch(self, applied: str) -> None:
        self._fetched = await fetch_specs(self._world, applied)

    async def take(self) -> set[ConnectionRef]:
        """Take in what was fetched, if anything was; returns the connections to be judged.

        Raises:
            StoreUnavailable: it could not be kept, and is read again.
        """
        if self._fetched is None:
            return set()
        try:
            refs = await take_specs(self._world, self._mind, self._fetched)
            refs |= await all_refs_on(self._world.store, self._mind, self._updating)
            self._updating.clear()
            if self._mind.source_trouble and (self._mind.restored or not self._mind.loaded):
                # Without specs nothing is done, and old ones are not what anybody asks for now, so the next poll is too far away.
                self._fetch_later()
        except Exception:
            self.must_fetch = True
            raise
        finally:
            self._fetched = None
        return refs

    def _fetch_later(self) -> None:
        if self._again is not None:
            self._again.cancel()
        self._again = asyncio.get_running_loop().call_later(FIRST_READ_AGAIN_SECONDS, self.fetch_soon)
