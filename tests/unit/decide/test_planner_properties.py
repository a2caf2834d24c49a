"""What every plan keeps, over random situations: totality, one decision per slot, never twice, and never stuck."""

from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import given as for_all
from hypothesis import settings

from controller.decide.case import WINDOW_STEP
from controller.decide.planner import make_plan
from controller.decide.slots import calendar_of, deadline, next_slot
from controller.model.identity import SlotKey
from controller.model.plan import AcceptSchedule, ConnectionPlan, RecordSlot, SettleClaim, TriggerSync
from controller.model.record import Reason
from tests.unit.decide.given import Given, after, at, clock, decide
from tests.unit.decide.situations import is_waiting_for_an_answer, open_slots, situations

often = settings(max_examples=300, deadline=None, derandomize=True)
TURN = {Reason.AWAITING_TURN, Reason.TRIGGER_IN_FLIGHT, Reason.CANCEL_IN_FLIGHT}


def is_only_about_slots(plan: ConnectionPlan) -> bool:
    """Whether the plan judged slots: acceptance and the settling of a claim come alone, and wake the next plan at once."""
    return not any(isinstance(action, AcceptSchedule | SettleClaim) for action in plan.actions)


def triggered(plan: ConnectionPlan) -> set[SlotKey]:
    """Slots that it starts."""
    return {action.claim.key.slot for action in plan.actions if isinstance(action, TriggerSync)}


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


@often
@for_all(situations())
def test_with_nothing_to_do_it_sleeps_until_the_next_slot(given: Given) -> None:
    """An idle schedule costs nothing until its next slot."""
    stands, plan = given.facts().standing, decide(given)
    is_idle = stands.claim is None and not open_slots(given) and is_only_about_slots(plan)
    if not is_idle or stands.calendar_key is None or (given.spec is not None and given.spec.max_duration is not None):
        return
    calendar = calendar_of(stands.calendar_key)
    assert calendar is not None
    assert plan.wake_at == next_slot(calendar, at(given.now))
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
    calendar = calendar_of(stands.calendar_key)
    for slot in set(open_slots(given)) - triggered(plan) - finished(plan):
        ends = deadline(given.spec, calendar, slot.scheduled_at)
        assert is_awaited or (plan.wake_at is not None and plan.wake_at <= max(ends + WINDOW_STEP, at(given.now)))
    if stands.claim is not None:
        assert is_awaited


@settings(max_examples=80, deadline=None, derandomize=True)
@for_all(situations())
def test_in_a_calm_world_every_slot_is_final_when_its_window_is_over(given: Given) -> None:
    """From any situation on, with a platform that answers: no slot stays open, and no instant is judged again and again."""
    calm = replace(
        given, in_flight=False, permits=2, quiet_until="", trouble="", jobs=(), listing="none", obstacle=None
    )
    now, until, rounds = at(given.now), at(given.now) + timedelta(hours=3), 0
    instants: dict[datetime, int] = {}
    while now < until and rounds < 1000:
        rounds += 1
        instants[now] = instants.get(now, 0) + 1
        assert instants[now] < 8, "the same instant again and again"
        plan = decide(replace(calm, now=clock(now)))
        calm = replace(calm, standing=after(calm.facts().standing, plan), now=clock(now))
        if plan.needs:
            begun = max(now, min(need.begun_after for need in plan.needs))
            calm = replace(calm, listing=clock(begun), covers=clock(begun - timedelta(hours=24, minutes=10)))
            calm = replace(calm, connection_read=clock(begun))
            now = begun
        elif plan.wake_at is None:
            break
        else:
            now = plan.wake_at
    calendar = calendar_of(calm.facts().standing.calendar_key or "[]")
    late = [
        slot
        for slot in open_slots(calm)
        if deadline(calm.spec, calendar, slot.scheduled_at) + timedelta(minutes=5) < at(calm.now)
    ]
    assert not late
    assert make_plan(calm.known()) == make_plan(calm.known())
