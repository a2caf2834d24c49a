"""What an import rests on: the spec trees as they are, the platforms' connections, and the validator."""

import asyncio
from collections.abc import Callable, Collection, Iterable
from pathlib import Path

from controller.adapters.specs.directory import DirectorySpecSource
from controller.adapters.specs.tree import TreeReader
from controller.bootstrap.sources import spec_source_of
from controller.bootstrap.wiring import open_platform
from controller.errors import PlatformUnavailable, SettingsInvalid
from controller.model.connection import Connection
from controller.model.identity import ConnectionRef
from controller.ports.spec_source import SpecError, SpecTree
from controller.reconcile.inventory import list_every_connection
from controller.settings import PlatformSettings, Settings


async def read_connections(settings: Settings, only: str | None = None) -> list[tuple[ConnectionRef, Connection]]:
    """Every connection of every platform, or of one; by platform, then in its order.

    Raises:
        SettingsInvalid: there is no such platform, or it cannot be spoken to as set.
        PlatformUnavailable: a page of one could not be read; nothing is returned of any.
    """
    if not settings.platforms:
        raise SettingsInvalid("no platform is set; name one under [platforms.default] and pass the file with --config")
    if only is not None and only not in settings.platforms:
        raise SettingsInvalid(f"the settings name no platform {only}; write one of {', '.join(settings.platforms)}")
    wanted = [row for name, row in settings.platforms.items() if only in (None, name)]
    listed = await asyncio.gather(*(_connections_of(row) for row in wanted), return_exceptions=True)
    found: list[tuple[ConnectionRef, Connection]] = []
    for row, answer in zip(wanted, listed, strict=True):
        if isinstance(answer, BaseException):
            raise answer
        found += [(ConnectionRef(row.name, each.connection_id), each) for each in answer]
    return found


async def _connections_of(row: PlatformSettings) -> tuple[Connection, ...]:
    platform = open_platform(row)
    try:
        return await list_every_connection(platform, row.profile.page_size)
    except PlatformUnavailable as error:
        raise PlatformUnavailable(f"platform {row.name}: {error}") from error
    finally:
        await platform.close()


async def read_trees(settings: Settings, paths: Iterable[Path]) -> tuple[SpecTree, ...]:
    """The tree of the repository that the settings name, if they do, and those below some directories; one that is not there is empty.

    Raises:
        SettingsInvalid: the repository cannot be used as set.
        SpecSourceUnavailable: one could not be read whole.
    """
    sources = [spec_source_of(settings, settings.profiles)] if settings.git is not None else []
    sources += [DirectorySpecSource(path, settings.profiles) for path in paths if path.exists()]
    return tuple([await source.fetch() for source in sources])


def spec_judge(settings: Settings) -> Callable[[str, str], Collection[SpecError]]:
    """A function that says what the validator has against a document, given its path and text."""
    reader = TreeReader(settings.profiles)
    return lambda path, text: reader.read({path: text.encode()}).errors
