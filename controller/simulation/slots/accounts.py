"""What needs no hidden truth: slots against records, and records against the jobs that a platform shows."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import timedelta
from heapq import heappop, heappush

from controller.model.identity import SlotKey
from controller.model.record import Outcome, SlotRecord
from controller.simulation.slots.due import DueSlots

FORGIVEN_SECONDS = 60

ADOPTED_BEFORE = 600
"""An adopted job may have been created this long before its claim, by a clock that is off."""

Window = tuple[float, float, SlotKey]
"""From when to when the job of a started slot must have been created."""


def instant_of(record: SlotRecord) -> int:
    """The slot of a record, or the first of its slots, in seconds since the epoch."""
    return int(record.slot.scheduled_at.timestamp())


def spoken_for(due: DueSlots, record: SlotRecord) -> list[int]:
    """The slots that a record stands for."""
    first = instant_of(record)
    return [first] if record.through is None else due.between(first, int(record.through.timestamp()))


def times_recorded(due: DueSlots, rows: Iterable[SlotRecord]) -> Counter[int]:
    """How many records speak for each slot."""
    taken = Counter[int]()
    for record in rows:
        taken.update(spoken_for(due, record))
    return taken


def recorded_twice(due: DueSlots, rows: Iterable[SlotRecord]) -> Iterable[tuple[int, int]]:
    """Slots that more than one record speaks for, and how many do."""
    yield from ((at, count) for at, count in times_recorded(due, rows).items() if count > 1)


def unrecorded(due: DueSlots, rows: Iterable[SlotRecord], resolve: timedelta, read_at: float) -> Iterable[int]:
    """Slots whose time is over, and that no record speaks for."""
    taken = times_recorded(due, rows)
    for at in due.slots:
        spec = due.last_spec(at)
        if at in taken or spec is None:
            continue
        over = min(due.deadline(spec, at), due.superseded_at(spec, at) or read_at)
        if over + resolve.total_seconds() + FORGIVEN_SECONDS < read_at:
            yield at


def start_windows(due: DueSlots, rows: Iterable[SlotRecord], tolerance: float = 1.0) -> Iterable[Window]:
    """When the job of each started slot must have been created; ``tolerance``: how far two clocks may be apart, in seconds."""
    for record in rows:
        spec = due.last_spec(record.decided_at.timestamp())
        if record.outcome is Outcome.TRIGGERED and spec is not None:
            earliest = due.fires(spec, instant_of(record)) - tolerance - ADOPTED_BEFORE * record.adopted
            yield earliest, record.decided_at.timestamp() + max(tolerance - 1.0, 0.0), record.slot


def unmatched(windows: Iterable[Window], starts: Iterable[float]) -> Iterable[SlotKey]:
    """Started slots that are left without a start of their own: each start goes to the open window that ends first."""
    ordered: Sequence[Window] = sorted(windows)
    waiting: list[tuple[float, SlotKey]] = []
    number = 0
    for began in sorted(starts):
        while number < len(ordered) and ordered[number][0] <= began:
            heappush(waiting, ordered[number][1:])
            number += 1
        while waiting and waiting[0][0] < began:
            yield heappop(waiting)[1]
        if waiting:
            heappop(waiting)
    yield from (slot for _, slot in waiting)
    yield from (slot for _, _, slot in ordered[number:])
