"""One controller, wired: the only place that names the adapters of a running one."""

import os
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TextIO

from controller.adapters.cadence import ApschedulerCadence
from controller.adapters.clock import SystemClock
from controller.adapters.election.single import SingleNodeElection
from controller.adapters.platforms.aitronos import AitronosOptions, AitronosPlatform
from controller.adapters.platforms.credentials import Credentials, TokenFile, TokenValue
from controller.adapters.stores.memory import MemoryStore
from controller.adapters.stores.sqlite import SqliteStore
from controller.adapters.stores.store_file import StoreMode
from controller.adapters.telemetry.console import ConsoleTelemetry
from controller.adapters.telemetry.lines import StructlogTelemetry
from controller.bootstrap.documents import RESTORERS
from controller.bootstrap.identity import holder_name, product_version
from controller.bootstrap.sources import source_secrets, spec_source_of
from controller.errors import PlatformError, SettingsInvalid
from controller.model.event import Event
from controller.ports.platform import Platform
from controller.ports.store import Store
from controller.ports.telemetry import Telemetry
from controller.reconcile.world import World
from controller.settings import PlatformSettings, Settings

_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")

Render = Callable[[Event], str | None]


def _credentials(platform: PlatformSettings) -> Credentials:
    if platform.token_file is not None:
        return TokenFile(platform.token_file)
    name = platform.token_env
    if name is None:
        raise SettingsInvalid(f"platforms.{platform.name}: give token_file or token_env")
    value = os.environ.get(name)
    if not value:
        # Who wrote the token itself there must not find it in a log.
        which = name if _VARIABLE.fullmatch(name) else "that token_env names"
        raise SettingsInvalid(f"platforms.{platform.name}: the environment variable {which} is not set")
    return TokenValue(value)


def _secrets(credentials: Collection[Credentials]) -> list[str]:
    """The texts that must never be written, as they are now; a token that cannot be read cannot leak."""
    found: list[str] = []
    for source in credentials:
        try:
            found.extend(source.current().forms())
        except PlatformError:
            continue
    return found


@dataclass(frozen=True, slots=True)
class Output:
    """Where a running controller's events go: JSON lines, or lines for people made by ``render``."""

    stream: TextIO
    render: Render | None = None


def _telemetry(output: Output, settings: Settings, credentials: Collection[Credentials]) -> Telemetry:
    def secrets() -> list[str]:
        return [*_secrets(credentials), *source_secrets(settings)]

    if output.render is None:
        return StructlogTelemetry(output.stream, secrets)
    return ConsoleTelemetry(output.stream, output.render, secrets)


def open_platform(row: PlatformSettings) -> Platform:
    """One platform by itself, for a command that needs nothing else.

    Raises:
        SettingsInvalid: it cannot be spoken to as set.
    """
    options = AitronosOptions(row.base_url, row.organization_id, _credentials(row), row.profile, SystemClock())
    return AitronosPlatform(options)


def open_store(settings: Settings) -> SqliteStore:
    """Open the store for reading, beside a controller that may be running.

    Raises:
        StoreUnavailable: there is none yet, or it cannot be read.
    """
    return SqliteStore.open(settings.store, mode=StoreMode.READ)


def has_store(settings: Settings) -> bool:
    """Whether a controller has run with this store."""
    return settings.store.exists()


def store_to_read(settings: Settings) -> Store:
    """The store for reading; before the first controller has run, an empty one."""
    return open_store(settings) if has_store(settings) else MemoryStore()


def build_world(settings: Settings, output: Output, *, acting: bool) -> World:
    """Wire one controller; ``acting`` False opens the store for reading only.

    Raises:
        SettingsInvalid: a platform cannot be spoken to as set, or the specs not be read.
        StoreInUse: another controller acts on this store.
        StoreUnavailable: the store cannot be opened.
    """
    if not settings.platforms:
        raise SettingsInvalid(
            "no platform is set; name one under [platforms.default] in a file and pass it with --config"
        )
    clock = SystemClock()
    credentials = {name: _credentials(platform) for name, platform in settings.platforms.items()}
    platforms = {
        name: (
            AitronosPlatform(
                AitronosOptions(row.base_url, row.organization_id, credentials[name], row.profile, clock),
            ),
            row.profile,
        )
        for name, row in settings.platforms.items()
    }
    store = SqliteStore.open(settings.store, mode=StoreMode.ACT) if acting else store_to_read(settings)
    return World(
        clock=clock,
        cadence=ApschedulerCadence(),
        store=store,
        election=SingleNodeElection(store, clock, holder_name()),
        spec_source=spec_source_of(settings, settings.profiles),
        telemetry=_telemetry(output, settings, tuple(credentials.values())),
        platforms=platforms,
        restorers=RESTORERS,
        version=product_version(),
        specs_label=settings.specs_label,
        spec_poll=settings.spec_poll,
        observe=settings.observe,
        limits=settings.safety,
        confirmed_revision=settings.confirmed_revision,
        allow_resets=settings.allow_resets,
    )


async def close_world(world: World) -> None:
    """Give files and sockets back."""
    for platform, _ in world.platforms.values():
        await platform.close()
    await world.store.close()
