"""Answers that go wrong on the wire: the whole controller with the real HTTP adapter, in virtual time."""

from dataclasses import replace
from datetime import timedelta
from email.utils import format_datetime
from itertools import pairwise

import pytest

from controller.model.event import EventName
from controller.model.job import JobKind
from controller.model.profile import AITRONOS, PlatformProfile
from tests.fakes.platform import Behaviour, FakePlatform
from tests.fakes.spec_source import MemorySpecSource
from tests.scenario.http_front import HttpFront, Wrong
from tests.scenario.stage import Stage, play

SHORT = Behaviour(timedelta(seconds=2))
EVERY_10_MINUTES = "schedules:\n  - every: 10m"
SLOT_SEEN = 11 * 60.0
RESET = (
    "apiVersion: mainspring.dev/v1\nkind: SyncRequest\nmetadata: {name: reset}\n"
    "spec: {schedule: orders, action: Reset, expiresAt: '2030-01-01T00:00:00Z'}\n"
)


async def start_behind(stage: Stage, front: HttpFront, profile: PlatformProfile) -> None:
    """Start a controller whose platform is reached through a front."""
    await stage.start(platforms={"default": (front.adapter(profile), profile)})


@pytest.mark.parametrize("status", [500, 502, 503, 504])
@pytest.mark.parametrize("is_executed", [True, False])
def test_a_server_error_is_a_doubt_and_never_sent_again_at_once(status: int, *, is_executed: bool) -> None:
    """With an effect the job is adopted; without one a second POST follows, but not before T_resolve."""

    async def scenario(stage: Stage) -> None:
        front = HttpFront(stage.platform, stage.clock)
        ref = stage.schedule("failing", EVERY_10_MINUTES, SHORT)
        front.wrong.append(Wrong(status, is_executed=is_executed))
        await start_behind(stage, front, AITRONOS)
        await stage.run_for(SLOT_SEEN + 240)
        posts = front.times_of("POST")

        assert await stage.words(ref) == ["Triggered"]
        assert len(posts) == (1 if is_executed else 2)
        assert all(second - first >= AITRONOS.resolve_after for first, second in pairwise(posts))

    stage = play(scenario, profile=AITRONOS)
    assert len(stage.platform.jobs) == 1
    assert len(stage.log.of(EventName.TRIGGER_IN_DOUBT)) == 1


@pytest.mark.parametrize("is_date", [False, True], ids=["seconds", "HTTP-date"])
def test_a_platform_that_wants_a_pause_gets_it_and_no_other_waits(*, is_date: bool) -> None:
    """429 with ``Retry-After: 120``: no request of any kind to that platform meanwhile, one job afterwards; another platform goes on."""
    profile = replace(
        AITRONOS, poll=timedelta(seconds=10), quiet_poll=timedelta(seconds=20), min_interval=timedelta(seconds=5)
    )

    async def scenario(stage: Stage) -> None:
        stage.specs = MemorySpecSource({"default": profile, "other": profile})
        other = FakePlatform(stage.clock)
        fronts = {"default": HttpFront(stage.platform, stage.clock), "other": HttpFront(other, stage.clock)}
        ref = stage.schedule("asked", EVERY_10_MINUTES, SHORT)
        other.add_connection("conn_free", SHORT)
        stage.edit("free", "platform: other\nschedules:\n  - every: 20s\nminGap: 1s")
        slot = stage.clock.now().replace(minute=10, second=0)
        after = format_datetime(slot + timedelta(seconds=120), usegmt=True) if is_date else "120"
        fronts["default"].wrong.append(Wrong(429, headers={"Retry-After": after}))
        await stage.start(platforms={name: (front.adapter(profile), profile) for name, front in fronts.items()})
        await stage.run_for(SLOT_SEEN + 240)
        asked = [at for at, _, _ in fronts["default"].requests]
        refused_at = fronts["default"].times_of("POST")[0]

        assert await stage.words(ref) == ["Triggered"]
        assert len(stage.platform.jobs) == 1
        assert [at for at in asked if refused_at < at < slot + timedelta(seconds=120)] == []
        meanwhile = [job for job in other.jobs if refused_at < job.created_at < refused_at + timedelta(seconds=120)]
        assert len(meanwhile) == 5
        assert all(job.created_at.second % 20 <= 1 for job in meanwhile)

    play(scenario, profile=profile)


def test_a_job_is_found_although_lists_lag_and_move() -> None:
    """The list shows jobs 10 s late, in pages of five, with jobs of others coming in between: found once, for one slot."""
    profile = replace(AITRONOS, page_size=5)

    async def scenario(stage: Stage) -> None:
        front = HttpFront(stage.platform, stage.clock)
        ref = stage.schedule("hidden", EVERY_10_MINUTES, Behaviour(timedelta(minutes=5)))
        for number in range(60):
            stage.platform.add_connection(f"other_{number}", SHORT)
        stage.platform.list_lag = timedelta(seconds=10)

        def insert(number: int) -> None:
            if number % 3 == 1:
                stage.platform.start_foreign_job(f"other_{number % 60}")

        front.before_listing = insert
        front.wrong.append(Wrong(502, is_executed=True))
        await start_behind(stage, front, profile)
        await stage.run_for(SLOT_SEEN + 240)
        (record,) = await stage.slots(ref)
        (job,) = stage.platform.jobs_of(ref.connection_id)

        assert (record.word, record.job_id) == ("Triggered", job.job_id)
        assert len(front.times_of("POST")) == 1

    play(scenario, profile=profile)


def test_ten_thousand_old_jobs_cost_no_slot_more_than_three_pages() -> None:
    """A listing begins where the last one ended: what a platform has piled up before is never walked again."""

    async def scenario(stage: Stage) -> None:
        front = HttpFront(stage.platform, stage.clock)
        ref = stage.schedule("new", EVERY_10_MINUTES, SHORT)
        stage.platform.add_connection("old", Behaviour(timedelta(0)))
        for _ in range(10_000):
            stage.platform._create("old", JobKind.SYNC, stage.clock.now() - timedelta(days=3))
        await start_behind(stage, front, AITRONOS)
        await stage.run_for(60)
        before = stage.clock.now()
        await stage.run_for(SLOT_SEEN - 60)
        (record,) = await stage.slots(ref)
        started_at = front.times_of("POST")[0]
        pages = [at for at, method, path in front.requests if (method, path) == ("GET", "/jobs")]

        assert record.word == "Triggered"
        assert pages
        assert len([at for at in pages if started_at - timedelta(seconds=60) <= at <= started_at]) <= 3
        assert len([at for at in pages if at >= before]) <= 6

    play(scenario, profile=AITRONOS)


@pytest.mark.parametrize("status", [None, 502])
def test_a_reset_that_a_document_asks_for_is_sent_once(status: int | None) -> None:
    """Also where its answer is lost: it is adopted as the reset that it is, and nothing is sent again."""

    async def scenario(stage: Stage) -> None:
        front = HttpFront(stage.platform, stage.clock)
        ref = stage.schedule("orders", EVERY_10_MINUTES, SHORT)
        stage.texts["reset.yaml"] = RESET
        stage.specs.set_texts(stage.texts)
        if status is not None:
            front.wrong.append(Wrong(status, is_executed=True))
        await stage.start(platforms={"default": (front.adapter(AITRONOS), AITRONOS)}, allow_resets=True)
        await stage.run_for(300)
        (request,) = await stage.store.requests(ref, 10)
        (job,) = stage.platform.jobs
        assert (str(request.status), request.job_id, job.kind) == ("Done", job.job_id, JobKind.RESET)
        assert len(front.times_of("POST")) == 1

    play(scenario, profile=AITRONOS)
