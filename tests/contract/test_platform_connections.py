"""What every platform does when a connection of it is changed."""

from collections import Counter
from collections.abc import Iterator

import pytest

from controller.errors import ConnectionLocked, NotCreated, OutcomeUnknown, Rejected
from controller.model.connection import ConnectionChange, ConnectionStatus, PlatformScheduleKind
from tests.contract.test_platform import On
from tests.contract.test_platform import on as on  # noqa: PLC0414  the fixture
from tests.e2e.embedded_process import PlatformProcess, start_platform
from tests.fakes.platform import UpdateFault
from tests.unit.adapters.platforms.bench import Bench, EmbeddedBench, FakeBench, connections_yaml
from tests.unit.adapters.platforms.stubs import run

ACTIVE, INACTIVE = ConnectionStatus.ACTIVE, ConnectionStatus.INACTIVE


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


def set_schedule(bench: Bench, process: PlatformProcess | None, connection_id: str, spelling: str) -> None:
    """Let a person give a connection a schedule of its own."""
    if isinstance(bench, FakeBench):
        bench.fake.edit(connection_id, kind=PlatformScheduleKind.CRON, expression="0 0 12 * * ?")
    elif process is not None:
        expression = {"schedule_type": "cron_expression", "scheduleType": "cronExpression"}[spelling]
        body = {"schedule": {spelling: "cron", expression: "0 0 12 * * ?"}}
        assert process.call("PATCH", f"/connections/{connection_id}", json=body).status_code == 200


@pytest.mark.parametrize("spelling", ["schedule_type", "scheduleType"])
def test_a_schedule_is_set_to_manual_and_read_back(on: On, request: pytest.FixtureRequest, spelling: str) -> None:
    """The answer and a later read show it, whatever spelling the platform shows; status and name stay as they are."""

    async def check(bench: Bench) -> None:
        process = request.getfixturevalue("process") if isinstance(bench, EmbeddedBench) else None
        connection_id = bench.connection("quick")
        set_schedule(bench, process, connection_id, spelling)
        before = await bench.platform.get_connection(connection_id)
        answered = await bench.platform.update_connection(connection_id, ConnectionChange(manual=True))
        read = await bench.platform.get_connection(connection_id)

        assert before is not None
        # A platform may show the zone that it takes the expression in.
        assert before.schedule_kind is PlatformScheduleKind.CRON
        assert before.expression in ("0 0 12 * * ?", "0 0 12 * * ? UTC")
        assert answered == read
        assert (answered.schedule_kind, answered.status, answered.name) == (
            PlatformScheduleKind.MANUAL,
            before.status,
            before.name,
        )

    on(check)


def test_a_status_is_set_both_ways_and_the_schedule_stays(on: On) -> None:
    """Only the keys that change are written."""

    async def check(bench: Bench) -> None:
        connection_id = bench.connection("quick")
        paused = await bench.platform.update_connection(connection_id, ConnectionChange(status=INACTIVE))
        resumed = await bench.platform.update_connection(connection_id, ConnectionChange(status=ACTIVE))
        again = await bench.platform.update_connection(connection_id, ConnectionChange(status=ACTIVE))

        assert (paused.status, resumed.status, again) == (INACTIVE, ACTIVE, resumed)
        assert resumed.schedule_kind is PlatformScheduleKind.MANUAL

    on(check)


@pytest.mark.parametrize("connection_id", ["nobody", "..", ""])
def test_a_connection_that_is_not_there_is_rejected(on: On, connection_id: str) -> None:
    """Certainly nothing was changed."""

    async def check(bench: Bench) -> None:
        with pytest.raises(Rejected):
            await bench.platform.update_connection(connection_id, ConnectionChange(manual=True))

    on(check)


def test_what_goes_wrong_says_whether_anything_was_changed() -> None:
    """The fake fails as the port says, in every way that a controller must tell apart."""

    async def check() -> None:
        bench = FakeBench()
        fake, change = bench.fake, ConnectionChange(status=INACTIVE)
        for fault, error, status in (
            (UpdateFault.REJECTED, Rejected, ACTIVE),
            (UpdateFault.LOCKED, ConnectionLocked, ACTIVE),
            (UpdateFault.LOST_REQUEST, OutcomeUnknown, ACTIVE),
            (UpdateFault.LOST_REPLY, OutcomeUnknown, INACTIVE),
        ):
            name = bench.connection("quick")
            fake.update_faults.append(fault)
            with pytest.raises(error):
                await fake.update_connection(name, change)
            assert fake.settings(name).status is status
        fake.is_available = False
        with pytest.raises(NotCreated):
            await fake.update_connection(bench.connection("quick"), change)

    run(check())
