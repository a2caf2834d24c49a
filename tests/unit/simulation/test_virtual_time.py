"""Virtual time: it jumps to what comes next, keeps the order of what comes at once, and shows on clocks what was set."""

from datetime import UTC, datetime, timedelta

import pytest

from controller.simulation import virtual_time
from controller.simulation.virtual_time import DeadlockError, LivelockError, VirtualClock, VirtualTimeLoop, run_virtual

START = datetime(2026, 3, 2, 12, tzinfo=UTC)


def test_what_comes_at_one_time_comes_in_the_order_in_which_it_was_asked_for() -> None:
    """However many timers there are, and whichever of them are cancelled."""
    came = list[int]()

    async def main(loop: VirtualTimeLoop) -> None:
        timers = [loop.call_at(number % 3, came.append, number) for number in range(30)]
        for timer in timers[::4]:
            timer.cancel()
        await VirtualClock(loop).sleep(5)

    run_virtual(START, main)
    left = [number for number in range(30) if number % 4]
    assert came == sorted(left, key=lambda number: number % 3)


def test_who_sleeps_until_one_time_goes_on_in_the_order_of_going_to_sleep() -> None:
    """Also beside timers for that time, and whichever of the sleepers are called off."""
    came = list[int]()

    async def sleep(loop: VirtualTimeLoop, number: int) -> None:
        await VirtualClock(loop).sleep(1)
        came.append(number)

    async def main(loop: VirtualTimeLoop) -> None:
        tasks = [loop.create_task(sleep(loop, number)) for number in range(5)]
        await VirtualClock(loop).sleep(0)
        loop.call_at(1, came.append, 5)
        tasks[1].cancel()
        await VirtualClock(loop).sleep(2)

    run_virtual(START, main)
    assert came == [0, 2, 3, 4, 5]


def test_a_sleep_that_was_called_off_is_nothing_to_wait_for() -> None:
    """It takes no time either."""
    loops = list[VirtualTimeLoop]()

    async def main(loop: VirtualTimeLoop) -> None:
        loops.append(loop)
        loop.sleeper(10).cancel()
        await loop.create_future()

    with pytest.raises(DeadlockError):
        run_virtual(START, main)
    assert loops[0].time() == 0


def test_waiting_for_nothing_is_an_error_at_once() -> None:
    """A cancelled timer is nothing to wait for, and takes no time."""
    loops = list[VirtualTimeLoop]()

    async def main(loop: VirtualTimeLoop) -> None:
        loops.append(loop)
        loop.call_later(10, print).cancel()
        await loop.create_future()

    with pytest.raises(DeadlockError):
        run_virtual(START, main)
    assert loops[0].time() == 0


def test_what_was_due_while_nothing_ran_comes_late() -> None:
    """Time goes on from where it is, and not from when it was due."""

    async def main(loop: VirtualTimeLoop) -> list[float]:
        came = list[float]()
        loop.call_later(10, lambda: came.append(loop.time()))
        loop.suspend(60)
        await VirtualClock(loop).sleep(1)
        return [*came, loop.time()]

    assert run_virtual(START, main) == [60, 61]


def test_time_that_stands_still_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """A timer that is due at once and sets itself again counts as well as a task that never waits."""
    monkeypatch.setattr(virtual_time, "STEPS_AT_ONCE", 100)

    async def main(loop: VirtualTimeLoop) -> None:
        def again() -> None:
            loop.call_later(0, again)

        again()
        await VirtualClock(loop).sleep(1)

    with pytest.raises(LivelockError):
        run_virtual(START, main)


def test_a_clock_shows_at_once_what_was_set() -> None:
    """A step, a drift and a correction, each looked at before and after, and another clock beside it that nobody sets."""

    async def main(loop: VirtualTimeLoop) -> list[float]:
        clock, other = VirtualClock(loop), VirtualClock(loop)

        def off() -> float:
            return (clock.now() - other.now()).total_seconds()

        found = [off()]
        clock.step(timedelta(seconds=30))
        found.append(off())
        clock.drift(0.5)
        await clock.sleep(10)
        found.append(off())
        clock.drift(-0.5)
        await clock.sleep(10)
        found.append(off())
        clock.correct()
        return [*found, off(), (clock.now() - START).total_seconds()]

    assert run_virtual(START, main) == [0, 30, 35, 30, 0, 20]
