"""``mainspring get``: schedules with their status, from the specs and the store; no platform is asked."""

import argparse
import sys
from datetime import datetime, timedelta

from controller.bootstrap import read_status
from controller.cli.choose import add_at, add_name, schedule_called
from controller.cli.options import add_output, add_settings, settings_of
from controller.cli.outcome import outcome_of
from controller.cli.page import counted, note, since, write, write_json
from controller.cli.state.status_json import run_json, status_json
from controller.cli.state.status_text import detail, overview, runs_table
from controller.cli.terminal import Paint
from controller.model.profile import PlatformProfile
from controller.model.status import StatusReport
from controller.settings import Settings

EXAMPLE = """examples:
  mainspring get
  mainspring get orders-to-warehouse
  mainspring get orders-to-warehouse --runs
  mainspring get -o json"""

SILENT_FOR = timedelta(minutes=3)
"""A platform that was not seen for this long beyond its longest pause between looks suggests that no controller runs; longer than a
controller takes to note that it saw one (``aftermath.NOTE_EVERY``)."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_name(parser, optional=True)
    parser.add_argument("--runs", action="store_true", help="the runs of one schedule")
    add_at(parser)
    add_output(parser)
    add_settings(parser, specs=True)
    parser.set_defaults(usage_error=parser.error)


def execute(parsed: argparse.Namespace) -> int:
    """Show all of them, or one."""
    if parsed.runs and parsed.name is None:
        parsed.usage_error("--runs needs the name of a schedule")
    settings = settings_of(parsed)
    is_table = parsed.name is None and parsed.output != "json"
    report = outcome_of(read_status(settings, parsed.at, parsed.name, brief=is_table))
    note(notes(report, settings))
    if parsed.name is not None:
        _one(parsed, report, settings)
    elif parsed.output == "json":
        write_json([status_json(status) for status in report.schedules])
    elif report.schedules:
        write(overview(report, Paint.for_stream(sys.stdout)))
    else:
        write(f"no schedules in {settings.specs_label}")
    return 0


def _one(parsed: argparse.Namespace, report: StatusReport, settings: Settings) -> None:
    status, paint = schedule_called(parsed.name, report), Paint.for_stream(sys.stdout)
    match (parsed.runs, parsed.output):
        case (True, "json"):
            write_json({"schedule": status.name, "runs": [run_json(run) for run in status.runs]})
        case (True, _):
            write(runs_table(status.runs, report.now, paint))
        case (False, "json"):
            write_json(status_json(status))
        case _:
            write(detail(status, report, settings.specs, paint))


def notes(report: StatusReport, settings: Settings) -> list[str]:
    """What the reader must know to read the rest: no store, no controller, rejected files."""
    found = list(report.trouble)
    if any("does not exist yet" in text for text in found):
        found[0] += "; start one with mainspring run, or try mainspring demo"
    if report.rejected:
        errors = (
            f"{counted(len(report.rejected), 'error')} in {settings.specs_label}, the first at {report.rejected[0]}"
        )
        found.append(f"{errors}; see mainspring validate {settings.specs}")
    for name, through in (report.observed or {}).items():
        if through is not None and _is_silent(through, report.now, settings.platforms[name].profile):
            found.append(f"platform {name} was last observed {since(through, report.now)}; is a controller running?")
    return found


def _is_silent(through: datetime, now: datetime, profile: PlatformProfile) -> bool:
    return now - through > SILENT_FOR + max(profile.quiet_poll, profile.active_poll_max)
