"""``mainspring resume``: end a suspension by hand, and let a stalled schedule start again."""

import argparse

from controller.cli.by_hand.asking import add_asking, ask
from controller.model.asked import Asked

EXAMPLE = """examples:
  mainspring resume orders-to-warehouse
  mainspring resume orders-to-warehouse -o json"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_asking(parser, needs_reason=False)


def execute(parsed: argparse.Namespace) -> int:
    """Ask for it."""
    return ask(parsed, Asked.RESUME)
