"""``jitter``, as a table: a slot fires at its own instant plus a share that never changes, and all that it may do counts from there.

With ``jitter: 10m`` the slots of this connection fire at 10:08:48, 10:23:15, 10:31:05 and 10:52:51.
"""

from datetime import timedelta

import pytest

from controller.decide.slots import calendar_of, fires_at
from controller.model.identity import ConnectionRef
from controller.model.record import Reason
from controller.model.schedule import CatchUp, CatchUpPolicy, Mode, Suspension
from tests.unit.decide.given import REF, Given, at, clock, every, held, job, plan_of, spec, standing

TEN = timedelta(minutes=10)
LATE = spec(jitter=TEN)
BRIEF = spec(jitter=TEN, catch_up=CatchUp(window=timedelta(minutes=5)))
STRICT = spec(jitter=TEN, catch_up=CatchUp(CatchUpPolicy.NONE))
FIVE = spec(every(5), jitter=TEN)
WAITING = (held("10:15", Reason.AWAITING_TURN),)


def suspended(until: str) -> Given:
    """A suspension that ends."""
    return Given(now="10:23:15", spec=spec(jitter=TEN, suspend=Suspension(until=at(until))))


CASES: dict[str, tuple[Given, str]] = {
    "at its own instant a slot is not due yet": (Given(now="10:15", spec=LATE), "wake 10:23:15"),
    "nor is it a second before it fires": (Given(now="10:23:14", spec=LATE), "wake 10:23:15"),
    "when it fires it starts": (Given(now="10:23:15", spec=LATE), "trigger 10:15; wake 10:31:05"),
    "on a listing begun after it fired": (
        Given(now="10:23:15", spec=LATE, listing="10:23:14"),
        "hold AwaitingListing 10:15; need Due from 10:23:15 back to 10:05; wake 10:31:05",
    ),
    "a person's sync between its instant and its firing counts when it fires": (
        Given(now="10:23:15", spec=LATE, jobs=(job("j1", "10:17"),)),
        "Counted 10:15 by j1; wake 10:31:05",
    ),
    "and not before": (Given(now="10:20", spec=LATE, jobs=(job("j1", "10:17"),)), "wake 10:23:15"),
    "a sync from before the slot does not, although it is younger than nothing else": (
        Given(now="10:23:15", spec=LATE, jobs=(job("j1", "10:14:59"),)),
        "trigger 10:15; wake 10:31:05",
    ),
    "its window counts from its firing": (Given(now="10:28:15", spec=BRIEF), "trigger 10:15; wake 10:31:05"),
    "and is over a moment after": (
        Given(now="10:28:15.001", spec=BRIEF),
        "Missed(Deadline) 10:15; wake 10:31:05",
    ),
    "the next slot's instant does not supersede it": (
        Given(now="10:31:04", spec=LATE),
        "trigger 10:15; wake 10:31:05",
    ),
    "the next slot's firing does": (
        Given(now="10:31:05", spec=LATE),
        "Missed(Superseded) 10:15; trigger 10:30; wake 10:52:51",
    ),
    "of an outage only what has fired is settled": (
        Given(now="10:46", spec=LATE),
        "Missed(Superseded) 10:15; trigger 10:30; wake 10:52:51",
    ),
    "a jitter longer than the distance of slots stays below that": (
        Given(now="10:27:22", spec=spec(jitter=timedelta(hours=1))),
        "wake 10:27:23",
    ),
    "and fires the slot before the next one": (
        Given(now="10:27:23", spec=spec(jitter=timedelta(hours=1))),
        "trigger 10:15; wake 10:31:38",
    ),
    "None: seen within ten seconds of its firing it starts": (
        Given(now="10:23:25", spec=STRICT),
        "trigger 10:15; wake 10:31:05",
    ),
    "None: later than that nobody saw it": (
        Given(now="10:23:25.001", spec=STRICT),
        "Missed(Deadline) 10:15; wake 10:31:05",
    ),
    "a suspension that ended before the slot fires does not touch it": (
        suspended("10:20"),
        "trigger 10:15; wake 10:31:05",
    ),
    "nor does one that ends as it fires": (suspended("10:23:15"), "trigger 10:15; wake 10:31:05"),
    "one that stands when it fires skips it": (
        suspended("10:23:16"),
        "Skipped(Suspended) 10:15; hold Suspended; wake 10:23:16",
    ),
    "an edit between instant and firing keeps a slot of both calendars": (
        Given(now="10:16", spec=FIVE, standing=standing(LATE)),
        "Held(AwaitingTurn) 10:15; accept nightly generation 2; wake 10:16",
    ),
    "which then fires as the new spec says": (
        Given(now="10:16", spec=FIVE, standing=standing(FIVE, "10:16", pending=WAITING)),
        "wake 10:19:07",
    ),
    "and starts then": (
        Given(now="10:19:07", spec=FIVE, standing=standing(FIVE, "10:16", pending=WAITING)),
        "trigger 10:15; wake 10:22:01",
    ),
    "an edit creates no slot whose instant has passed, also if it would fire later": (
        Given(now="10:16", spec=LATE, standing=standing(LATE, "10:16", effective_since=at("10:16"))),
        "wake 10:31:05",
    ),
    "an edit that adds the jitter makes a due slot wait for it": (
        Given(now="10:16", spec=LATE, standing=standing(LATE, "10:15", pending=WAITING)),
        "wake 10:23:15",
    ),
    "an observed slot has its window from its instant to the next slot's": (
        Given(now="10:15", spec=spec(jitter=TEN, mode=Mode.OBSERVE)),
        "Held(Observe) 10:15; hold Observe 10:15; wake 10:30:00.001",
    ),
}


@pytest.mark.parametrize(("given", "expected"), CASES.values(), ids=CASES)
def test_a_slot_fires_later_than_its_instant(given: Given, expected: str) -> None:
    """Every row of the table: due, window, catch-up and supersession count from the jittered instant."""
    assert plan_of(given) == expected


def test_the_share_is_fixed_per_connection_and_slot() -> None:
    """A restart, another replica or another day of asking moves nothing; another connection or slot has its own share."""
    calendar = calendar_of(LATE.calendar_key)
    instants = [fires_at(LATE, calendar, REF, at(text)) for text in ("10:00", "10:15", "10:30")]
    assert [clock(each) for each in instants] == ["10:08:48", "10:23:15", "10:31:05"]
    other = fires_at(LATE, calendar, ConnectionRef("acme", "users"), at("10:15"))
    assert other != instants[1]


def test_no_slot_fires_early_or_after_the_next_one() -> None:
    """Over a day of slots each share lies from 0 to below the jitter, and the order of the slots stays."""
    spread = spec(jitter=timedelta(hours=2))
    calendar = calendar_of(spread.calendar_key)
    slots = [at("00:00") + timedelta(minutes=15) * number for number in range(96)]
    fired = [fires_at(spread, calendar, REF, each) for each in slots]
    assert all(timedelta() <= fire - slot < timedelta(minutes=15) for slot, fire in zip(slots, fired, strict=True))
    assert fired == sorted(set(fired))
