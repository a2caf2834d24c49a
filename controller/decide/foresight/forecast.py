"""What every slot to come will come to, if syncs last as long as they usually do and nobody interferes.

It follows the rules of ``decide/rules.py`` on whole seconds, one schedule at a time and lazily: a month of a thousand schedules is more
than a million slots. What it cannot know, it assumes: every sync lasts its median duration and succeeds, and the platform answers.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import ceil
from typing import NamedTuple

from controller.decide.against import freeze_at, held_as_a_whole, stalled_by, suspension_text
from controller.decide.cron.zone import END
from controller.decide.foresight.arrivals import Arrivals
from controller.decide.foresight.foreseen import ASSUMED_DURATION, Foreseen, Prospect
from controller.decide.slots import from_epoch, hashed_share, to_epoch
from controller.decide.windows import is_open, next_edge, opens_at
from controller.model.job import Job, JobKind
from controller.model.plan import ConnectionFacts
from controller.model.profile import PlatformProfile
from controller.model.record import Reason, Standing
from controller.model.schedule import CatchUpPolicy, Mode, Overlap, ScheduleSpec

WINDOW_SECONDS_MAX = 86_400
"""How long a slot without ``catchUp.window`` may wait when no newer one comes (`slots.DEFAULT_WINDOW_MAX`)."""

LEAD = timedelta(days=1)
"""A forecast that begins later than now is worked out from this much before its beginning on: a job may last into it."""


_Verdict = tuple[Prospect, Reason, str]


class _Wait(NamedTuple):
    reason: Reason | None = None
    message: str = ""
    free_at: int | None = None


_NOTHING = _Wait()


@dataclass(frozen=True, slots=True)
class Outlook:
    """One schedule before a forecast.

    Attributes:
        standing: where it stands once its spec is in force; `taken_in` makes that of a stored one.
        duration: the median duration of its recent syncs that succeeded; None = not known, `ASSUMED_DURATION` is taken.
        active: a job of the connection that has not ended.
        active_is_ours: whether one of our slots or requests made it.
        last_start: the newest start of any origin.
        obstacle: a reason that stands against the whole schedule.
    """

    spec: ScheduleSpec
    standing: Standing
    profile: PlatformProfile
    duration: timedelta | None = None
    active: Job | None = None
    active_is_ours: bool = False
    last_start: datetime | None = None
    obstacle: Reason | None = None


def taken_in(spec: ScheduleSpec, standing: Standing, now: datetime) -> Standing:
    """Where a schedule stands once its spec is in force: a new calendar counts from now on."""
    if standing.calendar_key == spec.calendar_key and standing.effective_since is not None:
        return standing
    success = standing.last_success
    return replace(
        standing,
        schedule=spec.name,
        calendar_key=spec.calendar_key,
        effective_since=now,
        watermark=now,
        pending=(),
        fresh_since=None if success is None else success.finished_at,
    )


def forecast(outlook: Outlook, since: datetime, until: datetime, now: datetime | None = None) -> Iterator[Foreseen]:
    """Every slot of one schedule in (since, until], oldest first.

    ``now`` is the instant at which the outlook is true, ``since`` unless given; from a later ``since`` on the forecast rests on what is
    assumed between the two.
    """
    known_at = since if now is None else min(now, since)
    walk = _Walk(outlook, to_epoch(max(known_at, since - LEAD)), to_epoch(known_at), to_epoch(until))
    first = to_epoch(since)
    for slot in walk.slots(to_epoch(until)):
        if slot.scheduled > first:
            yield slot


class _Walk:
    """A schedule on its way through time: what is active, and when the last start was."""

    def __init__(self, outlook: Outlook, begin: int, known_at: int, until: int) -> None:
        self._outlook = outlook
        self._spec = spec = outlook.spec
        self._begin = begin
        self._name, self._ref, self._ref_text = spec.name, spec.ref, str(spec.ref)
        self._jitter = _seconds(spec.jitter)
        self._lasts = max(_seconds(outlook.duration if outlook.duration is not None else ASSUMED_DURATION), 1)
        self._window = WINDOW_SECONDS_MAX if spec.catch_up.window is None else _seconds(spec.catch_up.window)
        far = max(self._window, WINDOW_SECONDS_MAX) + self._jitter
        span = begin - far, begin, until + far
        self._gap = _seconds(outlook.profile.min_gap if spec.min_gap is None else spec.min_gap)
        starts = [
            ceil(at.timestamp()) for at in (outlook.last_start, outlook.standing.last_triggered_at) if at is not None
        ]
        self._gap_ends = max((at for at in starts if at <= begin), default=begin - self._gap) + self._gap
        self._active_until = begin
        self._is_ours = True
        self._arrivals = Arrivals(
            outlook.standing, outlook.profile, span, catch_up=spec.catch_up.policy is CatchUpPolicy.LATEST
        )
        self._facts = ConnectionFacts(spec.ref, spec, outlook.standing, obstacle=outlook.obstacle)
        self._may_change = (
            spec.suspend is not None or spec.by_hand is not None or bool(spec.freezes) or outlook.active is not None
        )
        self._shifted: tuple[int, int | None, int] = (-1, None, -1)
        self._open_from = self._open_until = begin
        if outlook.active is not None and outlook.active.created_at.timestamp() <= begin:
            self._enter(outlook.active, known_at)
        # The sync that is active is assumed to succeed, and a success ends the row of failures.
        self._stalled_until = END if outlook.active is None else self._active_until
        self._always = self._verdict_at(begin)

    def _enter(self, job: Job, known_at: int) -> None:
        """A job that is active at the beginning; one that lasts longer than usual already is taken to end at once."""
        self._active_until = max(ceil(job.created_at.timestamp()) + self._lasts, known_at)
        self._is_ours = self._outlook.active_is_ours and job.kind is JobKind.SYNC
        if job.kind is JobKind.SYNC:
            self._arrivals.assume_success(self._active_until)

    def _verdict_at(self, fires: int) -> _Verdict | None:
        """What ends a slot that fires at an instant, whatever else happens then."""
        spec = self._spec
        if (against := held_as_a_whole(self._facts)) is not None:
            return Prospect.SKIPPED, *against
        for suspension in (spec.suspend, spec.by_hand):
            if suspension is not None and suspension.covers(from_epoch(fires)):
                return Prospect.SKIPPED, Reason.SUSPENDED, suspension_text(suspension)
        if spec.freezes and (freeze := freeze_at(spec, from_epoch(fires))) is not None:
            return Prospect.SKIPPED, Reason.FROZEN, suspension_text(freeze)
        if fires < self._stalled_until and (against := stalled_by(spec, self._outlook.standing.failures)) is not None:
            return Prospect.SKIPPED, *against
        return (Prospect.HELD, Reason.OBSERVE, "") if spec.mode is Mode.OBSERVE else None

    def slots(self, until: int) -> Iterator[Foreseen]:
        """Every slot up to an instant; one that waits at the beginning already takes its part and is not told."""
        arrivals = self._arrivals
        if (carried := arrivals.carried) is not None:
            self._judge(carried)
        while (slot := arrivals.take(until)) is not None:
            for excluded in arrivals.excluded_before(slot):
                yield self._as_excluded(excluded)
            if arrivals.is_excluded(slot):
                yield self._as_excluded(slot)
            else:
                yield self._judge(slot)
        for excluded in arrivals.excluded_before(until + 1):
            yield self._as_excluded(excluded)

    def _as_excluded(self, slot: int) -> Foreseen:
        return Foreseen(slot, self._name, self._ref, slot, Prospect.EXCLUDED)

    def _fires_of(self, slot: int) -> int:
        """When a slot may start at the earliest, as `slots.fires_at` says; the last answer is asked for again at the next slot."""
        if not self._jitter:
            return slot
        following = self._arrivals.after(slot)
        if self._shifted[0] == slot and self._shifted[1] == following:
            return self._shifted[2]
        most = self._jitter if following is None else min(self._jitter, following - slot)
        fires = slot + hashed_share(f"{self._ref_text}@{slot}", most)
        self._shifted = slot, following, fires
        return fires

    def _judge(self, slot: int) -> Foreseen:
        """Follow a slot from wait to wait until it starts, or until it may not start any more."""
        fires = self._fires_of(slot)
        verdict = self._verdict_at(fires) if self._may_change else self._always
        if verdict is not None:
            outcome, against, text = verdict
            return Foreseen(slot, self._name, self._ref, fires, outcome, against, None, None, text)
        for_age = self._arrivals.is_for_age(slot)
        if for_age and (success := self._arrivals.success_at()) is not None and slot <= success:
            return self._overtaken(slot, fires, success)
        overlap = Overlap.QUEUE if for_age else self._spec.overlap
        at, waited = max(fires, self._begin), _NOTHING
        while (wait := self._wait(at)) is not None:
            reason, message, free_at = wait
            if reason is Reason.ACTIVE and overlap is Overlap.REPLACE and self._is_ours:
                waited = _Wait(Reason.REPLACED, "", free_at)
                self._arrivals.withdraw_success()
                self._active_until = at
                continue
            refused = reason is Reason.ACTIVE and overlap is Overlap.SKIP
            if refused or free_at is None or free_at > self._latest(slot, fires):
                return Foreseen(
                    slot, self._name, self._ref, fires, Prospect.SKIPPED, reason, None, None, message, free_at
                )
            at, waited = free_at, wait
        self._active_until, self._is_ours = at + self._lasts, True
        self._gap_ends = at + self._gap
        self._arrivals.settle(at)
        self._arrivals.assume_success(self._active_until)
        return Foreseen(
            slot, self._name, self._ref, fires, Prospect.TRIGGERED, None, at, waited.reason, "", waited.free_at
        )

    def _overtaken(self, slot: int, fires: int, success: int) -> Foreseen:
        """A ``freshness`` slot at or before a success counts as done then, unless its window ends or a newer one fires first."""
        in_time = success <= self._latest(slot, fires)
        outcome = Prospect.COUNTED if in_time else Prospect.SKIPPED
        reason = None if in_time else Reason.ACTIVE
        return Foreseen(slot, self._name, self._ref, fires, outcome, reason, None, None, "", success)

    def _wait(self, at: int) -> _Wait | None:
        """What a slot that would start at an instant has to wait for."""
        if self._spec.windows and not self._open_from <= at < self._open_until:
            openness = is_open(self._spec.windows, at)
            if not openness.open:
                return _Wait(Reason.WINDOW_CLOSED, openness.reason, opens_at(self._spec.windows, at))
            edge = next_edge(self._spec.windows, at)
            self._open_from, self._open_until = at, END if edge is None else edge
        if at < self._active_until:
            return _Wait(Reason.ACTIVE, "", self._active_until)
        return _Wait(Reason.MIN_GAP, "", self._gap_ends) if at < self._gap_ends else None

    def _latest(self, slot: int, fires: int) -> int:
        """The last instant at which a slot may start: within its window, and before a newer one fires."""
        following = self._arrivals.after(slot)
        if following is None:
            return fires + self._window
        return min(fires + self._window, self._fires_of(following) - 1)


def _seconds(duration: timedelta | None) -> int:
    return 0 if duration is None else ceil(duration.total_seconds())
