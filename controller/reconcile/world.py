"""Everything that one controller talks to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from controller.model.profile import PlatformProfile
from controller.model.safety import SafetyLimits
from controller.ports.cadence import Cadence
from controller.ports.clock import Clock
from controller.ports.election import Election
from controller.ports.platform import Platform
from controller.ports.spec_source import SpecSource
from controller.ports.store import Store
from controller.ports.telemetry import Telemetry
from controller.reconcile.restored import Restorers


@dataclass(frozen=True, slots=True)
class World:
    """The ports of one controller, and the few numbers that are not a platform's.

    Attributes:
        election: who acts on a platform; it takes platforms on this ``store``.
        restorers: read back what the store kept.
        longest_nap: the loop looks at the wall clock at least this often, so that a step of it is noticed.
        request_poll: how often requests of people are looked for in the store.
        allow_resets: whether a ``SyncRequest`` may clear destination data.
        observe: treat every schedule as ``mode: Observe``, whatever it says: write nothing to any platform.
        limits: how much one commit, and one cycle, may do.
        confirmed_revision: the revision that is put in force whatever it removes; empty = none.
    """

    clock: Clock
    cadence: Cadence
    store: Store
    election: Election
    spec_source: SpecSource
    telemetry: Telemetry
    platforms: Mapping[str, tuple[Platform, PlatformProfile]]
    restorers: Restorers
    version: str
    specs_label: str
    spec_poll: timedelta = timedelta(seconds=30)
    resync: timedelta = timedelta(minutes=10)
    keep_history: timedelta = timedelta(days=30)
    stop_grace: timedelta = timedelta(seconds=7)
    longest_nap: timedelta = timedelta(seconds=5)
    observe: bool = False
    limits: SafetyLimits = field(default_factory=SafetyLimits)
    confirmed_revision: str = ""
    request_poll: timedelta = timedelta(seconds=2)
    allow_resets: bool = False
