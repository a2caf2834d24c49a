"""``maxDuration``, as a table: whose job is asked to end, when, and what must be seen first."""

from datetime import timedelta

import pytest

from controller.decide.planner import make_plan
from controller.model.job import JobKind, JobStatus
from controller.model.plan import CancelJob
from controller.model.record import Reason
from controller.model.schedule import ForeignJobs, Mode, Suspension
from tests.unit.decide.given import RUNNING, UNKNOWN, Given, at, cancelled, cron, job, plan_of, spec, standing

DAILY = cron("0 8 * * *")
HOUR = timedelta(hours=1)
LIMITED = spec(DAILY, max_duration=HOUR)
IGNORING = spec(DAILY, max_duration=HOUR, foreign_jobs=ForeignJobs.IGNORE)
OBSERVING = spec(DAILY, max_duration=HOUR, mode=Mode.OBSERVE)
SUSPENDED = spec(DAILY, max_duration=HOUR, suspend=Suspension())
UNSUPPORTED = spec(DAILY, max_duration=HOUR, unsupported=("jitter",))
LONG = (job("j1", "09:00", RUNNING),)
OURS = {"j1": at("08:00")}
NEXT = "wake +1d 08:00"
CANCEL = f"cancel j1 for MaxDuration; {NEXT}"
ASKED = standing(LIMITED, cancel=cancelled("j1", "10:00"))
ASKED_TWICE = standing(LIMITED, cancel=cancelled("j1", "10:00:30", requests=2))

CASES: dict[str, tuple[Given, str]] = {
    "before the limit it is waited for": (Given(now="09:59:59", spec=LIMITED, jobs=LONG), "wake 10:00"),
    "at the limit it is cancelled": (Given(now="10:00", spec=LIMITED, jobs=LONG), CANCEL),
    "only on a view begun after the limit": (
        Given(now="10:00", spec=LIMITED, jobs=LONG, listing="09:59:59"),
        f"hold AwaitingListing; need Limit from 10:00; {NEXT}",
    ),
    "and not on one that is too old": (
        Given(now="10:02", spec=LIMITED, jobs=LONG, listing="10:00:29"),
        f"hold AwaitingListing; need Limit from 10:00; {NEXT}",
    ),
    "without a limit nothing is cancelled": (
        Given(now="12:00", spec=spec(DAILY), jobs=LONG),
        NEXT,
    ),
    "a job that is over is not": (Given(now="10:00", spec=LIMITED, jobs=(job("j1", "09:00"),)), NEXT),
    "our own job": (Given(now="10:00", spec=LIMITED, jobs=LONG, standing=standing(LIMITED, attributed=OURS)), CANCEL),
    "under Ignore our own": (
        Given(now="10:00", spec=IGNORING, jobs=LONG, standing=standing(IGNORING, attributed=OURS)),
        CANCEL,
    ),
    "under Ignore nobody else's": (Given(now="10:00", spec=IGNORING, jobs=LONG), NEXT),
    "Observe cancels nothing": (
        Given(now="10:00", spec=OBSERVING, jobs=LONG, standing=standing(OBSERVING, "08:00")),
        NEXT,
    ),
    "while suspended the limit holds": (
        Given(now="10:00", spec=SUSPENDED, jobs=LONG),
        f"cancel j1 for MaxDuration; hold Suspended; {NEXT}",
    ),
    "two files that claim it leave its jobs alone": (
        Given(now="10:00", spec=LIMITED, jobs=LONG, obstacle=Reason.DUPLICATE_CONNECTION),
        f"hold DuplicateConnection; {NEXT}",
    ),
    "a schedule held as a whole cancels nothing": (
        Given(now="10:00", spec=UNSUPPORTED, jobs=LONG),
        f"hold NotYetSupported; {NEXT}",
    ),
    "a reset never": (Given(now="10:00", spec=LIMITED, jobs=(job("j1", "09:00", RUNNING, JobKind.RESET),)), NEXT),
    "a job of unknown status never": (Given(now="10:00", spec=LIMITED, jobs=(job("j1", "09:00", UNKNOWN),)), NEXT),
    "a queued job as well as a running one": (
        Given(now="10:00", spec=LIMITED, jobs=(job("j1", "09:00", JobStatus.QUEUED),)),
        CANCEL,
    ),
    "only the newest active job": (
        Given(now="10:00", spec=LIMITED, jobs=(job("j2", "09:30", RUNNING), *LONG)),
        "wake 10:30",
    ),
    "not while a request about the connection is under way": (
        Given(now="10:00", spec=LIMITED, jobs=LONG, in_flight=True),
        f"hold CancelInFlight; {NEXT}",
    ),
    "one that was asked is waited for in its rhythm": (
        Given(now="10:00:10", spec=LIMITED, jobs=LONG, standing=ASKED),
        "hold MaxDuration; need Cancelling from 10:00:30; wake 10:00:30",
    ),
    "it is asked again after half a minute": (Given(now="10:00:30", spec=LIMITED, jobs=LONG, standing=ASKED), CANCEL),
    "on a view begun after that": (
        Given(now="10:00:30", spec=LIMITED, jobs=LONG, standing=ASKED, listing="10:00:29"),
        f"hold MaxDuration; need Cancelling from 10:00:30; {NEXT}",
    ),
    "and a third time after a minute more": (
        Given(now="10:01:29", spec=LIMITED, jobs=LONG, standing=ASKED_TWICE),
        "hold MaxDuration; need Cancelling from 10:01:30; wake 10:01:30",
    ),
    "a cancel of another job says nothing about this one": (
        Given(now="10:00", spec=LIMITED, jobs=LONG, standing=standing(LIMITED, cancel=cancelled("j0", "09:59:59"))),
        CANCEL,
    ),
    "a slot due meanwhile finds the job active": (
        Given(now="10:15", spec=spec(max_duration=HOUR), jobs=LONG),
        "cancel j1 for MaxDuration; Skipped(Active) 10:15; wake 10:30",
    ),
    "without a permit it waits for its turn": (
        Given(now="10:00", spec=LIMITED, jobs=LONG, permits=0),
        f"hold AwaitingTurn; {NEXT}",
    ),
}


@pytest.mark.parametrize(("given", "expected"), CASES.values(), ids=CASES)
def test_a_job_that_runs_too_long_is_cancelled(given: Given, expected: str) -> None:
    """Every row of the table: only what the spec says, only the newest active sync, only on a fresh view."""
    assert plan_of(given) == expected


@pytest.mark.parametrize(
    ("limit", "text"),
    [
        (timedelta(days=2), "2d"),
        (timedelta(days=1), "1d"),
        (timedelta(hours=36), "36h"),
        (timedelta(minutes=90), "90m"),
        (timedelta(seconds=90), "90s"),
    ],
)
def test_the_message_says_the_limit_as_it_is_written(limit: timedelta, text: str) -> None:
    """A person finds the limit in the spec by the words of the message."""
    given = Given(now="+4d 07:00", spec=spec(DAILY, max_duration=limit), jobs=(job("j1", "-1d 09:00", RUNNING),))
    action, *_ = make_plan(given.known()).actions
    assert isinstance(action, CancelJob)
    assert action.message.endswith(f"longer than maxDuration {text}")
