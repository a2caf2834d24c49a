"""The composition root: the only place that names a concrete adapter."""

import asyncio
import io
import os
import secrets
import signal
import socket
from collections.abc import AsyncGenerator, Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TextIO

from controller.adapters.cadence import ApschedulerCadence
from controller.adapters.clock import StoppedClock, SystemClock
from controller.adapters.election.memory import Leases, MemoryElection
from controller.adapters.election.single import SingleNodeElection
from controller.adapters.platforms.aitronos import AitronosOptions, AitronosPlatform, Transport
from controller.adapters.platforms.credentials import Credentials, TokenFile, TokenValue
from controller.adapters.specs.directory import DirectorySpecSource, snapshot, validate_paths
from controller.adapters.specs.tree import TreeReader, parse_tree
from controller.adapters.stores.memory import MemoryStore
from controller.adapters.stores.sqlite import SqliteStore
from controller.adapters.stores.store_file import StoreFile, StoreMode
from controller.adapters.telemetry.console import ConsoleTelemetry
from controller.adapters.telemetry.lines import StructlogTelemetry
from controller.errors import PlatformError, SettingsInvalid
from controller.model.event import Event
from controller.model.plan import Plan, PlanningInput
from controller.model.policy import Policy
from controller.model.profile import PlatformProfile
from controller.model.schedule import ScheduleSpec
from controller.model.status import StatusReport
from controller.ports.cadence import Cadence
from controller.ports.clock import Clock
from controller.ports.election import Election
from controller.ports.platform import Platform
from controller.ports.spec_source import SpecSource, SpecTree
from controller.ports.store import Store, StoredEvent, StoredPolicy
from controller.ports.telemetry import Telemetry
from controller.reconcile.loop import Loop
from controller.reconcile.outlooks import Outlooks, read_outlooks
from controller.reconcile.preview import preview
from controller.reconcile.restored import Restorers
from controller.reconcile.status import Reading, read_report
from controller.reconcile.world import World
from controller.settings import PlatformSettings, Settings

Render = Callable[[Event], str | None]

FOLLOW_SECONDS = 1.0
"""How often the store is asked for new events."""

FOLLOWED_AT_ONCE = 100_000
"""More events than are recorded between two looks."""


def product_version() -> str:
    """The installed version."""
    try:
        return version("mainspring")
    except PackageNotFoundError:
        return "0 (not installed)"


def system_clock() -> SystemClock:
    """The machine's clocks."""
    return SystemClock()


def _credentials(platform: PlatformSettings) -> Credentials:
    if platform.token_file is not None:
        return TokenFile(platform.token_file)
    name = platform.token_env
    if name is None:
        raise SettingsInvalid(f"platforms.{platform.name}: give token_file or token_env")
    value = os.environ.get(name)
    if not value:
        raise SettingsInvalid(f"platforms.{platform.name}: the environment variable {name} is not set")
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


async def read_specs(path: Path, profiles: Mapping[str, PlatformProfile]) -> SpecTree:
    """Read a spec tree once, without any platform.

    Raises:
        SpecSourceUnavailable: it could not be read whole.
    """
    return await DirectorySpecSource(path, profiles).fetch()


def check_specs(paths: Collection[Path], settings: Settings | None, at: datetime | None = None) -> SpecTree:
    """Validate files and directories; platform names are only checked where settings are given.

    What the next year's changes of the clock do to a schedule is told as seen from ``at``, else from now; whether it is valid never
    depends on the day.
    """
    profiles = settings.profiles if settings is not None else None
    return validate_paths(tuple(paths), profiles, warn_from=int((at or SystemClock().now()).timestamp()))


def open_store(settings: Settings) -> SqliteStore:
    """Open the store for reading, beside a controller that may be running.

    Raises:
        StoreUnavailable: there is none yet, or it cannot be read.
    """
    return SqliteStore.open(settings.store, mode=StoreMode.READ)


def has_store(settings: Settings) -> bool:
    """Whether a controller has run with this store."""
    return settings.store.exists()


def _store_to_read(settings: Settings) -> Store:
    """The store for reading; before the first controller has run, an empty one."""
    return open_store(settings) if has_store(settings) else MemoryStore()


async def read_status(settings: Settings, at: datetime | None = None, only: str | None = None) -> StatusReport:
    """How every schedule stands, from the specs and the store; no platform is asked. ``only`` spares the history of all others.

    Raises:
        SpecSourceUnavailable, StoreUnavailable: neither specs nor store can be read, or the store is damaged.
    """
    trouble = () if has_store(settings) else (f"{settings.store} does not exist yet: no controller has run with it",)
    source = DirectorySpecSource(settings.specs, settings.profiles or None)
    store = _store_to_read(settings)
    try:
        return await read_report(
            Reading(store, source, _RESTORERS, settings.profiles, at or SystemClock().now(), trouble, only)
        )
    finally:
        await store.close()


async def read_events(
    settings: Settings, *, schedule: str | None = None, since: datetime | None = None, limit: int
) -> tuple[StoredEvent, ...]:
    """The newest recorded events, oldest first.

    Raises:
        StoreUnavailable: there is no store yet, or it cannot be read.
    """
    store = open_store(settings)
    try:
        return await store.events(schedule=schedule, since=since, limit=limit)
    finally:
        await store.close()


async def follow_events(settings: Settings, *, schedule: str | None = None, after: int) -> AsyncGenerator[StoredEvent]:
    """Every event recorded after the one numbered ``after``, as it comes; ends only with its consumer.

    Raises:
        StoreUnavailable: there is no store yet, or it cannot be read.
    """
    store, clock = open_store(settings), SystemClock()
    try:
        while True:
            for stored in await store.events(after=after, schedule=schedule, limit=FOLLOWED_AT_ONCE):
                after = stored.number
                yield stored
            await clock.sleep(FOLLOW_SECONDS)
    finally:
        await store.close()


@dataclass(frozen=True, slots=True)
class Output:
    """Where a running controller's events go: JSON lines, or lines for people made by ``render``."""

    stream: TextIO
    render: Render | None = None


def _telemetry(output: Output, credentials: Collection[Credentials]) -> Telemetry:
    def secrets() -> list[str]:
        return _secrets(credentials)

    if output.render is None:
        return StructlogTelemetry(output.stream, secrets)
    return ConsoleTelemetry(output.stream, output.render, secrets)


def _restore(content: str) -> ScheduleSpec | None:
    specs = parse_tree({"(from the store)": content.encode()}, platforms=None).specs
    return specs[0] if specs else None


def _restore_policy(stored: StoredPolicy) -> Policy | None:
    policies = parse_tree({f"{stored.path} (from the store)": stored.content.encode()}, platforms=None).policies
    return policies[0] if policies else None


_RESTORERS = Restorers(_restore, _restore_policy)


def _holder() -> str:
    # A name that comes again, as a pod's does, must not be taken for the process that had it before.
    return f"{socket.gethostname()}/{secrets.token_hex(4)}"


def build_world(settings: Settings, output: Output, *, acting: bool) -> World:
    """Wire one controller; ``acting`` False opens the store for reading only.

    Raises:
        SettingsInvalid: a platform cannot be spoken to as set.
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
    store = SqliteStore.open(settings.store, mode=StoreMode.ACT) if acting else _store_to_read(settings)
    return World(
        clock=clock,
        cadence=ApschedulerCadence(),
        store=store,
        election=SingleNodeElection(store, clock, _holder()),
        spec_source=DirectorySpecSource(settings.specs, settings.profiles),
        telemetry=_telemetry(output, tuple(credentials.values())),
        platforms=platforms,
        restorers=_RESTORERS,
        version=product_version(),
        specs_label=str(settings.specs),
        spec_poll=settings.spec_poll,
        observe=settings.observe,
    )


async def close_world(world: World) -> None:
    """Give files and sockets back."""
    for platform, _ in world.platforms.values():
        await platform.close()
    await world.store.close()


async def run_controller(settings: Settings, output: Output, *, stop: asyncio.Event, once: bool = False) -> str:
    """Run a controller until ``stop``; SIGTERM and SIGINT set it, SIGHUP reads the specs again.

    Returns what one full cycle could not read; nothing without ``once``.

    Raises:
        SettingsInvalid, StoreInUse, StoreUnavailable: the start is refused.
    """
    world = build_world(settings, output, acting=True)
    loop = Loop(world)
    running = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        running.add_signal_handler(number, stop.set)
    running.add_signal_handler(signal.SIGHUP, loop.fetch_soon)
    try:
        if once:
            return await loop.once()
        await loop.run(stop)
        return ""
    finally:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            running.remove_signal_handler(number)
        await close_world(world)


async def preview_cycle(settings: Settings, at: datetime | None = None) -> tuple[PlanningInput, Plan]:
    """What the next cycle would decide, from the store and the platforms as they are now; nothing is written anywhere.

    ``at`` is the instant to decide for. Before a controller has run, it is decided as for a first start.

    Raises:
        SettingsInvalid, SpecSourceUnavailable, StoreUnavailable, PlatformUnavailable: what the preview rests on cannot be had.
    """
    world = build_world(settings, Output(io.StringIO()), acting=False)
    if at is not None:
        world = replace(world, clock=StoppedClock(at))
    try:
        return await preview(world, is_now=at is None)
    finally:
        await close_world(world)


async def read_forecast(settings: Settings, at: datetime, only: str | None = None) -> Outlooks:
    """What a forecast rests on, from the specs and the store; no platform is asked. Without a store it is as for a first start.

    Raises:
        SpecSourceUnavailable, StoreUnavailable: they cannot be read, or the store is damaged.
    """
    source = DirectorySpecSource(settings.specs, settings.profiles or None)
    store = _store_to_read(settings)
    try:
        return await read_outlooks(Reading(store, source, _RESTORERS, settings.profiles, at, only=only))
    finally:
        await store.close()


@dataclass(frozen=True, slots=True)
class SimulatedPorts:
    """What a simulation puts in the place of the machine and of the platforms; ``leases`` where there are several controllers."""

    clock: Clock
    cadence: Cadence
    store: Store
    spec_source: SpecSource
    telemetry: Telemetry
    platforms: Mapping[str, tuple[Platform, PlatformProfile]]
    holder: str
    longest_nap: timedelta
    leases: Leases | None = None


def simulated_leases(term: float) -> Leases:
    """The table that the controllers of one simulation share; ``term`` is in seconds."""
    return Leases(term)


def simulated_controller(ports: SimulatedPorts) -> Loop:
    """A controller as it is, on ports that are not."""
    if ports.leases is None:
        election: Election = SingleNodeElection(ports.store, ports.clock, ports.holder)
    else:
        election = MemoryElection(ports.leases, ports.holder, ports.store, ports.clock)
    return Loop(
        World(
            clock=ports.clock,
            cadence=ports.cadence,
            store=ports.store,
            election=election,
            spec_source=ports.spec_source,
            telemetry=ports.telemetry,
            platforms=ports.platforms,
            restorers=_RESTORERS,
            version="simulated",
            specs_label="simulated",
            # What the checker needs to see must not be pruned before the end.
            keep_history=timedelta(days=36_500),
            longest_nap=ports.longest_nap,
            # The product looks more often, and finds nothing more: what needs it is found by longer pauses.
            spec_poll=timedelta(minutes=5),
            resync=timedelta(hours=1),
        )
    )


def simulated_adapter(transport: Transport, profile: PlatformProfile, clock: Clock) -> Platform:
    """The adapter as it is, over a transport that leads to no network."""
    options = AitronosOptions(
        "https://platform.test", "org_simulated", TokenValue("simulated"), profile, clock, transport
    )
    return AitronosPlatform(options)


def simulated_store() -> SqliteStore:
    """The real store without a file: it lives as long as its handles do."""
    return SqliteStore(StoreFile.in_memory())


def spec_reader(profiles: Mapping[str, PlatformProfile] | None) -> Callable[[Mapping[str, bytes], str], SpecTree]:
    """A reader of spec trees that are in memory, content by path, each with the name of its revision."""
    reader = TreeReader(profiles)
    return lambda files, revision: reader.read(files, revision=revision)


def read_spec_files(path: Path) -> dict[str, bytes]:
    """The spec files below a directory, content by path.

    Raises:
        SpecSourceUnavailable: it could not be read whole.
    """
    return snapshot(path)[1]
