"""``mainspring simulate``: the whole controller against a simulated platform, in simulated time; nothing real is asked."""

import argparse
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from controller.bootstrap import read_spec_files, spec_reader, system_clock
from controller.cli.options import add_output, instant
from controller.cli.page import counted, note, write, write_json
from controller.cli.simulation.simulate_pages import Report, as_json, as_text
from controller.cli.simulation.simulate_progress import Progress
from controller.cli.terminal import Paint, rfc3339
from controller.errors import MainspringError
from controller.model.profile import PROFILES, PlatformProfile
from controller.ports.spec_source import SpecTree
from controller.simulation.faults import Fault, Severity
from controller.simulation.judge.evidence import Evidence
from controller.simulation.judge.tally import ScheduleTally, tally_schedules
from controller.simulation.run import faults_of, simulate
from controller.simulation.scene import Scene, scene_of
from controller.simulation.shrink import Fails, fails_alike, shrink

EXAMPLE = """examples:
  mainspring simulate                                        # the demo's specs, for a few minutes
  mainspring simulate --specs specs --days 30 --seed 7 --faults standard -o json
  mainspring simulate --specs specs --faults none            # what a calm day looks like

exit code: 0 every promise was kept, 1 one was broken or nothing could be simulated, 2 wrong usage"""

SAMPLE = Path(__file__).parents[2] / "sample" / "specs"
"""The demo's specs, for where none are named."""

DAYS = 1.0
DEMO_DAYS = 0.004
"""The demo's schedules run every few seconds, so that its minutes cost as much as a day of others."""

TOO_SHORT = "interval-too-short"
"""What a spec is refused for whose platform takes shorter intervals than the one that was assumed."""

DAYS_MAX = 366

SHRINK_DAYS = 60.0
SHRINK_TRIES_MIN = 8
"""How much is simulated to make a failing plan of faults small."""


class NothingToSimulate(MainspringError):
    """No valid schedule is in the specs, or no such fault in the plan."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--specs", type=Path, metavar="DIR", help="the spec tree (the demo's)")
    parser.add_argument(
        "--days",
        type=_days,
        metavar="N",
        help=f"how long faults may happen ({DAYS:g}; for the demo's, which run every few seconds, {DEMO_DAYS:g})",
    )
    parser.add_argument("--seed", default="0", help="another seed, other faults and other jobs (0)")
    parser.add_argument("--faults", choices=[str(each) for each in Severity], default="standard", help="(standard)")
    parser.add_argument("--only", type=_numbers, metavar="N,N", help="only these faults of the plan, by their numbers")
    parser.add_argument(
        "--controllers", type=int, choices=(1, 2), default=1, help="2: one acts, the other takes over (1)"
    )
    parser.add_argument(
        "--profile",
        choices=sorted(PROFILES),
        help="the numbers of the platforms (aitronos; embedded where an interval is too short for that)",
    )
    parser.add_argument("--from", dest="since", type=instant, metavar="TIME", help="when it begins (now)")
    add_output(parser)


def _days(text: str) -> float:
    try:
        days = float(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f'"{text}" is no number of days') from error
    if not 0 < days <= DAYS_MAX:
        raise argparse.ArgumentTypeError(f"give more than 0 and at most {DAYS_MAX} days")
    return days


def _numbers(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(each) for each in text.split(","))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f'"{text}" is no list of numbers; write it like 3,17') from error


@dataclass(frozen=True, slots=True)
class _Planned:
    """A scene, and its faults by their numbers in the seed's plan."""

    scene: Scene
    faults: dict[int, Fault]


def execute(parsed: argparse.Namespace) -> int:
    """Live through it, show what it came to; 1 if a promise was broken."""
    planned = _planned(parsed)
    scene, schedules = planned.scene, list[ScheduleTally]()

    def inspect(evidence: Evidence) -> None:
        schedules.extend(tally_schedules(evidence))

    with Progress(sys.stderr, system_clock(), scene) as progress:
        result = simulate(scene, tuple(planned.faults.values()), progress.watch, inspect=inspect)
        left = _shrunk(planned, result.verdict.violations, progress) if result.verdict.violations else {}
    report = Report(result, tuple(schedules), left, _command(parsed, scene, left))
    if parsed.output == "json":
        write_json(as_json(report))
    else:
        write(as_text(report, Paint.for_stream(sys.stdout)))
    return 1 if result.verdict.violations else 0


def _planned(parsed: argparse.Namespace) -> _Planned:
    began = (parsed.since or system_clock().now()).replace(microsecond=0)
    scene = _scene(parsed, began)
    faults = dict(enumerate(faults_of(scene), 1))
    if parsed.only is not None:
        if unknown := [number for number in parsed.only if number not in faults]:
            raise NothingToSimulate(f"there is no fault {unknown[0]} in a plan of {len(faults)}")
        faults = {number: faults[number] for number in sorted(set(parsed.only))}
    return _Planned(scene, faults)


def _read(files: Mapping[str, bytes], name: str) -> tuple[SpecTree, dict[str, PlatformProfile]]:
    """Read specs as for platforms with the numbers of a profile."""
    tree = spec_reader(None)(files, "")
    profiles = {spec.platform: PROFILES[name] for spec in tree.specs}
    return (spec_reader(profiles)(files, "") if profiles else tree), profiles


def _scene(parsed: argparse.Namespace, began: datetime) -> Scene:
    folder = parsed.specs or SAMPLE
    files = read_spec_files(folder)
    tree, profiles = _read(files, parsed.profile or "aitronos")
    if parsed.profile is None and any(error.code == TOO_SHORT for error in tree.errors):
        tree, profiles = _read(files, "embedded")
    if tree.errors:
        first = tree.errors[0]
        place = f"{first.origin.path}:{first.origin.line}:{first.origin.column}: {first.code}: {first.message}"
        advice = f"see mainspring validate {folder}"
        if not tree.specs:
            raise NothingToSimulate(f"no valid schedule is in {folder}, the first error is at {place}; {advice}")
        note([f"{counted(len(tree.errors), 'error')} in {folder}, the first at {place}; {advice}"])
    if not tree.specs:
        raise NothingToSimulate(f"no schedule is in {folder}")
    connections = {
        platform: tuple(sorted({spec.connection_id for spec in tree.specs if spec.platform == platform}))
        for platform in sorted(profiles)
    }
    return scene_of(
        files,
        profiles,
        connections,
        seed=parsed.seed,
        days=parsed.days or (DEMO_DAYS if parsed.specs is None else DAYS),
        severity=Severity(parsed.faults),
        start=began,
        controllers=parsed.controllers,
    )


def _shrunk(planned: _Planned, violations: Sequence[str], progress: Progress) -> dict[int, Fault]:
    """The faults that it takes to break the same promise, as few as a bounded number of tries finds."""
    progress.say("a promise was broken; looking for the few faults that it takes")
    tries = max(int(SHRINK_DAYS / planned.scene.days), SHRINK_TRIES_MIN)
    fails = _limited(fails_alike(planned.scene, violations[0].split()[0]), min(tries, 400))
    kept = shrink(tuple(planned.faults.values()), fails)
    return {number: fault for number, fault in planned.faults.items() if fault in kept}


def _limited(fails: Fails, tries: int) -> Fails:
    left = iter(range(tries))
    return lambda faults: next(left, None) is not None and fails(faults)


def _command(parsed: argparse.Namespace, scene: Scene, left: dict[int, Fault]) -> str:
    """What to type to see it again."""
    words = ["mainspring", "simulate"]
    words += [] if parsed.specs is None else ["--specs", str(parsed.specs)]
    words += [] if parsed.profile is None else ["--profile", parsed.profile]
    words += [] if scene.controllers == 1 else ["--controllers", str(scene.controllers)]
    words += ["--days", f"{scene.days:g}", "--seed", scene.seed, "--faults", str(scene.severity)]
    words += ["--from", str(rfc3339(scene.start))]
    words += ["--only", ",".join(map(str, left))] if left else []
    return shlex.join(words)
