"""An answer of a platform, and what may be said about it in a text: status, error code, request id; never address or body."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

import httpx

from controller.adapters.platforms.credentials import Secret
from controller.adapters.platforms.wire import read_error_code

# What 429 means when it does not say how long: Airbyte's load shedding leaves it out by design.
RETRY_AFTER_DEFAULT = timedelta(seconds=60)
# "Retry at once" after 429 would be a loop without a pause.
RETRY_AFTER_MIN = timedelta(seconds=1)
# The longest honest answer is "tomorrow", of a budget by the day.
RETRY_AFTER_MAX = timedelta(days=1)

_RETRY_AFTER_HEADERS: Final = ("retry-after", "x-ratelimit-retry-after")
_SECONDS: Final = re.compile(r"\d{1,9}(?:\.\d{1,6})?")
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._:-]{1,80}")


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, read to its end."""

    status: int
    headers: httpx.Headers = field(repr=False)
    body: bytes = field(repr=False)
    sent_secret: Secret

    @property
    def is_success(self) -> bool:
        """Whether the status is a 2xx."""
        return 200 <= self.status < 300

    @property
    def date(self) -> datetime | None:
        """The platform's own clock, aware UTC; None if it did not say."""
        return _http_date(self.headers.get("date", ""))

    def retry_after(self, now: datetime) -> timedelta | None:
        """How long the platform asks not to be asked, counted from now; None if it does not say.

        A date is compared with the platform's own clock, where it shows it: ours may differ from it.
        """
        for name in _RETRY_AFTER_HEADERS:
            text = self.headers.get(name, "").strip()
            if _SECONDS.fullmatch(text):
                return _bounded(timedelta(seconds=float(text)))
            until = _http_date(text)
            if until is not None:
                return _bounded(until - (self.date or now))
        return None

    def describe(self, what: str) -> str:
        """One line for an error: what was asked, and what of the answer helps to find it in the platform's own logs."""
        parts = [f"HTTP {self.status}"]
        code = read_error_code(self.body)
        if code is not None:
            parts.append(f"code {code}")
        request_id = self.headers.get("x-request-id", "")
        if _REQUEST_ID.fullmatch(request_id):
            parts.append(f"request {request_id}")
        # The platform chose these words, and may have put into them what it was sent.
        return self.sent_secret.blot(f"{what}: {', '.join(parts)}")


def _bounded(wait: timedelta) -> timedelta:
    return min(max(wait, RETRY_AFTER_MIN), RETRY_AFTER_MAX)


def _http_date(text: str) -> datetime | None:
    try:
        read = parsedate_to_datetime(text)
        return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
