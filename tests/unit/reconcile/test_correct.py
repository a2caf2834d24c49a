"""One correction, step by step: what is written when, and what of the answer is believed."""

import asyncio
from datetime import timedelta

import pytest

from controller.adapters.election.single import SingleNodeElection
from controller.adapters.stores.memory import MemoryStore
from controller.errors import ConnectionLocked, NotCreated, OutcomeUnknown, PlatformError, Rejected
from controller.model.connection import Connection, ConnectionChange, ConnectionStatus, PlatformScheduleKind
from controller.model.drift import Correction, CorrectionStatus, DriftField
from controller.model.event import EventName
from controller.model.identity import ConnectionRef
from controller.model.plan import CorrectConnection
from controller.model.profile import EMBEDDED
from controller.model.record import Reason
from controller.reconcile.correct import correct
from controller.reconcile.observed import ObservedPlatform
from controller.reconcile.restored import Restorers
from controller.reconcile.world import World
from controller.simulation.virtual_time import VirtualCadence
from tests.fakes.platform import FakePlatform
from tests.scenario.stage import START, Stage, play

REF = ConnectionRef("default", "c1")
ROW = Correction(REF, DriftField.SCHEDULE, START, "cron", "manual", 1, 1)
ACTION = CorrectConnection(REF, "orders", ConnectionChange(manual=True), Reason.DOUBLE_SCHEDULED, "", (ROW,))


def world_of(stage: Stage) -> World:
    """The ports that a correction uses, and the rest."""
    return World(
        clock=stage.clock,
        cadence=VirtualCadence(stage.loop),
        store=stage.store,
        election=SingleNodeElection(stage.store, stage.clock, "test"),
        spec_source=stage.specs,
        telemetry=stage.log,
        platforms={},
        restorers=Restorers(lambda _content: None),
        version="test",
        specs_label="memory",
    )


class Slow(FakePlatform):
    """Answers after a second; what the store says when the request arrives is kept."""

    def __init__(self, stage: Stage, store: MemoryStore, failure: PlatformError | None) -> None:
        super().__init__(stage.clock)
        self.stage, self.store, self.failure = stage, store, failure
        self.journaled: tuple[Correction, ...] = ()

    async def update_connection(self, connection_id: str, change: ConnectionChange) -> Connection:
        """As the port says, after a while."""
        self.journaled = await self.store.corrections(REF, START)
        await self.stage.clock.sleep(1)
        if self.failure is not None:
            raise self.failure
        return await super().update_connection(connection_id, change)


@pytest.mark.parametrize(
    ("failure", "status", "event"),
    [
        (None, CorrectionStatus.TAKEN, EventName.DRIFT_CORRECTED),
        (Rejected("HTTP 422"), CorrectionStatus.REFUSED, EventName.CORRECTION_FAILED),
        (ConnectionLocked("HTTP 409"), CorrectionStatus.REFUSED, EventName.CORRECTION_FAILED),
        (NotCreated("HTTP 429", timedelta(seconds=60)), CorrectionStatus.REFUSED, EventName.CORRECTION_FAILED),
        (OutcomeUnknown("no answer"), CorrectionStatus.SENT, EventName.CORRECTION_FAILED),
        (asyncio.CancelledError(), CorrectionStatus.SENT, EventName.CORRECTION_FAILED),
    ],
)
def test_a_correction_is_journaled_then_sent_then_answered(
    failure: PlatformError | None, status: CorrectionStatus, event: EventName
) -> None:
    """Its row stands before the request leaves; reads that began before the answer are known to be older."""

    async def scenario(stage: Stage) -> None:
        await stage.store.take("default", "test", START)
        platform = Slow(stage, stage.store, failure)
        platform.add_connection("c1", schedule_kind=PlatformScheduleKind.CRON)
        observed = ObservedPlatform("default", platform, EMBEDDED, None)
        observed.connection_read("c1", platform.settings("c1"), stage.clock.now())
        try:
            await correct(world_of(stage), observed, ACTION)
        except asyncio.CancelledError:
            assert isinstance(failure, asyncio.CancelledError)

        assert [(each.status, each.before) for each in platform.journaled] == [(CorrectionStatus.SENT, "cron")]
        assert [each.status for each in await stage.store.corrections(REF, START)] == [status]
        assert observed.written_at["c1"] == stage.clock.now()
        assert "c1" in observed.confirmed or failure is None
        shown = observed.connections["c1"][0]
        assert shown is not None
        assert (shown.schedule_kind is PlatformScheduleKind.MANUAL) is (failure is None)
        assert shown.status is ConnectionStatus.ACTIVE
        assert (observed.history.quiet_until is not None) is isinstance(failure, NotCreated)

    stage = play(scenario)
    assert [each.fields["after"] for each in stage.log.of(event)] == ["manual"]
