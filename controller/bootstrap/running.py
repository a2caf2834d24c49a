"""Run a controller, or show what its next cycle would decide."""

import asyncio
import io
import signal
from dataclasses import replace
from datetime import datetime

from controller.adapters.clock import StoppedClock
from controller.adapters.stores.store_file import is_acted_on
from controller.bootstrap.webhook import receiving
from controller.bootstrap.wiring import Output, build_world, close_world
from controller.reconcile.loop import Loop
from controller.reconcile.preview import Preview, preview
from controller.settings import Settings


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
        async with receiving(settings.webhook, world, loop.fetch_soon):
            await loop.run(stop)
        return ""
    finally:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            running.remove_signal_handler(number)
        await close_world(world)


async def preview_cycle(settings: Settings, at: datetime | None = None) -> Preview:
    """What the next cycle would decide, from the store and the platforms as they are now; nothing is written anywhere.

    ``at`` is the instant to decide for. Before a controller has run, it is decided as for a first start.

    Raises:
        SettingsInvalid, SpecSourceUnavailable, StoreUnavailable, PlatformUnavailable: what the preview rests on cannot be had.
    """
    world = build_world(settings, Output(io.StringIO()), acting=False)
    if at is not None:
        world = replace(world, clock=StoppedClock(at))
    try:
        return await preview(world, is_now=at is None, attended=is_acted_on(settings.store))
    finally:
        await close_world(world)
