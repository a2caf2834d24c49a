"""Faults on request: what a client must survive, for a share of the requests."""

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

SECONDS_MAX = 86_400.0  # longer is a typing error
RETRY_AFTER_SECONDS_DEFAULT = 60.0  # of http-429 without a value
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0}
_DURATION = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)(ms|s|m)\Z", re.ASCII)


class FaultKind(StrEnum):
    """What goes wrong."""

    LOST_REQUEST = "lost-request"  # the connection breaks before anything is done
    LOST_REPLY = "lost-reply"  # all is done, and then the connection breaks
    HTTP_500 = "http-500"  # an error, and nothing is done
    HTTP_429 = "http-429"  # the same, with Retry-After
    DELAY = "delay"  # it is done, but late
    LIST_LAG = "list-lag"  # the job list does not show the newest jobs


_NEEDS_SECONDS = frozenset({FaultKind.DELAY, FaultKind.LIST_LAG})


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault, and for which share of the requests, drawn for each anew."""

    kind: FaultKind
    seconds: float = 0.0
    share: float = 1.0


@dataclass(frozen=True, slots=True)
class Injection:
    """What to do to one request."""

    is_request_lost: bool = False
    is_reply_lost: bool = False
    is_refused_with_500: bool = False
    retry_after_seconds: float | None = None
    delay_seconds: float = 0.0
    list_lag_seconds: float | None = None


def parse_fault(text: str) -> Fault:
    """Read `KIND[=VALUE][@SHARE]`, for instance `delay=5s@0.25`; a value is a duration in ms, s or m.

    Raises:
        ValueError: with a sentence that names the text.
    """
    rest, _, share_text = text.partition("@")
    kind_text, has_value, value = rest.partition("=")
    try:
        kind = FaultKind(kind_text)
    except ValueError:
        raise ValueError(f"fault {text!r}: {kind_text!r} is none of {', '.join(FaultKind)}") from None
    seconds = RETRY_AFTER_SECONDS_DEFAULT if kind is FaultKind.HTTP_429 else 0.0
    if has_value:
        if kind not in _NEEDS_SECONDS and kind is not FaultKind.HTTP_429:
            raise ValueError(f"fault {text!r}: {kind} takes no value")
        seconds = _seconds(text, value)
    elif kind in _NEEDS_SECONDS:
        raise ValueError(f"fault {text!r}: {kind} needs a duration, as in {kind}=5s")
    return Fault(kind, seconds, _share(text, share_text) if "@" in text else 1.0)


def _seconds(text: str, value: str) -> float:
    match = _DURATION.match(value)
    seconds = float(match[1]) * _UNITS[match[2]] if match else SECONDS_MAX + 1
    if seconds > SECONDS_MAX:
        raise ValueError(f"fault {text!r}: {value!r} is not a duration of at most a day, as in 120s")
    return seconds


def _share(text: str, share_text: str) -> float:
    try:
        share = float(share_text)
    except ValueError:
        share = -1.0
    if not 0.0 <= share <= 1.0:
        raise ValueError(f"fault {text!r}: share {share_text!r} is not a number from 0 to 1")
    return share


def draw_injection(faults: Sequence[Fault], chance: random.Random) -> Injection:
    """Decide what happens to one request: each fault is drawn by itself, in order, so a seed tells all that will happen."""
    injection = Injection()
    for fault in faults:
        if chance.random() < fault.share:
            injection = _added(injection, fault)
    return injection


def _added(injection: Injection, fault: Fault) -> Injection:
    match fault.kind:
        case FaultKind.LOST_REQUEST:
            return replace(injection, is_request_lost=True)
        case FaultKind.LOST_REPLY:
            return replace(injection, is_reply_lost=True)
        case FaultKind.HTTP_500:
            return replace(injection, is_refused_with_500=True)
        case FaultKind.HTTP_429:
            return replace(injection, retry_after_seconds=fault.seconds)
        case FaultKind.DELAY:
            return replace(injection, delay_seconds=injection.delay_seconds + fault.seconds)
        case FaultKind.LIST_LAG:
            return replace(injection, list_lag_seconds=max(fault.seconds, injection.list_lag_seconds or 0.0))
