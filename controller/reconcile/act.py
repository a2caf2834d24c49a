"""Carry out a plan. Every choice was made in it; here only its steps happen, in the one safe order: claim, send, record."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from controller.errors import (
    Busy,
    NotCreated,
    NotJournaled,
    OutcomeUnknown,
    PlatformError,
    Rejected,
    SlotAlreadyClaimed,
    StoreUnavailable,
)
from controller.model.event import Event, EventName
from controller.model.job import Job, JobKind
from controller.model.plan import (
    AcceptSchedule,
    Action,
    CancelJob,
    ConnectionPlan,
    NoteDrift,
    Plan,
    RearmFreshness,
    RecordSlot,
    SettleClaim,
    SettleRequest,
)
from controller.model.record import Answer, CancelRequest, Claim, ClaimStatus, Outcome, Reason, SlotRecord
from controller.ports.store import Decisions
from controller.reconcile import say, say_requests
from controller.reconcile.observed import ObservedPlatform
from controller.reconcile.world import World

AFTER_FAILED_CANCEL = timedelta(seconds=2)
"""Pause before a cancel that could not be sent is judged again."""


_WRITTEN = AcceptSchedule | RecordSlot | SettleClaim | RearmFreshness | SettleRequest | NoteDrift
"""Actions that need no answer of a platform."""


async def write_decisions(world: World, plan: Plan) -> None:
    """Write all that needs no answer of a platform, and the events that tell it, in one transaction.

    A record that the store refuses (a job that belongs to another slot already) is a defect of one connection: then each
    connection is written by itself, and only that one is left out.

    Raises:
        StoreUnavailable: nothing was written; the next cycle decides again.
    """
    if not any(isinstance(action, _WRITTEN) for action in plan.actions):
        return
    events = say.about_decisions(plan.actions, plan.now)
    written = plan.connections
    try:
        await world.store.apply(_decisions(plan.actions), events=events)
    except SlotAlreadyClaimed:
        written = tuple([each for each in plan.connections if await _is_written_alone(world, each, plan.now)])
    else:
        say.publish(world, events)
    for settled in (action for each in written for action in each.actions if isinstance(action, SettleClaim)):
        await _tell_request(world, settled.claim)


def _decisions(actions: Sequence[Action]) -> Decisions:
    return Decisions(
        accepted=[action for action in actions if isinstance(action, AcceptSchedule)],
        records=[action.record for action in actions if isinstance(action, RecordSlot)],
        settled=[action for action in actions if isinstance(action, SettleClaim)],
        rearmed=[action for action in actions if isinstance(action, RearmFreshness)],
        requests=[action for action in actions if isinstance(action, SettleRequest)],
        drifts=[action.drift for action in actions if isinstance(action, NoteDrift)],
    )


async def _tell_request(world: World, claim: Claim) -> None:
    """What a request's claim came to, where that is final."""
    request = await world.store.request(claim.request) if claim.request else None
    if request is not None and request.status.is_final:
        await say.tell(world, [say_requests.about_kept(request, world.clock.now())])


async def _is_written_alone(world: World, decided: ConnectionPlan, now: datetime) -> bool:
    events = say.about_decisions(decided.actions, now)
    try:
        await world.store.apply(_decisions(decided.actions), events=events)
    except SlotAlreadyClaimed as error:
        ref = decided.ref
        fields = {"schedule": "", "platform": ref.platform, "connection_id": ref.connection_id, "message": str(error)}
        await say.tell(world, [Event(EventName.PLAN_REFUSED, now, fields)])
        return False
    say.publish(world, events)
    return True


async def trigger(world: World, platform: ObservedPlatform, claim: Claim) -> bool:
    """Claim the slot durably, then send one POST, then write what came of it; True if it is known to have started a job.

    A claim whose answer is not known when this ends stays open: it is in doubt, and observation settles it.

    Raises:
        SlotAlreadyClaimed: somebody claimed it before; nothing was sent.
        StoreUnavailable: the claim or the answer could not be written; a claim that was written stays open.
        asyncio.CancelledError: the controller stops; an unanswered POST was recorded as in doubt.
    """
    began = world.clock.boottime()
    claim = replace(claim, written_at=world.clock.now())
    await world.store.claim(claim)
    if timedelta(seconds=world.clock.boottime() - began) > platform.profile.send_within:
        message = "its claim took too long to write; nothing was sent"
        await _close(world, claim, ClaimStatus.NOT_SENT, Reason.AWAITING_TURN, message)
        return False
    if platform.has_active(claim.ref.connection_id):
        message = "a job was seen to be active while its claim was written; nothing was sent"
        await _close(world, claim, ClaimStatus.NOT_SENT, Reason.ACTIVE, message)
        return False
    try:
        job = await _post(platform, claim)
    except NotCreated as error:
        if error.retry_after is not None:
            platform.be_quiet(world.clock.now(), error.retry_after)
        await _close(world, claim, ClaimStatus.REFUSED, Reason.REFUSED, str(error))
    except Rejected as error:
        await _close(world, claim, ClaimStatus.REFUSED, Reason.REJECTED, str(error))
    except Busy as error:
        await _leave_open(world, claim, Answer.BUSY, str(error))
    except OutcomeUnknown as error:
        await _leave_open(world, claim, Answer.UNKNOWN, str(error))
    except asyncio.CancelledError:
        await _leave_open(world, claim, Answer.UNKNOWN, "the controller stopped before the answer came")
        raise
    else:
        return await _confirm(world, platform, claim, job)
    return False


async def _post(platform: ObservedPlatform, claim: Claim) -> Job:
    if claim.kind is JobKind.RESET:
        return await platform.platform.trigger_reset(claim.ref.connection_id)
    return await platform.platform.trigger_sync(claim.ref.connection_id)


async def _close(world: World, claim: Claim, status: ClaimStatus, reason: Reason, message: str) -> None:
    now = world.clock.now()
    record = SlotRecord(claim.key.slot, Outcome.HELD, now, claim.schedule, reason, message, revision=claim.revision)
    name = EventName.TRIGGER_NOT_SENT if status is ClaimStatus.NOT_SENT else EventName.TRIGGER_REFUSED
    events = [say.about_claim(name, claim, now, message, reason)]
    await world.store.close_claim(claim, status, now, record, events=events)
    say.publish(world, events)


async def _leave_open(world: World, claim: Claim, answer: Answer, message: str) -> None:
    now = world.clock.now()
    events = [say.about_claim(EventName.TRIGGER_IN_DOUBT, claim, now, message, Reason.IN_DOUBT)]
    await world.store.answered(claim, answer, now, events=events)
    say.publish(world, events)


async def _confirm(world: World, platform: ObservedPlatform, claim: Claim, job: Job) -> bool:
    """Attribute the job of a 2xx answer; an id that was known before, or is another slot's, proves nothing: busy, and False."""
    now = world.clock.now()
    is_shifted = claim.due_at is not None and claim.due_at != claim.key.slot.scheduled_at
    record = SlotRecord(
        claim.key.slot,
        Outcome.TRIGGERED,
        now,
        claim.schedule,
        message=f"its jitter put it off to {claim.due_at:%H:%M:%SZ}" if is_shifted else "",
        job_id=job.job_id,
        revision=claim.revision,
        wall=claim.wall,
    )
    delay = claim.written_at - (claim.due_at or claim.key.slot.scheduled_at)
    events = [say.about_trigger(claim, job.job_id, delay, now)] if claim.kind is JobKind.SYNC else []
    if job.status.is_terminal and not platform.remembers(job):
        # No look will ever show that it ends.
        events.append(say.about_job(claim.schedule, claim.ref, job, now))
    if job.job_id in claim.baseline or not await world.store.confirm(claim, job, record, events=events):
        await _leave_open(world, claim, Answer.BUSY, f"the answer names {job.job_id}, which is not a new job")
        return False
    platform.remember([job], now)
    say.publish(world, events)
    await _tell_request(world, claim)
    return True


async def cancel(world: World, platform: ObservedPlatform, action: CancelJob) -> bool:
    """Journal the cancel, read the job once more, then send one DELETE; False if none was sent.

    Some platforms cancel whatever the connection runs, whichever id is named, so a job that is over by now is left alone.

    Raises:
        NotJournaled: the request could not be written; nothing was sent.
    """
    now, is_sent = world.clock.now(), False
    try:
        fresh = (await platform.platform.get_jobs([action.job.job_id])).get(action.job.job_id)
        if fresh is not None:
            platform.remember([fresh], now)
        if fresh is None or not fresh.is_active or fresh.connection_id != action.ref.connection_id:
            await _give_up_cancel(world, action, now, "it is not active any more")
            return False
        await _journal(world, CancelRequest(action.ref, action.job.job_id, action.reason, now))
        is_sent = True
        await platform.platform.cancel_job(action.job.job_id)
    except PlatformError as error:
        await _give_up_cancel(world, action, now, str(error))
    else:
        await say.tell(world, [say.about_cancel(EventName.CANCEL_REQUESTED, action, now, action.message)])
    return is_sent


async def _journal(world: World, request: CancelRequest) -> None:
    try:
        await world.store.request_cancel(request)
    except StoreUnavailable as error:
        raise NotJournaled(str(error)) from error


async def _give_up_cancel(world: World, action: CancelJob, now: datetime, message: str) -> None:
    """Tell it, and keep the permit a little: the cancel is planned again at once, and a platform in trouble wants no more requests."""
    await say.tell(world, [say.about_cancel(EventName.CANCEL_FAILED, action, now, message)])
    await world.clock.sleep(AFTER_FAILED_CANCEL.total_seconds())
