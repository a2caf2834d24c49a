"""The election of several controllers in one process, for simulations: a table of leases that all of them share.

What it gets wrong on purpose: a lease is renewed when it is asked for, not by a task of its own, so one whose controller asks for
nothing for a whole term is lost; and the table never fails.

A real controller asks every few seconds, and nearly all of the answers are what it knows. One of these may ask as seldom as its leases
allow: who was refused a platform is woken soon after it is to be had.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

from controller.ports.clock import Clock
from controller.ports.store import Store

TERM_SECONDS = 15.0
"""How long a lease lasts after it was asked for last."""

ASKED_WITHIN_SECONDS = 8.0
"""How long after a platform is to be had whoever was refused it is woken: it takes the product at most that to ask again."""

Wake = Callable[[], None]


@dataclass(slots=True)
class Leases:
    """Who holds which platform, and until when on the boot clock; and by platform and holder whom to wake when it is freed."""

    term: float = TERM_SECONDS
    rows: dict[str, tuple[str, float]] = field(default_factory=dict)
    refused: dict[str, dict[str, Wake]] = field(default_factory=lambda: defaultdict(dict))

    def free(self, platform: str) -> None:
        """End a lease."""
        del self.rows[platform]
        for wake in self.refused.pop(platform, {}).values():
            asyncio.get_running_loop().call_later(ASKED_WITHIN_SECONDS, wake)


class MemoryElection:
    """See `controller.ports.election.Election`: one controller's part, with its own handle on the store.

    Attributes:
        wake: what makes the controller ask again; None where it asks every few seconds by itself.
    """

    def __init__(self, leases: Leases, holder: str, store: Store, clock: Clock) -> None:
        self._leases = leases
        self._holder = holder
        self._store = store
        self._clock = clock
        self._ends: dict[str, asyncio.TimerHandle] = {}
        self.wake: Wake | None = None

    async def acquire(self, platform: str) -> int | None:
        """Renew a lease, or get one that is free or has run out, under a new epoch."""
        held = await self._store.epoch(platform)
        # Nothing may come between a look at the table and a change of it, so the store is asked before and after.
        now = self._clock.boottime()
        holder, ends_at = self._leases.rows.get(platform, (self._holder, now))
        if holder != self._holder and now < ends_at:
            self._ask_after(platform, ends_at - now)
            return None
        self._leases.rows[platform] = (self._holder, now + self._leases.term)
        # One that ran out is acquired anew, although nobody else had it: only a new epoch says that it was lost.
        if held is not None and now < ends_at:
            return held
        epoch = await self._store.take(platform, self._holder, self._clock.now())
        return epoch if self._is_mine(platform) else None

    def _ask_after(self, platform: str, seconds: float) -> None:
        """Ask again when the lease of another has run out, or was freed before."""
        if self.wake is None:
            return
        self._leases.refused[platform][self._holder] = self.wake
        if (known := self._ends.pop(platform, None)) is not None:
            known.cancel()
        self._ends[platform] = asyncio.get_running_loop().call_later(seconds + ASKED_WITHIN_SECONDS, self.wake)

    def _is_mine(self, platform: str) -> bool:
        holder, ends_at = self._leases.rows.get(platform, ("", 0.0))
        return holder == self._holder and self._clock.boottime() < ends_at

    async def release(self, platform: str) -> None:
        """Free the lease, if it is still ours and its epoch is in force."""
        if await self._store.epoch(platform) is not None and self._is_mine(platform):
            self._leases.free(platform)
