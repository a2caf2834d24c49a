"""How late starts were, and what stood in their way meanwhile: an outage, or a wish, of the schedule or of who edits the connection.

A start is hit by a fault that lasted at any time from when its slot fired to when its job began; what is felt of a fault after its end,
such as a back-off, is no part of it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from controller.model.record import Outcome, SlotRecord
from controller.model.schedule import ScheduleSpec
from controller.simulation.chronicle import Trouble, TrueJob
from controller.simulation.faults import CRASHES, FaultKind
from controller.simulation.judge.causes import EDITED, ended_at
from controller.simulation.judge.evidence import Evidence
from controller.simulation.slots.accounts import instant_of
from controller.simulation.slots.due import DueSlots

K = FaultKind

PLATFORM_AWAY: Final = frozenset({K.OUTAGE, K.CUT_PLATFORM})
"""Outages of the platform: nothing of it answers, or nothing reaches it."""

PLATFORM_UNUSABLE: Final = frozenset({K.LIST_FAILS, K.QUOTA})
"""It answers, and says no: 503 to whoever wants to see jobs, 429 to everybody."""

STORE_AWAY: Final = frozenset({K.STORE_DOWN, K.CUT_STORE})
CONTROLLER_AWAY: Final = frozenset({*CRASHES, K.GRACEFUL_STOP, K.PAUSE, K.SUSPEND_MACHINE, K.ELECTION_LOST})
"""Nobody acts: no process, one that stands still, a machine that sleeps, or one that does not hold the platform."""

UNAVAILABLE: Final = PLATFORM_AWAY | PLATFORM_UNUSABLE | STORE_AWAY | CONTROLLER_AWAY
"""Every fault that lasts, and while which nothing can start."""


@dataclass(frozen=True, slots=True)
class Start:
    """A start of ours: when its slot fired and when its job began, in seconds since the epoch, and the spec it was made by."""

    record: SlotRecord
    job: TrueJob
    spec: ScheduleSpec
    fired: float
    began: float

    @property
    def late(self) -> float:
        """Seconds from one to the other."""
        return self.began - self.fired


@dataclass(frozen=True, slots=True)
class Wait:
    """A start, the outages of any kind that hit it, and whether it waited at any time because somebody wants that.

    ``since``: when the last of these outages was over, and the last edit of its connection undone; when the slot fired if there was none.
    """

    start: Start
    hit_by: frozenset[FaultKind]
    by_wish: bool
    since: float

    @property
    def seconds(self) -> float:
        """How late it was."""
        return self.start.late


@dataclass(frozen=True, slots=True)
class Figure:
    """A way to count: without starts that some outages hit, without those that waited by wish, or from the end of the last outage."""

    name: str
    leaves_out: frozenset[FaultKind] = frozenset()
    is_without_wish: bool = False
    is_since_outage: bool = False

    def of(self, wait: Wait) -> float | None:
        """The seconds that a start counts with; None if it does not count."""
        if self.leaves_out & wait.hit_by or (self.is_without_wish and wait.by_wish):
            return None
        return max(wait.start.began - wait.since, 0.0) if self.is_since_outage else wait.seconds


FIGURES: Final = (
    Figure("all"),
    Figure("without outages of the platform", PLATFORM_AWAY),
    Figure("without any outage", UNAVAILABLE),
    Figure("without any outage or wish", UNAVAILABLE, is_without_wish=True),
    Figure("all, since the last outage or edit was over", is_since_outage=True),
)


def start_of(record: SlotRecord, due: DueSlots, evidence: Evidence) -> Start | None:
    """The start that a record tells of, if it is one of ours."""
    job = evidence.chronicle.jobs.get(f"{record.slot.ref.platform}/{record.job_id}")
    if record.outcome is not Outcome.TRIGGERED or job is None or job.post is None or job.post.claim is None:
        return None
    spec = due.last_spec(job.post.claim.began_at.timestamp())
    if spec is None:
        return None
    return Start(record, job, spec, due.fires(spec, instant_of(record)), job.created_at.timestamp())


def waits_of(evidence: Evidence) -> Iterator[Wait]:
    """Every start of ours, with what stood in its way."""
    chronicle = evidence.chronicle
    outages = list(_outages(chronicle.troubles))
    for ref, versions in chronicle.versions.items():
        due = DueSlots(versions, evidence.read_at)
        jobs = [job for job in chronicle.jobs.values() if job.ref == ref]
        for record in evidence.records.get(ref, ()):
            start = start_of(record, due, evidence)
            if start is not None:
                hits = [each for each in outages if each[1] <= start.began and each[2] >= start.fired]
                edits = _edits(chronicle.troubles, start)
                since = max([until for _, _, until in hits] + edits, default=start.fired)
                kinds = frozenset(kind for kind, _, _ in hits)
                by_wish = bool(edits) or _waited_by_wish(start, due, jobs, evidence)
                yield Wait(start, kinds, by_wish, since)


def _outages(troubles: Iterable[Trouble]) -> Iterator[tuple[FaultKind, float, float]]:
    """What made something unavailable, from when to when."""
    for trouble in troubles:
        if trouble.kind in UNAVAILABLE:
            yield trouble.kind, trouble.since.timestamp(), ended_at(trouble)


def _edits(troubles: Iterable[Trouble], start: Start) -> list[float]:
    """When the edits of its connection on the platform were undone that stood while it waited."""
    edits = [
        each for each in troubles if each.kind in EDITED and each.connection_id == start.record.slot.ref.connection_id
    ]
    ends = [(each.since.timestamp(), ended_at(each)) for each in edits]
    return [until for since, until in ends if since <= start.began and until >= start.fired]


def _waited_by_wish(start: Start, due: DueSlots, jobs: Sequence[TrueJob], evidence: Evidence) -> bool:
    """Whether it stood behind a job of its connection, outside its windows, or too close to the start before it."""
    others = [job for job in jobs if job is not start.job and job.created_at.timestamp() < start.began]
    if any(job.ended_at.timestamp() > start.fired for job in others):
        return True
    if any(begin < start.began and end > start.fired for begin, end in due.closed(start.spec)):
        return True
    profile = evidence.profiles[start.job.ref.platform]
    gap = (profile.min_gap if start.spec.min_gap is None else start.spec.min_gap).total_seconds()
    return any(job.created_at.timestamp() + gap > start.fired for job in others)
