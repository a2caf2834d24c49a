"""The embedded platform's only door to time; nothing else here may read a clock or sleep.

It imports as little as it can, because every job's process imports it.
"""

import time
from datetime import UTC, datetime


def utc_now() -> datetime:
    """Return the time of day, aware, UTC."""
    return datetime.now(UTC)


def monotonic_seconds() -> float:
    """Return seconds on a clock that never jumps; only differences mean anything."""
    return time.monotonic()


def sleep_seconds(seconds: float) -> None:
    """Block this thread: for job processes, which have nothing else to do."""
    time.sleep(seconds)
