"""How many requests may still be sent: pure arithmetic, the time is passed in.

The limit of a platform is kept as a rolling window rather than as a bucket that refills: a full bucket lets twice its size pass
within one period, which a platform that counts by the minute or the day answers with 429.
"""

from collections import deque
from dataclasses import dataclass, field
from datetime import timedelta

MINUTE_SECONDS = 60.0
DAY_SECONDS = 86_400.0

# One slot of the window is a second or a quarter of an hour: coarse enough to stay small, and it errs by one slot, on the safe side.
MINUTE_SLOTS = 60
DAY_SLOTS = 96

# Reads leave a tenth of each limit alone, so that a long listing never keeps a due slot from being triggered.
WRITE_RESERVE_DIVISOR = 10


@dataclass(slots=True)
class RollingWindow:
    """At most ``limit`` requests within any ``seconds``, of which reads leave ``reserve`` to writes."""

    limit: int
    seconds: float
    slots: int
    _counts: deque[tuple[float, int]] = field(default_factory=deque)

    @property
    def reserve(self) -> int:
        """Requests that only writes may use."""
        return self.limit // WRITE_RESERVE_DIVISOR

    def wait(self, now: float, *, is_write: bool) -> float:
        """Seconds until one more request fits; 0 if it does now."""
        while self._counts and self._counts[0][0] <= now:
            self._counts.popleft()
        allowed = self.limit if is_write else self.limit - self.reserve
        excess = sum(count for _, count in self._counts) + 1 - allowed
        for leaves_at, count in self._counts:
            if excess <= 0:
                break
            excess -= count
            if excess <= 0:
                return leaves_at - now
        return 0.0 if excess <= 0 else self.seconds

    def add(self, now: float) -> None:
        """Count one request."""
        grain = self.seconds / self.slots
        leaves_at = (now // grain + 1) * grain + self.seconds
        if self._counts and self._counts[-1][0] == leaves_at:
            self._counts[-1] = (leaves_at, self._counts[-1][1] + 1)
        else:
            self._counts.append((leaves_at, 1))


class RequestBudget:
    """The limits of one platform, by the minute and by the day; None is no limit. ``now`` is seconds on a clock that never steps."""

    def __init__(self, per_minute: int | None, per_day: int | None) -> None:
        self._windows: list[RollingWindow] = []
        if per_minute is not None:
            self._windows.append(RollingWindow(per_minute, MINUTE_SECONDS, MINUTE_SLOTS))
        if per_day is not None:
            self._windows.append(RollingWindow(per_day, DAY_SECONDS, DAY_SLOTS))

    def take(self, now: float, *, is_write: bool) -> timedelta | None:
        """Count one request and return None, or count nothing and return how long to wait."""
        wait = max((window.wait(now, is_write=is_write) for window in self._windows), default=0.0)
        if wait > 0:
            return timedelta(seconds=wait)
        for window in self._windows:
            window.add(now)
        return None
