"""Events as structlog lines: one JSON object per line."""

import json
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import TextIO

import structlog

from controller.model.event import Event, EventName, Severity

REDACTED = "[redacted]"
"""What stands in place of a secret."""

SECRET_KEYS = ("token", "password", "secret", "authorization", "api_key", "apikey", "credential")
"""Field names whose value is never written."""

MESSAGE_MAX = 2000
"""Longest text of one field: a platform's answer may be a whole page, and a log line is not the place for it."""


def redactor(secrets: Callable[[], Collection[str]]) -> structlog.typing.Processor:
    """A structlog processor that takes secrets out of every field, by name and by value.

    ``secrets`` is asked at each event, because tokens are rotated while the process runs.
    """

    def clean(value: object) -> object:
        if not isinstance(value, str):
            return value
        for secret in secrets():
            if secret:
                value = value.replace(secret, REDACTED)
        return value if len(value) <= MESSAGE_MAX else value[:MESSAGE_MAX] + "…"

    def process(_logger: object, _method: str, fields: structlog.typing.EventDict) -> structlog.typing.EventDict:
        return {key: REDACTED if key.lower().endswith(SECRET_KEYS) else clean(value) for key, value in fields.items()}

    return process


class StructlogTelemetry:
    """Writes each event as one JSON line; events below ``lowest`` are left out, ``cycle_finished`` with counts of nothing too."""

    def __init__(self, stream: TextIO, secrets: Callable[[], Collection[str]]) -> None:
        self._logger = structlog.wrap_logger(
            structlog.WriteLogger(stream),
            processors=[redactor(secrets), structlog.processors.JSONRenderer(json.dumps, ensure_ascii=False)],
            wrapper_class=structlog.BoundLogger,
            cache_logger_on_first_use=True,
        )

    def emit(self, event: Event) -> None:
        """Publish one event; a full disk or a closed pipe is no reason to stop reconciling."""
        if event.name is EventName.CYCLE_FINISHED and not _did_something(event):
            return
        level = "info" if event.severity is Severity.DEBUG else str(event.severity)
        at = event.at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        with suppress(OSError, ValueError):
            self._logger.msg(str(event.name), at=at, level=level, **event.fields)


def _did_something(event: Event) -> bool:
    counts = ("triggers", "cancels", "records", "settled", "corrections")
    return any(event.fields.get(name) for name in counts)
