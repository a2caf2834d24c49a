"""Claims in doubt, as a table: what settles them, and what their slot comes to. T_resolve is 125 s after the claim."""

from dataclasses import replace
from typing import Any

import pytest

from controller.model.connection import ConnectionStatus
from controller.model.job import JobKind
from controller.model.profile import AITRONOS
from controller.model.record import Claim, Reason
from controller.model.schedule import ForeignJobs, Mode, Suspension, WhenInDoubt
from tests.unit.decide.given import (
    RUNNING,
    Given,
    busy,
    claim,
    connection,
    job,
    ours,
    plan_of,
    setbacks,
    spec,
    standing,
)

SKIPPING = spec(when_in_doubt=WhenInDoubt.SKIP)
IGNORING = spec(foreign_jobs=ForeignJobs.IGNORE)
SUSPENDED = spec(suspend=Suspension())
OBSERVING = spec(mode=Mode.OBSERVE)
ACTIVE, INACTIVE = connection(ConnectionStatus.ACTIVE), connection(ConnectionStatus.INACTIVE)
OLD = standing(watermark="-2d 10:15", claim=claim("-2d 10:15"))
WAITING = "hold InDoubt 10:15; need InDoubt from 10:17:05 back to 10:05; wake 10:17:05"
BUSY = "hold InDoubt 10:15; need InDoubt from 10:17:05 back to 10:05 with the connection; wake 10:17:05"
BUSY_UNREAD = "hold InDoubt 10:15; need InDoubt from 10:17:05 back to 10:05 with the connection; wake 10:30"


def in_doubt(now: str, open_claim: Claim | None = None, **said: Any) -> Given:
    """The slot of 10:15 was claimed and what came of it is unknown."""
    given = Given(now=now, standing=standing(watermark="10:15", claim=open_claim or claim()))
    return replace(given, **said)


def stands(open_claim: Claim, **known: Any) -> dict[str, Any]:
    """The same with more in the store."""
    return {"standing": standing(watermark="10:15", claim=open_claim, **known)}


CASES: dict[str, tuple[Given, str]] = {
    # waiting
    "before T_resolve absence proves nothing": (in_doubt("10:15:40"), WAITING),
    "a POST under way is not doubted": (in_doubt("10:15:40", in_flight=True), "hold TriggerInFlight 10:15; wake 10:30"),
    "a listing begun before T_resolve proves nothing later": (
        in_doubt("10:18", listing="10:17:04"),
        "hold InDoubt 10:15; need InDoubt from 10:17:05 back to 10:05; wake 10:30",
    ),
    "at T_resolve itself only its listing is waited for": (
        in_doubt("10:17:05", listing="10:17"),
        "hold InDoubt 10:15; need InDoubt from 10:17:05 back to 10:05; wake 10:30",
    ),
    "nor does one that does not reach back to the claim": (
        in_doubt("10:18", covers="10:05:01"),
        "hold InDoubt 10:15; need InDoubt from 10:17:05 back to 10:05; wake 10:30",
    ),
    "nor does a platform that was never listed": (
        in_doubt("10:18", listing="none"),
        "hold InDoubt 10:15; need InDoubt from 10:17:05 back to 10:05; wake 10:30",
    ),
    # adopted
    "a new sync is adopted": (
        in_doubt("10:15:40", jobs=(job("j1", "10:15:03", RUNNING),)),
        "settle Adopted: Triggered 10:15 by j1; wake 10:15:40",
    ),
    "also when it is over by now": (
        in_doubt("10:20", jobs=(job("j1", "10:15:03"),)),
        "settle Adopted: Triggered 10:15 by j1; wake 10:20",
    ),
    "also under Ignore, because it cannot be told from ours": (
        in_doubt(
            "10:15:40",
            spec=IGNORING,
            standing=standing(IGNORING, "10:15", claim=claim()),
            jobs=(job("j1", "10:15:03"),),
        ),
        "settle Adopted: Triggered 10:15 by j1; wake 10:15:40",
    ),
    "a job of the baseline is not ours": (
        in_doubt("10:15:40", claim(baseline=("j1",)), jobs=(job("j1", "10:15:03"),)),
        WAITING,
    ),
    "a job of another slot is not ours": (
        in_doubt("10:15:40", jobs=(job("j1", "10:15:03"),), **stands(claim(), attributed=ours(j1="10:00"))),
        WAITING,
    ),
    "a reset is not ours": (in_doubt("10:15:40", jobs=(job("j1", "10:15:03", RUNNING, JobKind.RESET),)), WAITING),
    "a clock that is ten minutes off does not hide our job": (
        in_doubt("10:15:40", jobs=(job("j1", "10:05"),)),
        "settle Adopted: Triggered 10:15 by j1; wake 10:15:40",
    ),
    "an older one only became known late": (in_doubt("10:15:40", jobs=(job("j1", "10:04:59"),)), WAITING),
    "of several the earliest is adopted, the others are surplus": (
        in_doubt("10:20", jobs=(job("j3", "10:19"), job("j2", "10:15:05"), job("j1", "10:15:05"))),
        "settle Adopted: Triggered 10:15 by j1 beside j2, j3; wake 10:20",
    ),
    # busy
    "busy: before anybody looked again": (in_doubt("10:15:02", busy("10:15:01"), listing="10:15"), BUSY),
    "busy: the connection turns out to be paused": (
        in_doubt("10:15:05", busy("10:15:01"), connection=INACTIVE, connection_read="10:15:03"),
        "settle Refused: Held(ConnectionInactive) 10:15; wake 10:15:05",
    ),
    "busy: what was read at the very instant of the answer will do": (
        in_doubt("10:15:05", busy("10:15:01"), listing="10:15:01", connection=INACTIVE, connection_read="10:15:01"),
        "settle Refused: Held(ConnectionInactive) 10:15; wake 10:15:05",
    ),
    "busy: or gone": (
        in_doubt("10:15:05", busy("10:15:01"), connection_read="10:15:03"),
        "settle Refused: Held(ConnectionInactive) 10:15; wake 10:15:05",
    ),
    "busy: what was read before the answer proves nothing": (
        in_doubt("10:15:05", busy("10:15:01"), connection=INACTIVE, connection_read="10:15"),
        f"note connectionStatus inactive; {BUSY}",
    ),
    "busy: a known job is active": (
        in_doubt("10:15:05", busy("10:15:01", baseline=("j1",)), jobs=(job("j1", "10:00", RUNNING),)),
        "settle Refused: Held(Active) 10:15; wake 10:15:05",
    ),
    "busy: a new sync is adopted": (
        in_doubt("10:15:05", busy("10:15:01"), jobs=(job("j1", "10:15:01", RUNNING),)),
        "settle Adopted: Triggered 10:15 by j1; wake 10:15:05",
    ),
    "busy: nothing explains it, so the platform may have sent the start": (
        in_doubt("10:15:05", busy("10:15:01"), connection=ACTIVE, connection_read="10:15:03"),
        BUSY,
    ),
    "busy: a status that nobody knows explains nothing": (
        in_doubt(
            "10:15:05",
            busy("10:15:01"),
            connection=connection(ConnectionStatus.UNKNOWN),
            connection_read="10:15:03",
        ),
        BUSY,
    ),
    "busy: after T_resolve it is due again": (
        in_doubt("10:17:05", busy("10:15:01"), connection=ACTIVE, connection_read="10:15:03"),
        "settle Absent: Held(PhantomActive) 10:15; wake 10:17:05",
    ),
    "busy: nothing is absent before the connection was read again": (
        in_doubt("10:17:05", busy("10:15:01"), connection=ACTIVE, connection_read="10:14:59"),
        BUSY_UNREAD,
    ),
    "busy: the third in a row is a phantom, and the end of its slot": (
        in_doubt("10:17:05", connection=ACTIVE, connection_read="10:15:03", **stands(busy("10:15:01"), phantoms=2)),
        "settle Abandoned: Skipped(Active) 10:15; wake 10:17:05",
    ),
    "busy: after a row of phantoms a lost request is a doubt like any other": (
        in_doubt("10:17:05", **stands(claim(), phantoms=3)),
        "settle Absent: Held(AwaitingTurn) 10:15; wake 10:17:05",
    ),
    # absent
    "a listing begun at T_resolve proves absence": (
        in_doubt("10:17:06", listing="10:17:05"),
        "settle Absent: Held(AwaitingTurn) 10:15; wake 10:17:06",
    ),
    "a listing that just reaches back proves it": (
        in_doubt("10:18", covers="10:05"),
        "settle Absent: Held(AwaitingTurn) 10:15; wake 10:18",
    ),
    "a second unknown attempt may have a third": (
        in_doubt("10:20", **stands(claim(written="10:17:06"), setbacks=setbacks("10:17:05", unknown_attempts=1))),
        "settle Absent: Held(AwaitingTurn) 10:15; wake 10:20",
    ),
    "three are enough": (
        in_doubt("10:20", **stands(claim(written="10:17:06"), setbacks=setbacks("10:17:05", unknown_attempts=2))),
        "settle Abandoned: Skipped(InDoubt) 10:15; wake 10:20",
    ),
    "whenInDoubt Skip has none": (
        in_doubt("10:20", spec=SKIPPING, standing=standing(SKIPPING, "10:15", claim=claim())),
        "settle Abandoned: Skipped(InDoubt) 10:15; wake 10:20",
    ),
    "a platform may allow one attempt only": (
        in_doubt("10:20", profile=replace(AITRONOS, attempts_max=1)),
        "settle Abandoned: Skipped(InDoubt) 10:15; wake 10:20",
    ),
    "a claim that no listing reads back to stays unknown": (
        Given(now="10:18", standing=OLD, covers="-1d 10:08"),
        "settle Abandoned: Skipped(InDoubt) -2d 10:15; wake 10:18",
    ),
    "but only once a listing has read back as far as they go": (
        Given(now="10:18", standing=OLD, covers="-1d 10:19"),
        (
            "Missed(Superseded) -2d 10:30; 190 more; hold InDoubt -2d 10:15; hold ClaimOpen 10:15; "
            "need InDoubt from -2d 10:17:05 back to -2d 10:05; wake 10:30"
        ),
    ),
    # the schedule changed meanwhile
    "a suspended schedule still settles its doubt": (
        in_doubt("10:20", spec=SUSPENDED, standing=standing(SUSPENDED, "10:15", claim=claim())),
        "settle Absent: Held(AwaitingTurn) 10:15; wake 10:20",
    ),
    "so does one that only observes by now": (
        in_doubt("10:20", spec=OBSERVING, standing=standing(OBSERVING, "10:15", claim=claim())),
        "settle Absent: Held(AwaitingTurn) 10:15; wake 10:20",
    ),
    "a deleted schedule's job is adopted": (
        in_doubt("10:20", spec=None, jobs=(job("j1", "10:15:03"),), **stands(claim(), calendar_key=None)),
        "settle Adopted: Triggered 10:15 by j1; wake 10:20",
    ),
    "a deleted schedule's absent claim has no further POST": (
        in_doubt("10:20", spec=None, **stands(claim(), calendar_key=None)),
        "settle Abandoned: Skipped(Deleted) 10:15; wake 10:20",
    ),
    "nor has one that two files claim since a restart": (
        in_doubt("10:20", spec=None, obstacle=Reason.DUPLICATE_CONNECTION),
        "settle Abandoned: Skipped(DuplicateConnection) 10:15; wake 10:20",
    ),
    "a deleted schedule's busy claim is waited for, then settled": (
        in_doubt(
            "10:15:05",
            spec=None,
            jobs=(job("j0", "10:00", RUNNING),),
            **stands(busy("10:15:01", baseline=("j0",)), calendar_key=None),
        ),
        "settle Refused: Held(Active) 10:15; wake 10:15:05",
    ),
}


def brief(text: str) -> str:
    """Fold a long run of records into their number."""
    words = text.split("; ")
    more = [word for word in words[1:] if word.startswith("Missed")]
    return "; ".join([words[0], *([f"{len(more)} more"] if more else []), *words[1 + len(more) :]])


@pytest.mark.parametrize(("given", "expected"), CASES.values(), ids=CASES)
def test_a_doubt_is_settled_by_observing(given: Given, expected: str) -> None:
    """Every row of the table: a claim is adopted, closed, or waited for; never tried again blindly."""
    assert brief(plan_of(given)) == expected
