"""A ``SyncPolicy`` document: what is said once for many schedules."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from controller.model.schedule import Origin, ScheduleSpec, Suspension
from controller.model.window import Window


@dataclass(frozen=True, slots=True)
class Setting:
    """One value of a policy's ``defaults``, as the schedule's field would hold it, and where it stands."""

    value: object
    origin: Origin


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy as written.

    Attributes:
        content: the canonical text of the parsed document.
        labels: what a schedule must carry to be selected; none = every schedule.
        platforms: the platforms whose schedules are selected; none = all.
        priority: where two policies set the same field of one schedule the higher one wins.
        defaults: values by their name below ``spec`` of a schedule, such as ``catchUp.window``; a list is one value.
        windows: added to those of the schedule.
        windows_origin: where they stand.
        freeze: no write to the platform for the selected schedules while it stands.
        freeze_origin: where it stands.
    """

    name: str
    origin: Origin
    content: str
    labels: tuple[tuple[str, str], ...] = ()
    platforms: tuple[str, ...] = ()
    priority: int = 0
    defaults: Mapping[str, Setting] = field(default_factory=dict)
    windows: tuple[Window, ...] = ()
    windows_origin: Origin | None = None
    freeze: Suspension | None = None
    freeze_origin: Origin | None = None

    def selects(self, spec: ScheduleSpec) -> bool:
        """Whether it speaks of a schedule."""
        return (not self.platforms or spec.platform in self.platforms) and set(self.labels) <= set(spec.labels)
