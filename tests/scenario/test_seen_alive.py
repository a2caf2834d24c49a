"""What ``mainspring get`` says while a controller runs: of a job that was just started, and of a platform on which nothing happens."""

from datetime import timedelta

import pytest

from controller.cli.state.get import notes
from controller.model.profile import AITRONOS, EMBEDDED, PlatformProfile
from controller.model.status import State, StatusReport
from controller.reconcile.restored import Restorers
from controller.reconcile.status import Reading, read_report
from controller.settings import PlatformSettings, Settings
from tests.fakes.platform import Behaviour
from tests.scenario.stage import Stage, play


async def report_of(stage: Stage) -> StatusReport:
    """What ``get`` reads now."""
    restorers = Restorers(lambda _: None, lambda _: None)
    reading = Reading(stage.store, stage.specs, restorers, {"default": stage.profile}, stage.clock.now())
    return await read_report(reading)


def settings_with(profile: PlatformProfile) -> Settings:
    """Settings that know the stage's platform."""
    platform = PlatformSettings("default", "embedded", "http://127.0.0.1:1", "org", profile)
    return Settings(platforms={"default": platform})


@pytest.mark.parametrize("profile", [EMBEDDED, AITRONOS], ids=["embedded", "aitronos"])
def test_nobody_is_asked_whether_a_controller_runs_while_one_does(profile: PlatformProfile) -> None:
    """Nothing happens on the platform for an hour and a half, and it is looked at all the same."""

    async def scenario(stage: Stage) -> None:
        stage.schedule("orders", "schedules:\n  - every: 6h")
        await stage.start()
        await stage.run_for(20)
        for _ in range(180):
            await stage.run_for(30)
            assert notes(await report_of(stage), settings_with(profile)) == []
        await stage.stop()
        await stage.run_for(1200)
        (note,) = notes(await report_of(stage), settings_with(profile))
        assert "is a controller running?" in note

    play(scenario, profile=profile)


def test_a_job_is_shown_as_running_as_soon_as_its_start_was_answered_and_as_over_after_the_next_look() -> None:
    """Nothing is judged only because a job was started, and what a person sees does not wait for that."""

    async def scenario(stage: Stage) -> None:
        stage.schedule("orders", "schedules:\n  - every: 1m", Behaviour(timedelta(seconds=20)))
        await stage.start()
        seen = list[tuple[State, dict[str, str]]]()
        for pause in (58.5, 0.6, 15.0, 9.0):
            await stage.run_for(pause)
            (status,) = (await report_of(stage)).schedules
            seen.append((status.condition.state, {str(row.type): str(row.reason) for row in status.conditions}))
        assert [state for state, _ in seen] == [State.READY, State.RUNNING, State.RUNNING, State.READY]
        assert {row["Reconciling"] for _, row in seen} == {"Settled"}
        assert [row["Healthy"] for _, row in seen] == ["NoSyncYet"] * 3 + ["SyncSucceeded"]

    play(scenario)
