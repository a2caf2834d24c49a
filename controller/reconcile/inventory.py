"""Every connection of a platform, to the last page."""

from controller.errors import PlatformUnavailable
from controller.model.connection import Connection
from controller.ports.platform import Platform

PAGES_MAX = 1_000


async def list_every_connection(platform: Platform, page_size: int) -> tuple[Connection, ...]:
    """Read all pages; a connection that two pages show is one.

    Raises:
        PlatformUnavailable: a page failed, or they have no end; a part is never returned.
    """
    found: dict[str, Connection] = {}
    offset = 0
    for _ in range(PAGES_MAX):
        page = await platform.list_connections(offset, page_size)
        known = len(found)
        found.update((each.connection_id, each) for each in page)
        if len(page) < page_size:
            return tuple(found.values())
        if len(found) == known:
            raise PlatformUnavailable("list connections: a page shows nothing but what an earlier one showed")
        offset += len(page)
    raise PlatformUnavailable(f"list connections: more than {PAGES_MAX} pages")
