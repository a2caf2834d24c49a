"""The command line of the platform: its options, and what they ask for."""

import argparse
import json
import os
import signal
import sys
import threading
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


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--listen", type=_address, default=("127.0.0.1", 0), metavar="HOST:PORT", help="default: a free port"
    )
    parser.add_argument(
        "--data", type=Path, required=True, metavar="DIR", help="where its state and relative paths live"
    )
    parser.add_argument("--config", type=Path, metavar="FILE", help="the connections file")
    parser.add_argument(
        "--token-file", type=Path, required=True, metavar="FILE", help="made with a random token if it is not there"
    )
    parser.add_argument(
        "--workers", type=_positive, metavar="N", help="jobs that run at once; wins over the file's number"
    )
    parser.add_argument(
        "--fault", type=_fault, action="append", default=[], metavar="KIND[=VALUE][@SHARE]", help="repeatable"
    )
    parser.add_argument("--fault-seed", type=int, default=0, metavar="N", help="decides which requests a share meets")
    parser.add_argument("--organization", default=ORGANIZATION_ID_DEFAULT, metavar="ID")
    parser.add_argument("--requests-per-minute", type=_positive, metavar="N", help="answer 429 above it")
    parser.add_argument(
        "--until-stdin-closes",
        action="store_true",
        help="end with the process that holds the other end of standard input",
    )


def run_platform(parsed: argparse.Namespace) -> int:
    """Run the platform as asked until a signal ends it; one JSON line on standard output says where it is."""
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
    if parsed.until_stdin_closes:
        threading.Thread(target=_end_with_stdin, daemon=True).start()
    try:
        return serve(options, announce=_announce)
    except (ConnectionsFileError, DataDirectoryInUseError, OSError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_FAILED


def _end_with_stdin() -> None:
    # Whoever started us holds the other end; also a kill -9 of it closes that, and no platform is left behind.
    while os.read(sys.stdin.fileno(), 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def _announce(announcement: Announcement) -> None:
    line = {
        "platform": announcement.base_url,
        "organization_id": announcement.organization_id,
        "token_file": str(announcement.token_file),
    }
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


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
