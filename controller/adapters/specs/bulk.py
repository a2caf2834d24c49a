"""The garbage collector during a bulk load: it would walk all that is there again and again, and find nothing to throw away."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

BULK = 1_000
"""Files from which on a load is a bulk load."""


@contextmanager
def collector_paused(files: int) -> Iterator[None]:
    """Collect nothing while many files become specs, and never look at those specs again: they stay for as long as the process."""
    if files < BULK or not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
        gc.freeze()
    finally:
        gc.enable()
