"""What every plan keeps, over random situations: totality, one decision per slot, never twice, and never stuck."""

from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import given as for_all
from hypothesis import settings

from controller.decide.case import WINDOW_STEP
from controller.decide.planner import make_plan
from controller.decide.slots import deadline, fires_at, next_slot
from controller.model.connection import PlatformScheduleKind
from controller.model.identity import SlotKey
from controller.model.job import Job, JobKind, JobStatus
from controller.model.plan import (
    AcceptSchedule,
    CancelJob,
    ConnectionPlan,
    CorrectConnection,
    RearmFreshness,
    RecordSlot,
    SettleClaim,
    TriggerSync,
)
from controller.model.record import CancelRequest, Reason
from controller.model.schedule import Drift, ForeignJobs
from tests.unit.decide.given import REF, Given, after, at, clock, decide
from tests.unit.decide.situations import calendar_now, is_waiting_for_an_answer, open_slots, situations

often = settings(max_examples=300, deadline=None, derandomize=True)
TURN = {Reason.AWAITING_TURN, Reason.TRIGGER_IN_FLIGHT, Reason.CANCEL_IN_FLIGHT}


def is_only_about_slots(plan: ConnectionPlan) -> bool:
    """Whether the plan judged slots: acceptance and the settling of a claim come alone, and wake the next plan at once."""
    return not any(isinstance(action, AcceptSchedule | SettleClaim | RearmFreshness) for action in plan.actions)


def triggered(plan: ConnectionPlan) -> set[SlotKey]:
    """Slots that it starts; a retry is no start."""
    starts = (action.claim.key for action in plan.actions if isinstance(action, TriggerSync))
    return {key.slot for key in starts if key.run == 0}


def finished(plan: ConnectionPlan) -> set[SlotKey]:
    """Slots that it gives their final outcome."""
    records = (action.record for action in plan.actions if isinstance(action, RecordSlot | SettleClaim))
    return {record.slot for record in records if record.outcome.is_final}


@often
@for_all(situations())
def test_a_plan_is_total_and_keeps_its_promises(given: Given) -> None:
    """No situation makes the planner raise, the same input gives the same plan, and `check_plan` finds nothing (`decide` asserts it)."""
    decide(given)


@often
@for_all(situations())
def test_every_due_slot_gets_exactly_one_decision(given: Given) -> None:
    """It is started, or it gets an outcome, or it is held with a reason; never two of them, never none."""
    plan = decide(given)
    if not is_only_about_slots(plan) or given.facts().standing.calendar_key is None:
        return
    held = [hold.scheduled_at for hold in plan.holds]
    due = open_slots(given)
    if is_waiting_for_an_answer(given):
        due = due[-1:]
    for slot in due:
        decisions = (slot in triggered(plan)) + (slot in finished(plan)) + held.count(slot.scheduled_at)
        assert decisions == 1, slot


@often
@for_all(situations())
def test_no_slot_is_decided_twice(given: Given) -> None:
    """Once a plan is written, no later plan starts what it started, or reopens what it finished."""
    plan = decide(given)
    stands, done = after(given.facts().standing, plan), triggered(plan) | finished(plan)
    for minutes in (0, 1, 20, 150):
        now = clock(at(given.now) + timedelta(minutes=minutes))
        again = decide(replace(given, now=now, standing=stands, listing=now, covers="", in_flight=False))
        assert not triggered(again) & done
        assert not finished(again) & done


def written(given: Given, plan: ConnectionPlan) -> Given:
    """The same instant once the plan is written and acted on, on a platform that does what it is asked."""
    known = replace(given, standing=after(given.facts().standing, plan))
    for action in plan.actions:
        stands = known.facts().standing
        match action:
            case TriggerSync(made):
                key = made.key
                started = Job(
                    f"{key.slot}#{key.run}", REF.connection_id, JobKind.SYNC, JobStatus.RUNNING, at(given.now)
                )
                owned = {**stands.attributed, started.job_id: key}
                known = replace(known, jobs=(*known.jobs, started), standing=replace(stands, attributed=owned))
            case CancelJob(_, _, ended, reason):
                requests = stands.cancel.requests + 1 if stands.cancel and stands.cancel.job_id == ended.job_id else 1
                asked = CancelRequest(REF, ended.job_id, reason, at(given.now), requests)
                known = replace(known, standing=replace(stands, cancel=asked))
            case CorrectConnection(change=change) if known.connection is not None:
                set_now = replace(known.connection, status=change.status or known.connection.status)
                if change.manual:
                    set_now = replace(set_now, schedule_kind=PlatformScheduleKind.MANUAL)
                known = replace(known, connection=set_now, confirmed=False, written=given.now)
            case _:
                pass
    return known


@often
@for_all(situations())
def test_an_instant_is_soon_done_with(given: Given) -> None:
    """Planning again and again at one instant comes to an end: each plan changes something, and soon there is nothing left to do."""
    seen: list[ConnectionPlan] = []
    for _ in range(8):
        plan = decide(given)
        if not plan.actions:
            return
        assert plan.actions not in [each.actions for each in seen]
        seen.append(plan)
        given = written(given, plan)
    raise AssertionError("never done")


@often
@for_all(situations())
def test_no_run_is_started_twice(given: Given) -> None:
    """Once the job of a run is listed, no later plan starts that run again, whatever became of the job."""
    plan = decide(given)
    keys = {action.claim.key for action in plan.actions if isinstance(action, TriggerSync)}
    if not keys:
        return
    then = written(given, plan)
    for status in (JobStatus.RUNNING, JobStatus.FAILED, JobStatus.SUCCEEDED):
        jobs = tuple(replace(each, status=status) if "#" in each.job_id else each for each in then.jobs)
        for minutes in (1, 7, 40):
            now = clock(at(given.now) + timedelta(minutes=minutes))
            again = decide(replace(then, now=now, jobs=jobs, listing=now, covers="", in_flight=False))
            assert not keys & {action.claim.key for action in again.actions if isinstance(action, TriggerSync)}


@often
@for_all(situations())
def test_with_nothing_to_do_it_sleeps_until_the_next_slot(given: Given) -> None:
    """An idle schedule costs nothing until its next slot."""
    stands, plan, wanted = given.facts().standing, decide(given), given.spec
    calendar = calendar_now(given)
    if stands.claim is not None or open_slots(given) or not is_only_about_slots(plan) or calendar is None:
        return
    following = next_slot(calendar, at(given.now))
    assert plan.wake_at is not None or following is None
    if following is not None and plan.wake_at is not None:
        assert at(given.now) < plan.wake_at <= fires_at(wanted, calendar, REF, following)
    is_plain = wanted is None or not (
        wanted.max_duration
        or wanted.stalled_after
        or wanted.retry
        or wanted.suspend
        or wanted.freezes
        or wanted.windows
        or {wanted.drift_schedule, wanted.drift_status} != {Drift.IGNORE}
    )
    if is_plain and (wanted is None or wanted.foreign_jobs is not ForeignJobs.CANCEL) and given.success_known:
        assert not plan.needs
        assert not plan.actions


@often
@for_all(situations())
def test_a_plan_is_never_stuck(given: Given) -> None:
    """What is not final yet is waited for: until an instant not after its window, for a listing, for a turn, or for an answer."""
    plan, stands = decide(given), given.facts().standing
    if not is_only_about_slots(plan) or stands.calendar_key is None:
        return
    is_awaited = bool(plan.needs) or any(hold.reason in TURN for hold in plan.holds)
    calendar = calendar_now(given)
    for slot in set(open_slots(given)) - triggered(plan) - finished(plan):
        ends = deadline(given.spec, calendar, REF, slot.scheduled_at)
        assert is_awaited or (plan.wake_at is not None and plan.wake_at <= max(ends + WINDOW_STEP, at(given.now)))
    if stands.claim is not None:
        assert is_awaited


@settings(max_examples=80, deadline=None, derandomize=True)
@for_all(situations())
def test_in_a_calm_world_every_slot_is_final_when_its_window_is_over(given: Given) -> None:
    """From any situation on, with a platform that answers: no slot stays open, and no instant is judged again and again."""
    calm = replace(
        given, in_flight=False, permits=2, quiet_until="", trouble="", jobs=(), listing="none", obstacle=None, moved=""
    )
    now, until, rounds = at(given.now), at(given.now) + timedelta(hours=3), 0
    instants: dict[datetime, int] = {}
    while now < until and rounds < 1000:
        rounds += 1
        instants[now] = instants.get(now, 0) + 1
        assert instants[now] < 8, "the same instant again and again"
        plan = decide(replace(calm, now=clock(now)))
        calm = written(replace(calm, now=clock(now)), plan)
        calm = replace(calm, jobs=())
        if plan.needs:
            begun = max(now, min(need.begun_after for need in plan.needs))
            calm = replace(calm, listing=clock(begun), covers=clock(begun - timedelta(hours=24, minutes=10)))
            calm = replace(calm, connection_read=clock(begun), confirmed=True, success_known=True)
            now = begun
        elif plan.wake_at is None:
            break
        else:
            now = plan.wake_at
    calendar = calendar_now(calm)
    late = [
        slot
        for slot in open_slots(calm)
        if deadline(calm.spec, calendar, REF, slot.scheduled_at) + timedelta(minutes=5) < at(calm.now)
    ]
    assert not late
    assert make_plan(calm.known()) == make_plan(calm.known())
