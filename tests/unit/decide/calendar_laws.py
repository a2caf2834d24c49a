"""What holds for every calendar, asserted; tests of each kind of calendar walk it with these."""

from itertools import pairwise

from controller.decide.calendar import Calendar

YEAR = 366 * 86_400


def walked(calendar: Calendar, start: int, end: int) -> list[int]:
    """The slots of [start, end); forwards, backwards, counted and one by one they must agree."""
    forwards: list[int] = []
    slot = calendar.next_after(start - 1)
    while slot is not None and slot < end:
        assert not forwards or slot > forwards[-1]
        forwards.append(slot)
        slot = calendar.next_after(slot)
    backwards: list[int] = []
    slot = calendar.previous_at_or_before(end - 1)
    while slot is not None and slot >= start:
        backwards.append(slot)
        slot = calendar.previous_at_or_before(slot - 1)
    assert backwards[::-1] == forwards
    assert calendar.count_between(start - 1, end - 1) == len(forwards)
    assert calendar.smallest_gap(start, end - 1) == min((b - a for a, b in pairwise(forwards)), default=None)
    return forwards


def assert_neighbours(calendar: Calendar, at: int, later: int) -> None:
    """prev(next(t)) is next(t), prev(next(t) - 1) <= t < next(t), and counts of adjoining ranges add up."""
    following = calendar.next_after(at)
    assert following is not None
    assert following > at
    assert calendar.previous_at_or_before(following) == following
    before = calendar.previous_at_or_before(following - 1)
    assert before == calendar.previous_at_or_before(at)
    assert before is None or before <= at
    assert (calendar.count_between(at, following), calendar.count_between(at, following - 1)) == (1, 0)
    halves = calendar.count_between(at, later) + calendar.count_between(later, at + YEAR)
    assert calendar.count_between(at, at + YEAR) == halves
