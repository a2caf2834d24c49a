"""The rules that a due slot meets, as a table: one situation, one exact plan. Slots every 15 minutes; 10:15 is due."""

from datetime import timedelta

import pytest

from controller.model.connection import ConnectionStatus
from controller.model.job import JobKind, JobStatus
from controller.model.record import Reason
from controller.model.schedule import CatchUp, CatchUpPolicy, ForeignJobs, Suspension, WhenInDoubt
from tests.unit.decide.given import (
    RUNNING,
    UNKNOWN,
    Given,
    at,
    claim,
    connection,
    held,
    job,
    ours,
    plan_of,
    setbacks,
    spec,
    standing,
)

SUSPENDED = spec(suspend=Suspension("migration", "ana"))
IGNORING = spec(foreign_jobs=ForeignJobs.IGNORE)
STRICT = spec(catch_up=CatchUp(CatchUpPolicy.NONE))
UNSUPPORTED = spec(unsupported=("jitter",))
PATIENT = spec(min_gap=timedelta(minutes=5))
SKIPPING = spec(when_in_doubt=WhenInDoubt.SKIP)

CASES: dict[str, tuple[Given, str]] = {
    # nothing is due
    "nothing is due": (Given(now="10:14:59"), "wake 10:15"),
    "nothing is due and the view is old": (Given(now="10:14:59", listing="07:00"), "wake 10:15"),
    "nothing is due and a job is active": (Given(now="10:14", jobs=(job("j1", "10:01", RUNNING),)), "wake 10:15"),
    # it starts
    "a due slot starts at its instant": (Given(now="10:15"), "trigger 10:15; wake 10:30"),
    "a listing begun at the slot's instant will do": (
        Given(now="10:15:02", listing="10:15"),
        "trigger 10:15; wake 10:30",
    ),
    "an ended job of an earlier slot is no obstacle": (
        Given(now="10:15", jobs=(job("j1", "10:00"),)),
        "trigger 10:15; wake 10:30",
    ),
    "an active connection is no obstacle": (
        Given(now="10:15", connection=connection(ConnectionStatus.ACTIVE), connection_read="10:00"),
        "trigger 10:15; wake 10:30",
    ),
    "a connection of unknown status is tried": (
        Given(now="10:15", connection=connection(ConnectionStatus.UNKNOWN), connection_read="10:00"),
        "trigger 10:15; wake 10:30",
    ),
    # obstructed, suspended
    "two files claim the connection": (
        Given(now="10:15", obstacle=Reason.DUPLICATE_CONNECTION),
        "Held(DuplicateConnection) 10:15; hold DuplicateConnection; hold DuplicateConnection 10:15; wake 10:30",
    ),
    "two files claim the name, and nothing is due": (
        Given(now="10:14", obstacle=Reason.DUPLICATE_NAME),
        "hold DuplicateName; wake 10:15",
    ),
    "what is not supported yet holds the schedule": (
        Given(now="10:15", spec=UNSUPPORTED),
        "Held(NotYetSupported) 10:15; hold NotYetSupported; hold NotYetSupported 10:15; wake 10:30",
    ),
    "a suspended slot is skipped at once": (
        Given(now="10:15", spec=SUSPENDED),
        "Skipped(Suspended) 10:15; hold Suspended; wake 10:30",
    ),
    "a suspended schedule says so while nothing is due": (
        Given(now="10:14", spec=SUSPENDED),
        "hold Suspended; wake 10:15",
    ),
    # a request under way, a claim that is open
    "a request whose claim is not written yet may be about the slot": (
        Given(now="10:15", in_flight=True),
        "hold TriggerInFlight 10:15; wake 10:30",
    ),
    "a request under way supersedes nothing": (
        Given(now="10:30", in_flight=True),
        "hold TriggerInFlight 10:30; wake 10:45",
    ),
    "a POST under way is waited for": (
        Given(now="10:16", in_flight=True, standing=standing(watermark="10:15", claim=claim())),
        "hold TriggerInFlight 10:15; wake 10:30",
    ),
    "an open claim of an earlier slot makes a due slot wait": (
        Given(now="10:30", standing=standing(watermark="10:15", claim=claim(written="10:29"))),
        "hold InDoubt 10:15; hold ClaimOpen 10:30; need InDoubt from 10:31:05 back to 10:05; wake 10:31:05",
    ),
    # somebody else's job
    "a sync that a person started after the slot counts for it": (
        Given(now="10:20", jobs=(job("j1", "10:17", RUNNING),)),
        "Counted 10:15 by j1; wake 10:30",
    ),
    "a sync in the slot's own second counts": (
        Given(now="10:15", jobs=(job("j1", "10:15", RUNNING),)),
        "Counted 10:15 by j1; wake 10:30",
    ),
    "a sync counts whatever its result": (
        Given(now="10:20", jobs=(job("j1", "10:17", JobStatus.FAILED),)),
        "Counted 10:15 by j1; wake 10:30",
    ),
    "a sync from before the slot does not count, and is over": (
        Given(now="10:15", jobs=(job("j1", "10:10"),)),
        "trigger 10:15; wake 10:30",
    ),
    "a sync from before the slot that is still active overlaps": (
        Given(now="10:15", jobs=(job("j1", "10:10", RUNNING),)),
        "Skipped(Active) 10:15; wake 10:30",
    ),
    "the earliest of several counts": (
        Given(now="10:20", jobs=(job("j2", "10:18", RUNNING), job("j1", "10:16"))),
        "Counted 10:15 by j1; wake 10:30",
    ),
    "a reset counts for no slot, and overlaps while it is active": (
        Given(now="10:20", jobs=(job("j1", "10:17", RUNNING, JobKind.RESET),)),
        "Skipped(Active) 10:15; wake 10:30",
    ),
    "our own job of an earlier slot counts for no other": (
        Given(
            now="10:20",
            jobs=(job("j1", "10:15:01", RUNNING),),
            standing=standing(attributed=ours(j1="10:00")),
        ),
        "Skipped(Active) 10:15; wake 10:30",
    ),
    "foreignJobs Ignore counts nothing, but an active one overlaps": (
        Given(now="10:20", spec=IGNORING, jobs=(job("j1", "10:17", RUNNING),)),
        "Skipped(Active) 10:15; wake 10:30",
    ),
    "foreignJobs Ignore starts beside one that is over": (
        Given(now="10:20", spec=IGNORING, jobs=(job("j1", "10:17"),)),
        "trigger 10:15; wake 10:30",
    ),
    "a counting job is believed also on an old view": (
        Given(now="10:20", listing="10:16", jobs=(job("j1", "10:15:30", RUNNING),), trouble="timeout"),
        "Counted 10:15 by j1; wake 10:30",
    ),
    # refused before
    "a refused slot is tried again after a second": (
        Given(now="10:15:01", standing=standing(setbacks=setbacks("10:15:01", refusals=1, attempts=1))),
        "hold Refused 10:15; wake 10:15:02",
    ),
    "and when the pause is over": (
        Given(now="10:15:02", standing=standing(setbacks=setbacks("10:15:01", refusals=1, attempts=1))),
        "trigger 10:15 attempt 2; wake 10:30",
    ),
    "a third refusal makes it wait four seconds": (
        Given(now="10:15:12", standing=standing(setbacks=setbacks("10:15:10", refusals=3, attempts=3))),
        "hold Refused 10:15; wake 10:15:14",
    ),
    "no pause is longer than thirty seconds": (
        Given(now="10:20", standing=standing(setbacks=setbacks("10:20", refusals=40, attempts=40))),
        "hold Refused 10:15; wake 10:20:30",
    ),
    "a pause beyond the window ends with it": (
        Given(now="10:29:50", standing=standing(setbacks=setbacks("10:29:50", refusals=9, attempts=9))),
        "hold Refused 10:15; wake 10:30",
    ),
    "refusals of both kinds make the pause longer": (
        Given(
            now="10:15:12",
            standing=standing(setbacks=setbacks("10:15:10", refusals=2, rejections=1, attempts=3)),
            connection=connection(ConnectionStatus.ACTIVE),
            connection_read="10:15:10",
        ),
        "hold Refused 10:15; wake 10:15:14",
    ),
    "a rejected request waits for a fresh look at the connection": (
        Given(now="10:15:02", standing=standing(setbacks=setbacks("10:15:01", rejections=1, attempts=1))),
        "hold Refused 10:15; need InDoubt from 10:15:01 with the connection; wake 10:30",
    ),
    "a look from before the rejection is not fresh": (
        Given(
            now="10:15:02",
            standing=standing(setbacks=setbacks("10:15:01", rejections=1, attempts=1)),
            connection=connection(ConnectionStatus.ACTIVE),
            connection_read="10:15",
        ),
        "hold Refused 10:15; need InDoubt from 10:15:01 with the connection; wake 10:30",
    ),
    "after the look it is sent once more": (
        Given(
            now="10:15:03",
            standing=standing(setbacks=setbacks("10:15:01", rejections=1, attempts=1)),
            connection=connection(ConnectionStatus.ACTIVE),
            connection_read="10:15:02",
        ),
        "trigger 10:15 attempt 2; wake 10:30",
    ),
    "a request that was rejected twice is not sent again": (
        Given(now="10:15:09", standing=standing(setbacks=setbacks("10:15:08", rejections=2, attempts=2))),
        "Skipped(Rejected) 10:15; wake 10:30",
    ),
    "after a 429 nothing is asked before Retry-After": (
        Given(now="10:15:10", quiet_until="10:17"),
        "hold Refused 10:15; wake 10:17",
    ),
    "at Retry-After it starts": (Given(now="10:17", quiet_until="10:17"), "trigger 10:15; wake 10:30"),
    "a Retry-After beyond the window ends with it": (
        Given(now="10:16", quiet_until="11:00"),
        "hold Refused 10:15; wake 10:30",
    ),
    "a slot in doubt is not tried again once the spec says Skip": (
        Given(now="10:20", spec=SKIPPING, standing=standing(SKIPPING, setbacks=setbacks("10:19", unknown_attempts=1))),
        "Skipped(InDoubt) 10:15; wake 10:30",
    ),
    "an absent claim under Retry is no reason to wait": (
        Given(now="10:20", standing=standing(setbacks=setbacks("10:20", unknown_attempts=1, attempts=1))),
        "trigger 10:15 attempt 2; wake 10:30",
    ),
    # the connection
    "a paused connection is not asked": (
        Given(now="10:15", connection=connection(ConnectionStatus.INACTIVE), connection_read="10:00"),
        (
            "Held(ConnectionInactive) 10:15; note connectionStatus inactive; hold ConnectionInactive 10:15; "
            "need Settings from 10:16 with the connection; wake 10:30"
        ),
    ),
    "a locked connection is not asked": (
        Given(now="10:15", connection=connection(ConnectionStatus.LOCKED), connection_read="10:00"),
        (
            "Held(ConnectionInactive) 10:15; note connectionStatus locked; hold ConnectionInactive 10:15; "
            "need Settings from 10:16 with the connection; wake 10:30"
        ),
    ),
    "a connection that the platform does not know is not asked": (
        Given(now="10:15", connection_read="10:14"),
        "Held(ConnectionInactive) 10:15; hold ConnectionInactive 10:15; wake 10:30",
    ),
    "what waits is written once": (
        Given(
            now="10:16",
            connection=connection(ConnectionStatus.INACTIVE),
            connection_read="10:00",
            standing=standing(watermark="10:15", pending=(held("10:15", Reason.CONNECTION_INACTIVE),)),
        ),
        "note connectionStatus inactive; hold ConnectionInactive 10:15; need Settings from 10:17 with the connection; wake 10:30",
    ),
    # the view
    "a listing begun before the slot is not enough": (
        Given(now="10:15", listing="10:14:59"),
        "hold AwaitingListing 10:15; need Due from 10:15 back to 10:05; wake 10:30",
    ),
    "there was no listing yet": (
        Given(now="10:15", listing="none"),
        "hold AwaitingListing 10:15; need Due from 10:15 back to 10:05; wake 10:30",
    ),
    "a listing at the age limit will do": (
        Given(now="10:16:30", listing="10:15"),
        "trigger 10:15; wake 10:30",
    ),
    "one beyond the age limit will not": (
        Given(now="10:16:31", listing="10:15"),
        "hold AwaitingListing 10:15; need Due from 10:16:31 back to 10:05; wake 10:30",
    ),
    "a listing that reaches back ten minutes will do": (
        Given(now="10:15", covers="10:05"),
        "trigger 10:15; wake 10:30",
    ),
    "one that reaches back less will not": (
        Given(now="10:15", covers="10:05:01"),
        "hold AwaitingListing 10:15; need Due from 10:15 back to 10:05; wake 10:30",
    ),
    "a platform that cannot be listed": (
        Given(now="10:16", listing="10:10", trouble="timeout"),
        "hold ObservationStale 10:15; need Due from 10:15 back to 10:05; wake 10:30",
    ),
    # overlap
    "a job of unknown status is active": (
        Given(now="10:15", jobs=(job("j1", "10:00", UNKNOWN),)),
        "Skipped(Active) 10:15; wake 10:30",
    ),
    "our own active job overlaps": (
        Given(
            now="10:15",
            jobs=(job("j1", "10:00:01", RUNNING),),
            standing=standing(attributed=ours(j1="10:00")),
        ),
        "Skipped(Active) 10:15; wake 10:30",
    ),
    "any active job of several overlaps": (
        Given(now="10:15", jobs=(job("j2", "10:14"), job("j1", "10:00", JobStatus.QUEUED))),
        "Skipped(Active) 10:15; wake 10:30",
    ),
    # minGap
    "minGap from a person's start": (
        Given(now="10:15", jobs=(job("j1", "10:14:30"),)),
        "Held(MinGap) 10:15; hold MinGap 10:15; wake 10:15:30",
    ),
    "minGap from the latest of several starts": (
        Given(
            now="10:15",
            jobs=(job("j2", "10:14:30"), job("j1", "10:13")),
            standing=standing(last_triggered_at=at("10:00")),
        ),
        "Held(MinGap) 10:15; hold MinGap 10:15; wake 10:15:30",
    ),
    "minGap is over at its end": (Given(now="10:15:30", jobs=(job("j1", "10:14:30"),)), "trigger 10:15; wake 10:30"),
    "minGap from our own start": (
        Given(now="10:15", standing=standing(last_triggered_at=at("10:14:10"))),
        "Held(MinGap) 10:15; hold MinGap 10:15; wake 10:15:10",
    ),
    "the spec's minGap goes before the platform's": (
        Given(now="10:15", spec=PATIENT, jobs=(job("j1", "10:12"),)),
        "Held(MinGap) 10:15; hold MinGap 10:15; wake 10:17",
    ),
    "minGap from a reset": (
        Given(now="10:15", jobs=(job("j1", "10:14:30", JobStatus.SUCCEEDED, JobKind.RESET),)),
        "Held(MinGap) 10:15; hold MinGap 10:15; wake 10:15:30",
    ),
    "a minGap beyond the window ends with it": (
        Given(now="10:15", spec=spec(min_gap=timedelta(hours=1)), jobs=(job("j1", "10:10"),)),
        "Held(MinGap) 10:15; hold MinGap 10:15; wake 10:30",
    ),
    # a platform that the settings do not know
    "an unknown platform": (Given(now="10:15", is_known_platform=False), "hold UnknownPlatform"),
}


@pytest.mark.parametrize(("given", "expected"), CASES.values(), ids=CASES)
def test_a_due_slot_meets_the_rules(given: Given, expected: str) -> None:
    """Every row of the table: what is triggered, recorded, held, needed, and when to ask again."""
    assert plan_of(given) == expected
