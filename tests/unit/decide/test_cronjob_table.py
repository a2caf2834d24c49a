"""What Kubernetes' CronJob controller (v2) decides, restated: for each of its situations a sentence, and our decision.

Its schedule is hourly here, the slot of 10:00 is the one in question, and ``startingDeadlineSeconds`` is ``catchUp.window``. Its ``Forbid``
and ``Replace`` are our ``Skip`` and ``Replace``; where a row ends differently here, its sentence says why.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from controller.model.connection import ConnectionStatus
from controller.model.record import Reason, Standing
from controller.model.schedule import CatchUp, Overlap, ScheduleSpec, Suspension
from tests.unit.decide.given import (
    REF,
    RUNNING,
    Given,
    at,
    busy,
    claim,
    connection,
    cron,
    every,
    held,
    job,
    ours,
    plan_of,
    spec,
    standing,
)

HOURLY = spec(every(60))
SUSPENDED = spec(every(60), suspend=Suspension())
REPLACE, QUEUE = spec(every(60), overlap=Overlap.REPLACE), spec(every(60), overlap=Overlap.QUEUE)
BRIEF = spec(every(60), catch_up=CatchUp(window=timedelta(minutes=5)))
LONG = spec(every(60), catch_up=CatchUp(window=timedelta(days=7)))
WORKDAYS = spec(cron("30 10,11,12 * * 1-5"))
ACTIVE, FINISHED = job("j1", "09:00:01", RUNNING), job("j1", "09:00:01")
OURS = ours(j1="09:00")


@dataclass(frozen=True)
class Row:
    """A situation of theirs, what we decide, and what is to be said about it."""

    given: Given
    expected: str
    sentence: str


def before(schedule: ScheduleSpec = HOURLY, watermark: str = "09:00", **known: Any) -> Standing:
    """The slot of 9:00 was decided."""
    return standing(schedule, watermark, **known)


def due(
    schedule: ScheduleSpec = HOURLY, now: str = "10:00", watermark: str = "09:00", *, active: bool = False, **said: Any
) -> Given:
    """The slot of 10:00, or some later time; the job of the slot before is over unless told otherwise."""
    stands = before(schedule, watermark, attributed=OURS)
    return Given(now=now, spec=schedule, standing=stands, jobs=(ACTIVE if active else FINISHED,), **said)


ROWS: dict[str, Row] = {
    # never ran
    "never ran, nothing is due": Row(
        Given(now="09:30", spec=HOURLY, standing=Standing(REF)),
        "accept nightly generation 1; wake 09:30",
        "A new schedule counts from the instant at which it is seen, there from its creation.",
    ),
    "never ran, is due": Row(
        Given(now="10:00", spec=HOURLY, standing=before(effective_since=at("09:30"), watermark="09:30")),
        "trigger 10:00; wake 11:00",
        "The first slot after that starts.",
    ),
    "never ran, is due, and suspended": Row(
        Given(now="10:00", spec=SUSPENDED, standing=before(SUSPENDED, effective_since=at("09:30"), watermark="09:30")),
        "Skipped(Suspended) 10:00; hold Suspended; wake 11:00",
        "Nothing starts; here the slot gets its outcome at once, there it would be made up after the suspension.",
    ),
    "never ran, and is past its deadline": Row(
        Given(now="10:06", spec=BRIEF, standing=before(BRIEF, effective_since=at("09:30"), watermark="09:30")),
        "Missed(Deadline) 10:00; wake 11:00",
        "Nothing starts; there such a slot is never even seen, here it is recorded.",
    ),
    # the previous run is finished
    "previous run finished, nothing is due": Row(due(now="09:30"), "wake 10:00", "It sleeps until the next slot."),
    "previous run finished, is due": Row(due(), "trigger 10:00; wake 11:00", "It starts, whatever the policy."),
    "previous run finished, is due, Replace": Row(
        due(REPLACE), "trigger 10:00; wake 11:00", "There is nothing to replace."
    ),
    "previous run finished, is due, suspended": Row(
        due(SUSPENDED), "Skipped(Suspended) 10:00; hold Suspended; wake 11:00", "Nothing starts."
    ),
    "previous run finished, is due, in time for its deadline": Row(
        due(BRIEF, now="10:05"), "trigger 10:00; wake 11:00", "The deadline itself is in time."
    ),
    "previous run finished, is due, past its deadline": Row(
        due(BRIEF, now="10:05:01"), "Missed(Deadline) 10:00; wake 11:00", "Too late is missed, and said."
    ),
    "previous run finished, is due, the deadline is longer than the distance": Row(
        due(LONG, now="10:59", covers="09:50"),
        "trigger 10:00; wake 11:00",
        "A long deadline never brings two slots back.",
    ),
    # the previous run is active
    "previous run active, nothing is due": Row(
        due(now="09:30", active=True), "wake 10:00", "A job that runs is left alone."
    ),
    "previous run active, is due, Forbid": Row(
        due(active=True),
        "Skipped(Active) 10:00; wake 11:00",
        "Skipped for good: there it is tried again while its deadline lasts.",
    ),
    "previous run active, is due, Replace": Row(
        due(REPLACE, active=True),
        "cancel j1 for Replaced; Held(Active) 10:00; hold Active 10:00; need Active from 10:00 back to 09:50; wake 11:00",
        "There the old job is deleted and the new one made at once; here the platform runs one at a time, so its end is seen first.",
    ),
    "previous run active, is due, Allow": Row(
        due(QUEUE, active=True),
        "Held(Active) 10:00; hold Active 10:00; need Active from 10:00 back to 09:50; wake 11:00",
        "There is no Allow: the platforms run one job per connection, so the nearest is to wait.",
    ),
    "previous run active, is due, suspended": Row(
        due(SUSPENDED, active=True),
        "Skipped(Suspended) 10:00; hold Suspended; wake 11:00",
        "Nothing starts, and the running job goes on.",
    ),
    "previous run active, past its deadline": Row(
        due(BRIEF, now="10:06", active=True),
        "Missed(Deadline) 10:00; wake 11:00",
        "Nobody was there in time to see what stood against it; the window comes first.",
    ),
    "active job that the list does not show": Row(
        due(listing="09:50", active=True),
        "hold AwaitingListing 10:00; need Due from 10:00 back to 09:50; wake 11:00",
        "There a slow list is answered by reading each job; here nothing rests on a list from before the slot.",
    ),
    "a job that is there but not in the status": Row(
        Given(
            now="10:00:30",
            spec=HOURLY,
            standing=before(watermark="10:00", claim=claim("10:00")),
            jobs=(job("j2", "10:00:01"),),
        ),
        "settle Adopted: Triggered 10:00 by j2; wake 10:00:30",
        "A crash between the request and its record: the new job is adopted, never made twice.",
    ),
    "the job's name exists already": Row(
        Given(
            now="10:00:05",
            spec=HOURLY,
            standing=before(watermark="10:00", claim=busy("10:00:02", "10:00", baseline=("j1",)), attributed=OURS),
            jobs=(ACTIVE,),
            connection=connection(ConnectionStatus.ACTIVE),
            connection_read="10:00:03",
        ),
        "settle Refused: Held(Active) 10:00; wake 10:00:05",
        "There a name is the lock and means that it was made; here a busy answer names no job, so the list says whose it is.",
    ),
    # missed
    "late by less than the distance": Row(
        due(now="10:40"), "trigger 10:00; wake 11:00", "No deadline means until the next slot."
    ),
    "missed three": Row(
        due(now="12:30"),
        "Missed(Superseded) 10:00; Missed(Superseded) 11:00; trigger 12:00; wake 13:00",
        "Only the most recent one starts, here and there; here each older one has its record.",
    ),
    "missed three and the deadline": Row(
        due(BRIEF, now="12:30"),
        "Missed(Superseded) 10:00; Missed(Superseded) 11:00; Missed(Deadline) 12:00; wake 13:00",
        "The most recent one is too late as well.",
    ),
    "missed three while the previous run is active, Forbid": Row(
        due(now="12:30", active=True),
        "Missed(Superseded) 10:00; Missed(Superseded) 11:00; Skipped(Active) 12:00; wake 13:00",
        "The policy speaks for the most recent one only.",
    ),
    "missed many, five slots of an uneven schedule": Row(
        Given(now="+4d 16:30", covers="+4d 12:20", spec=WORKDAYS, standing=before(WORKDAYS, watermark="+3d 10:30")),
        (
            "Missed(Superseded) +3d 11:30; Missed(Superseded) +3d 12:30; Missed(Superseded) +4d 10:30; "
            "Missed(Superseded) +4d 11:30; trigger +4d 12:30; wake +7d 10:30"
        ),
        "There the count is guessed from the first distance and none starts; here it is exact and the newest starts.",
    ),
    # time, edits
    "time drift: a clock behind what was decided": Row(
        due(now="09:59", watermark="10:00"),
        "hold ClockBehind; wake 10:00",
        "Nothing is due again; here it is also said.",
    ),
    "the schedule was just edited, and an older slot newly appears": Row(
        Given(now="10:06", spec=HOURLY, standing=before(watermark="10:05", effective_since=at("10:05"))),
        "wake 11:00",
        "There it starts at once, because only the last start counts; here an edit fires nothing that had passed.",
    ),
    "another field was edited": Row(
        Given(now="10:06", spec=HOURLY, standing=before(watermark="10:05", effective_since=at("00:00"), generation=4)),
        "wake 11:00",
        "It changes nothing about what was decided.",
    ),
    "the zone was edited": Row(
        Given(
            now="10:06",
            spec=spec(cron("0 * * * *", "Asia/Kolkata")),
            standing=before(spec(cron("0 * * * *")), watermark="10:00"),
        ),
        "accept nightly generation 2; wake 10:06",
        "Another zone is another calendar, counted from now.",
    ),
    "resumed after a suspension": Row(
        Given(now="10:20", spec=spec(every(60), suspend=Suspension(until=at("10:20"))), standing=before()),
        "accept nightly generation 2; wake 10:20",
        "The edit is taken in first; what it suspends has no slot to make up, see the next row.",
    ),
    "and the slot that passed meanwhile": Row(
        due(spec(every(60), suspend=Suspension(until=at("10:20"))), now="10:20"),
        "Skipped(Suspended) 10:00; wake 11:00",
        "There one late start follows; here nothing is made up, as the spec says.",
    ),
    "two files claim the connection": Row(
        due(obstacle=Reason.DUPLICATE_CONNECTION),
        "Held(DuplicateConnection) 10:00; hold DuplicateConnection; hold DuplicateConnection 10:00; wake 11:00",
        "An unparseable schedule is an event there; here validation refuses it, and what contradicts itself holds.",
    ),
    "the schedule is being deleted": Row(
        Given(now="10:00", spec=None, standing=before()),
        "Skipped(Deleted) 10:00; retire nightly; wake 10:00",
        "Nothing starts any more.",
    ),
    "a start that the platform refused before": Row(
        Given(now="10:20", spec=HOURLY, standing=before(watermark="10:00", pending=(held("10:00", Reason.REFUSED),))),
        "trigger 10:00; wake 11:00",
        "It is still due, and tried again.",
    ),
}


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_what_a_cronjob_controller_decides(row: Row) -> None:
    """Every row: the same as there, or else for the reason that its sentence gives."""
    assert plan_of(row.given) == row.expected, row.sentence
