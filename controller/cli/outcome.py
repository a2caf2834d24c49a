"""Run what a command waits for, and get what it found."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def outcome_of(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end; the same as ``asyncio.run``, which writes out the whole result (as a text that nobody reads) when it ends.

    Of ten thousand schedules that text takes longer than all the rest.
    """
    found: list[T] = []

    async def keep() -> None:
        found.append(await work)

    asyncio.run(keep())
    return found[0]
