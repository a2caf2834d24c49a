"""``mainspring version``."""

import argparse
import sys

from controller.bootstrap import product_version

EXAMPLE = "example:\n  mainspring version"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options: there are none."""
    del parser


def execute(parsed: argparse.Namespace) -> int:
    """Print it."""
    del parsed
    sys.stdout.write(product_version() + "\n")
    return 0
