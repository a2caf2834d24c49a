"""A revision that ends many jobs at once: as many as are allowed end, the others wait for the next full resync."""

from collections.abc import Callable, Collection, Coroutine
from datetime import timedelta
from typing import Any

from controller.errors import PlatformUnavailable
from controller.model.event import EventName
from controller.model.job import Job, JobStatus
from controller.model.plan import CancelJob
from controller.model.record import Reason
from controller.model.safety import SafetyLimits
from controller.reconcile.preview import preview
from tests.fakes.platform import Behaviour
from tests.scenario.stage import Stage, play

EVERY_HOUR = "schedules:\n  - every: 1h\nmaxDuration: {limit}\n"
STUCK = Behaviour(None)
RESYNC = timedelta(minutes=5)


async def busy_fleet(stage: Stage) -> list[str]:
    """A controller that has run for a minute, and 14 schedules with a sync that never ends; their names."""
    names = [f"s{number:02}" for number in range(14)]
    for name in names:
        ref = stage.schedule(name, EVERY_HOUR.format(limit="10h"), STUCK)
        stage.platform.start_foreign_job(ref.connection_id)
    await stage.start(resync=RESYNC)
    await stage.run_for(60)
    return names


def test_cancels_beyond_the_bound_wait_for_the_next_full_resync() -> None:
    """A ``maxDuration`` that somebody set too short ends ten syncs and no more before a person can look; nothing of it is a correction."""

    async def scenario(stage: Stage) -> None:
        names = await busy_fleet(stage)
        for name in names:
            stage.edit(name, EVERY_HOUR.format(limit="5s"))
        await stage.run_for(120)
        ended = [job.connection_id for job in stage.platform.jobs if job.status is JobStatus.CANCELLED]
        assert ended == [f"conn_{name}" for name in names[:10]]
        held = stage.log.of(EventName.SCHEDULE_HELD)
        assert [event.schedule for event in held] == names[10:]
        assert {event.fields["reason"] for event in held} == {"BlastRadius"}
        await stage.run_for(RESYNC.total_seconds() - 180 + 5)
        assert all(job.status is JobStatus.CANCELLED for job in stage.platform.jobs)
        assert [event.schedule for event in stage.log.of(EventName.SCHEDULE_RELEASED)] == names[10:]

    stage = play(scenario)
    assert stage.log.of(EventName.RESYNC_CORRECTED) == []
    assert stage.log.of(EventName.PLAN_REFUSED) == []
    assert len(stage.platform.calls_of("cancel_job")) == 14


def test_a_preview_knows_what_the_running_controller_has_used_up() -> None:
    """What it waits with is no start of a cancel, nor of another connection; a controller that starts anew would have all of it."""

    async def scenario(stage: Stage) -> None:
        names = await busy_fleet(stage)
        assert (await preview(stage.world(), attended=True)).spent == {}
        for name in names:
            stage.edit(name, EVERY_HOUR.format(limit="5s"))
        edited_at = stage.clock.now()
        await stage.run_for(120)
        shown = await preview(stage.world(), attended=True)
        held = [hold.schedule for hold in shown.plan.holds if hold.reason is Reason.BLAST_RADIUS]
        assert held == names[10:]
        assert [action for action in shown.plan.actions if isinstance(action, CancelJob)] == []
        assert edited_at <= shown.spent["default"] < edited_at + timedelta(seconds=30)
        for unknown in (await preview(stage.world()), await preview(stage.world(), attended=True, is_now=False)):
            assert unknown.spent == {}
            assert any(isinstance(action, CancelJob) for action in unknown.plan.actions)
        await stage.run_for(RESYNC.total_seconds())
        assert (await preview(stage.world(), attended=True)).spent == {}

    play(scenario)


def test_starts_beyond_the_bound_of_one_cycle_follow_at_once() -> None:
    """Nobody has to wait for the next full resync, nor is a slot lost."""

    async def scenario(stage: Stage) -> None:
        refs = [stage.schedule(f"s{number}", "schedules:\n  - every: 60s\n") for number in range(6)]
        await stage.start(limits=SafetyLimits(trigger_count=1))
        await stage.run_for(70)
        for ref in refs:
            assert await stage.words(ref) == ["Triggered"]

    stage = play(scenario)
    late = [float(str(event.fields["trigger_delay_seconds"])) for event in stage.log.of(EventName.SYNC_TRIGGERED)]
    assert max(late) < 2


def test_what_was_not_sent_uses_nothing_up() -> None:
    """While jobs cannot be read no DELETE leaves, however often that is tried; what is allowed is still there afterwards."""

    async def scenario(stage: Stage) -> None:
        read: Callable[[Collection[str]], Coroutine[Any, Any, dict[str, Job]]] = stage.platform.get_jobs

        async def refuse(job_ids: Collection[str]) -> dict[str, Job]:
            raise PlatformUnavailable(f"no answer about {len(job_ids)} jobs")

        stage.platform.get_jobs = refuse  # type: ignore[method-assign]
        ref = stage.schedule("hangs", EVERY_HOUR.format(limit="5s"), STUCK)
        stage.platform.start_foreign_job(ref.connection_id)
        await stage.start(resync=timedelta(hours=1))
        await stage.run_for(120)
        assert len(stage.log.of(EventName.CANCEL_FAILED)) > SafetyLimits().write_count
        stage.platform.get_jobs = read  # type: ignore[method-assign,assignment]
        await stage.run_for(60)
        assert [job.status for job in stage.platform.jobs_of(ref.connection_id)] == [JobStatus.CANCELLED]

    play(scenario)
