"""What the checker judges: plain values, whether they come from a simulation or from a store and a platform's own list."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from controller.model.identity import ConnectionRef
from controller.model.profile import PlatformProfile
from controller.model.record import SlotRecord
from controller.ports.spec_source import SpecTree
from controller.simulation.chronicle import Chronicle


@dataclass(frozen=True, slots=True)
class Fetched:
    """A revision as a life of the controller first saw it."""

    at: datetime
    life: int
    tree: SpecTree


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything about one stretch of time.

    Attributes:
        records: every slot record, oldest first.
        fetched: what the lives read, without what they held for what it removes.
        calm_at: when the last fault ended.
        read_at: when all this was taken down.
        connections: what the platforms know.
        parents: the revisions that each came after, where one that does not descend from the one in force is refused; else None.
        restored: since when which life acted by what the store said was in force, for want of a revision that it might act by.
    """

    profiles: Mapping[str, PlatformProfile]
    chronicle: Chronicle
    records: Mapping[ConnectionRef, Sequence[SlotRecord]]
    fetched: Sequence[Fetched]
    calm_at: datetime
    read_at: datetime
    connections: Mapping[str, Sequence[str]]
    restored: Sequence[tuple[datetime, int]] = ()
    parents: Mapping[str, Sequence[str]] | None = None
