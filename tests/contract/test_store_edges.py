"""What every store makes of syncs, schedules and local times that come late, come again, or make no sense."""

from dataclasses import replace
from datetime import timedelta

import pytest

from controller.errors import SlotAlreadyClaimed
from controller.model.job import Job, JobStatus
from controller.model.record import ClaimStatus, Outcome, Reason, SlotRecord, Success
from controller.ports.store import Decisions, Store
from tests.unit.adapters.stores.samples import (
    NOON,
    ORDERS,
    USERS,
    accept,
    claim_of,
    job_of,
    minute,
    record_of,
    run,
    settle,
    spec_of,
    standing,
)


def failed(job_id: str, ended: float) -> Job:
    """A sync that failed."""
    return job_of(job_id, ended - 1, status=JobStatus.FAILED, ended=ended)


def succeeded(job_id: str, ended: float) -> Job:
    """A sync that succeeded."""
    return job_of(job_id, ended - 1, status=JobStatus.SUCCEEDED, ended=ended)


def walled(at: float, wall: str, outcome: Outcome = Outcome.SKIPPED) -> SlotRecord:
    """A record of a slot that a fixed time made."""
    return replace(record_of(outcome, at), wall=wall)


def test_a_failure_of_the_very_second_of_a_success_does_not_count(store: Store) -> None:
    """Only what ended after the last success is a failure since then."""
    run(store.save_jobs("acme", [succeeded("5", 5)]))
    run(store.save_jobs("acme", [failed("6", 6), failed("4", 5)]))
    assert standing(store).failures == 1


def test_a_success_is_never_revised(store: Store) -> None:
    """A platform that moves the end of a job afterwards moves nothing here."""
    run(store.save_jobs("acme", [succeeded("1", 1)]))
    run(store.save_jobs("acme", [succeeded("1", 99)]))
    assert standing(store).last_success == Success("1", minute(1))


def test_a_duration_beyond_the_calendar_does_no_harm(store: Store) -> None:
    """The job is kept, and counts as ended when it was created."""
    absurd = replace(succeeded("1", 1), ended_at=None, duration=timedelta(days=9_999_999))
    run(store.save_jobs("acme", [absurd]))
    assert standing(store).last_success == Success("1", minute(0))
    assert run(store.jobs(ORDERS, 5)) == ((absurd, None),)


def test_a_schedule_that_returns_begins_a_new_row_of_failures(store: Store) -> None:
    """Going out of force keeps failures and success; coming back, even unchanged, is a new try."""
    run(store.apply(Decisions(accepted=[accept(spec_of(), NOON)])))
    run(store.save_jobs("acme", [succeeded("1", 1), failed("2", 2)]))
    run(store.apply(Decisions(accepted=[accept(spec_of(), NOON, 2)])))
    run(store.apply(Decisions(accepted=[accept(None, NOON, 3)])))
    success = Success("1", minute(1))
    assert (standing(store).failures, standing(store).last_success) == (1, success)
    run(store.apply(Decisions(accepted=[accept(spec_of(), NOON, 4)])))
    assert (standing(store).failures, standing(store).last_success) == (0, success)


def test_what_syncs_came_to_outlives_pruning(store: Store) -> None:
    """The jobs go, and the row of failures and the success stay."""
    run(store.save_jobs("acme", [succeeded("1", 1), failed("2", 2)]))
    run(store.prune(minute(1_000)))
    assert run(store.jobs(ORDERS, 5)) == ()
    assert (standing(store).failures, standing(store).last_success) == (1, Success("1", minute(1)))


def test_a_schedule_out_of_force_has_no_latest_job(store: Store) -> None:
    """Connections come in order, and go with their schedule."""
    run(store.apply(Decisions(accepted=[accept(spec_of(ref=ref), NOON, ref=ref) for ref in (USERS, ORDERS)])))
    run(store.save_jobs("acme", [job_of("2", ref=USERS), job_of("1")]))
    assert run(store.latest_jobs("acme")) == (job_of("1"), job_of("2", ref=USERS))
    run(store.apply(Decisions(accepted=[accept(None, NOON, 2)])))
    assert run(store.latest_jobs("acme")) == (job_of("2", ref=USERS),)


def test_local_times_reach_back_26_hours_from_the_watermark(store: Store) -> None:
    """The instant at the very edge is told, the one before it is not."""
    records = [walled(-1, "A 1"), walled(0, "A 2"), record_of(Outcome.SKIPPED, 26 * 60)]
    run(store.apply(Decisions(records=records)))
    assert standing(store).walls == {"A 2": minute(0)}


def test_the_older_slot_has_a_local_time_whichever_was_written_first(store: Store) -> None:
    """Records may be written in any order."""
    run(store.apply(Decisions(records=[walled(60, "A 1; A 2"), walled(0, "A 1")])))
    assert standing(store).walls == {"A 1": minute(0), "A 2": minute(60)}


def test_a_local_time_is_kept_where_a_later_record_has_none(store: Store) -> None:
    """A record that replaces another one keeps its local times, unless it has some itself."""
    run(store.apply(Decisions(records=[walled(0, "A 1", Outcome.HELD), walled(15, "A 2", Outcome.HELD)])))
    run(store.apply(Decisions(records=[record_of(Outcome.SKIPPED, 0), walled(15, "A 3")])))
    assert standing(store).walls == {"A 1": minute(0), "A 3": minute(15)}


def test_a_slot_that_was_pruned_has_no_local_time(store: Store) -> None:
    """With its record goes what it stands for."""
    run(store.apply(Decisions(records=[walled(0, "A 1"), walled(15, "A 2")])))
    run(store.prune(minute(1_000)))
    assert standing(store).walls == {"A 2": minute(15)}


def test_nothing_is_recorded_beside_an_open_claim(store: Store) -> None:
    """Whoever read the store before the claim was written decides too late: its POST may be under way."""
    run(store.claim(claim_of()))
    with pytest.raises(SlotAlreadyClaimed, match="its claim is open"):
        run(store.apply(Decisions(records=[record_of(Outcome.MISSED, reason=Reason.DEADLINE)])))
    assert [record.outcome for record in run(store.slots(ORDERS, 5))] == [Outcome.IN_DOUBT]
    absent = settle(claim_of(), ClaimStatus.ABSENT, record_of(Outcome.HELD, reason=Reason.AWAITING_TURN))
    run(store.apply(Decisions(settled=[absent], records=[record_of(Outcome.MISSED, reason=Reason.DEADLINE)])))
    assert [record.outcome for record in run(store.slots(ORDERS, 5))] == [Outcome.MISSED]
