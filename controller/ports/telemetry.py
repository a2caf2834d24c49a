"""Where events go."""

from typing import Protocol

from controller.model.event import Event


class Telemetry(Protocol):
    """Takes every event, as it happens; never raises and never blocks."""

    def emit(self, event: Event) -> None:
        """Publish one event."""
        ...
