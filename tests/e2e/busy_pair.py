"""A platform and a controller with a slot in every second, so that whatever happens to the controller happens around a slot."""

import json
import math
import random
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from tests.e2e.accounting import Rhythm, records
from tests.e2e.controller_process import ControllerFolder, controller_folder, let_run
from tests.e2e.embedded_process import PlatformProcess, start_platform, wait_for

EVERY = 5

RHYTHMS = tuple(Rhythm(f"conn_{n}", EVERY, n) for n in range(EVERY))

CONNECTION = """
  - connectionId: conn_{n}
    source: {{type: generator, rows: 5}}
    destination: {{path: out/{n}.db, table: rows}}
"""

SPEC = """apiVersion: mainspring.dev/v1
kind: SyncSchedule
metadata: {{name: busy-{n}}}
spec:
  connectionId: conn_{n}
  schedules:
    - every: 5s
      anchor: "1970-01-01T00:00:0{n}Z"
"""

SETTLED_WITHIN = 16.0
"""Seconds after which no slot is in doubt any more: T_resolve of the embedded profile is 12, and a listing comes every 1 or 2."""


@dataclass
class BusyPair:
    """The two processes' folders; the controller is started and ended by the test."""

    platform: PlatformProcess
    controller: ControllerFolder

    def jobs(self) -> list[dict[str, Any]]:
        """The platform's own job list, every page of it; its faults hit these questions too, which are asked again then."""
        jobs: list[dict[str, Any]] = []
        while True:
            asked = {"limit": 100, "offset": len(jobs), "order_by": "createdAt|ASC"}
            try:
                page = self.platform.call("GET", "/jobs", params=asked).json()
            except httpx.RemoteProtocolError:
                continue
            jobs.extend(page["data"])
            if len(jobs) >= page["total"]:
                return jobs

    def open_claims(self) -> int:
        """Claims that nobody has closed."""
        with closing(sqlite3.connect(f"file:{self.controller.store}?mode=ro", uri=True)) as database:
            (count,) = database.execute("SELECT count(*) FROM claim WHERE status = 'Open'").fetchone()
        return int(count)

    def unsettled(self, before: datetime) -> list[str]:
        """Slots from before an instant that still have no final outcome."""
        found = [row for row in records(self.controller.store) if row.scheduled_at < before.timestamp()]
        return [f"{row.connection_id} {row.scheduled_at}" for row in found if row.outcome in ("Held", "InDoubt")]

    def life(self, number: int) -> list[dict[str, Any]]:
        """The events of the controller's nth life, counted from 1."""
        events = self.controller.events()
        starts = [at for at, event in enumerate(events) if event["event"] == "controller_started"]
        return events[starts[number - 1] :] if len(starts) >= number else []

    def wait_for_life(self, number: int) -> dict[str, Any]:
        """Wait until the nth life has begun and return its first event."""
        return wait_for(lambda: self.life(number), bool)[0]


def now() -> datetime:
    """The machine's time: the test stands outside the product."""
    return datetime.now(UTC)  # noqa: TID251


def let_run_into_a_slot(chance: random.Random, within: float) -> None:
    """Wait for the next slot (there is one at each full second) and up to ``within`` seconds more."""
    at = now().timestamp()
    let_run(math.ceil(at) - at + chance.uniform(0, within))


@contextmanager
def busy_pair(folder: Path, faults: Sequence[str]) -> Iterator[BusyPair]:
    """Start the platform and write the specs."""
    specs, platform_folder = folder / "specs", folder / "platform"
    specs.mkdir()
    platform_folder.mkdir()
    for n in range(EVERY):
        (specs / f"busy-{n}.yaml").write_text(SPEC.format(n=n))
    connections = "connections:" + "".join(CONNECTION.format(n=n) for n in range(EVERY))
    platform = start_platform(platform_folder, connections, faults=faults)
    try:
        yield BusyPair(platform, controller_folder(folder / "controller", platform, specs))
    finally:
        platform.stop()


def show(**figures: Any) -> None:
    """Print figures of a run, for whoever runs the test by itself."""
    print(json.dumps(figures))
