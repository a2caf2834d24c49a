"""What every store keeps of schedules and slots. Its claims and its history have suites of their own beside this one."""

from datetime import timedelta

import pytest

from controller.errors import SlotAlreadyClaimed
from controller.model.identity import ClaimKey, ConnectionRef, SlotKey
from controller.model.record import Outcome, Reason, Standing
from controller.ports.store import Decisions, Store
from tests.unit.adapters.stores.samples import (
    NOON,
    ORDERS,
    USERS,
    accept,
    cancel_of,
    claim_of,
    minute,
    record_of,
    run,
    spec_of,
    standing,
)

# Schedules


def test_an_unknown_connection_has_an_empty_standing(store: Store) -> None:
    """A connection that was never seen gets an empty ``Standing``."""
    assert standing(store) == Standing(ORDERS)


def test_an_accepted_schedule_is_in_force(store: Store) -> None:
    """Accepting sets name, calendar, content, generation and ``effective_since``; the watermark is that, in whole seconds."""
    spec, since = spec_of(), NOON + timedelta(microseconds=1_234_567)
    run(store.apply(Decisions(accepted=[accept(spec, since, generation=3)])))
    expected = Standing(
        ORDERS,
        "nightly",
        spec.calendar_key,
        since,
        NOON + timedelta(seconds=1),
        generation=3,
        content=spec.content,
        revision="main@sha1:1",
    )
    assert standing(store) == expected


def test_an_edit_that_keeps_the_calendar_keeps_effective_since(store: Store) -> None:
    """The same calendar key keeps ``effective_since`` and the watermark, while name and generation change."""
    run(store.apply(Decisions(accepted=[accept(spec_of(), minute(0))])))
    run(store.apply(Decisions(accepted=[accept(spec_of(name="hourly"), minute(60), generation=2)])))
    now = standing(store)
    assert (now.effective_since, now.watermark) == (minute(0), minute(0))
    assert (now.schedule, now.content, now.generation) == ("hourly", "hourly:900", 2)


def test_another_calendar_starts_from_its_acceptance(store: Store) -> None:
    """Another calendar key moves ``effective_since`` and lifts the watermark to it: an edit creates no slot of the past."""
    run(store.apply(Decisions(accepted=[accept(spec_of(), minute(0))])))
    run(store.apply(Decisions(accepted=[accept(spec_of(every=60), minute(60), generation=2)])))
    now = standing(store)
    assert (now.effective_since, now.watermark) == (minute(60), minute(60))


def test_another_calendar_never_moves_the_watermark_back(store: Store) -> None:
    """A watermark beyond ``effective_since`` stays."""
    run(store.apply(Decisions(accepted=[accept(spec_of(), minute(0))], records=[record_of(Outcome.SKIPPED, 90)])))
    run(store.apply(Decisions(accepted=[accept(spec_of(every=60), minute(60))])))
    assert standing(store).watermark == minute(90)


def test_a_removed_schedule_is_out_of_force_and_remembered(store: Store) -> None:
    """``spec`` None clears calendar and content, and keeps watermark and generation."""
    run(store.apply(Decisions(accepted=[accept(spec_of(), minute(0), generation=4)])))
    run(store.apply(Decisions(accepted=[accept(None, minute(60), generation=5)])))
    now = standing(store)
    assert (now.calendar_key, now.content, now.watermark, now.generation) == (None, "", minute(0), 4)
    assert run(store.known_refs()) == ()


def test_removing_what_was_never_there_writes_nothing(store: Store) -> None:
    """``spec`` None for an unknown connection leaves it unknown."""
    run(store.apply(Decisions(accepted=[accept(None, minute(0))])))
    assert standing(store) == Standing(ORDERS)


def test_a_returned_schedule_does_not_catch_up_its_absence(store: Store) -> None:
    """A schedule that comes back, even with the same calendar, is effective since its return."""
    run(store.apply(Decisions(accepted=[accept(spec_of(), minute(0))])))
    run(store.apply(Decisions(accepted=[accept(None, minute(60))])))
    run(store.apply(Decisions(accepted=[accept(spec_of(), minute(120), generation=2)])))
    now = standing(store)
    assert (now.effective_since, now.watermark) == (minute(120), minute(120))


def test_known_refs_are_those_that_somebody_must_think_of(store: Store) -> None:
    """In force, or a record that is not final, or an open claim; in order; once each."""
    retried = ConnectionRef("acme", "retried")
    run(store.apply(Decisions(accepted=[accept(spec_of(ref=USERS), NOON, ref=USERS)])))
    run(store.apply(Decisions(records=[record_of(Outcome.HELD), record_of(Outcome.HELD, ref=USERS)])))
    run(store.apply(Decisions(records=[record_of(Outcome.SKIPPED, ref=ConnectionRef("acme", "done"))])))
    run(store.apply(Decisions(records=[record_of(Outcome.TRIGGERED, ref=retried)])))
    run(store.claim(claim_of(ref=retried, run=1)))
    assert run(store.known_refs()) == (ORDERS, retried, USERS)


# Records


def test_a_record_moves_the_watermark(store: Store) -> None:
    """A record moves the watermark to its ``scheduled_at``, and an older record does not move it back."""
    run(store.apply(Decisions(records=[record_of(Outcome.SKIPPED, 30, reason=Reason.ACTIVE)])))
    run(store.apply(Decisions(records=[record_of(Outcome.MISSED, 15, reason=Reason.DEADLINE)])))
    assert standing(store).watermark == minute(30)


def test_a_range_record_moves_the_watermark_to_its_end(store: Store) -> None:
    """A record of a run of missed slots comes back whole and moves the watermark to ``through``."""
    missed = record_of(Outcome.MISSED, 0, reason=Reason.DEADLINE, through=45, count=4)
    run(store.apply(Decisions(records=[missed])))
    assert run(store.slots(ORDERS, 5)) == (missed,)
    assert standing(store).watermark == minute(45)


def test_a_slot_within_a_final_range_has_its_outcome(store: Store) -> None:
    """What a final range speaks for cannot be claimed or recorded a second time; what lies beyond its end can."""
    missed = record_of(Outcome.MISSED, 0, reason=Reason.DEADLINE, through=45, count=4)
    run(store.apply(Decisions(records=[missed])))
    run(store.apply(Decisions(records=[record_of(Outcome.HELD, 15)])))
    with pytest.raises(SlotAlreadyClaimed, match="final"):
        run(store.claim(claim_of(45)))
    assert run(store.slots(ORDERS, 5)) == (missed,)
    run(store.claim(claim_of(60)))


def test_a_pending_slot_within_a_range_is_still_settled_by_its_own_record(store: Store) -> None:
    """A slot that has a record of its own is judged by that, whatever range lies around it."""
    run(store.apply(Decisions(records=[record_of(Outcome.HELD, 15)])))
    run(store.apply(Decisions(records=[record_of(Outcome.MISSED, 0, through=45, count=3)])))
    run(store.apply(Decisions(records=[record_of(Outcome.SKIPPED, 15)])))
    assert [r.outcome for r in run(store.slots(ORDERS, 5))] == [Outcome.SKIPPED, Outcome.MISSED]


@pytest.mark.parametrize("final", [o for o in Outcome if o.is_final])
def test_a_final_record_is_never_overwritten(store: Store, final: Outcome) -> None:
    """Whatever is applied to a settled slot, its record stays."""
    run(store.apply(Decisions(records=[record_of(final)])))
    run(store.apply(Decisions(records=[record_of(other, decided=9) for other in Outcome])))
    assert run(store.slots(ORDERS, 5)) == (record_of(final),)


def test_a_record_that_is_not_final_gives_way(store: Store) -> None:
    """``Held`` is replaced, and the slot is pending no more."""
    run(store.apply(Decisions(records=[record_of(Outcome.HELD, reason=Reason.SUSPENDED)])))
    run(store.apply(Decisions(records=[record_of(Outcome.SKIPPED, reason=Reason.SUSPENDED)])))
    assert standing(store).pending == ()
    assert run(store.slots(ORDERS, 5)) == (record_of(Outcome.SKIPPED, reason=Reason.SUSPENDED),)


def test_pending_records_come_oldest_first(store: Store) -> None:
    """``pending`` lists what is not final, oldest first; `slots` lists all, newest first, up to the limit."""
    records = [record_of(o, at) for at, o in ((15, Outcome.HELD), (0, Outcome.IN_DOUBT), (30, Outcome.MISSED))]
    run(store.apply(Decisions(records=records)))
    assert standing(store).pending == (records[1], records[0])
    assert run(store.slots(ORDERS, 2)) == (records[2], records[0])


# Cancels, and many connections


def test_a_second_cancel_of_a_job_raises_requests(store: Store) -> None:
    """The journal counts the DELETEs of one job and shows the connection's newest."""
    run(store.request_cancel(cancel_of("7", 0)))
    run(store.request_cancel(cancel_of("8", 5)))
    run(store.request_cancel(cancel_of("7", 2)))
    assert standing(store).cancel == cancel_of("8", 5)
    run(store.request_cancel(cancel_of("7", 9)))
    newest = standing(store).cancel
    assert newest is not None
    assert (newest.job_id, newest.requests, newest.requested_at) == ("7", 3, minute(9))


def test_many_connections_are_read_at_once(store: Store) -> None:
    """Ten thousand connections come back in the order asked, each with its own values."""
    refs = [ConnectionRef(f"p{n % 3}", f"c{n:05}") for n in range(10_000)]
    for platform in ("p0", "p1", "p2"):
        run(store.take(platform, "test", NOON))
    run(
        store.apply(
            Decisions(records=[record_of(Outcome.COUNTED, n, ref=ref, job_id=str(n)) for n, ref in enumerate(refs)])
        )
    )
    found = run(store.standings({ref: [str(n)] for n, ref in enumerate(refs)}))
    assert list(found) == refs
    assert all(found[ref].watermark == minute(n) for n, ref in enumerate(refs))
    assert all(found[ref].attributed == {str(n): ClaimKey(SlotKey(ref, minute(n)), 0)} for n, ref in enumerate(refs))


def test_nothing_asked_is_nothing_answered(store: Store) -> None:
    """No connections, empty decisions: nothing happens."""
    run(store.apply(Decisions()))
    assert run(store.standings({})) == {}
    assert run(store.known_refs()) == ()
