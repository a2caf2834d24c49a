"""A built-in job's process: its task is the first line of standard input, its progress goes to standard output as JSON lines.

Exits 0 when the job succeeded, 1 when it failed (the reason is on standard error). It ends at once when standard input closes,
for then the platform that started it is gone and nobody counts what it does.
"""

import json
import os
import signal
import sqlite3
import sys
import threading

from controller.embedded.worker.rows import TransferError
from controller.embedded.worker.transfer import transfer


def main() -> int:
    """Do the job that standard input describes and return the exit code."""
    job = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        transfer(job, _report)
    except (TransferError, OSError, sqlite3.Error) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _report(rows: int, size_bytes: int) -> None:
    sys.stdout.write(json.dumps({"rows": rows, "bytes": size_bytes}) + "\n")
    sys.stdout.flush()


def _end_with_parent() -> None:
    while os.read(sys.stdin.fileno(), 1):
        pass
    # As good as any other death: what is not committed was never there.
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main())
