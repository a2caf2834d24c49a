"""``mainspring trigger``: start a sync of a schedule now, beside its slots."""

import argparse

from controller.cli.by_hand.asking import add_asking, ask
from controller.model.asked import Asked

EXAMPLE = """examples:
  mainspring trigger orders-to-warehouse
  mainspring trigger orders-to-warehouse --reason "the report was wrong" --by ana"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_asking(parser, needs_reason=False)


def execute(parsed: argparse.Namespace) -> int:
    """Ask for it."""
    return ask(parsed, Asked.TRIGGER)
