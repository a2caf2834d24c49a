"""Each rule of claim, send and record is needed, and together they suffice: tried on every interleaving of a small model."""

from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest

from controller.decide.sight import CLOCK_TOLERANCE, proves_absence
from controller.model.identity import ClaimKey, ConnectionRef, SlotKey
from controller.model.plan import Listing, PlatformFacts
from controller.model.profile import PlatformProfile
from controller.model.record import Claim
from tests.simulation.protocol_search import FALSE_OUTCOME, RULES, TWO_JOBS, Finding, replay, search
from tests.simulation.protocol_state import SEND_WITHIN, SETTLE, WRITE_TIMEOUT, Outcome, Variant

PAGE = Path(__file__).parents[2] / "docs" / "protocol-model.md"
TICK = timedelta(seconds=10)

walk = cache(search)

HOLDS: frozenset[str] = frozenset()
DOUBLE = frozenset({TWO_JOBS, FALSE_OUTCOME})
UNTRUE = frozenset({FALSE_OUTCOME})

VERDICTS: dict[str, tuple[Variant, frozenset[str]]] = {
    "Retry": (Variant(), HOLDS),
    "Skip": (Variant(retries=False), HOLDS),
    "Retry, no settle time": (Variant(settle=0), DOUBLE),
    "Retry, unbounded delay": (Variant(delay_is_bounded=False), DOUBLE),
    "Retry, no send deadline": (Variant(has_send_deadline=False), DOUBLE),
    "Retry, neither unique key nor fence": (Variant(has_unique_key=False, has_fence=False), DOUBLE),
    "Skip, neither unique key nor fence": (Variant(retries=False, has_unique_key=False, has_fence=False), DOUBLE),
    "Skip, unbounded delay": (Variant(retries=False, delay_is_bounded=False), HOLDS),
    "Skip, no send deadline": (Variant(retries=False, has_send_deadline=False), HOLDS),
    "Retry, fence but no unique key": (Variant(has_unique_key=False), HOLDS),
    "Retry, unique key but no fence": (Variant(has_fence=False), UNTRUE),
    "Skip, the store is taken back in the middle of work": (Variant(retries=False, keeps_hold=False), UNTRUE),
    "Retry, the same without unique key": (Variant(keeps_hold=False, has_unique_key=False), DOUBLE),
    "Retry, unbounded pause before the send": (Variant(pause_is_bounded=False), DOUBLE),
    "Skip, unbounded pause before the send": (Variant(retries=False, pause_is_bounded=False), HOLDS),
    "Retry, absence from a listing before T_resolve": (Variant(waits_to_resolve=False), DOUBLE),
    "Retry, absence from an incomplete listing": (Variant(listing_is_complete=False), DOUBLE),
    "Retry, adoption by creation time": (Variant(adopts_by_id=False), UNTRUE),
    "Retry, POST before the claim is durable": (Variant(is_written_ahead=False), DOUBLE),
    "Skip, POST before the claim is durable": (Variant(retries=False, is_written_ahead=False), DOUBLE),
}


def row(name: str, finding: Finding) -> str:
    """How the page begins a variant's row."""
    word = "holds" if not finding.broken else TWO_JOBS if TWO_JOBS in finding.broken else FALSE_OUTCOME
    return f"| {name} | {finding.states:,} | {word} |"


@pytest.mark.parametrize("name", VERDICTS)
def test_every_interleaving_bears_the_verdict_out(name: str) -> None:
    """A variant breaks exactly the rules that it is said to, by a way that can be walked again, and the page says so."""
    variant, expected = VERDICTS[name]
    finding = walk(variant)
    assert frozenset(finding.broken) == expected, finding.broken
    assert finding.states > 300
    for rule, trace in finding.broken.items():
        assert RULES[rule](replay(variant, trace)), trace
    if TWO_JOBS in finding.broken:
        assert replay(variant, finding.broken[TWO_JOBS]).jobs == 2
    assert row(name, finding) in PAGE.read_text()


def test_every_final_record_is_reached() -> None:
    """The protocol holds although things happen in it: the slot gets every final record, but never counts its own job as a foreign one."""
    assert walk(Variant()).outcomes == frozenset(Outcome) - {Outcome.COUNTED}


@pytest.mark.parametrize("settle", [0, SETTLE])
def test_the_model_believes_in_absence_when_the_planner_does(settle: int) -> None:
    """The planner believes in absence from the tick on from which the model does, and on no earlier one."""
    profile = PlatformProfile(send_within=SEND_WITHIN * TICK, write_timeout=WRITE_TIMEOUT * TICK, settle=settle * TICK)
    written_at = datetime(2026, 3, 1, tzinfo=UTC)
    key = ClaimKey(SlotKey(ConnectionRef("acme", "orders"), written_at), 0)
    claim = Claim(key, 1, written_at, frozenset(), "orders")
    resolve_after = Variant(settle=settle).resolve_after
    for age in range(resolve_after + 2):
        listing = Listing(written_at + age * TICK, written_at - CLOCK_TOLERANCE)
        facts = PlatformFacts(profile, listing, 1)
        assert proves_absence(facts, claim) is (age >= resolve_after)
