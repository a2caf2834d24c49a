"""Sentences for people: every outcome, reason, hold and action has one."""

from datetime import UTC, datetime, timedelta

import pytest

from controller.decide import explain
from controller.decide.explain import explain_action, explain_hold, explain_record
from controller.model.identity import ClaimKey, ConnectionRef, SlotKey
from controller.model.job import Job, JobKind, JobStatus
from controller.model.plan import AcceptSchedule, Action, CancelJob, Hold, RecordSlot, SettleClaim, TriggerSync
from controller.model.record import STOOD_AGAINST, Claim, ClaimStatus, Outcome, Reason, SlotRecord
from controller.model.schedule import Origin, ScheduleSpec
from tests.unit.outcomes import reasons_of

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
REF = ConnectionRef("default", "conn_orders")
SLOT = SlotKey(REF, NOON)
SPEC = ScheduleSpec("orders", "default", "conn_orders", (), Origin("orders.yaml", 1), content="{}")
PAIRS = [(outcome, reason) for outcome in Outcome for reason in reasons_of(outcome)]


def record(
    outcome: Outcome,
    reason: Reason | None = None,
    message: str = "",
    *,
    late: float = 0,
    job_id: str | None = None,
    adopted: bool = False,
    count: int = 1,
) -> SlotRecord:
    """A slot's record."""
    decided_at = NOON + timedelta(seconds=late)
    return SlotRecord(SLOT, outcome, decided_at, "orders", reason, message, job_id, adopted=adopted, count=count)


def is_sentence(text: str) -> bool:
    """More than a word, no word of code, nothing that shows that something was missing."""
    return len(text.split()) >= 3 and "None" not in text and "_" not in text.replace("job_7", "")


@pytest.mark.parametrize(("outcome", "reason"), PAIRS, ids=[f"{o}-{r}" for o, r in PAIRS])
def test_every_outcome_and_reason_has_a_sentence(outcome: Outcome, reason: Reason | None) -> None:
    """Whatever a slot came to, `explain` has words for it, also where the record holds no message."""
    assert is_sentence(explain_record(record(outcome, reason, job_id="job_7")))


@pytest.mark.parametrize("reason", Reason)
def test_every_hold_has_a_sentence(reason: Reason) -> None:
    """Whatever a schedule waits for, `explain` has words for it, also where the hold holds no message."""
    assert is_sentence(explain_hold(Hold(REF, "orders", reason, "")))


def test_the_reasons_of_a_skip_are_those_that_stood_against_it() -> None:
    """The sentences of skips cover exactly the closed list."""
    assert set(reasons_of(Outcome.SKIPPED)) == STOOD_AGAINST == set(explain.SKIPPED)


def test_no_two_reasons_of_an_outcome_say_the_same() -> None:
    """A sentence tells which reason it was."""
    for meanings in (explain.SKIPPED, explain.MISSED, explain.WAITING):
        assert len(set(meanings.values())) == len(meanings)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (record(Outcome.TRIGGERED, job_id="job_7", late=0.4), "started job_7 on time"),
        (record(Outcome.TRIGGERED, job_id="job_7", late=12), "started job_7 12 s late"),
        (record(Outcome.TRIGGERED, job_id="job_7", late=600), "started job_7 10 min late"),
        (
            record(Outcome.TRIGGERED, job_id="job_7", adopted=True),
            "made job_7, which was found while the answer to the request was unknown",
        ),
        (
            record(Outcome.COUNTED, message="job_7 was started elsewhere at 12:00:10Z", job_id="job_7"),
            "job_7 was started elsewhere at 12:00:10Z, and counts for it",
        ),
        (record(Outcome.SKIPPED, Reason.ACTIVE, "job_7 was still running"), "job_7 was still running"),
        (
            record(Outcome.SKIPPED, Reason.SUSPENDED, "moving house (by ana)"),
            "the schedule was suspended: moving house (by ana)",
        ),
        (
            record(Outcome.MISSED, Reason.SUPERSEDED, "nobody could start it before a newer slot was due", count=1200),
            "1,200 slots: nobody could start it before a newer slot was due",
        ),
        (
            record(Outcome.MISSED, Reason.DEADLINE, "its window ended at 13:00:00Z: no controller ran"),
            "its window ended at 13:00:00Z: no controller ran",
        ),
        (record(Outcome.IN_DOUBT, message="claimed"), "whether its request made a job is not known yet"),
    ],
)
def test_a_record_is_told_in_one_sentence(given: SlotRecord, sentence: str) -> None:
    """The general reason and the particular message make one sentence, and neither repeats the other."""
    assert explain_record(given) == sentence


CLAIM = Claim(ClaimKey(SLOT, 0), 1, NOON, frozenset(), "orders")
JOB = Job("job_7", "conn_orders", JobKind.SYNC, JobStatus.RUNNING, NOON)


@pytest.mark.parametrize(
    ("action", "sentence"),
    [
        (
            AcceptSchedule(REF, SPEC, NOON, 1, "r", "orders"),
            "comes into force: its slots count from now on, none is made up",
        ),
        (AcceptSchedule(REF, SPEC, NOON, 3, "r", "orders"), "its edit comes into force as generation 3"),
        (
            AcceptSchedule(REF, None, NOON, 3, "r", "orders"),
            "goes out of force: no spec names its connection any more",
        ),
        (
            RecordSlot(record(Outcome.SKIPPED, Reason.ACTIVE, "job_7 was still running")),
            "Skipped(Active): job_7 was still running",
        ),
        (
            SettleClaim(CLAIM, ClaimStatus.ADOPTED, record(Outcome.TRIGGERED, job_id="job_7", adopted=True), JOB),
            "Triggered: made job_7, which was found while the answer to the request was unknown",
        ),
        (TriggerSync(CLAIM), "it is due, and nothing stands against it"),
        (
            TriggerSync(Claim(ClaimKey(SLOT, 0), 2, NOON, frozenset(), "orders")),
            "it is due, and nothing stands against it (attempt 2)",
        ),
        (CancelJob(REF, "orders", JOB, Reason.MAX_DURATION, "active for too long"), "job_7: active for too long"),
    ],
)
def test_an_action_says_what_is_done_and_why(action: Action, sentence: str) -> None:
    """Every kind of action has a sentence."""
    assert explain_action(action) == sentence
