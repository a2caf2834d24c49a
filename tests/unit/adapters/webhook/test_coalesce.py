"""However many webhooks come, the spec source is asked once in five seconds."""

from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from controller.adapters.webhook.coalesce import Coalescer
from controller.adapters.webhook.receiver import Answer, Receiver
from controller.simulation.virtual_time import VirtualClock, VirtualTimeLoop, run_virtual
from tests.unit.adapters.webhook.requests import GITHUB, pieces, signed

START = datetime(2026, 3, 2, 12, tzinfo=UTC)

Scene = Callable[[Coalescer, VirtualClock], Coroutine[Any, Any, None]]


def fetches(scene: Scene) -> list[float]:
    """Play a scene; returns the seconds at which the specs were fetched."""
    at: list[float] = []

    async def main(loop: VirtualTimeLoop) -> None:
        clock = VirtualClock(loop)
        begun = clock.boottime()
        coalescer = Coalescer(clock, lambda: at.append(round(clock.boottime() - begun, 3)))
        await scene(coalescer, clock)
        await coalescer.close()

    run_virtual(START, main)
    return at


def test_a_hundred_replays_of_a_signed_request_cost_one_fetch_more() -> None:
    """The signature has no time in it, so a replay is accepted, and harms nothing: one fetch at once, one five seconds later."""

    async def scene(coalescer: Coalescer, clock: VirtualClock) -> None:
        receiver = Receiver(GITHUB, coalescer)
        for _ in range(100):
            assert await receiver.receive(signed(b"{}"), pieces([b"{}"])) is Answer.ACCEPTED
        await clock.sleep(60)

    assert fetches(scene) == [0, 5]


def test_an_endless_stream_of_them_is_one_fetch_in_five_seconds() -> None:
    """Ten a second for nearly a minute; what comes while one waits is the same wish."""

    async def scene(coalescer: Coalescer, clock: VirtualClock) -> None:
        for _ in range(595):
            coalescer.poke()
            await clock.sleep(0.1)

    at = fetches(scene)
    assert len(at) == 12
    assert all(later - earlier >= 5 for earlier, later in pairwise(at))


def test_one_that_comes_after_a_pause_is_fetched_at_once() -> None:
    """A push is seen within a moment, not with the next poll."""

    async def scene(coalescer: Coalescer, clock: VirtualClock) -> None:
        coalescer.poke()
        await clock.sleep(5)
        coalescer.poke()
        await clock.sleep(7)
        coalescer.poke()

    assert fetches(scene) == [0, 5, 12]


def test_a_wall_clock_that_is_set_closes_no_endpoint() -> None:
    """The pause is measured by the clock that never steps."""

    async def scene(coalescer: Coalescer, clock: VirtualClock) -> None:
        coalescer.poke()
        clock.step(timedelta(hours=-1))
        await clock.sleep(6)
        coalescer.poke()

    assert fetches(scene) == [0, 6]


def test_what_waits_at_the_end_is_forgotten() -> None:
    """A controller that stops fetches nothing any more."""

    async def scene(coalescer: Coalescer, clock: VirtualClock) -> None:
        coalescer.poke()
        coalescer.poke()
        await coalescer.close()
        await clock.sleep(60)

    assert fetches(scene) == [0]
