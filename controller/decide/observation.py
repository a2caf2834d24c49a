"""When to list which platform next, and how far back: reads cost requests, so they are planned and not polled."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from controller.decide.sight import CLOCK_TOLERANCE, LOOKBACK_MAX
from controller.model.job import Job
from controller.model.plan import Listing, ListingNeed, NeedKind
from controller.model.profile import PlatformProfile

INITIAL_LOOKBACK = timedelta(hours=1)
"""How far back the first listing reads when the store remembers no earlier one."""

FAILED_MAX = timedelta(seconds=30)
"""Longest pause after a listing that failed; shorter ones double from 1 s."""

RHYTHM: dict[NeedKind, tuple[int, ...]] = {
    NeedKind.IN_DOUBT: (2, 4, 8, 30),
    NeedKind.CANCELLING: (2, 5, 10, 20, 30),
    NeedKind.ACTIVE: (2, 5, 10, 20, 30),
    NeedKind.SUCCESS: (2, 4, 8, 30),
    NeedKind.DRIFT: (2, 5, 10, 20, 30),
}
"""Seconds after the waiting began at which to look; then again after each further last one."""


@dataclass(frozen=True, slots=True)
class ListingHistory:
    """What happened so far: the last complete listing, and failures since then."""

    last: Listing | None = None
    failures: int = 0
    failed_at: datetime | None = None
    quiet_until: datetime | None = None


def expected_end(profile: PlatformProfile, active: Collection[Job], usual: Mapping[str, timedelta]) -> datetime | None:
    """When the first of the jobs that are active is expected to end; None where none is.

    ``usual``: how long jobs of a connection took lately (median), where that is known.
    """
    if not active:
        return None
    return min([job.created_at + usual.get(job.connection_id, profile.poll) for job in active])


def next_listing_at(
    profile: PlatformProfile,
    history: ListingHistory,
    needs: Iterable[ListingNeed],
    expected: datetime | None,
    now: datetime,
) -> datetime:
    """When the next listing of a platform should begin; at or before ``now`` means at once.

    ``expected``: see `expected_end`.
    """
    if history.last is None:
        wanted = now
    else:
        wanted = _unawaited_at(profile, history.last, expected)
        for need in needs:
            awaited = _awaited_at(need, history.last)
            if awaited is not None and awaited < wanted:
                wanted = awaited
    if history.failures and history.failed_at is not None:
        pause = min(timedelta(seconds=2 ** min(history.failures - 1, 10)), FAILED_MAX)
        wanted = max(wanted, history.failed_at + pause)
    return wanted if history.quiet_until is None else max(wanted, history.quiet_until)


def _awaited_at(need: ListingNeed, last: Listing) -> datetime | None:
    """When a need wants the next listing; None if the last one has answered it."""
    instants = []
    if last.begun_at < need.begun_after:
        instants.append(need.begun_after)
    if _is_too_short(need, last):
        instants.append(need.waiting_since)
    rhythm = RHYTHM.get(need.kind)
    if rhythm is not None:
        instants.append(_next_beat(rhythm, need.waiting_since, last.begun_at))
    return min(instants, default=None)


def _is_too_short(need: ListingNeed, last: Listing) -> bool:
    """Whether a listing that reads further back than the last one would show more."""
    return need.covers_since is not None and last.covers_since > max(need.covers_since, last.begun_at - LOOKBACK_MAX)


def _next_beat(rhythm: tuple[int, ...], since: datetime, after: datetime) -> datetime:
    for seconds in rhythm:
        if (beat := since + timedelta(seconds=seconds)) > after:
            return beat
    step = timedelta(seconds=rhythm[-1])
    return since + step * ((after - since) // step + 1)


def _unawaited_at(profile: PlatformProfile, last: Listing, expected: datetime | None) -> datetime:
    """Nobody waits: at the expected end of an active job, and otherwise for what others may have started."""
    if expected is None:
        return last.begun_at + profile.quiet_poll
    soonest, latest = last.begun_at + profile.poll, last.begun_at + profile.active_poll_max
    return min(max(expected, soonest), latest)


def listing_since(
    profile: PlatformProfile, last: Listing | None, needs: Iterable[ListingNeed], start: datetime, now: datetime
) -> datetime:
    """How far back the next listing reads: an overlap before the last one, further for a doubt, or for a slot that it did not cover.

    ``start``: where to begin when there was no listing yet.
    """
    since = start if last is None else last.begun_at - profile.overlap
    for need in needs:
        deep = last is None or need.kind is NeedKind.IN_DOUBT or _is_too_short(need, last)
        if deep and need.covers_since is not None:
            since = min(since, need.covers_since)
    return max(since, now - LOOKBACK_MAX - CLOCK_TOLERANCE)
