"""Desired against observed: what a plan notes, holds and corrects, row by row."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from controller.decide.check import check_plan
from controller.decide.planner import make_plan
from controller.model.connection import Connection, ConnectionChange, ConnectionStatus, PlatformScheduleKind
from controller.model.drift import Correction, CorrectionStatus, DriftField, NotedDrift
from controller.model.plan import CorrectConnection, Plan
from controller.model.profile import EMBEDDED
from controller.model.record import Reason
from controller.model.schedule import Drift, Mode, Suspension
from tests.unit.decide.given import REF, RUNNING, Given, at, claim, job, plan_of, spec, standing

SCHEDULE, STATUS = DriftField.SCHEDULE, DriftField.STATUS
NIGHTLY = "0 0 2 * * ? UTC"
OBSERVED = 'cron "0 2 * * *" UTC'
NOTED = f"note platformSchedule {OBSERVED}"
WAKE = "wake 10:15"


def seen(
    kind: PlatformScheduleKind = PlatformScheduleKind.CRON, status: ConnectionStatus = ConnectionStatus.ACTIVE
) -> Connection:
    """The connection as last read, with a schedule of its own."""
    return Connection("orders", "Orders", status, kind, NIGHTLY if kind is PlatformScheduleKind.CRON else "")


def drifting(
    ended: str = "", fighting: str = "", field: DriftField = SCHEDULE, **more: Any
) -> Mapping[DriftField, NotedDrift]:
    """What was noted of a field."""
    desired, observed = ("manual", OBSERVED) if field is SCHEDULE else ("active", "inactive")
    known: dict[str, Any] = {
        "policy": Drift.ENFORCE,
        "desired": desired,
        "observed": observed,
        "began_at": at("09:00"),
        "generation": 1,
        "ended_at": at(ended) if ended else None,
        "fighting_since": at(fighting) if fighting else None,
    }
    return {field: NotedDrift(REF, field, **(known | more))}


def corrected(
    *times: str, looks: tuple[int, ...] = (), status: CorrectionStatus = CorrectionStatus.TAKEN, **more: Any
) -> tuple[Correction, ...]:
    """Corrections of the schedule at some times, newest first."""
    row = [
        Correction(REF, SCHEDULE, at(time), OBSERVED, "manual", more.get("generation", 1), look, status)
        for time, look in zip(times, looks or range(1, len(times) + 1), strict=True)
    ]
    return tuple(reversed(row))


def given(policy: Drift = Drift.WARN, now: str = "10:01", **said: Any) -> Given:
    """A connection that the platform schedules too, read by id just before."""
    spec_said = {
        name: said.pop(name) for name in ("mode", "suspend", "freezes", "entries", "max_duration") if name in said
    }
    stands = {name: said.pop(name) for name in ("drifts", "corrections", "claim", "cancel", "pending") if name in said}
    wanted = spec(spec_said.pop("entries", None), drift_schedule=policy, drift_status=policy, **spec_said)
    known: dict[str, Any] = {"connection": seen(), "connection_read": now, "confirmed": True} | said
    return Given(now=now, spec=wanted, standing=standing(wanted, **stands), **known)


FOR_EVER = (Suspension("incident"),)
SIX = ("09:20", "09:25", "09:30", "09:35", "09:40", "09:45")
ASLEEP = seen(PlatformScheduleKind.MANUAL, ConnectionStatus.INACTIVE)
ROW = ("08:00", "08:10", "08:20", "08:30")

CASES: dict[str, tuple[Given, str]] = {
    "Warn notes and holds": (given(), f"{NOTED}; hold DoubleScheduled; {WAKE}"),
    "Warn goes on holding what is noted": (
        given(drifts=drifting(policy=Drift.WARN)),
        f"hold DoubleScheduled; {WAKE}",
    ),
    "Warn ends with what is read": (
        given(drifts=drifting(policy=Drift.WARN), connection=seen(PlatformScheduleKind.MANUAL), confirmed=False),
        f"note platformSchedule over; {WAKE}",
    ),
    "a due slot waits under Warn": (
        given(now="10:15:01", drifts=drifting(policy=Drift.WARN)),
        (
            "Held(DoubleScheduled) 10:15; hold DoubleScheduled 10:15; hold DoubleScheduled; need Settings from 10:16 with the connection; "
            "wake 10:30"
        ),
    ),
    "Ignore triggers beside it": (given(Drift.IGNORE, "10:15:01"), "trigger 10:15; wake 10:30"),
    "Ignore forgets what was noted": (
        given(Drift.IGNORE, drifts=drifting()),
        f"note platformSchedule over; {WAKE}",
    ),
    "an unread connection is not held": (
        given(Drift.ENFORCE, "10:15:01", connection=None, connection_read=""),
        "trigger 10:15; wake 10:30",
    ),
    "what is not understood is no drift": (
        given(Drift.ENFORCE, "10:15:01", connection=seen(PlatformScheduleKind.UNKNOWN)),
        "trigger 10:15; wake 10:30",
    ),
    "Enforce corrects on a read by id": (given(Drift.ENFORCE), f"{NOTED}; correct manual; {WAKE}"),
    "Enforce reads by id first": (
        given(Drift.ENFORCE, confirmed=False),
        f"{NOTED}; need Drift from 10:01 with the connection; {WAKE}",
    ),
    "Enforce reads again when the read is old": (
        given(Drift.ENFORCE, connection_read="10:00:40", drifts=drifting()),
        f"need Drift from 10:00:40 with the connection; {WAKE}",
    ),
    "Enforce corrects before it triggers": (
        given(Drift.ENFORCE, "10:15:01", drifts=drifting()),
        (
            "Held(DoubleScheduled) 10:15; correct manual; hold DoubleScheduled 10:15; need Settings from 10:16 with the connection; "
            "wake 10:30"
        ),
    ),
    "manual alone is kept manual": (
        given(Drift.ENFORCE, entries=(), drifts=drifting()),
        f"correct manual; {WAKE}",
    ),
    "Observe only says so": (
        given(Drift.ENFORCE, mode=Mode.OBSERVE, drifts=drifting()),
        f"hold DoubleScheduled; {WAKE}",
    ),
    "a freeze writes nothing": (
        given(Drift.ENFORCE, freezes=FOR_EVER, drifts=drifting()),
        f"hold Frozen; {WAKE}",
    ),
    "files that contradict each other write nothing": (
        given(Drift.ENFORCE, obstacle=Reason.DUPLICATE_NAME, drifts=drifting()),
        f"hold DuplicateName; {WAKE}",
    ),
    "nothing while a request is under way": (given(Drift.ENFORCE, in_flight=True, drifts=drifting()), WAKE),
    "nothing while a claim is open": (
        given(Drift.ENFORCE, claim=claim("10:00"), drifts=drifting()),
        "hold InDoubt 10:00; need InDoubt from 10:02:05 back to 09:50; wake 10:02:05",
    ),
    "not before a pause is over": (
        given(Drift.ENFORCE, quiet_until="10:03", drifts=drifting()),
        "wake 10:03",
    ),
    "without a permit it waits": (
        given(Drift.ENFORCE, permits=0, drifts=drifting()),
        f"hold AwaitingTurn; {WAKE}",
    ),
    "one request at a time: the cancel comes first": (
        given(
            Drift.ENFORCE,
            drifts=drifting(),
            max_duration=timedelta(minutes=30),
            jobs=(job("j1", "09:00", RUNNING),),
        ),
        f"cancel j1 for MaxDuration; {WAKE}",
    ),
    "after a correction the answer alone is not believed": (
        given(
            Drift.ENFORCE,
            "10:15:03",
            drifts=drifting(),
            corrections=corrected("10:15:01"),
            connection=seen(PlatformScheduleKind.MANUAL),
            connection_read="10:15:02",
            written="10:15:02",
            confirmed=False,
        ),
        (
            "Held(DoubleScheduled) 10:15; hold DoubleScheduled 10:15; need Settings from 10:16 with the connection; "
            "need Drift from 10:15:02 with the connection; wake 10:30"
        ),
    ),
    "after a correction a read by id is believed": (
        given(
            Drift.ENFORCE,
            "10:15:03",
            drifts=drifting(),
            corrections=corrected("10:15:01"),
            connection=seen(PlatformScheduleKind.MANUAL),
            connection_read="10:15:02.5",
            written="10:15:02",
        ),
        "trigger 10:15; note platformSchedule over; wake 10:30",
    ),
    "a read that began before the answer is not believed": (
        given(
            Drift.ENFORCE,
            drifts=drifting(ended="10:00:50"),
            corrections=corrected("10:00:40"),
            connection_read="10:00:44",
            written="10:00:45",
        ),
        f"need Drift from 10:00:45 with the connection; {WAKE}",
    ),
    "a listing after a correction is not believed": (
        given(
            Drift.ENFORCE,
            drifts=drifting(ended="09:50"),
            corrections=corrected("09:49"),
            confirmed=False,
            written="09:49:01",
        ),
        f"need Drift from 10:01 with the connection; {WAKE}",
    ),
    "an hour later it is": (
        given(Drift.ENFORCE, drifts=drifting(ended="08:50"), corrections=corrected("08:49"), confirmed=False),
        f"{NOTED}; need Drift from 10:01 with the connection; {WAKE}",
    ),
    "what has no answer yet is waited for": (
        given(Drift.ENFORCE, drifts=drifting(), corrections=corrected("10:00", status=CorrectionStatus.SENT)),
        "wake 10:02:05",
    ),
    "a refusal is told and waited out": (
        given(Drift.ENFORCE, drifts=drifting(), corrections=corrected("10:00:30", status=CorrectionStatus.REFUSED)),
        "hold DoubleScheduled; wake 10:01:30",
    ),
    "five an hour are no fight": (
        given(Drift.ENFORCE, drifts=drifting(), corrections=corrected(*SIX[1:]), looks=9),
        f"correct manual; {WAKE}",
    ),
    "six are": (
        given(Drift.ENFORCE, drifts=drifting(), corrections=corrected(*SIX)),
        f"{NOTED} fought; hold FightDetected; {WAKE}",
    ),
    "refused ones do not count": (
        given(Drift.ENFORCE, drifts=drifting(), corrections=corrected(*SIX, status=CorrectionStatus.REFUSED)),
        f"hold DoubleScheduled; {WAKE}",
    ),
    "those of another spec do not count": (
        given(Drift.ENFORCE, drifts=drifting(), corrections=corrected(*SIX, generation=0)),
        f"correct manual; {WAKE}",
    ),
    "a fight goes on": (
        given(Drift.ENFORCE, drifts=drifting(fighting="07:00")),
        f"hold FightDetected; {WAKE}",
    ),
    "a fight lets nothing start, also while it looks well": (
        given(
            Drift.ENFORCE,
            "10:15:01",
            drifts=drifting(ended="09:30", fighting="07:00"),
            connection=seen(PlatformScheduleKind.MANUAL),
        ),
        "Held(DoubleScheduled) 10:15; hold DoubleScheduled 10:15; hold FightDetected; wake 10:30",
    ),
    "an hour of calm ends it": (
        given(
            Drift.ENFORCE,
            "10:30:00",
            drifts=drifting(ended="09:30", fighting="07:00"),
            connection=seen(PlatformScheduleKind.MANUAL),
        ),
        "Missed(Superseded) 10:15; trigger 10:30; note platformSchedule over; wake 10:45",
    ),
    "another spec ends it": (
        given(Drift.ENFORCE, drifts=drifting(fighting="07:00", generation=0)),
        f"{NOTED}; correct manual; {WAKE}",
    ),
    "four looks in a row are a fight where looks are rare": (
        given(Drift.ENFORCE, drifts=drifting(), corrections=corrected(*ROW), looks=5),
        f"{NOTED} fought; hold FightDetected; {WAKE}",
    ),
    "also over a restart": (
        given(Drift.ENFORCE, drifts=drifting(), corrections=corrected(*ROW, looks=(7, 8, 9, 1)), looks=2),
        f"{NOTED} fought; hold FightDetected; {WAKE}",
    ),
    "with one look at which all was well it is none": (
        given(Drift.ENFORCE, drifts=drifting(), corrections=corrected(*ROW, looks=(1, 2, 4, 5)), looks=6),
        f"correct manual; {WAKE}",
    ),
    "nor where looks are frequent": (
        given(Drift.ENFORCE, drifts=drifting(), corrections=corrected(*ROW), looks=5, profile=EMBEDDED),
        f"correct manual; {WAKE}",
    ),
    "unless the pages make them rare": (
        given(Drift.ENFORCE, drifts=drifting(), corrections=corrected(*ROW), looks=5, profile=EMBEDDED, pages=61),
        f"{NOTED} fought; hold FightDetected; {WAKE}",
    ),
    "an inactive connection is noted under Warn, as today": (
        given(connection=ASLEEP),
        f"note connectionStatus inactive; {WAKE}",
    ),
    "an inactive connection is set active first": (
        given(Drift.ENFORCE, "10:15:01", connection=ASLEEP),
        (
            "Held(ConnectionInactive) 10:15; note connectionStatus inactive; correct active; hold ConnectionInactive 10:15; "
            "need Settings from 10:16 with the connection; wake 10:30"
        ),
    ),
    "a suspended one is set inactive": (
        given(Drift.ENFORCE, suspend=Suspension("moving"), connection=seen(PlatformScheduleKind.MANUAL)),
        f"note connectionStatus active; correct inactive; hold Suspended; {WAKE}",
    ),
    "a suspended one may be active under Warn": (
        given(suspend=Suspension("moving"), connection=seen(PlatformScheduleKind.MANUAL)),
        f"hold Suspended; {WAKE}",
    ),
    "a suspended one that is inactive is as desired": (
        given(Drift.ENFORCE, suspend=Suspension("moving"), connection=ASLEEP),
        f"hold Suspended; {WAKE}",
    ),
    "a locked one is noted and never written": (
        given(Drift.ENFORCE, connection=replace(ASLEEP, status=ConnectionStatus.LOCKED)),
        f"note connectionStatus locked; {WAKE}",
    ),
}


@pytest.mark.parametrize(("case", "expected"), CASES.values(), ids=CASES)
def test_what_differs_is_noted_and_set_right(case: Given, expected: str) -> None:
    """Every row of the table."""
    assert plan_of(case) == expected


def test_a_queued_job_is_not_lost_to_a_correction() -> None:
    """Airbyte cancels what waits for capacity when its connection is changed."""
    queued = replace(job("j1", "10:00"), status=type(RUNNING)("queued"))
    assert "correct" not in plan_of(given(Drift.ENFORCE, drifts=drifting(), jobs=(queued,)))
    assert "correct" in plan_of(given(Drift.ENFORCE, drifts=drifting(), jobs=(replace(queued, status=RUNNING),)))


def correcting(**changes: Any) -> CorrectConnection:
    """A correction that nobody planned."""
    row = Correction(REF, SCHEDULE, at("10:01"), "cron", "manual", 1, 1)
    made = CorrectConnection(REF, "nightly", ConnectionChange(manual=True), Reason.DOUBLE_SCHEDULED, "", (row,))
    return replace(made, **changes)


@pytest.mark.parametrize(
    ("case", "action", "problem"),
    [
        (given(Drift.WARN), correcting(), "its spec does not ask for that"),
        (given(Drift.ENFORCE, mode=Mode.OBSERVE), correcting(), "the schedule writes nothing"),
        (given(Drift.ENFORCE, freezes=FOR_EVER), correcting(), "the schedule writes nothing"),
        (given(Drift.ENFORCE, in_flight=True), correcting(), "another request about it is open"),
        (given(Drift.ENFORCE, confirmed=False), correcting(), "without a read of it just before"),
        (given(Drift.ENFORCE, connection_read="10:00:40"), correcting(), "without a read of it just before"),
        (
            given(Drift.ENFORCE, connection=seen(status=ConnectionStatus.LOCKED)),
            correcting(change=ConnectionChange(status=ConnectionStatus.ACTIVE)),
            "the platform's own",
        ),
    ],
)
def test_no_plan_corrects_what_it_must_not(case: Given, action: CorrectConnection, problem: str) -> None:
    """A defect of the rules would be seen before anything is sent."""
    known = case.known()
    plan = make_plan(known)
    broken = Plan(plan.now, (replace(plan.connections[0], actions=(action,)),))
    assert problem in check_plan(known, broken)[0]


def test_nothing_is_triggered_beside_the_platforms_own_schedule() -> None:
    """The last promise before a POST."""
    free = given(Drift.IGNORE, "10:15:01")
    triggering = make_plan(free.known())
    held = given(Drift.WARN, "10:15:01").known()
    assert "beside the platform's own schedule" in check_plan(held, triggering)[0]
