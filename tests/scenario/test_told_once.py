"""What is told of jobs is told once, however often the controller is started anew: whoever counts events counts jobs."""

from collections import Counter
from datetime import timedelta

import pytest

from controller.model.event import EventName
from tests.fakes.platform import Behaviour
from tests.scenario.stage import Stage, play

EVERY_10_SECONDS = "schedules:\n  - every: 10s\n"
EVERY_HOUR = "schedules:\n  - every: 1h\n"


def told(stage: Stage, name: EventName) -> Counter[object]:
    """How often each job was told of."""
    return Counter(event.fields["job_id"] for event in stage.log.of(name))


@pytest.mark.parametrize("away_seconds", [1, 30, 400])
def test_the_end_of_a_job_is_told_once_over_restarts(away_seconds: int) -> None:
    """Jobs that ended before a restart, and while nobody looked, are told once each; what the last listing did not see yet is not."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("orders", EVERY_10_SECONDS)
        await stage.start()
        await stage.run_for(100)
        await stage.stop()
        await stage.run_for(away_seconds)
        await stage.start()
        await stage.run_for(100)
        await stage.crash()
        await stage.run_for(away_seconds)
        await stage.start()
        await stage.run_for(105)
        over = [job.job_id for job in stage.platform.jobs_of(ref.connection_id) if job.status.is_terminal]
        assert told(stage, EventName.JOB_FINISHED) == Counter(over)
        assert len(over) >= 30

    play(scenario)


def test_what_happened_while_the_controller_was_away_is_told_once() -> None:
    """A job that was active when the controller went, and one that somebody started and that ended meanwhile."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("orders", EVERY_HOUR, Behaviour(timedelta(seconds=30)))
        await stage.start()
        before = stage.platform.start_foreign_job(ref.connection_id)
        await stage.run_for(10)
        await stage.stop()
        await stage.run_for(60)
        meanwhile = stage.platform.start_foreign_job(ref.connection_id)
        await stage.run_for(60)
        for _ in range(2):
            await stage.start()
            await stage.run_for(20)
            await stage.stop()
        once = Counter([before.job_id, meanwhile.job_id])
        assert told(stage, EventName.JOB_FINISHED) == once
        assert told(stage, EventName.JOB_STARTED_ELSEWHERE) == once

    play(scenario)


def test_the_end_of_a_job_that_its_start_was_answered_with_is_told_once() -> None:
    """The answer to the POST shows the job as over, so no look will ever see it end."""

    async def scenario(stage: Stage) -> None:
        stage.schedule("brief", EVERY_10_SECONDS, Behaviour(timedelta(0)))
        await stage.start()
        await stage.run_for(45)
        assert told(stage, EventName.JOB_FINISHED) == Counter([job.job_id for job in stage.platform.jobs])
        assert len(stage.platform.jobs) >= 4

    play(scenario)


def test_what_was_over_before_anything_was_kept_is_no_news() -> None:
    """A first start on an empty store tells nothing of the jobs that it finds, save the end of the one that goes on."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("orders", EVERY_HOUR, Behaviour(timedelta(seconds=30)))
        stage.platform.start_foreign_job(ref.connection_id)
        await stage.run_for(60)
        active = stage.platform.start_foreign_job(ref.connection_id)
        await stage.run_for(10)
        await stage.start()
        await stage.run_for(60)
        assert told(stage, EventName.JOB_FINISHED) == Counter([active.job_id])
        assert told(stage, EventName.JOB_STARTED_ELSEWHERE) == Counter()

    play(scenario)
