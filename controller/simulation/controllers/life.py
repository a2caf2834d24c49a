"""One life of a controller: it ends at any moment, and whatever still runs of it changes nothing any more."""

import asyncio
from collections.abc import Callable
from typing import NoReturn

from controller.model.connection import Connection
from controller.model.identity import ConnectionRef
from controller.simulation.controllers.machine import Machine


class Life:
    """A life; ``number`` counts from 1. ``on_death`` ends its tasks.

    ``seen_settings``: connections as they were shown to it last. ``seen_active``: the active jobs that it was shown, by platform and
    connection; of a platform that it takes anew it starts from what the store says, as somebody else may have seen the end of them.
    ``is_paused``: it stands still, as a stopped process does, and knows nothing of it.
    """

    def __init__(self, number: int, machine: Machine, on_death: Callable[["Life", float], None]) -> None:
        self.number = number
        self.machine = machine
        self.is_over = False
        self.is_paused = False
        self.seen_active: dict[str, dict[str, dict[str, None]]] = {}
        self.seen_settings: dict[ConnectionRef, Connection] = {}
        self._ice: asyncio.Event | None = None
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

    def pause(self) -> None:
        """Let it stand still: none of its calls begins, and it reads no answer."""
        self._ice = self._ice or asyncio.Event()
        self.is_paused = True

    def resume(self) -> None:
        """Let it go on; everything that was due meanwhile comes now."""
        if self._ice is not None:
            self._ice.set()
            self._ice = None
            self.is_paused = False

    async def thaw(self) -> None:
        """Wait until it goes on. Every port does so before and after a call."""
        while self._ice is not None:
            await self._ice.wait()
