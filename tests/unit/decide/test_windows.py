"""Windows that allow or deny: who wins, exact edges, changes of the clock (``gitops.md`` 3.7)."""

from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.decide.cron.zone import END
from controller.decide.windows import OPENINGS_JOINED_MAX, is_open, next_edge, opens_at
from controller.model.window import Window, WindowKind
from tests.unit.decide.brute_force import Walker

MINUTE, HOUR, DAY = 60, 3600, 86_400
BERLIN = "Europe/Berlin"


def instant(text: str) -> int:
    """Seconds since the epoch of a time with its offset."""
    return int(datetime.fromisoformat(text).timestamp())


def allow(cron: str, duration: int, zone: str = BERLIN) -> Window:
    """An allow window."""
    return Window(WindowKind.ALLOW, cron, duration, zone)


def deny(cron: str, duration: int, zone: str = BERLIN, reason: str = "") -> Window:
    """A deny window."""
    return Window(WindowKind.DENY, cron, duration, zone, reason)


def open_spans(windows: list[Window], start: str, end: str, zone: str = BERLIN) -> list[str]:
    """Every maximal open span within [start, end] at a step of a minute, as wall times with offset."""
    opened = [at for at in range(instant(start), instant(end) + 1, MINUTE) if is_open(windows, at).open]
    cuts = [0] + [n for n, (a, b) in enumerate(pairwise(opened), 1) if b - a > MINUTE] + [len(opened)]
    spans = [opened[a:b] for a, b in pairwise(cuts) if a < b]

    def wall(at: int) -> str:
        return datetime.fromtimestamp(at, ZoneInfo(zone)).strftime("%H:%M %z")

    return [f"{wall(span[0])} - {wall(span[-1] + MINUTE)}" for span in spans]


def test_argo_1_an_autumn_window_opens_once() -> None:
    """`30 2 * * *` for 1 h on 2026-10-25 is one real hour from the first 02:30; Argo closes at the fold and opens again."""
    found = open_spans([allow("30 2 * * *", HOUR)], "2026-10-25T00:00+02:00", "2026-10-25T12:00+01:00")
    assert found == ["02:30 +0200 - 02:30 +0100"]


def test_argo_2_a_spring_window_keeps_its_length() -> None:
    """02:30 does not exist on 2026-03-29: the window opens at 03:00 for its whole hour; Argo opens it for 30 minutes."""
    found = open_spans([allow("30 2 * * *", HOUR)], "2026-03-29T00:00+01:00", "2026-03-29T12:00+02:00")
    assert found == ["03:00 +0200 - 04:00 +0200"]


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("2026-10-24T12:00+02:00", "2026-10-25T12:00+01:00", "22:00 +0200 - 05:00 +0100"),
        ("2026-03-28T12:00+01:00", "2026-03-29T12:00+02:00", "22:00 +0100 - 07:00 +0200"),
        ("2026-06-01T12:00+02:00", "2026-06-02T12:00+02:00", "22:00 +0200 - 06:00 +0200"),
    ],
)
def test_argo_3_eight_hours_are_eight_hours(start: str, end: str, expected: str) -> None:
    """On the wall an 8 h window over a change of the clock ends an hour earlier or later, in real time never; Argo's is 7 h or 9 h."""
    windows = [allow("0 22 * * *", 8 * HOUR)]
    assert open_spans(windows, start, end) == [expected]
    opening = opens_at(windows, instant(start))
    assert opening is not None
    assert next_edge(windows, opening) == opening + 8 * HOUR


def test_argo_4_the_first_second_is_open_and_the_end_is_closed() -> None:
    """Open from the exact instant on, closed from the exact end on; Argo has the first second closed."""
    windows, opening = [allow("0 2 * * *", HOUR, "UTC")], instant("2026-06-01T02:00+00:00")
    seconds = (opening - 1, opening, opening + HOUR - 1, opening + HOUR)
    assert [is_open(windows, at).open for at in seconds] == [False, True, True, False]
    assert [next_edge(windows, at) for at in seconds] == [opening, opening + HOUR, opening + HOUR, opening + DAY]
    assert [opens_at(windows, at) for at in seconds] == [opening, opening, opening + HOUR - 1, opening + DAY]


@pytest.mark.parametrize("broken", [deny("0 2 * * *", HOUR, "Mars/Olympus"), allow("0 2 * * *", HOUR, "Mars/Olympus")])
def test_argo_5_an_unknown_zone_is_closed(broken: Window) -> None:
    """Neither UTC instead nor left out, whatever other windows say; Argo moves the freeze to UTC."""
    for windows in ([broken], [allow("* * * * *", HOUR), broken]):
        found = is_open(windows, instant("2026-06-01T12:00+00:00"))
        assert (found.open, found.window) == (False, broken)
        assert "'Mars/Olympus' is no IANA time zone" in found.reason
        assert (next_edge(windows, 0), opens_at(windows, 0)) == (None, None)


def test_an_expression_that_cannot_be_used_is_closed() -> None:
    """As with an unknown zone: nobody knows what limit was meant."""
    assert not is_open([deny("61 * * * *", HOUR)], 0).open


def test_without_windows_it_is_open() -> None:
    """No windows, no limits and nothing to wait for."""
    found = is_open([], 1_790_000_000)
    assert (found.open, found.reason, found.window) == (True, "", None)
    assert (next_edge([], 0), opens_at([], 7)) == (None, 7)


def test_allow_windows_close_the_rest_and_deny_windows_do_not() -> None:
    """With deny windows alone everything else is open; with an allow window everything else is closed."""
    night, noon = instant("2026-06-01T03:00+00:00"), instant("2026-06-01T12:00+00:00")
    assert [is_open([deny("0 2 * * *", 3 * HOUR, "UTC")], at).open for at in (night, noon)] == [False, True]
    assert [is_open([allow("0 2 * * *", 3 * HOUR, "UTC")], at).open for at in (night, noon)] == [True, False]


def test_any_of_several_allow_windows_is_enough() -> None:
    """Their spans are added up."""
    windows = [allow("0 2 * * *", HOUR), allow("30 2 * * *", HOUR), allow("0 8 * * *", HOUR)]
    found = open_spans(windows, "2026-06-01T00:00+02:00", "2026-06-02T00:00+02:00")
    assert found == ["02:00 +0200 - 03:30 +0200", "08:00 +0200 - 09:00 +0200"]


def test_deny_beats_allow() -> None:
    """Whatever the order; the deny window is named with its reason."""
    backup, day = deny("0 2 * * *", HOUR, "UTC", "nightly backup"), allow("0 0 * * *", DAY, "UTC")
    for windows in ([backup, day], [day, backup]):
        found = is_open(windows, instant("2026-06-01T02:30+00:00"))
        assert (found.open, found.reason, found.window) == (False, "nightly backup", backup)
        assert opens_at(windows, instant("2026-06-01T02:30+00:00")) == instant("2026-06-01T03:00+00:00")


def test_what_closes_is_named_without_a_reason_too() -> None:
    """A deny window without a reason by its expression; no open allow window by all of them, and no single window."""
    closed = is_open([deny("0 2 * * *", HOUR, "UTC")], instant("2026-06-01T02:00+00:00"))
    assert closed.reason == "deny window '0 2 * * *' for 3600 s in UTC"
    outside = is_open([allow("0 2 * * *", HOUR, "UTC")], instant("2026-06-01T05:00+00:00"))
    assert (outside.reason, outside.window) == ("outside of allow window '0 2 * * *' for 3600 s in UTC", None)


def test_openings_that_overlap_or_touch_are_one() -> None:
    """Longer than its period, or exactly as long: there is no edge between two openings."""
    noon = instant("2026-06-01T12:00+00:00")
    assert (
        next_edge([deny("0 */2 * * *", 3 * HOUR, "UTC"), deny("0 */2 * * *", 2 * HOUR, "UTC")], noon) != noon + 2 * HOUR
    )
    weekdays = [deny("0 0 * * MON-FRI", DAY, "UTC")]
    assert next_edge(weekdays, noon) == opens_at(weekdays, noon) == instant("2026-06-06T00:00+00:00")
    overlapping = [deny("0 0 * * MON-FRI", 30 * HOUR, "UTC")]
    assert opens_at(overlapping, noon) == instant("2026-06-06T06:00+00:00")
    working = [deny("* 8-18 * * *", MINUTE, "UTC")]
    assert next_edge(working, noon) == instant("2026-06-01T19:00+00:00")


def test_a_daily_window_of_a_day_leaves_an_hour_of_the_long_day() -> None:
    """A duration is real time, so the 25th hour of 2026-10-25 is closed."""
    found = open_spans([allow("0 0 * * *", DAY)], "2026-10-25T00:00+02:00", "2026-10-26T00:05+01:00")
    assert found == ["00:00 +0200 - 23:00 +0100", "00:00 +0100 - 00:06 +0100"]


def test_a_rare_window_is_found_years_ahead() -> None:
    """29 February, with a deny window every night that does not lead the search astray."""
    windows = [allow("0 3 29 2 *", 4 * HOUR, "UTC"), deny("0 2 * * *", 2 * HOUR, "UTC")]
    assert opens_at(windows, instant("2026-06-01T12:00+00:00")) == instant("2028-02-29T04:00+00:00")


def test_what_never_opens_is_none() -> None:
    """Deny windows over everything, with one step to 2100 or with the bound of the search; an allow window that has none left."""
    now = instant("2026-06-01T12:00+00:00")
    for cron, duration in (("* * * * *", MINUTE), ("0,7 * * * *", HOUR), ("0 0 * * *", 25 * HOUR)):
        assert opens_at([deny(cron, duration)], now) is None
    assert opens_at([allow("0 0 * * *", HOUR, "UTC")], END - HOUR) is None
    assert next_edge([deny("* * * * *", MINUTE, "UTC")], now) is None


def test_an_endless_row_of_openings_has_an_edge_at_which_nothing_changes() -> None:
    """The search for the end stops; one more look is harmless."""
    now = instant("2026-06-01T12:00+00:00")
    assert next_edge([deny("0 * * * *", HOUR, "UTC")], now) == now + (OPENINGS_JOINED_MAX + 1) * HOUR


def test_a_window_without_a_length_cannot_be_made() -> None:
    """Validation refuses it; the value does too."""
    with pytest.raises(ValueError, match="never opens"):
        deny("0 2 * * *", 0)


WINDOWS = st.builds(
    Window,
    st.sampled_from(list(WindowKind)),
    st.sampled_from(
        ["0 2 * * *", "30 2 * * *", "0 */3 * * *", "*/20 1-4 * * *", "* 8-18 * * *", "0 18 * * SAT", "15,50 * * * *"]
    ),
    st.sampled_from([MINUTE, 20 * MINUTE, HOUR, 3 * HOUR, 8 * HOUR, DAY, 30 * HOUR]),
    st.sampled_from(["UTC", BERLIN, "America/New_York"]),
)
CHANGES = ("2026-10-25T01:00+00:00", "2026-03-29T01:00+00:00", "2026-11-01T06:00+00:00")


@settings(max_examples=20, derandomize=True, deadline=None)
@given(windows=st.lists(WINDOWS, max_size=3), change=st.sampled_from(CHANGES))
def test_every_minute_is_as_the_walker_says(windows: list[Window], change: str) -> None:
    """Openness by the walker's openings, minute after minute; the edge is the next one that changes a window, the opening the next open."""
    start, end = instant(change) - 5 * HOUR, instant(change) + 5 * HOUR
    tail = end + DAY
    minutes = range(start, tail, MINUTE)
    states = {}
    for window in windows:
        openings = Walker(window.cron).slots(window.time_zone, start - 2 * DAY, tail)
        held = {at for s in openings for at in range(max(s, start), min(s + window.duration, tail), MINUTE)}
        states[window] = [at in held for at in minutes]
    allows = [window for window in windows if window.kind is WindowKind.ALLOW]
    expected = [
        not any(states[w][n] for w in windows if w.kind is WindowKind.DENY)
        and (not allows or any(states[w][n] for w in allows))
        for n in range(len(minutes))
    ]
    edge, opening = None, None
    for n in range(len(minutes) - 1, -1, -1):
        at = minutes[n]
        opening = at if expected[n] else opening
        if at < end:
            assert is_open(windows, at).open == expected[n]
            assert next_edge(windows, at) == edge or edge is None
            assert opens_at(windows, at) == opening or opening is None
        if n and any(state[n] != state[n - 1] for state in states.values()):
            edge = at
