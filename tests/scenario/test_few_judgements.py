"""How often a connection is judged: as seldom as nothing can have changed, and never too late."""

from dataclasses import replace
from datetime import datetime, timedelta

from controller.model.asked import Asked, Request, Source
from controller.model.event import EventName
from controller.model.job import Job, JobStatus
from controller.model.record import Reason
from controller.ports.clock import Clock
from controller.ports.platform import JobListing
from tests.fakes.platform import Behaviour, FakePlatform
from tests.scenario.stage import Stage, play


class SlowPlatform(FakePlatform):
    """A platform that takes its time: seconds before a listing, and before the answer to a POST."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.listing_takes = 0.0
        self.trigger_takes = 0.0

    async def list_jobs(self, since: datetime) -> JobListing:
        """As the port says, later."""
        await self._clock.sleep(self.listing_takes)
        return await super().list_jobs(since)

    async def trigger_sync(self, connection_id: str) -> Job:
        """As the port says, later."""
        await self._clock.sleep(self.trigger_takes)
        return await super().trigger_sync(connection_id)


def slow(stage: Stage) -> SlowPlatform:
    """Give the stage a platform that can be slowed down."""
    platform = SlowPlatform(stage.clock)
    stage.platform = platform
    return platform


def judged(stage: Stage) -> int:
    """How many connections were judged, counted each time."""
    return sum(int(event.fields["considered"] or 0) for event in stage.log.of(EventName.CYCLE_FINISHED))


def test_a_slot_in_order_is_judged_with_its_look_and_when_its_job_has_ended() -> None:
    """Two judgements for each of ten slots: none only to say that a look is awaited, none because a job was started."""

    async def scenario(stage: Stage) -> None:
        stage.schedule("shop", "schedules:\n  - every: 20s")
        await stage.start()
        await stage.run_for(30)
        before = judged(stage)
        await stage.run_for(200)
        assert judged(stage) - before == 20

    stage = play(scenario)
    assert len(stage.platform.jobs) == 11


def test_slots_that_are_due_together_are_judged_in_turn() -> None:
    """Six slots and two permits: each is judged once for its start, and all start within the second."""

    async def scenario(stage: Stage) -> None:
        slow(stage).trigger_takes = 0.2
        refs = [stage.schedule(f"s{number}", "schedules:\n  - every: 30s") for number in range(6)]
        await stage.start()
        await stage.run_for(35)
        before = judged(stage)
        await stage.run_for(30)
        assert judged(stage) - before == 12
        for ref in refs:
            assert await stage.words(ref) == ["Triggered"] * 2

    stage = play(scenario)
    delays = [float(event.fields["trigger_delay_seconds"] or 0) for event in stage.log.of(EventName.SYNC_TRIGGERED)]
    assert max(delays) < 1


def test_a_slot_whose_look_hangs_is_held_in_time_and_starts_when_it_ends() -> None:
    """Under ``catchUp: None`` it counts as seen although its look takes longer than nobody may look."""

    async def scenario(stage: Stage) -> None:
        platform = slow(stage)
        ref = stage.schedule("strict", "schedules:\n  - every: 2m\ncatchUp: {policy: None}")
        await stage.start()
        await stage.run_for(118.5)
        platform.listing_takes = 13.0
        await stage.run_for(6)
        (waiting,) = await stage.slots(ref)
        assert (waiting.word, waiting.reason) == ("Held(AwaitingListing)", Reason.AWAITING_LISTING)
        await stage.run_for(30)
        assert await stage.words(ref) == ["Triggered"]

    play(scenario)


def test_a_job_that_is_over_when_its_start_is_answered_is_judged() -> None:
    """No look will ever see it change, and its failure has a retry."""

    async def scenario(stage: Stage) -> None:
        lines = "schedules:\n  - every: 7m\nretry: {attempts: 1, backoff: 5s}"
        stage.schedule("brief", lines, Behaviour(timedelta(0), JobStatus.FAILED))
        await stage.start()
        await stage.run_for(420 + 20)

    stage = play(scenario)
    assert len(stage.platform.jobs) == 2


def test_what_is_asked_while_a_start_is_under_way_is_done_after_it() -> None:
    """A cancel by hand that came before the answer to the POST ends the very job that the answer names."""

    async def scenario(stage: Stage) -> None:
        platform = slow(stage)
        ref = stage.schedule("shop", "schedules:\n  - every: 10m", Behaviour(None))
        await stage.start()
        await stage.run_for(590)
        platform.trigger_takes = 4.0
        await stage.run_for(10)
        asked = Request("k1", ref, "shop", Asked.CANCEL, Source.BY_HAND, stage.clock.now())
        await stage.store.ask([asked])
        await stage.run_for(12)
        (job,) = stage.platform.jobs
        assert job.status is JobStatus.CANCELLED

    play(scenario)


def test_a_connection_that_cannot_be_judged_does_not_stay_in_line() -> None:
    """Its spec may still exist and cannot be read back, so it is left as it is; its turn would come again and again for ever."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("shop", "schedules:\n  - every: 10m")
        await stage.start()
        await stage.run_for(5)
        loop = stage.controller
        assert loop is not None
        platform = loop.mind.platforms["default"]
        loop.mind.desired = replace(loop.mind.desired, specs={}, absence_believed=False)
        platform.waiting_turn[ref] = None
        await loop._cycle({ref})
        left, again = platform.next_in_turn(), set(loop._ready)
        # Where it fails, the loop must come to rest all the same.
        platform.waiting_turn.clear()
        loop._ready.clear()
        assert (left, again) == ((), set())

    play(scenario)
