"""``windows``, as a table: a slot that is due while closed waits for the opening, as long as its own window lasts."""

from datetime import timedelta

import pytest

from controller.model.record import Reason
from controller.model.schedule import CatchUp, CatchUpPolicy, Mode, Suspension
from controller.model.window import Window, WindowKind
from tests.unit.decide.given import RUNNING, Given, allow, cron, deny, every, held, job, plan_of, spec, standing

SHUT = spec(windows=deny("10 10 * * *", 30))
UNTIL_NEXT = spec(windows=deny("10 10 * * *", 20))
MORNING = spec(windows=allow("0 8 * * *", 120))
DAWN = spec(cron("30 7 * * *"), windows=allow("0 8 * * *", 120))
BROKEN = spec(windows=(Window(WindowKind.ALLOW, "0 0 * * *", 86400, time_zone="No/Where"),))
WAITING = (held("10:15", Reason.WINDOW_CLOSED),)


def hourly(minutes: int, policy: CatchUpPolicy = CatchUpPolicy.LATEST, now: str = "10:00", seen: bool = True) -> Given:
    """The slot of 10:00 with a window of its own, and nothing open from 9:50 to 10:25."""
    schedule = spec(
        every(60), windows=deny("50 9 * * *", 35), catch_up=CatchUp(policy, window=timedelta(minutes=minutes))
    )
    waits = standing(schedule, "10:00", pending=(held("10:00", Reason.WINDOW_CLOSED),))
    return Given(now=now, spec=schedule, standing=waits if seen else standing(schedule, "09:00"))


CASES: dict[str, tuple[Given, str]] = {
    # ordinary rows and instants at the edges
    "a slot that is due while closed waits": (
        Given(now="10:15", spec=SHUT),
        "Held(WindowClosed) 10:15; hold WindowClosed 10:15; wake 10:30",
    ),
    "that is written once": (
        Given(now="10:16", spec=SHUT, standing=standing(SHUT, "10:15", pending=WAITING)),
        "hold WindowClosed 10:15; wake 10:30",
    ),
    "a newer slot supersedes it, and waits for the opening": (
        Given(now="10:30", spec=SHUT, standing=standing(SHUT, "10:15", pending=WAITING)),
        "Skipped(WindowClosed) 10:15; Held(WindowClosed) 10:30; hold WindowClosed 10:30; wake 10:40",
    ),
    "a second before the opening it waits": (
        Given(
            now="10:39:59", spec=SHUT, standing=standing(SHUT, "10:30", pending=(held("10:30", Reason.WINDOW_CLOSED),))
        ),
        "hold WindowClosed 10:30; wake 10:40",
    ),
    "at the opening it starts": (
        Given(now="10:40", spec=SHUT, standing=standing(SHUT, "10:30", pending=(held("10:30", Reason.WINDOW_CLOSED),))),
        "trigger 10:30; wake 10:45",
    ),
    "a slot at the instant at which a deny window opens is closed out": (
        Given(now="10:15", spec=spec(windows=deny("15 10 * * *", 5))),
        "Held(WindowClosed) 10:15; hold WindowClosed 10:15; wake 10:20",
    ),
    "a slot at the instant at which it ends is not": (
        Given(now="10:15", spec=spec(windows=deny("0 10 * * *", 15))),
        "trigger 10:15; wake 10:30",
    ),
    "a slot at the opening of an allow window starts": (
        Given(now="08:00", spec=MORNING, standing=standing(MORNING, "07:45")),
        "trigger 08:00; wake 08:15",
    ),
    "a slot at its end does not": (
        Given(now="10:00", spec=MORNING, standing=standing(MORNING, "09:45")),
        "Held(WindowClosed) 10:00; hold WindowClosed 10:00; wake 10:15",
    ),
    "a daily slot before the opening waits for it": (
        Given(now="07:30", spec=DAWN, standing=standing(DAWN, "-1d 07:30")),
        "Held(WindowClosed) 07:30; hold WindowClosed 07:30; wake 08:00",
    ),
    "a window that cannot be used closes everything": (
        Given(now="10:15", spec=BROKEN),
        "Held(WindowClosed) 10:15; hold WindowClosed 10:15; wake 10:30",
    ),
    # the slot's own window against the opening
    "it wakes at an opening at its very deadline": (
        hourly(25, seen=False),
        "Held(WindowClosed) 10:00; hold WindowClosed 10:00; wake 10:25",
    ),
    "and starts there, for the deadline is inclusive": (hourly(25, now="10:25"), "trigger 10:00; wake 11:00"),
    "a moment later it is skipped": (hourly(25, now="10:25:00.001"), "Skipped(WindowClosed) 10:00; wake 11:00"),
    "an opening after the deadline is not waited for": (
        hourly(20, seen=False),
        "Held(WindowClosed) 10:00; hold WindowClosed 10:00; wake 10:20:00.001",
    ),
    "and the slot is skipped": (hourly(20, now="10:20:00.001"), "Skipped(WindowClosed) 10:00; wake 11:00"),
    # nobody looked
    "k slots passed, some of them while closed": (
        Given(now="10:46", spec=SHUT),
        "Skipped(WindowClosed) 10:15; Missed(Superseded) 10:30; trigger 10:45; wake 11:00",
    ),
    "closed until the very instant of the newer slot": (
        Given(now="10:30", spec=UNTIL_NEXT),
        "Skipped(WindowClosed) 10:15; trigger 10:30; wake 10:45",
    ),
    "closed until an older slot's own window had ended": (
        Given(now="10:31", spec=spec(windows=deny("10 10 * * *", 15), catch_up=CatchUp(window=timedelta(minutes=5)))),
        "Skipped(WindowClosed) 10:15; trigger 10:30; wake 10:45",
    ),
    "a slot whose whole window was closed": (
        hourly(20, now="10:30", seen=False),
        "Skipped(WindowClosed) 10:00; wake 11:00",
    ),
    "a slot that might have started from 10:25 to 10:30": (
        hourly(30, now="10:31", seen=False),
        "Missed(Deadline) 10:00; wake 11:00",
    ),
    # with other rules
    "None: it waits as long as under Latest": (
        hourly(25, CatchUpPolicy.NONE, now="10:25"),
        "trigger 10:00; wake 11:00",
    ),
    "None: one that nobody saw is missed, whatever was closed": (
        hourly(25, CatchUpPolicy.NONE, now="10:25", seen=False),
        "Missed(Deadline) 10:00; wake 11:00",
    ),
    "a person's sync counts also while closed": (
        Given(now="10:16", spec=SHUT, jobs=(job("j1", "10:15:30", RUNNING),)),
        "Counted 10:15 by j1; wake 10:30",
    ),
    "an active job is not asked about while closed": (
        Given(now="10:15", spec=SHUT, jobs=(job("j1", "10:00", RUNNING),)),
        "Held(WindowClosed) 10:15; hold WindowClosed 10:15; wake 10:30",
    ),
    "an old view is not mended while closed": (
        Given(now="10:15", spec=SHUT, listing="none"),
        "Held(WindowClosed) 10:15; hold WindowClosed 10:15; wake 10:30",
    ),
    "a suspension goes first": (
        Given(now="10:15", spec=spec(windows=SHUT.windows, suspend=Suspension())),
        "Skipped(Suspended) 10:15; hold Suspended; wake 10:30",
    ),
    "Observe knows no windows": (
        Given(now="10:15", spec=spec(windows=SHUT.windows, mode=Mode.OBSERVE)),
        "Held(Observe) 10:15; hold Observe 10:15; wake 10:30",
    ),
    "an edit that takes the window away lets it start": (
        Given(now="10:20", standing=standing(watermark="10:15", pending=WAITING)),
        "trigger 10:15; wake 10:30",
    ),
    "at the opening a view begun after the slot is needed": (
        Given(
            now="10:40",
            spec=SHUT,
            listing="10:29",
            standing=standing(SHUT, "10:30", pending=(held("10:30", Reason.WINDOW_CLOSED),)),
        ),
        "hold AwaitingListing 10:30; need Due from 10:30 back to 10:20; wake 10:45",
    ),
}


@pytest.mark.parametrize(("given", "expected"), CASES.values(), ids=CASES)
def test_a_slot_meets_closed_windows(given: Given, expected: str) -> None:
    """Every row of the table: waiting, the edges of both windows, and what nobody saw."""
    assert plan_of(given) == expected
