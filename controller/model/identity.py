"""Names of things: which connection, which slot, which claim.

A slot's key is (platform, connection, ``scheduled_at``), never a file name, so renaming or moving a file fires nothing again.
"""

from datetime import datetime
from typing import NamedTuple


class ConnectionRef(NamedTuple):
    """One connection on one platform, the unit that a schedule drives.

    A tuple, because nearly all that is known is looked up by it, and a tuple is hashed and compared without a call.
    """

    platform: str
    connection_id: str

    def __str__(self) -> str:
        return f"{self.platform}/{self.connection_id}"


class SlotKey(NamedTuple):
    """One connection at one ``scheduled_at`` (aware UTC, whole seconds): the idempotency key of a start."""

    ref: ConnectionRef
    scheduled_at: datetime

    @property
    def is_request(self) -> bool:
        """Whether it is no slot, but names the claim of a request: those never are whole seconds."""
        return self.scheduled_at.microsecond != 0

    def __str__(self) -> str:
        return f"{self.ref}@{self.scheduled_at:%Y-%m-%dT%H:%M:%SZ}"


class ClaimKey(NamedTuple):
    """A slot plus its run: 0 is its start, n its nth retry; never two jobs for one claim key."""

    slot: SlotKey
    run: int
