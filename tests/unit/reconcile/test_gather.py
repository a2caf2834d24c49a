"""What one look reads, in which order, and when it is known."""

import asyncio
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from controller.decide.observation import ListingHistory
from controller.errors import PlatformUnavailable
from controller.model.connection import Connection, ConnectionStatus, PlatformScheduleKind
from controller.model.identity import ConnectionRef
from controller.model.job import Job
from controller.model.plan import Listing, ListingNeed, NeedKind
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


class Slow(FakePlatform):
    """A platform of which it is noted what was known of its jobs when a connection was asked for."""

    observed: ObservedPlatform
    was_known = False

    async def get_connection(self, connection_id: str) -> Connection | None:
        """As the port says."""
        self.was_known = self.observed.has_active(connection_id)
        return await super().get_connection(connection_id)


def test_a_job_is_known_as_soon_as_it_was_shown() -> None:
    """Other reads follow a listing, and nothing may be sent meanwhile beside a job that it showed; it is a change of the whole look."""
    clock = TenOClock()
    fake = Slow(clock)
    fake.add_connection("c1")
    job = fake.start_foreign_job("c1")
    fake.observed = ObservedPlatform("acme", fake, AITRONOS, at("09:00"))
    fake.observed.needs[ConnectionRef("acme", "c1")] = need(NeedKind.DRIFT, "09:59")
    result = asyncio.run(look(Mind(), fake.observed, clock))
    assert fake.was_known
    assert [(before, seen.job_id) for before, seen in result.changes] == [(None, job.job_id)]


class Forgetful(FakePlatform):
    """A platform that lists its jobs and cannot be asked for one of them."""

    async def get_jobs(self, job_ids: Collection[str]) -> dict[str, Job]:
        """Never."""
        raise PlatformUnavailable(f"no answer about {', '.join(job_ids)}")


def test_what_a_look_showed_before_it_failed_is_a_change_all_the_same() -> None:
    """It is known from then on, so no later look would tell it."""
    clock = TenOClock()
    fake = Forgetful(clock)
    fake.add_connection("c1")
    job = fake.start_foreign_job("c1")
    platform = ObservedPlatform("acme", fake, AITRONOS, at("09:00"))
    platform.history = ListingHistory(Listing(at("09:50"), at("09:00")))
    platform.remember([replace(job, job_id="unlisted")], at("09:50"))
    result = asyncio.run(look(Mind(), platform, clock))
    assert result.trouble == "no answer about unlisted"
    assert [(before, seen.job_id) for before, seen in result.changes] == [(None, job.job_id)]


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
