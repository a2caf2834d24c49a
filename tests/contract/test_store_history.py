"""What every store keeps for people to look at, and when it lets go of it."""

from dataclasses import replace

from controller.model.job import JobStatus
from controller.model.record import ClaimStatus, Outcome, Reason, Setbacks
from controller.ports.store import Decisions, Store
from tests.unit.adapters.stores.samples import (
    ORDERS,
    USERS,
    accept,
    cancel_of,
    claim_of,
    event_of,
    job_of,
    minute,
    record_of,
    run,
    spec_of,
    standing,
)

LATER = minute(1_000)


def numbers(store: Store, **asked: object) -> list[int]:
    """The numbers of the events that are found."""
    return [stored.number for stored in run(store.events(**asked))]  # type: ignore[arg-type]


def test_jobs_come_newest_first_with_their_slots(store: Store) -> None:
    """The newest jobs of one connection come back whole, each with its slot or None, up to the limit."""
    jobs = [job_of("7", 0, status=JobStatus.SUCCEEDED, ended=3), job_of("8", 5), job_of("9", 10)]
    run(store.save_jobs("acme", [*jobs, job_of("10", 20, ref=USERS)]))
    run(store.save_jobs("other", [job_of("7", 30)]))
    run(store.apply(Decisions(records=[record_of(Outcome.COUNTED, 0, job_id="8")])))
    assert run(store.jobs(ORDERS, 9)) == ((jobs[2], None), (jobs[1], minute(0)), (jobs[0], None))
    assert run(store.jobs(ORDERS, 1)) == ((jobs[2], None),)


def test_a_job_is_kept_as_it_was_last_observed(store: Store) -> None:
    """A later observation of a job replaces the earlier one, field by field."""
    first = job_of("7")
    ended = replace(first, status=JobStatus.SUCCEEDED, ended_at=minute(9), rows=11, bytes=2**40, duration=None)
    run(store.save_jobs("acme", [first]))
    run(store.save_jobs("acme", [ended]))
    run(store.save_jobs("acme", []))
    assert run(store.jobs(ORDERS, 9)) == ((ended, None),)


def test_the_newest_of_many_connections_come_in_one_answer(store: Store) -> None:
    """The same jobs and the same slot as when each connection is asked about alone; one that has none is missing."""
    run(store.save_jobs("acme", [job_of(str(number), number) for number in range(7, 12)]))
    run(store.save_jobs("acme", [job_of("20", 5, ref=USERS), job_of("21", 5, ref=USERS), job_of("22", 4, ref=USERS)]))
    run(store.save_jobs("other", [job_of("7", 30)]))
    records = [record_of(Outcome.COUNTED, 0, job_id="11"), record_of(Outcome.MISSED, 5), record_of(Outcome.HELD, 10)]
    run(store.apply(Decisions(records=records)))
    asked = [USERS.connection_id, ORDERS.connection_id, "nobody"]
    for limit in (1, 2, 9):
        jobs = {ref: run(store.jobs(ref, limit)) for ref in (ORDERS, USERS)}
        assert run(store.newest_jobs("acme", asked, limit)) == jobs
    assert run(store.newest_slots("acme", asked)) == {ORDERS: records[2]}
    assert run(store.newest_jobs("acme", [], 9)) == {}
    assert run(store.newest_slots("acme", [])) == {}


def test_jobs_are_found_by_their_ids(store: Store) -> None:
    """Those that are kept, of any connection, as they were last seen; another platform's and unknown ones are not there."""
    first, other = job_of("7"), job_of("8", 5, ref=USERS)
    ended = replace(first, status=JobStatus.FAILED, ended_at=minute(9), duration=None)
    run(store.save_jobs("acme", [first, other, job_of("9")]))
    run(store.save_jobs("acme", [ended]))
    run(store.save_jobs("other", [job_of("10")]))
    assert run(store.kept_jobs("acme", ["7", "8", "10", "11"])) == {"7": ended, "8": other}
    assert run(store.kept_jobs("acme", [])) == {}


def test_observed_through_is_what_was_last_noted(store: Store) -> None:
    """Each platform has its own mark, None before the first note."""
    assert run(store.observed_through("acme")) is None
    run(store.save_jobs("acme", [], through=minute(5)))
    run(store.save_jobs("acme", [], through=minute(10)))
    run(store.save_jobs("other", [], through=minute(1)))
    assert run(store.observed_through("acme")) == minute(10)


def test_events_come_back_whole_in_order(store: Store) -> None:
    """Events keep every plain value and their order, and their numbers grow."""
    run(store.append_events([event_of(0), event_of(1, schedule=None)]))
    run(store.append_events([event_of(2)]))
    stored = run(store.events())
    assert [s.event for s in stored] == [event_of(0), event_of(1, schedule=None), event_of(2)]
    assert [s.number for s in stored] == sorted({s.number for s in stored})


def test_events_are_paged_from_the_newest(store: Store) -> None:
    """The newest ``limit`` events above ``after`` come, oldest first."""
    run(store.append_events([event_of(n) for n in range(6)]))
    every = numbers(store)
    assert numbers(store, limit=2) == every[-2:]
    assert numbers(store, after=every[2]) == every[3:]
    assert numbers(store, after=every[2], limit=2) == every[-2:]
    assert numbers(store, after=every[-1]) == []


def test_events_are_filtered(store: Store) -> None:
    """``since`` includes its instant, ``schedule`` names one, and both count before the limit does."""
    run(store.append_events([event_of(n, schedule=("nightly", "hourly", None)[n % 3]) for n in range(9)]))
    every = numbers(store)
    assert numbers(store, since=minute(7)) == every[7:]
    assert numbers(store, since=LATER) == []
    assert numbers(store, schedule="hourly") == [every[1], every[4], every[7]]
    assert numbers(store, schedule="hourly", since=minute(2), limit=1) == [every[7]]
    assert numbers(store, schedule="hourly", since=minute(2), after=every[4]) == [every[7]]


def test_since_is_judged_by_each_event(store: Store) -> None:
    """After a clock was put back an older instant may have the larger number; it is left out all the same."""
    run(store.append_events([event_of(9), event_of(1), event_of(8)]))
    every = numbers(store)
    assert numbers(store, since=minute(5)) == [every[0], every[2]]


def test_pruning_lets_go_of_what_is_older(store: Store) -> None:
    """Events, jobs, closed claims and final records older than the instant go, and the answer counts them."""
    run(store.append_events([event_of(0), event_of(20)]))
    run(store.save_jobs("acme", [job_of("7", 0, ended=3), job_of("8", 0, ended=20), job_of("9", 1)]))
    for at in (0, 20):
        run(store.claim(claim_of(at)))
        run(store.confirm(claim_of(at), job_of(f"j{at}", at), record_of(Outcome.TRIGGERED, at)))
    assert run(store.prune(minute(10))) == 6
    assert [s.event for s in run(store.events())] == [event_of(20)]
    assert [job.job_id for job, _ in run(store.jobs(ORDERS, 9))] == ["j20", "8"]
    assert run(store.slots(ORDERS, 9)) == (record_of(Outcome.TRIGGERED, 20),)
    assert run(store.prune(minute(10))) == 0


def test_pruning_keeps_each_connections_newest_record(store: Store) -> None:
    """However old, the newest record of each connection stays."""
    for ref in (ORDERS, USERS):
        run(store.apply(Decisions(records=[record_of(Outcome.SKIPPED, at, ref=ref) for at in (0, 15)])))
    assert run(store.prune(LATER)) == 2
    assert run(store.slots(ORDERS, 9)) == (record_of(Outcome.SKIPPED, 15),)
    assert run(store.slots(USERS, 9)) == (record_of(Outcome.SKIPPED, 15, ref=USERS),)


def test_pruning_keeps_what_is_not_settled(store: Store) -> None:
    """Pending records, open claims, and the closed claims of a slot that is still due stay: its attempts still count."""
    run(store.claim(claim_of(0)))
    held = record_of(Outcome.HELD, 0, reason=Reason.REFUSED)
    run(store.close_claim(claim_of(0), ClaimStatus.REFUSED, minute(1), held))
    run(store.claim(claim_of(15)))
    before = standing(store)
    assert run(store.prune(LATER)) == 0
    assert standing(store) == before
    assert before.setbacks == {claim_of(0).key: Setbacks(refusals=1, attempts=1, last_at=minute(1))}


def test_pruning_forgets_nothing_that_decides(store: Store) -> None:
    """Watermark, last trigger, newest cancel and the ownership of jobs outlive every pruning."""
    run(store.apply(Decisions(accepted=[accept(spec_of(), minute(-1))])))
    for at in (0, 15):
        run(store.claim(claim_of(at)))
        run(store.confirm(claim_of(at), job_of(str(at)), record_of(Outcome.TRIGGERED, at)))
    run(store.request_cancel(cancel_of("15", 16)))
    before = standing(store, ORDERS, "0", "15")
    run(store.prune(LATER))
    assert standing(store, ORDERS, "0", "15") == before
    assert (before.last_triggered_at, before.watermark) == (minute(15), minute(15))


def test_numbers_of_pruned_events_are_not_given_again(store: Store) -> None:
    """Numbers only grow, so that ``after`` never hides a new event."""
    run(store.append_events([event_of(0), event_of(1)]))
    last = numbers(store)[-1]
    assert run(store.prune(LATER)) == 2
    run(store.append_events([event_of(2)]))
    run(store.append_events([event_of(3)]))
    assert numbers(store, after=last) == [last + 1, last + 2]
