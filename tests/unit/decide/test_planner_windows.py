"""How long a slot may still start, what older slots come to, and what was due while nobody looked: one exact plan each."""

from datetime import timedelta

import pytest

from controller.model.connection import ConnectionStatus
from controller.model.record import Reason
from controller.model.schedule import CatchUp, CatchUpPolicy, Suspension
from tests.unit.decide.given import (
    RUNNING,
    Given,
    at,
    claim,
    connection,
    cron,
    every,
    held,
    job,
    plan_of,
    spec,
    standing,
)

MONDAYS = spec(cron("0 8 * * MON"))
BRIEF = spec(catch_up=CatchUp(window=timedelta(minutes=5)))
LONG = spec(cron("0 8 * * *"), catch_up=CatchUp(window=timedelta(days=3)))
STRICT = spec(catch_up=CatchUp(CatchUpPolicy.NONE))
STRICT_DAILY = spec(cron("0 8 * * *"), catch_up=CatchUp(CatchUpPolicy.NONE))
SUSPENDED = spec(suspend=Suspension("migration"))
MINUTELY = spec(every(1))
PAUSED = connection(ConnectionStatus.INACTIVE)
WEEKLY = spec(cron("0 8 * * SUN"), catch_up=CatchUp(window=timedelta(days=3)))

CASES: dict[str, tuple[Given, str]] = {
    # the window
    "a written window is inclusive": (Given(now="10:20", spec=BRIEF), "trigger 10:15; wake 10:30"),
    "a moment later it has ended": (
        Given(now="10:20:00.001", spec=BRIEF),
        "Missed(Deadline) 10:15; wake 10:30",
    ),
    "what waits is asked again one step after its window": (
        Given(now="10:16", spec=BRIEF, connection=PAUSED),
        "Held(ConnectionInactive) 10:15; note connectionStatus inactive; hold ConnectionInactive 10:15; wake 10:20:00.001",
    ),
    "at the end itself it still waits": (
        Given(
            now="10:20",
            spec=BRIEF,
            connection=PAUSED,
            standing=standing(BRIEF, "10:15", pending=(held("10:15", Reason.CONNECTION_INACTIVE),)),
        ),
        "note connectionStatus inactive; hold ConnectionInactive 10:15; wake 10:20:00.001",
    ),
    "without one it lasts until the next slot": (Given(now="10:29:59", spec=spec()), "trigger 10:15; wake 10:30"),
    "but never longer than a day": (
        Given(now="+1d 08:00", spec=MONDAYS, standing=standing(MONDAYS, "00:00"), covers="07:50"),
        "trigger 08:00; wake +7d 08:00",
    ),
    "a moment after a day it has ended": (
        Given(now="+1d 08:00:00.001", spec=MONDAYS, standing=standing(MONDAYS, "00:00")),
        "Missed(Deadline) 08:00; wake +7d 08:00",
    ),
    "a window longer than the distance of slots still ends with the next one": (
        Given(now="+1d 08:00", spec=LONG, standing=standing(LONG, "00:00")),
        "Missed(Superseded) 08:00; trigger +1d 08:00; wake +2d 08:00",
    ),
    "a slot older than any listing reads back starts on one that reads as far as they go": (
        Given(now="12:00", spec=WEEKLY, standing=standing(WEEKLY, "-3d 00:00"), covers="-1d 11:50"),
        "trigger -1d 08:00; wake +6d 08:00",
    ),
    "what it waited for is why it is skipped": (
        Given(
            now="10:20:01",
            spec=BRIEF,
            standing=standing(BRIEF, "10:15", pending=(held("10:15", Reason.MIN_GAP),)),
        ),
        "Skipped(MinGap) 10:15; wake 10:30",
    ),
    "a wait that did not stand against it ends as missed": (
        Given(
            now="10:20:01",
            spec=BRIEF,
            standing=standing(BRIEF, "10:15", pending=(held("10:15", Reason.REFUSED),)),
        ),
        "Missed(Deadline) 10:15; wake 10:30",
    ),
    "an obstacle to the end is why it is skipped": (
        Given(now="10:20:01", spec=BRIEF, obstacle=Reason.DUPLICATE_CONNECTION),
        "Skipped(DuplicateConnection) 10:15; hold DuplicateConnection; wake 10:30",
    ),
    "what is not supported is why it is skipped": (
        Given(now="10:20:01", spec=spec(unsupported=("jitter",), catch_up=BRIEF.catch_up)),
        "Skipped(NotYetSupported) 10:15; hold NotYetSupported; wake 10:30",
    ),
    "an earlier doubt to the end is a miss": (
        Given(
            now="10:35:01",
            spec=BRIEF,
            standing=standing(BRIEF, "10:15", claim=claim(written="10:34")),
        ),
        "Missed(Deadline) 10:30; hold InDoubt 10:15; need InDoubt from 10:36:05 back to 10:05; wake 10:36:05",
    ),
    # older slots
    "after an outage the newest slot starts and older ones are superseded": (
        Given(now="11:01"),
        "Missed(Superseded) 10:15; Missed(Superseded) 10:30; Missed(Superseded) 10:45; trigger 11:00; wake 11:15",
    ),
    "an older slot that waited is skipped for what it waited for": (
        Given(now="10:30", standing=standing(watermark="10:15", pending=(held("10:15", Reason.MIN_GAP),))),
        "Skipped(MinGap) 10:15; trigger 10:30; wake 10:45",
    ),
    "an older slot that waited for a listing is missed": (
        Given(now="10:30", standing=standing(watermark="10:15", pending=(held("10:15", Reason.AWAITING_LISTING),))),
        "Missed(Superseded) 10:15; trigger 10:30; wake 10:45",
    ),
    "slots that passed while down and suspended are skipped": (
        Given(now="10:46", spec=SUSPENDED),
        "Skipped(Suspended) 10:15; Skipped(Suspended) 10:30; Skipped(Suspended) 10:45; hold Suspended; wake 11:00",
    ),
    "and so are older ones under an obstacle": (
        Given(now="10:31", obstacle=Reason.DUPLICATE_NAME),
        "Skipped(DuplicateName) 10:15; Held(DuplicateName) 10:30; hold DuplicateName; hold DuplicateName 10:30; wake 10:45",
    ),
    "a job counts for the newest due slot only": (
        Given(now="10:46", jobs=(job("j1", "10:45:30", RUNNING),)),
        "Missed(Superseded) 10:15; Missed(Superseded) 10:30; Counted 10:45 by j1; wake 11:00",
    ),
    "the slot of an open claim is never superseded": (
        Given(now="10:45", standing=standing(watermark="10:15", claim=claim(written="10:44"))),
        (
            "Missed(Superseded) 10:30; hold InDoubt 10:15; hold ClaimOpen 10:45; "
            "need InDoubt from 10:46:05 back to 10:05; wake 10:46:05"
        ),
    ),
    # a slot that is due again
    "a slot that is due again starts": (
        Given(now="10:16", standing=standing(watermark="10:15", pending=(held("10:15", Reason.AWAITING_TURN),))),
        "trigger 10:15; wake 10:30",
    ),
    # catchUp None
    "None: a slot seen within ten seconds starts": (Given(now="10:15:10", spec=STRICT), "trigger 10:15; wake 10:30"),
    "None: one that no cycle saw in time is missed": (
        Given(now="10:15:10.001", spec=STRICT),
        "Missed(Deadline) 10:15; wake 10:30",
    ),
    "None: that it was seen is written down": (
        Given(now="10:15:01", spec=STRICT, listing="10:14"),
        "Held(AwaitingListing) 10:15; hold AwaitingListing 10:15; need Due from 10:15 back to 10:05; wake 10:30",
    ),
    "None: and so it starts later than ten seconds": (
        Given(
            now="10:16:20",
            spec=STRICT,
            standing=standing(STRICT, "10:15", pending=(held("10:15", Reason.AWAITING_LISTING),)),
        ),
        "trigger 10:15; wake 10:30",
    ),
    "None: one that waits for its turn was seen too": (
        Given(now="10:15:01", spec=STRICT, permits=0),
        "Held(AwaitingTurn) 10:15; hold AwaitingTurn 10:15; wake 10:30",
    ),
    "None: that is written once": (
        Given(
            now="10:15:30",
            spec=STRICT,
            permits=0,
            standing=standing(STRICT, "10:15", pending=(held("10:15", Reason.AWAITING_TURN),)),
        ),
        "hold AwaitingTurn 10:15; wake 10:30",
    ),
    "None: a platform blind up to the age limit is waited for": (
        Given(
            now="10:16:30",
            spec=STRICT,
            listing="10:14",
            trouble="timeout",
            standing=standing(STRICT, "10:15", pending=(held("10:15", Reason.AWAITING_LISTING),)),
        ),
        "hold ObservationStale 10:15; need Due from 10:15 back to 10:05; wake 10:30",
    ),
    "None: a platform blind for longer misses the slot": (
        Given(
            now="10:16:31",
            spec=STRICT,
            listing="10:14",
            trouble="timeout",
            standing=standing(STRICT, "10:15", pending=(held("10:15", Reason.AWAITING_LISTING),)),
        ),
        "Missed(Deadline) 10:15; wake 10:30",
    ),
    "None: so does one that was never listed": (
        Given(
            now="10:16:31",
            spec=STRICT,
            listing="none",
            standing=standing(STRICT, "10:15", pending=(held("10:15", Reason.AWAITING_LISTING),)),
        ),
        "Missed(Deadline) 10:15; wake 10:30",
    ),
    "None: one that was seen at the slot's instant is not blind, only old": (
        Given(
            now="10:16:31",
            spec=STRICT,
            listing="10:15",
            standing=standing(STRICT, "10:15", pending=(held("10:15", Reason.AWAITING_LISTING),)),
        ),
        "hold AwaitingListing 10:15; need Due from 10:16:31 back to 10:05; wake 10:30",
    ),
    "None: what waits for something else has until its window ends": (
        Given(
            now="10:28",
            spec=STRICT,
            listing="10:14",
            standing=standing(STRICT, "10:15", pending=(held("10:15", Reason.MIN_GAP),)),
        ),
        "hold AwaitingListing 10:15; need Due from 10:15 back to 10:05; wake 10:30",
    ),
    "None: a foreign job counts also for a slot that nobody saw": (
        Given(now="10:20", spec=STRICT, jobs=(job("j1", "10:16"),)),
        "Counted 10:15 by j1; wake 10:30",
    ),
    "None: after a restart the whole outage is missed": (
        Given(now="13:00", spec=STRICT_DAILY, standing=standing(STRICT_DAILY, "-2d 08:00")),
        "Missed(Superseded) -1d 08:00; Missed(Deadline) 08:00; wake +1d 08:00",
    ),
    # more slots than fit
    "a thousand missed slots have a record each, the older ones one record": (
        Given(now="20:00", spec=SUSPENDED, standing=standing(SUSPENDED, "-20d 20:00")),
        "Skipped(Suspended) -20d 20:15 to -10d 10:00, 920 slots; 1000 more; hold Suspended; wake 20:15",
    ),
    "and of an outage without a reason they are superseded": (
        Given(now="20:00", spec=MINUTELY, standing=standing(MINUTELY, "-9d 20:00")),
        "Missed(Superseded) -9d 20:01 to 03:20, 11960 slots; 999 more; trigger 20:00; wake 20:01",
    ),
}


def brief(text: str) -> str:
    """Fold a long run of records into their number."""
    words = text.split("; ")
    if len(words) < 500:
        return text
    more = [word for word in words[1:] if word.startswith(("Missed", "Skipped"))]
    return "; ".join([words[0], f"{len(more)} more", *words[1 + len(more) :]])


@pytest.mark.parametrize(("given", "expected"), CASES.values(), ids=CASES)
def test_a_slot_has_its_window(given: Given, expected: str) -> None:
    """Every row of the table: the end of a window, older slots, and what nobody saw in time."""
    assert brief(plan_of(given)) == expected


def test_a_range_record_and_the_others_make_up_the_whole_outage() -> None:
    """No slot is lost where records are put together: the counts add up to every slot that passed."""
    given = Given(now="20:00", spec=MINUTELY, standing=standing(MINUTELY, "-9d 20:00"))
    passed = (at("20:00") - at("-9d 20:00")) // timedelta(minutes=1)
    text = plan_of(given)
    assert 11_960 + text.count("Missed(Superseded)") - 1 + text.count("trigger") == passed
