"""The loop's sleep: as long as nothing is due, and no longer than until somebody ends it."""

from datetime import UTC, datetime, timedelta

from controller.reconcile.nap import NO_TIME, Nap
from controller.simulation.virtual_time import VirtualClock, VirtualTimeLoop, run_virtual

START = datetime(2026, 3, 2, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def woken_at(*naps: timedelta, ended_after: float | None = None) -> list[float]:
    """Take naps one after the other; returns the seconds after which each was over."""

    async def main(loop: VirtualTimeLoop) -> list[float]:
        nap, over = Nap(VirtualClock(loop)), list[float]()
        if ended_after is not None:
            loop.call_later(ended_after, nap.end)
        for longest in naps:
            await nap.take(longest)
            over.append(loop.time())
        return over

    return run_virtual(START, main)


def test_a_nap_lasts_until_something_is_due() -> None:
    """The alarm of the one before does not end the next one."""
    assert woken_at(MINUTE, 2 * MINUTE) == [60, 180]


def test_a_nap_is_over_when_somebody_ends_it() -> None:
    """And what ended one does not end the next one."""
    assert woken_at(MINUTE, MINUTE, ended_after=10) == [10, 70]


def test_no_time_is_no_nap() -> None:
    """What is due is done at once, and others still have their turn."""

    async def main(loop: VirtualTimeLoop) -> tuple[float, list[str]]:
        came = list[str]()
        loop.call_soon(came.append, "another")
        await Nap(VirtualClock(loop)).take(NO_TIME)
        return loop.time(), [*came]

    assert run_virtual(START, main) == (0, ["another"])


def test_who_was_woken_before_lies_down_for_no_time() -> None:
    """What came in while the loop was at work is looked at right after it."""

    async def main(loop: VirtualTimeLoop) -> float:
        nap = Nap(VirtualClock(loop))
        nap.end()
        await nap.take(MINUTE)
        return loop.time()

    assert run_virtual(START, main) == 0
