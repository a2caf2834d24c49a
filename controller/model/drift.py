"""What somebody else changed on a connection, and what was done about it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from controller.model.identity import ConnectionRef
from controller.model.schedule import Drift


class DriftField(StrEnum):
    """The settings of a connection that a schedule has an opinion about, named as below ``spec.drift``."""

    SCHEDULE = "platformSchedule"
    STATUS = "connectionStatus"


@dataclass(frozen=True, slots=True)
class NotedDrift:
    """A field as it was last found to differ from what is desired.

    Attributes:
        began_at: since when it was seen to differ.
        generation: the schedule's, by which it was judged.
        ended_at: since when it was seen as desired again; None = it differs still.
        fighting_since: since when somebody else is known to change it back each time; None = nobody does.
    """

    ref: ConnectionRef
    field: DriftField
    policy: Drift
    desired: str
    observed: str
    began_at: datetime
    generation: int
    ended_at: datetime | None = None
    fighting_since: datetime | None = None

    @property
    def stands(self) -> bool:
        """Whether it differs still."""
        return self.ended_at is None


class CorrectionStatus(StrEnum):
    """``SENT``: nobody knows whether the platform took it; ``TAKEN``: it said so; ``REFUSED``: it certainly changed nothing."""

    SENT = "Sent"
    TAKEN = "Taken"
    REFUSED = "Refused"


@dataclass(frozen=True, slots=True)
class Correction:
    """One field of one PATCH, written durably before any byte of it.

    Attributes:
        generation: the schedule's, which asked for it.
        look: which regular look of its process at the connection it followed; the first is 1.
    """

    ref: ConnectionRef
    field: DriftField
    at: datetime
    before: str
    after: str
    generation: int
    look: int
    status: CorrectionStatus = CorrectionStatus.SENT
