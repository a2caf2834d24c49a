"""The embedded platform by itself: `python -m controller.embedded --data DIR --token-file FILE [--config FILE]`.

Writes one JSON line to standard output when it accepts connections: `{"platform": URL, "organization_id": ID, "token_file": PATH}`.
"""

import argparse
import sys
from collections.abc import Sequence

from controller.embedded.arguments import add_arguments, run_platform


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse the command line, run the platform, return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m controller.embedded", description=__doc__)
    add_arguments(parser)
    return run_platform(parser.parse_args(arguments))


if __name__ == "__main__":
    sys.exit(main())
