"""What a plan says ahead: what the next slot will wait to see, and whether a start leaves anything to judge."""

from dataclasses import replace
from datetime import timedelta

import pytest

from controller.model.asked import Asked, Request, Source
from controller.model.connection import Connection, ConnectionStatus, PlatformScheduleKind
from controller.model.plan import ListingNeed, NeedKind, TriggerSync
from controller.model.record import Reason
from controller.model.schedule import Drift, Mode, Suspension
from controller.model.window import OnClose
from tests.unit.decide.given import (
    REF,
    RUNNING,
    Given,
    allow,
    at,
    claim,
    connection,
    decide,
    deny,
    job,
    spec,
    standing,
)

BY_ITSELF = Connection(REF.connection_id, "Orders", ConnectionStatus.ACTIVE, PlatformScheduleKind.CRON, "0 0 * * * ?")
REQUEST = Request("k1", REF, "nightly", Asked.SYNC, Source.BY_HAND, at("10:14"), not_before=at("11:00"))

LOOKED_AT_FIRST = {
    "nothing stands against it": Given(now="10:05"),
    "a job is active: whether it still is must be seen": Given(now="10:05", jobs=(job("j1", "10:01", RUNNING),)),
    "it is suspended until before": Given(now="10:05", spec=spec(suspend=Suspension("rest", "ana", at("10:10")))),
    "its window opens in time": Given(now="10:05", spec=spec(windows=allow("15 10 * * *", 60))),
    "the platform is in trouble now": Given(now="10:05", trouble="timeout"),
    "a slot starts now": Given(now="10:00:01", standing=standing(watermark="09:45")),
}

NOT_LOOKED_AT = {
    "two files claim it": Given(now="10:05", obstacle=Reason.DUPLICATE_CONNECTION),
    "it is suspended": Given(now="10:05", spec=spec(suspend=Suspension("rest", "ana"))),
    "it is only observed": Given(now="10:05", spec=spec(mode=Mode.OBSERVE)),
    "its window will be closed": Given(now="10:05", spec=spec(windows=deny("10 10 * * *", 60))),
    "its connection is paused": Given(
        now="10:05", connection=connection(ConnectionStatus.INACTIVE), connection_read="10:00"
    ),
    "an earlier claim is in doubt": Given(
        now="10:05", standing=standing(claim=claim("10:00"), watermark="10:00"), listing="10:00"
    ),
    "a request of it is under way": Given(now="10:05", in_flight=True),
    "the platform drives it as well": Given(
        now="10:05", spec=spec(drift_schedule=Drift.WARN), connection=BY_ITSELF, connection_read="10:00"
    ),
}


@pytest.mark.parametrize("given", LOOKED_AT_FIRST.values(), ids=LOOKED_AT_FIRST)
def test_a_plan_foresees_the_look_that_its_next_slot_will_wait_for(given: Given) -> None:
    """The need is the very one that the slot has when it is due, and comes at the plan's own instant."""
    foreseen = decide(given).foreseen
    due = decide(replace(given, now="10:15", listing="10:14", trouble=""))
    assert foreseen == ListingNeed(NeedKind.DUE, at("10:15"), at("10:15"), at("10:05"))
    assert foreseen in due.needs


@pytest.mark.parametrize("given", NOT_LOOKED_AT.values(), ids=NOT_LOOKED_AT)
def test_nothing_is_foreseen_for_a_slot_that_will_need_no_look(given: Given) -> None:
    """What is known now keeps the slot from coming so far."""
    assert decide(given).foreseen is None


def test_a_slot_that_jitter_puts_off_is_looked_at_when_it_fires() -> None:
    """The look is wanted at the instant at which the plan wakes, and reads back to the slot itself."""
    plan = decide(Given(now="10:05", spec=spec(jitter=timedelta(minutes=5))))
    assert plan.wake_at is not None
    assert plan.wake_at > at("10:15")
    assert plan.foreseen == ListingNeed(NeedKind.DUE, plan.wake_at, plan.wake_at, at("10:05"))


def is_alone(given: Given) -> bool:
    """What the plan says of its one start."""
    (action,) = (action for action in decide(given).actions if isinstance(action, TriggerSync))
    return action.is_alone


def test_a_plain_start_leaves_nothing_to_judge() -> None:
    """The next slot's instant is in the same plan, and all else comes when the job is seen to change."""
    assert is_alone(Given(now="10:15"))


@pytest.mark.parametrize(
    "given",
    [
        Given(now="10:15", spec=spec(max_duration=timedelta(minutes=5))),
        Given(now="10:15", spec=spec(stalled_after=timedelta(minutes=5))),
        Given(now="10:15", spec=spec(windows=allow("0 10 * * *", 60, OnClose.CANCEL))),
        Given(now="10:15", standing=standing(phantoms=1)),
        Given(now="10:15", standing=standing(requests=(REQUEST,))),
        Given(now="10:15", spec=spec(drift_schedule=Drift.IGNORE), connection=BY_ITSELF, connection_read="10:00"),
    ],
    ids=["maxDuration", "stalledAfter", "onClose", "phantoms", "request", "drift"],
)
def test_a_start_that_something_else_waits_for_is_judged_again(given: Given) -> None:
    """A limit of the job, a doubt, a request or a drift of the connection has its say soon after the start."""
    assert not is_alone(given)
