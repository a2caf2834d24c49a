"""Start any program so that it ends with the platform: ask the kernel for a signal at the parent's death, then become the program.

Used as `python -c BOOTSTRAP PARENT_PID PROGRAM ARGUMENT...`. The request survives `exec`, so the program keeps this process's id
and exit code, and nothing of Python stays in memory. Where the kernel has no such request (not Linux), the program starts all the same.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
EXIT_CANNOT_START = 127  # what shells answer for a program that is not there


def main() -> int:
    """Become the program; returns only when it could not be started."""
    parent, program = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            return 128 + signal.SIGTERM  # it died before the request was made
    try:
        os.execvp(program[0], program)  # noqa: S606  an argument list from the operator's own file, no shell
    except OSError as error:
        sys.stderr.write(f"cannot start {program[0]}: {error.strerror}\n")
    return EXIT_CANNOT_START


if __name__ == "__main__":
    sys.exit(main())
