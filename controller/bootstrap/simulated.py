"""The controller as it is, on ports that are simulated."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from controller.adapters.election.memory import Leases, MemoryElection
from controller.adapters.election.single import SingleNodeElection
from controller.adapters.platforms.aitronos import AitronosOptions, AitronosPlatform, Transport
from controller.adapters.platforms.credentials import TokenValue
from controller.adapters.stores.sqlite import SqliteStore
from controller.adapters.stores.store_file import StoreFile
from controller.bootstrap.documents import RESTORERS
from controller.model.profile import PlatformProfile
from controller.ports.cadence import Cadence
from controller.ports.clock import Clock
from controller.ports.election import Election
from controller.ports.platform import Platform
from controller.ports.spec_source import SpecSource
from controller.ports.store import Store
from controller.ports.telemetry import Telemetry
from controller.reconcile.loop import Loop
from controller.reconcile.world import World


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
        return Loop(_world(ports, SingleNodeElection(ports.store, ports.clock, ports.holder)))
    election = MemoryElection(ports.leases, ports.holder, ports.store, ports.clock)
    controller = Loop(_world(ports, election))
    election.wake = controller.wake
    return controller


def _world(ports: SimulatedPorts, election: Election) -> World:
    return World(
        clock=ports.clock,
        cadence=ports.cadence,
        store=ports.store,
        election=election,
        spec_source=ports.spec_source,
        telemetry=ports.telemetry,
        platforms=ports.platforms,
        restorers=RESTORERS,
        version="simulated",
        specs_label="simulated",
        # What the checker needs to see must not be pruned before the end.
        keep_history=timedelta(days=36_500),
        longest_nap=ports.longest_nap,
        # The product looks more often, and finds nothing more: what needs it is found by longer pauses.
        spec_poll=timedelta(minutes=5),
        resync=timedelta(hours=1),
        request_poll=timedelta(hours=1),
        allow_resets=True,
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
