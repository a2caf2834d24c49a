"""What somebody asks for once, in a reviewed file."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from controller.model.schedule import Origin


class RequestAction(StrEnum):
    """What a ``SyncRequest`` may ask for."""

    SYNC = "Sync"
    RESET = "Reset"
    CONFIRM_REMOVALS = "ConfirmRemovals"


@dataclass(frozen=True, slots=True)
class DeclaredRequest:
    """A ``SyncRequest`` document.

    Attributes:
        schedule: the name of the schedule that it is about; empty for ``ConfirmRemovals``.
        revision: the revision whose removals are confirmed; empty for all else.
        not_before: aware UTC; it is carried out at this instant or later.
        expires_at: aware UTC; from this instant on it is not carried out any more.
    """

    name: str
    action: RequestAction
    origin: Origin
    schedule: str = ""
    revision: str = ""
    reason: str = ""
    not_before: datetime | None = None
    expires_at: datetime | None = None

    @property
    def key(self) -> str:
        """What is done at most once, ever: mending a typo in a reason, or putting an expiry off, must not do it twice."""
        at = None if self.not_before is None else self.not_before.isoformat()
        parsed = json.dumps([self.schedule, str(self.action), at, self.revision])
        return f"{self.name}:{hashlib.sha256(parsed.encode()).hexdigest()[:32]}"
