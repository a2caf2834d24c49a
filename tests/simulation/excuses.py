"""Whether a start was allowed, and whether what was not started had a reason: plain rules over the year as it went."""

from collections.abc import Iterable

from controller.model.record import Outcome, Reason, SlotRecord
from controller.model.schedule import CatchUpPolicy, Overlap, ScheduleSpec
from tests.simulation.life import PlatformJob
from tests.simulation.world import World, end_of, touches

PUNCTUAL = 10
"""Under ``catchUp: None`` a slot is not caught up if nobody looked within this many seconds."""

JUST_AFTER = 0.001
"""A deadline is still in time; what comes this much later is not."""


def against_start(world: World, number: int, job: PlatformJob) -> Iterable[str]:
    """What stood against the start of a job, the connection's nth."""
    at, started = int(job.key.slot.scheduled_at.timestamp()), job.created_at.timestamp()
    spec, name = world.spec_at(started), f"run {job.key.run} of {job.key.slot} began at {job.created_at}"
    expected = world.expected
    fires, superseded = expected.fires(spec, at, started), expected.superseded_at(spec, at, started)
    if started < fires:
        yield f"{name}, before it fires"
    if started > expected.deadline(spec, at, started):
        yield f"{name}, after its deadline"
    if superseded is not None and started >= superseded:
        yield f"{name}, when a newer slot was due"
    if _is_suspended(spec, fires) or _is_suspended(spec, started):
        yield f"{name}, while suspended"
    if end_of(expected.closed(spec), started) is not None:
        yield f"{name}, while no window was open"
    if world.last_ends[number] > started:
        yield f"{name}, while another job was active"
    if world.gap_end(spec, started) > started:
        yield f"{name}, before minGap was over"
    if end_of(world.off, started) is not None:
        yield f"{name}, when there was no controller"
    if any(begin < started < end for begin, end in world.doubts):
        yield f"{name}, while another trigger was in doubt"
    if job.key.run == 0:
        yield from _against_late_start(world, spec, (fires, started), name)


def _against_late_start(world: World, spec: ScheduleSpec, when: tuple[int, float], name: str) -> Iterable[str]:
    """A slot starts at the first instant at which nothing stands against it."""
    fires, started = when
    free_at = world.was_free(spec, max(fires, world.last_edit(started)), started)
    if free_at is not None:
        yield f"{name}, and could have begun at {free_at}"
    if spec.catch_up.policy is CatchUpPolicy.NONE and world.was_off_at(fires, fires + PUNCTUAL):
        yield f"{name}, made up for although catchUp is None"


def _is_suspended(spec: ScheduleSpec, at: float) -> bool:
    suspend = spec.suspend
    return suspend is not None and (suspend.until is None or at < suspend.until.timestamp())


def unexcused(world: World, record: SlotRecord, at: int) -> Iterable[str]:
    """What is wrong with the reason of a slot that was not started."""
    decided = record.decided_at.timestamp()
    spec, expected = world.spec_at(decided), world.expected
    name = f"{record.word} for the slot of {record.slot.ref} at {at}, decided at {record.decided_at}"
    if record.outcome is Outcome.TRIGGERED:
        return
    if record.outcome is Outcome.COUNTED:
        if not expected.is_fresh_only(at) or not any(at <= done <= decided for done in expected.successes):
            yield f"{name}: no success made it needless"
        return
    fires = expected.fires(spec, at, decided)
    if decided < fires:
        yield f"{name}: it was not due yet"
    if (record.reason is Reason.SUSPENDED) != _is_suspended(spec, fires):
        yield f"{name}: {'it was not' if record.reason is Reason.SUSPENDED else 'but it was'} suspended"
    if record.reason is Reason.SUSPENDED or _is_skipped_at_once(world, record, at):
        return
    superseded = expected.superseded_at(spec, at, decided)
    ends = min(decided, expected.deadline(spec, at, decided) + JUST_AFTER)
    ends = ends if superseded is None else min(ends, superseded)
    if not _has_stood(world, record, fires, ends):
        yield f"{name}: nothing of the kind stood against it"
    if record.outcome is Outcome.MISSED and record.through is None and _was_shut(world, spec, at, decided):
        yield f"{name}: its windows were closed all the time"
    strict = spec.catch_up.policy is CatchUpPolicy.NONE
    if record.outcome is Outcome.MISSED and strict and world.was_off_at(fires, fires + PUNCTUAL):
        return
    free_at = world.was_free(spec, max(fires, world.last_edit(decided)), ends)
    if free_at is not None:
        yield f"{name}: it could have begun at {free_at}"


def _is_skipped_at_once(world: World, record: SlotRecord, at: int) -> bool:
    decided = record.decided_at.timestamp()
    is_skip = world.spec_at(decided).overlap is Overlap.SKIP and not world.expected.is_fresh_only(at)
    return record.reason is Reason.ACTIVE and is_skip and end_of(world.active, decided) is not None


def _was_shut(world: World, spec: ScheduleSpec, at: int, decided: float) -> bool:
    """Whether the windows were closed as long as a slot was open; under ``catchUp: None`` it may have ended before that was seen."""
    expected = world.expected
    superseded = expected.superseded_at(spec, at, decided)
    shut = end_of(expected.closed(spec), expected.fires(spec, at, decided))
    if shut is None or spec.catch_up.policy is CatchUpPolicy.NONE:
        return False
    return shut > expected.deadline(spec, at, decided) or (superseded is not None and shut >= superseded)


def _has_stood(world: World, record: SlotRecord, since: float, until: float) -> bool:
    """Whether what the record names stood against the slot at some time while it was open."""
    specs = world.specs_between(since, record.decided_at.timestamp())
    match record.reason:
        case Reason.ACTIVE:
            return touches(world.seen_active, since, until)
        case Reason.MIN_GAP:
            return any(touches(world.gaps(spec, since, until), since, until) for spec in specs)
        case Reason.WINDOW_CLOSED:
            return touches(world.expected.closed(specs[-1]), since, until)
        case Reason.IN_DOUBT:
            return touches(world.doubts, since, until)
        case Reason.SUPERSEDED | Reason.DEADLINE:
            return touches(world.off, since, until) or touches(world.doubts, since, until)
        case _:
            return False
