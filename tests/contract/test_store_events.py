"""What every store does with events that tell of a write: they are there with it, or not at all."""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from controller.errors import Fenced, SlotAlreadyClaimed
from controller.model.event import Event
from controller.model.record import Answer, ClaimStatus, Outcome
from controller.ports.store import Decisions, Store
from tests.unit.adapters.stores.samples import claim_of, event_of, job_of, minute, open_store, record_of, run, settle

Write = Callable[[Store, Sequence[Event]], Coroutine[Any, Any, Any]]

WRITES: Mapping[str, Write] = {
    "apply": lambda s, told: s.apply(Decisions(records=[record_of(Outcome.HELD, 5)]), events=told),
    "confirm": lambda s, told: s.confirm(
        claim_of(), job_of("9"), record_of(Outcome.TRIGGERED, job_id="9"), events=told
    ),
    "answered": lambda s, told: s.answered(claim_of(), Answer.BUSY, minute(1), events=told),
    "close_claim": lambda s, told: s.close_claim(
        claim_of(), ClaimStatus.REFUSED, minute(1), record_of(Outcome.HELD), events=told
    ),
    "save_jobs": lambda s, told: s.save_jobs("acme", [job_of("9")], events=told),
}
"""Every write that takes events, of which each is accepted where slot 0 has an open claim."""

TAKEN = record_of(Outcome.COUNTED, 7, job_id="9")
"""Gives the job that the claim would be confirmed with to another slot."""

REFUSED: Mapping[str, Write] = {
    "apply, a job of another slot": lambda s, told: s.apply(
        Decisions(records=[record_of(Outcome.SKIPPED, 3), record_of(Outcome.COUNTED, 5, job_id="9")]), events=told
    ),
    "apply, beside an open claim": lambda s, told: s.apply(
        Decisions(records=[record_of(Outcome.SKIPPED)]), events=told
    ),
    "apply, adopting a job of another slot": lambda s, told: s.apply(
        Decisions(settled=[settle(claim_of(), ClaimStatus.ADOPTED, record_of(Outcome.TRIGGERED), job_of("9"))]),
        events=told,
    ),
    "confirm, a claim that is not open": lambda s, told: s.confirm(
        claim_of(attempt=2), job_of("8"), record_of(Outcome.TRIGGERED, job_id="8"), events=told
    ),
    "close_claim, a claim that is not open": lambda s, told: s.close_claim(
        claim_of(attempt=2), ClaimStatus.REFUSED, minute(1), record_of(Outcome.HELD), events=told
    ),
}
"""Writes that the store refuses where slot 0 has an open claim, and job 9 belongs to another slot."""


def told(store: Store) -> list[Event]:
    """The journal."""
    return [stored.event for stored in run(store.events())]


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_events_are_kept_with_what_they_tell(store: Store, write: Write) -> None:
    """In the order given, after what was there, and numbered on."""
    run(store.append_events([event_of(0)]))
    run(store.claim(claim_of()))

    run(write(store, [event_of(2), event_of(1)]))

    assert told(store) == [event_of(0), event_of(2), event_of(1)]
    assert [stored.number for stored in run(store.events())] == [1, 2, 3]


@pytest.mark.parametrize("write", REFUSED.values(), ids=REFUSED)
def test_a_write_that_is_refused_tells_nothing(store: Store, write: Write) -> None:
    """Neither the record nor the event is there, and the journal goes on without a gap that anybody could wait for."""
    run(store.claim(claim_of()))
    run(store.apply(Decisions(records=[TAKEN])))
    with pytest.raises(SlotAlreadyClaimed):
        run(write(store, [event_of(1)]))
    assert told(store) == []
    run(store.append_events([event_of(2)]))
    assert told(store) == [event_of(2)]


def test_a_confirmation_with_a_job_of_another_slot_tells_nothing(store: Store) -> None:
    """It is no error, but nothing was written, so nothing is told."""
    run(store.claim(claim_of()))
    run(store.apply(Decisions(records=[TAKEN])))
    assert not run(WRITES["confirm"](store, [event_of(1)]))
    assert told(store) == []


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_a_write_that_is_fenced_tells_nothing(kind: str, write: Write, tmp_path: Path) -> None:
    """What a controller that was replaced did not do, it does not tell either."""
    opened = open_store(kind, tmp_path)
    run(opened.claim(claim_of()))
    other = opened.beside()
    run(other.take("acme", "other", minute(1)))
    with pytest.raises(Fenced):
        run(write(opened, [event_of(1)]))
    assert told(other) == []
    run(opened.close())
