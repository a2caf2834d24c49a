"""The request budget: never more than the limit within any period, and a reserve for writes."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from controller.adapters.platforms.budget import DAY_SECONDS, MINUTE_SECONDS, RequestBudget


def test_without_limits_everything_passes() -> None:
    """None is no limit."""
    budget = RequestBudget(None, None)

    assert all(budget.take(0.0, is_write=False) is None for _ in range(10_000))


def test_a_refusal_says_exactly_how_long_to_wait() -> None:
    """Just before that time it is refused still, at that time it passes."""
    budget = RequestBudget(1, None)
    assert budget.take(100.25, is_write=True) is None

    wait = budget.take(130.0, is_write=True)

    assert wait == timedelta(seconds=31)
    assert budget.take(160.9, is_write=True) is not None
    assert budget.take(161.0, is_write=True) is None


def test_reads_leave_a_tenth_to_writes() -> None:
    """The last requests of a period are for triggers and cancels."""
    budget = RequestBudget(100, None)
    reads = sum(budget.take(5.0, is_write=False) is None for _ in range(100))
    writes = sum(budget.take(5.0, is_write=True) is None for _ in range(100))

    assert (reads, writes) == (90, 10)


def test_a_read_waits_until_the_reserve_is_whole_again() -> None:
    """Writes that went into the reserve make the next read wait for as many to leave."""
    budget = RequestBudget(10, None)
    for at in range(10):
        assert budget.take(float(at), is_write=True) is None

    # The second of the two oldest leaves at 1 s + its own second + a minute.
    assert budget.take(10.0, is_write=False) == timedelta(seconds=52)


def test_the_day_counts_as_well_as_the_minute() -> None:
    """The longer wait is the one that counts, and a refused request costs nothing."""
    budget = RequestBudget(100, 20)
    assert all(budget.take(float(at * 3600), is_write=True) is None for at in range(20))

    wait = budget.take(20 * 3600.0, is_write=True)

    assert wait == timedelta(hours=4, minutes=15)
    assert budget.take(20 * 3600.0 + wait.total_seconds(), is_write=True) is None


@given(st.lists(st.tuples(st.floats(0, 30), st.booleans()), max_size=200))
def test_no_period_ever_holds_more_than_the_limit(steps: list[tuple[float, bool]]) -> None:
    """Whatever comes when: within any minute and any day there are no more requests than allowed, and waits are enough."""
    budget = RequestBudget(10, 25)
    now, sent = 0.0, list[float]()
    for passed, is_write in steps:
        now += passed
        wait = budget.take(now, is_write=is_write)
        if wait is not None:
            now += wait.total_seconds() + 1e-6
            assert budget.take(now, is_write=is_write) is None
        sent.append(now)

    for last, at in enumerate(sent):
        assert sum(at - MINUTE_SECONDS < other for other in sent[: last + 1]) <= 10
        assert sum(at - DAY_SECONDS < other for other in sent[: last + 1]) <= 25
