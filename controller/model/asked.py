"""What somebody asks for once: by hand, or in a reviewed file. Each request has a key, and is carried out at most once, ever."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from controller.model.identity import ConnectionRef, SlotKey
from controller.model.job import JobKind
from controller.model.schedule import Suspension

REASON_MAX = 500
"""Longest reason that is kept: a sentence, not a story."""

ASKED_BY_MAX = 200
"""Longest name of a person that is kept."""


class Asked(StrEnum):
    """What is asked for: the first four by hand, the last two in a ``SyncRequest``."""

    SUSPEND = "Suspend"
    RESUME = "Resume"
    TRIGGER = "Trigger"
    CANCEL = "Cancel"
    SYNC = "Sync"
    RESET = "Reset"

    @property
    def starts_a_job(self) -> bool:
        """Whether it is carried out by a POST, under a claim."""
        return self in (Asked.TRIGGER, Asked.SYNC, Asked.RESET)


class Source(StrEnum):
    """Who asks: a person's command, or a document in the spec tree."""

    BY_HAND = "ByHand"
    SPEC = "Spec"


class RequestStatus(StrEnum):
    """Where a request stands; only the first two are not final. ``ENDED``: a suspension that is over, because somebody resumed."""

    WAITING = "Waiting"
    CLAIMED = "Claimed"
    DONE = "Done"
    ENDED = "Ended"
    REFUSED = "Refused"
    FAILED = "Failed"
    EXPIRED = "Expired"
    WITHDRAWN = "Withdrawn"
    IN_DOUBT = "InDoubt"

    @property
    def is_final(self) -> bool:
        """Whether nothing more is done about it."""
        return self not in (RequestStatus.WAITING, RequestStatus.CLAIMED)


@dataclass(frozen=True, slots=True)
class Request:
    """Something that is asked for once, and what came of it.

    Attributes:
        key: its name for ever.
        schedule: the schedule's name, as it was asked for.
        made_at: when it was first seen; never a whole second, and no two of one connection have the same, so that it names a claim
            beside slots, which are whole seconds.
        asked_by: a person, as they call themselves; for a document its name and place.
        until: when a suspension ends by itself.
        not_before, expires_at: as in a ``SyncRequest``.
        is_withdrawn: its document is gone from the specs; the store does not know.
    """

    key: str
    ref: ConnectionRef
    schedule: str
    action: Asked
    source: Source
    made_at: datetime
    asked_by: str = ""
    reason: str = ""
    until: datetime | None = None
    not_before: datetime | None = None
    expires_at: datetime | None = None
    status: RequestStatus = RequestStatus.WAITING
    message: str = ""
    job_id: str | None = None
    decided_at: datetime | None = None
    is_withdrawn: bool = False

    @property
    def slot(self) -> SlotKey:
        """What its claim is named by: no slot of any calendar."""
        return SlotKey(self.ref, self.made_at)

    @property
    def job_kind(self) -> JobKind:
        """The job that it would start."""
        return JobKind.RESET if self.action is Asked.RESET else JobKind.SYNC

    @property
    def suspension(self) -> Suspension:
        """A ``Suspend`` as what stands against the schedule."""
        return Suspension(self.reason, self.asked_by, self.until)
