"""Carrying out a plan where the store or the platform objects."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

from controller.errors import StoreUnavailable
from controller.model.event import Event, EventName
from controller.model.identity import ClaimKey, ConnectionRef, SlotKey
from controller.model.job import Job
from controller.model.plan import ConnectionPlan, Plan, RecordSlot
from controller.model.record import Claim, Outcome, Reason, SlotRecord
from controller.ports.store import Decisions
from controller.reconcile.act import trigger, write_decisions
from tests.scenario.stage import Stage, play

AT = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def record(connection_id: str, outcome: Outcome, reason: Reason | None = None, job_id: str | None = None) -> SlotRecord:
    """A record of the same instant for some connection."""
    slot = SlotKey(ConnectionRef("default", connection_id), AT)
    return SlotRecord(slot, outcome, AT, connection_id, reason, "because", job_id)


def test_a_record_that_the_store_refuses_harms_only_its_own_connection() -> None:
    """A job that belongs to another slot already is one connection's defect: the rest of the cycle is written and told."""
    doubled = record("conn_one", Outcome.COUNTED, job_id="job_x")
    sound = record("conn_two", Outcome.SKIPPED, Reason.SUSPENDED)
    plan = Plan(AT, tuple(ConnectionPlan(row.slot.ref, (RecordSlot(row),)) for row in (doubled, sound)))

    async def scenario(stage: Stage) -> None:
        await stage.start()
        await stage.run_for(1)
        await stage.store.apply(Decisions(records=[record("conn_owner", Outcome.COUNTED, job_id="job_x")]))
        assert stage.controller is not None
        await write_decisions(stage.controller._world, plan)

        assert await stage.slots(doubled.slot.ref) == []
        assert await stage.words(sound.slot.ref) == ["Skipped(Suspended)"]

    stage = play(scenario)
    (refused,) = stage.log.of(EventName.PLAN_REFUSED)
    assert refused.fields["connection_id"] == "conn_one"
    assert len(stage.log.of(EventName.SLOT_SKIPPED)) == 1
    assert stage.log.of(EventName.SLOT_COUNTED) == []


def test_a_job_that_is_seen_while_a_claim_is_written_is_not_started_beside() -> None:
    """The claim was decided on a view without it; the store took its time, and a look showed the job before the POST could leave."""

    async def scenario(stage: Stage) -> None:
        ref = ConnectionRef("default", "conn_shop")
        stage.platform.add_connection(ref.connection_id)
        await stage.start()
        await stage.run_for(1)
        assert stage.controller is not None
        platform, write = stage.controller.mind.platforms["default"], stage.store.claim

        async def claim_slowly(claim: Claim) -> None:
            await write(claim)
            platform.remember([stage.platform.start_foreign_job(ref.connection_id)], stage.clock.now())

        stage.store.claim = claim_slowly  # type: ignore[method-assign]
        claim = Claim(ClaimKey(SlotKey(ref, AT), 0), 1, stage.clock.now(), frozenset(), "shop")
        assert not await trigger(stage.controller._world, platform, claim)
        assert await stage.words(ref) == ["Held(Active)"]

    stage = play(scenario)
    assert stage.platform.calls_of("trigger_sync") == ()
    (told,) = stage.log.of(EventName.TRIGGER_NOT_SENT)
    assert told.fields["reason"] == "Active"


def test_a_controller_that_stops_leaves_an_unanswered_post_in_doubt() -> None:
    """A POST that does not answer is waited for at most seven seconds; its claim stays open, and the next start adopts its job."""
    seconds: list[float] = []

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("slow", "schedules:\n  - every: 30s")
        answer = stage.platform.trigger_sync
        never = asyncio.Event()

        async def hang(connection_id: str) -> None:
            await answer(connection_id)
            await never.wait()

        stage.platform.trigger_sync = hang  # type: ignore[method-assign,assignment]
        await stage.start()
        while not stage.platform.jobs:
            await stage.run_for(0.5)
        began = stage.clock.boottime()
        await stage.stop()
        seconds.append(stage.clock.boottime() - began)
        assert await stage.words(ref) == ["InDoubt"]

        stage.platform.trigger_sync = answer  # type: ignore[method-assign]
        await stage.start()
        await stage.run_for(10)
        (found,) = await stage.slots(ref)
        assert found.adopted

    stage = play(scenario)
    assert 7 <= seconds[0] < 10
    assert len(stage.platform.jobs) == 1
    assert stage.log.of(EventName.CONTROLLER_STOPPED)[0].fields["unanswered"] == 1


def test_a_confirmation_that_could_not_be_written_is_not_told() -> None:
    """What is told is what was written: the job is adopted later, and nothing says before that its claim was settled."""
    refused: list[Sequence[Event]] = []

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("orders", "schedules:\n  - every: 30s")
        confirm = stage.store.confirm

        async def fail(claim: Claim, job: Job, record: SlotRecord, events: Sequence[Event] = ()) -> bool:
            refused.append(events)
            stage.store.confirm = confirm  # type: ignore[method-assign]
            raise StoreUnavailable("the disk is full")

        stage.store.confirm = fail  # type: ignore[method-assign]
        await stage.start()
        await stage.run_for(40)
        (found,) = await stage.slots(ref)
        assert found.adopted

    stage = play(scenario)
    assert [event.name for (event,) in refused] == [EventName.SYNC_TRIGGERED]
    assert stage.log.of(EventName.SYNC_TRIGGERED) == []
    assert len(stage.log.of(EventName.DOUBT_SETTLED)) == 1
