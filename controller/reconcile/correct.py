"""Carry out a correction of a connection: journal it, send one PATCH, and take down what came of it."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from controller.errors import ConnectionLocked, NotCreated, NotJournaled, PlatformError, Rejected, StoreUnavailable
from controller.model.drift import Correction, CorrectionStatus
from controller.model.event import EventName
from controller.model.plan import CorrectConnection
from controller.reconcile import say
from controller.reconcile.observed import ObservedPlatform
from controller.reconcile.world import World


async def correct(world: World, platform: ObservedPlatform, action: CorrectConnection) -> None:
    """Journal the corrections, then send one PATCH; what it came to is believed only once it is read.

    Raises:
        NotJournaled: they could not be written, and nothing was sent.
        StoreUnavailable: the answer could not be written, and counts as unknown.
    """
    connection_id = action.ref.connection_id
    corrections = [replace(each, at=world.clock.now()) for each in action.corrections]
    try:
        await world.store.journal_corrections(corrections)
    except StoreUnavailable as error:
        raise NotJournaled(str(error)) from error
    try:
        connection = await platform.platform.update_connection(connection_id, action.change)
    except (NotCreated, Rejected, ConnectionLocked) as error:
        if isinstance(error, NotCreated) and error.retry_after is not None:
            platform.be_quiet(world.clock.now(), error.retry_after)
        await world.store.answer_corrections(corrections, CorrectionStatus.REFUSED)
        await _tell(world, EventName.CORRECTION_FAILED, action, corrections, str(error))
    except PlatformError as error:
        message = f"{error}; whether it was taken is read before anything else is asked"
        await _tell(world, EventName.CORRECTION_FAILED, action, corrections, message)
    except asyncio.CancelledError:
        message = "the controller stopped before the answer came"
        await _tell(world, EventName.CORRECTION_FAILED, action, corrections, message)
        raise
    else:
        platform.took(connection, world.clock.now())
        await world.store.answer_corrections(corrections, CorrectionStatus.TAKEN)
        await _tell(world, EventName.DRIFT_CORRECTED, action, corrections, action.message)
    finally:
        # A read that began before this instant may show what was before the change.
        platform.written_at[connection_id] = world.clock.now()


async def _tell(
    world: World, name: EventName, action: CorrectConnection, corrections: Sequence[Correction], message: str
) -> None:
    now = world.clock.now()
    await say.tell(world, [say.about_correction(name, action.schedule, each, now, message) for each in corrections])
