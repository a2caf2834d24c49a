"""Further runs of slots whose job failed: never without a failure, never too often, never too soon, and none left out."""

from collections.abc import Iterable, Mapping
from datetime import timedelta

from controller.model.job import JobStatus
from controller.model.schedule import Retry
from tests.simulation.life import PlatformJob
from tests.simulation.world import World

Runs = Mapping[tuple[int, int], list[PlatformJob]]
"""The jobs of each run of each slot."""

SPREAD = 1.25
"""A pause grows by at most a quarter of itself."""


def pause_of(retry: Retry, run: int) -> timedelta:
    """The shortest pause before a run."""
    return min(retry.backoff * (1 << run - 1), retry.max_backoff)


def unfounded(world: World, runs: Runs, job: PlatformJob) -> Iterable[str]:
    """What is wrong with a further run."""
    at, run = int(job.key.slot.scheduled_at.timestamp()), job.key.run
    name, retry = f"run {run} of {job.key.slot}", world.spec_at(job.created_at.timestamp()).retry
    failed = [
        each
        for each in runs.get((at, run - 1), [])
        if each.status is JobStatus.FAILED and each.ended_at <= job.created_at
    ]
    if not failed:
        yield f"{name} began, and run {run - 1} had not failed"
    elif retry is None or run > retry.attempts:
        yield f"{name} is one too many"
    elif job.created_at < failed[0].ended_at + pause_of(retry, run):
        yield f"{name} began before its pause was over"


def left_out(world: World, runs: Runs, job: PlatformJob) -> Iterable[str]:
    """A failed job after which another run could have begun while its slot was open, and none did."""
    at, run, ended = int(job.key.slot.scheduled_at.timestamp()), job.key.run + 1, job.ended_at.timestamp()
    spec = world.spec_at(ended)
    if job.status is not JobStatus.FAILED or spec.retry is None or run > spec.retry.attempts or (at, run) in runs:
        return
    ready = ended + pause_of(spec.retry, run).total_seconds() * SPREAD + 1
    superseded = world.expected.superseded_at(spec, at, ended)
    until = min(world.expected.deadline(spec, at, ended), superseded or world.expected.end, world.expected.end)
    free_at = world.was_free(spec, ready, until)
    if free_at is None or len(world.specs_between(ended, free_at.timestamp())) > 1:
        return
    if spec.suspend is None or spec.suspend.until is None or spec.suspend.until <= job.ended_at:
        yield f"run {run} of {job.key.slot} did not begin, and could have at {free_at}"
