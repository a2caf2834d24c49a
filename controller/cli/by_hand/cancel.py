"""``mainspring cancel``: end the active sync of a schedule, whoever started it."""

import argparse

from controller.cli.by_hand.asking import add_asking, ask
from controller.model.asked import Asked

EXAMPLE = """examples:
  mainspring cancel orders-to-warehouse
  mainspring cancel orders-to-warehouse --reason "it locks the source" -o json"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_asking(parser, needs_reason=False)


def execute(parsed: argparse.Namespace) -> int:
    """Ask for it."""
    return ask(parsed, Asked.CANCEL)
