"""Whether the time is in doubt, for those who only read the store: what the controller told of its clocks last."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from controller.model.event import Event, EventName
from controller.model.record import Reason

CLOCK_EVENTS_READ = 1000
"""How many events of clocks and lives are read: a platform's clock that is found wrong once a minute fills that in eight hours."""


@dataclass(frozen=True, slots=True)
class ClockDoubts:
    """Why nothing is judged: ``frozen`` for every platform, ``skewed`` by platform; both empty while the clocks agree."""

    frozen: str = ""
    skewed: Mapping[str, str] = field(default_factory=dict)

    def about(self, platform: str) -> tuple[Reason, str] | None:
        """What stands against everything on a platform."""
        if self.frozen:
            return Reason.CLOCK_FROZEN, self.frozen
        if platform in self.skewed:
            return Reason.CLOCK_SKEW, self.skewed[platform]
        return None


def doubts_told(events: Iterable[Event]) -> ClockDoubts:
    """Follow what was told of the clocks, oldest first; the start and the end of a controller end every doubt that it had."""
    frozen, skewed = "", dict[str, str]()
    for event in events:
        fields, platform = event.fields, str(event.fields.get("platform"))
        if event.name is EventName.CLOCK_FROZEN:
            wall, expected = str(fields["wall"])[:19], str(fields["expected"])[:19]
            frozen = f"the wall clock was set: it showed {wall}Z and should have shown {expected}Z; nothing is done until they agree"
        elif event.name is EventName.CLOCK_SKEWED:
            skewed[platform] = f"{fields['message']}; nothing is done there until they agree"
        elif event.name is EventName.CLOCK_AGREED and fields["platform"] is None:
            frozen = ""
        elif event.name is EventName.CLOCK_AGREED:
            skewed.pop(platform, None)
        elif event.name in (EventName.CONTROLLER_STARTED, EventName.CONTROLLER_STOPPED):
            frozen, skewed = "", {}
    return ClockDoubts(frozen, skewed)
