"""Readers for what a schedule does beside saying when: the fields that a policy may also set.

Each value that somebody wrote is read by itself and keeps its place, because a policy may give the others of the same group.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

from controller.adapters.specs import calendars, scalars
from controller.adapters.specs.fields import Field, Fields, Reader, read_items
from controller.adapters.specs.yaml_tree import Scalar
from controller.decide.policies import UNSUPPORTED
from controller.model.calendar import Exclusion
from controller.model.policy import Setting
from controller.model.schedule import (
    CatchUpPolicy,
    Drift,
    ForeignJobs,
    Mode,
    OnDelete,
    Overlap,
    Retry,
    Suspension,
    WhenInDoubt,
)
from controller.model.window import Window

ATTEMPTS_MAX = 100
FAILURES_MAX = 1_000_000
T = TypeVar("T")


def items(read: Reader[T]) -> Reader[tuple[T, ...]]:
    """A reader for a list, which is one value: whoever writes it writes all of it."""
    return partial(listed, read=read)


def listed(field: Field, read: Reader[T]) -> tuple[T, ...]:
    """Every item of a list."""
    return tuple(read_items(field, read))


def suspension(field: Field) -> Suspension | None:
    """``true``, ``false``, or why, by whom and until when."""
    if isinstance(field.node, Scalar):
        if not isinstance(field.node.value, bool):
            advice = f'write {field.key}: {{reason: "…", by: "…"}}'
            raise field.wrong_type("true, false or a mapping", advice)
        return Suspension() if field.node.value else None
    with Fields(field) as keys:
        return Suspension(
            reason=keys.take("reason", scalars.text, ""),
            by=keys.take("by", scalars.text, ""),
            until=keys.take("until", scalars.instant, None),
        )


exclusions: Reader[tuple[Exclusion, ...]] = items(calendars.exclusion)
windows: Reader[tuple[Window, ...]] = items(calendars.window)

LEAVES: Mapping[str, Reader[object]] = {
    "mode": scalars.one_of(Mode),
    "exclude": exclusions,
    "jitter": scalars.duration,
    "startDate": scalars.instant,
    "endDate": scalars.instant,
    "whenInDoubt": scalars.one_of(WhenInDoubt),
    "minGap": scalars.duration,
    "overlap": scalars.one_of(Overlap),
    "maxDuration": scalars.duration,
    "stalledAfter": scalars.duration,
    "failureBudget": scalars.whole_number(1, FAILURES_MAX),
    "windows": windows,
    "suspend": suspension,
    "onDelete": scalars.one_of(OnDelete),
}
"""The fields that hold one value."""

CATCH_UP: Mapping[str, Reader[object]] = {"policy": scalars.one_of(CatchUpPolicy), "window": scalars.duration}

RETRY: Mapping[str, Reader[object]] = {
    "attempts": scalars.whole_number(1, ATTEMPTS_MAX),
    "backoff": scalars.duration,
    "maxBackoff": scalars.duration,
}

DRIFT: Mapping[str, Reader[object]] = {
    "platformSchedule": scalars.one_of(Drift),
    "connectionStatus": scalars.one_of(Drift),
    "foreignJobs": scalars.one_of(ForeignJobs),
}

FRESHNESS_ALERT: Mapping[str, Reader[object]] = {"warnAfter": scalars.duration, "errorAfter": scalars.duration}

Settings = dict[str, Setting]


def behaviour(keys: Fields) -> Settings:
    """Take every field of a schedule but ``platform``, ``connectionId`` and ``schedules``; values by their name below ``spec``."""
    said = leaves(keys, LEAVES)
    start, end = value_of(said, "startDate"), value_of(said, "endDate")
    if start is not None and end is not None and end <= start:
        keys.reject("endDate", "bad-range", "endDate is not after startDate; write a later endDate")
    for key, group_said in keys.written_of(GROUPS).items():
        said |= group_said
        if key in said:
            said[key] = replace(said[key], origin=keys.origin(key))
    return said


def leaves(keys: Fields, readers: Mapping[str, Reader[object]], prefix: str = "") -> Settings:
    """Take the values that somebody wrote, each with its place."""
    found = keys.written_of(readers)
    return {prefix + key: Setting(value, keys.origin(key)) for key, value in found.items()}


def value_of(said: Settings, name: str, default: timedelta | None = None) -> Any:
    """What was written, or the default."""
    return said[name].value if name in said else default


def group(field: Field, readers: Mapping[str, Reader[object]]) -> Settings:
    """A mapping whose values are set one by one."""
    with Fields(field) as keys:
        return leaves(keys, readers, f"{field.name}.")


def drift(field: Field) -> Settings:
    """What is done about what somebody else did."""
    with Fields(field) as keys:
        said = leaves(keys, DRIFT, "drift.")
        for key in DRIFT:
            if (name := f"drift.{key}") in UNSUPPORTED and keys.has(key):
                field.report.not_yet(keys.mark(key), name)
    return said


def retry(field: Field) -> Settings:
    """How often and how fast a failed job is tried again; ``{}`` takes every default."""
    usual = Retry()
    with Fields(field) as keys:
        said = leaves(keys, RETRY, "retry.")
        shortest = value_of(said, "retry.backoff", usual.backoff)
        longest = value_of(said, "retry.maxBackoff", usual.max_backoff)
        if longest < shortest and not keys.has("maxBackoff"):
            message = "backoff is longer than maxBackoff, which is 30m unless written; write a longer maxBackoff too"
            keys.reject("backoff", "bad-range", message)
        elif longest < shortest:
            unless = "" if keys.has("backoff") else ", which is 1m unless written"
            message = f"maxBackoff is shorter than backoff{unless}; write a longer maxBackoff"
            keys.reject("maxBackoff", "bad-range", message)
        if not keys.written():
            said["retry"] = Setting("on", field.report.origin(field.node.mark))
    return said


def freshness_alert(field: Field) -> Settings:
    """From which age of the data on somebody is told."""
    with Fields(field) as keys:
        said = leaves(keys, FRESHNESS_ALERT, "freshnessAlert.")
        warn, error = value_of(said, "freshnessAlert.warnAfter"), value_of(said, "freshnessAlert.errorAfter")
        if warn is not None and error is not None and error < warn:
            keys.reject("errorAfter", "bad-range", "errorAfter is shorter than warnAfter; write a longer errorAfter")
        found = keys.has("warnAfter") or keys.has("errorAfter")
    if not found:
        raise field.rejected("not-exactly-one", "freshnessAlert says nothing; write warnAfter, errorAfter or both")
    return said


GROUPS: Mapping[str, Callable[[Field], Settings]] = {
    "catchUp": partial(group, readers=CATCH_UP),
    "retry": retry,
    "drift": drift,
    "freshnessAlert": freshness_alert,
}
"""The fields that hold several values, each of which may be set by itself."""
