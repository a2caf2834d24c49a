"""The embedded platform by itself: `python -m controller.embedded --data DIR --token-file FILE [--config FILE]`.

Writes one JSON line to standard output when it accepts connections: `{"platform": URL, "organization_id": ID, "token_file": PATH}`.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from controller.embedded.faults import Fault, parse_fault
from controller.embedded.serve import (
    ORGANIZATION_ID_DEFAULT,
    Announcement,
    ConnectionsFileError,
    DataDirectoryInUseError,
    PlatformOptions,
    serve,
)

EXIT_FAILED = 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse the command line, run the platform, return the exit code."""
    parsed = _parser().parse_args(arguments)
    host, port = parsed.listen
    options = PlatformOptions(
        data_directory=parsed.data,
        token_file=parsed.token_file,
        connections_file=parsed.config,
        host=host,
        port=port,
        workers=parsed.workers,
        faults=tuple(parsed.fault),
        fault_seed=parsed.fault_seed,
        organization_id=parsed.organization,
        requests_per_minute=parsed.requests_per_minute,
    )
    try:
        return serve(options, announce=_announce)
    except (ConnectionsFileError, DataDirectoryInUseError, OSError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_FAILED


def _announce(announcement: Announcement) -> None:
    line = {
        "platform": announcement.base_url,
        "organization_id": announcement.organization_id,
        "token_file": str(announcement.token_file),
    }
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m controller.embedded", description=__doc__)
    parser.add_argument("--listen", type=_address, default=("127.0.0.1", 0), metavar="HOST:PORT")
    parser.add_argument("--data", type=Path, required=True, metavar="DIR")
    parser.add_argument("--config", type=Path, metavar="FILE")
    parser.add_argument("--token-file", type=Path, required=True, metavar="FILE")
    parser.add_argument("--workers", type=_positive, metavar="N")
    parser.add_argument("--fault", type=_fault, action="append", default=[], metavar="KIND[=VALUE][@SHARE]")
    parser.add_argument("--fault-seed", type=int, default=0, metavar="N")
    parser.add_argument("--organization", default=ORGANIZATION_ID_DEFAULT, metavar="ID")
    parser.add_argument("--requests-per-minute", type=_positive, metavar="N")
    return parser


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST:PORT")
    return host.strip("[]"), int(port)


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive number")
    return int(text)


def _fault(text: str) -> Fault:
    try:
        return parse_fault(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


if __name__ == "__main__":
    sys.exit(main())
