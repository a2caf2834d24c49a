"""``check_plan``: for each promise a plan made by hand that breaks it, and is found."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from controller.decide.check import check_plan
from controller.model.identity import ClaimKey, ConnectionRef
from controller.model.job import Job, JobKind
from controller.model.plan import (
    Action,
    CancelJob,
    ConnectionPlan,
    Plan,
    RecordSlot,
    SettleClaim,
    TriggerSync,
)
from controller.model.record import ClaimStatus, Outcome, Reason, SlotRecord
from controller.model.schedule import Mode, Retry, Suspension
from tests.unit.decide.given import (
    FAILED,
    REF,
    RUNNING,
    UNKNOWN,
    Given,
    at,
    claim,
    deny,
    held,
    job,
    ours,
    slot,
    spec,
    standing,
)

OTHER = ConnectionRef("acme", "users")
DUE = Given(now="10:15:05")
LONG = (job("j1", "09:00", RUNNING),)
STUCK = Given(now="10:14", spec=spec(max_duration=timedelta(hours=1)), jobs=LONG)


def plan(*actions: Action, given: Given = DUE, ref: ConnectionRef = REF, wake: str = "") -> Plan:
    """A plan for the one connection."""
    wake_at = at(wake) if wake else None
    return Plan(at(given.now), (ConnectionPlan(ref, actions, wake_at=wake_at),))


def start(scheduled: str = "10:15") -> TriggerSync:
    """A start."""
    return TriggerSync(claim(scheduled))


def stop(job_id: str = "j1", kind: JobKind = JobKind.SYNC) -> CancelJob:
    """A cancel."""
    return CancelJob(REF, "nightly", job(job_id, "09:00", RUNNING, kind), Reason.MAX_DURATION, "")


def record(scheduled: str = "10:15", job_id: str | None = None, ref: ConnectionRef = REF) -> RecordSlot:
    """An outcome."""
    return RecordSlot(SlotRecord(slot(scheduled, ref), Outcome.COUNTED, at("10:15"), "nightly", job_id=job_id))


def broken(found: Given, made: Plan) -> str:
    """What is found about the plan; empty when nothing is."""
    return check_plan(found.known(), made).get(0, "")


RETRYING = Given(now="10:20", spec=spec(retry=Retry()))


def retried(*jobs: Job, **known: Any) -> Given:
    """The slot of 10:15 was decided, and these are its jobs."""
    runs = ours(j1="10:15", j2="10:15#1")
    owned = {each.job_id: runs[each.job_id] for each in jobs}
    return replace(RETRYING, jobs=jobs, standing=standing(RETRYING.spec, "10:15", attributed=owned, **known))


def again(run: int = 1) -> TriggerSync:
    """A retry."""
    return TriggerSync(replace(claim("10:15"), key=ClaimKey(slot("10:15"), run)))


GOOD: dict[str, tuple[Given, Plan]] = {
    "nothing": (DUE, plan()),
    "a start": (DUE, plan(start(), wake="10:30")),
    "a start of a slot that waits": (
        replace(DUE, standing=standing(watermark="10:15", pending=(held("10:15", Reason.MIN_GAP),))),
        plan(start()),
    ),
    "a cancel": (STUCK, plan(stop(), given=STUCK)),
    "two records": (DUE, plan(record("10:15"), record("10:00"))),
    "a retry": (retried(job("j1", "10:15:01", FAILED)), plan(again(), given=RETRYING)),
    "a cancel of our own job for a newer slot": (
        replace(STUCK, standing=standing(STUCK.spec, attributed=ours(j1="09:00"))),
        plan(replace(stop(), reason=Reason.REPLACED), given=STUCK),
    ),
    "a cancel of a schedule that is gone": (
        replace(STUCK, spec=None, last_spec=spec(), standing=standing(attributed=ours(j1="09:00"))),
        plan(replace(stop(), reason=Reason.DELETED), given=STUCK),
    ),
    "a wake-up now": (DUE, plan(wake="10:15:05")),
}

BAD: dict[str, tuple[Given, Plan, str]] = {
    "another connection's plan": (DUE, plan(ref=OTHER), "planned for acme/users"),
    "two writes": (replace(STUCK, now="10:16"), plan(stop(), start()), "more than one write"),
    "an early start": (DUE, plan(start("10:30")), "triggered early"),
    "a start beside an open claim": (
        replace(DUE, standing=standing(claim=claim("10:00"))),
        plan(start()),
        "another trigger of the connection is open",
    ),
    "a start beside a request under way": (
        replace(DUE, in_flight=True),
        plan(start()),
        "another trigger of the connection is open",
    ),
    "a start without a spec": (replace(DUE, spec=None, standing=standing()), plan(start()), "must not start"),
    "a start while suspended": (replace(DUE, spec=spec(suspend=Suspension())), plan(start()), "must not start"),
    "a start of what is not supported": (
        replace(DUE, spec=spec(unsupported=("jitter",))),
        plan(start()),
        "must not start",
    ),
    "a start under an obstacle": (replace(DUE, obstacle=Reason.DUPLICATE_NAME), plan(start()), "must not start"),
    "a start under Observe": (replace(DUE, spec=spec(mode=Mode.OBSERVE)), plan(start()), "must not start"),
    "a start on a view from before the slot": (replace(DUE, listing="10:14:59"), plan(start()), "too old"),
    "a start on no view": (replace(DUE, listing="none"), plan(start()), "too old"),
    "a start on an old view": (replace(DUE, now="10:20", listing="10:15"), plan(start()), "too old"),
    "a start beside an active job": (replace(DUE, jobs=LONG), plan(start()), "while a job is active"),
    "a start of a slot that was decided": (
        replace(DUE, standing=standing(watermark="10:15")),
        plan(start()),
        "decided before",
    ),
    "a start of no slot": (DUE, plan(start("10:14")), "no slot of the calendar"),
    "a start without a calendar": (
        replace(DUE, standing=standing(calendar_key=None)),
        plan(start()),
        "no slot of the calendar",
    ),
    "a cancel of a job that is over": (DUE, plan(stop()), "not the connection's newest active job"),
    "a cancel of an older job": (
        replace(STUCK, jobs=(*LONG, job("j2", "10:00", RUNNING))),
        plan(stop()),
        "not the connection's newest active job",
    ),
    "a cancel of a reset": (
        replace(STUCK, jobs=(job("j1", "09:00", RUNNING, JobKind.RESET),)),
        plan(stop(kind=JobKind.RESET)),
        "no sync of a known status",
    ),
    "a cancel of a job of unknown status": (
        replace(STUCK, jobs=(job("j1", "09:00", UNKNOWN),)),
        plan(stop()),
        "no sync of a known status",
    ),
    "a cancel under Observe": (replace(STUCK, spec=spec(mode=Mode.OBSERVE)), plan(stop()), "writes nothing"),
    "a cancel without a spec": (replace(STUCK, spec=None, standing=standing()), plan(stop()), "writes nothing"),
    "a cancel under an obstacle": (
        replace(STUCK, obstacle=Reason.DUPLICATE_CONNECTION),
        plan(stop()),
        "writes nothing",
    ),
    "a cancel for what is not supported": (
        replace(STUCK, spec=spec(unsupported=("jitter",))),
        plan(stop()),
        "writes nothing",
    ),
    "a start before it fires": (
        replace(DUE, spec=spec(jitter=timedelta(minutes=10))),
        plan(start()),
        "triggered early",
    ),
    "a start while frozen": (replace(DUE, spec=spec(freezes=(Suspension(),))), plan(start()), "must not start"),
    "a start amid a quarrel": (replace(DUE, spec=spec(conflicts=("mode",))), plan(start()), "must not start"),
    "a start of a stalled schedule": (
        replace(DUE, spec=spec(failure_budget=1), standing=standing(failures=1)),
        plan(start()),
        "must not start",
    ),
    "a start in a closed window": (
        replace(DUE, spec=spec(windows=deny("0 10 * * *", 30))),
        plan(start()),
        "no window is open",
    ),
    "a retry of a slot whose job did not fail": (
        retried(job("j1", "10:15:01")),
        plan(again(), given=RETRYING),
        "no job of run 0 was seen to fail",
    ),
    "a retry of a slot for which a person's job counted": (
        retried(job("j1", "10:15:01", FAILED), counted=frozenset({"j1"})),
        plan(again(), given=RETRYING),
        "no job of run 0 was seen to fail",
    ),
    "a retry that has its job": (
        retried(job("j1", "10:15:01", FAILED), job("j2", "10:16:30", FAILED)),
        plan(again(), given=RETRYING),
        "although it has a job",
    ),
    "a retry without the run between": (
        retried(job("j1", "10:15:01", FAILED)),
        plan(again(2), given=RETRYING),
        "no job of run 1 was seen to fail",
    ),
    "a retry that the spec does not allow": (
        replace(retried(job("j1", "10:15:01", FAILED)), spec=spec()),
        plan(again(), given=RETRYING),
        "more than its spec allows",
    ),
    "a cancel during a freeze": (
        replace(STUCK, spec=spec(freezes=(Suspension(),))),
        plan(stop(), given=STUCK),
        "during a freeze",
    ),
    "a cancel of a schedule that is gone, during a freeze": (
        replace(STUCK, spec=None, last_spec=spec(freezes=(Suspension(),)), standing=standing()),
        plan(stop(), given=STUCK),
        "during a freeze",
    ),
    **{
        f"a cancel for {reason} of a job that is not ours": (
            STUCK,
            plan(replace(stop(), reason=reason), given=STUCK),
            "although it is not ours",
        )
        for reason in (Reason.REPLACED, Reason.WINDOW_CLOSED, Reason.DELETED)
    },
    "a cancel of a person's job that counted": (
        replace(STUCK, standing=standing(STUCK.spec, attributed=ours(j1="09:00"), counted=frozenset({"j1"}))),
        plan(replace(stop(), reason=Reason.REPLACED), given=STUCK),
        "although it is not ours",
    ),
    "two records of one slot": (DUE, plan(record(), record()), "two records"),
    "a record and a settlement of one slot": (
        replace(DUE, standing=standing(watermark="10:15", claim=claim())),
        plan(record(), SettleClaim(claim(), ClaimStatus.ABSENT, held("10:15", Reason.AWAITING_TURN))),
        "two records",
    ),
    "a record before the slot is due": (DUE, plan(record("10:30")), "before it is due"),
    "a record of another connection": (DUE, plan(record(ref=OTHER)), "recorded for acme/orders"),
    "a job that belongs to another slot": (
        replace(DUE, standing=standing(attributed=ours(j1="10:00"))),
        plan(record(job_id="j1")),
        "count for two slots",
    ),
    "one job for two slots": (
        DUE,
        plan(record(job_id="j1"), record("10:00", job_id="j1")),
        "count for two slots",
    ),
    "a wake-up in the past": (DUE, plan(wake="10:15:04"), "woken in the past"),
    "more writes than permits": (replace(DUE, permits=0), plan(start()), "fewer permits"),
}


@pytest.mark.parametrize(("given", "made"), GOOD.values(), ids=GOOD)
def test_a_good_plan_is_let_through(given: Given, made: Plan) -> None:
    """What keeps every promise is not refused."""
    assert broken(given, made) == ""


@pytest.mark.parametrize(("given", "made", "problem"), BAD.values(), ids=BAD)
def test_a_broken_promise_is_found(given: Given, made: Plan, problem: str) -> None:
    """Each promise has a plan that breaks it."""
    assert problem in broken(given, made)


def test_a_broken_plan_harms_no_other_connection() -> None:
    """What is broken is told by its position; the others are acted on."""
    known = DUE.known()
    other = replace(known.connections[0], ref=OTHER, standing=replace(standing(), ref=OTHER))
    both = replace(known, connections=(other, known.connections[0]))
    made = Plan(at("10:15:05"), (ConnectionPlan(OTHER), ConnectionPlan(REF, (start("10:30"),))))
    assert list(check_plan(both, made)) == [1]


def test_every_plan_of_an_overdrawn_platform_is_refused() -> None:
    """Which of several writes is one too many cannot be said, so none of that platform is sent."""
    known = DUE.known()
    platforms = {"acme": replace(DUE.platform(), write_permits=0), "other": DUE.platform()}
    stranger = ConnectionRef("other", "users")
    facts = replace(known.connections[0], ref=stranger, standing=replace(standing(), ref=stranger))
    made = Plan(at("10:15:05"), (ConnectionPlan(REF, (start(),)), ConnectionPlan(stranger)))
    assert list(check_plan(replace(known, platforms=platforms, connections=(known.connections[0], facts)), made)) == [0]
