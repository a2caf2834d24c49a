"""Observing: everything that is wrong is told, and not one request that could change anything leaves."""

from datetime import timedelta

import pytest

from controller.model.connection import ConnectionStatus, PlatformScheduleKind
from controller.model.event import EventName
from controller.model.job import JobKind
from controller.model.record import Reason
from tests.fakes.platform import Behaviour
from tests.scenario.http_front import HttpFront
from tests.scenario.stage import Stage, play

STUCK = Behaviour(None)
QUICK = Behaviour(timedelta(seconds=2))
HARSH = """
schedules:
  - every: 30s
overlap: Replace
catchUp: {window: 20s}
maxDuration: 40s
stalledAfter: 30s
retry: {attempts: 3}
onDelete: CancelRunning
freshnessAlert: {warnAfter: 60s, errorAfter: 120s}
drift: {platformSchedule: Enforce, connectionStatus: Enforce, foreignJobs: Cancel}
windows: [{deny: {cron: "2 12 * * *", duration: 1m}, onClose: Cancel}]
"""
OBSERVE = HARSH + "mode: Observe\n"
NAMES = ("missed", "stuck", "paused", "doubled", "suspended")


async def everything_wrong(stage: Stage, text: str, **changes: object) -> HttpFront:
    """Each schedule with another thing that a controller would do something about; what one did before is not counted."""
    front = HttpFront(stage.platform, stage.clock)
    platforms = {"default": (front.adapter(stage.profile), stage.profile)}
    leaving = "schedules:\n  - every: 30s\nonDelete: CancelRunning\n"
    stage.schedule("leaving", leaving, STUCK)
    await stage.start(platforms=platforms)
    await stage.run_for(40)
    if text is OBSERVE:
        stage.edit("leaving", f"{leaving}mode: Observe")
        await stage.run_for(10)
    await stage.stop()
    assert [job.connection_id for job in stage.platform.jobs] == ["conn_leaving"]
    front.requests.clear()
    stage.log.events.clear()
    for name in NAMES:
        stage.schedule(name, text, STUCK if name == "stuck" else QUICK)
    stage.edit("suspended", text + "suspend: {reason: moving}\n")
    stage.edit("leaving", None)
    stage.platform.edit("conn_paused", status=ConnectionStatus.INACTIVE)
    stage.platform.edit("conn_doubled", kind=PlatformScheduleKind.CRON, expression="0 0 12 * * ? UTC")
    stage.platform.start_foreign_job("conn_stuck")
    stage.platform.start_foreign_job("conn_doubled", JobKind.RESET)
    await stage.start(platforms=platforms, **changes)
    await stage.run_for(130)
    stage.edit("missed", text + "failureBudget: 5\n")
    await stage.run_for(170)
    return front


def told(stage: Stage, name: EventName) -> set[str]:
    """The schedules that an event was told of."""
    return {str(event.schedule) for event in stage.log.of(name)}


@pytest.mark.parametrize("flag", [False, True])
def test_everything_is_told_and_nothing_is_written(*, flag: bool) -> None:
    """``mode: Observe``, and ``--observe`` over specs that would enforce: by the platform's own log only reads arrive."""
    fronts: list[HttpFront] = []

    async def scenario(stage: Stage) -> None:
        fronts.append(await everything_wrong(stage, HARSH if flag else OBSERVE, observe=flag))

    stage = play(scenario)
    assert {method for _, method, _ in fronts[0].requests} == {"GET"}
    assert len(fronts[0].requests) > 100
    assert {*NAMES} - {"suspended"} <= told(stage, EventName.SLOT_MISSED)
    assert {*NAMES} <= told(stage, EventName.FRESHNESS_LOST)
    drifts = {(str(event.schedule), event.fields["field"]) for event in stage.log.of(EventName.DRIFT_DETECTED)}
    assert drifts == {
        ("doubled", "platformSchedule"),
        ("paused", "connectionStatus"),
        ("suspended", "connectionStatus"),
    }
    held = {(str(event.schedule), event.fields["reason"]) for event in stage.log.of(EventName.SCHEDULE_HELD)}
    assert {("stuck", Reason.STUCK), ("doubled", Reason.DOUBLE_SCHEDULED)} <= held
    assert len(stage.log.of(EventName.SCHEDULE_HELD, "stuck")) == 1
    assert told(stage, EventName.SCHEDULE_REMOVED) == {"leaving"}


def test_the_same_is_acted_on_without_it() -> None:
    """Else the test above would show nothing."""
    fronts: list[HttpFront] = []

    async def scenario(stage: Stage) -> None:
        fronts.append(await everything_wrong(stage, HARSH))

    stage = play(scenario)
    assert {method for _, method, _ in fronts[0].requests} == {"GET", "POST", "DELETE", "PATCH"}
    assert "leaving" in told(stage, EventName.CANCEL_REQUESTED)
