"""The controller's own recurring work, such as polling the spec source."""

from collections.abc import Callable
from datetime import timedelta
from typing import Protocol

NONE = timedelta(0)


class Cadence(Protocol):
    """Calls plain functions again and again; one call of a task never overlaps itself, missed calls are merged into one."""

    def every(self, interval: timedelta, name: str, task: Callable[[], None], *, jitter: timedelta = NONE) -> None:
        """Call ``task`` every ``interval`` from the start on, first after one interval; each call up to ``jitter`` later by chance."""
        ...

    def start(self) -> None:
        """Begin calling; needs a running event loop."""
        ...

    def stop(self) -> None:
        """Call nothing any more."""
        ...
