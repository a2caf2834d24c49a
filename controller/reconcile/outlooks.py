"""What a forecast rests on, from the specs and the store alone: no platform is asked, and nothing is written."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from statistics import median

from controller.decide.against import as_suspended
from controller.decide.desired import Desired
from controller.decide.foresight.forecast import Outlook, taken_in
from controller.model.identity import ConnectionRef
from controller.model.job import Job, JobKind, JobStatus
from controller.model.profile import PlatformProfile
from controller.model.revision import held_text
from controller.model.schedule import ScheduleSpec
from controller.ports.spec_source import SpecTree
from controller.reconcile.fetch import applied_revision
from controller.reconcile.judged import judge_first
from controller.reconcile.status import Reading, place_of

JOBS_CONSIDERED = 50
"""How many of a connection's newest jobs say how long its syncs last."""


@dataclass(frozen=True, slots=True)
class Outlooks:
    """Every schedule before a forecast, by name.

    Attributes:
        rejected: errors of spec files, as ``path:line:column: code``.
        held: why the newest revision is not what is forecast; empty where it is.
    """

    schedules: tuple[Outlook, ...]
    rejected: tuple[str, ...] = ()
    held: str = ""


async def read_outlooks(reading: Reading) -> Outlooks:
    """Read every schedule that is or will be in force.

    Where two files claim a name or a connection each is told, since somebody looks for it.

    Raises:
        SpecSourceUnavailable: the specs cannot be read.
        StoreUnavailable: the store could not be read.
    """
    tree = await reading.spec_source.fetch(await applied_revision(reading.store))
    judged = await judge_first(reading.store, tree, reading.restorers, reading.guard)
    desired = judged.desired
    claimants = _claimants(tree, desired)
    schedules = [
        await _outlook(reading, spec, desired)
        for specs in claimants.values()
        for spec in specs
        if _wanted(reading, spec)
    ]
    schedules.sort(key=lambda each: (each.spec.name, each.spec.ref))
    return Outlooks(tuple(schedules), tuple(place_of(error) for error in tree.errors), held_text(judged.held))


def _claimants(tree: SpecTree, desired: Desired) -> dict[ConnectionRef, list[ScheduleSpec]]:
    found: dict[ConnectionRef, list[ScheduleSpec]] = defaultdict(list)
    for spec in tree.specs:
        if spec.ref in desired.obstacles:
            found[spec.ref].append(spec)
    return found | {ref: [spec] for ref, spec in desired.specs.items()}


def _wanted(reading: Reading, spec: ScheduleSpec) -> bool:
    return reading.only is None or reading.only == spec.name


async def _outlook(reading: Reading, spec: ScheduleSpec, desired: Desired) -> Outlook:
    runs = await reading.store.jobs(spec.ref, JOBS_CONSIDERED)
    jobs = [job for job, _ in runs]
    standing = (await reading.store.standings({spec.ref: [job.job_id for job in jobs if job.is_active]}))[spec.ref]
    active = next((job for job in jobs if job.is_active), None)
    return Outlook(
        as_suspended(spec, standing.suspended) or spec,
        taken_in(spec, standing, reading.now),
        reading.profiles.get(spec.platform, PlatformProfile()),
        usual_duration(jobs),
        active,
        active_is_ours=active is not None and standing.owns(active.job_id),
        last_start=max((job.created_at for job in jobs), default=None),
        obstacle=desired.obstacles.get(spec.ref),
    )


def usual_duration(jobs: Iterable[Job]) -> timedelta | None:
    """The median duration of the syncs that succeeded; None where there are none."""
    lengths = []
    for job in jobs:
        if job.kind is JobKind.SYNC and job.status is JobStatus.SUCCEEDED:
            lasted = (
                job.duration
                if job.duration is not None
                else None
                if job.ended_at is None
                else job.ended_at - job.created_at
            )
            if lasted is not None:
                lengths.append(lasted.total_seconds())
    return timedelta(seconds=median(lengths)) if lengths else None
