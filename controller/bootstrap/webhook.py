"""The receiver of webhooks beside a running loop."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from controller.adapters.webhook.coalesce import Coalescer
from controller.adapters.webhook.proof import GENERIC_HEADER, Hook, Scheme
from controller.adapters.webhook.secret_file import SecretFile
from controller.adapters.webhook.server import Endpoint, Limits, listen, serving
from controller.errors import SettingsInvalid
from controller.model.event import Event, EventName
from controller.reconcile import say
from controller.reconcile.world import World
from controller.settings import WebhookSettings


@asynccontextmanager
async def receiving(
    webhook: WebhookSettings | None, world: World, fetch_soon: Callable[[], None]
) -> AsyncIterator[None]:
    """Take webhooks while the block runs, if the settings ask for it; each may cause a fetch, and nothing else.

    Raises:
        SettingsInvalid: there is no secret, or the address cannot be listened on.
    """
    if webhook is None:
        yield
        return
    secret = SecretFile(webhook.secret_file)
    if not secret.current():
        raise SettingsInvalid(f"webhook.secret_file: {secret.trouble}; write the secret that the sender has into it")
    try:
        listening = listen(webhook.host, webhook.port)
    except OSError as error:
        raise SettingsInvalid(
            f"webhook.listen: {webhook.listen} cannot be listened on: {error.strerror}; name an address of this machine and a free port"
        ) from error
    host, port = listening.getsockname()[:2]
    address = f"http://{f'[{host}]' if ':' in host else host}:{port}{webhook.path}"
    scheme, header = Scheme(webhook.kind), webhook.header or GENERIC_HEADER
    fetches, limits = Coalescer(world.clock, fetch_soon), Limits()
    endpoint = Endpoint(webhook.path, lambda: Hook(scheme, secret.current(), header), fetches, limits)
    async with serving(endpoint, listening, limits):
        try:
            await say.tell(world, [Event(EventName.WEBHOOK_LISTENING, world.clock.now(), {"address": address})])
            yield
        finally:
            await fetches.close()
