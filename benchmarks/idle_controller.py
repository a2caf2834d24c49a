"""A thousand schedules with nothing due: a cycle's CPU time, requests per hour, and the memory of a real controller.

Run with ``python -m benchmarks.idle_controller``. Times are CPU seconds of this process (or of the child), never wall time.
"""

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from datetime import timedelta
from pathlib import Path

from controller.model.profile import AITRONOS
from controller.reconcile.cycle import run_cycle
from tests.e2e.controller_process import controller_folder
from tests.e2e.embedded_process import start_platform
from tests.fakes.platform import Behaviour
from tests.scenario.stage import Stage, play

YEARLY = "schedules:\n  - cron: '{minute} 3 1 1 *'"
SECONDS_OBSERVED = 20
HOURS = 6


def requests_per_hour(schedules: int) -> float:
    """Requests that a controller sends in virtual hours with nothing due, per hour."""

    async def scenario(stage: Stage) -> None:
        for number in range(schedules):
            stage.schedule(f"s{number}", YEARLY.format(minute=number % 60), Behaviour(timedelta(seconds=60)))
        await stage.start(spec_poll=timedelta(minutes=10))
        await stage.run_for(HOURS * 3600)

    return len(play(scenario, profile=AITRONOS).platform.calls) / HOURS


def cycle_cpu_ms(schedules: int) -> tuple[float, float]:
    """CPU milliseconds of a cycle with nothing to do: over everything (a full resync), and over one connection."""
    found: list[float] = []

    async def scenario(stage: Stage) -> None:
        refs = [
            stage.schedule(f"s{number}", YEARLY.format(minute=number % 60), Behaviour(timedelta(seconds=60)))
            for number in range(schedules)
        ]
        await stage.start()
        await stage.run_for(30)
        assert stage.controller is not None
        world, mind = stage.controller._world, stage.controller.mind
        for batch in (refs, refs[:1]):
            rounds = 5 if len(batch) > 1 else 200
            began = time.process_time()
            for _ in range(rounds):
                await run_cycle(world, mind, batch)
            found.append((time.process_time() - began) * 1000 / rounds)

    play(scenario, profile=AITRONOS)
    return found[0], found[1]


def real_controller(schedules: int) -> dict[str, float]:
    """RSS and CPU of a real controller on SQLite and HTTP, after its start and while idle."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "platform").mkdir()
        platform = start_platform(root / "platform", "connections: []")
        specs = root / "specs"
        specs.mkdir()
        for number in range(schedules):
            text = f"apiVersion: mainspring.dev/v1\nkind: SyncSchedule\nmetadata: {{name: s{number}}}\nspec:\n  connectionId: conn_{number}\n"
            text += f"  schedules:\n    - cron: '{number % 60} 3 1 1 *'\n      timeZone: Europe/Zurich\n"
            (specs / f"s{number}.yaml").write_text(text)
        folder_of = controller_folder(root / "controller", platform, specs)
        settings = folder_of.settings.read_text().replace('poll = "1s"', 'poll = "30s"')
        folder_of.settings.write_text(settings.replace('kind = "embedded"', 'kind = "aitronos"'))
        process = folder_of.start()
        folder_of.event_when("schedule_accepted", schedule=f"s{schedules - 1}")
        threading.Event().wait(2)
        started = _cpu_seconds(process.pid)
        threading.Event().wait(SECONDS_OBSERVED)
        idle = _cpu_seconds(process.pid) - started
        rss = _status(process.pid, "VmRSS") / 1024
        process.terminate()
        process.wait()
        platform.stop()
    return {
        "start CPU s": round(started, 2),
        "idle CPU %": round(100 * idle / SECONDS_OBSERVED, 2),
        "RSS MB": round(rss, 1),
    }


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _status(pid: int, name: str) -> int:
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith(name))
    return int(line.split()[1])


def main() -> None:
    """Print every figure as one line of JSON."""
    rows: dict[str, object] = {}
    rows["requests per hour, 1 schedule"] = round(requests_per_hour(1), 1)
    rows["requests per hour, 1000 schedules"] = round(requests_per_hour(1000), 1)
    whole, one = cycle_cpu_ms(1000)
    rows["CPU ms of a cycle over 1000 schedules"] = round(whole, 1)
    rows["CPU ms of a cycle over 1 of 1000"] = round(one, 3)
    rows["a real controller with 1000 schedules"] = real_controller(1000)
    rows["a real controller with 1 schedule"] = real_controller(1)
    for name, value in rows.items():
        sys.stdout.write(f"{name}: {json.dumps(value)}\n")


if __name__ == "__main__":
    try:
        main()
    except subprocess.SubprocessError as error:
        sys.exit(str(error))
