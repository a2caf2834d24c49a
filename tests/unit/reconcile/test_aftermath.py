"""What is kept and told of a look at a platform."""

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise

from controller.model.event import Event, EventName
from controller.model.job import Job, JobStatus
from tests.scenario.stage import Stage, play


class Looks:
    """What each look gave to the store."""

    def __init__(self, stage: Stage) -> None:
        self.kept: list[tuple[datetime, Sequence[Job], datetime | None, Sequence[Event]]] = []
        self._stage, self._save = stage, stage.store.save_jobs
        stage.store.save_jobs = self._note  # type: ignore[method-assign]

    async def _note(
        self, platform: str, jobs: Sequence[Job], *, through: datetime | None = None, events: Sequence[Event] = ()
    ) -> None:
        await self._save(platform, jobs, through=through, events=events)
        # A confirmation keeps its job in a transaction of its own.
        if through is not None:
            self.kept.append((self._stage.clock.now(), jobs, through, events))


def test_what_a_look_brings_is_one_write() -> None:
    """A job that ended is kept with its event, and with how far the platform was seen."""
    looks: list[Looks] = []

    async def scenario(stage: Stage) -> None:
        stage.schedule("orders", "schedules:\n  - every: 30s")
        looks.append(Looks(stage))
        await stage.start()
        await stage.run_for(45)
        told = [stored.event.name for stored in await stage.store.events()]
        assert told.count(EventName.JOB_FINISHED) == 1

    stage = play(scenario)
    (ended,) = [row for row in looks[0].kept if row[3]]
    _, jobs, through, events = ended
    assert [job.status for job in jobs] == [JobStatus.SUCCEEDED]
    assert through is not None
    assert events == stage.log.of(EventName.JOB_FINISHED)


def test_looks_that_bring_nothing_are_noted_every_two_minutes() -> None:
    """How far a platform was seen is a row of its own only then; a restart reads no more than that again."""
    looks: list[Looks] = []

    async def scenario(stage: Stage) -> None:
        stage.schedule("orders", "schedules:\n  - cron: 0 6 * * *")
        looks.append(Looks(stage))
        await stage.start()
        await stage.run_for(1790)

    play(scenario)
    assert len(looks[0].kept) == 15
    instants = [row[0] for row in looks[0].kept]
    assert all(120 <= (b - a).total_seconds() <= 126 for a, b in pairwise(instants))


def test_counts_of_cycles_are_told_and_not_kept() -> None:
    """The journal holds what happened; a row about each cycle would be one more write for each."""

    async def scenario(stage: Stage) -> None:
        stage.schedule("orders", "schedules:\n  - every: 30s")
        await stage.start()
        await stage.run_for(45)
        kept = {stored.event.name for stored in await stage.store.events()}
        assert EventName.SYNC_TRIGGERED in kept
        assert EventName.CYCLE_FINISHED not in kept

    assert play(scenario).log.of(EventName.CYCLE_FINISHED)
