"""Every connection of a platform: all pages or nothing."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from controller.adapters.clock import StoppedClock
from controller.errors import PlatformUnavailable
from controller.model.connection import Connection
from controller.reconcile.inventory import list_every_connection
from tests.fakes.platform import FakePlatform

NOW = datetime(2026, 3, 2, tzinfo=UTC)


class Paged(FakePlatform):
    """A platform whose pages come as told: a number of connections, or a failure; the last one for ever."""

    def __init__(self, pages: Sequence[range | None]) -> None:
        super().__init__(StoppedClock(NOW))
        self._pages = list(pages)
        for number in range(10):
            self.add_connection(f"c{number}")

    async def list_connections(self, offset: int, limit: int) -> tuple[Connection, ...]:  # noqa: ARG002 - as told
        """Give the next page, whatever was asked for."""
        page = self._pages.pop(0) if len(self._pages) > 1 else self._pages[0]
        if page is None:
            raise PlatformUnavailable("list connections: HTTP 500")
        everything = await super().list_connections(0, 10)
        return tuple(everything[number] for number in page)


def ids(pages: Sequence[range | None]) -> list[str]:
    """The ids that are found."""
    found = asyncio.run(list_every_connection(Paged(pages), 3))
    return [each.connection_id for each in found]


@pytest.mark.parametrize(
    "pages",
    [[range(0)], [range(2)], [range(3), range(0)], [range(3), range(3, 6), range(6, 7)], [range(3), range(2, 4)]],
    ids=str,
)
def test_pages_are_read_to_the_end(pages: list[range]) -> None:
    """The first page that is not full is the last; a row that moved onto the next page counts once."""
    last = max((page.stop for page in pages if page), default=0)
    assert ids(pages) == [f"c{number}" for number in range(last)]


@pytest.mark.parametrize("pages", [[None], [range(3), None], [range(3), range(3, 6), range(3, 6)]], ids=str)
def test_a_part_is_never_returned(pages: list[range | None]) -> None:
    """A page that fails, or pages without an end, are a failure of the whole."""
    with pytest.raises(PlatformUnavailable, match=r"HTTP 500|shows nothing but"):
        ids(pages)
