"""The worst moments of a start: crashes on either side of the POST, late effects, people in between, edits while it is under way."""

from datetime import UTC, datetime, timedelta

import pytest

from controller.model.event import EventName
from controller.model.identity import ConnectionRef
from controller.model.job import Job
from controller.model.profile import AITRONOS
from controller.ports.clock import Clock
from tests.fakes.platform import Behaviour, FakePlatform, TriggerFault
from tests.fakes.spec_source import schedule_text
from tests.scenario.stage import START, Stage, play

EVERY_60 = "schedules:\n  - every: 60s"
SHORT = Behaviour(timedelta(seconds=2))
LONG = Behaviour(timedelta(minutes=10))


class HangingPlatform(FakePlatform):
    """A platform whose POSTs take ``pause`` seconds before, or after, they are executed."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.before = 0.0
        self.after = 0.0

    async def trigger_sync(self, connection_id: str) -> Job:
        """As the port says, late."""
        if self.before:
            await self._clock.sleep(self.before)
        job = await super().trigger_sync(connection_id)
        if self.after:
            await self._clock.sleep(self.after)
        return job


def hanging(stage: Stage) -> HangingPlatform:
    """Put a hanging platform on the stage."""
    platform = HangingPlatform(stage.clock)
    stage.platform = platform
    return platform


async def crash_while_claimed(stage: Stage) -> datetime:
    """Kill the controller as soon as a claim is written; the POST hangs on one side or the other of its effect."""
    for _ in range(200):
        standings = await stage.store.standings(dict.fromkeys(await refs(stage), ()))
        if any(standing.claim for standing in standings.values()):
            break
        await stage.run_for(0.5)
    else:
        raise AssertionError("no claim was written")
    await stage.crash()
    return stage.clock.now()


async def refs(stage: Stage) -> list[ConnectionRef]:
    """Every connection that the store knows."""
    return list(await stage.store.known_refs())


@pytest.mark.parametrize(("in_doubt", "word", "jobs"), [("Retry", "Triggered", 1), ("Skip", "Skipped(InDoubt)", 0)])
def test_a_crash_between_claim_and_post(in_doubt: str, word: str, jobs: int) -> None:
    """Nothing was sent and nobody can know: under Retry one job within T_resolve and a listing, under Skip none and a reason."""

    async def scenario(stage: Stage) -> None:
        platform = hanging(stage)
        platform.before = 1000
        ref = stage.schedule("crashed", f"{EVERY_60}\nwhenInDoubt: {in_doubt}", SHORT)
        await stage.start()
        crashed_at = await crash_while_claimed(stage)
        platform.before = 0
        await stage.start()
        await stage.run_for(20)

        assert await stage.words(ref) == [word]
        created = [job.created_at for job in platform.jobs]
        assert len(created) == jobs
        assert all(at - crashed_at <= stage.profile.resolve_after + timedelta(seconds=5) for at in created)

    play(scenario)


@pytest.mark.parametrize("in_doubt", ["Retry", "Skip"])
def test_a_crash_between_answer_and_record(in_doubt: str) -> None:
    """The job exists and nobody wrote it down: the next life adopts that very job and sends nothing."""

    async def scenario(stage: Stage) -> None:
        platform = hanging(stage)
        platform.after = 1000
        ref = stage.schedule("crashed", f"{EVERY_60}\nwhenInDoubt: {in_doubt}", SHORT)
        await stage.start()
        await crash_while_claimed(stage)
        (job,) = platform.jobs
        await stage.start()
        await stage.run_for(20)
        (record,) = await stage.slots(ref)

        assert (record.word, record.job_id, record.adopted) == ("Triggered", job.job_id, True)

    stage = play(scenario)
    assert len(stage.platform.calls_of("trigger_sync")) == 1


def test_a_post_that_takes_effect_a_minute_later_makes_no_double() -> None:
    """Executed 60 s after the caller gave up, within the settle time of 90 s: found and adopted, never sent again."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("late", "schedules:\n  - every: 10m", LONG)
        stage.platform.script(TriggerFault.LATE_EFFECT, timedelta(seconds=60))
        await stage.start()
        await stage.run_for(18 * 60)
        (record,) = await stage.slots(ref)

        assert (record.word, record.adopted) == ("Triggered", True)

    stage = play(scenario, profile=AITRONOS)
    assert len(stage.platform.jobs) == 1
    assert len(stage.platform.calls_of("trigger_sync")) == 1


@pytest.mark.parametrize("fault", [TriggerFault.LOST_REQUEST, TriggerFault.LOST_REPLY])
def test_a_manual_run_during_doubt_counts_once(fault: TriggerFault) -> None:
    """Whoever's job it is, the slot has one, no second POST is sent, and no job counts for two slots."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("shared", EVERY_60, Behaviour(timedelta(seconds=1)))
        stage.platform.script(fault)
        await stage.start()
        await stage.run_for(62)
        assert len(stage.platform.calls_of("trigger_sync")) == 1
        stage.platform.start_foreign_job(ref.connection_id)
        await stage.run_for(80)
        records = await stage.slots(ref)

        assert [record.word for record in records] == ["Triggered", "Triggered"]
        assert len({record.job_id for record in records}) == 2
        assert records[0].job_id == stage.platform.jobs[0].job_id

    stage = play(scenario)
    assert len(stage.platform.calls_of("trigger_sync")) == 2


def test_an_outage_of_two_hours_is_followed_by_one_start_each() -> None:
    """Hourly and quarter-hourly schedules start once each within a minute of the recovery; every other slot says that it was missed."""
    outage = timedelta(hours=2)

    async def scenario(stage: Stage) -> None:
        hourly = [
            stage.schedule(f"hourly{n}", "schedules:\n  - every: 1h\ncatchUp: {window: 3h}", SHORT) for n in range(3)
        ]
        often = [
            stage.schedule(f"often{n}", "schedules:\n  - every: 15m\ncatchUp: {window: 3h}", SHORT) for n in range(3)
        ]
        await stage.start()
        await stage.run_for(40 * 60)
        stage.platform.is_available = False
        before = len(stage.platform.jobs)
        await stage.run_for(outage.total_seconds())
        stage.platform.is_available = True
        back_at = stage.clock.now()
        await stage.run_for(280)
        jobs = stage.platform.jobs[before:]

        assert sorted(job.connection_id for job in jobs) == sorted(ref.connection_id for ref in [*hourly, *often])
        first_seen = min(job.created_at for job in jobs)
        assert first_seen - back_at <= timedelta(minutes=4)
        assert max(job.created_at for job in jobs) - first_seen <= timedelta(seconds=60)
        for ref, missed in [*((ref, 1) for ref in hourly), *((ref, 7) for ref in often)]:
            words = await stage.words(ref)
            assert words.count("Missed(Superseded)") == missed, words
            assert words[-1] == "Triggered"

    play(scenario, profile=AITRONOS)


def test_refused_connections_use_up_no_attempt() -> None:
    """Cut off for writes: a POST that certainly never arrived may be tried as often as its window allows, and makes one job at the end."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("cut", "schedules:\n  - every: 10m\ncatchUp: {window: 9m}", SHORT)
        for _ in range(2 * stage.profile.attempts_max):
            stage.platform.script(TriggerFault.NOT_CREATED)
        await stage.start()
        await stage.run_for(18 * 60)

        assert await stage.words(ref) == ["Triggered"]

    stage = play(scenario)
    assert len(stage.platform.jobs) == 1
    assert len(stage.platform.calls_of("trigger_sync")) == 2 * stage.profile.attempts_max + 1
    assert stage.log.of(EventName.TRIGGER_IN_DOUBT) == []


NIGHTS = [
    # zone, cron, when its slot of the night of the change is
    ("Europe/Zurich", "0 2 * * *", "2026-03-29T01:00Z"),
    ("Europe/Zurich", "30 2 * * *", "2026-03-29T01:00Z"),
    ("Europe/Zurich", "0 2 * * *", "2026-10-25T00:00Z"),
    ("Europe/Zurich", "30 2 * * *", "2026-10-25T00:30Z"),
    ("America/New_York", "0 2 * * *", "2026-03-08T07:00Z"),
    ("America/New_York", "30 2 * * *", "2026-03-08T07:00Z"),
    ("America/New_York", "0 2 * * *", "2026-11-01T07:00Z"),
    ("America/New_York", "30 2 * * *", "2026-11-01T07:30Z"),
    ("Australia/Lord_Howe", "0 2 * * *", "2026-10-03T15:30Z"),
    ("Australia/Lord_Howe", "30 2 * * *", "2026-10-03T15:30Z"),
    ("Australia/Lord_Howe", "0 2 * * *", "2026-04-04T15:30Z"),
    ("Australia/Lord_Howe", "30 2 * * *", "2026-04-04T16:00Z"),
]


@pytest.mark.parametrize(("zone", "cron", "at"), NIGHTS)
def test_the_nights_of_a_clock_change_have_one_run_each(zone: str, cron: str, at: str) -> None:
    """Forwards and backwards, by an hour and by half an hour: one job, at the instant that the wall clock means."""
    slot = datetime.fromisoformat(at)

    async def scenario(stage: Stage) -> None:
        stage.schedule("night", f'schedules:\n  - cron: "{cron}"\n    timeZone: {zone}', SHORT)
        await stage.start(spec_poll=timedelta(minutes=1))
        await stage.run_for(22 * 3600)

    stage = play(scenario, start=slot.astimezone(UTC) - timedelta(hours=11), profile=AITRONOS)
    (job,) = stage.platform.jobs
    assert timedelta(0) <= job.created_at - slot <= timedelta(seconds=1)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("schedules:\n  - every: 24h", "schedules:\n  - every: 1h"),
        ('schedules:\n  - cron: "0 14 * * *"', 'schedules:\n  - cron: "0 12 * * *"'),
        ('schedules:\n  - cron: "0 14 * * *"', 'schedules:\n  - cron: "0 * * * *"'),
    ],
    ids=["a day becomes an hour", "the hour moves back", "every hour instead of one"],
)
def test_an_edit_starts_nothing_in_the_past(before: str, after: str) -> None:
    """Slots that the new calendar would have had before the edit was seen are nobody's, also after a restart."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("moved", before, SHORT)
        await stage.start()
        await stage.run_for(20 * 60)
        stage.edit("moved", after)
        await stage.run_for(60)
        await stage.crash()
        await stage.start()
        await stage.run_for(60)

        assert await stage.slots(ref) == []

    stage = play(scenario, start=START + timedelta(minutes=10))
    assert stage.platform.jobs == ()


@pytest.mark.parametrize("edit", [None, EVERY_60 + "\nsuspend: {reason: moving}"], ids=["deleted", "suspended"])
@pytest.mark.parametrize("before_effect", [True, False])
def test_a_schedule_that_goes_while_its_post_is_under_way(edit: str | None, *, before_effect: bool) -> None:
    """The open claim is settled, nothing more is sent, and the job is not cancelled."""

    async def scenario(stage: Stage) -> None:
        platform = hanging(stage)
        platform.before, platform.after = (4.0, 0.0) if before_effect else (0.0, 4.0)
        ref = stage.schedule("going", EVERY_60, LONG)
        stage.schedule("staying", "schedules:\n  - every: 6h\n")
        await stage.start()
        await stage.run_for(61)
        assert (await stage.store.standings({ref: ()}))[ref].claim is not None
        stage.edit("going", edit)
        await stage.run_for(300)
        (job,) = platform.jobs

        assert (await stage.store.standings({ref: ()}))[ref].claim is None
        first, *later = await stage.slots(ref)
        assert (first.word, first.job_id) == ("Triggered", job.job_id)
        assert {record.word for record in later} <= {"Skipped(Suspended)"}

    stage = play(scenario)
    assert len(stage.platform.calls_of("trigger_sync")) == 1
    assert stage.platform.calls_of("cancel_job") == ()


BROKEN = {
    "minute field": "  schedules:\n    - cron: '61 * * * *'\n",
    "Mars/Olympus": "  schedules:\n    - {cron: '0 * * * *', timeZone: Mars/Olympus}\n",
    "surprise": "  schedules:\n    - every: 1h\n  surprise: 1\n",
    "connectionId": "  connectionId: [1]\n  schedules:\n    - every: 1h\n",
}


def test_one_bad_spec_among_a_thousand_harms_no_other() -> None:
    """For each kind of mistake the other 999 run; the message names file, line and field; a file that was good keeps its last version."""

    async def scenario(stage: Stage) -> None:
        for number in range(1000):
            stage.texts[f"s{number}.yaml"] = schedule_text(f"s{number}", "1h")
            stage.platform.add_connection(f"conn_s{number}", SHORT)
        for number, lines in enumerate(BROKEN.values()):
            own = "" if "connectionId" in lines else f"  connectionId: conn_s{number}\n"
            stage.texts[f"s{number}.yaml"] = schedule_text(f"s{number}").split("spec:")[0] + "spec:\n" + own + lines
        stage.specs.set_texts(stage.texts)
        await stage.start(spec_poll=timedelta(seconds=30))
        await stage.run_for(40)
        stage.texts["s999.yaml"] = "spec: [unfinished"
        stage.specs.set_texts(stage.texts)
        await stage.run_for(300)

    stage = play(scenario, start=START - timedelta(minutes=2), profile=AITRONOS)
    run = {job.connection_id for job in stage.platform.jobs}
    assert sorted({f"conn_s{number}" for number in range(1000)} - run) == ["conn_s0", "conn_s1", "conn_s2", "conn_s3"]
    told = {str(event.fields["path"]): event.fields for event in stage.log.of(EventName.SPECS_REJECTED)}
    assert sorted(told) == ["s0.yaml", "s1.yaml", "s2.yaml", "s3.yaml", "s999.yaml"]
    for number, word in enumerate(BROKEN):
        fields = told[f"s{number}.yaml"]
        assert int(str(fields["line"])) >= 5
        assert word in str(fields["message"])
