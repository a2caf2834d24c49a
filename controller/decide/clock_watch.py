"""Whether the wall clock can be believed: it is compared with a clock that never steps, and with the clocks of the platforms."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from controller.model.plan import ClockJump

STEP_TOLERATED = timedelta(seconds=30)
"""A wall clock that is further from where it should be was set. Less is what time services correct all the time, and harms no slot."""

FOLLOWED = 0.01
"""How much of the time that passed the baseline may follow the wall clock by. Where a kernel slews, it slews both clocks alike, and a
wall clock that drifts alone does so by less than a thousandth: neither is ever taken for a step, however long it goes on. Steps of less
than 30 s that come again and again add up, and are found out."""

ANSWERS_NEEDED = 3
"""One ``Date`` may be wrong, or from a cache; three in a row of one platform that agree with the wall clock are believed."""

DATE_GRAIN = timedelta(seconds=1)
"""A ``Date`` header has whole seconds, rounded down."""

NONE = timedelta(0)


@dataclass(frozen=True, slots=True)
class Reading:
    """Both clocks of the machine, read at once."""

    wall: datetime
    boottime: float

    @property
    def booted_at(self) -> datetime:
        """When the clock that never steps began, by the wall clock: the same at every reading while the two agree."""
        return self.wall - timedelta(seconds=self.boottime)


@dataclass(frozen=True, slots=True)
class DateAnswer:
    """What a platform said the time was, in an answer that came ``taken`` after it was asked for."""

    platform: str
    date: datetime
    taken: timedelta
    tolerance: timedelta

    def error_at(self, now: datetime) -> timedelta:
        """How far the platform's clock is ahead of one that shows ``now`` at the end of the answer; zero where both may be right."""
        earliest, latest = now - self.taken, now
        if self.date > latest:
            return self.date - latest
        return min(self.date + DATE_GRAIN - earliest, NONE)


@dataclass(frozen=True, slots=True)
class ClockError:
    """How far a platform's clock is ahead, and how far it may be."""

    ahead: timedelta
    tolerance: timedelta

    @property
    def is_too_large(self) -> bool:
        """Whether the two clocks contradict each other."""
        return abs(self.ahead) > self.tolerance


@dataclass(frozen=True, slots=True)
class ClockWatch:
    """What is known of the clocks.

    Attributes:
        baseline: what `Reading.booted_at` is while the wall clock agrees; None before the first reading.
        last: the newest reading.
        step: how far the wall clock is from the baseline while they contradict each other; zero = they agree.
        agreed_at: the wall clock when they last agreed.
        confirmed: how many answers in a row of each platform agreed with a wall clock that was set.
        errors: each platform's clock against the baseline, by its newest answer.
        accepted: the sum of the steps that were believed.
        freezes: how many times the wall clock was found to be set.
        jump: the newest step that was believed.
    """

    baseline: datetime | None = None
    last: Reading | None = None
    step: timedelta = NONE
    agreed_at: datetime | None = None
    confirmed: Mapping[str, int] = field(default_factory=dict)
    errors: Mapping[str, ClockError] = field(default_factory=dict)
    accepted: timedelta = NONE
    freezes: int = 0
    jump: ClockJump | None = None

    @property
    def is_frozen(self) -> bool:
        """Whether nobody knows what time it is."""
        return self.step != NONE

    @property
    def moved(self) -> timedelta:
        """How far the wall clock was set since the first reading, whether that is believed or not."""
        return self.accepted + self.step

    @property
    def expected(self) -> datetime | None:
        """What the wall clock should have shown at the newest reading."""
        if self.baseline is None or self.last is None:
            return None
        return self.baseline + timedelta(seconds=self.last.boottime)

    @property
    def frozen(self) -> str:
        """Why nothing is judged at all; empty when the clocks of the machine agree."""
        if not self.is_frozen or self.last is None or self.expected is None:
            return ""
        return (
            f"the wall clock shows {self.last.wall:%Y-%m-%d %H:%M:%SZ}, and by the clock that never steps"
            f" it should be {self.expected:%Y-%m-%d %H:%M:%SZ}"
        )

    def skewed(self, platform: str) -> str:
        """Why nothing is judged on a platform; empty when its clock agrees with ours, or says nothing."""
        error = self.errors.get(platform)
        if error is None or not error.is_too_large:
            return ""
        seconds = abs(error.ahead).total_seconds()
        order = "ahead of" if error.ahead > NONE else "behind"
        return f"the platform's clock is {seconds:.0f} s {order} ours, and {error.tolerance.total_seconds():g} s are tolerated"


def ticked(watch: ClockWatch, reading: Reading) -> ClockWatch:
    """Take in a reading. The first one is the baseline: nothing is known then that could contradict it, until a platform answers.

    While the machine sleeps both clocks go on, so that is no step: it is time in which nobody looked.
    """
    if watch.baseline is None or watch.last is None:
        return replace(watch, baseline=reading.booted_at, last=reading)
    apart = reading.booted_at - watch.baseline
    if watch.step:
        if abs(apart) <= STEP_TOLERATED:
            return replace(watch, step=NONE, confirmed={}, last=reading)
        if abs(apart - watch.step) > STEP_TOLERATED:
            # Set once more: what was said of the clock before says nothing of this one.
            return replace(watch, step=apart, confirmed={}, last=reading)
        return replace(watch, last=reading)
    if not apart:
        return _read(watch, watch.baseline, reading)
    if abs(apart) > STEP_TOLERATED:
        return replace(watch, step=apart, agreed_at=watch.last.wall, last=reading, freezes=watch.freezes + 1)
    most = timedelta(seconds=max(reading.boottime - watch.last.boottime, 0.0) * FOLLOWED)
    return _read(watch, watch.baseline + max(-most, min(apart, most)), reading)


def _read(watch: ClockWatch, baseline: datetime, reading: Reading) -> ClockWatch:
    """The same with a newer reading. The clocks are read several times a step, and ``replace`` costs four times as much."""
    return ClockWatch(
        baseline,
        reading,
        watch.step,
        watch.agreed_at,
        watch.confirmed,
        watch.errors,
        watch.accepted,
        watch.freezes,
        watch.jump,
    )


def heard(watch: ClockWatch, reading: Reading, answer: DateAnswer) -> ClockWatch:
    """Take in a platform's ``Date``, with a reading made when it came."""
    watch = ticked(watch, reading)
    if watch.expected is None:
        return watch
    error = ClockError(answer.error_at(watch.expected), answer.tolerance)
    # The same answer again is no news: whoever compares the errors sees by their identity that nothing is different.
    if watch.errors.get(answer.platform) != error:
        watch = replace(watch, errors={**watch.errors, answer.platform: error})
    if not watch.is_frozen:
        return watch
    agrees = abs(answer.error_at(reading.wall)) <= answer.tolerance
    count = watch.confirmed.get(answer.platform, 0) + 1 if agrees else 0
    if count >= ANSWERS_NEEDED:
        return _believed(watch, reading)
    return replace(watch, confirmed={**watch.confirmed, answer.platform: count})


def _believed(watch: ClockWatch, reading: Reading) -> ClockWatch:
    """The wall clock was wrong before, and is right now."""
    since = watch.agreed_at or reading.wall
    return replace(
        watch,
        baseline=reading.booted_at,
        step=NONE,
        confirmed={},
        errors={name: replace(error, ahead=error.ahead - watch.step) for name, error in watch.errors.items()},
        accepted=watch.moved,
        jump=ClockJump(since, since + watch.step),
    )
