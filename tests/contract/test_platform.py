"""What every platform does, and what its faults look like through the port."""

from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from controller.errors import (
    Busy,
    NotCreated,
    OutcomeUnknown,
    PlatformBusyElsewhere,
    PlatformUnavailable,
    Rejected,
)
from controller.model.connection import ConnectionStatus, PlatformScheduleKind
from controller.model.job import JobKind, JobStatus
from tests.e2e.embedded_process import PlatformProcess, start_platform
from tests.fakes.platform import FakePlatform, TriggerFault
from tests.unit.adapters.platforms.bench import (
    EACH_KIND,
    KINDS,
    PAGE_SIZE,
    Bench,
    EmbeddedBench,
    FakeBench,
    clean_up,
    connections_yaml,
)
from tests.unit.adapters.platforms.stubs import run

Check = Callable[[Bench], Coroutine[Any, Any, None]]
On = Callable[[Check], None]


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlatformProcess]:
    """One embedded platform for the whole suite."""
    started = start_platform(tmp_path_factory.mktemp("platform"), connections_yaml(), workers=8)
    yield started
    started.stop()


@pytest.fixture(scope="module")
def taken() -> Counter[str]:
    """Which connections of that platform tests have taken."""
    return Counter()


@pytest.fixture(params=["fake", "embedded"])
def on(request: pytest.FixtureRequest, taken: Counter[str]) -> On:
    """Runs a check on each platform in turn, in an event loop of its own."""

    def check_on(check: Check) -> None:
        async def checked() -> None:
            process = request.getfixturevalue("process") if request.param == "embedded" else None
            bench = FakeBench() if process is None else EmbeddedBench(process, taken)
            try:
                await check(bench)
            finally:
                await clean_up(bench)

        run(checked())

    return check_on


def test_a_trigger_makes_a_job_that_is_listed(on: On) -> None:
    """The answer, the listing and the read by id speak of the same job of the same connection."""

    async def check(bench: Bench) -> None:
        connection_id = bench.connection("endless")
        since = bench.now()
        job = await bench.platform.trigger_sync(connection_id)

        listing = await bench.platform.list_jobs(since)
        read = await bench.platform.get_jobs([job.job_id])

        assert (job.connection_id, job.kind) == (connection_id, JobKind.SYNC)
        assert job.is_active
        assert [each.job_id for each in listing.jobs if each.connection_id == connection_id] == [job.job_id]
        assert listing.covers_since <= since
        assert read[job.job_id].created_at == job.created_at >= since

    on(check)


@pytest.mark.parametrize(("kind", "status"), [("quick", JobStatus.SUCCEEDED), ("failing", JobStatus.FAILED)])
def test_a_job_that_is_over_says_how_and_when(on: On, kind: str, status: JobStatus) -> None:
    """Its status is terminal, and it has an end."""

    async def check(bench: Bench) -> None:
        job = await bench.platform.trigger_sync(bench.connection(kind))

        ended = await bench.wait_for(job.job_id, lambda job: not job.is_active)

        assert ended.status is status
        assert ended.ended_at is not None
        assert ended.created_at <= ended.ended_at <= bench.now()

    on(check)


def test_a_connection_has_one_active_job(on: On) -> None:
    """A second trigger is busy and makes nothing; after the first is over a third makes another job."""

    async def check(bench: Bench) -> None:
        connection_id, since = bench.connection("endless"), bench.now()
        first = await bench.platform.trigger_sync(connection_id)
        with pytest.raises(Busy):
            await bench.platform.trigger_sync(connection_id)
        listed = (await bench.platform.list_jobs(since)).jobs
        assert [job.job_id for job in listed if job.connection_id == connection_id] == [first.job_id]
        await bench.platform.cancel_job(first.job_id)
        await bench.wait_for(first.job_id, lambda job: not job.is_active)

        second = await bench.platform.trigger_sync(connection_id)

        assert second.job_id != first.job_id

    on(check)


def test_a_trigger_of_nothing_is_rejected(on: On) -> None:
    """An unknown connection gets no job, and never will."""

    async def check(bench: Bench) -> None:
        with pytest.raises(Rejected):
            await bench.platform.trigger_sync("nowhere")

    on(check)


def test_a_trigger_of_an_inactive_connection_is_busy(on: On) -> None:
    """The platform says "not now"; what is the matter shows in the connection."""

    async def check(bench: Bench) -> None:
        with pytest.raises(Busy):
            await bench.platform.trigger_sync(bench.connection("inactive"))

    on(check)


def test_a_cancelled_job_ends_as_cancelled(on: On) -> None:
    """Cancelling it again, or a job that nobody knows, is a success as well."""

    async def check(bench: Bench) -> None:
        job = await bench.platform.trigger_sync(bench.connection("endless"))

        await bench.platform.cancel_job(job.job_id)
        ended = await bench.wait_for(job.job_id, lambda job: not job.is_active)
        await bench.platform.cancel_job(job.job_id)
        await bench.platform.cancel_job("nothing")

        assert ended.status is JobStatus.CANCELLED

    on(check)


def test_a_listing_is_whole_and_newest_first(on: On) -> None:
    """More jobs than two pages hold: each once, in order, none from before its start."""

    async def check(bench: Bench) -> None:
        before = await bench.platform.trigger_sync(bench.connection("quick"))
        await bench.wait_for(before.job_id, lambda job: bench.now() > job.created_at + timedelta(seconds=1))
        since = bench.now().replace(microsecond=0)
        connections = [bench.connection("quick") for _ in range(2 * PAGE_SIZE + 1)]
        made = [await bench.platform.trigger_sync(connection_id) for connection_id in connections]

        listing = await bench.platform.list_jobs(since)

        assert sorted(job.job_id for job in listing.jobs) == sorted(job.job_id for job in made)
        times = [job.created_at for job in listing.jobs]
        assert times == sorted(times, reverse=True)

    on(check)


def test_a_listing_carries_the_platforms_clock(on: On) -> None:
    """A platform says what time it is, so that a wrong clock shows."""

    async def check(bench: Bench) -> None:
        listing = await bench.platform.list_jobs(bench.now())

        assert listing.platform_date is not None
        assert abs(listing.platform_date - bench.now()) < timedelta(seconds=5)

    on(check)


def test_active_jobs_are_found_however_old(on: On) -> None:
    """Every active job is there, and none that is over."""

    async def check(bench: Bench) -> None:
        over = await bench.platform.trigger_sync(bench.connection("failing"))
        endless = [await bench.platform.trigger_sync(bench.connection("endless")) for _ in range(2)]
        await bench.wait_for(over.job_id, lambda job: not job.is_active)

        active = await bench.platform.list_active_jobs()

        assert {job.job_id for job in endless} == {job.job_id for job in active}

    on(check)


def test_unknown_jobs_are_absent(on: On) -> None:
    """A read of several answers with those that exist."""

    async def check(bench: Bench) -> None:
        job = await bench.platform.trigger_sync(bench.connection("quick"))

        assert set(await bench.platform.get_jobs([job.job_id, "nothing"])) == {job.job_id}
        assert await bench.platform.get_jobs([]) == {}

    on(check)


def test_the_newest_success_of_a_connection_is_found(on: On) -> None:
    """Of several syncs the newest that succeeded, and none of another connection, of a failed or of an unfinished one."""

    async def check(bench: Bench) -> None:
        platform = bench.platform
        connection_id, failing, endless = (bench.connection(kind) for kind in ("quick", "failing", "endless"))
        assert await platform.newest_success(connection_id) is None
        for _ in range(2):
            newest = await platform.trigger_sync(connection_id)
            await bench.wait_for(newest.job_id, lambda job: bench.now() > job.created_at + timedelta(seconds=1))
            await bench.wait_for(newest.job_id, lambda job: not job.is_active)
        over = await platform.trigger_sync(failing)
        await bench.wait_for(over.job_id, lambda job: not job.is_active)
        await platform.trigger_sync(endless)

        found = await platform.newest_success(connection_id)

        assert found == (await platform.get_jobs([newest.job_id]))[newest.job_id]
        assert [await platform.newest_success(each) for each in (failing, endless, "nowhere")] == [None] * 3

    on(check)


def test_a_connection_says_whether_it_may_start(on: On) -> None:
    """Status is read per connection; one that is not there is None."""

    async def check(bench: Bench) -> None:
        connection_id = bench.connection("quick")
        active = await bench.platform.get_connection(connection_id)
        inactive = await bench.platform.get_connection(bench.connection("inactive"))

        assert active is not None
        assert inactive is not None
        assert (active.connection_id, active.status) == (connection_id, ConnectionStatus.ACTIVE)
        assert inactive.status is ConnectionStatus.INACTIVE
        assert active.schedule_kind is PlatformScheduleKind.MANUAL
        assert await bench.platform.get_connection("nowhere") is None

    on(check)


def test_connections_come_in_pages(on: On) -> None:
    """Pages hold what was asked for, the last one less, and together each connection once."""

    async def check(bench: Bench) -> None:
        total = EACH_KIND * len(KINDS)
        size = 40
        pages = [await bench.platform.list_connections(offset, size) for offset in range(0, total, size)]

        assert [len(page) for page in pages] == [40, 40, total - 80]
        assert len({connection.connection_id for page in pages for connection in page}) == total

    on(check)


# Faults: the fake is told by its script, the embedded platform by its options


Arrange = Callable[[FakePlatform], None]
OnFaulty = Callable[[str, Arrange, Check, Check], None]


@pytest.fixture(params=["fake", "embedded"])
def on_faulty(request: pytest.FixtureRequest, tmp_path: Path) -> OnFaulty:
    """Runs one check on a platform with a fault, and one on the same platform without it."""

    async def check_and_close(bench: Bench, check: Check) -> None:
        try:
            await check(bench)
        finally:
            await bench.platform.close()

    def check_fake(arrange: Arrange, during: Check, after: Check) -> None:
        bench = FakeBench()
        arrange(bench.fake)
        run(during(bench))
        bench.fake.is_available = True
        run(after(bench))

    def check_embedded(option: str, during: Check, after: Check) -> None:
        for faults, check in (((option,), during), ((), after)):
            started = start_platform(tmp_path, connections_yaml(), faults=faults)
            try:
                run(check_and_close(EmbeddedBench(started, Counter()), check))
            finally:
                started.stop()

    def check_on(option: str, arrange: Arrange, during: Check, after: Check) -> None:
        if request.param == "fake":
            check_fake(arrange, during, after)
        else:
            check_embedded(option, during, after)

    return check_on


async def _trigger_in_vain(bench: Bench) -> None:
    with pytest.raises(OutcomeUnknown):
        await bench.platform.trigger_sync("quick_0")


async def _made_one(bench: Bench) -> None:
    jobs = (await bench.platform.list_jobs(bench.now() - timedelta(minutes=5))).jobs
    assert [job.connection_id for job in jobs] == ["quick_0"]


async def _made_none(bench: Bench) -> None:
    assert (await bench.platform.list_jobs(bench.now() - timedelta(minutes=5))).jobs == ()


def test_a_lost_reply_leaves_a_job(on_faulty: OnFaulty) -> None:
    """The outcome is unknown to the caller, and the job is there."""
    on_faulty("lost-reply", lambda fake: fake.script(TriggerFault.LOST_REPLY), _trigger_in_vain, _made_one)


def test_a_lost_request_leaves_none(on_faulty: OnFaulty) -> None:
    """The outcome is as unknown, and there is no job."""
    on_faulty("lost-request", lambda fake: fake.script(TriggerFault.LOST_REQUEST), _trigger_in_vain, _made_none)


def test_a_platform_that_wants_a_pause_makes_no_job(on_faulty: OnFaulty) -> None:
    """429 is certainly no job, with the time to wait; reads are told the same."""

    async def refused(bench: Bench) -> None:
        with pytest.raises(NotCreated) as trigger:
            await bench.platform.trigger_sync("quick_0")
        with pytest.raises(PlatformBusyElsewhere) as read:
            await bench.platform.list_jobs(bench.now())
        for wait in (trigger.value.retry_after, read.value.retry_after):
            assert wait is not None
            assert timedelta(seconds=110) < wait <= timedelta(seconds=120)

    async def nothing(_bench: Bench) -> None:
        pass

    on_faulty("http-429=120s", lambda fake: fake.refuse_for(timedelta(seconds=120)), refused, nothing)


def test_a_platform_that_fails_is_not_an_empty_one(on_faulty: OnFaulty) -> None:
    """Every read fails instead of answering with nothing."""

    def fail(fake: FakePlatform) -> None:
        fake.is_available = False

    async def fails(bench: Bench) -> None:
        platform = bench.platform
        calls: list[Callable[[], Awaitable[object]]] = [
            lambda: platform.list_jobs(bench.now()),
            platform.list_active_jobs,
            lambda: platform.get_jobs(["job_1"]),
            lambda: platform.newest_success("quick_0"),
            lambda: platform.get_connection("quick_0"),
            lambda: platform.list_connections(0, 10),
            lambda: platform.cancel_job("job_1"),
        ]
        for call in calls:
            with pytest.raises(PlatformUnavailable):
                await call()

    on_faulty("http-500", fail, fails, _made_none)


def test_a_listing_may_lag_behind(on_faulty: OnFaulty) -> None:
    """A new job is readable by id before listings show it."""

    def lag(fake: FakePlatform) -> None:
        fake.list_lag = timedelta(minutes=2)

    async def lags(bench: Bench) -> None:
        job = await bench.platform.trigger_sync("quick_0")
        assert await bench.platform.get_jobs([job.job_id])
        await _made_none(bench)

    async def nothing(_bench: Bench) -> None:
        pass

    on_faulty("list-lag=120s", lag, lags, nothing)
