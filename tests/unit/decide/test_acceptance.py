"""When a spec comes into force, changes or goes, as a table: an edit fires nothing that had passed, and loses nothing that was due."""

from dataclasses import replace
from datetime import timedelta

import pytest

from controller.decide.planner import make_plan
from controller.model.identity import ConnectionRef
from controller.model.plan import AcceptSchedule, RecordSlot
from controller.model.record import Reason, Standing
from controller.model.schedule import CatchUp, Mode, Origin, ScheduleSpec
from tests.unit.decide.given import (
    MIDNIGHT,
    NIGHTLY,
    REF,
    REVISION,
    Given,
    at,
    claim,
    cron,
    every,
    held,
    plan_of,
    spec,
    standing,
)

HOURLY = spec(every(60))
HALF_HOURLY = spec(every(30))
RENAMED = spec(name="weekly")
MOVED = replace(NIGHTLY, origin=Origin("elsewhere.yaml", 7))
SLOWER = spec(catch_up=CatchUp(window=timedelta(minutes=10)))
OBSERVING, ENFORCING = spec(mode=Mode.OBSERVE), spec()
RETIRED = standing(calendar_key=None, content="")
UNSEEN = Standing(REF)
WAITING = (held("10:15", Reason.MIN_GAP),)

CASES: dict[str, tuple[Given, str]] = {
    "first sight": (Given(now="10:16", standing=UNSEEN), "accept nightly generation 1; wake 10:16"),
    "nothing has changed": (Given(now="10:14"), "wake 10:15"),
    "nobody ever asked for it": (Given(now="10:14", spec=None, standing=UNSEEN), ""),
    "a file that moved is the same schedule": (Given(now="10:14", spec=MOVED), "wake 10:15"),
    "an edit of another field keeps what is due": (
        Given(now="10:16", spec=SLOWER, standing=standing()),
        "accept nightly generation 2; wake 10:16",
    ),
    "a new name is a new generation, not a new calendar": (
        Given(now="10:16", spec=RENAMED, standing=standing()),
        "accept weekly generation 2; wake 10:16",
    ),
    "a name that the content does not hold makes no generation": (
        Given(now="10:14", standing=standing(schedule="before")),
        "accept nightly generation 1; wake 10:14",
    ),
    "a slot of both calendars stays due": (
        Given(now="10:31", spec=HALF_HOURLY, standing=standing()),
        "Skipped(Deleted) 10:15; Held(AwaitingTurn) 10:30; accept nightly generation 2; wake 10:31",
    ),
    "a slot that only the new calendar has is not due": (
        Given(now="10:31", spec=NIGHTLY, standing=standing(HOURLY)),
        "accept nightly generation 2; wake 10:31",
    ),
    "a slot that waits and is gone from the calendar is deleted": (
        Given(now="10:16", spec=HOURLY, standing=standing(watermark="10:15", pending=WAITING)),
        "Skipped(Deleted) 10:15; accept nightly generation 2; wake 10:16",
    ),
    "a slot that waits and is in both stays as it is": (
        Given(now="10:16", spec=spec(every(5)), standing=standing(watermark="10:15", pending=WAITING)),
        "accept nightly generation 2; wake 10:16",
    ),
    "a slot that was observed stays observed through an edit of the calendar": (
        Given(
            now="10:16",
            spec=spec(every(5)),
            standing=standing(OBSERVING, "10:15", pending=(held("10:15", Reason.OBSERVE),)),
        ),
        "accept nightly generation 2; wake 10:16",
    ),
    "the slot of an open claim is left to its claim": (
        Given(now="10:16", spec=HOURLY, standing=standing(watermark="10:15", claim=claim())),
        "accept nightly generation 2; wake 10:16",
    ),
    "an edit waits for a request under way, whose slot is not known": (
        Given(now="10:16", spec=HOURLY, standing=standing(), in_flight=True),
        "hold TriggerInFlight 10:15; wake 10:30",
    ),
    "a schedule that is gone is retired": (
        Given(now="10:14", spec=None, standing=standing()),
        "retire nightly; wake 10:14",
    ),
    "what was due then is deleted": (
        Given(now="10:31", spec=None, standing=standing(watermark="10:15", pending=WAITING)),
        "Skipped(Deleted) 10:15; Skipped(Deleted) 10:30; retire nightly; wake 10:31",
    ),
    "a long time without a controller is deleted in one record and a thousand": (
        Given(now="10:00", spec=None, standing=standing(spec(every(1)), "-1d 10:00")),
        "Skipped(Deleted) -1d 10:01 to -1d 17:20, 440 slots; 1000 more; retire nightly; wake 10:00",
    ),
    "a retired schedule has nothing to say": (Given(now="10:31", spec=None, standing=RETIRED), ""),
    "a refused trigger of a retired schedule ends as deleted": (
        Given(now="10:16", spec=None, standing=replace(RETIRED, pending=(held("10:15", Reason.REFUSED),))),
        "Skipped(Deleted) 10:15; wake 10:16",
    ),
    "a schedule that returns is new": (
        Given(now="10:31", standing=RETIRED),
        "accept nightly generation 2; wake 10:31",
    ),
    "and starts nothing that waited before it went": (
        Given(now="10:16", standing=replace(RETIRED, pending=(held("10:15", Reason.REFUSED),))),
        "Skipped(Deleted) 10:15; accept nightly generation 2; wake 10:16",
    ),
    "two files that claim one connection put nothing in force": (
        Given(now="10:31", spec=None, standing=UNSEEN, obstacle=Reason.DUPLICATE_CONNECTION),
        "hold DuplicateConnection",
    ),
    "nor do they retire what was": (
        Given(now="10:14", spec=None, standing=standing(), obstacle=Reason.DUPLICATE_CONNECTION),
        "hold DuplicateConnection; wake 10:15",
    ),
    "nor does a contradiction change it": (
        Given(now="10:14", spec=HOURLY, standing=standing(), obstacle=Reason.DUPLICATE_NAME),
        "hold DuplicateName; wake 10:15",
    ),
    "a platform that the settings do not know accepts nothing": (
        Given(now="10:14", standing=UNSEEN, is_known_platform=False),
        "hold UnknownPlatform",
    ),
    "a schedule that only observed starts nothing that was due before": (
        Given(
            now="10:16",
            spec=ENFORCING,
            standing=standing(ENFORCING, "10:15", pending=(held("10:15", Reason.OBSERVE),)),
        ),
        "Missed(Deadline) 10:15; wake 10:30",
    ),
    "a spec that is not supported yet is in force and held": (
        Given(now="10:14", spec=spec(unsupported=("jitter",)), standing=UNSEEN),
        "accept nightly generation 1; wake 10:14",
    ),
    "a calendar in another zone is another calendar": (
        Given(now="10:16", spec=spec(cron("0 8 * * *", "Europe/Zurich")), standing=standing(spec(cron("0 8 * * *")))),
        "accept nightly generation 2; wake 10:16",
    ),
}


def brief(text: str) -> str:
    """Fold a long run of records into their number."""
    words = text.split("; ")
    more = [word for word in words[1:] if word.startswith("Skipped")]
    return text if len(words) < 500 else "; ".join([words[0], f"{len(more)} more", *words[1 + len(more) :]])


@pytest.mark.parametrize(("given", "expected"), CASES.values(), ids=CASES)
def test_a_spec_comes_into_force(given: Given, expected: str) -> None:
    """Every row of the table: what is accepted or retired, and what becomes of the slots that were due."""
    assert brief(plan_of(given)) == expected


def test_a_schedule_counts_from_the_instant_of_its_acceptance() -> None:
    """``effectiveSince`` is now, with the revision that brought the spec."""
    (accepted,) = make_plan(Given(now="10:16", standing=UNSEEN).known()).actions
    assert isinstance(accepted, AcceptSchedule)
    assert (accepted.effective_since, accepted.revision, accepted.spec) == (at("10:16"), REVISION, NIGHTLY)


def test_a_removed_schedule_keeps_its_name_in_the_record() -> None:
    """What is gone from the specs is still told by the name that people knew it by."""
    plan = make_plan(Given(now="10:16", spec=None, standing=standing()).known())
    record, gone = plan.actions
    assert isinstance(record, RecordSlot)
    assert isinstance(gone, AcceptSchedule)
    assert (record.record.schedule, gone.schedule, gone.spec) == ("nightly", "nightly", None)


@pytest.mark.parametrize(
    ("desired", "message"), [(None, "its schedule is gone"), (HOURLY, "the edited schedule has no such slot")]
)
def test_a_deleted_slot_says_what_deleted_it(desired: ScheduleSpec | None, message: str) -> None:
    """A schedule that went and one that was edited are told apart."""
    record, _ = make_plan(Given(now="10:16", spec=desired, standing=standing()).known()).actions
    assert isinstance(record, RecordSlot)
    assert record.record.message == message


def test_the_key_of_a_slot_does_not_name_a_file() -> None:
    """Renaming or moving a file fires nothing again: the slot belongs to the connection."""
    before, after = Given(now="10:15"), Given(now="10:15", spec=replace(RENAMED, origin=Origin("x.yaml", 1)))
    assert ConnectionRef("acme", "orders") == before.facts().ref == after.facts().ref
    assert plan_of(after) == plan_of(before) == "trigger 10:15; wake 10:30"
    assert before.facts().standing.effective_since == MIDNIGHT
