"""Blocking reads: off the loop, one at a time, and never in the way of an end."""

import asyncio
import threading
from pathlib import Path

import pytest

from controller.adapters.specs.directory import DirectorySpecSource
from controller.adapters.specs.one_reading import OneReading
from controller.adapters.specs.snapshot import Listing, read_files
from tests.fakes.spec_source import schedule_text


def test_a_read_that_hangs_leaves_the_loop_alone_and_costs_one_thread(tmp_path: Path) -> None:
    """Fetches that are given up do not pile up behind a mount that hangs, and the next one reads what is there then."""
    (tmp_path / "a.yaml").write_text(schedule_text("a"))
    begun, released = [], threading.Event()

    def read(listing: Listing) -> dict[str, bytes]:
        begun.append(threading.current_thread().daemon)
        released.wait(20)
        return read_files(listing)

    source = DirectorySpecSource(tmp_path, None, read=read)

    async def main() -> list[str]:
        for _ in range(3):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await source.fetch()
        assert begun == [True]
        (tmp_path / "b.yaml").write_text(schedule_text("b"))
        released.set()
        return [spec.name for spec in (await source.fetch()).specs]

    assert asyncio.run(main()) == ["a", "b"]
    assert begun[0]


def test_what_a_read_raises_is_raised() -> None:
    """A failure in the thread is the caller's, and the next read is a new one."""
    readings: OneReading[int] = OneReading()

    def fail() -> int:
        raise OSError(5, "gone")

    async def main() -> int:
        with pytest.raises(OSError, match="gone"):
            await readings.run(fail)
        return await readings.run(lambda: 7)

    assert asyncio.run(main()) == 7
