"""What every platform does when the data of a connection's destination is cleared."""

from collections import Counter
from collections.abc import Iterator

import pytest

from controller.errors import Busy, Rejected
from controller.model.job import JobKind, JobStatus
from tests.contract.test_platform import On
from tests.contract.test_platform import on as on  # noqa: PLC0414  the fixture
from tests.e2e.embedded_process import PlatformProcess, start_platform
from tests.unit.adapters.platforms.bench import Bench, connections_yaml


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlatformProcess]:
    """One embedded platform for the whole suite."""
    started = start_platform(tmp_path_factory.mktemp("platform"), connections_yaml(), workers=1)
    yield started
    started.stop()


@pytest.fixture(scope="module")
def taken() -> Counter[str]:
    """Which connections of that platform tests have taken."""
    return Counter()


def test_a_reset_makes_a_job_of_its_kind_that_is_listed_and_ends(on: On) -> None:
    """The answer, the listing and the read by id call it a reset, and no sync counts as having succeeded."""

    async def check(bench: Bench) -> None:
        connection_id, since = bench.connection("quick"), bench.now()
        job = await bench.platform.trigger_reset(connection_id)
        ended = await bench.wait_for(job.job_id, lambda job: not job.is_active)
        listed = [each for each in (await bench.platform.list_jobs(since)).jobs if each.connection_id == connection_id]

        assert (job.connection_id, job.kind) == (connection_id, JobKind.RESET)
        assert (ended.job_id, ended.kind, ended.status) == (job.job_id, JobKind.RESET, JobStatus.SUCCEEDED)
        assert [(each.job_id, each.kind) for each in listed] == [(job.job_id, JobKind.RESET)]
        assert await bench.platform.newest_success(connection_id) is None

    on(check)


def test_a_reset_starts_beside_no_job_and_of_nothing(on: On) -> None:
    """A connection has one active job, whatever its kind; an unknown one gets none."""

    async def check(bench: Bench) -> None:
        connection_id, since = bench.connection("endless"), bench.now()
        sync = await bench.platform.trigger_sync(connection_id)
        with pytest.raises(Busy):
            await bench.platform.trigger_reset(connection_id)
        with pytest.raises(Rejected):
            await bench.platform.trigger_reset("nowhere")
        listed = (await bench.platform.list_jobs(since)).jobs
        assert [each.job_id for each in listed if each.connection_id == connection_id] == [sync.job_id]

    on(check)
