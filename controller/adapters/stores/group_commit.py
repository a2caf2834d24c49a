"""What several tasks want to write in one turn of the event loop shares one transaction, and so one wait for the disk."""

import asyncio
import sqlite3
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, TypeVar

from controller.adapters.stores.store_file import StoreFile
from controller.errors import StoreUnavailable

T = TypeVar("T")

Fence = Callable[[sqlite3.Connection, Collection[str]], None]
"""Raises where one of the platforms may not be written to."""

ONE_WRITES_FAULT = (
    sqlite3.IntegrityError,
    sqlite3.DataError,
    sqlite3.ProgrammingError,
    sqlite3.InterfaceError,
    OverflowError,
    UnicodeError,
)
"""What one write is refused for, whatever the disk does; everything else that SQLite raises is about the storage."""


@dataclass(frozen=True, slots=True)
class _Work:
    """Statements to run, for which platform if any, and who waits for what they come to."""

    platform: str | None
    write: Callable[[sqlite3.Connection], Any]
    waiter: asyncio.Future[Any]

    def give(self, result: object) -> None:
        # A waiter that was cancelled meanwhile has written all the same: recovery finds its claim.
        if not self.waiter.done():
            self.waiter.set_result(result)

    def fail(self, error: Exception) -> None:
        if not self.waiter.done():
            self.waiter.set_exception(error)


class GroupCommit:
    """Gathers writes and commits them together at the end of the loop's turn; each platform is asked of ``fence`` once for all of them."""

    def __init__(self, file: StoreFile, fence: Fence) -> None:
        self._file = file
        self._fence = fence
        self._waiting: list[_Work] = []

    async def run(self, write: Callable[[sqlite3.Connection], T], platform: str | None = None) -> T:
        """Run ``write`` in a transaction, with whatever else is to be written in this turn; returns once that is durable.

        ``platform``: the one that it writes to, if it writes to any. Whatever it raises is raised here and undoes it, and it alone.

        Raises:
            StoreUnavailable: the storage failed; nothing was written.
        """
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[T] = loop.create_future()
        self._waiting.append(_Work(platform, write, waiter))
        if len(self._waiting) == 1:
            loop.call_soon(self._flush)
        return await waiter

    def _flush(self) -> None:
        group = [work for work in self._waiting if not work.waiter.done()]
        self._waiting.clear()
        if len(group) == 1:
            self._commit_alone(group[0])
        elif group:
            self._commit(group)

    def _commit(self, group: list[_Work]) -> None:
        """Commit all as one. A row that is refused, or a defect, undoes all: then each is settled by itself."""
        try:
            with self._file.writing() as database:
                self._fence(database, sorted({work.platform for work in group if work.platform is not None}))
                results = [work.write(database) for work in group]
        except StoreUnavailable as error:
            if isinstance(error.__cause__, ONE_WRITES_FAULT):
                self._commit_each(group)
                return
            # Not each by itself: on a locked file every one of them would wait as long again, and the loop with it.
            for work in group:
                work.fail(StoreUnavailable(str(error)))
        except Exception:  # noqa: BLE001  whatever it is, it is raised to the one that it belongs to
            self._commit_each(group)
        else:
            for work, result in zip(group, results, strict=True):
                work.give(result)

    def _commit_each(self, group: list[_Work]) -> None:
        for work in group:
            self._commit_alone(work)

    def _commit_alone(self, work: _Work) -> None:
        try:
            with self._file.writing() as database:
                if work.platform is not None:
                    self._fence(database, (work.platform,))
                result = work.write(database)
        except Exception as error:  # noqa: BLE001  as above
            work.fail(error)
        else:
            work.give(result)
