"""What the brute-force list says about one connection's year: its slots, when each fires, and how late it may start."""

from bisect import bisect_right
from functools import cached_property

from controller.model.calendar import EntryKind
from controller.model.job import JobStatus
from controller.model.profile import AITRONOS
from controller.model.schedule import ScheduleSpec
from controller.simulation.slots.stepper import calendar_slots, closed_stretches, jittered, kept
from tests.simulation.life import Lived

WINDOW_MAX = 86_400
TAIL = 10 * 86_400
"""Calendar slots are listed this far beyond the end: those before it need to know the next one."""


class Expected:
    """The slots of a connection; instants are seconds since the epoch."""

    def __init__(self, lived: Lived) -> None:
        life = lived.life
        self.life, self.since, self.end = life, int(lived.effective_since.timestamp()), int(life.end.timestamp())
        self.calendar = [at for at in calendar_slots(life.spec, self.since, self.end + TAIL) if at > self.since]
        self.ages = sorted({e.every for e in life.spec.entries if e.kind is EntryKind.FRESHNESS})
        done = {int(job.ended_at.timestamp()) for job in lived.jobs if job.status is JobStatus.SUCCEEDED}
        self.successes = sorted(at for at in done if at < self.end)

    @cached_property
    def slots(self) -> list[int]:
        """Every slot before the end of the year, ascending."""
        return sorted({at for at in self.calendar if at < self.end} | self.fresh)

    @cached_property
    def fresh(self) -> set[int]:
        """Slots for the age of the data: those of each success up to the end of the next one, which removes the later ones."""
        found: set[int] = set()
        rests_on = [None, *self.successes]
        for success, following in zip(rests_on, [*self.successes, self.end - 1], strict=True):
            found |= {at for age in self.ages for at in range(self._first(success, age), following + 1, _again(age))}
        return kept(self.life.spec, found)

    def _first(self, success: int | None, age: int) -> int:
        return self.since + 1 if success is None else success + age

    def is_fresh_only(self, at: int) -> bool:
        """Whether a slot is there for the age of the data alone."""
        place = bisect_right(self.calendar, at)
        return not (place and self.calendar[place - 1] == at)

    def following(self, at: int, decided: float) -> int | None:
        """The next slot after one, as known when it was decided."""
        place = bisect_right(self.calendar, at)
        found = self.calendar[place : place + 1]
        if self.ages:
            # A slot that rests on a success is followed by the others that do, until the next success is seen.
            known = at if self.is_fresh_only(at) else int(decided)
            place = bisect_right(self.successes, known - 1)
            success = self.successes[place - 1] if place else None
            for age in self.ages:
                first, step = self._first(success, age), _again(age)
                coming = range(first if at < first else at + step - (at - first) % step, self.end + TAIL, step)
                found += self._first_kept(coming)
        return min(found, default=None)

    def _first_kept(self, coming: range) -> list[int]:
        return next(([at] for at in coming if kept(self.life.spec, [at])), [])

    def fires(self, spec: ScheduleSpec, at: int, decided: float) -> int:
        """When a slot may start at the earliest."""
        return at if spec.jitter is None else jittered(spec, at, self.following(at, decided))

    def superseded_at(self, spec: ScheduleSpec, at: int, decided: float) -> int | None:
        """When the next slot fires."""
        following = self.following(at, decided)
        return None if following is None else self.fires(spec, following, decided)

    def deadline(self, spec: ScheduleSpec, at: int, decided: float) -> int:
        """The last instant at which a slot may start."""
        fires = self.fires(spec, at, decided)
        if spec.catch_up.window is not None:
            return fires + int(spec.catch_up.window.total_seconds())
        superseded = self.superseded_at(spec, at, decided)
        return fires + WINDOW_MAX if superseded is None else min(superseded, fires + WINDOW_MAX)

    def closed(self, spec: ScheduleSpec) -> tuple[tuple[int, int], ...]:
        """When the windows let nothing start."""
        return closed_stretches(spec.windows, self.since, self.end + TAIL) if spec.windows else ()


def _again(age: int) -> int:
    return max(age // 4, int(AITRONOS.min_interval.total_seconds()))
