"""What stood against starts in a connection's year: windows, jobs, gaps, doubts, and times without a controller.

Instants are seconds since the epoch; a span runs from its first instant to before its second, and a kind of span is sorted.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import accumulate

from controller.model.profile import AITRONOS
from controller.model.schedule import ScheduleSpec
from tests.simulation.expected import Expected
from tests.simulation.life import Lived

Span = tuple[float, float]


class World:
    """The year as it went, laid beside the brute-force list."""

    def __init__(self, lived: Lived, expected: Expected) -> None:
        lag = lived.life.lag.total_seconds()
        self.life, self.expected = lived.life, expected
        self.active = [(job.created_at.timestamp(), job.ended_at.timestamp()) for job in lived.jobs]
        self.seen_active = [(begin, end + lag) for begin, end in self.active]
        self.last_ends = [0.0, *accumulate((end for _, end in self.active), max)]
        self.off = [(begin.timestamp(), end.timestamp()) for begin, end in lived.life.off]
        self.doubts = [(begin.timestamp(), end.timestamp()) for begin, end in lived.doubts]
        self.starts = sorted({begin for begin, _ in (*self.active, *self.doubts)})
        self.edited = [since.timestamp() for since, _ in lived.life.versions]

    def spec_at(self, at: float) -> ScheduleSpec:
        """The version of the spec in force."""
        return self.life.versions[bisect_right(self.edited, at) - 1][1]

    def specs_between(self, since: float, until: float) -> list[ScheduleSpec]:
        """Every version that was in force at some time."""
        first, last = bisect_right(self.edited, since) - 1, bisect_right(self.edited, until)
        return [spec for _, spec in self.life.versions[first:last]]

    def last_edit(self, at: float) -> float:
        """Since when the version in force is."""
        return self.edited[bisect_right(self.edited, at) - 1]

    def gap_end(self, spec: ScheduleSpec, at: float) -> float:
        """Until when ``minGap`` lets nothing start at an instant, which other starts came before."""
        place = bisect_left(self.starts, at)
        return self.starts[place - 1] + gap_of(spec) if place else 0.0

    def gaps(self, spec: ScheduleSpec, since: float, until: float) -> list[Span]:
        """The gaps that began before ``until`` and were not over at ``since``."""
        gap = gap_of(spec)
        starts = self.starts[bisect_left(self.starts, since - gap) : bisect_right(self.starts, until)]
        return [(start, start + gap) for start in starts]

    def was_free(self, spec: ScheduleSpec, since: float, until: float) -> datetime | None:
        """The first instant of [since, until) at which nothing stood against a start; None where something always did."""
        at = since
        kinds = (self.off, self.seen_active, self.doubts, self.expected.closed(spec), self.gaps(spec, since, until))
        while at < until:
            later = max((end_of(spans, at) or at for spans in kinds), default=at)
            if later == at:
                return datetime.fromtimestamp(at, UTC)
            at = later
        return None

    def was_off_at(self, at: float, until: float) -> bool:
        """Whether there was no controller from one instant to another, that one included."""
        end = end_of(self.off, at)
        return end is not None and end > until


def gap_of(spec: ScheduleSpec) -> float:
    """The smallest distance of two starts, in seconds."""
    return (AITRONOS.min_gap if spec.min_gap is None else spec.min_gap).total_seconds()


def end_of(spans: Sequence[Span], at: float) -> float | None:
    """When the span that holds an instant ends; None where none does."""
    place = bisect_right(spans, at, key=lambda span: span[0])
    return spans[place - 1][1] if place and at < spans[place - 1][1] else None


def touches(spans: Sequence[Span], since: float, until: float) -> bool:
    """Whether a span has an instant in [since, until]."""
    place = bisect_right(spans, until, key=lambda span: span[0])
    return bool(place) and spans[place - 1][1] > since
