"""Nothing that is due, or was seen, is lost where the store fails for a moment or the controller dies at the worst one."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from controller.errors import StoreUnavailable
from controller.model.asked import Request
from controller.model.event import Event, EventName
from controller.model.job import Job, JobStatus
from tests.fakes.platform import Behaviour
from tests.scenario.stage import MortalStore, Stage, play


class FailingStore(MortalStore):
    """A store that fails at what a test wants it to; ``journal`` holds the jobs whose end was kept."""

    def __init__(self) -> None:
        super().__init__()
        self.fails_at = set[str]()
        self.journal = list[str]()

    async def waiting_requests(self) -> tuple[Request, ...]:
        """As the port says, or not at all."""
        self._fail_at("waiting_requests")
        return await super().waiting_requests()

    async def save_jobs(
        self, platform: str, jobs: Sequence[Job], *, through: datetime | None = None, events: Sequence[Event] = ()
    ) -> None:
        """As the port says, or not at all."""
        self._fail_at("save_jobs")
        await super().save_jobs(platform, jobs, through=through, events=events)
        self.journal += [str(event.fields["job_id"]) for event in events if event.name is EventName.JOB_FINISHED]
        self._fail_at("answer of save_jobs")

    def _fail_at(self, what: str) -> None:
        if what in self.fails_at:
            raise StoreUnavailable("the disk is full")


def failing(stage: Stage) -> FailingStore:
    """Give the stage a store that can be made to fail."""
    store = FailingStore()
    stage.store = store
    return store


def test_what_falls_due_while_requests_cannot_be_read_is_judged_when_they_can() -> None:
    """The store fails between what is due and the look for requests, and what is due must stay so."""

    async def scenario(stage: Stage) -> None:
        store = failing(stage)
        ref = stage.schedule("orders", "schedules:\n  - every: 1m\nmode: Observe")
        await stage.start(request_poll=timedelta(hours=1), resync=timedelta(hours=1))
        await stage.run_for(58.9)
        store.fails_at.add("waiting_requests")
        loop = stage.controller
        assert loop is not None
        # Both are wanted of the same step, as after a pause of the process.
        loop._asking.is_due = True
        await stage.run_for(0.5)
        store.fails_at.clear()
        await stage.run_for(10)
        assert len(await stage.words(ref)) == 1

    play(scenario)


def test_what_was_kept_although_the_store_failed_is_kept_once() -> None:
    """The commit was durable and its answer was lost; the events of it are in the journal already."""

    async def scenario(stage: Stage) -> None:
        store = failing(stage)
        stage.schedule("orders", "schedules:\n  - every: 10m", Behaviour(timedelta(seconds=5)))
        await stage.start(resync=timedelta(hours=1))
        await stage.run_for(602)
        store.fails_at.add("answer of save_jobs")
        await stage.run_for(8)
        store.fails_at.clear()
        await stage.run_for(40)
        assert store.journal == [job.job_id for job in stage.platform.jobs]

    play(scenario)


def test_the_end_of_a_job_that_could_not_be_kept_is_kept_told_and_acted_on_after_the_next_look() -> None:
    """It was seen and is in memory, so no later look shows a change: its retry would wait for the next slot, and its row run for ever."""

    async def scenario(stage: Stage) -> None:
        store = failing(stage)
        lines = "schedules:\n  - every: 10m\nretry: {attempts: 1, backoff: 5s}"
        ref = stage.schedule("orders", lines, Behaviour(timedelta(seconds=5), JobStatus.FAILED))
        await stage.start(resync=timedelta(hours=1))
        await stage.run_for(602)
        store.fails_at.add("save_jobs")
        await stage.run_for(8)
        store.fails_at.clear()
        await stage.run_for(40)
        first, second = stage.platform.jobs
        assert Counter(event.fields["job_id"] for event in stage.log.of(EventName.JOB_FINISHED)) == {
            first.job_id: 1,
            second.job_id: 1,
        }
        kept = [job.status for job, _ in await store.jobs(ref, 10)]
        assert kept == [JobStatus.FAILED, JobStatus.FAILED]

    play(scenario)
