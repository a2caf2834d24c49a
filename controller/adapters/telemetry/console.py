"""Events as lines for people; how a line looks is the command line's matter."""

from collections.abc import Callable, Collection
from typing import TextIO

from controller.adapters.telemetry.lines import REDACTED
from controller.model.event import Event


class ConsoleTelemetry:
    """Writes what ``render`` makes of an event; events that it makes nothing of are left out."""

    def __init__(
        self, stream: TextIO, render: Callable[[Event], str | None], secrets: Callable[[], Collection[str]]
    ) -> None:
        self._stream = stream
        self._render = render
        self._secrets = secrets

    def emit(self, event: Event) -> None:
        """Publish one event; a closed terminal is no reason to stop reconciling."""
        line = self._render(event)
        if line is None:
            return
        for secret in self._secrets():
            line = line.replace(secret, REDACTED) if secret else line
        try:
            self._stream.write(line + "\n")
            self._stream.flush()
        except (OSError, ValueError):
            return
