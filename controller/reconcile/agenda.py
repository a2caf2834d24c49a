"""When each connection wants to be looked at again: one heap of instants with lazy deletion."""

from datetime import datetime
from heapq import heapify, heappop, heappush

from controller.model.identity import ConnectionRef

STALE_FACTOR = 4
"""Outdated entries are swept out once they outnumber the valid ones by this much, so memory follows the number of schedules."""


class Agenda:
    """At most one instant per connection; asking for what is due costs what is due, not what exists."""

    def __init__(self) -> None:
        self._heap: list[tuple[datetime, ConnectionRef]] = []
        self._wake_at: dict[ConnectionRef, datetime] = {}

    def put(self, ref: ConnectionRef, wake_at: datetime | None) -> None:
        """Replace the connection's instant; None takes it off."""
        if wake_at is None:
            self._wake_at.pop(ref, None)
            return
        if self._wake_at.get(ref) == wake_at:
            return
        self._wake_at[ref] = wake_at
        heappush(self._heap, (wake_at, ref))
        if len(self._heap) > STALE_FACTOR * len(self._wake_at) + 16:
            self._heap = [(at, known) for known, at in self._wake_at.items()]
            heapify(self._heap)

    def put_by(self, ref: ConnectionRef, latest: datetime) -> None:
        """Look at the connection at an instant, or before it where that was wanted already."""
        known = self._wake_at.get(ref)
        self.put(ref, latest if known is None else min(known, latest))

    def wake_at(self, ref: ConnectionRef) -> datetime | None:
        """The connection's instant."""
        return self._wake_at.get(ref)

    def next_at(self) -> datetime | None:
        """The earliest instant of all."""
        while self._heap and self._wake_at.get(self._heap[0][1]) != self._heap[0][0]:
            heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def pop_due(self, now: datetime) -> set[ConnectionRef]:
        """Take off every connection whose instant has come."""
        due: set[ConnectionRef] = set()
        while (at := self.next_at()) is not None and at <= now:
            ref = heappop(self._heap)[1]
            del self._wake_at[ref]
            due.add(ref)
        return due
