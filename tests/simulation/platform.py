"""The simulated platform: it makes a job for every trigger, and its listings take no time and are complete."""

from datetime import datetime, timedelta
from random import Random

from controller.model.identity import ClaimKey
from controller.model.job import Job, JobKind, JobStatus
from tests.simulation.life import Life, PlatformJob

DELETE_IGNORED_SHARE = 0.1
CREATED_UNANSWERED_SHARE = 0.7
CANCELLED_WITHIN = 20
"""Seconds that a job takes at most to end when it is asked to."""


class SimulatedPlatform:
    """One connection's jobs, with a chance of its own that always falls the same way."""

    def __init__(self, life: Life) -> None:
        self._life, self._chance = life, Random(life.seed)
        self.jobs: list[PlatformJob] = []

    def trigger(self, key: ClaimKey, now: datetime) -> PlatformJob | None:
        """Make a job; None where the answer is lost, and then perhaps there is no job either."""
        if key.run == 0 and self._chance.random() < self._life.lost_share:
            if self._chance.random() < CREATED_UNANSWERED_SHARE:
                self._create(key, now)
            return None
        return self._create(key, now)

    def _create(self, key: ClaimKey, now: datetime) -> PlatformJob:
        life, chance = self._life, self._chance
        shortest, longest = life.usual if chance.random() >= life.long_share else (life.usual[1], life.long)
        status = JobStatus.FAILED if chance.random() < life.failed_share else JobStatus.SUCCEEDED
        job = PlatformJob(f"j{len(self.jobs)}", key, now, self._later(now, shortest, longest), status)
        self.jobs.append(job)
        return job

    def cancel(self, job_id: str, now: datetime) -> None:
        """End the newest job soon; now and then the request is ignored."""
        job = self.jobs[-1]
        if job.job_id != job_id or self._chance.random() < DELETE_IGNORED_SHARE:
            return
        ended_at = self._later(now, 1, CANCELLED_WITHIN)
        if ended_at < job.ended_at:
            job.ended_at, job.status = ended_at, JobStatus.CANCELLED

    def _later(self, now: datetime, least: int, most: int) -> datetime:
        return now.replace(microsecond=0) + timedelta(seconds=self._chance.randint(least, most))

    def list_jobs(self, newest: int, now: datetime) -> tuple[Job, ...]:
        """The newest jobs, newest first."""
        return tuple(shown(job, now) for job in reversed(self.jobs[-newest:]))


def shown(job: PlatformJob, now: datetime) -> Job:
    """A job as the API shows it."""
    connection = job.key.slot.ref.connection_id
    if job.ended_at > now:
        return Job(job.job_id, connection, JobKind.SYNC, JobStatus.RUNNING, job.created_at)
    duration = job.ended_at - job.created_at
    return Job(job.job_id, connection, JobKind.SYNC, job.status, job.created_at, job.ended_at, duration)
