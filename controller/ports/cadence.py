"""The controller's own recurring work, such as polling the spec source."""

from collections.abc import Callable
from datetime import timedelta
from typing import Protocol


class Cadence(Protocol):
    """Calls plain functions again and again; one call of a task never overlaps itself, missed calls are merged into one."""

    def every(self, interval: timedelta, name: str, task: Callable[[], None]) -> None:
        """Call ``task`` every ``interval`` from the start on, first after one interval."""
        ...

    def start(self) -> None:
        """Begin calling; needs a running event loop."""
        ...

    def stop(self) -> None:
        """Call nothing any more."""
        ...
