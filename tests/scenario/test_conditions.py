"""Conditions over a controller's life: each flips when it should, its time moves with it alone, and a restart flips nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from controller.errors import StoreUnavailable
from controller.model.condition import Condition, ConditionStatus
from controller.model.connection import ConnectionStatus, PlatformScheduleKind
from controller.model.event import EventName
from controller.model.identity import ConnectionRef
from controller.model.job import JobStatus
from controller.model.profile import EMBEDDED
from tests.fakes.platform import Behaviour, TriggerFault
from tests.scenario.stage import START, MortalStore, Stage, play

EVERY_MINUTE = 'schedules:\n  - cron: "* * * * *"\n'
RARELY = 'schedules:\n  - cron: "0 0 * * *"\n'
SHORT = Behaviour(timedelta(seconds=2))
WELL = {
    "Ready": "True Scheduled",
    "Reconciling": "False Settled",
    "Stalled": "False NothingStalled",
    "Drifted": "False NoDrift",
    "Healthy": "True SyncSucceeded",
    "InWindow": "True NoWindows",
}


class CountingStore(MortalStore):
    """A store that counts what is written of conditions, and may refuse to write them."""

    def __init__(self) -> None:
        super().__init__()
        self.writes = 0
        self.refuses = False

    async def put_conditions(self, conditions: Mapping[ConnectionRef, Sequence[Condition]]) -> None:
        """As the port says, or not at all."""
        if self.refuses:
            raise StoreUnavailable("the disk is full")
        self.writes += 1
        await super().put_conditions(conditions)


async def rows(stage: Stage, ref: ConnectionRef, store: MortalStore | None = None) -> dict[str, Condition]:
    """The conditions of a connection, by type."""
    found = await (store or stage.store).conditions(ref.platform, ref.connection_id)
    return {str(row.type): row for row in found.get(ref, ())}


async def said(stage: Stage, ref: ConnectionRef) -> dict[str, str]:
    """Status and reason, by type."""
    return {name: f"{row.status} {row.reason}" for name, row in (await rows(stage, ref)).items()}


async def times(stage: Stage, ref: ConnectionRef) -> dict[str, datetime | None]:
    """Since when each is what it is."""
    return {name: row.last_transition_at for name, row in (await rows(stage, ref)).items()}


async def moved(stage: Stage, ref: ConnectionRef, before: Mapping[str, datetime | None]) -> set[str]:
    """The conditions whose time is not what it was."""
    now = await times(stage, ref)
    return {name for name in now if now[name] != before.get(name)}


async def restart(stage: Stage) -> None:
    """As in an upgrade, then as after a crash."""
    await stage.stop()
    await stage.run_for(1)
    await stage.start()
    await stage.run_for(3)
    await stage.crash()
    await stage.start()
    await stage.run_for(3)


def test_times_move_only_on_flips() -> None:
    """A schedule is suspended, resumed, fails and drifts, with restarts in between; only what flips has a new time."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("orders", EVERY_MINUTE, SHORT)
        await stage.start()
        await stage.run_for(70)
        assert await said(stage, ref) == WELL
        before = await times(stage, ref)
        await restart(stage)
        await stage.run_for(120)
        assert (await said(stage, ref), await moved(stage, ref, before)) == (WELL, set())

        stage.edit("orders", EVERY_MINUTE + "suspend: {reason: moving, by: ana}\n")
        await stage.run_for(5)
        assert await said(stage, ref) == WELL | {"Ready": "False Suspended"}
        assert (await rows(stage, ref))["Ready"].message == "moving (by ana)"
        assert await moved(stage, ref, before) == {"Ready"}
        assert {row.observed_generation for row in (await rows(stage, ref)).values()} == {2}
        suspended = await times(stage, ref)
        await restart(stage)
        await stage.run_for(120)
        assert await moved(stage, ref, suspended) == set()

        stage.edit("orders", EVERY_MINUTE)
        await stage.run_for(5)
        assert (await said(stage, ref), await moved(stage, ref, suspended)) == (WELL, {"Ready"})

    play(scenario)


def test_a_failure_and_a_drift_are_seen_and_end() -> None:
    """Each failure keeps Healthy as it is, and says which job it was."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("orders", EVERY_MINUTE, SHORT)
        await stage.start()
        await stage.run_for(70)
        before = await times(stage, ref)
        stage.platform.add_connection("conn_orders", Behaviour(timedelta(seconds=2), JobStatus.FAILED))
        await stage.run_for(60)
        failing = await rows(stage, ref)
        assert await said(stage, ref) == WELL | {"Healthy": "False SyncFailed"}
        await restart(stage)
        await stage.run_for(60)
        assert (await rows(stage, ref))["Healthy"].message != failing["Healthy"].message
        assert (await times(stage, ref))["Healthy"] == failing["Healthy"].last_transition_at

        stage.platform.add_connection("conn_orders", SHORT, schedule_kind=PlatformScheduleKind.CRON)
        await stage.run_for(60)
        assert (await said(stage, ref))["Drifted"] == "True DoubleScheduled"
        assert (await said(stage, ref))["Ready"] == "False DoubleScheduled"
        drifted = await times(stage, ref)
        await restart(stage)
        assert await moved(stage, ref, drifted) == set()
        stage.platform.add_connection("conn_orders", SHORT, status=ConnectionStatus.INACTIVE)
        await stage.run_for(11)
        assert (await said(stage, ref))["Ready"] == "False ConnectionInactive"
        assert (await said(stage, ref))["Drifted"] == "True ConnectionInactive"
        assert await moved(stage, ref, drifted) == set()
        stage.platform.add_connection("conn_orders", SHORT)
        await stage.run_for(130)
        assert await said(stage, ref) == WELL
        assert await moved(stage, ref, before) == {"Ready", "Drifted", "Healthy"}

    play(scenario)


def test_a_window_flips_its_condition_at_its_edges() -> None:
    """Nothing else happens to the schedule for hours: it is woken for that alone."""

    async def scenario(stage: Stage) -> None:
        closed = 'windows:\n  - deny: {cron: "10 12 * * *", duration: 20m, reason: backup}\n'
        ref = stage.schedule("orders", RARELY + closed)
        await stage.start()
        await stage.run_for(60)
        assert (await said(stage, ref))["InWindow"] == "True WindowOpen"
        await stage.run_for(600)
        closing = (await rows(stage, ref))["InWindow"]
        assert (closing.status, closing.message) == (
            ConditionStatus.FALSE,
            "backup; opens at 2026-03-02 12:30:00Z",
        )
        await stage.run_for(1200)
        opening = (await rows(stage, ref))["InWindow"]
        assert (await said(stage, ref))["InWindow"] == "True WindowOpen"
        for row, edge in ((closing, START.replace(minute=10, second=0)), (opening, START.replace(minute=30, second=0))):
            assert row.last_transition_at is not None
            assert timedelta() <= row.last_transition_at - edge < timedelta(seconds=1)
        assert (await said(stage, ref))["Ready"] == "True Scheduled"

    play(scenario)


def test_a_rejected_file_is_told_at_once() -> None:
    """Although nothing is done otherwise; the schedule goes on as it last was."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("orders", RARELY)
        await stage.start()
        await stage.run_for(5)
        before = await times(stage, ref)
        stage.edit("orders", RARELY + "nonsense: 1\n")
        await stage.run_for(5)
        assert (await said(stage, ref))["Stalled"] == "True SpecRejected"
        assert (await said(stage, ref))["Ready"] == "True Scheduled"
        assert await moved(stage, ref, before) == {"Stalled"}
        stage.edit("orders", RARELY)
        await stage.run_for(5)
        assert (await said(stage, ref))["Stalled"] == "False NothingStalled"

    play(scenario)


def test_a_doubt_is_reconciling_until_it_is_settled() -> None:
    """A reply that was lost is in doubt while a listing cannot prove anything."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("orders", EVERY_MINUTE, SHORT)
        await stage.start()
        await stage.run_for(50)
        stage.platform.script(TriggerFault.LOST_REQUEST)
        await stage.run_for(11)
        assert (await said(stage, ref))["Reconciling"] == "True InDoubt"
        assert (await said(stage, ref))["Ready"] == "True Scheduled"
        await stage.run_for(30)
        assert (await said(stage, ref))["Reconciling"] == "False Settled"

    play(scenario)


def test_what_goes_loses_its_conditions_also_while_nobody_looks() -> None:
    """A retired schedule at once; files that contradicted each other, when a controller runs again."""

    async def scenario(stage: Stage) -> None:
        retired = stage.schedule("retired", RARELY)
        twin = stage.schedule("twin", RARELY)
        stage.texts["other.yaml"] = str(stage.texts["twin.yaml"]).replace("name: twin", "name: other")
        stage.specs.set_texts(stage.texts)
        await stage.start()
        await stage.run_for(5)
        assert (await said(stage, twin))["Stalled"] == "True DuplicateConnection"
        assert {row.observed_generation for row in (await rows(stage, twin)).values()} == {0}
        stage.edit("retired", None)
        await stage.run_for(5)
        assert await rows(stage, retired) == {}
        await stage.stop()
        stage.texts.clear()
        stage.specs.set_texts({"last.yaml": "# nothing\n"})
        await stage.start()
        await stage.run_for(5)
        assert await rows(stage, twin) == {}

    play(scenario)


def test_an_hour_of_syncs_that_succeed_writes_nothing() -> None:
    """Once it is known how a schedule stands, a cycle costs no write of its conditions."""

    async def scenario(stage: Stage) -> None:
        store = CountingStore()
        ref = stage.schedule("orders", EVERY_MINUTE, SHORT)
        await stage.start(store=store)
        await stage.run_for(70)
        writes = store.writes
        await stage.run_for(3600)
        assert len(stage.platform.jobs_of(ref.connection_id)) > 60
        assert (store.writes, writes < 6) == (writes, True)

    play(scenario)


def test_conditions_that_cannot_be_written_stop_nothing() -> None:
    """The sync is started all the same, and they are written when they can be."""

    async def scenario(stage: Stage) -> None:
        store = CountingStore()
        store.refuses = True
        ref = stage.schedule("orders", EVERY_MINUTE, SHORT)
        await stage.start(store=store)
        await stage.run_for(130)
        assert len(stage.platform.jobs_of(ref.connection_id)) == 2
        messages = [str(event.fields["message"]) for event in stage.log.of(EventName.CYCLE_FAILED)]
        assert set(messages) == {"conditions: the disk is full"}
        store.refuses = False
        await stage.run_for(60)
        assert {name: f"{row.status} {row.reason}" for name, row in (await rows(stage, ref, store)).items()} == WELL

    play(scenario)


def test_a_connection_that_cannot_be_planned_says_so_and_harms_no_other() -> None:
    """A defect needs a person; the next schedule is judged as ever."""

    async def scenario(stage: Stage) -> None:
        poisoned = stage.schedule("poisoned", EVERY_MINUTE, SHORT)
        healthy = stage.schedule("healthy", EVERY_MINUTE, SHORT)
        await stage.start()
        await stage.run_for(70)
        stage.store.poison(poisoned)
        await stage.run_for(70)
        assert (await said(stage, poisoned))["Ready"] == "False Defect"
        assert (await said(stage, poisoned))["Stalled"] == "True Defect"
        assert await said(stage, healthy) == WELL

    play(scenario)


def test_a_platform_out_of_sight_stands_against_a_slot_that_is_due() -> None:
    """After the age of a view that may be acted on, and no sooner."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("orders", EVERY_MINUTE, SHORT)
        await stage.start()
        await stage.run_for(57)
        stage.platform.is_available = False
        await stage.run_for(6)
        assert (await said(stage, ref))["Ready"] == "True Scheduled"
        await stage.run_for(50)
        assert (await said(stage, ref))["Ready"] == "False ObservationStale"
        stage.platform.is_available = True
        await stage.run_for(40)
        assert await said(stage, ref) == WELL

    play(scenario, profile=replace(EMBEDDED, view_age_max=timedelta(seconds=20)))


def test_a_connection_that_is_deleted_is_seen_before_a_slot_needs_it() -> None:
    """No page shows it any more; it is read by id, once, before that is believed, and comes back with the listing that shows it."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("orders", RARELY)
        stage.schedule("customers", RARELY)
        await stage.start()
        await stage.run_for(30)
        reads = len(stage.platform.calls_of("get_connection"))
        kept = stage.platform.settings(ref.connection_id)
        stage.platform.remove_connection(ref.connection_id)
        await stage.run_for(60)
        found = await said(stage, ref)
        assert (found["Ready"], found["Drifted"]) == ("False ConnectionInactive", "True ConnectionInactive")
        assert len(stage.platform.calls_of("get_connection")) == reads + 1
        stage.platform.add_connection(kept.connection_id)
        await stage.run_for(60)
        found = await said(stage, ref)
        assert (found["Ready"], found["Drifted"]) == ("True Scheduled", "False NoDrift")

    play(scenario)
