"""The controller's own recurring work on APScheduler; it never holds users' schedules."""

from collections.abc import Callable
from datetime import timedelta

from apscheduler.executors.asyncio import AsyncIOExecutor
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from controller.ports.cadence import NONE


class ApschedulerCadence:
    """Recurring plain functions in the event loop; a late call is made once, however many were missed."""

    def __init__(self) -> None:
        # UTC is given because APScheduler would otherwise ask the machine for its zone, which containers often cannot tell.
        self._scheduler = AsyncIOScheduler(
            timezone="UTC",
            executors={"default": AsyncIOExecutor()},
            job_defaults={"max_instances": 1, "coalesce": True, "misfire_grace_time": None},
        )

    def every(self, interval: timedelta, name: str, task: Callable[[], None], *, jitter: timedelta = NONE) -> None:
        """Call ``task`` every ``interval``, first after one interval; each call up to ``jitter`` later by chance."""

        async def call() -> None:
            task()

        seconds, later = interval.total_seconds(), jitter.total_seconds() or None
        self._scheduler.add_job(call, "interval", seconds=seconds, jitter=later, id=name, name=name)

    def start(self) -> None:
        """Begin calling; needs a running event loop."""
        self._scheduler.start()

    def stop(self) -> None:
        """Call nothing any more."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
