"""What every store does with a write of a controller that another one has taken the place of."""

import inspect
from collections.abc import Callable, Coroutine, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from controller.errors import Fenced
from controller.model.asked import RequestStatus
from controller.model.drift import CorrectionStatus
from controller.model.identity import ConnectionRef
from controller.model.plan import RearmFreshness, SettleRequest
from controller.model.record import Answer, ClaimStatus, Outcome
from controller.model.revision import AppliedRevision, Revisions
from controller.ports.store import Decisions, Store, StoredPolicy
from tests.unit.adapters.stores.samples import (
    NOON,
    ORDERS,
    AnyStore,
    accept,
    cancel_of,
    claim_of,
    condition_of,
    correction_of,
    drift_of,
    event_of,
    job_of,
    minute,
    open_store,
    record_of,
    request_of,
    run,
    settle,
    slot,
    spec_of,
)

Write = Callable[[Store], Coroutine[Any, Any, Any]]

FENCED: Mapping[str, Mapping[str, Write]] = {
    "apply": {
        "acceptance": lambda s: s.apply(Decisions(accepted=[accept(spec_of(), minute(9))])),
        "record": lambda s: s.apply(Decisions(records=[record_of(Outcome.COUNTED, 9, job_id="9")])),
        "settlement": lambda s: s.apply(
            Decisions(settled=[settle(claim_of(), ClaimStatus.ADOPTED, record_of(Outcome.TRIGGERED), job_of("9"))])
        ),
        "answer": lambda s: s.apply(
            Decisions(requests=[SettleRequest(request_of("asked"), RequestStatus.DONE, "done", minute(9))])
        ),
        "drift": lambda s: s.apply(Decisions(drifts=[drift_of(9)])),
        "rearming": lambda s: s.apply(Decisions(rearmed=[RearmFreshness(ORDERS, "nightly", minute(9), (slot(5),))])),
    },
    "claim": {"claim": lambda s: s.claim(claim_of(9, ref=ConnectionRef("acme", "users")))},
    "confirm": {"confirmation": lambda s: s.confirm(claim_of(), job_of("9"), record_of(Outcome.TRIGGERED, job_id="9"))},
    "answered": {"answer": lambda s: s.answered(claim_of(), Answer.BUSY, minute(9))},
    "close_claim": {
        "refusal": lambda s: s.close_claim(claim_of(), ClaimStatus.REFUSED, minute(9), record_of(Outcome.HELD))
    },
    "request_cancel": {"cancel": lambda s: s.request_cancel(cancel_of("9", 9))},
    "journal_corrections": {"corrections": lambda s: s.journal_corrections([correction_of(9)])},
    "answer_corrections": {"answer": lambda s: s.answer_corrections([correction_of(5)], CorrectionStatus.TAKEN)},
    "save_jobs": {
        "jobs": lambda s: s.save_jobs("acme", [job_of("9")]),
        "observation": lambda s: s.save_jobs("acme", [], through=minute(9)),
    },
    "put_conditions": {"condition": lambda s: s.put_conditions({ORDERS: [condition_of()]})},
}
"""Every write that names a platform, by the method that makes it; each would change something in the store of `filled`."""

NO_ONES: Mapping[str, Write] = {
    "append_events": lambda s: s.append_events([event_of()]),
    "keep_policies": lambda s: s.keep_policies([StoredPolicy("p", "p.yaml", "x")]),
    "keep_revisions": lambda s: s.keep_revisions(Revisions(AppliedRevision("main@sha1:2", minute(9)))),
    "prune": lambda s: s.prune(minute(0)),
    "ask": lambda s: s.ask([request_of("by hand")]),
    "take_back": lambda s: s.take_back("by hand", "nobody answered", minute(9)),
}
"""Writes that name no platform."""

OTHERS = {
    "standings", "known_refs", "kept_jobs", "latest_jobs", "policies", "jobs", "slots", "observed_through", "events", "corrections",
    "newest_jobs", "newest_slots",
    "clock_events", "conditions", "epoch", "revisions", "take", "close", "waiting_requests", "requests", "request"
}  # fmt: skip
"""What only reads, and what a controller without any platform must be able to do."""

WRITES = [
    pytest.param(write, id=f"{method}-{name}") for method, writes in FENCED.items() for name, write in writes.items()
]


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[AnyStore]:
    """Each adapter in turn: a schedule, an open claim and a slot that waits."""
    opened = open_store(request.param, tmp_path)
    run(opened.apply(Decisions(accepted=[accept(spec_of(every=60), NOON)])))
    run(opened.claim(claim_of()))
    run(opened.apply(Decisions(records=[record_of(Outcome.HELD, 5)])))
    run(opened.ask([request_of("asked")]))
    run(opened.journal_corrections([correction_of(5)]))
    yield opened
    run(opened.close())


def everything(store: Store) -> list[Any]:
    """All that a handle can read."""
    refs = [ORDERS, ConnectionRef("acme", "users"), ConnectionRef("other", "orders")]
    questions: list[Coroutine[Any, Any, Any]] = [
        store.standings(dict.fromkeys(refs, ("9",))),
        store.known_refs(),
        *(store.slots(ref, 99) for ref in refs),
        *(store.jobs(ref, 99) for ref in refs),
        store.observed_through("acme"),
        store.policies(),
        store.revisions(),
        store.conditions("acme"),
        store.requests(ORDERS, 99),
        store.events(),
    ]
    return [run(question) for question in questions]


def test_every_method_of_the_port_is_accounted_for() -> None:
    """Whoever adds a method says whether it is fenced."""
    methods = {name for name, _ in inspect.getmembers(Store, inspect.iscoroutinefunction)}
    assert methods == FENCED.keys() | NO_ONES.keys() | OTHERS


@pytest.mark.parametrize("write", WRITES)
def test_an_old_epoch_writes_nothing(store: AnyStore, write: Write) -> None:
    """A controller that another one has taken the platform from changes nothing, and is told which platform."""
    other = store.beside()
    run(other.take("acme", "other", minute(1)))
    before = everything(other)
    with pytest.raises(Fenced, match=r"^acme cannot be written to under epoch 1: epoch 2 is in force\.$") as refused:
        run(write(store))
    assert refused.value.platform == "acme"
    assert everything(other) == before


def test_who_lost_a_platform_is_told_so_before_anything_else(store: AnyStore) -> None:
    """A claim that would be refused anyway must not look as if only its slot were taken."""
    run(store.beside().take("acme", "other", minute(1)))
    for handle in (store, store.beside()):
        with pytest.raises(Fenced):
            run(handle.claim(claim_of()))


@pytest.mark.parametrize("write", WRITES)
def test_what_was_never_taken_is_not_written(store: AnyStore, write: Write) -> None:
    """A forgotten take is a defect that shows at the first write."""
    before = everything(store)
    with pytest.raises(Fenced, match=r"^acme cannot be written to: this controller did not take it\.$"):
        run(write(store.beside()))
    assert everything(store) == before


@pytest.mark.parametrize("write", WRITES)
def test_the_epoch_in_force_writes(store: AnyStore, write: Write) -> None:
    """The same writes change something for the controller that holds the platform; else the tests above would show nothing."""
    other = store.beside()
    run(other.take("acme", "other", minute(1)))
    before = everything(store)
    run(write(other))
    assert everything(store) != before


@pytest.mark.parametrize("write", [pytest.param(write, id=name) for name, write in NO_ONES.items()])
def test_what_names_no_platform_is_written_by_anybody(store: AnyStore, write: Write) -> None:
    """A controller that lost everything can say so."""
    run(write(store.beside()))


def test_one_lost_platform_stops_the_whole_batch(store: AnyStore) -> None:
    """A batch is one transaction: nothing of it is written for the platforms that are still held either."""
    other, elsewhere = store.beside(), ConnectionRef("other", "orders")
    run(other.take("other", "other", minute(1)))
    before = everything(store)
    records = [record_of(Outcome.SKIPPED, 9), record_of(Outcome.SKIPPED, 9, ref=elsewhere)]
    with pytest.raises(Fenced) as refused:
        run(store.apply(Decisions(records=records)))
    assert refused.value.platform == "other"
    assert everything(store) == before
    run(store.apply(Decisions(records=records[:1])))


def test_each_platform_has_its_own_epoch(store: AnyStore) -> None:
    """A platform that was taken says nothing about another one."""
    other = store.beside()
    run(other.take("other", "other", minute(1)))
    run(store.save_jobs("acme", [job_of("9")]))
    run(other.save_jobs("other", [job_of("9")]))


def test_an_epoch_only_grows(store: AnyStore) -> None:
    """Every take raises it by one, whoever takes, also twice in a row."""
    other = store.beside()
    taken = [run(handle.take("acme", "x", NOON)) for handle in (store, store, other, other, store)]
    assert taken == [2, 3, 4, 5, 6]


def test_a_handle_knows_whether_it_holds_a_platform(store: AnyStore) -> None:
    """``epoch`` is what was taken last, until another handle takes; taken again, writes go on."""
    other = store.beside()
    assert (run(store.epoch("acme")), run(other.epoch("acme")), run(store.epoch("new"))) == (1, None, None)
    run(other.take("acme", "other", minute(1)))
    assert (run(store.epoch("acme")), run(other.epoch("acme"))) == (None, 2)
    run(store.take("acme", "test", minute(2)))
    run(store.answered(claim_of(), Answer.BUSY, minute(3)))
    with pytest.raises(Fenced):
        run(other.answered(claim_of(), Answer.BUSY, minute(4)))
