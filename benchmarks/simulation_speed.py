"""How many days of the whole controller a CPU minute simulates: ``python -m benchmarks.simulation_speed [SEEDS [DAYS]]``.

Each scene is lived through with a fake at the platform port, and through the adapter and its HTTP client; SQLite in memory. Slots come every
quarter of an hour, ``aligned`` ones on the quarters, others at minutes of their own. Half of the seeds are calm.
"""

import sys
import time
from collections import Counter
from collections.abc import Callable
from functools import partial

from controller.simulation.faults import Severity
from controller.simulation.judge.lateness import FIGURES, Wait, waits_of
from controller.simulation.platforms.view import PlatformView
from controller.simulation.platforms.wire import WiredPlatform
from controller.simulation.run import simulate
from controller.simulation.scene import Scene, aligned_scene, drawn_scene
from controller.simulation.stage import Seen

WAYS: tuple[tuple[str, Seen], ...] = (("port", PlatformView), ("http", WiredPlatform))

SCENES: tuple[tuple[str, Callable[..., Scene]], ...] = (
    ("5 connections, aligned", aligned_scene),
    ("5 connections, each its own", drawn_scene),
    ("30 aligned, 2 controllers", partial(aligned_scene, connections=30, controllers=2)),
)


def main() -> int:
    """Live through each scene and print what it cost and came to; 1 if a promise was broken."""
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 4
    days = float(sys.argv[2]) if len(sys.argv) > 2 else 1.0
    # Imports and the first parse are no part of a simulated day.
    simulate(drawn_scene("warm", days=0.01))
    broken = 0
    for name, draw in SCENES:
        for way, seen in WAYS:
            for severity in (Severity.NONE, Severity.STANDARD):
                broken += measure(f"{name:28} {way} {severity:9}", draw, seen, (seeds, days, severity))
    return 1 if broken else 0


def measure(name: str, draw: Callable[..., Scene], seen: Seen, asked: tuple[int, float, Severity]) -> int:
    """Print one row; returns how many promises were broken."""
    (seeds, days, severity), outcomes = asked, Counter[str]()
    began, slots, doubles, silent, broken, waits = time.process_time(), 0, 0, 0, 0, list[Wait]()
    for number in range(seeds):
        scene = draw(f"speed/{number}", days=days, severity=severity)
        verdict = simulate(scene, seen=seen, inspect=lambda evidence: waits.extend(waits_of(evidence))).verdict
        slots, doubles, silent = slots + verdict.slots, doubles + verdict.doubles, silent + verdict.silent
        broken += len(verdict.violations)
        outcomes.update(verdict.outcomes)
    rate = seeds * days / (time.process_time() - began) * 60
    reported = sum(count for word, count in outcomes.items() if word.startswith(("Skipped", "Missed")))
    sys.stdout.write(
        f"{name} {rate:6.1f} days/CPU min, {slots:6,} slots, {doubles} doubled, {silent} silent, {reported} reported,"
        f" {broken} promises broken\n"
    )
    for figure in FIGURES if severity is not Severity.NONE else FIGURES[:1]:
        late = sorted(seconds for wait in waits if (seconds := figure.of(wait)) is not None)
        half, most = (late[min(int(len(late) * share), len(late) - 1)] for share in (0.5, 0.99))
        sys.stdout.write(f"{'':40} late, {figure.name}: p50 {half:.1f} s, p99 {most:.1f} s\n")
    return broken


if __name__ == "__main__":
    sys.exit(main())
