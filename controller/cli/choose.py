"""Which schedule, and for which instant: what several commands ask."""

import argparse
from difflib import get_close_matches

from controller.cli.options import instant
from controller.errors import MainspringError
from controller.model.status import ScheduleStatus, StatusReport


class UnknownSchedule(MainspringError):
    """No schedule has this name."""


def add_name(parser: argparse.ArgumentParser, *, optional: bool = False) -> None:
    """The name of a schedule."""
    parser.add_argument("name", nargs="?" if optional else None, metavar="NAME", help="a schedule's metadata.name")


def add_at(parser: argparse.ArgumentParser) -> None:
    """``--at``: the instant that counts as now."""
    parser.add_argument("--at", type=instant, metavar="TIME", help="take this instant for now, as 2026-03-29T01:00:00Z")


def schedule_called(name: str, report: StatusReport) -> ScheduleStatus:
    """The schedule of that name; where two claim it, the one that stands first.

    Raises:
        UnknownSchedule: there is none; the text names the nearest.
    """
    for status in report.schedules:
        if status.name == name:
            return status
    known = [status.name for status in report.schedules]
    near = get_close_matches(name, known, n=1)
    advice = f"did you mean {near[0]}?" if near else "mainspring get lists them"
    raise UnknownSchedule(f'there is no schedule "{name}"; {advice}')
