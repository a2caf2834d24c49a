"""Blocking reads off the loop, one at a time: a mount that hangs costs one thread, however often it is asked."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

T = TypeVar("T")


class OneReading(Generic[T]):
    """Runs a function in a thread of its own; the next one begins when that one is done, even if nobody waits for it any more."""

    def __init__(self) -> None:
        self._under_way: Future[T] | None = None

    async def run(self, read: Callable[[], T]) -> T:
        """What the function returns or raises. A caller that gives up leaves it behind."""
        while self._under_way is not None and not self._under_way.done():
            # What it finds is of an earlier moment, and somebody else's.
            await asyncio.gather(asyncio.wrap_future(self._under_way), return_exceptions=True)
        found: Future[T] = Future()
        found.set_running_or_notify_cancel()
        self._under_way = found
        # Not of a pool, which a process that ends would wait for.
        threading.Thread(target=_settle, args=(found, read), name="read the specs", daemon=True).start()
        return await asyncio.wrap_future(found)


def _settle(found: Future[T], read: Callable[[], T]) -> None:
    try:
        value = read()
    except BaseException as error:  # noqa: BLE001  whatever it is, who waits is told
        found.set_exception(error)
    else:
        found.set_result(value)
