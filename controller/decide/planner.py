"""``make_plan``: everything that a cycle decides, as one pure function."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from controller.decide.acceptance import judge_acceptance, settle_edited_away
from controller.decide.against import closed, forbidden, held_as_a_whole, paused
from controller.decide.backlog import backlog, observed
from controller.decide.blast_radius import Radius
from controller.decide.cancels import judge_cancels, watches_running
from controller.decide.case import START, WINDOW_STEP, Case, Finish, Start, Verdict, Wait, Wish
from controller.decide.clock_rule import judge_clock
from controller.decide.drift import drives_beside, is_at_rest, judge_drift
from controller.decide.freshness import judge_freshness, judge_rearming, success_need
from controller.decide.parts import NOTHING, Part, assemble
from controller.decide.recovery import judge_claim
from controller.decide.requests import judge_requests
from controller.decide.retry import next_run
from controller.decide.rules import (
    claim_open,
    counted,
    decided_before,
    double_scheduled,
    expired,
    halted,
    inactive,
    inactivity,
    obstructed,
    overlapping,
    refused_before,
    too_soon,
    under_way,
    unseen,
    window_closed,
)
from controller.decide.sight import is_under_way, listing_for
from controller.decide.slots import calendar_in_force, earliest, fires_at, next_slot
from controller.model.identity import ClaimKey, SlotKey
from controller.model.plan import (
    Action,
    CancelJob,
    ConnectionFacts,
    ConnectionPlan,
    CorrectConnection,
    Hold,
    ListingNeed,
    NeedKind,
    Plan,
    PlanningInput,
    PlatformFacts,
    RecordSlot,
    TriggerSync,
    Write,
)
from controller.model.record import STOOD_AGAINST, Claim, Outcome, Reason, SlotRecord
from controller.model.schedule import CatchUpPolicy, Mode

Rule = Callable[[Case], Finish | Wait | None]

RULES: tuple[Rule, ...] = (
    under_way,  # its claim may be on its way to the store
    obstructed,  # held as a whole: files or policies contradict each other
    halted,  # suspended, frozen by a policy, or stalled after too many failures
    claim_open,  # an earlier slot's trigger is in doubt
    decided_before,  # its local time was decided before the zone data changed
    counted,  # somebody else's job counts for it
    expired,  # its window has ended
    refused_before,  # the platform said no; back off
    inactive,  # the platform would say no
    double_scheduled,  # the platform drives it as well
    window_closed,  # no window lets anything start now
    unseen,  # nothing starts on an old view
    overlapping,  # a job is active: skip, queue or replace
    too_soon,  # minGap
)
"""The order of the rules. The first that has something to say decides; a slot that passes them all is started."""

RETRY_RULES = tuple(rule for rule in RULES if rule not in (decided_before, counted))
"""The same for a further run of a slot whose job failed: its outcome stands, so nothing can count for it any more."""

REQUEST_RULES = tuple(rule for rule in RULES if rule not in (halted, decided_before, counted, expired))
"""The same for what somebody asks for: it has no window of its own, nothing counts for it, and what halts it now is looked at first."""

CLOCK_TOLERATED = timedelta(seconds=30)
"""A clock that is further behind what was decided already was set back: nothing is judged until it has caught up."""


STARTS_NOTHING = datetime.min.replace(tzinfo=UTC)
"""A write that is no start goes before all slots that are due."""

DEFECT_PAUSE = timedelta(minutes=1)
"""How long a connection on which the planner failed is left alone before it is tried again."""


def make_plan(known: PlanningInput) -> Plan:
    """Decide for every connection of the working set; total and free of chance."""
    plans = [_plan_alone(facts, known) for facts in known.connections]
    return Plan(known.now, _allot(plans, known))


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
    if (in_doubt := judge_clock(facts, known)) is not None:
        return in_doubt
    acceptance = judge_acceptance(facts, platform, known.revision, known.now)
    if acceptance is not NOTHING:
        return assemble(facts.ref, (acceptance,))
    settled = judge_claim(facts, platform, known.now)
    if settled.actions:
        return assemble(facts.ref, (settled,))
    edited_away = settle_edited_away(facts, platform, known.revision, known.now)
    if edited_away.actions:
        return assemble(facts.ref, (edited_away,))
    rearmed = judge_rearming(facts, platform, known.now, known.revision)
    if rearmed.actions:
        return assemble(facts.ref, (rearmed,))
    answered = judge_requests(facts, platform, known, lambda case: judge(case, REQUEST_RULES))
    slots, wish = _judge_slots(facts, platform, known)
    if answered.starts:
        # One of them starts now, or as soon as it gets a permit; the slot meets the job that it makes.
        slots = [replace(part, actions=_without_triggers(part, facts)) for part in slots]
    freshness, alert = judge_freshness(facts, platform, known.now)
    cancels = judge_cancels(facts, platform, known.now, answered.wish or wish)
    parts = (settled, answered.part, cancels, success_need(facts), alert, *slots)
    plan = assemble(facts.ref, parts)
    drift = judge_drift(facts, platform, known.now, is_writing=bool(plan.actions) and _writes(plan))
    if drift is not NOTHING:
        plan = assemble(facts.ref, (*parts, drift))
    return plan if freshness is None else replace(plan, freshness=freshness)


def _without_triggers(part: Part, facts: ConnectionFacts) -> tuple[Action, ...]:
    kept = list[Action]()
    for action in part.actions:
        if isinstance(action, TriggerSync):
            kept += _seen(action.claim, facts, Reason.AWAITING_TURN, "a request about its connection goes first")
        else:
            kept.append(action)
    return tuple(kept)


def _seen(claim: Claim, facts: ConnectionFacts, reason: Reason, message: str) -> list[RecordSlot]:
    """What remembers that the slot of a start that must wait was seen in time, where only that lets it start later."""
    slot, spec = claim.key.slot, facts.spec
    is_start = claim.key.run == 0 and not claim.request
    if spec is None or spec.catch_up.policy is not CatchUpPolicy.NONE or not is_start:
        return []
    if any(record.slot == slot for record in facts.standing.pending):
        return []
    seen = SlotRecord(slot, Outcome.HELD, claim.written_at, claim.schedule, reason, message)
    return [RecordSlot(replace(seen, revision=claim.revision, wall=claim.wall))]


def _judge_slots(
    facts: ConnectionFacts, platform: PlatformFacts, known: PlanningInput
) -> tuple[list[Part], Wish | None]:
    """Settle older due slots, judge the newest or the next run of the last one, and say when the next one comes."""
    standing, now = facts.standing, known.now
    obstacle = _standing_obstacle(facts, now)
    parts = list[Part]() if obstacle is NOTHING else [obstacle]
    if standing.calendar_key is None or standing.watermark is None:
        return parts, None
    if now < standing.watermark - CLOCK_TOLERATED:
        name = facts.spec.name if facts.spec is not None else standing.schedule
        message = (
            f"slots are decided up to {standing.watermark:%Y-%m-%d %H:%M:%SZ}, and the clock shows {now:%H:%M:%SZ}"
        )
        hold = Hold(facts.ref, name, Reason.CLOCK_BEHIND, message)
        return [*parts, Part(holds=(hold,), wake_at=standing.watermark)], None
    calendar = calendar_in_force(standing, platform.profile, success_known=facts.success_known)
    if calendar is not None and (following := next_slot(calendar, now)) is not None:
        fires = fires_at(facts.spec, calendar, facts.ref, following)
        parts.append(Part(wake_at=fires, foreseen=_foreseen(facts, following, fires)))
    if _only_observes(facts, now):
        return [*parts, *observed(facts, platform, calendar, known)], None
    found = backlog(facts, platform, calendar, known)
    if found.settled is not NOTHING:
        parts.append(found.settled)
    if found.wake_at is not None:
        parts.append(Part(wake_at=found.wake_at))
    case, rules = found.newest, RULES
    if case is None:
        waiting, case = next_run(facts, platform, calendar, now)
        parts, rules = [*parts, waiting], RETRY_RULES
    if case is None:
        return parts, None
    verdict = judge(case, rules)
    wish = verdict.wish if isinstance(verdict, Wait) else None
    return [*parts, _as_part(case, verdict, known.revision)], wish


def _foreseen(facts: ConnectionFacts, scheduled_at: datetime, fires: datetime) -> ListingNeed | None:
    """What a slot will wait to see when it is due (`unseen`), where nothing that is known now stands against it before that."""
    spec = facts.spec
    if spec is None or spec.mode is Mode.OBSERVE or facts.in_flight or facts.standing.claim is not None:
        return None
    if held_as_a_whole(facts) or forbidden(facts, fires) or inactivity(facts) or closed(spec, fires):
        return None
    if drives_beside(facts, fires) is not None:
        return None
    return listing_for(NeedKind.DUE, fires, SlotKey(facts.ref, scheduled_at))


def _is_alone(case: Case) -> bool:
    """Whether nothing of the connection but the slot itself has to do with its start: no request, limit, drift or doubt waits for it."""
    facts, spec = case.facts, case.spec
    if spec is None or facts.standing.requests or facts.standing.phantoms:
        return False
    return not watches_running(spec) and is_at_rest(facts)


def _only_observes(facts: ConnectionFacts, now: datetime) -> bool:
    """Whether slots are observed: ``mode: Observe``, and nothing stands against the whole schedule (the rules know what that means)."""
    spec = facts.spec
    if spec is None or spec.mode is not Mode.OBSERVE or is_under_way(facts):
        return False
    return held_as_a_whole(facts) is None and paused(spec, now) is None


def _standing_obstacle(facts: ConnectionFacts, now: datetime) -> Part:
    """A schedule that is held, suspended, frozen or stalled says so also while nothing is due, and is looked at when that ends."""
    against, spec = held_as_a_whole(facts) or forbidden(facts, now), facts.spec
    if against is None:
        return NOTHING
    name = spec.name if spec is not None and facts.obstacle is None else facts.standing.schedule
    limits = () if spec is None else (spec.suspend, spec.by_hand, *spec.freezes)
    ends = [each.until for each in limits if each is not None and each.until is not None and each.until > now]
    return Part(holds=(Hold(facts.ref, name, *against),), wake_at=earliest(ends))


def judge(case: Case, rules: tuple[Rule, ...] = RULES) -> Verdict:
    """Ask the rules in order."""
    for rule in rules:
        verdict = rule(case)
        if verdict is not None:
            return verdict
    return START


def _as_part(case: Case, verdict: Verdict, revision: str) -> Part:
    spec, slot = case.facts.spec, case.slot
    name = spec.name if spec is not None else case.facts.standing.schedule
    match verdict:
        case Finish(outcome, reason, message, job_id):
            if case.run > 0:
                return NOTHING
            record = SlotRecord(
                slot, outcome, case.now, name, reason, message, job_id, revision=revision, wall=case.wall
            )
            return Part((RecordSlot(record),))
        case Wait(reason, message, until, need):
            hold = Hold(slot.ref, name, reason, message, slot.scheduled_at)
            actions: tuple[Action, ...] = ()
            if _worth_a_record(case, reason):
                held = SlotRecord(
                    slot, Outcome.HELD, case.now, name, reason, message, revision=revision, wall=case.wall
                )
                actions = (RecordSlot(held),)
            return Part(actions, (hold,), _after(case, until), () if need is None else (need,))
        case Start():
            baseline = frozenset([job.job_id for job in case.facts.jobs])
            key = ClaimKey(case.slot, case.run)
            claim = Claim(
                key, case.setbacks.attempts + 1, case.now, baseline, name, revision, wall=case.wall, due_at=case.due_at
            )
            return Part((TriggerSync(claim, _is_alone(case)),))


def _after(case: Case, until: datetime | None) -> datetime | None:
    """When to judge a waiting slot again: at ``until``, the window's end itself included, or else just after that."""
    if until is None or until > case.until:
        return case.until + WINDOW_STEP if case.now <= case.until else None
    return until if until > case.now else None


def _worth_a_record(case: Case, reason: Reason) -> bool:
    """Whether it must be remembered that the slot waits: what stood against it, or that it was seen in time under ``None``."""
    if case.run > 0 or (case.pending is not None and case.pending.reason in (reason, Reason.OBSERVE)):
        return False
    spec = case.facts.spec
    strict = spec is not None and spec.catch_up.policy is CatchUpPolicy.NONE and case.pending is None
    return strict or reason in STOOD_AGAINST


def _allot(plans: list[ConnectionPlan], known: PlanningInput) -> tuple[ConnectionPlan, ...]:
    """Give out each platform's write permits: cancels first, because they free something, then the slots that were due first.

    No more is given out than one cycle may do.
    """
    writing = [index for index, plan in enumerate(plans) if plan.actions and _writes(plan)]
    left = {name: facts.write_permits for name, facts in known.platforms.items()} if writing else {}
    radius = Radius(known)
    for index in sorted(writing, key=lambda index: _urgency(plans[index])):
        name = plans[index].ref.platform
        objection = radius.objection(plans[index])
        if objection is None and left.get(name, 0) <= 0:
            objection = Reason.AWAITING_TURN, "all write permits are in use"
        if objection is not None:
            plans[index] = _make_wait(plans[index], known.connections[index], *objection)
        else:
            left[name] -= 1
            radius.spend(plans[index])
    return tuple(plans)


def _writes(plan: ConnectionPlan) -> bool:
    return any(isinstance(action, Write) for action in plan.actions)


def _urgency(plan: ConnectionPlan) -> tuple[bool, datetime, str]:
    cancels, due = False, STARTS_NOTHING
    for action in plan.actions:
        if isinstance(action, CancelJob):
            cancels = True
        elif isinstance(action, TriggerSync):
            due = action.claim.key.slot.scheduled_at
    return not cancels, due, plan.ref.connection_id


def _make_wait(plan: ConnectionPlan, facts: ConnectionFacts, reason: Reason, message: str) -> ConnectionPlan:
    """Without a permit a write becomes a hold; the loop asks again as soon as a permit is free, or at the next full resync."""
    kept, holds = list[Action](), list(plan.holds)
    for action in plan.actions:
        if isinstance(action, TriggerSync):
            claim = action.claim
            holds.append(Hold(plan.ref, claim.schedule, reason, message, claim.key.slot.scheduled_at))
            kept += _seen(claim, facts, reason, message)
        elif isinstance(action, CancelJob | CorrectConnection):
            holds.append(Hold(plan.ref, action.schedule, reason, message))
        else:
            kept.append(action)
    return replace(plan, actions=tuple(kept), holds=tuple(holds))
