"""One record with everything around it that can explain it."""

from dataclasses import dataclass

from controller.model.record import SlotRecord
from controller.simulation.chronicle import Claimed, TrueJob
from controller.simulation.faults import LAG, SKEW
from controller.simulation.judge.evidence import Evidence
from controller.simulation.slots.due import DueSlots

UNCERTAIN = (LAG + SKEW).total_seconds() + 5.0
"""How far what was shown may be from what was, in seconds."""


@dataclass(frozen=True, slots=True)
class Case:
    """One record, its slot, and what there was around it; instants are seconds since the epoch."""

    record: SlotRecord
    at: int
    due: DueSlots
    evidence: Evidence
    jobs: tuple[TrueJob, ...]
    claims: tuple[Claimed, ...]

    @property
    def decided(self) -> float:
        """When the record was written."""
        return self.record.decided_at.timestamp()

    @property
    def profile_age(self) -> float:
        """How old a view may be that is acted on."""
        return self.evidence.profiles[self.record.slot.ref.platform].view_age_max.total_seconds()
