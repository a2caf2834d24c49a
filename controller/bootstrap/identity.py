"""What the product and one process of it are called, and the machine's clocks."""

import secrets
import socket
from importlib.metadata import PackageNotFoundError, version

from controller.adapters.clock import SystemClock


def product_version() -> str:
    """The installed version."""
    try:
        return version("mainspring")
    except PackageNotFoundError:
        return "0 (not installed)"


def system_clock() -> SystemClock:
    """The machine's clocks."""
    return SystemClock()


def holder_name() -> str:
    """A name for this process that no other has, for people to read."""
    # A name that comes again, as a pod's does, must not be taken for the process that had it before.
    return f"{socket.gethostname()}/{secrets.token_hex(4)}"
