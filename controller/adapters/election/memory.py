"""The election of several controllers in one process, for simulations: a table of leases that all of them share.

What it gets wrong on purpose: a lease is renewed when it is asked for, not by a task of its own, so one whose controller asks for
nothing for a whole term is lost; and the table never fails.
"""

from dataclasses import dataclass, field

from controller.ports.clock import Clock
from controller.ports.store import Store

TERM_SECONDS = 15.0
"""How long a lease lasts after it was asked for last."""


@dataclass(slots=True)
class Leases:
    """Who holds which platform, and until when on the boot clock."""

    term: float = TERM_SECONDS
    rows: dict[str, tuple[str, float]] = field(default_factory=dict)


class MemoryElection:
    """See `controller.ports.election.Election`: one controller's part, with its own handle on the store."""

    def __init__(self, leases: Leases, holder: str, store: Store, clock: Clock) -> None:
        self._leases = leases
        self._holder = holder
        self._store = store
        self._clock = clock

    async def acquire(self, platform: str) -> int | None:
        """Renew a lease, or get one that is free or has run out, under a new epoch."""
        held = await self._store.epoch(platform)
        # Nothing may come between a look at the table and a change of it, so the store is asked before and after.
        now = self._clock.boottime()
        holder, ends_at = self._leases.rows.get(platform, (self._holder, now))
        if holder != self._holder and now < ends_at:
            return None
        self._leases.rows[platform] = (self._holder, now + self._leases.term)
        # One that ran out is acquired anew, although nobody else had it: only a new epoch says that it was lost.
        if held is not None and now < ends_at:
            return held
        epoch = await self._store.take(platform, self._holder, self._clock.now())
        return epoch if self._is_mine(platform) else None

    def _is_mine(self, platform: str) -> bool:
        holder, ends_at = self._leases.rows.get(platform, ("", 0.0))
        return holder == self._holder and self._clock.boottime() < ends_at

    async def release(self, platform: str) -> None:
        """Free the lease, if it is still ours and its epoch is in force."""
        if await self._store.epoch(platform) is not None and self._is_mine(platform):
            del self._leases.rows[platform]
