"""How far a long simulation is: one line on a terminal, written over and over, and nothing anywhere else."""

from datetime import timedelta
from types import TracebackType
from typing import Self, TextIO

from controller.model.event import Event
from controller.ports.clock import Clock
from controller.simulation.scene import Scene

EVERY_SECONDS = 0.5
ERASE = "\r\x1b[K"


class Progress:
    """Watches the events of a simulation; what it wrote is gone at the end."""

    def __init__(self, stream: TextIO, clock: Clock, scene: Scene) -> None:
        self._stream, self._clock, self._scene = stream, clock, scene
        self._is_shown = stream.isatty()
        self._said_at = clock.boottime()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._is_shown:
            self._stream.write(ERASE)
            self._stream.flush()

    def watch(self, event: Event) -> None:
        """Take in an event."""
        if not self._is_shown or self._clock.boottime() - self._said_at < EVERY_SECONDS:
            return
        share = (event.at - self._scene.start) / timedelta(seconds=self._scene.seconds)
        self.say(f"{event.at:%Y-%m-%d %H:%M}Z, {min(max(share, 0.0), 1.0):.0%}")

    def say(self, text: str) -> None:
        """Show a text until the next one."""
        if self._is_shown:
            self._said_at = self._clock.boottime()
            self._stream.write(f"{ERASE}simulating: {text}")
            self._stream.flush()
