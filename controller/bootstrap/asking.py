"""Ask a running controller for something by hand: a row in its store, and its answer there."""

import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from controller.adapters.clock import SystemClock
from controller.adapters.stores.sqlite import SqliteStore, StoreMode
from controller.adapters.stores.store_file import is_acted_on
from controller.model.asked import Request
from controller.settings import Settings

WAIT = timedelta(seconds=30)
"""How long a command waits for the controller's answer."""

LOOK_EVERY_SECONDS = 0.2
"""How often the answer is looked for; the controller itself looks for requests every 2 s."""

GOOD_FOR = timedelta(seconds=60)
"""When a request that starts or ends a job expires, should its command be killed: it must not be carried out later, unwatched."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What is known of a request in the end; ``is_attended``: whether a controller runs on the store."""

    request: Request
    is_attended: bool


def is_attended(settings: Settings) -> bool:
    """Whether a controller runs on the store."""
    return is_acted_on(settings.store)


def present() -> datetime:
    """What time it is."""
    return SystemClock().now()


async def ask_by_hand(settings: Settings, request: Request, *, stays: bool) -> Reply:
    """Leave a request in the store, and wait for what comes of it.

    Args:
        settings: where the store is.
        request: what is asked for; its key and its ``made_at`` are set here.
        stays: whether it stays there unanswered; one that does not is taken back, so that nothing of it happens later.

    Raises:
        StoreUnavailable: there is no store that can keep it.
    """
    clock = SystemClock()
    now = clock.now()
    key = f"by-hand:{secrets.token_hex(16)}"
    expires_at = None if stays else now + GOOD_FOR
    store = SqliteStore.open(settings.store, mode=StoreMode.ASK)
    try:
        (kept,) = await store.ask([replace(request, key=key, made_at=now, expires_at=expires_at)])
        attended = is_attended(settings)
        if not attended and not stays:
            await store.take_back(key, "no controller is running", clock.now())
        try:
            while attended and not kept.status.is_final and clock.now() - now < WAIT:
                await clock.sleep(LOOK_EVERY_SECONDS)
                kept = await store.request(key) or kept
        finally:
            # Also where somebody interrupts the command.
            if not stays and not kept.status.is_final:
                await store.take_back(key, "the controller did not answer in time", clock.now())
        return Reply(await store.request(key) or kept, attended)
    finally:
        await store.close()
