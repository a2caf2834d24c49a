"""When a schedule may start jobs: windows that allow or deny (``spec-format.md``, ``windows``; ``gitops.md`` 3.7).

A window opens at every slot of its cron expression, evaluated in its zone by the Debian rule, and is open for its duration in real time:
at the instant it opens, and no longer at the instant it ends. Changes of the clock make it neither longer nor shorter. All functions are
pure: the instant asked about, in whole seconds since the epoch, is the only time there is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from controller.decide.calendar import CalendarError, compile_cron
from controller.decide.cron.zone import END
from controller.decide.exclusion import MINUTE, run_end
from controller.model.window import OnClose, Window, WindowKind

OPENINGS_JOINED_MAX = 200
"""Openings that follow each other without a pause are followed this far; then the edge is one at which nothing need change.

More than half a year of daily ones; a spurious edge costs one more look, an unending search the cycle.
"""

EDGES_SEARCHED_MAX = 200
"""How many closed stretches a search for the next open instant passes: together with the constant above at most 40,000 openings.

It is found at the first or second one unless deny windows cover every allow window, which is a mistake that has no end.
"""

EDGES_CACHED = 4096
"""Ends of openings kept; policies give many schedules the same windows, and an end stays the same while its opening lasts."""


@dataclass(frozen=True, slots=True)
class Openness:
    """Whether jobs may start at an instant.

    Attributes:
        open: whether they may.
        reason: why not, as the rest of a sentence; empty when open.
        window: the deny window or the unusable one that closes it; None when open, or when no allow window is open.
    """

    open: bool
    reason: str = ""
    window: Window | None = None


OPEN = Openness(open=True)


def is_open(windows: Sequence[Window], instant: int) -> Openness:
    """Whether jobs may start: not in a deny window, and only in an allow window if there is one at all.

    A window whose zone or expression cannot be used closes everything: its author wanted a limit and nobody knows which.
    """
    if unusable := _unusable(windows):
        window, error = unusable
        return Openness(open=False, reason=f"a window cannot be used: {error}", window=window)
    for window in windows:
        if window.kind is WindowKind.DENY and _opened(window, instant) is not None:
            return Openness(open=False, reason=window.reason or f"deny window {_named(window)}", window=window)
    allows = [window for window in windows if window.kind is WindowKind.ALLOW]
    if not allows or any(_opened(window, instant) is not None for window in allows):
        return OPEN
    return Openness(open=False, reason=f"outside of {', '.join(f'allow window {_named(each)}' for each in allows)}")


def closing(windows: Sequence[Window], instant: int) -> tuple[Window, int] | None:
    """What keeps a closed instant closed, and since when: an open deny window, or the allow window that ended last if none is open.

    Of several such windows one that cancels speaks for all; else the deny windows go first. None when it is open, or was never open.
    """
    if _unusable(windows) or is_open(windows, instant).open:
        return None
    denies = [
        (each, since)
        for each in windows
        if each.kind is WindowKind.DENY and (since := _opened(each, instant)) is not None
    ]
    shut = [*denies, *_last_allowed(windows, instant)]
    return min(
        shut,
        key=lambda each: (each[0].on_close is not OnClose.CANCEL, each[0].kind is WindowKind.ALLOW, each[1]),
        default=None,
    )


def _last_allowed(windows: Sequence[Window], instant: int) -> list[tuple[Window, int]]:
    """The allow window that ended last, with its end; none while one is open, or before any was."""
    allows = [window for window in windows if window.kind is WindowKind.ALLOW]
    if any(_opened(window, instant) is not None for window in allows):
        return []
    ended = [
        (each, opening + each.duration)
        for each in allows
        if (opening := compile_cron(each.cron, each.time_zone).previous_at_or_before(instant)) is not None
    ]
    return [max(ended, key=lambda allow: allow[1])] if ended else []


def next_edge(windows: Sequence[Window], instant: int) -> int | None:
    """The next instant after this one at which a window opens or ends; before it openness stays as it is.

    None when nothing changes any more: there are no windows, or one cannot be used. At the edge openness need not change, for example
    because another window holds it; a window that reopens at the instant it ends has no edge there (but see `OPENINGS_JOINED_MAX`).
    """
    if _unusable(windows):
        return None
    edges = [_edge(window, instant) for window in windows]
    return min((edge for edge in edges if edge is not None and edge < END), default=None)


def opens_at(windows: Sequence[Window], instant: int) -> int | None:
    """The first open instant at or after this one; None when there is none, or none within `EDGES_SEARCHED_MAX` closed stretches."""
    if _unusable(windows):
        return None
    for _ in range(EDGES_SEARCHED_MAX):
        later = _closed_until(windows, instant)
        if later is None or later >= END:
            return None
        if later == instant:
            return instant
        instant = later
    return None


def _unusable(windows: Sequence[Window]) -> tuple[Window, CalendarError] | None:
    """The first window whose zone or expression cannot be used."""
    for window in windows:
        try:
            compile_cron(window.cron, window.time_zone)
        except CalendarError as error:
            return window, error
    return None


def _closed_until(windows: Sequence[Window], instant: int) -> int | None:
    """An instant before which it stays closed; the same one when it is open, None when it never opens."""
    denied = [
        _edge(each, instant) for each in windows if each.kind is WindowKind.DENY and _opened(each, instant) is not None
    ]
    if denied:
        return max(edge for edge in denied if edge is not None)
    allows = [window for window in windows if window.kind is WindowKind.ALLOW]
    if not allows or any(_opened(window, instant) is not None for window in allows):
        return instant
    openings = [compile_cron(window.cron, window.time_zone).next_after(instant) for window in allows]
    return min((opening for opening in openings if opening is not None), default=None)


def _opened(window: Window, instant: int) -> int | None:
    """The last opening of a window that is open at an instant."""
    opening = compile_cron(window.cron, window.time_zone).previous_at_or_before(instant)
    return opening if opening is not None and instant < opening + window.duration else None


def _edge(window: Window, instant: int) -> int | None:
    """When an open window ends, or a closed one opens."""
    calendar = compile_cron(window.cron, window.time_zone)
    opening = _opened(window, instant)
    return (
        calendar.next_after(instant)
        if opening is None
        else _end(window.cron, window.time_zone, window.duration, opening)
    )


@lru_cache(maxsize=EDGES_CACHED)
def _end(cron: str, time_zone: str, duration: int, opening: int) -> int:
    """When an opening ends, with those that follow before it does or at that instant."""
    calendar = compile_cron(cron, time_zone)
    end = opening + duration
    for _ in range(OPENINGS_JOINED_MAX):
        last = calendar.previous_at_or_before(end)
        if last is None or last + duration <= end:
            break
        # Minutes without a break, as of "* 8-18 * * *" for 1m, are one step.
        end = run_end(calendar, last) - MINUTE + duration if duration >= MINUTE else last + duration
    return end


def _named(window: Window) -> str:
    return f"{window.cron!r} for {window.duration} s in {window.time_zone}"
