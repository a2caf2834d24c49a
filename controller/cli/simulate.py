"""``mainspring simulate``: the whole controller against a simulated platform, in simulated time; nothing real is asked."""

import argparse
import sys
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from controller.bootstrap import read_spec_files, spec_reader, system_clock
from controller.cli.options import add_output, instant
from controller.cli.page import counted, heading, indented, write, write_json
from controller.cli.terminal import Paint, table
from controller.errors import MainspringError
from controller.model.profile import PROFILES
from controller.simulation.faults import Severity
from controller.simulation.run import Result, simulate
from controller.simulation.scene import Scene, scene_of

EXAMPLE = """examples:
  mainspring simulate
  mainspring simulate --specs specs --days 30 --seed 7 --faults standard -o json
  mainspring simulate --specs specs --profile aitronos --faults none     # what a calm month looks like"""

SAMPLE = Path(__file__).parent.parent / "sample" / "specs"
"""The demo's specs, for where none are named."""

SHOWN_VIOLATIONS = 20
DEMO_DAYS = 0.02


class NothingToSimulate(MainspringError):
    """No valid schedule is in the specs."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--specs", type=Path, metavar="DIR", help="the spec tree (the demo's)")
    parser.add_argument(
        "--days",
        type=_days,
        metavar="N",
        help="how long faults may happen (1; for the demo's, which run every few seconds, 0.02)",
    )
    parser.add_argument("--seed", default="0", help="another seed, other faults and other jobs (0)")
    parser.add_argument("--faults", choices=[str(each) for each in Severity], default="standard", help="(standard)")
    parser.add_argument(
        "--profile", choices=sorted(PROFILES), help="the numbers of the platforms (aitronos; for the demo's: embedded)"
    )
    parser.add_argument("--from", dest="since", type=instant, metavar="TIME", help="when it begins (now)")
    add_output(parser)


def _days(text: str) -> float:
    try:
        days = float(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f'"{text}" is no number of days') from error
    if not 0 < days <= 366:
        raise argparse.ArgumentTypeError("give more than 0 and at most 366 days")
    return days


def execute(parsed: argparse.Namespace) -> int:
    """Live through it, show what it came to; 1 if a promise was broken."""
    began = (parsed.since or system_clock().now()).replace(microsecond=0)
    result = simulate(_scene(parsed, began))
    if parsed.output == "json":
        write_json(as_json(result))
    else:
        write(as_text(result, Paint.for_stream(sys.stdout)))
    return 1 if result.verdict.violations else 0


def _scene(parsed: argparse.Namespace, began: datetime) -> Scene:
    name = parsed.profile or ("embedded" if parsed.specs is None else "aitronos")
    files = read_spec_files(parsed.specs or SAMPLE)
    written = spec_reader(None)(files, "").specs
    profiles = {spec.platform: PROFILES[name] for spec in written}
    if not profiles:
        raise NothingToSimulate(f"no valid schedule is in {parsed.specs or SAMPLE}; mainspring validate says why")
    tree = spec_reader(profiles)(files, "")
    connections = {
        platform: tuple(sorted(spec.connection_id for spec in tree.specs if spec.platform == platform))
        for platform in sorted(profiles)
    }
    return scene_of(
        files,
        profiles,
        connections,
        seed=parsed.seed,
        days=parsed.days or (DEMO_DAYS if parsed.specs is None else 1.0),
        severity=Severity(parsed.faults),
        start=began,
    )


def as_json(result: Result) -> dict[str, Any]:
    """The one document."""
    verdict = result.verdict
    return {
        "seed": result.scene.seed,
        "days": result.scene.days,
        "from": result.scene.start.isoformat().replace("+00:00", "Z"),
        "faults": str(result.scene.severity),
        "slots": verdict.slots,
        "starts": verdict.starts,
        "outcomes": dict(sorted(verdict.outcomes.items())),
        "doubles": verdict.doubles,
        "silent_misses": verdict.silent,
        "violations": list(verdict.violations),
        "lateness_seconds": {"p50": round(verdict.late(0.5), 3), "p99": round(verdict.late(0.99), 3)},
        "faults_injected": _injected(result),
        "controller_starts": result.lives,
        "trace": result.trace,
    }


def _row(name: str, count: int) -> tuple[str, str]:
    return name, f"{count:,}"


def _injected(result: Result) -> dict[str, int]:
    """How many calls, or moments, each fault hit."""
    found = Counter[str]()
    for (kind, _), count in result.hits.items():
        found[str(kind)] += count
    return dict(sorted(found.items()))


def as_text(result: Result, paint: Paint) -> str:
    """A page for people."""
    verdict, scene = result.verdict, result.scene
    until = scene.start + timedelta(seconds=scene.seconds)
    head = (
        f"{scene.start:%Y-%m-%d %H:%MZ} to {until:%Y-%m-%d %H:%MZ}, seed {scene.seed}, faults {scene.severity}\n"
        f"{counted(verdict.slots, 'slot')}, {counted(verdict.starts, 'start')}, {counted(verdict.doubles, 'double')},"
        f" {verdict.silent} missed silently\n"
        f"late: half within {verdict.late(0.5):.1f} s, 99 % within {verdict.late(0.99):.0f} s"
    )
    outcomes = table(("OUTCOME", "SLOTS"), [_row(word, n) for word, n in verdict.outcomes.most_common()], paint)
    parts = [heading("simulated", paint), indented(head), "", heading("outcomes", paint), indented(outcomes)]
    if injected := _injected(result):
        rows = table(("FAULT", "HITS"), [_row(kind, n) for kind, n in injected.items()], paint)
        parts += [
            "",
            heading(f"faults, with {counted(result.lives, 'start')} of the controller", paint),
            indented(rows),
        ]
    if verdict.violations:
        parts += ["", heading("broken promises", paint), indented("\n".join(verdict.violations[:SHOWN_VIOLATIONS]))]
    return "\n".join(parts)
