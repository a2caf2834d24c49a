"""How many days of the whole controller a CPU minute simulates: ``python -m benchmarks.simulation_speed [SEEDS [DAYS]]``.

Five connections with a slot every quarter of an hour each, one controller, SQLite in memory; once with a fake at the platform port,
and once through the adapter and its HTTP client.
"""

import sys
import time

from controller.simulation.faults import Severity
from controller.simulation.run import simulate
from controller.simulation.scene import drawn_scene
from controller.simulation.stage import Seen
from controller.simulation.view import PlatformView
from controller.simulation.wire import WiredPlatform

WAYS: tuple[tuple[str, Seen], ...] = (("port", PlatformView), ("http", WiredPlatform))


def main() -> None:
    """Live through each severity and print what it cost."""
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 4
    days = float(sys.argv[2]) if len(sys.argv) > 2 else 1.0
    # Imports and the first parse are no part of a simulated day.
    simulate(drawn_scene("warm", days=0.01))
    for way, seen in WAYS:
        for severity in Severity:
            began, slots, broken = time.process_time(), 0, 0
            for number in range(seeds):
                verdict = simulate(drawn_scene(f"speed/{number}", days=days, severity=severity), seen=seen).verdict
                slots, broken = slots + verdict.slots, broken + len(verdict.violations)
            rate = seeds * days / (time.process_time() - began) * 60
            sys.stdout.write(
                f"{way} {severity:10}{rate:8.1f} days per CPU minute, {slots:,} slots, {broken} violations\n"
            )


if __name__ == "__main__":
    main()
