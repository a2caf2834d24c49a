"""One life of a controller: it ends at any moment, and whatever still runs of it changes nothing any more."""

import asyncio
from collections.abc import Callable
from typing import NoReturn


class Life:
    """A life; ``number`` counts from 1. ``on_death`` ends its tasks."""

    def __init__(self, number: int, on_death: Callable[["Life", float], None]) -> None:
        self.number = number
        self.is_over = False
        self._on_death = on_death

    def breathe(self) -> None:
        """What every port asks first: a cancelled coroutine still runs its ``except`` blocks, a killed process does not."""
        if self.is_over:
            raise asyncio.CancelledError

    def kill(self, back_after: float) -> None:
        """End it as ``kill -9`` does; the next one begins some seconds later."""
        if not self.is_over:
            self.is_over = True
            self._on_death(self, back_after)

    def die(self, back_after: float) -> NoReturn:
        """End it from within one of its own calls."""
        self.kill(back_after)
        raise asyncio.CancelledError
