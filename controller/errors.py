"""Every failure, and what happens next.

::

    MainspringError
    ├── SettingsInvalid          the start is refused; mend the setting
    ├── SpecSourceUnavailable    keep the last good revision, try again at the next poll
    ├── StoreUnavailable         do nothing that needs a record; the cycle is tried again
    ├── StoreInUse               another controller has this store; the start is refused
    ├── SlotAlreadyClaimed       somebody claimed it before: not sent, look again
    ├── Fenced                   another controller took the platform: stop writing for it, ask for it again
    └── PlatformError
        ├── ConnectionLocked     the platform lets nobody change the connection: nothing was changed, ask again much later
        ├── PlatformUnavailable  a read failed: keep the last view, mark it stale, try again later
        │   └── PlatformBusyElsewhere  429 or our own budget: no request before ``retry_after``
        └── TriggerFailure
            ├── NotCreated       certainly no job: try again with back-off while the slot's window lasts
            ├── Rejected         certainly no job, and the same request will not do better
            ├── Busy             the platform says that something runs: list before anything else
            └── OutcomeUnknown   a job may exist: in doubt, settled by observing, never by trying again blindly
"""

from datetime import timedelta


class MainspringError(Exception):
    """The root of what Mainspring raises on purpose."""


class SettingsInvalid(MainspringError):
    """A setting cannot be used; the text names it and says what to write."""


class SpecSourceUnavailable(MainspringError):
    """The spec tree could not be read whole; nothing is known about what it holds now."""


class StoreUnavailable(MainspringError):
    """The store could not read or write."""


class NotJournaled(StoreUnavailable):
    """A write to a platform could not be journaled, so nothing of it was sent."""


class StoreInUse(MainspringError):
    """Another running controller has the store open for acting."""


class SlotAlreadyClaimed(MainspringError):
    """The claim's key, or the connection's one open claim, is taken."""


class Fenced(MainspringError):
    """A write for a ``platform`` that its writer does not hold, or does not hold any more; nothing of it was written."""

    def __init__(self, platform: str, message: str) -> None:
        super().__init__(message)
        self.platform = platform


class PlatformError(MainspringError):
    """Something about a platform's answer."""


class PlatformUnavailable(PlatformError):
    """A read failed or was not complete."""


class PlatformBusyElsewhere(PlatformUnavailable):
    """The platform asks for fewer requests, or our own budget for it is spent; ``retry_after`` counts from now."""

    def __init__(self, message: str, retry_after: timedelta) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ConnectionLocked(PlatformError):
    """The platform lets nobody change the connection now (409); certainly nothing was changed."""


class TriggerFailure(PlatformError):
    """A POST that did not answer with a new job."""


class NotCreated(TriggerFailure):
    """Certainly no job was made; ``retry_after`` is what the platform asked for, if it did."""

    def __init__(self, message: str, retry_after: timedelta | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Rejected(TriggerFailure):
    """Certainly no job was made, and the request as such is refused (400, 404, 422)."""


class Busy(TriggerFailure):
    """The platform says that the connection cannot start now (409)."""


class OutcomeUnknown(TriggerFailure):
    """Time-out, reset, 5xx or an unreadable answer after a POST: the job may exist."""
