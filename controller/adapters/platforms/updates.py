"""Changes of a connection as they stand on the wire, and what a refusal of one says."""

import json
from typing import Any

from controller.adapters.platforms.reply import Reply
from controller.adapters.platforms.wire import SCHEDULE_KEYS
from controller.errors import ConnectionLocked, NotCreated, OutcomeUnknown, Rejected
from controller.model.connection import ConnectionChange


def change_body(change: ConnectionChange, schedule_key: str | None) -> bytes:
    """Only the keys that change; ``schedule_key`` is how the platform spells the kind of a schedule, None where it showed none."""
    body: dict[str, Any] = {}
    if change.manual:
        body["schedule"] = {schedule_key or SCHEDULE_KEYS[-1]: "manual"}
    if change.status is not None:
        body["status"] = change.status.value
    return json.dumps(body).encode("ascii")


def not_changed(what: str, reply: Reply) -> NotCreated | Rejected | ConnectionLocked | OutcomeUnknown:
    """What an answer other than 2xx and 429 to a PATCH says; what is not known to have changed nothing counts as unknown."""
    text = reply.describe(what)
    if reply.status in (401, 403):
        return NotCreated(text)
    if reply.status in (400, 404, 422):
        return Rejected(text)
    if reply.status == 409:
        return ConnectionLocked(f"{text}; the platform lets nobody change this connection now")
    return OutcomeUnknown(text)
