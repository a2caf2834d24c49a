"""What a commit costs that changes ten of many specs: ``python -m benchmarks.spec_commits [SPECS…]``, 1,000 and 10,000 unless given.

A real repository in folders of a hundred files, the Git source, a SQLite store on disk and a platform in memory; each count in a process
of its own. CPU seconds are this process's own, those of git are told beside them. The platform is not asked: a plan rests on what was
seen of it.
"""

import asyncio
import gc
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

from benchmarks.spec_parsing import TEXT
from controller.adapters.cadence import ApschedulerCadence
from controller.adapters.clock import SystemClock
from controller.adapters.election.single import SingleNodeElection
from controller.adapters.specs.git.place import GitOptions
from controller.adapters.specs.git.source import GitSpecSource
from controller.adapters.stores.sqlite import SqliteStore
from controller.adapters.stores.store_file import StoreMode
from controller.bootstrap.documents import RESTORERS
from controller.model.profile import EMBEDDED
from controller.reconcile.cycle import run_cycle
from controller.reconcile.fetch import applied_revision, fetch_specs, take_specs
from controller.reconcile.gather import Mind
from controller.reconcile.holding import Holding
from controller.reconcile.loop import WORKING_SET_MAX
from controller.reconcile.world import World
from tests.fakes.platform import FakePlatform
from tests.unit.adapters.specs.git.repositories import Repository

T = TypeVar("T")
COMMITS, CHANGED = 10, 10
STEPS = ("fetch and read", "put in force", "plan")


def text_of(number: int, edit: int = 0) -> tuple[str, str]:
    """Path and text of a schedule, as it is after so many edits."""
    text = TEXT.format(number=number, minute=(number + edit) % 60, hour=number % 7)
    return f"specs/{number // 100}/{number}.yaml", text


class Quiet:
    """Telemetry that says nothing."""

    def emit(self, event: object) -> None:
        """Nothing."""


@dataclass
class Meter:
    """Milliseconds by what was done: on the clock, of our CPU, of git's."""

    rows: dict[str, list[tuple[float, float, float]]] = field(default_factory=dict)

    async def take(self, name: str, act: Callable[[], Awaitable[T]]) -> T:
        """Do it and note what it took."""
        before = _spent()
        try:
            return await act()
        finally:
            wall, ours, git = (1000 * (now - then) for now, then in zip(_spent(), before, strict=True))
            self.rows.setdefault(name, []).append((wall, ours, git))

    def medians(self) -> dict[str, list[float]]:
        """One row for each name."""
        return {
            name: [round(statistics.median(column), 2) for column in zip(*rows, strict=True)]
            for name, rows in self.rows.items()
        }


def _spent() -> tuple[float, float, float]:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.perf_counter(), time.process_time(), children.ru_utime + children.ru_stime


def _rss() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def measure(root: Path, count: int) -> dict[str, object]:
    """Start from nothing, then take in commits."""
    origin, cold, later = Repository(root / "origin.git"), Meter(), Meter()
    clock = SystemClock()
    store = SqliteStore.open(root / "store.db", mode=StoreMode.ACT)
    source = GitSpecSource(
        GitOptions(str(origin.path), root / "mirrors", "main", "specs", allow_local=True), {"default": EMBEDDED}, clock
    )
    world = World(
        clock=clock,
        cadence=ApschedulerCadence(),
        store=store,
        election=SingleNodeElection(store, clock, "benchmark"),
        spec_source=source,
        telemetry=Quiet(),
        platforms={"default": (FakePlatform(clock), EMBEDDED)},
        restorers=RESTORERS,
        version="benchmark",
        specs_label="benchmark",
        resync=timedelta(days=1),
    )
    mind = Mind()
    await Holding(world, mind, lambda: None).ask()
    gc.collect()
    rss = _rss()
    await once(world, mind, cold)
    rss = _rss() - rss
    for edit in range(1, COMMITS + 1):
        numbers = [(edit * 7919 + each * 104_729) % count for each in range(CHANGED)]
        origin.change(dict(text_of(number, edit) for number in numbers))
        assert await once(world, mind, later) == len(set(numbers))
    await store.close()
    return {"specs": count, "cold": cold.medians(), "commit": later.medians(), "rss": rss}


async def once(world: World, mind: Mind, meter: Meter) -> int:
    """Fetch, put in force and plan, as the loop does; returns how many connections were planned."""
    applied = await applied_revision(world.store, mind)
    tree = await meter.take(STEPS[0], lambda: fetch_specs(world, applied))
    refs = await meter.take(STEPS[1], lambda: take_specs(world, mind, tree))
    ordered = sorted(refs)

    async def plan() -> None:
        for at in range(0, len(ordered), WORKING_SET_MAX):
            await run_cycle(world, mind, set(ordered[at : at + WORKING_SET_MAX]))

    await meter.take(STEPS[2], plan)
    return len(ordered)


def prepare(root: Path, count: int) -> None:
    """The repository, written by a process that ends: what it needed is not what is measured."""
    origin = Repository(root / "origin.git")
    origin.path.mkdir()
    origin.run("init", "--bare", "--quiet", "--initial-branch=main")
    origin.publish(dict(text_of(number) for number in range(count)))


def main() -> None:
    """Measure each count and print."""
    if sys.argv[1:2] == ["--inside"]:
        json.dump(asyncio.run(measure(Path(sys.argv[2]), int(sys.argv[3]))), sys.stdout)
        return
    found = []
    for count in [int(given) for given in sys.argv[1:]] or [1_000, 10_000]:
        with tempfile.TemporaryDirectory() as folder:
            prepare(Path(folder), count)
            command = [sys.executable, "-m", "benchmarks.spec_commits", "--inside", folder, str(count)]
            said = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
        found.append(json.loads(said))
        report(found[-1])
    for step in STEPS:
        (low, high) = (row["commit"][step] for row in (found[0], found[-1]))
        told = ", ".join(
            f"{name} {b / max(a, 0.01):.2f}" for name, a, b in zip(("wall", "ours", "git"), low, high, strict=True)
        )
        sys.stdout.write(f"{found[-1]['specs']:,} to {found[0]['specs']:,}, {step}: {told} times\n")


def report(row: dict[str, object]) -> None:
    """One count for people."""
    count, cold, commit, rss = row["specs"], row["cold"], row["commit"], row["rss"]
    assert isinstance(count, int)
    assert isinstance(cold, dict)
    assert isinstance(commit, dict)
    assert isinstance(rss, int)
    sys.stdout.write(f"{count:,} specs (milliseconds: wall, our CPU, git's CPU)\n")
    for title, rows in (("first", cold), (f"commit of {CHANGED}", commit)):
        for step in STEPS:
            sys.stdout.write(f"  {title:14} {step:16}" + "".join(f"{value:11,.1f}" for value in rows[step]) + "\n")
        sums = [sum(column) for column in zip(*rows.values(), strict=True)]
        sys.stdout.write(f"  {title:14} {'in all':16}" + "".join(f"{value:11,.1f}" for value in sums) + "\n")
    sys.stdout.write(f"  memory: {rss / count:,.0f} bytes per schedule beyond the start\n")


if __name__ == "__main__":
    main()
