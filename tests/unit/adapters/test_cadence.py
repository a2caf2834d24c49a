"""Recurring work at chance moments: controllers that start together do not ask together for ever."""

import asyncio
from datetime import timedelta

from controller.adapters.cadence import ApschedulerCadence


def next_calls(jitter: timedelta) -> set[float]:
    """How many seconds after its start each of twenty cadences would call first."""

    async def main() -> set[float]:
        found = set()
        for _ in range(20):
            cadence = ApschedulerCadence()
            cadence.every(timedelta(seconds=30), "poll", lambda: None, jitter=jitter)
            cadence.start()
            (job,) = cadence._scheduler.get_jobs()
            trigger = job.trigger
            first = trigger.get_next_fire_time(None, trigger.start_date)
            found.add((trigger.get_next_fire_time(first, first) - first).total_seconds())
            cadence.stop()
        return found

    return asyncio.run(main())


def test_each_call_is_up_to_the_jitter_later() -> None:
    """Without jitter every distance is the interval; with it none is shorter, and none longer than both together."""
    assert next_calls(timedelta(0)) == {30.0}
    found = next_calls(timedelta(seconds=3))
    assert len(found) > 10
    assert all(30 <= each <= 33 for each in found)
