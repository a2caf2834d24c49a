"""What the platform suite runs against: the fake on a clock by hand, and the real adapter against a real embedded platform."""

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol

from controller.adapters.clock import SystemClock
from controller.adapters.platforms.aitronos import AitronosOptions, AitronosPlatform
from controller.adapters.platforms.credentials import TokenFile
from controller.model.connection import ConnectionStatus
from controller.model.job import Job, JobStatus
from controller.model.profile import EMBEDDED
from controller.ports.platform import Platform
from tests.e2e.embedded_process import PlatformProcess
from tests.fakes.platform import Behaviour, FakePlatform
from tests.unit.adapters.platforms.stubs import ManualClock

# As many connections of each kind as the suite takes; a test never shares one.
EACH_KIND = 24
# For a state that must come; a busy machine takes its time to start a worker.
DEADLINE_SECONDS = 30.0
# Between two looks at a job that is expected to change.
LOOK_SECONDS = 0.05
# Small, so that ordinary tests walk through pages too.
PAGE_SIZE = 3

KINDS = {
    "quick": ("source: {type: generator, rows: 3}", Behaviour(timedelta(seconds=5))),
    "failing": ("source: {type: generator, rows: 3, failAtRow: 2}", Behaviour(timedelta(0), JobStatus.FAILED)),
    "endless": ("source: {type: generator, rows: 100000, rowsPerSecond: 1}", Behaviour(None)),
    "inactive": ("status: inactive\n    source: {type: generator, rows: 3}", Behaviour()),
}


class Bench(Protocol):
    """A platform with connections of each kind, and a way to let it work."""

    platform: Platform

    def now(self) -> datetime:
        """The time on the platform's clock."""
        ...

    def connection(self, kind: str) -> str:
        """The id of a connection that no other test has."""
        ...

    async def wait_for(self, job_id: str, is_there: Callable[[Job], bool]) -> Job:
        """Let the platform work until a job is as wanted, and return it."""
        ...


class FakeBench:
    """The fake; waiting moves its clock."""

    def __init__(self) -> None:
        self._clock = ManualClock()
        self._taken: Counter[str] = Counter()
        self.fake = FakePlatform(self._clock)
        self.platform: Platform = self.fake
        for kind, (_, behaviour) in KINDS.items():
            status = ConnectionStatus.INACTIVE if kind == "inactive" else ConnectionStatus.ACTIVE
            for number in range(EACH_KIND):
                self.fake.add_connection(f"{kind}_{number}", behaviour, status=status)

    def now(self) -> datetime:
        """The time on the test's clock."""
        return self._clock.now()

    def connection(self, kind: str) -> str:
        """The next one."""
        self._taken[kind] += 1
        return f"{kind}_{self._taken[kind] - 1}"

    async def wait_for(self, job_id: str, is_there: Callable[[Job], bool]) -> Job:
        """Move the clock by seconds."""
        for _ in range(round(DEADLINE_SECONDS)):
            job = (await self.platform.get_jobs([job_id]))[job_id]
            if is_there(job):
                return job
            self._clock.advance(1)
        raise AssertionError(f"not in {DEADLINE_SECONDS} s: {job}")


class HastyClock(SystemClock):
    """The machine's time, without waiting out a back-off; the unit tests look at its length."""

    async def sleep(self, seconds: float) -> None:
        """Wait for at most a moment."""
        await super().sleep(min(seconds, LOOK_SECONDS))


class EmbeddedBench:
    """The adapter against a platform process that outlives the test."""

    def __init__(self, process: PlatformProcess, taken: Counter[str]) -> None:
        self._clock = HastyClock()
        self._taken = taken
        options = AitronosOptions(
            process.base_url,
            process.organization_id,
            TokenFile(process.folder / "token"),
            replace(EMBEDDED, page_size=PAGE_SIZE),
            self._clock,
        )
        self.platform: Platform = AitronosPlatform(options)

    def now(self) -> datetime:
        """The machine's time, which is the platform's too."""
        return self._clock.now()

    def connection(self, kind: str) -> str:
        """The next one of this process."""
        self._taken[kind] += 1
        return f"{kind}_{self._taken[kind] - 1}"

    async def wait_for(self, job_id: str, is_there: Callable[[Job], bool]) -> Job:
        """Look until it is so, or the deadline passes."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            while True:
                job = (await self.platform.get_jobs([job_id]))[job_id]
                if is_there(job):
                    return job
                await self._clock.sleep(LOOK_SECONDS)


async def clean_up(bench: Bench) -> None:
    """Leave nothing running, and give the connections back."""
    async with AsyncExitStack() as stack:
        stack.push_async_callback(bench.platform.close)
        for job in await bench.platform.list_active_jobs():
            await bench.platform.cancel_job(job.job_id)


def connections_yaml() -> str:
    """The connections file of a platform process with all of them."""
    entries = [
        f"  - connectionId: {kind}_{number}\n    {settings}\n    destination: {{path: out/{kind}_{number}.db, table: t}}\n"
        for kind, (settings, _) in KINDS.items()
        for number in range(EACH_KIND)
    ]
    return "connections:\n" + "".join(entries)
