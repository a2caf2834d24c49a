"""The order of the rules: where two of them have something to say, the earlier one decides."""

from dataclasses import replace
from datetime import timedelta

import pytest

from controller.decide import rules
from controller.decide.check import check_plan
from controller.decide.planner import RETRY_RULES, RULES, make_plan
from controller.model.connection import ConnectionStatus, PlatformScheduleKind
from controller.model.plan import RecordSlot
from controller.model.record import Reason
from controller.model.schedule import CatchUp, Suspension
from tests.unit.decide.given import (
    RUNNING,
    Given,
    at,
    claim,
    connection,
    cron,
    decide,
    deny,
    job,
    plan_of,
    setbacks,
    spec,
    standing,
    told,
)

ORDER = (
    rules.under_way,
    rules.obstructed,
    rules.halted,
    rules.claim_open,
    rules.decided_before,
    rules.counted,
    rules.expired,
    rules.refused_before,
    rules.inactive,
    rules.double_scheduled,
    rules.window_closed,
    rules.unseen,
    rules.overlapping,
    rules.too_soon,
)
SUSPENDED = spec(suspend=Suspension())
BRIEF = spec(catch_up=CatchUp(window=timedelta(minutes=5)))
IN_DOUBT = standing(watermark="10:15", claim=claim(written="10:31", baseline=("j1",)))
BEFORE = standing(schedule="before")
REFUSED = standing(setbacks=setbacks("10:15", refusals=4, attempts=4))
INACTIVE = connection(ConnectionStatus.INACTIVE)
DOUBLED = replace(connection(ConnectionStatus.ACTIVE), schedule_kind=PlatformScheduleKind.BASIC)
SHUT = spec(windows=deny("0 10 * * *", 20))
ZURICH = spec(cron("30 11 * * *", "Europe/Zurich"))
ZURICH_BRIEF = spec(ZURICH.entries, catch_up=CatchUp(window=timedelta(minutes=1)))
DECIDED = standing(ZURICH, walls={"Europe/Zurich 2026-03-02T11:30": at("09:30")})
START, ACTIVE_START = (job("j1", "10:14:50"),), (job("j1", "10:14:50", RUNNING),)

PAIRS: dict[str, tuple[Given, str]] = {
    "under_way before obstructed": (
        Given(now="10:15", in_flight=True, obstacle=Reason.DUPLICATE_NAME),
        "hold DuplicateName; hold TriggerInFlight 10:15",
    ),
    "obstructed before halted": (
        Given(now="10:15", spec=SUSPENDED, obstacle=Reason.DUPLICATE_NAME),
        "Held(DuplicateName) 10:15; hold DuplicateName; hold DuplicateName 10:15",
    ),
    "halted before claim_open": (
        Given(now="10:32", spec=SUSPENDED, standing=standing(SUSPENDED, "10:15", claim=IN_DOUBT.claim)),
        "Skipped(Suspended) 10:30; hold InDoubt 10:15; hold Suspended",
    ),
    "claim_open before decided_before": (
        Given(now="10:32", spec=ZURICH, standing=replace(DECIDED, claim=claim(written="10:31"), watermark=at("10:29"))),
        "hold InDoubt 10:15; hold ClaimOpen 10:30",
    ),
    "decided_before before counted": (
        Given(now="10:32", spec=ZURICH, standing=DECIDED, jobs=(job("j1", "10:31"),)),
        "Counted 10:30",
    ),
    "decided_before before expired": (
        Given(now="10:32", spec=ZURICH_BRIEF, standing=replace(DECIDED, content=ZURICH_BRIEF.content)),
        "Counted 10:30",
    ),
    "claim_open before counted": (
        Given(now="10:32", standing=IN_DOUBT, jobs=(job("j1", "10:30"),)),
        "hold InDoubt 10:15; hold ClaimOpen 10:30",
    ),
    "counted before expired": (
        Given(now="10:21", spec=BRIEF, jobs=(job("j1", "10:16"),)),
        "Counted 10:15 by j1",
    ),
    "expired before refused_before": (
        Given(now="10:20:01", spec=BRIEF, quiet_until="10:25"),
        "Missed(Deadline) 10:15",
    ),
    "refused_before before inactive": (
        Given(now="10:15", standing=REFUSED, connection=INACTIVE),
        "note connectionStatus inactive; hold Refused 10:15",
    ),
    "inactive before double_scheduled": (
        Given(now="10:15", connection=replace(INACTIVE, schedule_kind=PlatformScheduleKind.BASIC)),
        (
            "Held(ConnectionInactive) 10:15; note platformSchedule basic; note connectionStatus inactive; hold ConnectionInactive 10:15;"
            " hold DoubleScheduled"
        ),
    ),
    "double_scheduled before window_closed": (
        Given(now="10:15", spec=SHUT, connection=DOUBLED),
        "Held(DoubleScheduled) 10:15; note platformSchedule basic; hold DoubleScheduled 10:15; hold DoubleScheduled",
    ),
    "double_scheduled before unseen": (
        Given(now="10:15", connection=DOUBLED, listing="none"),
        "Held(DoubleScheduled) 10:15; note platformSchedule basic; hold DoubleScheduled 10:15; hold DoubleScheduled",
    ),
    "inactive before window_closed": (
        Given(now="10:15", spec=SHUT, connection=INACTIVE),
        "Held(ConnectionInactive) 10:15; note connectionStatus inactive; hold ConnectionInactive 10:15",
    ),
    "window_closed before unseen": (
        Given(now="10:15", spec=SHUT, listing="none"),
        "Held(WindowClosed) 10:15; hold WindowClosed 10:15",
    ),
    "window_closed before overlapping": (
        Given(now="10:15", spec=SHUT, jobs=ACTIVE_START),
        "Held(WindowClosed) 10:15; hold WindowClosed 10:15",
    ),
    "inactive before unseen": (
        Given(now="10:15", connection=INACTIVE, listing="none"),
        "Held(ConnectionInactive) 10:15; note connectionStatus inactive; hold ConnectionInactive 10:15",
    ),
    "unseen before overlapping": (
        Given(now="10:15", listing="10:14", jobs=ACTIVE_START),
        "hold AwaitingListing 10:15",
    ),
    "overlapping before too_soon": (Given(now="10:15", jobs=ACTIVE_START), "Skipped(Active) 10:15"),
    "too_soon before the start": (Given(now="10:15", jobs=START), "Held(MinGap) 10:15; hold MinGap 10:15"),
}


def test_the_rules_stand_in_their_order() -> None:
    """The order is a decision of its own: whoever changes it changes this line too."""
    assert RULES == ORDER


def test_a_retry_meets_the_same_rules_but_those_about_its_outcome() -> None:
    """Its slot has its outcome already: nothing can count for it, and no local time was decided but its own."""
    assert tuple(rule for rule in ORDER if rule not in (rules.decided_before, rules.counted)) == RETRY_RULES


@pytest.mark.parametrize(("given", "expected"), PAIRS.values(), ids=PAIRS)
def test_the_earlier_rule_decides(given: Given, expected: str) -> None:
    """Two neighbours both have something to say; the plan says the first one's word."""
    decided = plan_of(given).partition("; need")[0].partition("; wake")[0]
    assert decided == expected


NAMED = {
    "a schedule in the specs": (Given(now="10:31", obstacle=Reason.DUPLICATE_NAME, standing=BEFORE), "nightly"),
    "one of which only the store knows": (
        Given(now="10:31", obstacle=Reason.DUPLICATE_NAME, standing=BEFORE, spec=None),
        "before",
    ),
    "one on an unknown platform": (Given(now="10:31", standing=BEFORE, is_known_platform=False), "nightly"),
    "one that went, on an unknown platform": (
        Given(now="10:31", standing=BEFORE, spec=None, is_known_platform=False),
        "before",
    ),
}


@pytest.mark.parametrize(("given", "name"), NAMED.values(), ids=NAMED)
def test_what_is_decided_names_the_schedule(given: Given, name: str) -> None:
    """By the name that the specs give it, or else the one that it last had."""
    plan = decide(given)
    names = {action.record.schedule for action in plan.actions if isinstance(action, RecordSlot)}
    names |= {hold.schedule for hold in plan.holds if hold.scheduled_at is not None or not given.is_known_platform}
    assert names == {name}


def test_a_poisoned_connection_harms_no_other() -> None:
    """What the planner cannot understand stays with its connection, is found by the check, and is tried again later."""
    good = Given(now="10:15").known()
    poisoned = replace(good.connections[0], standing=standing(calendar_key="no calendar", watermark="10:00"))
    both = replace(good, connections=(poisoned, good.connections[0]))
    plan = make_plan(both)
    assert [told(decided) for decided in plan.connections] == ["wake 10:16", "trigger 10:15; wake 10:30"]
    assert list(check_plan(both, plan)) == [0]
