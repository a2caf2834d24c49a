"""Which controller acts on a platform, where there are several."""

from typing import Protocol


class Election(Protocol):
    """One controller's part in the election. It says who *should* act; that nobody else *can* is the store's epoch, which it takes.

    The unit is the platform: its jobs are listed once and its request budget is counted once. Nothing here is needed for safety, so an
    election may be wrong for a while: two that both believe to hold a platform are told apart by the store, and one is fenced.

    On PostgreSQL the lease is a row beside the epoch: acquiring one that is free or has run out raises its epoch in the same statement, by
    the database's clock; a task of the adapter renews what is held long before it runs out, in one statement for all platforms, and a
    lease that ran out is never revived, only acquired again. Placement decides which replica acquires what; releasing waits for the
    writes under way, then frees the row, so that the next one need not wait for its end.
    """

    async def acquire(self, platform: str) -> int | None:
        """Ask to act on a platform, or to go on; returns the epoch under which this controller may write, None if another one acts.

        Asked every few seconds for every platform, held or not. The same epoch as before means that it was held all along; another one,
        that it was lost in between: whatever was known of the platform must be read again.

        Raises:
            StoreUnavailable: nothing can be said now.
        """
        ...

    async def release(self, platform: str) -> None:
        """Let another controller act on a platform; the last thing that is done for it, best effort."""
        ...
