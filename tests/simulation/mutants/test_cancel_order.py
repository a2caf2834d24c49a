"""A DELETE is the last of three steps: the job is read once more, the request is journaled, and only then it is sent."""

from collections.abc import Callable, Collection, Coroutine
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from controller.errors import StoreUnavailable
from controller.model.event import EventName
from controller.model.job import Job, JobStatus
from controller.model.record import CancelRequest
from tests.fakes.platform import Behaviour
from tests.scenario.stage import Stage, play

HANGS = "schedules:\n  - every: 10m\nmaxDuration: 10s"


@pytest.mark.parametrize("change", [{"status": JobStatus.SUCCEEDED}, {"connection_id": "conn_other"}], ids=str)
def test_a_job_that_is_not_what_it_was_is_left_alone(change: dict[str, Any]) -> None:
    """A job that is over by now, or another connection's, is not named in a DELETE."""

    async def scenario(stage: Stage) -> None:
        read: Callable[[Collection[str]], Coroutine[Any, Any, dict[str, Job]]] = stage.platform.get_jobs

        async def changed(job_ids: Collection[str]) -> dict[str, Job]:
            return {job_id: replace(job, **change) for job_id, job in (await read(job_ids)).items()}

        stage.platform.get_jobs = changed  # type: ignore[method-assign]
        ref = stage.schedule("hangs", HANGS, Behaviour(None))
        await stage.start()
        await stage.run_for(630)
        assert stage.platform.jobs_of(ref.connection_id)
        assert stage.platform.calls_of("cancel_job") == ()

    play(scenario)


def test_what_cannot_be_journaled_is_not_sent() -> None:
    """While the store refuses the request, no DELETE leaves; as soon as it takes it, one does."""

    async def scenario(stage: Stage) -> None:
        write: Callable[[CancelRequest], Coroutine[Any, Any, None]] = stage.store.request_cancel

        async def refuse(request: CancelRequest) -> None:
            raise StoreUnavailable(f"{request.job_id} cannot be written")

        stage.store.request_cancel = refuse  # type: ignore[method-assign]
        ref = stage.schedule("hangs", HANGS, Behaviour(None))
        await stage.start()
        await stage.run_for(630)
        assert stage.platform.calls_of("cancel_job") == ()
        stage.store.request_cancel = write  # type: ignore[method-assign,assignment]
        await stage.run_for(120)
        (job,) = stage.platform.jobs_of(ref.connection_id)
        assert job.status is JobStatus.CANCELLED
        assert job.ended_at is not None
        assert job.ended_at - job.created_at > timedelta(seconds=10)

    stage = play(scenario)
    assert len(stage.log.of(EventName.CANCEL_REQUESTED)) == 1
