"""Time, as a port: the only way in which the controller learns what time it is, or waits."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """A wall clock and a clock that never stops or steps."""

    def now(self) -> datetime:
        """The wall clock: aware UTC."""
        ...

    def boottime(self) -> float:
        """Seconds on a clock that never steps and goes on during suspend (Linux ``CLOCK_BOOTTIME``)."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait that long; zero or less yields once."""
        ...
