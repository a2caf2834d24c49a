"""What every store keeps of how a connection's syncs went, of retries, of local times and of policies."""

from dataclasses import replace
from datetime import timedelta

import pytest

from controller.model.identity import ClaimKey
from controller.model.job import Job, JobKind, JobStatus
from controller.model.plan import RearmFreshness
from controller.model.record import ClaimStatus, Outcome, Reason, Setbacks, Success
from controller.ports.store import Decisions, Store, StoredPolicy
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
    slot,
    spec_of,
    standing,
)

FAILED, SUCCEEDED, CANCELLED, RUNNING = JobStatus.FAILED, JobStatus.SUCCEEDED, JobStatus.CANCELLED, JobStatus.RUNNING


def see(store: Store, *jobs: Job) -> None:
    """Observe jobs in one listing."""
    run(store.save_jobs("acme", jobs))


def over(job_id: str, ended: float, status: JobStatus) -> Job:
    """A job that is over."""
    return job_of(job_id, ended - 1, status=status, ended=ended)


def test_failures_are_counted_in_a_row(store: Store) -> None:
    """Each failed sync is one more, a cancelled one is none, and a success ends the row."""
    see(store, over("1", 1, FAILED))
    see(store, over("2", 2, CANCELLED), over("3", 3, FAILED))
    assert standing(store).failures == 2
    see(store, over("4", 4, SUCCEEDED))
    assert (standing(store).failures, standing(store).last_success) == (0, Success("4", minute(4)))
    see(store, over("5", 5, FAILED))
    assert standing(store).failures == 1


def test_a_job_counts_once_when_it_is_first_seen_over(store: Store) -> None:
    """Seen active it counts for nothing; seen over again, or over in another way, it is not counted again."""
    see(store, job_of("1", 0))
    assert standing(store).failures == 0
    for _ in range(2):
        see(store, over("1", 1, FAILED))
    see(store, replace(over("1", 1, FAILED), status=SUCCEEDED))
    assert (standing(store).failures, standing(store).last_success) == (1, None)


def test_jobs_of_one_listing_count_in_the_order_of_their_end(store: Store) -> None:
    """Whatever the order in which a page shows them."""
    see(store, over("3", 3, FAILED), over("2", 2, SUCCEEDED), over("1", 1, FAILED))
    assert (standing(store).failures, standing(store).last_success) == (1, Success("2", minute(2)))


def test_what_ended_before_the_last_success_says_nothing_after_it(store: Store) -> None:
    """A failure or a success that comes into view late changes nothing."""
    see(store, over("2", 5, SUCCEEDED))
    see(store, over("1", 4, FAILED), over("0", 3, SUCCEEDED))
    assert (standing(store).failures, standing(store).last_success) == (0, Success("2", minute(5)))


def test_a_success_that_is_found_late_ends_no_newer_row(store: Store) -> None:
    """At first sight of a connection an old success is looked for: failures after it count as before."""
    see(store, over("3", 3, FAILED), over("4", 4, FAILED))
    see(store, over("1", 1, SUCCEEDED))
    assert (standing(store).failures, standing(store).last_success) == (2, Success("1", minute(1)))
    see(store, over("5", 5, SUCCEEDED))
    assert standing(store).failures == 0


def test_only_syncs_count(store: Store) -> None:
    """A reset says nothing about the data or about the connection's health."""
    see(store, replace(over("1", 1, FAILED), kind=JobKind.RESET), replace(over("2", 2, SUCCEEDED), kind=JobKind.RESET))
    assert (standing(store).failures, standing(store).last_success) == (0, None)


@pytest.mark.parametrize(
    ("job", "finished"),
    [
        (replace(job_of("1", status=SUCCEEDED), ended_at=NOON + timedelta(seconds=3.2)), 4),
        (replace(job_of("1", status=SUCCEEDED), ended_at=None, duration=timedelta(seconds=8)), 8),
        (replace(job_of("1", status=SUCCEEDED), ended_at=None, duration=None), 0),
    ],
    ids=["its end, rounded up", "its start and duration", "its start"],
)
def test_when_a_success_ended_is_known_as_well_as_the_platform_says(store: Store, job: Job, finished: int) -> None:
    """In whole seconds, never before the end."""
    see(store, job)
    assert standing(store).last_success == Success("1", NOON + timedelta(seconds=finished))


def test_an_edit_begins_a_new_row_of_failures(store: Store) -> None:
    """A spec that changed is a new try; the same spec again, or one under another name only, is not."""
    run(store.apply(Decisions(accepted=[accept(spec_of(), NOON)])))
    see(store, over("1", 1, FAILED), over("2", 2, FAILED))
    run(store.apply(Decisions(accepted=[accept(replace(spec_of(), name="renamed"), minute(3), 1)])))
    assert standing(store).failures == 2
    run(store.apply(Decisions(accepted=[accept(spec_of(every=600), minute(4), 2)])))
    assert standing(store).failures == 0


def test_a_connection_is_not_known_for_its_jobs_alone(store: Store) -> None:
    """What was seen of a connection puts no schedule in force."""
    see(store, over("1", 1, FAILED), over("2", 2, SUCCEEDED))
    assert run(store.known_refs()) == ()
    assert standing(store).calendar_key is None


def test_freshness_moves_forward_and_takes_its_slots_away(store: Store) -> None:
    """Slots that rested on an older success lose their record, unless it is final; an older success changes nothing."""
    held = [record_of(Outcome.HELD, at, reason=Reason.WINDOW_CLOSED) for at in (10, 20)]
    final = record_of(Outcome.SKIPPED, 30, reason=Reason.ACTIVE)
    run(store.apply(Decisions(records=[*held, final])))
    gone = RearmFreshness(ORDERS, "nightly", minute(5), (slot(20), slot(30), slot(40)))
    run(store.apply(Decisions(rearmed=[gone])))
    assert run(store.slots(ORDERS, 9)) == (final, held[0])
    assert (standing(store).fresh_since, standing(store).watermark) == (minute(5), minute(30))
    run(store.apply(Decisions(rearmed=[replace(gone, fresh_since=minute(4), withdrawn=())])))
    assert standing(store).fresh_since == minute(5)


def test_a_claimed_slot_is_never_taken_away(store: Store) -> None:
    """Whatever became fresh meanwhile: a request about it may be under way."""
    run(store.claim(claim_of()))
    run(store.apply(Decisions(rearmed=[RearmFreshness(ORDERS, "nightly", minute(1), (slot(),))])))
    assert [record.outcome for record in run(store.slots(ORDERS, 9))] == [Outcome.IN_DOUBT]


def test_a_whole_retry_leaves_the_slot_as_it_was(store: Store) -> None:
    """Run 1 is claimed, refused, claimed again and confirmed; the slot's record is that of run 0, and both jobs are its own."""
    triggered = record_of(Outcome.TRIGGERED, job_id="7")
    run(store.claim(claim_of()))
    run(store.confirm(claim_of(), job_of("7"), triggered))
    see(store, over("7", 1, FAILED))
    first, second = claim_of(run=1, written=3), claim_of(run=1, attempt=2, written=5)
    run(store.claim(first))
    refused = record_of(Outcome.HELD, reason=Reason.REFUSED, decided=4)
    run(store.close_claim(first, ClaimStatus.REFUSED, minute(4), refused))
    assert standing(store).setbacks == {first.key: Setbacks(refusals=1, attempts=1, last_at=minute(4))}
    run(store.claim(second))
    assert run(store.confirm(second, job_of("8", 5), record_of(Outcome.TRIGGERED, job_id="8", decided=5)))
    assert run(store.slots(ORDERS, 9)) == (triggered,)
    assert standing(store, ORDERS, "7", "8").attributed == {"7": ClaimKey(slot(), 0), "8": ClaimKey(slot(), 1)}


def test_a_retry_that_was_given_up_counts_as_unknown(store: Store) -> None:
    """So that it is not begun anew: its slot is final, and no record says that it ended."""
    run(store.claim(claim_of()))
    run(store.confirm(claim_of(), job_of("7"), record_of(Outcome.TRIGGERED, job_id="7")))
    run(store.claim(claim_of(run=1)))
    given_up = record_of(Outcome.SKIPPED, reason=Reason.IN_DOUBT, decided=9)
    run(store.close_claim(claim_of(run=1), ClaimStatus.ABANDONED, minute(9), given_up))
    key = claim_of(run=1).key
    assert standing(store).setbacks == {key: Setbacks(unknown_attempts=1, attempts=1, last_at=minute(9))}
    assert [record.outcome for record in run(store.slots(ORDERS, 9))] == [Outcome.TRIGGERED]


def test_retries_of_older_slots_are_not_told(store: Store) -> None:
    """Only the newest slot with retries may still have another."""
    for at in (0, 15):
        run(store.claim(claim_of(at)))
        run(store.confirm(claim_of(at), job_of(str(at)), record_of(Outcome.TRIGGERED, at, job_id=str(at))))
        run(store.claim(claim_of(at, run=1)))
        run(store.close_claim(claim_of(at, run=1), ClaimStatus.REFUSED, minute(at), record_of(Outcome.HELD, at)))
    assert list(standing(store).setbacks) == [claim_of(15, run=1).key]


def test_local_times_of_recent_slots_are_known(store: Store) -> None:
    """Each of a record's own, also from its claim on, and the older slot where two stand for one; older ones are forgotten."""
    records = [
        replace(record_of(Outcome.SKIPPED, -1600, reason=Reason.ACTIVE), wall="Z 1"),
        replace(record_of(Outcome.SKIPPED, 0, reason=Reason.ACTIVE), wall="Z 2; Y 2"),
        replace(record_of(Outcome.SKIPPED, 60, reason=Reason.ACTIVE), wall="Z 2"),
        record_of(Outcome.SKIPPED, 61, reason=Reason.ACTIVE),
    ]
    run(store.apply(Decisions(records=records)))
    claimed = replace(claim_of(75), wall="Z 3")
    run(store.claim(claimed))
    run(store.confirm(claimed, job_of("7"), record_of(Outcome.TRIGGERED, 75, job_id="7")))
    assert standing(store).walls == {"Z 2": minute(0), "Y 2": minute(0), "Z 3": minute(75)}
    assert run(store.slots(ORDERS, 1))[0].wall == "Z 3"


def test_the_newest_job_of_each_connection_in_force_is_known(store: Store) -> None:
    """Of one platform, by creation and then by id; connections that nobody drives have none."""
    run(store.apply(Decisions(accepted=[accept(spec_of(), NOON)])))
    newest = job_of("3", 2)
    see(store, job_of("1", 1), job_of("2", 2), newest, job_of("9", 9, ref=USERS))
    assert run(store.latest_jobs("acme")) == (newest,)
    assert run(store.latest_jobs("other")) == ()


def test_exactly_the_policies_that_were_kept_last_are_kept(store: Store) -> None:
    """The whole set is replaced, and comes back by name."""
    first, second = StoredPolicy("b", "p/b.yaml", "{}"), StoredPolicy("a", "p/a.yaml", "{1}")
    assert run(store.policies()) == ()
    run(store.keep_policies([first, second]))
    assert run(store.policies()) == (second, first)
    run(store.keep_policies([first]))
    assert run(store.policies()) == (first,)


def test_a_job_that_counts_is_not_ours(store: Store) -> None:
    """Somebody else's sync belongs to the slot it counts for, and no rule that ends or repeats our jobs may touch it."""
    run(store.claim(claim_of()))
    run(store.confirm(claim_of(), job_of("7"), record_of(Outcome.TRIGGERED, job_id="7")))
    run(store.apply(Decisions(records=[replace(record_of(Outcome.COUNTED, job_id="8"), slot=slot(15))])))
    now = standing(store, ORDERS, "7", "8")
    assert set(now.attributed) == {"7", "8"}
    assert (now.owns("7"), now.owns("8"), now.owns("9"), now.counted) == (True, False, False, frozenset({"8"}))
