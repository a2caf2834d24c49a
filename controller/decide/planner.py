"""``make_plan``: everything that a cycle decides, as one pure function."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from controller.decide.acceptance import judge_acceptance
from controller.decide.backlog import backlog, observed
from controller.decide.case import WINDOW_STEP, Case, Finish, Start, Verdict, Wait
from controller.decide.limits import judge_limits
from controller.decide.parts import NOTHING, Part, assemble
from controller.decide.recovery import judge_claim
from controller.decide.rules import (
    claim_open,
    counted,
    expired,
    inactive,
    obstructed,
    overlapping,
    refused_before,
    suspended,
    suspension_text,
    too_soon,
    under_way,
    unseen,
)
from controller.decide.sight import is_under_way
from controller.decide.slots import calendar_of, next_slot
from controller.model.identity import ClaimKey
from controller.model.plan import (
    Action,
    CancelJob,
    ConnectionFacts,
    ConnectionPlan,
    Hold,
    Plan,
    PlanningInput,
    PlatformFacts,
    RecordSlot,
    TriggerSync,
)
from controller.model.record import STOOD_AGAINST, Claim, Outcome, Reason, SlotRecord
from controller.model.schedule import CatchUpPolicy, Mode

RULES: tuple[Callable[[Case], Finish | Wait | None], ...] = (
    under_way,  # its claim may be on its way to the store
    obstructed,  # held as a whole: two files claim it, or it asks for what is not supported yet
    suspended,  # the spec says no
    claim_open,  # an earlier slot's trigger is in doubt
    counted,  # somebody else's job counts for it
    expired,  # its window has ended
    refused_before,  # the platform said no; back off
    inactive,  # the platform would say no
    unseen,  # nothing starts on an old view
    overlapping,  # a job is active
    too_soon,  # minGap
)
"""The order of the rules. The first that has something to say decides; a slot that passes them all is started."""


DEFECT_PAUSE = timedelta(minutes=1)
"""How long a connection on which the planner failed is left alone before it is tried again."""


def make_plan(known: PlanningInput) -> Plan:
    """Decide for every connection of the working set; total and free of chance."""
    plans = [_plan_alone(facts, known) for facts in known.connections]
    return Plan(known.now, tuple(_allot(plans, known)))


def _plan_alone(facts: ConnectionFacts, known: PlanningInput) -> ConnectionPlan:
    """One poisoned connection must never stop the others (as it did in CVE-2022-39272): a defect stays with it, and is told."""
    try:
        return _plan_connection(facts, known)
    except Exception as error:  # noqa: BLE001  whatever it is, it is this connection's alone
        return ConnectionPlan(facts.ref, wake_at=known.now + DEFECT_PAUSE, defect=f"{type(error).__name__}: {error}")


def _plan_connection(facts: ConnectionFacts, known: PlanningInput) -> ConnectionPlan:
    platform = known.platforms.get(facts.ref.platform)
    if platform is None:
        name = facts.spec.name if facts.spec is not None else facts.standing.schedule
        message = f"the settings know no platform called {facts.ref.platform}"
        return ConnectionPlan(facts.ref, holds=(Hold(facts.ref, name, Reason.UNKNOWN_PLATFORM, message),))
    acceptance = judge_acceptance(facts, known.revision, known.now)
    if acceptance is not NOTHING:
        return assemble(facts.ref, (acceptance,))
    settled = judge_claim(facts, platform, known.now)
    if settled.actions:
        return assemble(facts.ref, (settled,))
    return assemble(
        facts.ref, (settled, judge_limits(facts, platform, known.now), *_judge_slots(facts, platform, known))
    )


def _judge_slots(facts: ConnectionFacts, platform: PlatformFacts, known: PlanningInput) -> Iterable[Part]:
    """Settle older due slots, judge the newest, and say when the next one comes."""
    key = facts.standing.calendar_key
    calendar = calendar_of(key) if key is not None else None
    yield _standing_obstacle(facts)
    if key is None or facts.standing.watermark is None:
        return
    if calendar is not None and (following := next_slot(calendar, known.now)) is not None:
        yield Part(wake_at=following)
    if _only_observes(facts):
        yield from observed(facts, platform, calendar, known)
        return
    older, newest = backlog(facts, platform, calendar, known)
    yield older
    if newest is not None:
        yield _as_part(newest, judge(newest), known.revision)


def _only_observes(facts: ConnectionFacts) -> bool:
    """Whether slots are observed: ``mode: Observe``, and nothing stands against the whole schedule (the rules know what that means)."""
    spec = facts.spec
    if spec is None or spec.mode is not Mode.OBSERVE or facts.obstacle is not None or is_under_way(facts):
        return False
    return not spec.unsupported and spec.suspend is None


def _standing_obstacle(facts: ConnectionFacts) -> Part:
    """A schedule that is held or suspended says so also while nothing is due."""
    spec = facts.spec
    if facts.obstacle is not None:
        hold = Hold(facts.ref, facts.standing.schedule, facts.obstacle, "two files claim it; none of them is in force")
    elif spec is not None and spec.unsupported:
        hold = Hold(facts.ref, spec.name, Reason.NOT_YET_SUPPORTED, f"not supported yet: {', '.join(spec.unsupported)}")
    elif spec is not None and spec.suspend is not None:
        hold = Hold(facts.ref, spec.name, Reason.SUSPENDED, suspension_text(spec.suspend))
    else:
        return NOTHING
    return Part(holds=(hold,))


def judge(case: Case) -> Verdict:
    """Ask the rules in order."""
    for rule in RULES:
        verdict = rule(case)
        if verdict is not None:
            return verdict
    return Start()


def _as_part(case: Case, verdict: Verdict, revision: str) -> Part:
    name = case.spec.name if case.spec is not None else case.facts.standing.schedule
    match verdict:
        case Finish(outcome, reason, message, job_id):
            record = SlotRecord(case.slot, outcome, case.now, name, reason, message, job_id, revision=revision)
            return Part(actions=(RecordSlot(record),))
        case Wait(reason, message, until, need):
            hold = Hold(case.slot.ref, name, reason, message, case.due_at)
            record = SlotRecord(case.slot, Outcome.HELD, case.now, name, reason, message, revision=revision)
            return Part(
                actions=(RecordSlot(record),) if _worth_a_record(case, reason) else (),
                holds=(hold,),
                wake_at=_after(case, until),
                needs=() if need is None else (need,),
            )
        case Start():
            key = ClaimKey(case.slot, 0)
            baseline = frozenset(job.job_id for job in case.facts.jobs)
            claim = Claim(key, case.setbacks.attempts + 1, case.now, baseline, name, revision)
            return Part(actions=(TriggerSync(claim),))


def _after(case: Case, until: datetime | None) -> datetime | None:
    """When to judge a waiting slot again: at ``until``, or just after its window's end if that is what it waits for."""
    if until is None or until >= case.until:
        return case.until + WINDOW_STEP if case.now <= case.until else None
    return until if until > case.now else None


def _worth_a_record(case: Case, reason: Reason) -> bool:
    """Whether it must be remembered that the slot waits: what stood against it, or that it was seen in time under ``None``."""
    if case.pending is not None and case.pending.reason in (reason, Reason.OBSERVE):
        return False
    strict = case.spec is not None and case.spec.catch_up.policy is CatchUpPolicy.NONE and case.pending is None
    return strict or reason in STOOD_AGAINST


def _allot(plans: list[ConnectionPlan], known: PlanningInput) -> Iterable[ConnectionPlan]:
    """Give out each platform's write permits: cancels first, because they free something, then the slots that were due first."""
    left = {name: facts.write_permits for name, facts in known.platforms.items()}
    granted: set[int] = set()
    for index in sorted((i for i, plan in enumerate(plans) if _writes(plan)), key=lambda i: _urgency(plans[i])):
        name = plans[index].ref.platform
        if left.get(name, 0) > 0:
            left[name] -= 1
            granted.add(index)
    for index, plan in enumerate(plans):
        yield plan if index in granted or not _writes(plan) else _make_wait(plan, known.connections[index])


def _writes(plan: ConnectionPlan) -> bool:
    return any(isinstance(action, TriggerSync | CancelJob) for action in plan.actions)


def _urgency(plan: ConnectionPlan) -> tuple[bool, str, str]:
    cancels = any(isinstance(action, CancelJob) for action in plan.actions)
    due = min((str(a.claim.key.slot.scheduled_at) for a in plan.actions if isinstance(a, TriggerSync)), default="")
    return (not cancels, due, plan.ref.connection_id)


def _make_wait(plan: ConnectionPlan, facts: ConnectionFacts) -> ConnectionPlan:
    """Without a permit a write becomes a hold; the loop asks again as soon as a permit is free."""
    kept, holds = list[Action](), list(plan.holds)
    reason, message = Reason.AWAITING_TURN, "all write permits are in use"
    strict = facts.spec is not None and facts.spec.catch_up.policy is CatchUpPolicy.NONE
    for action in plan.actions:
        if isinstance(action, TriggerSync):
            claim, slot = action.claim, action.claim.key.slot
            holds.append(Hold(plan.ref, claim.schedule, reason, message, slot.scheduled_at))
            if strict and all(record.slot != slot for record in facts.standing.pending):
                seen = SlotRecord(
                    slot, Outcome.HELD, claim.written_at, claim.schedule, reason, message, revision=claim.revision
                )
                kept.append(RecordSlot(seen))
        elif isinstance(action, CancelJob):
            holds.append(Hold(plan.ref, action.schedule, reason, message))
        else:
            kept.append(action)
    return replace(plan, actions=tuple(kept), holds=tuple(holds))
