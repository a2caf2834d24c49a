"""``mainspring suspend``: let nothing of a schedule start, until it is resumed or a time comes."""

import argparse
from datetime import datetime, timedelta

from controller.bootstrap import present
from controller.cli.by_hand.asking import add_asking, ask
from controller.cli.options import duration, instant
from controller.model.asked import Asked

EXAMPLE = """examples:
  mainspring suspend orders-to-warehouse --reason "the source is migrating"
  mainspring suspend orders-to-warehouse --reason "the source is migrating" --until 2026-12-01T08:00:00Z
  mainspring suspend orders-to-warehouse --reason "the source is slow" --until 2h --by ana"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_asking(parser, needs_reason=True)
    parser.add_argument(
        "--until", metavar="TIME", type=_until, help="when it ends by itself: 2026-12-01T08:00:00Z, or 2h from now"
    )


def _until(text: str) -> datetime:
    if "-" in text or ":" in text:
        at = instant(text)
    else:
        try:
            at = present() + timedelta(seconds=duration(text))
        except (OverflowError, ValueError) as error:
            raise argparse.ArgumentTypeError(f'"{text}" is too long, or no duration; write it like 2h or 3d') from error
    if at <= present():
        raise argparse.ArgumentTypeError(f'"{text}" has passed; name a time to come')
    return at


def execute(parsed: argparse.Namespace) -> int:
    """Ask for it."""
    return ask(parsed, Asked.SUSPEND, parsed.until)
