"""What a forecast rests on: durations, jobs that are going, files that contradict each other."""

import asyncio
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from controller.adapters.stores.memory import MemoryStore
from controller.model.job import Job, JobKind, JobStatus
from controller.model.profile import AITRONOS
from controller.model.record import Reason
from controller.model.schedule import Origin, ScheduleSpec
from controller.ports.spec_source import SpecTree
from controller.reconcile.outlooks import Outlooks, read_outlooks, usual_duration
from controller.reconcile.restored import Restorers
from controller.reconcile.status import Reading
from tests.unit.decide.given import REF, at, job, spec

MINUTE = timedelta(minutes=1)


@dataclass
class OneTree:
    """A spec source that holds one revision."""

    tree: SpecTree

    async def fetch(self, applied: str = "") -> SpecTree:  # noqa: ARG002
        """The revision."""
        return self.tree


def done(job_id: str, minutes: float, status: JobStatus = JobStatus.SUCCEEDED, kind: JobKind = JobKind.SYNC) -> Job:
    """A job that ended so many minutes after 09:00."""
    return replace(job(job_id, "09:00", status, kind), ended_at=at("09:00") + minutes * MINUTE)


@pytest.mark.parametrize(
    ("jobs", "expected"),
    [
        ([], None),
        ([done("a", 2), done("b", 4), done("c", 60)], 4),
        ([done("a", 2), done("b", 4)], 3),
        ([done("a", 2), done("b", 90, JobStatus.FAILED), done("c", 90, kind=JobKind.RESET)], 2),
        ([replace(done("a", 9), duration=7 * MINUTE)], 7),
        ([job("a", "09:00")], None),
    ],
)
def test_a_sync_usually_lasts_the_median_of_those_that_succeeded(jobs: list[Job], expected: float | None) -> None:
    """Failed jobs and resets say nothing, and what the platform says of a duration comes before the difference of times."""
    assert usual_duration(jobs) == (None if expected is None else expected * MINUTE)


def outlooks(*specs: ScheduleSpec, jobs: tuple[Job, ...] = (), only: str | None = None) -> Outlooks:
    """Read them from a store that knows these jobs and nothing else."""

    async def read() -> Outlooks:
        store = MemoryStore()
        await store.take(REF.platform, "test", at("10:00"))
        await store.save_jobs(REF.platform, jobs)
        source = OneTree(SpecTree("main@sha1:1", specs))
        return await read_outlooks(
            Reading(store, source, Restorers(lambda _: None), {REF.platform: AITRONOS}, at("10:00"), only=only)
        )

    return asyncio.run(read())


def test_a_first_start_counts_from_now_on_and_knows_the_jobs() -> None:
    """Nobody took the schedule in yet; what runs on its connection stands against it all the same."""
    (found,) = outlooks(spec(), jobs=(done("a", 4), job("b", "09:55", JobStatus.RUNNING))).schedules
    assert (found.standing.effective_since, found.standing.calendar_key) == (at("10:00"), spec().calendar_key)
    assert found.active is not None
    assert (found.active.job_id, found.active_is_ours, found.last_start) == ("b", False, at("09:55"))
    assert found.duration == 4 * MINUTE


def test_both_files_that_claim_a_connection_are_told() -> None:
    """Somebody looks for each of them; neither will start anything."""
    found = outlooks(spec(name="b"), spec(name="a", origin=Origin("a.yaml", 1))).schedules
    assert [(each.spec.name, each.obstacle) for each in found] == [
        ("a", Reason.DUPLICATE_CONNECTION),
        ("b", Reason.DUPLICATE_CONNECTION),
    ]


def test_one_schedule_is_read_alone() -> None:
    """The history of all others is spared."""
    assert [each.spec.name for each in outlooks(spec(name="a"), only="a").schedules] == ["a"]
    assert outlooks(spec(name="a"), only="b").schedules == ()
