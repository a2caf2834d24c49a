"""What a simulation came to for each schedule, for people who ask which of theirs suffers."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from controller.model.identity import ConnectionRef
from controller.model.record import Outcome, SlotRecord
from controller.simulation.judge.evidence import Evidence
from controller.simulation.judge.lateness import start_of
from controller.simulation.slots.due import DueSlots


@dataclass(frozen=True, slots=True)
class ScheduleTally:
    """The slots of one schedule by what they came to; ``worst``: how many seconds late the latest start of ours was."""

    name: str
    ref: ConnectionRef
    outcomes: Counter[Outcome]
    worst: float

    @property
    def slots(self) -> int:
        """Every slot that was decided, or is held."""
        return self.outcomes.total()


def tally_schedules(evidence: Evidence) -> tuple[ScheduleTally, ...]:
    """One row for each schedule, by name; a connection whose schedule was renamed has its last name."""
    rows = [_tally(ref, records, evidence) for ref, records in evidence.records.items() if records]
    return tuple(sorted(rows, key=lambda row: (row.name, row.ref)))


def _tally(ref: ConnectionRef, records: Sequence[SlotRecord], evidence: Evidence) -> ScheduleTally:
    outcomes = Counter[Outcome]()
    for record in records:
        outcomes[record.outcome] += record.count
    due = DueSlots(evidence.chronicle.versions[ref], evidence.read_at) if ref in evidence.chronicle.versions else None
    starts = [] if due is None else [start_of(record, due, evidence) for record in records]
    worst = max((max(start.late, 0.0) for start in starts if start is not None), default=0.0)
    return ScheduleTally(records[-1].schedule, ref, outcomes, worst)
