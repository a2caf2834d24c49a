"""Which connections a look reads by id, where more want to be read than may be."""

import asyncio
from datetime import datetime

from controller.model.connection import Connection, ConnectionStatus, PlatformScheduleKind
from controller.model.identity import ConnectionRef
from controller.model.plan import ListingNeed, NeedKind
from controller.model.profile import AITRONOS
from controller.reconcile.gather import READS_AT_ONCE, SETTINGS_AT_ONCE, Mind, look
from controller.reconcile.observed import ObservedPlatform
from tests.fakes.platform import FakePlatform
from tests.unit.decide.given import at


class TenOClock:
    """It is ten o'clock."""

    def now(self) -> datetime:
        """Always the same."""
        return at("10:00")

    def boottime(self) -> float:
        """Always the same."""
        return 0.0

    async def sleep(self, seconds: float) -> None:
        """It takes no time."""


def need(kind: NeedKind, begun_after: str) -> tuple[ListingNeed, ...]:
    """A read that is waited for."""
    return (ListingNeed(kind, at(begun_after), at(begun_after), read_connection=True),)


def read_by(needs: dict[str, tuple[ListingNeed, ...]]) -> list[str]:
    """The connections that one look reads by id, in order; ``c0`` was read first of all, ``c1`` after it, and so on."""
    clock = TenOClock()
    fake = FakePlatform(clock)
    platform = ObservedPlatform("acme", fake, AITRONOS, at("09:00"))
    platform.connections_read_at = at("09:59")
    for name, row in needs.items():
        known = Connection(name, name, ConnectionStatus.INACTIVE, PlatformScheduleKind.MANUAL)
        platform.connections[name] = (known, at(f"09:{int(name[1:]):02}"))
        platform.needs[ConnectionRef("acme", name)] = row
    asyncio.run(look(Mind(), platform, clock))
    return [str(call.connection_id) for call in fake.calls_of("get_connection")]


def test_few_are_read_that_somebody_may_have_undone() -> None:
    """Those that were read longest ago, however many wait."""
    found = read_by({f"c{number}": need(NeedKind.SETTINGS, "09:59") for number in reversed(range(30))})
    assert found == [f"c{number}" for number in range(SETTINGS_AT_ONCE)]


def test_they_are_not_read_before_their_time() -> None:
    """A look that comes for somebody else reads none that is not to be read yet; a correction waits for none."""
    found = read_by({"c1": need(NeedKind.SETTINGS, "10:00:01"), "c2": need(NeedKind.DRIFT, "10:00:01")})
    assert found == ["c2"]


def test_what_is_urgent_comes_before_them() -> None:
    """A fleet that drifted leaves no room for them; it was read later, and comes first all the same."""
    patient = {f"c{number}": need(NeedKind.SETTINGS, "09:59") for number in range(3)}
    urgent = {f"c{number}": need(NeedKind.DRIFT, "09:59") for number in range(10, 10 + READS_AT_ONCE)}
    assert read_by(patient | urgent) == list(urgent)
