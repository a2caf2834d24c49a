"""The loop's sleep between two steps: it ends when something is due, or when somebody ends it."""

import asyncio
from datetime import timedelta

from controller.ports.clock import Clock

NO_TIME = timedelta()


class Nap:
    """One sleeper, who is woken at once where somebody woke it before it lay down."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._woken = asyncio.Event()

    def end(self) -> None:
        """Let whoever sleeps, or is about to, go on now."""
        self._woken.set()

    async def take(self, longest: timedelta) -> None:
        """Sleep until it is ended, or for so long; others have their turn in any case."""
        if longest > NO_TIME:
            alarm = asyncio.get_running_loop().call_later(longest.total_seconds(), self._woken.set)
            try:
                await self._woken.wait()
            finally:
                alarm.cancel()
        else:
            await self._clock.sleep(0)
        self._woken.clear()
