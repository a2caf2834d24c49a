"""What becomes of what people ask for: what stands against it, what it waits for, and that nothing of it starts later."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from controller.decide.check import check_plan
from controller.decide.planner import make_plan
from controller.model.asked import Asked, Request, RequestStatus, Source
from controller.model.connection import ConnectionStatus
from controller.model.identity import ClaimKey
from controller.model.job import JobKind, JobStatus
from controller.model.plan import TriggerSync
from controller.model.record import Answer, CancelRequest, Claim, Reason
from controller.model.schedule import CatchUp, CatchUpPolicy, Mode, Origin, Retry, Suspension
from tests.unit.decide.given import (
    NIGHTLY,
    REF,
    Given,
    at,
    connection,
    decide,
    deny,
    every,
    job,
    plan_of,
    spec,
    standing,
    told,
)

MICROSECOND = timedelta(microseconds=1)
RUNNING = JobStatus.RUNNING


def request(action: Asked = Asked.TRIGGER, made: str = "10:05", expires: str = "10:06", **more: Any) -> Request:
    """What somebody asked for at an instant."""
    expires_at = at(expires) if expires else None
    made_at = at(made) + MICROSECOND
    return Request("k", REF, "nightly", action, Source.BY_HAND, made_at, "ana", "why", expires_at=expires_at, **more)


def given(*requests: Request, now: str = "10:05:02", listing: str = "10:05:01", **more: Any) -> Given:
    """A connection with requests, seen since they were made."""
    schedule, known = more.pop("spec", NIGHTLY), more.pop("known", {})
    return Given(
        now=now, listing=listing, spec=schedule, standing=standing(schedule, requests=requests, **known), **more
    )


def said(*requests: Request, **more: Any) -> str:
    """What is decided, without when to look again."""
    return plan_of(given(*requests, **more)).partition("; wake")[0]


def claim_of(asked: Request, **more: Any) -> Claim:
    """Its open claim."""
    key = ClaimKey(asked.slot, 0)
    return Claim(key, 1, at("10:05:02"), frozenset({"j1"}), "nightly", request="k", kind=asked.job_kind, **more)


def test_a_trigger_starts_under_a_claim_of_its_own() -> None:
    """Named by the request, for the kind of job that it asks for; no slot's record is written."""
    asked = request()
    (action,) = decide(given(asked)).actions
    assert isinstance(action, TriggerSync)
    assert (action.claim.request, action.claim.kind, action.claim.key) == ("k", JobKind.SYNC, ClaimKey(asked.slot, 0))


STALLED = {"failures": 3}
CLOSED = deny("0 10 * * *", 30)


@pytest.mark.parametrize(
    ("more", "word"),
    [
        ({"spec": spec(suspend=Suspension("moving", "bob"))}, "Suspended: moving (by bob)"),
        ({"spec": spec(by_hand=Suspension("moving", "bob"))}, "Suspended: moving (by bob)"),
        ({"spec": spec(freezes=(Suspension("incident"),))}, "Frozen: incident"),
        ({"spec": spec(mode=Mode.OBSERVE)}, "Observe: it is only observed, and nothing is written to the platform"),
        ({"spec": spec(windows=CLOSED)}, "WindowClosed"),
        ({"spec": spec(failure_budget=3), "known": STALLED}, "Stalled: 3 syncs failed in a row"),
        ({"spec": spec(unsupported=("drift",))}, "NotYetSupported"),
        ({"spec": spec(name="other")}, "Deleted"),
        ({"spec": None}, "Deleted"),
        ({"obstacle": Reason.DUPLICATE_NAME}, "DuplicateName"),
        ({"jobs": (job("j1", "10:01", RUNNING),)}, "Active: j1 is still running"),
        ({"jobs": (job("j1", "10:04:30"),)}, "MinGap"),
        ({"connection": connection(ConnectionStatus.INACTIVE), "connection_read": "10:05:02"}, "ConnectionInactive"),
    ],
)
@pytest.mark.parametrize("action", [Asked.TRIGGER, Asked.RESET])
def test_what_stands_against_a_person_refuses_at_once(action: Asked, more: dict[str, Any], word: str) -> None:
    """With the reason; a slot may wait for some of it, and a person would not be there any more."""
    if action is Asked.RESET and word == "MinGap":
        word = "hold MinGap"
    if more.get("spec", NIGHTLY) is None:
        more = more | {"known": {"calendar_key": None, "content": ""}}
    found = plan_of(given(request(action), allow_resets=True, **more))
    expected = word if word.startswith("hold") else f"answer {action} Refused: {word}"
    assert expected in found
    assert "trigger" not in found


@pytest.mark.parametrize("more", [{}, {"expires_at": at("10:05:01")}, {"is_withdrawn": True}])
def test_a_run_that_only_observes_answers_a_person_and_no_document(more: dict[str, Any]) -> None:
    """A document's key counts once and for ever, so a trial run must not use it up, neither as refused nor as over."""
    document = replace(request(Asked.SYNC, expires=""), source=Source.SPEC, **more)
    answers = []
    for asked in (document, request()):
        known = given(asked, spec=spec(mode=Mode.OBSERVE)).known()
        answers.append(told(make_plan(replace(known, observes=True)).connections[0]))
    assert "hold Observe" in answers[0]
    assert "answer" not in answers[0]
    assert "answer Trigger Refused: Observe" in answers[1]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"jobs": (job("j1", "10:01", RUNNING),)}, "hold Active"),
        ({"jobs": (job("j1", "10:04:30"),)}, "hold MinGap"),
        ({"spec": spec(windows=CLOSED)}, "hold WindowClosed"),
        ({"spec": spec(suspend=Suspension("moving"))}, "answer Sync Refused: Suspended: moving"),
    ],
)
def test_a_document_waits_for_what_passes(more: dict[str, Any], expected: str) -> None:
    """The end of a job, the gap, a window; what a person must lift refuses it."""
    assert expected in said(request(Asked.SYNC, expires=""), **more)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (
            request(expires="10:05:02"),
            "answer Trigger Expired: it could not be carried out before 2026-03-02 10:05:02Z",
        ),
        (request(Asked.SYNC, is_withdrawn=True), "answer Sync Withdrawn: its document is gone from the specs"),
        (request(Asked.SYNC, expires="", not_before=at("10:07")), ""),
        (request(Asked.RESET, expires="11:00"), "answer Reset Refused: NotAllowed"),
        (request(status=RequestStatus.CLAIMED), ""),
        (request(Asked.SUSPEND, expires="", until=at("11:00")), "answer Suspend Done: suspended: why (by ana), until"),
    ],
)
def test_what_is_over_or_not_yet_is_not_started(asked: Request, expected: str) -> None:
    """Nothing is triggered, whatever the schedule would let start."""
    found = said(asked)
    assert found.startswith(expected)
    assert "trigger" not in found
    assert "hold" not in found


def test_nothing_starts_on_an_old_view() -> None:
    """A listing begun since somebody asked is awaited; somebody waits for it."""
    found = plan_of(given(request(), listing="10:04:59"))
    assert "hold AwaitingListing" in found
    assert "answer" not in found


def test_a_connection_that_was_inactive_is_read_once_more() -> None:
    """Whoever has just activated it is not refused for an old view of it."""
    inactive = connection(ConnectionStatus.INACTIVE)
    found = plan_of(given(request(), connection=inactive, connection_read="10:01"))
    assert "hold AwaitingListing" in found


def test_a_request_goes_before_a_due_slot_and_one_of_them_starts() -> None:
    """The slot is judged once the job of the request is there."""
    first, second = request(Asked.SYNC, "10:16", ""), replace(request(Asked.SYNC, "10:16:01", ""), key="l")
    plan = decide(given(first, second, now="10:16:05", listing="10:16:04"))
    (action,) = [each for each in plan.actions if isinstance(each, TriggerSync)]
    assert action.claim.request == "k"


@pytest.mark.parametrize(
    ("permits", "expected"),
    [
        (1, "trigger 10:16:00.000001; Held(AwaitingTurn) 10:30"),
        (0, "Held(AwaitingTurn) 10:30; hold AwaitingTurn 10:16:00.000001"),
    ],
)
def test_a_slot_that_lets_a_request_go_first_was_seen(permits: int, expected: str) -> None:
    """Where only slots that were seen in time may start late, that is written down, whether the request has a permit or not."""
    strict = spec(every(30), catch_up=CatchUp(CatchUpPolicy.NONE))
    known = standing(strict, "10:01", requests=(request(Asked.SYNC, "10:16", ""),))
    found = plan_of(Given(now="10:30:05", spec=strict, standing=known, listing="10:30:04", permits=permits))
    assert found.partition("; wake")[0] == expected


@pytest.mark.parametrize(
    ("answer", "listing", "expected"),
    [
        (Answer.UNKNOWN, "10:05:30", "hold InDoubt"),
        (Answer.UNKNOWN, "10:09", "settle Absent: Missed(InDoubt)"),
        (Answer.BUSY, "10:09", "settle Absent: Missed(InDoubt)"),
    ],
)
def test_absence_is_the_end_of_it(answer: Answer, listing: str, expected: str) -> None:
    """No second POST after an unknown outcome, although the spec says ``whenInDoubt: Retry``."""
    asked = request(expires="", status=RequestStatus.CLAIMED)
    known = {"claim": claim_of(asked, answer=answer, answered_at=at("10:05:03"))}
    seen = {"connection": connection(ConnectionStatus.ACTIVE), "connection_read": "10:05:04"}
    assert plan_of(given(asked, now="10:09:01", listing=listing, known=known, **seen)).startswith(expected)


@pytest.mark.parametrize(
    ("action", "kind", "adopted"),
    [
        (Asked.TRIGGER, JobKind.SYNC, True),
        (Asked.TRIGGER, JobKind.RESET, False),
        (Asked.RESET, JobKind.RESET, True),
        (Asked.RESET, JobKind.SYNC, False),
    ],
)
def test_a_doubt_adopts_only_its_own_kind(action: Asked, kind: JobKind, adopted: bool) -> None:
    """A sync that somebody started is no proof that data was cleared."""
    asked = request(action, status=RequestStatus.CLAIMED)
    known = {"claim": claim_of(asked, answer=Answer.UNKNOWN)}
    found = plan_of(given(asked, known=known, jobs=(job("j2", "10:05:02", RUNNING, kind),)))
    assert found.startswith("settle Adopted") == adopted


@pytest.mark.parametrize(
    ("jobs", "more", "expected"),
    [
        ((job("j1", "10:01", RUNNING),), {}, "cancel j1 for Requested"),
        ((), {}, "answer Cancel Refused: Active: nothing is active"),
        ((job("j1", "10:01", RUNNING, JobKind.RESET),), {}, "answer Cancel Refused: Active: j1 is a reset"),
        (
            (job("j1", "10:01", RUNNING),),
            {"spec": spec(freezes=(Suspension("x"),))},
            "answer Cancel Refused: Frozen: x",
        ),
        ((job("j1", "10:01", RUNNING),), {"spec": spec(mode=Mode.OBSERVE)}, "answer Cancel Refused: Observe"),
        ((job("j1", "10:01", RUNNING),), {"listing": "10:04"}, "hold AwaitingListing"),
    ],
)
def test_a_cancel_ends_a_sync_of_anybody(jobs: tuple[Any, ...], more: dict[str, Any], expected: str) -> None:
    """Never a reset, not under a freeze, not on an old view; suspended or not."""
    assert expected in plan_of(given(request(Asked.CANCEL), jobs=jobs, **more))


def test_a_cancel_is_done_when_the_end_was_seen() -> None:
    """The answer names the job and what it came to."""
    known = {"cancel": CancelRequest(REF, "j1", Reason.REQUESTED, at("10:05:03"))}
    jobs = (job("j1", "10:01", JobStatus.CANCELLED),)
    assert said(request(Asked.CANCEL), jobs=jobs, known=known).startswith("answer Cancel Done: j1 is cancelled")


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"known": {"suspended": Suspension("x", "bob")}}, "Done: no longer suspended: x (by bob)"),
        ({"known": {"failures": 3}, "spec": spec(failure_budget=3)}, "Done: no longer stalled: the row of 3 failures"),
        ({}, "Done: nothing was suspended by hand"),
        ({"spec": spec(freezes=(Suspension("x"),))}, "Refused: Frozen"),
        (
            {"spec": spec(suspend=Suspension("x"), origins={"suspend": Origin("a.yaml", 9)})},
            "Refused: Suspended: it is suspended in a.yaml:9",
        ),
    ],
)
def test_a_resume_ends_what_a_command_can_end(more: dict[str, Any], expected: str) -> None:
    """What stands in a file is named with its place."""
    assert f"answer Resume {expected}" in said(request(Asked.RESUME, expires=""), **more)


def test_slots_that_passed_under_a_suspension_are_skipped_in_the_cycle_of_the_resume() -> None:
    """Nothing is made up for them, also where nobody looked before somebody resumed."""
    by_hand = Suspension("x", "bob")
    schedule = spec(by_hand=by_hand)
    found = plan_of(
        given(
            request(Asked.RESUME, expires=""),
            now="10:16",
            spec=schedule,
            known={"suspended": by_hand},
            listing="10:15:59",
        )
    )
    assert "answer Resume Done" in found
    assert "Skipped(Suspended) 10:15" in found


def test_a_failed_job_that_was_asked_for_is_not_tried_again() -> None:
    """``retry`` is about slots."""
    asked = request()
    schedule = spec(retry=Retry())
    known = {"attributed": {"j1": ClaimKey(asked.slot, 0)}}
    found = plan_of(
        given(spec=schedule, known=known, jobs=(job("j1", "10:05", JobStatus.FAILED),), now="10:12", listing="10:12")
    )
    assert "RetryPending" not in found


def _broken(asked: Request, kept: tuple[Request, ...], **more: Any) -> bool:
    """Whether a plan that starts one request is refused where the store keeps others."""
    honest = given(asked, **more)
    plan = make_plan(honest.known())
    assert any(isinstance(action, TriggerSync) for action in plan.actions)
    changed = replace(honest, standing=replace(honest.standing or standing(), requests=kept))
    return bool(check_plan(changed.known(), plan))


@pytest.mark.parametrize(
    "kept",
    [
        (),
        (request(status=RequestStatus.CLAIMED),),
        (request(expires="10:05:02"),),
        (request(not_before=at("10:08")),),
        (request(is_withdrawn=True),),
        (request(Asked.RESET),),
    ],
)
def test_a_plan_that_starts_what_nobody_asks_for_is_refused(kept: tuple[Request, ...]) -> None:
    """The promise is checked beside the rules that keep it."""
    assert _broken(request(), kept)
    assert not _broken(request(), (request(),))
