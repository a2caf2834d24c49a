"""``mainspring validate``: check spec files offline."""

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from controller.bootstrap import check_specs
from controller.cli.choose import add_at
from controller.cli.options import add_output
from controller.cli.page import counted, write, write_json
from controller.cli.terminal import Paint
from controller.ports.spec_source import SpecError, SpecTree
from controller.settings import load_settings

EXAMPLE = """examples:
  mainspring validate specs
  mainspring validate specs/orders.yaml --config mainspring.toml   # names of platforms are checked too
  mainspring validate specs -o json

exit code: 0 no errors (warnings alone are none), 1 errors, 2 wrong usage"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="a spec file, or a directory of them")
    parser.add_argument(
        "--config", metavar="FILE", help="settings (TOML): the platforms that specs may name; without it none is known"
    )
    add_at(parser)
    add_output(parser)


def execute(parsed: argparse.Namespace) -> int:
    """Report every error of every file."""
    # Only a file that is named says which platforms there are: the same tree gives the same answer in every directory.
    settings = load_settings({"config": parsed.config}) if parsed.config is not None else None
    tree = check_specs(parsed.paths, settings, parsed.at)
    if parsed.output == "json":
        write_json(as_json(tree))
    else:
        write(as_text(tree, Paint.for_stream(sys.stdout)))
    return 1 if tree.errors else 0


def as_json(tree: SpecTree) -> dict[str, Any]:
    """The findings as plain values."""
    return {
        "errors": [_row(error) for error in tree.errors],
        "warnings": [_row(warning) for warning in tree.warnings],
        "files": tree.files,
        "schedules": len(tree.specs),
        "policies": len(tree.policies),
    }


def _row(found: SpecError) -> dict[str, Any]:
    origin = found.origin
    return {
        "path": origin.path,
        "line": origin.line,
        "column": origin.column,
        "code": found.code,
        "message": found.message,
    }


def as_text(tree: SpecTree, paint: Paint) -> str:
    """One line for each finding, in the order of the files, and a summary."""
    return "\n".join([*_lines(tree, paint), _summary(tree, paint)])


def _lines(tree: SpecTree, paint: Paint) -> Iterable[str]:
    found = [(error, False) for error in tree.errors] + [(warning, True) for warning in tree.warnings]
    for each, is_warning in sorted(found):
        origin = each.origin
        place = paint("bold", f"{origin.path}:{origin.line}:{origin.column}:")
        mark = f"{paint('yellow', 'warning:')} " if is_warning else ""
        yield f"{place} {mark}{paint('yellow' if is_warning else 'red', each.code)}: {each.message}"


def _summary(tree: SpecTree, paint: Paint) -> str:
    number = len(tree.policies)
    policies = f" and {number:,} {'policy' if number == 1 else 'policies'}" if number else ""
    what = f"{counted(len(tree.specs), 'schedule')}{policies} in {counted(tree.files, 'file')}"
    warnings = f", {counted(len(tree.warnings), 'warning')}" if tree.warnings else ""
    if tree.errors:
        return paint("red", f"✗ {counted(len(tree.errors), 'error')}{warnings}; {what}")
    return paint("yellow" if warnings else "green", f"✓ {what}{warnings or ', no errors'}")
