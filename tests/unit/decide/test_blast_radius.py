"""How much one cycle may do, on plans as the planner makes them."""

from dataclasses import replace

import pytest

from controller.decide.check import check_plan
from controller.decide.planner import make_plan
from controller.model.identity import ConnectionRef
from controller.model.plan import CancelJob, ConnectionFacts, Plan, PlanningInput, TriggerSync
from controller.model.record import Reason
from controller.model.safety import SafetyLimits
from controller.reconcile.allowance import Allowance
from tests.unit.decide.given import REVISION, Given, at
from tests.unit.decide.test_planner_permits import NOW, due, overlong


def known(*connections: ConnectionFacts, left: int | None = None, triggers: int | None = None) -> PlanningInput:
    """Connections on a platform that takes as many writes as anybody wants."""
    platform = replace(Given(now=NOW, permits=100).platform(), writes_left=left, writes_max=10)
    names = {facts.ref.platform for facts in connections}
    return PlanningInput(at(NOW), REVISION, dict.fromkeys(names, platform), connections, triggers_max=triggers)


def planned(given: PlanningInput) -> Plan:
    """A plan that keeps its promises."""
    plan = make_plan(given)
    assert check_plan(given, plan) == {}
    return plan


def kinds(plan: Plan) -> list[str]:
    """What is written to the platform, by connection."""
    return [
        f"{type(action).__name__} {decided.ref.connection_id}"
        for decided in plan.connections
        for action in decided.actions
        if isinstance(action, TriggerSync | CancelJob)
    ]


def test_cancels_beyond_the_bound_are_held_and_say_why() -> None:
    """The others are made, and starts are not counted among them."""
    plan = planned(known(overlong("a"), overlong("b"), due("c"), overlong("d"), left=2))
    assert kinds(plan) == ["CancelJob a", "CancelJob b", "TriggerSync c"]
    (hold,) = plan.connections[3].holds
    assert hold.reason is Reason.BLAST_RADIUS
    assert hold.message == (
        "platform acme got 10 cancels and writes to connections since the last full resync, the most that is allowed; this one waits for"
        " the next full resync. If so many are meant, raise write_count under [safety] in the settings"
    )


def test_without_a_bound_nothing_is_held() -> None:
    """A plan from an older file has none."""
    assert len(kinds(planned(known(*(overlong(f"c{number}") for number in range(30)))))) == 30


def test_each_platform_has_a_bound_of_its_own() -> None:
    """What is spent on one leaves the other as it is."""
    elsewhere = overlong("b")
    elsewhere = replace(elsewhere, ref=ConnectionRef("other", "b"))
    assert elsewhere.spec is not None
    elsewhere = replace(elsewhere, spec=replace(elsewhere.spec, platform="other"))
    given = known(overlong("a"), elsewhere, left=1)
    assert kinds(planned(given)) == ["CancelJob a", "CancelJob b"]


def test_more_starts_than_one_cycle_may_decide_wait_for_the_next() -> None:
    """Those that were due first go first."""
    plan = planned(known(due("a"), due("b", "20 10"), due("c", "17 10"), triggers=2))
    assert kinds(plan) == ["TriggerSync b", "TriggerSync c"]
    assert [hold.reason for hold in plan.connections[0].holds] == [Reason.AWAITING_TURN]


@pytest.mark.parametrize(("left", "triggers"), [(1, None), (None, 1)])
def test_a_plan_that_does_too_much_is_a_defect(left: int | None, triggers: int | None) -> None:
    """Whoever made it: nothing of it is acted on there."""
    rows = [overlong("a"), overlong("b")] if triggers is None else [due("a"), due("b")]
    plan = planned(known(*rows))
    assert check_plan(known(*rows, left=left, triggers=triggers), plan).keys() == {0, 1}


def test_the_larger_of_a_count_and_a_share_is_allowed_between_two_resyncs() -> None:
    """What plans have spent is gone until then; who waited is asked again."""
    allowance = Allowance(SafetyLimits(write_count=2))
    allowance.manage(ConnectionRef("acme", f"c{number}") for number in range(40))
    assert (allowance.writes_max("acme"), allowance.writes_max("other")) == (4, 2)
    given = known(*(overlong(name) for name in "abc"), left=allowance.writes_left("acme"))
    allowance.spend(planned(given))
    assert allowance.writes_left("acme") == 1
    given = known(*(overlong(name) for name in "de"), left=allowance.writes_left("acme"))
    allowance.spend(planned(given))
    assert allowance.writes_left("acme") == 0
    assert allowance.renew() == {ConnectionRef("acme", "e")}
    assert (allowance.writes_left("acme"), allowance.renew()) == (4, set())


def test_what_goes_out_of_force_still_counts_until_the_resync() -> None:
    """A confirmed removal of nearly everything may end what it removes."""
    allowance = Allowance(SafetyLimits(write_count=1))
    allowance.manage(ConnectionRef("acme", f"c{number}") for number in range(40))
    allowance.manage([ConnectionRef("acme", "c0")])
    assert allowance.writes_max("acme") == 4
    allowance.renew()
    assert allowance.writes_max("acme") == 1


def test_a_share_of_starts_bounds_a_cycle_only_where_it_is_set() -> None:
    """At midnight all may be due."""
    refs = [ConnectionRef("acme", f"c{number}") for number in range(5000)]
    for limits, most in ((SafetyLimits(), 1000), (SafetyLimits(trigger_share=0.1), 500)):
        allowance = Allowance(limits)
        allowance.manage(refs)
        assert allowance.triggers_max() == most
    assert Allowance(SafetyLimits(trigger_share=0.1)).triggers_max() == 1
