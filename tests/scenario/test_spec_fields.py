"""What the fields of a spec mean over minutes and hours of a controller's life."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from controller.model.event import EventName
from controller.model.job import JobKind, JobStatus
from controller.model.profile import AITRONOS
from tests.fakes.platform import Behaviour
from tests.scenario.stage import Stage, play

EVERY_10 = "schedules:\n  - every: 10s\n"
EVERY_MINUTE = 'schedules:\n  - cron: "* * * * *"\n'
SLOW = Behaviour(timedelta(seconds=15))
STUCK = Behaviour(None)
FAILING = Behaviour(timedelta(seconds=1), JobStatus.FAILED)


def test_a_slot_that_is_due_while_closed_starts_at_the_opening() -> None:
    """A window is closed to its last instant and open at the next; of the slots that waited the newest one starts."""

    async def scenario(stage: Stage) -> None:
        text = 'windows:\n  - deny: {cron: "* * * * *", duration: 35s}\n'
        ref = stage.schedule("shop", EVERY_10 + text)
        await stage.start()
        await stage.run_for(58)
        records = await stage.slots(ref)

        assert [record.word for record in records] == [
            "Skipped(WindowClosed)",
            "Skipped(WindowClosed)",
            "Triggered",
            "Triggered",
            "Triggered",
        ]
        first = stage.platform.jobs_of(ref.connection_id)[0]
        assert records[2].slot.scheduled_at == datetime(2026, 3, 2, 12, 0, 30, tzinfo=UTC)
        assert first.created_at >= datetime(2026, 3, 2, 12, 0, 35, tzinfo=UTC)

    play(scenario)


def test_a_job_ends_with_its_window_where_the_spec_says_so() -> None:
    """``onClose: Cancel`` asks our own job to end once the window has closed, not before; a foreign one runs on."""

    async def scenario(stage: Stage) -> None:
        text = 'windows:\n  - allow: {cron: "* * * * *", duration: 30s}\n    onClose: Cancel\n'
        ours = stage.schedule("ours", "schedules:\n  - every: 60s\n" + text, STUCK)
        theirs = stage.schedule("theirs", "schedules:\n  - every: 1h\n" + text, STUCK)
        await stage.start()
        foreign = stage.platform.start_foreign_job(theirs.connection_id)
        await stage.run_for(95)
        job = stage.platform.jobs_of(ours.connection_id)[0]

        assert job.status is JobStatus.CANCELLED
        assert job.ended_at is not None
        assert timedelta(seconds=30) <= job.ended_at - datetime(2026, 3, 2, 12, 1, tzinfo=UTC) < timedelta(seconds=33)
        assert stage.platform.jobs_of(theirs.connection_id)[0].job_id == foreign.job_id
        assert stage.platform.jobs_of(theirs.connection_id)[0].is_active

    stage = play(scenario)
    assert {event.fields["reason"] for event in stage.log.of(EventName.CANCEL_REQUESTED)} == {"WindowClosed"}


def test_a_failed_job_is_retried_inside_its_window_also_over_a_restart() -> None:
    """Each retry waits longer, is a run of its own, and leaves the slot's outcome as it was."""

    async def scenario(stage: Stage) -> None:
        text = "retry: {attempts: 2, backoff: 10s}\n"
        ref = stage.schedule("flaky", "schedules:\n  - every: 5m\n" + text, FAILING)
        await stage.start()
        await stage.run_for(302)
        await stage.stop()
        await stage.start()
        await stage.run_for(200)
        jobs = stage.platform.jobs_of(ref.connection_id)

        assert [record.word for record in await stage.slots(ref)] == ["Triggered"]
        assert (await stage.slots(ref))[0].job_id == jobs[0].job_id
        gaps = [later.created_at - sooner.created_at for sooner, later in pairwise(jobs)]
        assert len(jobs) == 3
        assert timedelta(seconds=11) <= gaps[0] < timedelta(seconds=16)
        assert timedelta(seconds=21) <= gaps[1] < timedelta(seconds=30)

    stage = play(scenario)
    triggers = stage.log.of(EventName.SYNC_TRIGGERED)
    assert [(event.fields["run"], event.fields["reason"]) for event in triggers] == [
        (0, "Due"),
        (1, "Retry"),
        (2, "Retry"),
    ]


def test_a_cancelled_job_is_not_retried() -> None:
    """Somebody wanted it to end."""

    async def scenario(stage: Stage) -> None:
        text = "retry: {attempts: 2, backoff: 2s}\nmaxDuration: 5s\n"
        ref = stage.schedule("long", "schedules:\n  - every: 1m\n" + text, STUCK)
        await stage.start()
        await stage.run_for(110)
        assert [job.status for job in stage.platform.jobs_of(ref.connection_id)] == [JobStatus.CANCELLED]

    play(scenario)


def test_a_spent_failure_budget_ends_all_starts_until_the_spec_changes() -> None:
    """Three failures in a row stall the schedule, visibly and once; an edit releases it, and nothing is made up for."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("broken", EVERY_10 + "failureBudget: 3\n", FAILING)
        await stage.start()
        await stage.run_for(60)
        assert (await stage.words(ref))[:5] == ["Triggered"] * 3 + ["Skipped(Stalled)"] * 2
        stage.edit("broken", EVERY_10 + "failureBudget: 4\n")
        await stage.run_for(13)
        assert (await stage.words(ref))[-1] == "Triggered"

    stage = play(scenario)
    held = [event for event in stage.log.of(EventName.SCHEDULE_HELD) if event.fields["reason"] == "Stalled"]
    assert len(held) == 1
    assert [event.fields["reason"] for event in stage.log.of(EventName.SCHEDULE_RELEASED)] == ["Stalled"]


def test_a_queued_slot_starts_when_the_job_ends() -> None:
    """The newest slot that waits is started as soon as the job is over; the others lost their place to it."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("busy", EVERY_10 + "overlap: Queue\n", Behaviour(timedelta(seconds=25)))
        await stage.start()
        await stage.run_for(64)
        records = await stage.slots(ref)

        assert [record.word for record in records] == [
            "Triggered",
            "Skipped(Active)",
            "Triggered",
            "Skipped(Active)",
            "Skipped(Active)",
            "Triggered",
        ]
        jobs = stage.platform.jobs_of(ref.connection_id)
        assert [job.created_at.second for job in jobs[:2]] == [10, 35]

    play(scenario)


def test_replace_ends_our_job_before_the_next_one_starts() -> None:
    """The running job is cancelled, seen to have ended, and only then is the slot started."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("eager", EVERY_10 + "overlap: Replace\n", STUCK)
        await stage.start()
        await stage.run_for(35)
        jobs = stage.platform.jobs_of(ref.connection_id)

        assert await stage.words(ref) == ["Triggered"] * 3
        for sooner, later in pairwise(jobs):
            assert sooner.status is JobStatus.CANCELLED
            assert sooner.ended_at is not None
            assert sooner.ended_at <= later.created_at

    play(scenario)


def test_replace_waits_for_a_job_that_somebody_else_started() -> None:
    """What people start is theirs: the slot queues behind it."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("polite", EVERY_MINUTE + "overlap: Replace\n", Behaviour(timedelta(seconds=80)))
        await stage.start()
        stage.platform.start_foreign_job(ref.connection_id, JobKind.SYNC)
        await stage.run_for(100)

        assert await stage.words(ref) == ["Triggered"]
        assert not stage.platform.calls_of("cancel_job")

    play(scenario)


def test_a_platform_that_ignores_cancels_is_not_asked_for_ever() -> None:
    """After five requests the slot gives up, and says that the job would not end."""

    async def scenario(stage: Stage) -> None:
        text = "schedules:\n  - every: 1h\noverlap: Replace\n"
        ref = stage.schedule("deaf", text, STUCK)
        stage.platform.ignores_cancels = True
        await stage.start()
        await stage.run_for(3 * 3600)
        records = await stage.slots(ref)

        assert [record.word for record in records] == ["Triggered", "Skipped(Active)", "Skipped(Active)"]
        assert "asked to end 5 times" in records[1].message
        assert len(stage.platform.calls_of("cancel_job")) == 5

    play(scenario, start=datetime(2026, 3, 2, 11, 59, 58, tzinfo=UTC), profile=AITRONOS)


def test_a_job_that_does_not_move_is_cancelled() -> None:
    """``stalledAfter`` counts from the last row or byte that was seen to move."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("frozen", "schedules:\n  - every: 1m\nstalledAfter: 20s\n", STUCK)
        await stage.start()
        await stage.run_for(90)
        job = stage.platform.jobs_of(ref.connection_id)[0]

        assert job.status is JobStatus.CANCELLED
        assert job.ended_at is not None
        assert timedelta(seconds=20) <= job.ended_at - job.created_at < timedelta(seconds=30)

    stage = play(scenario)
    assert {event.fields["reason"] for event in stage.log.of(EventName.CANCEL_REQUESTED)} == {"StalledAfter"}
