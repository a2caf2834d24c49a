"""What a controller remembers when its wall clock is set: nothing grows old, is forgotten or is sent because of it."""

from dataclasses import replace
from datetime import datetime, timedelta

from controller.adapters.clock import StoppedClock
from controller.model.event import Event, EventName
from controller.model.profile import EMBEDDED
from controller.model.record import Reason
from controller.ports.platform import JobListing
from controller.reconcile.loop import Loop
from controller.reconcile.preview import preview
from controller.simulation.virtual_time import VirtualClock
from tests.fakes.platform import Behaviour, FakePlatform
from tests.scenario.stage import EventLog, Stage, play

EVERY_30 = "schedules:\n  - every: 30s\n"
BY_HAND = "schedules:\n  - manual: {}\n"
HOUR = timedelta(hours=1)


def corrected(stage: Stage, by: timedelta) -> None:
    """The wall clock and the platform's are corrected together, as where both follow one time server."""
    stage.clock.step(by)
    stage.platform.clock_error += by


def test_a_job_is_not_stalled_by_a_correction() -> None:
    """It moved a minute ago by the true time, whatever the clock showed then."""

    async def scenario(stage: Stage) -> None:
        stage.schedule("shop", EVERY_30 + "stalledAfter: 10m\n", Behaviour(None))
        await stage.start()
        await stage.run_for(60)
        corrected(stage, HOUR)
        await stage.run_for(300)
        assert stage.platform.calls_of("cancel_job") == ()
        await stage.run_for(300)
        assert len(stage.platform.calls_of("cancel_job")) == 1

    play(scenario)


def test_what_was_decided_by_a_clock_that_was_set_since_is_not_sent() -> None:
    """The clock is set between the plan and its POST: nothing is claimed, and the slot starts when the clock is right again."""

    async def scenario(stage: Stage) -> None:
        class Meddler(EventLog):
            is_idle = False

            def emit(self, event: Event) -> None:
                super().emit(event)
                if event.name is EventName.CYCLE_FINISHED and event.fields["triggers"] and not self.is_idle:
                    self.is_idle = True
                    stage.clock.step(HOUR)

        ref = stage.schedule("shop", EVERY_30)
        await stage.start(telemetry=Meddler())
        await stage.run_for(40)
        assert stage.platform.calls_of("trigger_sync") == ()
        assert (await stage.store.standings({ref: ()}))[ref].claim is None
        stage.clock.step(-HOUR)
        await stage.run_for(15)
        assert await stage.words(ref) == ["Triggered"]

    play(scenario)


def test_a_listing_during_which_the_clock_was_set_back_stops_nothing() -> None:
    """Its instant lies in the hour that comes again; the next listings are made all the same, and confirm the new time."""

    class Slow(FakePlatform):
        async def list_jobs(self, since: datetime) -> JobListing:
            await self._clock.sleep(12)
            return await super().list_jobs(since)

    async def scenario(stage: Stage) -> None:
        platform = Slow(VirtualClock(stage.loop))
        ref = stage.schedule("shop", EVERY_30)
        await stage.start(platforms={"default": (platform, stage.profile)})
        await stage.run_for(20)
        stage.clock.step(-HOUR)
        platform.clock_error = -HOUR
        await stage.run_for(60)
        assert len(stage.log.of(EventName.CLOCK_AGREED)) == 1
        assert (await stage.store.standings({ref: ()}))[ref].generation == 1

    play(scenario)


def test_history_is_not_pruned_by_a_clock_that_was_set() -> None:
    """By a clock that is months ahead every record is too old."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("shop", EVERY_30)
        await stage.start()
        await stage.run_for(3000)
        before = await stage.slots(ref)
        stage.clock.step(timedelta(days=90))
        await stage.run_for(1200)
        assert await stage.slots(ref) == before

    play(scenario)


def test_a_crash_while_the_clock_is_wrong_forgets_no_job() -> None:
    """Up to when jobs were seen is not written down by a clock that nobody believes."""

    async def scenario(stage: Stage) -> None:
        stage.schedule("shop", EVERY_30)
        await stage.start()
        await stage.run_for(60)
        stage.clock.step(HOUR)
        await stage.run_for(300)
        stage.clock.step(-HOUR)
        await stage.crash()
        through = await stage.store.observed_through("default")
        assert through is not None
        assert through < stage.clock.now() - timedelta(minutes=4)

    play(scenario)


def test_what_stood_against_a_schedule_before_is_not_told_again() -> None:
    """A schedule that is suspended is told as held once, and is never released by a clock that was set."""

    async def scenario(stage: Stage) -> None:
        stage.schedule("shop", EVERY_30 + "suspend: true\n")
        await stage.start()
        await stage.run_for(20)
        stage.clock.step(HOUR)
        await stage.run_for(20)
        stage.clock.step(-HOUR)
        await stage.run_for(20)

    stage = play(scenario)
    assert len(stage.log.of(EventName.SCHEDULE_HELD)) == 1
    assert stage.log.of(EventName.SCHEDULE_RELEASED) == []


def test_the_end_of_a_job_is_told_although_the_clock_was_set_meanwhile() -> None:
    """The first listing by a clock that was set shows what changed, and is not taken for the first one of all."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("shop", BY_HAND, Behaviour(timedelta(seconds=7)))
        await stage.start()
        await stage.run_for(20)
        stage.platform.start_foreign_job(ref.connection_id)
        await stage.run_for(6)
        stage.clock.step(HOUR)
        stage.loop.suspend(5)
        await stage.run_for(20)

    assert len(play(scenario).log.of(EventName.JOB_FINISHED)) == 1


def known_jobs(stage: Stage) -> list[str]:
    """The jobs that the controller knows of, oldest first."""
    assert stage.controller is not None
    (rows,) = stage.controller.mind.platforms["default"].jobs.values()
    return sorted(rows)


def test_a_job_of_the_wrong_hour_is_found_when_the_clock_is_right_again() -> None:
    """Listings were asked for what began in the future, so the first one after that reads from before the step."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("shop", BY_HAND)
        await stage.start()
        await stage.run_for(60)
        stage.clock.step(HOUR)
        await stage.run_for(60)
        job = stage.platform.start_foreign_job(ref.connection_id)
        await stage.run_for(7200)
        stage.clock.step(-HOUR)
        await stage.run_for(10)
        assert known_jobs(stage) == [job.job_id]

    play(scenario)


def test_a_job_from_before_a_correction_back_is_found() -> None:
    """The clock was ahead and nothing told it so: what began since the last listing began an hour earlier than it seemed."""
    profile = replace(EMBEDDED, poll=timedelta(seconds=10), quiet_poll=timedelta(minutes=10))

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("shop", BY_HAND)
        stage.clock.step(HOUR)
        stage.platform.tells_time = False
        await stage.start()
        await stage.run_for(7260)
        job = stage.platform.start_foreign_job(ref.connection_id)
        await stage.run_for(200)
        assert stage.controller is not None
        assert not stage.controller.mind.platforms["default"].jobs
        stage.clock.step(-HOUR)
        stage.platform.tells_time = True
        await stage.run_for(40)
        assert known_jobs(stage) == [job.job_id]
        began_at = stage.controller.mind.began_at
        assert began_at is not None
        assert began_at <= stage.loop.start

    play(scenario, profile=profile)


def test_a_job_that_a_wrong_platform_clock_hid_is_found() -> None:
    """Its date lies before what was asked for; when the clocks agree again a listing reads that much further back."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("shop", BY_HAND)
        await stage.start()
        await stage.run_for(7200)
        stage.platform.clock_error = -2 * HOUR
        await stage.run_for(10)
        job = stage.platform.start_foreign_job(ref.connection_id)
        await stage.run_for(60)
        assert stage.controller is not None
        assert not stage.controller.mind.platforms["default"].jobs
        stage.platform.clock_error = timedelta()
        await stage.run_for(10)
        assert known_jobs(stage) == [job.job_id]

    play(scenario)


def test_a_plan_for_another_instant_is_compared_with_no_clock() -> None:
    """Whoever asks what would be decided at an instant knows that it is not the present; one for now says where the time is in doubt."""

    async def scenario(stage: Stage) -> None:
        stage.schedule("shop", EVERY_30)
        await stage.start()
        await stage.run_for(10)
        assert stage.controller is not None
        world = replace(stage.controller._world, clock=StoppedClock(stage.clock.now() + HOUR))
        held = {is_now: (await preview(world, is_now=is_now)).plan.holds for is_now in (True, False)}
        assert [hold.reason for hold in held[True]] == [Reason.CLOCK_SKEW]
        assert held[False] == ()

    play(scenario)


def test_once_says_that_the_time_is_in_doubt() -> None:
    """A full cycle beside a platform with another clock starts nothing and says why."""

    async def scenario(stage: Stage) -> None:
        stage.schedule("shop", EVERY_30)
        stage.clock.step(HOUR)
        await stage.start()
        await stage.stop()
        assert stage.controller is not None
        said = await Loop(stage.controller._world).once()
        assert said == "default: the platform's clock is 3599 s behind ours, and 30 s are tolerated"

    play(scenario)
