"""Agreement with cronsim 2.8, another implementation of Debian's rule, in zones where it is right.

Left out is what cronsim is known to do differently: wildcards where the clock changes at midnight or by half an hour (such zones are not
asked), an answer that lies in the past, ``n-n/step`` read as ``n/step``, ``start/step`` that runs on to a Sunday as day 7.
"""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from cronsim import CronSim
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from controller.decide.calendar import CalendarError, compile_cron
from tests.unit.decide.brute_force import changes

ZONES = ("America/New_York", "Europe/London", "Europe/Berlin", "Pacific/Auckland")
FIRES = 3


def fields(low: int, high: int) -> st.SearchStrategy[str]:
    """A field in the grammar that both read alike."""
    value = st.integers(low, high)
    span = st.tuples(value, value).filter(lambda ends: ends[0] != ends[1]).map(sorted)
    item = st.one_of(
        value.map(str),
        span.map(lambda ends: f"{ends[0]}-{ends[1]}"),
        st.builds(lambda ends, n: f"{ends[0]}-{ends[1]}/{n}", span, st.integers(1, 9)),
    )
    return st.one_of(
        st.just("*"),
        st.integers(1, high).map(lambda n: f"*/{n}"),
        item,
        st.lists(item, min_size=2, max_size=3).map(",".join),
    )


EXPRESSIONS = st.tuples(
    st.one_of(fields(0, 59), st.integers(0, 59).map(lambda n: f"{n}/7")),
    st.one_of(fields(0, 23), fields(0, 3)),
    st.one_of(st.just("*"), fields(1, 31), st.sampled_from(["L", "LW", "1,L"])),
    st.one_of(st.just("*"), fields(1, 12)),
    st.one_of(st.just("*"), fields(0, 6), st.sampled_from(["MON-FRI", "5-7", "5L", "0#1", "2#5,3"])),
).map(" ".join)
NEAR_CHANGES = st.sampled_from([(zone, change) for zone in ZONES for change in changes(zone, 2015, 2035)])


@settings(max_examples=500, derandomize=True, deadline=None)
@given(expression=EXPRESSIONS, near=NEAR_CHANGES, shift=st.integers(-150 * 1440, 150 * 1440) | st.integers(-2880, 2880))
def test_slots_are_those_of_cronsim(expression: str, near: tuple[str, int], shift: int) -> None:
    """Three slots forwards and three backwards are the same."""
    zone, change = near
    place, at = ZoneInfo(zone), change // 60 * 60 + shift * 60
    try:
        calendar = compile_cron(expression, zone)
    except CalendarError as error:
        assume(error.code != "cron-never-fires")
        raise
    for reverse in (False, True):
        slot = at
        for _ in range(FIRES):
            asked = datetime.fromtimestamp(slot, place)
            if asked.fold:
                break
            theirs = int(next(CronSim(expression, asked, reverse=reverse)).timestamp())
            ours = calendar.previous_at_or_before(slot - 1) if reverse else calendar.next_after(slot)
            assert ours == theirs, datetime.fromtimestamp(theirs, place)
            slot = theirs


def test_cronsim_still_answers_with_the_past() -> None:
    """Finding 4, the reason for what is left out: when this fails, nothing need be left out any more."""
    asked = datetime(2024, 11, 3, 6, 10, tzinfo=UTC)
    assert next(CronSim("30 1 * * *", asked.astimezone(ZoneInfo("America/New_York")))).timestamp() < asked.timestamp()
