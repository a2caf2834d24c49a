"""Faults on request: how they are written, and whom they meet."""

import random

import pytest

from controller.embedded.faults import Fault, FaultKind, Injection, draw_injection, parse_fault


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("lost-request", Fault(FaultKind.LOST_REQUEST)),
        ("lost-reply@0.25", Fault(FaultKind.LOST_REPLY, share=0.25)),
        ("http-500@1", Fault(FaultKind.HTTP_500)),
        ("http-429", Fault(FaultKind.HTTP_429, seconds=60)),
        ("http-429=120s", Fault(FaultKind.HTTP_429, seconds=120)),
        ("delay=5s@.5", Fault(FaultKind.DELAY, seconds=5, share=0.5)),
        ("delay=250ms", Fault(FaultKind.DELAY, seconds=0.25)),
        ("list-lag=1.5m", Fault(FaultKind.LIST_LAG, seconds=90)),
    ],
)
def test_a_fault_is_read_as_written(text: str, fault: Fault) -> None:
    """Kind, duration and share are what the text says; without a share every request is met."""
    assert parse_fault(text) == fault


@pytest.mark.parametrize(
    "text",
    [
        "",
        "lost",
        "lost-reply=5s",
        "delay",
        "delay=",
        "delay=5",
        "delay=-5s",
        "delay=2000m",
        "http-500@",
        "http-500@2",
        "http-500@nan",
    ],
)
def test_a_bad_fault_is_refused_with_its_text(text: str) -> None:
    """What cannot be understood is a ValueError that quotes it, never a fault of another kind."""
    with pytest.raises(ValueError, match="fault "):
        parse_fault(text)


def test_a_seed_tells_whom_a_share_meets() -> None:
    """Each fault is drawn for itself, about its share of the requests is met, and the same seed meets the same ones."""
    faults = [parse_fault("http-500@0.2"), parse_fault("delay=1s@0.5")]

    def draw(seed: int) -> list[Injection]:
        chance = random.Random(seed)
        return [draw_injection(faults, chance) for _ in range(1000)]

    drawn = draw(1)
    assert drawn == draw(1) != draw(2)
    assert 150 < sum(one.is_refused_with_500 for one in drawn) < 250
    assert 430 < sum(one.delay_seconds == 1 for one in drawn) < 570
    assert any(one.is_refused_with_500 and one.delay_seconds for one in drawn)


def test_no_fault_and_no_share_do_nothing() -> None:
    """Without faults, and with a share of nothing, a request is left alone; delays add up, the longest lag counts."""
    chance = random.Random(1)
    assert draw_injection([], chance) == draw_injection([parse_fault("lost-request@0")], chance) == Injection()
    all_of = [parse_fault(text) for text in ("delay=1s", "delay=2s", "list-lag=9s", "list-lag=3s")]
    assert draw_injection(all_of, chance) == Injection(delay_seconds=3, list_lag_seconds=9)
