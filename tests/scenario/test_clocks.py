"""Clocks that contradict each other: the wall clock is set, drifts, is corrected; a platform's clock is wrong; the machine sleeps."""

from dataclasses import replace
from datetime import timedelta

import pytest

from controller.model.event import Event, EventName
from controller.model.job import JobStatus
from controller.model.profile import EMBEDDED
from controller.model.record import Outcome
from tests.fakes.platform import Behaviour, FakePlatform, TriggerFault
from tests.fakes.spec_source import MemorySpecSource
from tests.scenario.stage import Stage, play

EVERY_30 = "schedules:\n  - every: 30s\n"
HOUR = timedelta(hours=1)
CLOCK_EVENTS = (EventName.CLOCK_FROZEN, EventName.CLOCK_SKEWED, EventName.CLOCK_AGREED)


def told(stage: Stage) -> list[Event]:
    """What was told of the clocks, in order."""
    return [event for event in stage.log.events if event.name in CLOCK_EVENTS]


def names(stage: Stage) -> list[EventName]:
    """The same, by name."""
    return [event.name for event in told(stage)]


def starts(stage: Stage) -> int:
    """How many syncs the platform was asked for."""
    return len(stage.platform.calls_of("trigger_sync"))


@pytest.mark.parametrize("step", [HOUR, -HOUR])
def test_a_step_freezes_everything_until_it_is_taken_back(step: timedelta) -> None:
    """It is told within 10 s, nothing starts or is decided meanwhile, and once the clock is right again all goes on as before."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("shop", EVERY_30)
        await stage.start()
        await stage.run_for(91)
        before, decided = starts(stage), await stage.words(ref)
        stage.clock.step(step)
        await stage.run_for(10)
        assert names(stage) == [EventName.CLOCK_FROZEN]
        await stage.run_for(290)
        assert (starts(stage), await stage.words(ref)) == (before, decided)
        stage.clock.step(-step)
        await stage.run_for(130)
        assert starts(stage) == before + 5
        assert (await stage.words(ref))[len(decided) :] == ["Missed(Superseded)"] * 9 + ["Triggered"] * 5

    stage = play(scenario)
    frozen, agreed = told(stage)
    assert frozen.fields["seconds"] == step.total_seconds()
    assert agreed.fields == {"platform": None, "corrected_seconds": 0}
    assert stage.log.of(EventName.SCHEDULE_HELD) == []


def test_a_freeze_ends_soon_however_seldom_a_quiet_platform_is_listed() -> None:
    """The three answers come at every ``poll``, and not at every quiet one."""
    profile = replace(EMBEDDED, poll=timedelta(seconds=10), quiet_poll=timedelta(minutes=10))

    async def scenario(stage: Stage) -> None:
        await stage.start()
        await stage.run_for(60)
        stage.clock.step(HOUR)
        stage.platform.clock_error = HOUR
        await stage.run_for(40)

    assert names(play(scenario, profile=profile)) == [EventName.CLOCK_FROZEN, EventName.CLOCK_AGREED]


def test_three_answers_confirm_a_jump_and_its_slots_are_missed() -> None:
    """A correction by an hour leaps over 120 slots: all of them are missed, none is started, and the next slot is an ordinary one."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("shop", EVERY_30)
        await stage.start()
        await stage.run_for(95)
        before = starts(stage)
        stage.clock.step(HOUR)
        stage.platform.clock_error = HOUR
        await stage.run_for(20)
        assert starts(stage) == before
        leapt = [record for record in await stage.slots(ref) if "the clock was set forward" in record.message]
        assert [record.word for record in leapt] == ["Missed(Deadline)"] * 120
        await stage.run_for(60)
        assert starts(stage) == before + 2
        assert (await stage.words(ref))[-2:] == ["Triggered"] * 2

    stage = play(scenario)
    assert names(stage) == [EventName.CLOCK_FROZEN, EventName.CLOCK_AGREED]
    assert told(stage)[1].fields["corrected_seconds"] == 3600
    assert len(stage.log.of(EventName.SLOT_MISSED)) == 1


def test_a_jump_over_a_single_slot_is_caught_up() -> None:
    """The clock was an hour late, and the one slot of that hour is started as after an hour without a controller."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("shop", 'schedules:\n  - cron: "30 12 * * *"\n    timeZone: UTC\n')
        await stage.start()
        await stage.run_for(60)
        stage.clock.step(HOUR)
        stage.platform.clock_error = HOUR
        await stage.run_for(20)
        assert await stage.words(ref) == ["Triggered"]

    play(scenario)


def test_a_correction_back_starts_nothing_twice() -> None:
    """What was decided in the hour that comes again stays decided; starts go on where the decisions end."""

    async def scenario(stage: Stage) -> None:
        stage.schedule("shop", EVERY_30)
        stage.clock.step(HOUR)
        stage.platform.clock_error = HOUR
        await stage.start()
        await stage.run_for(600)
        before = starts(stage)
        stage.clock.step(-HOUR)
        stage.platform.clock_error = timedelta()
        await stage.run_for(3500)
        assert starts(stage) == before
        await stage.run_for(150)
        assert before < starts(stage) <= before + 5

    stage = play(scenario)
    assert names(stage) == [EventName.CLOCK_FROZEN, EventName.CLOCK_AGREED]
    assert [event.fields["reason"] for event in stage.log.of(EventName.SCHEDULE_HELD)] == ["ClockBehind"]


@pytest.mark.parametrize("step", [HOUR, -HOUR])
def test_a_jump_settles_no_doubt_too_early_or_wrongly(step: timedelta) -> None:
    """A POST whose effect comes just before T_resolve is adopted, although the clock was corrected by an hour in between."""
    profile = replace(EMBEDDED, settle=timedelta(seconds=60))

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("shop", 'schedules:\n  - cron: "1 11-14 * * *"\n    timeZone: UTC\n', Behaviour(None))
        stage.clock.step(-step)
        stage.platform.tells_time = False
        stage.platform.script(TriggerFault.LATE_EFFECT, timedelta(seconds=55))
        await stage.start()
        await stage.run_for(62)
        stage.clock.step(step)
        stage.platform.tells_time = True
        await stage.run_for(120)
        (job,) = stage.platform.jobs_of(ref.connection_id)
        triggered = [record for record in await stage.slots(ref) if record.outcome is Outcome.TRIGGERED]
        assert [record.job_id for record in triggered] == [job.job_id]
        assert starts(stage) == 1

    play(scenario, profile=profile)


def test_a_slow_drift_is_no_step() -> None:
    """A wall clock that gains a second every two hundred goes on being believed, although it is a minute ahead in the end."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("shop", EVERY_30)
        await stage.start()
        for _ in range(60):
            await stage.run_for(200)
            stage.clock.step(timedelta(seconds=1))
            stage.platform.clock_error += timedelta(seconds=1)
        assert set(await stage.words(ref)) == {"Triggered"}

    assert told(play(scenario)) == []


def test_small_steps_that_add_up_are_found_out() -> None:
    """Each of them alone would be tolerated."""

    async def scenario(stage: Stage) -> None:
        await stage.start()
        for _ in range(3):
            await stage.run_for(60)
            stage.clock.step(timedelta(seconds=20))
        await stage.run_for(10)

    assert EventName.CLOCK_FROZEN in names(play(scenario))


@pytest.mark.parametrize("error", [timedelta(minutes=5), timedelta(minutes=-5)])
def test_a_platform_with_a_wrong_clock_is_held_alone(error: timedelta) -> None:
    """The other platform's schedule goes on; this one's starts again with its next slot after the clocks agree."""

    async def scenario(stage: Stage) -> None:
        stage.specs = MemorySpecSource({"default": EMBEDDED, "other": EMBEDDED})
        ref = stage.schedule("shop", EVERY_30)
        other = FakePlatform(stage.clock)
        other.add_connection("conn_other", Behaviour(timedelta(seconds=2)))
        stage.edit("other", EVERY_30 + "platform: other\n")
        await stage.start(platforms={"default": (stage.platform, EMBEDDED), "other": (other, EMBEDDED)})
        await stage.run_for(62)
        stage.platform.clock_error = error
        await stage.run_for(10)
        before, decided = starts(stage), await stage.words(ref)
        await stage.run_for(300)
        assert (starts(stage), await stage.words(ref)) == (before, decided)
        assert len(other.calls_of("trigger_sync")) == 12
        stage.platform.clock_error = timedelta()
        await stage.run_for(32)
        assert starts(stage) == before + 2

    stage = play(scenario)
    assert names(stage) == [EventName.CLOCK_SKEWED, EventName.CLOCK_AGREED]
    assert {event.fields["platform"] for event in told(stage)} == {"default"}


def test_a_clock_that_is_wrong_at_the_start_is_found_out_by_the_first_answer() -> None:
    """The platform is held from then on; when the clock is corrected everything agrees, and no slot of the jump is started."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("shop", EVERY_30)
        stage.clock.step(-HOUR)
        await stage.start()
        await stage.run_for(200)
        assert names(stage) == [EventName.CLOCK_SKEWED]
        assert starts(stage) == 0
        stage.clock.step(HOUR)
        await stage.run_for(30)
        assert starts(stage) <= 1
        await stage.run_for(65)
        assert set((await stage.words(ref))[-2:]) == {"Triggered"}

    stage = play(scenario)
    assert names(stage)[1:] == [EventName.CLOCK_FROZEN, EventName.CLOCK_AGREED, EventName.CLOCK_AGREED]


def test_an_edit_waits_until_it_is_known_what_time_it_is() -> None:
    """Its slots would count from a wrong instant."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("shop", EVERY_30)
        await stage.start()
        await stage.run_for(10)
        stage.clock.step(HOUR)
        await stage.run_for(10)
        stage.edit("shop", "schedules:\n  - every: 10s\n")
        await stage.run_for(20)
        assert (await stage.store.standings({ref: ()}))[ref].generation == 1
        stage.clock.step(-HOUR)
        await stage.run_for(20)
        standing = (await stage.store.standings({ref: ()}))[ref]
        assert standing.generation == 2
        assert standing.effective_since is not None
        assert standing.effective_since <= stage.clock.now()

    play(scenario)


def test_no_job_is_cancelled_by_a_clock_that_was_set() -> None:
    """A job that is young by the true time is left alone, whatever the wall clock says of its age."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("shop", EVERY_30 + "maxDuration: 10m\nstalledAfter: 10m\n", Behaviour(None))
        await stage.start()
        await stage.run_for(60)
        stage.clock.step(HOUR)
        await stage.run_for(120)
        stage.clock.step(-HOUR)
        await stage.run_for(120)
        assert {job.status for job in stage.platform.jobs_of(ref.connection_id)} == {JobStatus.RUNNING}

    assert play(scenario).platform.calls_of("cancel_job") == ()


def test_sleep_is_time_in_which_nobody_looked() -> None:
    """After eight hours of suspend the newest slot is started and the older ones are superseded: no clock was set."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("shop", "schedules:\n  - every: 1h\n")
        await stage.start()
        await stage.run_for(60)
        stage.loop.suspend(8 * 3600)
        await stage.run_for(60)
        assert await stage.words(ref) == ["Missed(Superseded)"] * 7 + ["Triggered"]

    assert told(play(scenario)) == []
