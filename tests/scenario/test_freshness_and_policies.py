"""Freshness, jitter, suspensions, policies and what goes wrong with clocks and platforms, over a controller's life."""

from datetime import timedelta

from controller.model.event import EventName
from controller.model.job import JobStatus
from controller.model.profile import AITRONOS
from controller.model.record import Reason
from tests.fakes.platform import Behaviour
from tests.scenario.stage import Stage, play

EVERY_10 = "schedules:\n  - every: 10s\n"
EVERY_MINUTE = 'schedules:\n  - cron: "* * * * *"\n'
SLOW = Behaviour(timedelta(seconds=15))
STUCK = Behaviour(None)
FAILING = Behaviour(timedelta(seconds=1), JobStatus.FAILED)


def test_freshness_asks_for_a_sync_when_the_last_success_is_too_old() -> None:
    """The first slot comes at once, each further one an age after the end of the last success, whoever started it."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("stock", "schedules:\n  - freshness: 60s\n", Behaviour(timedelta(seconds=5)))
        await stage.start()
        await stage.run_for(100)
        stage.platform.start_foreign_job(ref.connection_id)
        await stage.run_for(66)
        jobs = stage.platform.jobs_of(ref.connection_id)
        seconds = [round((job.created_at - jobs[0].created_at).total_seconds()) for job in jobs]

        assert jobs[0].created_at - stage.clock.now() < timedelta(seconds=-160)
        # Its own success after 5 s, the next slot a minute later; the foreign one puts the slot off to a minute after its end.
        assert seconds == [0, 65, 98, 163]
        assert await stage.words(ref) == ["Triggered"] * 3

    play(scenario)


def test_a_failed_sync_does_not_make_data_fresh() -> None:
    """It is asked for again after a quarter of the age."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("stock", "schedules:\n  - freshness: 60s\n", FAILING)
        await stage.start()
        await stage.run_for(50)
        slots = [record.slot.scheduled_at for record in await stage.slots(ref)]
        assert [(slot - slots[0]).total_seconds() for slot in slots] == [0, 15, 30, 45]
        assert await stage.words(ref) == ["Triggered"] * 4

    play(scenario)


def test_a_connection_that_is_fresh_already_is_left_alone() -> None:
    """At first sight of a connection its newest success is looked for, however old it is."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("stock", "schedules:\n  - freshness: 10h\n", Behaviour(timedelta(seconds=5)))
        stage.platform.start_foreign_job(ref.connection_id)
        await stage.run_for(3 * 3600)
        await stage.start()
        await stage.run_for(3600)
        assert len(stage.platform.jobs) == 1
        await stage.run_for(6 * 3600 + 10)
        assert len(stage.platform.jobs) == 2

    stage = play(scenario, profile=AITRONOS)
    assert len(stage.platform.calls_of("newest_success")) == 1


def test_data_that_grows_old_is_told_once_for_each_step() -> None:
    """A warning, then an error, then that it is fresh again; nothing is triggered for it."""

    async def scenario(stage: Stage) -> None:
        text = "schedules:\n  - manual: {}\nfreshnessAlert: {warnAfter: 30s, errorAfter: 60s}\n"
        ref = stage.schedule("watched", text, Behaviour(timedelta(seconds=2)))
        await stage.start()
        await stage.run_for(80)
        stage.platform.start_foreign_job(ref.connection_id)
        await stage.run_for(10)

    stage = play(scenario)
    names = {EventName.FRESHNESS_WARNED, EventName.FRESHNESS_LOST, EventName.FRESHNESS_RESTORED}
    told = [event.name for event in stage.log.events if event.name in names]
    assert told == [EventName.FRESHNESS_WARNED, EventName.FRESHNESS_LOST, EventName.FRESHNESS_RESTORED]
    assert not stage.platform.calls_of("trigger_sync")


def test_jitter_puts_each_slot_off_by_its_own_fixed_time() -> None:
    """Two lives of a controller start the same slots at the same shifted instants, never before the slot or after the next one."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("spread", "schedules:\n  - every: 60s\njitter: 40s\n", Behaviour(timedelta(seconds=1)))
        await stage.start()
        await stage.run_for(645)
        shifts = [
            (job.created_at - record.slot.scheduled_at).total_seconds()
            for job, record in zip(stage.platform.jobs_of(ref.connection_id), await stage.slots(ref), strict=True)
        ]
        assert await stage.words(ref) == ["Triggered"] * 10
        assert all(0 <= shift < 42 for shift in shifts)
        assert max(shifts) - min(shifts) > 15
        told.append(shifts)

    told: list[list[float]] = []
    stage = play(scenario)
    play(scenario)
    delays = [event.fields["trigger_delay_seconds"] for event in stage.log.of(EventName.SYNC_TRIGGERED)]
    assert max(float(delay or 0) for delay in delays) < 1
    assert [round(shift) for shift in told[0]] == [round(shift) for shift in told[1]]


def test_a_suspension_ends_by_itself_and_nothing_is_made_up_for() -> None:
    """The slot at ``until`` starts; those before it were skipped when they came."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("quiet", EVERY_10 + 'suspend: {reason: moving, until: "2026-03-02T12:00:30Z"}\n')
        await stage.start()
        await stage.run_for(45)
        assert await stage.words(ref) == ["Skipped(Suspended)"] * 2 + ["Triggered"] * 2

    play(scenario)


def test_slots_of_a_suspension_are_not_made_up_for_after_a_pause_of_the_controller() -> None:
    """Also where no controller saw them while it stood."""

    async def scenario(stage: Stage) -> None:
        text = 'catchUp: {window: 10m}\nsuspend: {until: "2026-03-02T12:01:00Z"}\n'
        ref = stage.schedule("quiet", EVERY_10 + text)
        await stage.start()
        await stage.run_for(5)
        await stage.stop()
        await stage.run_for(52)
        await stage.start()
        await stage.run_for(1)
        assert await stage.words(ref) == ["Skipped(Suspended)"] * 5
        await stage.run_for(5)
        assert (await stage.words(ref))[-1] == "Triggered"

    play(scenario)


def policy(name: str, lines: str) -> str:
    """A policy for everybody."""
    head = f"apiVersion: mainspring.dev/v1\nkind: SyncPolicy\nmetadata: {{name: {name}}}\nspec:\n  selector: {{}}\n"
    return head + "".join(f"  {line}\n" for line in lines.splitlines())


def test_a_freeze_stops_every_write_and_ends_by_itself() -> None:
    """Neither triggers nor cancels while it stands; the limits hold again after it."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("iced", "schedules:\n  - every: 20s\nmaxDuration: 15s\n", STUCK)
        await stage.start()
        await stage.run_for(25)
        stage.texts["policy.yaml"] = policy("ice", 'freeze: {reason: incident, until: "2026-03-02T12:01:30Z"}')
        stage.edit("iced", "schedules:\n  - every: 20s\nmaxDuration: 15s\n")
        await stage.run_for(60)
        assert not stage.platform.calls_of("cancel_job")
        assert await stage.words(ref) == ["Triggered"] + ["Skipped(Frozen)"] * 3
        await stage.run_for(10)
        assert len(stage.platform.calls_of("cancel_job")) == 1

    play(scenario)


def test_policies_that_contradict_each_other_hold_what_they_speak_of() -> None:
    """Where nothing was in force before, nothing starts; the value that was in force before a quarrel goes on."""

    async def scenario(stage: Stage) -> None:
        old = stage.schedule("old", EVERY_10, SLOW)
        stage.texts["one.yaml"] = policy("one", "defaults: {overlap: Queue}")
        stage.edit("old", EVERY_10)
        await stage.start()
        await stage.run_for(12)
        stage.texts["two.yaml"] = policy("two", "defaults: {overlap: Replace}")
        new = stage.schedule("new", EVERY_10, SLOW)
        await stage.run_for(40)

        assert {record.word for record in await stage.slots(old)} <= {"Triggered", "Skipped(Active)", "Held(Active)"}
        assert "Triggered" in [record.word for record in (await stage.slots(old))[2:]]
        assert {record.reason for record in await stage.slots(new)} == {Reason.POLICY_CONFLICT}
        assert not stage.platform.jobs_of(new.connection_id)

    play(scenario)


def test_a_schedule_that_goes_takes_its_job_along_where_it_says_so() -> None:
    """``onDelete: CancelRunning`` ends our running job before the schedule is retired, also where a restart lies between."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("short", "schedules:\n  - every: 20s\nonDelete: CancelRunning\n", STUCK)
        kept = stage.schedule("kept", "schedules:\n  - every: 20s\n", STUCK)
        left = stage.schedule("left", "schedules:\n  - every: 6h\n")
        await stage.start()
        await stage.run_for(25)
        await stage.stop()
        stage.edit("short", None)
        stage.edit("kept", None)
        await stage.start()
        await stage.run_for(20)

        assert [job.status for job in stage.platform.jobs_of(ref.connection_id)] == [JobStatus.CANCELLED]
        assert [job.status for job in stage.platform.jobs_of(kept.connection_id)] == [JobStatus.RUNNING]
        assert await stage.store.known_refs() == (left,)

    play(scenario)


def test_a_foreign_job_is_cancelled_where_the_spec_says_so() -> None:
    """Only a sync, and never one that may be ours."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("strict", "schedules:\n  - every: 1h\ndrift: {foreignJobs: Cancel}\n", STUCK)
        await stage.start()
        await stage.run_for(5)
        stage.platform.start_foreign_job(ref.connection_id)
        await stage.run_for(20)
        assert [job.status for job in stage.platform.jobs_of(ref.connection_id)] == [JobStatus.CANCELLED]

    play(scenario)


def test_a_schedule_by_hand_only_is_never_triggered() -> None:
    """``manual`` has no slots and still watches."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("hand", "schedules:\n  - manual: {}\nmaxDuration: 10s\n", STUCK)
        await stage.start()
        await stage.run_for(30)
        stage.platform.start_foreign_job(ref.connection_id)
        await stage.run_for(30)
        assert await stage.slots(ref) == []
        assert [job.status for job in stage.platform.jobs_of(ref.connection_id)] == [JobStatus.CANCELLED]

    play(scenario)


def test_a_clock_that_was_set_back_holds_everything_and_starts_nothing_twice() -> None:
    """What was decided stays decided; nothing is judged until the clock has caught up."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("shop", EVERY_10)
        await stage.start()
        await stage.run_for(600)
        before = len(stage.platform.jobs)
        standing = (await stage.store.standings({ref: ()}))[ref]
        assert standing.watermark is not None
        await stage.stop()
        stage.store._state.connections[ref].watermark = standing.watermark + timedelta(minutes=2)
        await stage.start()
        await stage.run_for(80)
        assert len(stage.platform.jobs) == before
        await stage.run_for(60)
        assert len(stage.platform.jobs) > before

    stage = play(scenario)
    assert [event.fields["reason"] for event in stage.log.of(EventName.SCHEDULE_HELD)] == ["ClockBehind"]
