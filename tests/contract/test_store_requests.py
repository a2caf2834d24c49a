"""What every store keeps of what people ask for: each key once and for ever, and no slot's record for what they start."""

from dataclasses import replace

import pytest

from controller.errors import SlotAlreadyClaimed
from controller.model.asked import Asked, Request, RequestStatus, Source
from controller.model.identity import ClaimKey, SlotKey
from controller.model.job import JobKind
from controller.model.plan import SettleClaim, SettleRequest
from controller.model.record import Answer, Claim, ClaimStatus, Outcome, Reason, Setbacks, SlotRecord
from controller.ports.store import Decisions, Store
from tests.unit.adapters.stores.samples import (
    NOON,
    ORDERS,
    USERS,
    accept,
    job_of,
    minute,
    request_of,
    run,
    spec_of,
    standing,
)


def asked(store: Store, key: str = "k", action: Asked = Asked.TRIGGER, at: float = 1, **more: object) -> Request:
    """Leave a request and return it as it is kept."""
    (kept,) = run(store.ask([request_of(key, action, at, **more)]))
    return kept


def claim_for(request: Request, attempt: int = 1) -> Claim:
    """The claim that carries it out."""
    return Claim(
        ClaimKey(request.slot, 0),
        attempt,
        minute(2 + attempt),
        frozenset({"1"}),
        "nightly",
        "main@sha1:1",
        request=request.key,
        kind=request.job_kind,
    )


def record_for(claim: Claim, outcome: Outcome, reason: Reason | None = None, job_id: str | None = None) -> SlotRecord:
    """What it came to."""
    return SlotRecord(claim.key.slot, outcome, minute(9), "nightly", reason, "so it was", job_id=job_id)


def answer(store: Store, request: Request, status: RequestStatus = RequestStatus.DONE, at: float = 5) -> None:
    """Settle a request that needs no POST."""
    run(store.apply(Decisions(requests=[SettleRequest(request, status, "so it was", minute(at))])))


def kept(store: Store, key: str = "k") -> Request:
    """The request as it stands."""
    found = run(store.request(key))
    assert found is not None
    return found


def test_what_is_asked_comes_back_whole(store: Store) -> None:
    """Every field is kept, and the instant is moved off the whole second so that it is no slot's."""
    request = request_of(
        "k", Asked.RESET, until=minute(9), not_before=minute(2), expires_at=minute(8), source=Source.SPEC
    )
    (first,) = run(store.ask([request]))
    assert first == replace(request, made_at=first.made_at)
    assert first.slot.is_request
    assert 0 < (first.made_at - request.made_at).total_seconds() < 0.001
    assert run(store.request("k")) == first
    assert run(store.requests(ORDERS, 9)) == (first,)
    assert run(store.waiting_requests()) == (first,)
    assert standing(store).requests == (first,)
    assert run(store.known_refs()) == (ORDERS,)
    assert standing(store, USERS).requests == ()


def test_two_of_one_instant_have_claims_of_their_own(store: Store) -> None:
    """A connection's requests are told apart by when they were made."""
    one, two = asked(store, "one"), asked(store, "two")
    assert one.slot != two.slot


def test_a_known_key_asks_for_nothing(store: Store) -> None:
    """Only the reason and the expiry of one that waits follow the document; what is final never changes."""
    asked(store)
    amended = request_of("k", Asked.TRIGGER, 7, expires_at=minute(99), source=Source.SPEC)
    assert run(store.ask([replace(amended, reason="a better word")])) == ()
    assert (kept(store).reason, kept(store).expires_at, kept(store).source) == (
        "a better word",
        minute(99),
        Source.BY_HAND,
    )
    answer(store, kept(store), RequestStatus.REFUSED)
    assert run(store.ask([amended])) == ()
    assert (kept(store).reason, kept(store).status) == ("a better word", RequestStatus.REFUSED)


def test_an_answer_is_final(store: Store) -> None:
    """A second one is refused, and so is a claim."""
    request = asked(store)
    answer(store, request, RequestStatus.EXPIRED)
    assert (kept(store).status, kept(store).message, kept(store).decided_at) == (
        RequestStatus.EXPIRED,
        "so it was",
        minute(5),
    )
    assert standing(store).requests == ()
    with pytest.raises(SlotAlreadyClaimed):
        answer(store, request)
    with pytest.raises(SlotAlreadyClaimed):
        run(store.claim(claim_for(request)))
    assert standing(store).claim is None


def test_what_is_taken_back_is_not_claimed(store: Store) -> None:
    """A command that gave up leaves nothing that starts later; one that is claimed already is too late to take back."""
    request, other = asked(store), asked(store, "other")
    assert run(store.take_back("k", "nobody answered", minute(3)))
    assert (kept(store).status, kept(store).message) == (RequestStatus.WITHDRAWN, "nobody answered")
    with pytest.raises(SlotAlreadyClaimed):
        run(store.claim(claim_for(request)))
    run(store.claim(claim_for(other)))
    assert not run(store.take_back("other", "nobody answered", minute(3)))


@pytest.mark.parametrize("action", [Asked.TRIGGER, Asked.RESET])
def test_a_claim_of_a_request_is_no_slot(store: Store, action: Asked) -> None:
    """It comes back whole, moves no watermark, writes no slot's record, and its job is ours."""
    run(store.apply(Decisions(accepted=[accept(spec_of(), NOON)])))
    request = asked(store, action=action)
    claim = claim_for(request)
    run(store.claim(claim))
    now = standing(store)
    assert (now.claim, now.watermark, now.pending) == (claim, NOON, ())
    assert now.claim is not None
    assert now.claim.kind is (JobKind.RESET if action is Asked.RESET else JobKind.SYNC)
    assert kept(store).status is RequestStatus.CLAIMED
    assert run(store.confirm(claim, job_of("9"), record_for(claim, Outcome.TRIGGERED, job_id="9")))
    now = standing(store, ORDERS, "9")
    assert (now.claim, now.watermark, now.requests) == (None, NOON, ())
    assert now.owns("9")
    assert (kept(store).status, kept(store).job_id) == (RequestStatus.DONE, "9")
    assert now.last_triggered_at == claim.written_at
    assert run(store.slots(ORDERS, 9)) == ()


def test_a_request_is_claimed_once(store: Store) -> None:
    """Two controllers, or two cycles, cannot both carry it out; another connection's claim cannot either."""
    request = asked(store)
    run(store.claim(claim_for(request)))
    with pytest.raises(SlotAlreadyClaimed):
        run(store.claim(claim_for(request, 2)))
    other = replace(claim_for(request), key=ClaimKey(SlotKey(USERS, request.slot.scheduled_at), 0))
    with pytest.raises(SlotAlreadyClaimed):
        run(store.claim(other))


def test_a_certain_refusal_lets_it_wait_again(store: Store) -> None:
    """Its attempts are counted, and the next one is another."""
    request = asked(store)
    claim = claim_for(request)
    run(store.claim(claim))
    run(store.close_claim(claim, ClaimStatus.REFUSED, minute(4), record_for(claim, Outcome.HELD, Reason.REFUSED)))
    now = standing(store)
    assert (now.claim, [each.status for each in now.requests]) == (None, [RequestStatus.WAITING])
    assert now.setbacks == {claim.key: Setbacks(refusals=1, attempts=1, last_at=minute(4))}
    assert (kept(store).message, kept(store).decided_at) == ("so it was", None)
    run(store.prune(minute(99)))
    assert standing(store).setbacks
    run(store.claim(claim_for(request, 2)))


@pytest.mark.parametrize(
    ("status", "outcome", "reason", "comes_to"),
    [
        (ClaimStatus.ADOPTED, Outcome.TRIGGERED, None, RequestStatus.DONE),
        (ClaimStatus.ABSENT, Outcome.MISSED, Reason.IN_DOUBT, RequestStatus.FAILED),
        (ClaimStatus.ABANDONED, Outcome.SKIPPED, Reason.IN_DOUBT, RequestStatus.IN_DOUBT),
        (ClaimStatus.REFUSED, Outcome.HELD, Reason.ACTIVE, RequestStatus.WAITING),
    ],
)
def test_doubt_is_settled_on_the_request(
    store: Store, status: ClaimStatus, outcome: Outcome, reason: Reason | None, comes_to: RequestStatus
) -> None:
    """Its row says what its claim came to, and no slot does."""
    request = asked(store)
    claim = claim_for(request)
    run(store.claim(claim))
    run(store.answered(claim, Answer.UNKNOWN, minute(4)))
    job = job_of("9") if status is ClaimStatus.ADOPTED else None
    record = record_for(claim, outcome, reason, None if job is None else job.job_id)
    run(store.apply(Decisions(settled=[SettleClaim(claim, status, record, job)])))
    assert kept(store).status is comes_to
    assert standing(store, ORDERS, "9").owns("9") == (job is not None)
    assert run(store.slots(ORDERS, 9)) == ()
    assert standing(store).watermark is None


def test_a_suspension_stands_until_somebody_resumes(store: Store) -> None:
    """It stands from the moment it is asked for, the newest counts, and a resume ends those before it and the row of failures."""
    first = asked(store, "first", Asked.SUSPEND, 1)
    assert standing(store).suspended == first.suspension
    answer(store, first)
    assert standing(store).suspended == first.suspension
    second = asked(store, "second", Asked.SUSPEND, 2, until=minute(3))
    answer(store, second)
    assert kept(store, "first").status is RequestStatus.ENDED
    assert standing(store).suspended == second.suspension
    resume, third = asked(store, "resume", Asked.RESUME, 4), asked(store, "third", Asked.SUSPEND, 6)
    answer(store, third, RequestStatus.REFUSED)
    answer(store, resume)
    assert (kept(store, "second").status, standing(store).suspended) == (RequestStatus.ENDED, None)
    assert standing(store, USERS).suspended is None


def test_a_resume_does_not_end_what_came_after_it(store: Store) -> None:
    """Whoever suspends after a resume that nobody has carried out yet still suspends."""
    resume, later = asked(store, "resume", Asked.RESUME, 4), asked(store, "later", Asked.SUSPEND, 6)
    answer(store, resume)
    assert standing(store).suspended == later.suspension


def test_documents_are_kept_for_ever(store: Store) -> None:
    """Pruning forgets what people typed once it is over, but no key of a document, and no suspension that stands."""
    for key, action, source in (
        ("typed", Asked.TRIGGER, Source.BY_HAND),
        ("written", Asked.SYNC, Source.SPEC),
        ("stands", Asked.SUSPEND, Source.BY_HAND),
    ):
        answer(store, asked(store, key, action, source=source))
    asked(store, "waits", Asked.RESUME)
    run(store.prune(minute(99)))
    assert {each.key for each in run(store.requests(ORDERS, 9))} == {"written", "stands", "waits"}
    assert run(store.ask([request_of("written", Asked.SYNC, 50, source=Source.SPEC)])) == ()
