"""Durations as people write them in a spec."""

from datetime import timedelta

UNITS = ((86_400, "d"), (3_600, "h"), (60, "m"))
"""Seconds of each unit but the second, and its letter."""


def span_text(duration: timedelta) -> str:
    """In the largest unit that leaves no fraction, such as ``90s`` or ``2h``."""
    seconds = duration.total_seconds()
    for size, unit in UNITS:
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:.0f}{unit}"
    return f"{seconds:.12g}s"
