"""What ``mainspring get`` costs: ``python -m benchmarks.status_cost [SCHEDULES [JOBS]]``, 10,000 with 20 jobs each unless given.

A real directory of specs and a real store with a history; the command is a process of its own, as people start it.
"""

import asyncio
import resource
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timedelta
from pathlib import Path

from benchmarks.spec_commits import Quiet, text_of
from controller.adapters.cadence import ApschedulerCadence
from controller.adapters.clock import SystemClock
from controller.adapters.election.single import SingleNodeElection
from controller.adapters.specs.directory import DirectorySpecSource
from controller.adapters.stores.sqlite import SqliteStore
from controller.adapters.stores.store_file import StoreMode
from controller.bootstrap.documents import RESTORERS
from controller.model.identity import ConnectionRef, SlotKey
from controller.model.job import Job, JobKind, JobStatus
from controller.model.profile import EMBEDDED
from controller.model.record import Outcome, SlotRecord
from controller.ports.store import Decisions
from controller.reconcile.cycle import run_cycle
from controller.reconcile.fetch import fetch_specs, take_specs
from controller.reconcile.gather import Mind
from controller.reconcile.holding import Holding
from controller.reconcile.world import World
from tests.fakes.platform import FakePlatform

SETTINGS = """
store = "store.db"
[specs]
path = "specs"
[platforms.default]
kind = "embedded"
base_url = "http://127.0.0.1:9"
organization_id = "org_demo"
token_env = "TOKEN"
"""


async def fill(root: Path, jobs: int) -> None:
    """Take the specs in, and give each schedule a past: a job and a slot for every day."""
    clock = SystemClock()
    store = SqliteStore.open(root / "store.db", mode=StoreMode.ACT)
    world = World(
        clock=clock,
        cadence=ApschedulerCadence(),
        store=store,
        election=SingleNodeElection(store, clock, "benchmark"),
        spec_source=DirectorySpecSource(root / "specs", {"default": EMBEDDED}),
        telemetry=Quiet(),
        platforms={"default": (FakePlatform(clock), EMBEDDED)},
        restorers=RESTORERS,
        version="benchmark",
        specs_label="benchmark",
    )
    mind = Mind()
    await Holding(world, mind, lambda: None).ask()
    refs = sorted(await take_specs(world, mind, await fetch_specs(world)))
    for at in range(0, len(refs), 2000):
        await run_cycle(world, mind, refs[at : at + 2000])
    now = clock.now().replace(microsecond=0)
    for age in range(jobs, 0, -1):
        day = now - timedelta(days=age)
        await store.save_jobs("default", [_job(ref, age, day) for ref in refs])
        await store.apply(Decisions(records=[_slot(ref, mind.desired.specs[ref].name, age, day) for ref in refs]))
    await store.close()


def _job(ref: ConnectionRef, age: int, day: datetime) -> Job:
    return Job(
        f"{ref.connection_id}-{age}",
        ref.connection_id,
        JobKind.SYNC,
        JobStatus.SUCCEEDED,
        day,
        day,
        timedelta(seconds=3),
        5,
    )


def _slot(ref: ConnectionRef, schedule: str, age: int, day: datetime) -> SlotRecord:
    return SlotRecord(SlotKey(ref, day), Outcome.COUNTED, day, schedule, job_id=f"{ref.connection_id}-{age}")


def main() -> None:
    """Prepare, run the commands and print what each took."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    jobs = int(sys.argv[2]) if len(sys.argv) > 2 else 20
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for number in range(count):
            path, text = text_of(number)
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)
        (root / "settings.toml").write_text(SETTINGS)
        asyncio.run(fill(root, jobs))
        for arguments in (("get",), ("get", "-o", "json"), ("get", "orders-7"), ("forecast",)):
            command = [sys.executable, "-m", "controller", *arguments, "--config", "settings.toml"]
            before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
            done = subprocess.run(command, check=False, capture_output=True, cwd=root)
            wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
            cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            failed = "" if done.returncode == 0 else f", ended with {done.returncode}: {done.stderr[-300:]!r}"
            sys.stdout.write(
                f"mainspring {' '.join(arguments):20} {wall:6.1f} s wall, {cpu:6.1f} s CPU, {done.stdout.count(10):,} lines{failed}\n"
            )
            sys.stdout.flush()


if __name__ == "__main__":
    main()
