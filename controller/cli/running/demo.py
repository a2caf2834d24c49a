"""``mainspring demo``: embedded platform and controller on sample specs, in one process group."""

import argparse
import asyncio
import json
import sys
from pathlib import Path
from typing import TextIO

from controller.bootstrap import Output, read_specs, run_controller, system_clock
from controller.cli.event_lines import NAME_WIDTH, EventLines
from controller.cli.options import duration
from controller.cli.running.demo_edit import TOLD, edit_later, edited_schedule
from controller.cli.running.demo_platform import DemoPlatform, start_platform
from controller.cli.running.demo_table import upcoming
from controller.cli.terminal import Paint, clock_time
from controller.model.event import Event
from controller.model.profile import EMBEDDED
from controller.settings import load_settings

EXAMPLE = """example:
  mainspring demo
  mainspring demo --for 60s
  mainspring demo -o json --state /tmp/demo     # for scripts"""

SAMPLE = Path(__file__).parents[2] / "sample"
"""Sample connections, their data, and specs for where there is no ``specs`` folder."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--for", dest="seconds", type=duration, metavar="DURATION", help="stop by itself after this long"
    )
    parser.add_argument(
        "--state", type=Path, default=Path(".mainspring"), metavar="DIR", help="where everything is kept (.mainspring)"
    )
    parser.add_argument("--specs", type=Path, metavar="DIR", help="the spec tree (./specs, else the samples)")
    parser.add_argument(
        "-o", "--output", choices=("text", "json"), default="text", help="lines for people, or JSON lines"
    )


def execute(parsed: argparse.Namespace) -> int:
    """Run platform and controller until a signal or the time ends them."""
    specs = parsed.specs or (Path("specs") if Path("specs").is_dir() else SAMPLE / "specs")
    asyncio.run(_demo(parsed, specs))
    return 0


async def _demo(parsed: argparse.Namespace, specs: Path) -> None:
    paint, as_json = Paint.for_stream(sys.stdout), parsed.output == "json"
    tree = await read_specs(specs, {"default": EMBEDDED})
    if not as_json:
        # Before the platform is there: the table needs only the specs, and nobody should look at an empty screen.
        _say(upcoming(tree, system_clock().now(), paint))
    platform = await start_platform(_absolute(parsed.state), SAMPLE, _absolute(specs))
    try:
        _say(json.dumps(platform.announcement()) if as_json else _banner(platform, paint))
        stop = asyncio.Event()
        beside = [
            asyncio.create_task(
                _edit(platform, edited_schedule(tree.specs), paint, sys.stderr if as_json else sys.stdout)
            )
        ]
        if parsed.seconds is not None:
            beside.append(asyncio.create_task(_stop_after(stop, parsed.seconds)))
        settings = load_settings({"config": str(platform.settings_file)}, {})
        await run_controller(settings, Output(sys.stdout, _as_json if as_json else EventLines(paint)), stop=stop)
        for task in beside:
            task.cancel()
    finally:
        await platform.stop()


def _absolute(path: Path) -> Path:
    return path.absolute()


async def _edit(platform: DemoPlatform, schedule: str, paint: Paint, stream: TextIO) -> None:
    """Make the one edit that shows what drift is, and say that nobody else made it; standard output may belong to events alone."""
    if schedule and await edit_later(platform):
        at = paint("dim", clock_time(system_clock().now()))
        stream.write(f"{at} {paint('bold', '*')} {paint('bold', schedule.ljust(NAME_WIDTH))} {paint('bold', TOLD)}\n")
        stream.flush()


async def _stop_after(stop: asyncio.Event, seconds: float) -> None:
    await system_clock().sleep(seconds)
    stop.set()


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _as_json(event: Event) -> str:
    at = event.at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return json.dumps(
        {"event": str(event.name), "at": at, "level": str(event.severity), **event.fields}, ensure_ascii=False
    )


def _banner(platform: DemoPlatform, paint: Paint) -> str:
    """What to look at and what to try, in the order in which a newcomer would."""
    out, specs = _short(platform.state / "out"), _short(platform.specs)
    rows = (
        ("look at the rows", f"sqlite3 {out}/warehouse.db 'select count(*) from orders'"),  # noqa: S608  shown, never run
        ("ask why", f"{_short(_absolute(Path(sys.argv[0])))} explain clickstream-export     (also: get, events, plan)"),
        ("try an edit", f"change every: 5s in {specs}/shop-orders.yaml, or break it, and save"),
        ("stop", "Ctrl-C; the next start continues where this one ended"),
    )
    lines = [f"  {paint('bold', name.ljust(16))}  {text}" for name, text in rows]
    where = paint(
        "dim",
        f"embedded platform at {platform.base_url}, state in {_short(platform.state)}; to try things, not for production",
    )
    return "\n".join(["", *lines, f"  {where}", ""])


def _short(path: Path) -> str:
    """The path from here, if it is below."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
