"""``mainspring run``: the controller, until SIGTERM."""

import argparse
import asyncio
import json
import sys
from dataclasses import replace

from controller.bootstrap import Output, run_controller
from controller.cli.event_lines import EventLines
from controller.cli.options import add_settings, revision, settings_of
from controller.cli.terminal import Paint, complain
from controller.settings import Settings, show

EXAMPLE = (
    "example:\n  mainspring run --config mainspring.toml --specs specs\n  mainspring run --observe     # only reports"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_settings(parser, specs=True)
    parser.add_argument("--observe", action="store_true", help="write nothing to any platform, only report")
    parser.add_argument("--once", action="store_true", help="one full cycle, then exit")
    parser.add_argument(
        "--confirm-revision",
        metavar="SHA",
        type=revision,
        help="apply that revision although it was held for what it removes; at least 7 digits of its hash, or its whole name",
    )
    parser.add_argument(
        "--log-format", choices=("auto", "json", "console"), help="auto: lines for people on a terminal, else JSON"
    )
    parser.add_argument("--spec-poll", metavar="DURATION", help="how often to look at the spec tree (30s)")
    parser.add_argument("--print-settings", action="store_true", help="show the settings in force and exit")


def execute(parsed: argparse.Namespace) -> int:
    """Run until a signal ends it."""
    settings = replace(settings_of(parsed), observe=parsed.observe, confirmed_revision=parsed.confirm_revision or "")
    if parsed.print_settings:
        sys.stdout.write(json.dumps(show(settings), indent=2) + "\n")
        return 0
    trouble = asyncio.run(_run(settings, once=parsed.once))
    if trouble:
        complain(f"the cycle is not complete: {trouble}")
    return 1 if trouble else 0


async def _run(settings: Settings, *, once: bool) -> str:
    return await run_controller(settings, output_for(settings.log_format), stop=asyncio.Event(), once=once)


def output_for(log_format: str) -> Output:
    """Events on standard error: sentences on a terminal, JSON lines elsewhere, or as asked for."""
    stream = sys.stderr
    for_people = stream.isatty() if log_format == "auto" else log_format == "console"
    return Output(stream, EventLines(Paint.for_stream(stream)) if for_people else None)
