"""The machine's clocks: the only place of the controller that reads one or sleeps."""

import asyncio
import time
from datetime import UTC, datetime


class SystemClock:
    """Wall clock and ``CLOCK_BOOTTIME`` (where the system has none, its monotonic clock)."""

    def __init__(self) -> None:
        self._steady = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)

    def now(self) -> datetime:
        """The wall clock: aware UTC."""
        return datetime.now(UTC)

    def boottime(self) -> float:
        """Seconds since the machine started, suspend included."""
        return time.clock_gettime(self._steady)

    async def sleep(self, seconds: float) -> None:
        """Wait that long; zero or less yields once."""
        await asyncio.sleep(max(seconds, 0))


class StoppedClock(SystemClock):
    """The machine's clocks, but for the wall clock, which stands still."""

    def __init__(self, at: datetime) -> None:
        super().__init__()
        self._at = at

    def now(self) -> datetime:
        """The instant that was asked for."""
        return self._at
