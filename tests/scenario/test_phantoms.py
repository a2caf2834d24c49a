"""A platform that refuses every start for a job that is in none of its lists."""

from controller.model.connection import ConnectionStatus
from controller.model.event import EventName
from controller.model.identity import ConnectionRef
from controller.model.profile import EMBEDDED
from controller.model.record import Reason
from controller.model.status import State, Summary
from controller.reconcile.restored import Restorers
from controller.reconcile.status import Reading, read_report
from tests.fakes.platform import TriggerFault
from tests.scenario.stage import Stage, play

EVERY_10_MINUTES = "schedules:\n  - every: 10m\n"


def starts(stage: Stage) -> int:
    """How many syncs the platform was asked for."""
    return len(stage.platform.calls_of("trigger_sync"))


def alerts(stage: Stage) -> int:
    """How many times a person was asked to look."""
    return len(stage.log.of(EventName.PHANTOM_JOB_REPORTED))


async def condition(stage: Stage) -> Summary:
    """What ``mainspring get`` says of the one schedule."""
    restorers = Restorers(lambda _: None, lambda _: None)
    reading = Reading(stage.store, stage.specs, restorers, {"default": EMBEDDED}, stage.clock.now())
    (status,) = (await read_report(reading)).schedules
    return status.condition


async def haunt(stage: Stage, refusals: int) -> ConnectionRef:
    """A schedule whose next starts are refused, and nobody knows why; returns in the minute after its first slot."""
    ref = stage.schedule("haunted", EVERY_10_MINUTES)
    for _ in range(refusals):
        stage.platform.script(TriggerFault.BUSY)
    await stage.start()
    await stage.run_for(660)
    return ref


def test_the_third_in_a_row_is_told_and_from_then_on_a_slot_has_one_post() -> None:
    """The first slot is tried three times and told once; the next ones are tried once each; a job ends it."""

    async def scenario(stage: Stage) -> None:
        ref = await haunt(stage, 5)
        assert (await stage.words(ref), starts(stage), alerts(stage)) == (["Skipped(Active)"], 3, 1)
        assert (await condition(stage)).reason is Reason.PHANTOM_ACTIVE
        await stage.run_for(1200)
        assert (await stage.words(ref), starts(stage), alerts(stage)) == (["Skipped(Active)"] * 3, 5, 1)
        assert (await condition(stage)).state is State.HELD
        await stage.run_for(600)
        assert ((await stage.words(ref))[-1], starts(stage)) == ("Triggered", 6)
        assert await condition(stage) == Summary(State.READY)
        for _ in range(3):
            stage.platform.script(TriggerFault.BUSY)
        await stage.run_for(600)
        assert (starts(stage), alerts(stage)) == (9, 2)

    play(scenario)


def test_fewer_than_three_ask_nobody_to_look() -> None:
    """A list that lags and a start that was sent after all look the same; the slot is started in the end."""

    async def scenario(stage: Stage) -> None:
        ref = await haunt(stage, 2)
        assert (await stage.words(ref), starts(stage), alerts(stage)) == (["Triggered"], 3, 0)
        assert (await condition(stage)).state is State.READY

    play(scenario)


def test_the_row_goes_on_after_a_restart() -> None:
    """Two before a crash and one after it are three: told once, and the slot has no fourth POST."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("haunted", EVERY_10_MINUTES)
        for _ in range(9):
            stage.platform.script(TriggerFault.BUSY)
        await stage.start()
        await stage.run_for(629)
        assert (starts(stage), alerts(stage)) == (3, 0)
        await stage.crash()
        await stage.start()
        await stage.run_for(60)
        assert (await stage.words(ref), starts(stage), alerts(stage)) == (["Skipped(Active)"], 3, 1)
        await stage.crash()
        await stage.start()
        await stage.run_for(600)
        assert (await stage.words(ref), starts(stage), alerts(stage)) == (["Skipped(Active)"] * 2, 4, 1)

    play(scenario)


def test_a_job_that_shows_up_after_all_ends_the_row() -> None:
    """It was no phantom: the slot has its job, and the next one may be tried three times again."""

    async def scenario(stage: Stage) -> None:
        ref = await haunt(stage, 4)
        assert (starts(stage), alerts(stage)) == (3, 1)
        await stage.run_for(540)
        assert starts(stage) == 4
        stage.platform.start_foreign_job(ref.connection_id)
        await stage.run_for(30)
        assert await stage.words(ref) == ["Skipped(Active)", "Triggered"]
        assert (await stage.store.standings({ref: ()}))[ref].phantoms == 0
        assert await condition(stage) == Summary(State.READY)

    play(scenario)


def test_a_connection_that_is_switched_off_is_no_phantom() -> None:
    """It is refused in the words for a busy one; the claim waits until it could be read again, and then it is known why."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("paused", EVERY_10_MINUTES)
        stage.platform.script(TriggerFault.BUSY)
        await stage.start()
        await stage.run_for(595)
        stage.platform.hides_connections = True
        stage.platform.edit(ref.connection_id, status=ConnectionStatus.INACTIVE)
        await stage.run_for(300)
        assert (await stage.words(ref), starts(stage), alerts(stage)) == (["InDoubt"], 1, 0)
        stage.platform.hides_connections = False
        await stage.run_for(60)
        assert (await stage.words(ref), starts(stage), alerts(stage)) == (["Held(ConnectionInactive)"], 1, 0)

    play(scenario)
