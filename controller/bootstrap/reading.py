"""What commands read beside a controller that may be running: status, events, forecasts."""

from collections.abc import AsyncGenerator
from datetime import datetime

from controller.adapters.clock import SystemClock
from controller.bootstrap.documents import RESTORERS
from controller.bootstrap.sources import spec_source_of
from controller.bootstrap.wiring import has_store, open_store, store_to_read
from controller.model.status import StatusReport
from controller.ports.store import StoredEvent
from controller.reconcile.outlooks import Outlooks, read_outlooks
from controller.reconcile.status import Reading, read_report
from controller.settings import Settings

FOLLOW_SECONDS = 1.0
"""How often the store is asked for new events."""

FOLLOWED_AT_ONCE = 100_000
"""More events than are recorded between two looks."""


async def read_status(
    settings: Settings, at: datetime | None = None, only: str | None = None, *, brief: bool = False
) -> StatusReport:
    """How every schedule stands, from the specs and the store; no platform is asked. ``only`` spares the history of all others.

    ``brief``: only what a table of all schedules shows is read.

    Raises:
        SettingsInvalid: the spec source cannot be used as set.
        SpecSourceUnavailable, StoreUnavailable: neither specs nor store can be read, or the store is damaged.
    """
    trouble = () if has_store(settings) else (f"{settings.store} does not exist yet: no controller has run with it",)
    source = spec_source_of(settings, settings.profiles or None)
    store = store_to_read(settings)
    try:
        return await read_report(
            Reading(
                store,
                source,
                RESTORERS,
                settings.profiles,
                at or SystemClock().now(),
                trouble,
                only,
                settings.safety,
                brief,
            )
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


async def read_forecast(settings: Settings, at: datetime, only: str | None = None) -> Outlooks:
    """What a forecast rests on, from the specs and the store; no platform is asked. Without a store it is as for a first start.

    Raises:
        SettingsInvalid: the spec source cannot be used as set.
        SpecSourceUnavailable, StoreUnavailable: they cannot be read, or the store is damaged.
    """
    source = spec_source_of(settings, settings.profiles or None)
    store = store_to_read(settings)
    try:
        return await read_outlooks(
            Reading(store, source, RESTORERS, settings.profiles, at, only=only, limits=settings.safety)
        )
    finally:
        await store.close()
