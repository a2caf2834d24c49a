"""``maxDuration``, ``stalledAfter``, ``onClose``, ``foreignJobs: Cancel``, freezes: whose job is asked to end, when, and on what view."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from controller.decide.planner import make_plan
from controller.model.job import Job, JobKind, JobStatus
from controller.model.plan import CancelJob
from controller.model.record import Reason
from controller.model.schedule import ForeignJobs, Mode, ScheduleSpec, Suspension
from controller.model.window import OnClose, Window
from tests.unit.decide.given import (
    RUNNING,
    UNKNOWN,
    Given,
    allow,
    at,
    cancelled,
    claim,
    cron,
    deny,
    job,
    ours,
    plan_of,
    spec,
    standing,
)

DAILY = cron("0 8 * * *")
HOUR = timedelta(hours=1)
LIMITED = spec(DAILY, max_duration=HOUR)
IGNORING = spec(DAILY, max_duration=HOUR, foreign_jobs=ForeignJobs.IGNORE)
OBSERVING = spec(DAILY, max_duration=HOUR, mode=Mode.OBSERVE)
SUSPENDED = spec(DAILY, max_duration=HOUR, suspend=Suspension())
UNSUPPORTED = spec(DAILY, max_duration=HOUR, unsupported=("jitter",))
LONG = (job("j1", "09:00", RUNNING),)
OURS = ours(j1="08:00")
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
    "Observe cancels nothing, and says that it is stuck": (
        Given(now="10:00", spec=OBSERVING, jobs=LONG, standing=standing(OBSERVING, "08:00")),
        f"hold Stuck; {NEXT}",
    ),
    "Observe believes that it is stuck after a look since then": (
        Given(now="10:00", spec=OBSERVING, jobs=LONG, standing=standing(OBSERVING, "08:00"), listing="09:30"),
        f"need Limit from 10:00; {NEXT}",
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


def stuck(now: str, moved: str = "09:30", status: JobStatus = RUNNING, **said: Any) -> Given:
    """A job since 9:00 whose rows and bytes last moved at 9:30; half an hour without is too long."""
    jobs = said.pop("jobs", (job("j1", "09:00", status),))
    known = {"attributed": said.pop("attributed")} if "attributed" in said else {}
    schedule = spec(DAILY, stalled_after=timedelta(minutes=30), **said)
    return Given(now=now, spec=schedule, jobs=jobs, moved=moved, standing=standing(schedule, **known))


def shut(now: str, *windows: Window, is_ours: bool = True, **said: Any) -> Given:
    """Our job since 9:00, and windows."""
    schedule = spec(DAILY, windows=windows, **said)
    return Given(
        now=now,
        spec=schedule,
        jobs=LONG,
        standing=standing(schedule, "09:00", attributed=OURS if is_ours else {}),
        moved=now,
    )


def strange(
    now: str = "10:00", jobs: tuple[Job, ...] = LONG, schedule: ScheduleSpec | None = None, **said: Any
) -> Given:
    """A job that nobody of us started, where such jobs are cancelled."""
    known = {name: said.pop(name) for name in ("claim", "attributed", "counted", "watermark") if name in said}
    cancelling = schedule or spec(DAILY, foreign_jobs=ForeignJobs.CANCEL)
    return Given(now=now, spec=cancelling, jobs=jobs, standing=standing(cancelling, **known), **said)


UNTIL_NOON, FOR_EVER = Suspension("incident", until=at("12:00")), Suspension("incident")
(TEN_ON,) = deny("0 10 * * *", 60, OnClose.CANCEL)
(TEN_ON_LET_RUN,) = deny("0 10 * * *", 60)
(TO_TEN,) = allow("0 9 * * *", 60, OnClose.CANCEL)
(TO_TEN_LET_RUN,) = allow("0 9 * * *", 60)
CLOSED = "cancel j1 for WindowClosed; wake 11:00"

MORE: dict[str, tuple[Given, str]] = {
    # stalledAfter
    "stalled: it is looked at four times meanwhile": (
        stuck("09:59:59"),
        "need Limit from 10:07:29; wake 10:00",
    ),
    "stalled: at the limit it is cancelled": (stuck("10:00"), f"cancel j1 for StalledAfter; {NEXT}"),
    "stalled: only on a view begun after it": (
        replace(stuck("10:00"), listing="09:59:59"),
        f"hold AwaitingListing; need Limit from 10:00; {NEXT}",
    ),
    "stalled: a job that moved is not": (
        stuck("10:00", moved="09:59"),
        "need Limit from 10:07:30; wake 10:29",
    ),
    "stalled: a queued job moves nothing yet": (stuck("10:00", status=JobStatus.QUEUED), NEXT),
    "stalled: under Ignore nobody else's": (stuck("10:00", foreign_jobs=ForeignJobs.IGNORE), NEXT),
    "stalled: under Ignore our own": (
        stuck("10:00", foreign_jobs=ForeignJobs.IGNORE, attributed=OURS),
        f"cancel j1 for StalledAfter; {NEXT}",
    ),
    "stalled: a reset never": (stuck("10:00", jobs=(job("j1", "09:00", RUNNING, JobKind.RESET),)), NEXT),
    "stalled: no progress is known": (stuck("10:00", moved=""), NEXT),
    "stalled: while suspended the limit holds": (
        stuck("10:00", suspend=Suspension()),
        f"cancel j1 for StalledAfter; hold Suspended; {NEXT}",
    ),
    "of two limits that are reached the longest run is told": (
        stuck("10:00", max_duration=HOUR),
        CANCEL,
    ),
    # a freeze
    "frozen: nothing is cancelled": (
        Given(now="10:00", spec=spec(DAILY, max_duration=HOUR, freezes=(UNTIL_NOON,)), jobs=LONG),
        "hold Frozen; hold Frozen; wake 12:00",
    ),
    "frozen: at its end it is": (
        Given(now="12:00", spec=spec(DAILY, max_duration=HOUR, freezes=(UNTIL_NOON,)), jobs=LONG),
        CANCEL,
    ),
    "frozen: a job within its limit is said nothing of": (
        replace(
            strange(schedule=spec(DAILY, max_duration=HOUR, freezes=(UNTIL_NOON,)), watermark="09:00"), now="09:30"
        ),
        "hold Frozen; wake 10:00",
    ),
    # onClose
    "closed: our job ends with its window": (shut("10:00", TEN_ON), CLOSED),
    "closed: a second before it runs": (shut("09:59:59", TEN_ON), "wake 10:00"),
    "closed: LetRun lets it run": (shut("10:00", TEN_ON_LET_RUN), NEXT),
    "closed: nobody else's": (shut("10:00", TEN_ON, is_ours=False), NEXT),
    "closed: at the end of an allow window": (shut("10:00", TO_TEN), f"cancel j1 for WindowClosed; {NEXT}"),
    "closed: an allow window that is open": (shut("09:59", TO_TEN), "wake 10:00"),
    "closed: an allow window that lets run": (shut("10:00", TO_TEN_LET_RUN), NEXT),
    "closed: another allow window is open": (shut("10:00", TO_TEN, *allow("0 8 * * *", 240)), "wake 12:00"),
    "closed: of two deny windows one cancels": (shut("10:00", TEN_ON_LET_RUN, TEN_ON), CLOSED),
    "closed: a deny window that lets run hides no allow window that cancels": (
        shut("10:00", TEN_ON_LET_RUN, TO_TEN),
        CLOSED,
    ),
    "closed: an allow window that lets run hides no deny window that cancels": (
        shut("10:00", TEN_ON, TO_TEN_LET_RUN),
        CLOSED,
    ),
    "closed: only on a view begun since": (
        replace(shut("10:00", TEN_ON), listing="09:59:59"),
        "hold AwaitingListing; need Limit from 10:00; wake 11:00",
    ),
    "closed: Observe cancels nothing": (shut("10:00", TEN_ON, mode=Mode.OBSERVE), NEXT),
    "closed: a freeze stops it": (
        shut("10:00", TEN_ON, freezes=(FOR_EVER,)),
        "hold Frozen; hold Frozen; wake 11:00",
    ),
    # somebody else's job
    "foreign: it is cancelled": (strange(), f"cancel j1 for ForeignJob; {NEXT}"),
    "foreign: ours is not": (strange(attributed=OURS), NEXT),
    "foreign: one that counted before the edit is": (
        strange(attributed=OURS, counted=frozenset({"j1"})),
        f"cancel j1 for ForeignJob; {NEXT}",
    ),
    "foreign: a reset never": (strange(jobs=(job("j1", "09:00", RUNNING, JobKind.RESET),)), NEXT),
    "foreign: one of unknown status never": (strange(jobs=(job("j1", "09:00", UNKNOWN),)), NEXT),
    "foreign: not while a claim is open": (
        strange("08:01", (job("j1", "07:00", RUNNING),), claim=claim("08:00", baseline=("j1",)), watermark="08:00"),
        "hold InDoubt 08:00; need InDoubt from 08:02:05 back to 07:50; wake 08:02:05",
    ),
    "foreign: not while a request is under way": (strange(in_flight=True), NEXT),
    "foreign: not on a view that is too old": (
        strange(listing="09:58"),
        f"hold AwaitingListing; need Limit from 09:00; {NEXT}",
    ),
    "foreign: while suspended too": (
        strange(schedule=spec(DAILY, foreign_jobs=ForeignJobs.CANCEL, suspend=Suspension())),
        f"cancel j1 for ForeignJob; hold Suspended; {NEXT}",
    ),
    "foreign: it counts for no slot, and overlaps": (
        strange("08:01", (job("j1", "08:00:30", RUNNING),), watermark="07:00"),
        f"cancel j1 for ForeignJob; Skipped(Active) 08:00; {NEXT}",
    ),
}


@pytest.mark.parametrize(("given", "expected"), MORE.values(), ids=MORE)
def test_a_job_ends_where_its_spec_says_so(given: Given, expected: str) -> None:
    """Every row of the table: no progress, a closed window, somebody else's job; and a freeze that stops all of it."""
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
