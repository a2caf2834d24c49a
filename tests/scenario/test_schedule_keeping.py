"""A controller in ordinary life: slots come, jobs run, people edit."""

from datetime import UTC, datetime, timedelta

from controller.model.connection import ConnectionStatus
from controller.model.event import EventName
from controller.model.job import JobStatus
from controller.model.profile import AITRONOS
from controller.model.schedule import Mode
from tests.fakes.platform import Behaviour
from tests.scenario.stage import Stage, play

EVERY_10 = "schedules:\n  - every: 10s"


def test_each_slot_starts_one_job_right_when_it_is_due() -> None:
    """Ten minutes of a healthy schedule: one job per slot, each attributed to it, none late by more than a second."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("shop", EVERY_10)
        await stage.start()
        await stage.run_for(600)
        records = await stage.slots(ref)

        assert [record.word for record in records] == ["Triggered"] * 60
        assert len({record.job_id for record in records}) == 60

    stage = play(scenario)
    assert len(stage.platform.jobs) == 60
    delays = [event.fields["trigger_delay_seconds"] for event in stage.log.of(EventName.SYNC_TRIGGERED)]
    assert max(float(delay or 0) for delay in delays) < 1


def test_a_slot_that_comes_while_a_job_is_active_is_skipped_with_its_name() -> None:
    """Under ``overlap: Skip`` a due slot never waits for a running job, and its record names that job."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("slow", EVERY_10, Behaviour(timedelta(seconds=25)))
        await stage.start()
        await stage.run_for(60)
        records = await stage.slots(ref)

        assert [record.word for record in records][:4] == [
            "Triggered",
            "Skipped(Active)",
            "Skipped(Active)",
            "Triggered",
        ]
        assert str(records[0].job_id) in records[1].message

    play(scenario)


def test_a_failed_job_is_tried_again_by_the_next_slot_only() -> None:
    """A failed job is the platform's news: no extra job before the next slot, and that one starts as usual."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("flaky", EVERY_10, Behaviour(timedelta(seconds=2), JobStatus.FAILED))
        await stage.start()
        await stage.run_for(35)

        assert await stage.words(ref) == ["Triggered"] * 3

    stage = play(scenario)
    assert [event.fields["status"] for event in stage.log.of(EventName.JOB_FINISHED)] == ["failed"] * 3


def test_a_stuck_job_is_cancelled_at_max_duration_and_the_next_slot_starts_afresh() -> None:
    """``maxDuration`` ends a job that hangs; only its own job is named, and the platform's word ends it."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("stuck", "schedules:\n  - every: 20s\nmaxDuration: 12s", Behaviour(None))
        await stage.start()
        await stage.run_for(45)
        first, second = stage.platform.jobs_of(ref.connection_id)[:2]

        assert first.status is JobStatus.CANCELLED
        assert first.ended_at is not None
        assert timedelta(seconds=12) <= first.ended_at - first.created_at < timedelta(seconds=14)
        assert second.created_at - first.created_at >= timedelta(seconds=20)

    play(scenario)


def test_a_suspended_schedule_records_its_slots_and_makes_nothing_up() -> None:
    """While suspended every slot is ``Skipped(Suspended)`` with who and why; resumed, only new slots start."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("held", EVERY_10 + "\nsuspend: {reason: moving house, by: ana}")
        await stage.start()
        await stage.run_for(30)
        stage.edit("held", EVERY_10)
        await stage.run_for(20)
        records = await stage.slots(ref)

        assert [record.word for record in records] == ["Skipped(Suspended)"] * 3 + ["Triggered"] * 2
        assert records[0].message == "moving house (by ana)"

    play(scenario)


def test_an_edit_never_fires_a_slot_that_had_passed_before_it() -> None:
    """A calendar that had slots in the past starts counting when the edit is seen; the pending ones of the old one are settled."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("edited", "schedules:\n  - every: 1h")
        await stage.start()
        await stage.run_for(60)
        edited_at = stage.clock.now()
        stage.edit("edited", "schedules:\n  - every: 10s")
        await stage.run_for(30)
        records = await stage.slots(ref)

        assert records
        assert all(record.slot.scheduled_at > edited_at for record in records)

    play(scenario)


def test_an_edit_of_another_field_changes_no_slot() -> None:
    """Only the calendar decides from when slots count: a new ``maxDuration`` loses and doubles nothing."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("tuned", EVERY_10)
        await stage.start()
        await stage.run_for(28.9)
        stage.edit("tuned", EVERY_10 + "\nmaxDuration: 1m")
        await stage.run_for(31)

        assert await stage.words(ref) == ["Triggered"] * 6

    play(scenario)


def test_a_deleted_file_stops_its_schedule_and_leaves_the_running_job_alone() -> None:
    """``onDelete: Orphan``: no further job, no cancel, and one event says that it is gone."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("gone", EVERY_10, Behaviour(timedelta(seconds=60)))
        stage.schedule("stays", EVERY_10)
        await stage.start()
        await stage.run_for(12)
        stage.edit("gone", None)
        await stage.run_for(60)

        assert len(stage.platform.jobs_of(ref.connection_id)) == 1
        assert stage.platform.calls_of("cancel_job") == ()

    stage = play(scenario)
    assert len(stage.log.of(EventName.SCHEDULE_REMOVED, "gone")) == 1


def test_a_foreign_sync_counts_for_the_slot_that_it_follows() -> None:
    """A sync that somebody started at or after the slot, before we could, covers it: no second job."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("shared", "schedules:\n  - every: 60s\nminGap: 30s", Behaviour(timedelta(seconds=2)))
        await stage.start()
        await stage.run_for(50)
        stage.platform.start_foreign_job(ref.connection_id)
        await stage.run_for(20)
        stage.platform.start_foreign_job(ref.connection_id)
        await stage.run_for(15)

        assert await stage.words(ref) == ["Counted"]

    stage = play(scenario)
    assert stage.platform.calls_of("trigger_sync") == ()
    assert len(stage.log.of(EventName.JOB_STARTED_ELSEWHERE, "shared")) == 2


def test_observe_writes_nothing_and_records_every_slot() -> None:
    """``mode: Observe`` and ``--observe`` send no POST and no DELETE, and still account for every slot."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("watched", EVERY_10 + "\nmaxDuration: 5s", Behaviour(None))
        await stage.start(observe=True)
        await stage.run_for(12)
        stage.platform.start_foreign_job(ref.connection_id)
        await stage.run_for(40)
        words = await stage.words(ref)

        assert stage.controller is not None
        assert stage.controller.mind.desired.specs[ref].mode is Mode.OBSERVE
        assert words[0] == "Counted"
        assert words[1:4] == ["Missed(Deadline)"] * 3

    stage = play(scenario)
    assert {call.method for call in stage.platform.calls} <= {
        "list_jobs",
        "list_active_jobs",
        "get_jobs",
        "list_connections",
    }


def test_a_paused_connection_holds_its_slots_and_goes_on_once_it_is_active() -> None:
    """An inactive connection is seen, held with that reason, and driven again after somebody activates it."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("paused", EVERY_10)
        stage.platform.add_connection(
            ref.connection_id, Behaviour(timedelta(seconds=2)), status=ConnectionStatus.INACTIVE
        )
        await stage.start()
        await stage.run_for(35)
        stage.platform.add_connection(ref.connection_id, Behaviour(timedelta(seconds=2)))
        await stage.run_for(30)
        words = await stage.words(ref)

        assert words[:2] == ["Skipped(ConnectionInactive)"] * 2
        assert words[-1] == "Triggered"

    play(scenario)


def test_a_request_budget_lives_through_a_day_of_quarter_hour_syncs() -> None:
    """Five connections with a sync every 15 minutes need some 560 listings a day (aitronos profile), not one every 10 seconds."""

    async def scenario(stage: Stage) -> None:
        for number in range(5):
            lasting = Behaviour(timedelta(seconds=100 + 70 * number))
            stage.schedule(f"s{number}", "schedules:\n  - every: 15m", lasting)
        await stage.start()
        await stage.run_for(24 * 3600)

    stage = play(scenario, start=datetime(2026, 3, 2, 12, 1, tzinfo=UTC), profile=AITRONOS)
    assert len(stage.platform.calls_of("trigger_sync")) == 5 * 96
    assert 450 < len(stage.platform.calls_of("list_jobs")) < 700
