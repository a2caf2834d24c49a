"""A controller in trouble: lost replies, outages, crashes, bad files."""

from datetime import timedelta
from itertools import pairwise

import pytest

from controller.model.event import EventName
from tests.fakes.platform import Behaviour, TriggerFault
from tests.fakes.spec_source import schedule_text
from tests.scenario.stage import Stage, play

EVERY_30 = "schedules:\n  - every: 30s"
SHORT = Behaviour(timedelta(seconds=2))


def test_a_lost_reply_is_adopted_and_never_sent_again() -> None:
    """A POST that was executed although its reply was lost: the job is found by its id, and the slot has one job."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("lost", EVERY_30, SHORT)
        stage.platform.script(TriggerFault.LOST_REPLY)
        await stage.start()
        await stage.run_for(58)
        (record,) = await stage.slots(ref)

        assert record.word == "Triggered"
        assert record.adopted
        assert record.job_id == stage.platform.jobs[0].job_id

    stage = play(scenario)
    assert len(stage.platform.jobs) == 1
    assert len(stage.platform.calls_of("trigger_sync")) == 1


def test_a_lost_request_is_sent_again_only_after_the_settle_time() -> None:
    """Nothing was created: the second POST comes after T_resolve and a complete listing, and makes the slot's one job."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("lost", EVERY_30, SHORT)
        stage.platform.script(TriggerFault.LOST_REQUEST)
        await stage.start()
        await stage.run_for(58)

        assert await stage.words(ref) == ["Triggered"]

    stage = play(scenario)
    first, second = stage.platform.calls_of("trigger_sync")
    assert second.at - first.at >= stage.profile.resolve_after
    assert len(stage.platform.jobs) == 1


def test_a_slot_that_an_edit_took_away_while_it_was_in_doubt_is_not_sent_again() -> None:
    """Its claim made no job, and by then no calendar asks for it: it ends as deleted, and the new calendar's slots start."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("lost", EVERY_30, SHORT)
        stage.platform.script(TriggerFault.LOST_REQUEST)
        await stage.start()
        await stage.run_for(32)
        stage.edit("lost", 'schedules:\n  - every: 60s\n    anchor: "2026-03-02T12:00:50Z"')
        await stage.run_for(30)

        assert await stage.words(ref) == ["Skipped(Deleted)", "Triggered"]

    stage = play(scenario)
    assert len(stage.platform.calls_of("trigger_sync")) == 2


@pytest.mark.parametrize("outage", [90, 700])
def test_a_start_without_specs_takes_nothing_out_of_force(outage: int) -> None:
    """However long they cannot be read, also over a full resync: absence is only believed when it was read."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("kept", EVERY_30, SHORT)
        await stage.start()
        await stage.run_for(40)
        await stage.stop()
        stage.specs.fail_next(times=outage // 2)
        await stage.start()
        await stage.run_for(outage + 62)

        assert "Skipped(Deleted)" not in await stage.words(ref)
        assert (await stage.words(ref))[-1] == "Triggered"

    stage = play(scenario)
    assert stage.log.of(EventName.SCHEDULE_REMOVED) == []


def test_when_in_doubt_skip_never_sends_a_second_post() -> None:
    """``whenInDoubt: Skip``: a slot whose outcome stays unknown is skipped and said so."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("careful", EVERY_30 + "\nwhenInDoubt: Skip", SHORT)
        stage.platform.script(TriggerFault.LOST_REQUEST)
        await stage.start()
        await stage.run_for(58)

        assert await stage.words(ref) == ["Skipped(InDoubt)"]

    stage = play(scenario)
    assert len(stage.platform.calls_of("trigger_sync")) == 1


def test_an_effect_that_comes_late_but_within_the_settle_time_makes_no_double() -> None:
    """The platform executes the POST after the caller has given up: it is adopted, not repeated."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("late", EVERY_30, SHORT)
        stage.platform.script(TriggerFault.LATE_EFFECT, timedelta(seconds=9))
        await stage.start()
        await stage.run_for(58)

        assert await stage.words(ref) == ["Triggered"]

    stage = play(scenario)
    assert len(stage.platform.jobs) == 1


@pytest.mark.parametrize("fault", [TriggerFault.NOT_CREATED, TriggerFault.REJECTED, TriggerFault.BUSY])
def test_a_refusal_is_tried_again_within_the_window(fault: TriggerFault) -> None:
    """A POST that certainly made no job leaves the slot due: it is tried again and makes exactly one."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("refused", EVERY_30, SHORT)
        stage.platform.script(fault)
        await stage.start()
        await stage.run_for(58)

        assert await stage.words(ref) == ["Triggered"]

    stage = play(scenario)
    assert len(stage.platform.jobs) == 1
    assert len(stage.platform.calls_of("trigger_sync")) == 2


def test_a_request_refused_twice_is_rejected() -> None:
    """400, 404 and 422 are tried once more after a fresh look at the connection, then the slot ends as ``Skipped(Rejected)``."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("refused", EVERY_30, SHORT)
        stage.platform.script(TriggerFault.REJECTED)
        stage.platform.script(TriggerFault.REJECTED)
        await stage.start()
        await stage.run_for(58)

        assert await stage.words(ref) == ["Skipped(Rejected)"]

    stage = play(scenario)
    assert stage.platform.calls_of("get_connection")


def test_retry_after_is_obeyed_for_the_whole_platform() -> None:
    """After a 429 nothing is sent to the platform before the time that it asked for."""

    async def scenario(stage: Stage) -> None:
        stage.schedule("asked", "schedules:\n  - every: 10s", SHORT)
        await stage.start()
        await stage.run_for(12)
        stage.platform.refuse_for(timedelta(seconds=40))
        await stage.run_for(60)

    stage = play(scenario)
    times = [call.at for call in stage.platform.calls]
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert max(gaps) >= timedelta(seconds=30)


def test_an_outage_misses_slots_out_loud_and_starts_only_the_newest_after_it() -> None:
    """While the platform is away slots wait; back again, the newest starts, and the older ones are ``Missed(Superseded)``."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("cut", "schedules:\n  - every: 10s", SHORT)
        await stage.start()
        await stage.run_for(12)
        stage.platform.is_available = False
        await stage.run_for(40)
        stage.platform.is_available = True
        await stage.run_for(40)
        words = await stage.words(ref)

        assert "Missed(Superseded)" in words
        assert words[-1] == "Triggered"
        assert len(words) == 9

    stage = play(scenario)
    assert len(stage.log.of(EventName.LISTING_FAILED)) == 1
    assert len(stage.log.of(EventName.LISTING_RECOVERED)) == 1


def test_a_restart_after_a_long_pause_starts_one_job_and_accounts_for_the_rest() -> None:
    """Two hours down with a slot every ten seconds: one start, every other slot recorded, the oldest as one counted range."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("asleep", "schedules:\n  - every: 5s\ncatchUp: {window: 1m}", SHORT)
        await stage.start()
        await stage.run_for(14)
        await stage.stop()
        await stage.run_for(7200)
        await stage.start()
        await stage.run_for(8)
        records = await stage.slots(ref)

        missed = [record for record in records if record.word == "Missed(Superseded)"]
        assert sum(record.count for record in missed) in (1439, 1440)
        assert max(record.count for record in missed) > 400
        assert [record.word for record in records if record.word == "Triggered"] == ["Triggered"] * len(
            stage.platform.jobs
        )

    play(scenario)


def test_catch_up_none_starts_nothing_that_nobody_saw_in_time() -> None:
    """``catchUp: None``: what passed while no controller ran is ``Missed(Deadline)``, not started late."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("strict", "schedules:\n  - every: 10m\ncatchUp: {policy: None, window: 9m}", SHORT)
        await stage.start()
        await stage.run_for(30)
        await stage.stop()
        await stage.run_for(11 * 60)
        await stage.start()
        await stage.run_for(60)

        assert await stage.words(ref) == ["Missed(Deadline)"]

    stage = play(scenario)
    assert stage.platform.jobs == ()


def test_a_crash_between_claim_and_answer_is_settled_by_observing() -> None:
    """Killed after the POST was executed and before the answer was written: the next start adopts that very job."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("crashed", EVERY_30, SHORT)
        stage.platform.script(TriggerFault.LOST_REPLY)
        await stage.start()
        while not stage.platform.jobs:
            await stage.run_for(0.25)
        await stage.crash()
        await stage.run_for(3)
        await stage.start()
        await stage.run_for(20)
        (record,) = await stage.slots(ref)

        assert record.adopted
        assert record.job_id == stage.platform.jobs[0].job_id

    stage = play(scenario)
    assert len(stage.platform.jobs) == 1


def test_a_broken_file_harms_only_itself_and_keeps_its_last_good_version() -> None:
    """A file that stops parsing keeps what it last held in force; the others do not notice."""

    async def scenario(stage: Stage) -> None:
        broken = stage.schedule("broken", "schedules:\n  - every: 10s", SHORT)
        healthy = stage.schedule("healthy", "schedules:\n  - every: 10s", SHORT)
        await stage.start()
        await stage.run_for(15)
        stage.texts["broken.yaml"] = "spec: [unfinished"
        stage.specs.set_texts(stage.texts)
        await stage.run_for(45)

        assert await stage.words(broken) == ["Triggered"] * 6
        assert await stage.words(healthy) == ["Triggered"] * 6

    stage = play(scenario)
    (error,) = stage.log.of(EventName.SPECS_REJECTED)
    assert error.fields["path"] == "broken.yaml"
    assert stage.log.of(EventName.SCHEDULE_REMOVED) == []


def test_a_broken_file_keeps_its_schedule_in_force_across_a_restart() -> None:
    """Started while a file is broken, the controller goes on with what the store says was in force."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("broken", "schedules:\n  - every: 10s", SHORT)
        await stage.start()
        await stage.run_for(15)
        await stage.stop()
        stage.texts["broken.yaml"] = "spec: [unfinished"
        stage.specs.set_texts(stage.texts)
        await stage.start()
        await stage.run_for(30)

        assert await stage.words(ref) == ["Triggered"] * 4

    stage = play(scenario)
    assert stage.log.of(EventName.SCHEDULE_REMOVED) == []


def test_an_unreadable_spec_source_changes_nothing() -> None:
    """A fetch that fails is not an empty tree: every schedule stays in force, and the trouble is told once."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("steady", "schedules:\n  - every: 10s", SHORT)
        await stage.start()
        await stage.run_for(15)
        stage.specs.fail_next(times=10)
        await stage.run_for(45)

        assert await stage.words(ref) == ["Triggered"] * 6

    stage = play(scenario)
    assert len(stage.log.of(EventName.SPEC_SOURCE_FAILED)) == 1


def test_two_files_for_one_connection_trigger_neither() -> None:
    """While two files claim a connection no spec of it is in force; its slots end with that reason; removing one releases it."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("one", "schedules:\n  - every: 10s", SHORT)
        await stage.start()
        await stage.run_for(12)
        stage.texts["two.yaml"] = schedule_text("two", "20s").replace("conn_two", "conn_one")
        stage.specs.set_texts(stage.texts)
        await stage.run_for(30)
        del stage.texts["two.yaml"]
        stage.specs.set_texts(stage.texts)
        await stage.run_for(21)
        words = await stage.words(ref)

        assert words[:2] == ["Triggered", "Skipped(DuplicateConnection)"]
        assert words[-1] == "Triggered"

    stage = play(scenario)
    assert [event.fields["reason"] for event in stage.log.of(EventName.SCHEDULE_HELD)] == ["DuplicateConnection"]


def test_the_full_resync_corrects_nothing() -> None:
    """Everything is planned by the incremental path; the safety net has nothing to catch in an hour of mixed life."""

    async def scenario(stage: Stage) -> None:
        stage.schedule("a", "schedules:\n  - every: 10s", SHORT)
        stage.schedule("b", "schedules:\n  - every: 1m\nmaxDuration: 30s", Behaviour(None))
        stage.schedule("c", "schedules:\n  - cron: '*/5 * * * *'", Behaviour(timedelta(seconds=400)))
        await stage.start()
        await stage.run_for(3600)

    stage = play(scenario)
    assert stage.log.of(EventName.RESYNC_CORRECTED) == []
    assert stage.log.of(EventName.PLAN_REFUSED) == []
    assert stage.log.of(EventName.CYCLE_FAILED) == []


def test_a_poisoned_connection_stops_no_other() -> None:
    """A defect of the planner on one connection is told, and every other schedule of the same cycle runs on."""

    async def scenario(stage: Stage) -> None:
        poisoned = stage.schedule("poisoned", "schedules:\n  - every: 10s", SHORT)
        healthy = stage.schedule("healthy", "schedules:\n  - every: 10s", SHORT)
        await stage.start()
        await stage.run_for(5)
        stage.store.poison(poisoned)
        await stage.run_for(40)

        assert await stage.words(healthy) == ["Triggered"] * 4
        assert await stage.words(poisoned) == []

    stage = play(scenario)
    refused = stage.log.of(EventName.PLAN_REFUSED)
    assert {event.fields["connection_id"] for event in refused} == {"conn_poisoned"}
    assert stage.log.of(EventName.CYCLE_FAILED) == []
