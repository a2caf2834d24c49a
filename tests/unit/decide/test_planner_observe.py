"""``mode: Observe``, as a table: nothing is written to the platform, and each slot is recorded when its window is over."""

from datetime import timedelta

import pytest

from controller.model.job import JobKind
from controller.model.record import Reason
from controller.model.schedule import CatchUp, ForeignJobs, Mode, Suspension
from tests.unit.decide.given import RUNNING, Given, claim, every, held, job, ours, plan_of, spec, standing

OBSERVING = spec(mode=Mode.OBSERVE)
BRIEF = spec(mode=Mode.OBSERVE, catch_up=CatchUp(window=timedelta(minutes=5)))
LONG = spec(mode=Mode.OBSERVE, catch_up=CatchUp(window=timedelta(hours=2)))
IGNORING = spec(mode=Mode.OBSERVE, foreign_jobs=ForeignJobs.IGNORE)
MINUTELY = spec(every(1), mode=Mode.OBSERVE)
SEEN = held("10:15", Reason.OBSERVE)


CASES: dict[str, tuple[Given, str]] = {
    "nothing is due": (Given(now="10:14", spec=OBSERVING), "wake 10:15"),
    "a due slot is held until its window ends": (
        Given(now="10:15", spec=OBSERVING),
        "Held(Observe) 10:15; hold Observe 10:15; wake 10:30",
    ),
    "which is written once": (
        Given(now="10:16", spec=OBSERVING, standing=standing(OBSERVING, "10:15", pending=(SEEN,))),
        "hold Observe 10:15; wake 10:30",
    ),
    "a sync in the window counts at once": (
        Given(now="10:20", spec=OBSERVING, jobs=(job("j1", "10:15", RUNNING),)),
        "Counted 10:15 by j1; wake 10:30",
    ),
    "foreignJobs is read as Count": (
        Given(now="10:20", spec=IGNORING, jobs=(job("j1", "10:15"),)),
        "Counted 10:15 by j1; wake 10:30",
    ),
    "a reset does not count": (
        Given(now="10:20", spec=OBSERVING, jobs=(job("j1", "10:16", RUNNING, JobKind.RESET),)),
        "Held(Observe) 10:15; hold Observe 10:15; wake 10:30",
    ),
    "a job of ours counts for its own slot only": (
        Given(
            now="10:20",
            spec=OBSERVING,
            jobs=(job("j1", "10:16"),),
            standing=standing(OBSERVING, attributed=ours(j1="10:00")),
        ),
        "Held(Observe) 10:15; hold Observe 10:15; wake 10:30",
    ),
    "a written window ends first": (
        Given(now="10:16", spec=BRIEF),
        "Held(Observe) 10:15; hold Observe 10:15; wake 10:20:00.001",
    ),
    "its end is still inside": (
        Given(now="10:20", spec=BRIEF, standing=standing(BRIEF, "10:15", pending=(SEEN,))),
        "hold Observe 10:15; wake 10:20:00.001",
    ),
    "a window longer than the distance of slots ends with the next one": (
        Given(now="10:30:01", spec=LONG),
        "Missed(Deadline) 10:15; Held(Observe) 10:30; hold Observe 10:30; wake 10:45",
    ),
    "a sync at the end still counts": (
        Given(now="10:21", spec=BRIEF, jobs=(job("j1", "10:20"),)),
        "Counted 10:15 by j1; wake 10:30",
    ),
    "after it absence must be seen": (
        Given(
            now="10:20:00.001",
            spec=BRIEF,
            listing="10:20",
            standing=standing(BRIEF, "10:15", pending=(SEEN,)),
        ),
        "hold Observe 10:15; need Absence from 10:20:00.001 back to 10:05; wake 10:30",
    ),
    "it is missed on a listing begun after the end": (
        Given(now="10:20:01", spec=BRIEF, listing="10:20:00.001"),
        "Missed(Deadline) 10:15; wake 10:30",
    ),
    "a sync at the next slot's instant is the next slot's": (
        Given(now="10:30:05", spec=OBSERVING, jobs=(job("j1", "10:30"),)),
        "Missed(Deadline) 10:15; Counted 10:30 by j1; wake 10:45",
    ),
    "two slots are open while the older one's end was not seen": (
        Given(
            now="10:30",
            spec=OBSERVING,
            listing="10:29",
            standing=standing(OBSERVING, "10:15", pending=(SEEN,)),
        ),
        ("Held(Observe) 10:30; hold Observe 10:15; hold Observe 10:30; wake 10:30:00.001"),
    ),
    "each of two jobs counts for its own slot": (
        Given(now="10:31", spec=OBSERVING, jobs=(job("j2", "10:30:20"), job("j1", "10:16"))),
        "Counted 10:15 by j1; Counted 10:30 by j2; wake 10:45",
    ),
    "two jobs in one window are one count": (
        Given(now="10:31", spec=OBSERVING, jobs=(job("j2", "10:20"), job("j1", "10:16"))),
        "Counted 10:15 by j1; Held(Observe) 10:30; hold Observe 10:30; wake 10:45",
    ),
    "after an outage each slot is judged for itself": (
        Given(now="10:46", spec=OBSERVING, jobs=(job("j1", "10:31"),)),
        "Missed(Deadline) 10:15; Counted 10:30 by j1; Held(Observe) 10:45; hold Observe 10:45; wake 11:00",
    ),
    "a doubt from the time of Enforce goes on": (
        Given(now="10:31", spec=OBSERVING, standing=standing(OBSERVING, "10:30", claim=claim(written="10:30"))),
        "hold InDoubt 10:15; need InDoubt from 10:32:05 back to 10:05; wake 10:32:05",
    ),
    "a slot that waited when Observe began is observed to its end": (
        Given(
            now="10:16",
            spec=OBSERVING,
            standing=standing(OBSERVING, "10:15", pending=(held("10:15", Reason.MIN_GAP),)),
        ),
        "hold Observe 10:15; wake 10:30",
    ),
    "after Observe a slot that was due is missed, also within its window": (
        Given(now="10:16", standing=standing(watermark="10:15", pending=(SEEN,))),
        "Missed(Deadline) 10:15; wake 10:30",
    ),
    "unless a job counts for it": (
        Given(now="10:16", standing=standing(watermark="10:15", pending=(SEEN,)), jobs=(job("j1", "10:15:30"),)),
        "Counted 10:15 by j1; wake 10:30",
    ),
    "two files that claim it stand against an observed slot too": (
        Given(now="10:15", spec=OBSERVING, obstacle=Reason.DUPLICATE_CONNECTION),
        "Held(DuplicateConnection) 10:15; hold DuplicateConnection; hold DuplicateConnection 10:15; wake 10:30",
    ),
    "but do not hide that it was observed": (
        Given(
            now="10:16",
            spec=OBSERVING,
            obstacle=Reason.DUPLICATE_CONNECTION,
            standing=standing(OBSERVING, "10:15", pending=(SEEN,)),
        ),
        "hold DuplicateConnection; hold DuplicateConnection 10:15; wake 10:30",
    ),
    "what is not supported yet makes no misses": (
        Given(now="10:31", spec=spec(mode=Mode.OBSERVE, unsupported=("exclude",))),
        (
            "Skipped(NotYetSupported) 10:15; Held(NotYetSupported) 10:30; "
            "hold NotYetSupported; hold NotYetSupported 10:30; wake 10:45"
        ),
    ),
    "nor does a suspended schedule": (
        Given(now="10:31", spec=spec(mode=Mode.OBSERVE, suspend=Suspension())),
        "Skipped(Suspended) 10:15; Skipped(Suspended) 10:30; hold Suspended; wake 10:45",
    ),
    "a request under way from the time of Enforce is waited for": (
        Given(now="10:15", spec=OBSERVING, in_flight=True),
        "hold TriggerInFlight 10:15; wake 10:30",
    ),
}


@pytest.mark.parametrize(("given", "expected"), CASES.values(), ids=CASES)
def test_an_observed_slot_is_recorded_at_its_end(given: Given, expected: str) -> None:
    """Every row of the table: counted when a sync was seen, missed only on a listing begun after the window."""
    assert plan_of(given) == expected


def test_of_very_many_observed_slots_the_older_ones_share_a_record() -> None:
    """Observing is bounded like everything: a thousand slots each, and one record for those before."""
    words = plan_of(Given(now="20:00", spec=MINUTELY, standing=standing(MINUTELY, "00:00"), covers="-1d 20:00")).split(
        "; "
    )
    assert words[0] == "Missed(Superseded) 00:01 to 03:20, 200 slots"
    assert sum(word.startswith("Missed(Deadline)") for word in words) == 998
    assert words[-3:] == ["hold Observe 19:59", "hold Observe 20:00", "wake 20:00:00.001"]
