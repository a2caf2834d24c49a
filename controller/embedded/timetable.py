"""The platform's own scheduler: when each connection with a schedule comes next, and the timer that starts what is due."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from controller.embedded.catalogue import Catalogue, Connection
from controller.embedded.clock import utc_now
from controller.embedded.quartz import Quartz
from controller.embedded.schedule import Timing, next_multiple, rhythm_of
from controller.embedded.store import Store

LOOK_SECONDS_MAX = 30.0  # a wall clock that somebody sets is noticed within this
BUSY_PAUSE = timedelta(seconds=1)  # until an interval that passed while a job ran is looked at again
LATE_MAX = timedelta(seconds=30)  # a tick that is older was slept through, by the machine if not by us

Start = Callable[[str], bool]
"""Starts a sync of a connection; False when it cannot start now."""


@dataclass(slots=True)
class _Plan:
    """When a connection comes next; ``said`` is its schedule, ``set_at`` when it got it."""

    said: dict[str, Any]
    rhythm: Quartz | Timing
    set_at: datetime
    due_at: datetime | None


class Timetable:
    """What is due when, at the times that it is told.

    Cron ticks do not depend on jobs; one that nobody could start is skipped. An interval counts from the connection's last job, whoever
    started it and whatever became of it, and before the first one from when the schedule was set. Nothing that passed before the
    platform started, or before a schedule was set, is made up for.
    """

    def __init__(self, store: Store, now: datetime) -> None:
        self._store = store
        self._looked_at = now
        self._plans: dict[str, _Plan] = {}

    def take(self, connections: Iterable[Connection], now: datetime) -> None:
        """Take the connections as they are now; a schedule that stays keeps its times."""
        wanted = {
            one.connection_id: (dict(one.schedule), rhythm)
            for one in connections
            if one.status == "active" and (rhythm := rhythm_of(one.schedule)) is not None
        }
        kept = self._store.keep_schedules({name: said for name, (said, _) in wanted.items()}, now)
        before, self._plans = self._plans, {}
        for connection_id, (said, rhythm) in wanted.items():
            plan = before.get(connection_id)
            if plan is None or plan.said != said:
                plan = _Plan(said, rhythm, kept[connection_id], None)
                plan.due_at = self._next(connection_id, plan, now)
            self._plans[connection_id] = plan

    def due_at(self, connection_id: str) -> datetime | None:
        """When a connection comes next by its own schedule, as far as is known now."""
        plan = self._plans.get(connection_id)
        return None if plan is None else plan.due_at

    def next_at(self) -> datetime | None:
        """When the first of all comes."""
        return min((plan.due_at for plan in self._plans.values() if plan.due_at is not None), default=None)

    def run(self, now: datetime, start: Start) -> None:
        """Start what is due."""
        if now < self._looked_at:
            self._set_back(now)
        self._looked_at = now
        for connection_id, plan in list(self._plans.items()):
            if plan.due_at is None or plan.due_at > now:
                continue
            if isinstance(plan.rhythm, Quartz):
                if now - plan.due_at <= LATE_MAX:
                    start(connection_id)
                plan.due_at = plan.rhythm.next_after(now)
            else:
                plan.due_at = self._run_interval(connection_id, plan, now, start)

    def _run_interval(self, connection_id: str, plan: _Plan, now: datetime, start: Start) -> datetime | None:
        # Somebody may have started a job since the time was computed: the interval counts from that one.
        due = self._next(connection_id, plan, plan.set_at)
        if due is not None and due > now:
            return due
        if not start(connection_id):
            return now + BUSY_PAUSE
        return self._next(connection_id, plan, now)

    def _next(self, connection_id: str, plan: _Plan, after: datetime) -> datetime | None:
        if isinstance(plan.rhythm, Quartz):
            return plan.rhythm.next_after(after)
        latest = self._store.latest_job(connection_id)
        base = plan.set_at if latest is None else latest.created_at
        return next_multiple(base, plan.rhythm.interval, after)

    def _set_back(self, now: datetime) -> None:
        """Somebody set the clock back: what was computed on the wrong one would be waited for too long."""
        for connection_id, plan in self._plans.items():
            plan.set_at = min(plan.set_at, now)
            plan.due_at = self._next(connection_id, plan, now)


class Ticker:
    """Runs a timetable in the event loop."""

    def __init__(self, timetable: Timetable, catalogue: Catalogue, start: Start) -> None:
        self._timetable = timetable
        self._catalogue = catalogue
        self._start = start
        self._timer: asyncio.TimerHandle | None = None
        self._is_stopped = False

    def refresh(self) -> None:
        """Take the connections as they are, and set the timer; called at the start and after every change of them."""
        self._timetable.take(self._catalogue.all(), utc_now())
        self._set_timer()

    def stop(self) -> None:
        """Start nothing more."""
        self._is_stopped = True
        if self._timer is not None:
            self._timer.cancel()

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        next_at = self._timetable.next_at()
        if self._is_stopped or next_at is None:
            return
        wait = min(max((next_at - utc_now()).total_seconds(), 0.0), LOOK_SECONDS_MAX)
        self._timer = asyncio.get_running_loop().call_later(wait, self._run)

    def _run(self) -> None:
        try:
            self._timetable.run(utc_now(), self._start)
        finally:
            self._set_timer()
