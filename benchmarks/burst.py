"""Thousands of connections due at the same instant: ``python -m benchmarks.burst [CONNECTIONS [WRITES]]``.

A real embedded platform of which one request in a hundred goes wrong, and a real controller that is killed in the middle and started
again; ``WRITES`` are the POSTs that may be under way at once. What it prints is read from the store and from the platform's own list.
"""

import sqlite3
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from tests.e2e.controller_process import ControllerFolder, controller_folder, stop
from tests.e2e.embedded_process import PlatformProcess, start_platform

FAULTS = ("lost-reply@0.0025", "lost-request@0.0025", "http-500@0.005")
"""One request in a hundred."""

LEAD_SECONDS = 60
"""From the writing of the specs to the instant at which all are due; the controller accepts them meanwhile."""

PATIENCE_SECONDS = 1200

CONNECTION = """
  - connectionId: conn_{n}
    source: {{type: generator, rows: 1}}
    destination: {{path: out/all.db, table: t{n}}}
"""

SPEC = """apiVersion: mainspring.dev/v1
kind: SyncSchedule
metadata: {{name: burst-{n}}}
spec:
  connectionId: conn_{n}
  schedules:
    - every: 6h
      anchor: "{anchor}"
"""


class Peak:
    """The largest resident memory of processes that come and go, in MiB; asked for every tenth of a second."""

    def __init__(self) -> None:
        self.mebibytes, self.cpu_seconds = 0.0, 0.0

    def look(self, process_id: int) -> float:
        """Take in a process; returns the CPU seconds that it has used."""
        try:
            status = Path(f"/proc/{process_id}/status").read_text()
            ticks = Path(f"/proc/{process_id}/stat").read_text().rsplit(")", 1)[1].split()[11:13]
        except OSError:
            return 0.0
        row = next((line for line in status.splitlines() if line.startswith("VmHWM:")), "VmHWM: 0 kB")
        self.mebibytes = max(self.mebibytes, int(row.split()[1]) / 1024)
        return sum(map(int, ticks)) / 100


def main() -> int:
    """Run it; 1 if a slot was doubled or is not accounted for."""
    connections = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
    writes = int(sys.argv[2]) if len(sys.argv) > 2 else 2
    with tempfile.TemporaryDirectory() as folder:
        return measure(Path(folder), connections, writes)


def measure(folder: Path, connections: int, writes: int) -> int:
    """Start both, wait for the burst and for its end, and print what it came to."""
    platform_folder, specs = folder / "platform", folder / "specs"
    platform_folder.mkdir()
    specs.mkdir()
    rows = "".join(CONNECTION.format(n=n) for n in range(connections))
    platform = start_platform(platform_folder, f"workers: 16\nconnections:{rows}", workers=16, faults=FAULTS)
    try:
        due_at = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=LEAD_SECONDS)
        for n in range(connections):
            text = SPEC.format(n=n, anchor=due_at.isoformat().replace("+00:00", "Z"))
            (specs / f"{n}.yaml").write_text(text)
        controller = controller_folder(folder / "controller", platform, specs)
        with controller.settings.open("a") as settings:
            settings.write(f"write_concurrency = {writes}\n")
        peak = live(controller, connections, due_at)
        return report(platform, controller, due_at, peak)
    finally:
        platform.stop()


def live(controller: ControllerFolder, connections: int, due_at: datetime) -> Peak:
    """Let the controller work, kill it when half of the slots have started, and wait until every slot is final."""
    peak, killed, pause = Peak(), False, threading.Event()
    process, ends = controller.start(), time.monotonic() + LEAD_SECONDS + PATIENCE_SECONDS
    used = 0.0
    while time.monotonic() < ends:
        pause.wait(0.1)
        used = peak.look(process.pid) or used
        final = outcomes(controller.store, due_at)
        if not killed and final["Triggered"] >= connections // 2:
            process.kill()
            process.wait()
            killed, peak.cpu_seconds = True, peak.cpu_seconds + used
            process = controller.start()
        if sum(count for word, count in final.items() if word not in ("Held", "InDoubt")) >= connections:
            break
    peak.cpu_seconds += peak.look(process.pid)
    stop(process)
    return peak


def outcomes(store: Path, due_at: datetime) -> Counter[str]:
    """How many slots of the instant have which outcome."""
    if not store.exists():
        return Counter()
    try:
        with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as database:
            asked = "SELECT outcome, count(*) FROM slot_record WHERE scheduled_at = ? GROUP BY outcome"
            return Counter(dict(database.execute(asked, (round(due_at.timestamp() * 1_000_000),))))
    except sqlite3.Error:
        return Counter()


def all_jobs(platform: PlatformProcess) -> list[dict[str, Any]]:
    """The platform's own list; a page that fails is asked for again."""
    jobs: list[dict[str, Any]] = []
    while True:
        asked = {"limit": 100, "offset": len(jobs), "order_by": "createdAt|ASC"}
        try:
            answer = platform.call("GET", "/jobs", params=asked)
        except httpx.RemoteProtocolError:
            continue
        if answer.status_code != 200:
            continue
        page = answer.json()
        jobs.extend(page["data"])
        if len(jobs) >= page["total"]:
            return jobs


def report(platform: PlatformProcess, controller: ControllerFolder, due_at: datetime, peak: Peak) -> int:
    """Print doubles, what is missing, lateness, memory and CPU time."""
    final = outcomes(controller.store, due_at)
    with closing(sqlite3.connect(f"file:{controller.store}?mode=ro", uri=True)) as database:
        (accepted,) = database.execute("SELECT count(*) FROM schedule WHERE calendar_key IS NOT NULL").fetchone()
        posts = Counter(dict(database.execute("SELECT status, count(*) FROM claim GROUP BY status")))
    jobs = all_jobs(platform)
    per_connection = Counter(job["connection_id"] for job in jobs)
    doubled = sorted(name for name, count in per_connection.items() if count > 1)
    late = sorted((datetime.fromisoformat(job["start_time"]) - due_at).total_seconds() for job in jobs)
    missing = accepted - sum(final.values())
    write = sys.stdout.write
    write(f"{accepted:,} schedules due at {due_at:%H:%M:%S}Z, {len(jobs):,} jobs, one kill -9 half-way\n")
    write(f"outcomes {dict(final)}, claims {dict(posts)}\n")
    write(f"doubled {len(doubled)}, without a record {missing}\n")
    if late:
        shares = [late[min(int(len(late) * share), len(late) - 1)] for share in (0.5, 0.99, 1.0)]
        rate = len(late) / max(late[-1], 0.001)
        write("late p50 {:.1f} s, p99 {:.1f} s, max {:.1f} s".format(*shares) + f"; {rate:.0f} starts a second\n")
    write(f"controller: peak {peak.mebibytes:.0f} MiB, {peak.cpu_seconds:.0f} CPU seconds\n")
    return 1 if doubled or missing else 0


if __name__ == "__main__":
    sys.exit(main())
