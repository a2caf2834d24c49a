"""What policies make of a schedule: each value from where it was written, or the reason why nobody can tell.

A value that the schedule wrote wins. Of the policies that select it and set the same field the one of the highest priority wins; where
such policies of equal priority disagree, what was last in force stays, and where there was nothing the field is in conflict. A built-in
default, which nobody wrote, never decides a quarrel.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from controller.model.policy import Policy, Setting
from controller.model.schedule import FreshnessAlert, Origin, Retry, ScheduleSpec

PLACES: Mapping[str, tuple[str, str]] = {
    "mode": ("mode", ""),
    "catchUp.policy": ("catch_up", "policy"),
    "catchUp.window": ("catch_up", "window"),
    "whenInDoubt": ("when_in_doubt", ""),
    "minGap": ("min_gap", ""),
    "overlap": ("overlap", ""),
    "maxDuration": ("max_duration", ""),
    "stalledAfter": ("stalled_after", ""),
    "retry.attempts": ("retry", "attempts"),
    "retry.backoff": ("retry", "backoff"),
    "retry.maxBackoff": ("retry", "max_backoff"),
    "failureBudget": ("failure_budget", ""),
    "windows": ("windows", ""),
    "exclude": ("exclude", ""),
    "jitter": ("jitter", ""),
    "startDate": ("start_date", ""),
    "endDate": ("end_date", ""),
    "suspend": ("suspend", ""),
    "drift.platformSchedule": ("drift_schedule", ""),
    "drift.connectionStatus": ("drift_status", ""),
    "drift.foreignJobs": ("foreign_jobs", ""),
    "onDelete": ("on_delete", ""),
    "freshnessAlert.warnAfter": ("freshness_alert", "warn_after"),
    "freshnessAlert.errorAfter": ("freshness_alert", "error_after"),
}
"""Where a schedule holds each value that a policy may set: the attribute, and the part of it. A suspension and a list are one value."""

SWITCHES: Mapping[str, str] = {"retry": "retry"}
"""Fields that may be written empty: the attribute, all of whose parts then have their defaults."""

UNSUPPORTED: frozenset[str] = frozenset()
"""Fields of the format that do nothing yet, at present none; a schedule for which one is written is held."""

GROUPS: Mapping[str, Callable[[], Retry | FreshnessAlert]] = {"retry": Retry, "freshness_alert": FreshnessAlert}
"""Attributes that are None until one of their parts is set; then the others have these defaults."""


def settled(written: ScheduleSpec, settings: Mapping[str, Setting]) -> ScheduleSpec:
    """A schedule with more of its values set, each with its origin; the same object where there are none."""
    if not settings:
        return written
    changes: dict[str, Any] = {}
    parts: dict[str, dict[str, Any]] = {}
    for name, setting in settings.items():
        if name in UNSUPPORTED:
            continue
        attribute, part = PLACES.get(name) or (SWITCHES[name], "")
        if part:
            parts.setdefault(attribute, {})[part] = setting.value
        elif name in SWITCHES:
            parts.setdefault(attribute, {})
        else:
            changes[attribute] = setting.value
    for attribute, values in parts.items():
        before = getattr(written, attribute)
        changes[attribute] = replace(GROUPS[attribute]() if before is None else before, **values)
    return replace(
        written,
        **changes,
        unsupported=(*written.unsupported, *sorted(UNSUPPORTED & settings.keys() - set(written.unsupported))),
        origins={**written.origins, **{name: setting.origin for name, setting in settings.items()}},
    )


def resolve(written: ScheduleSpec, policies: Sequence[Policy], previous: ScheduleSpec | None) -> ScheduleSpec:
    """What is in force for a schedule under all policies; ``previous``: what `settle` last gave."""
    return with_additions(settle(written, policies, previous), policies)


def settle(written: ScheduleSpec, policies: Sequence[Policy], previous: ScheduleSpec | None) -> ScheduleSpec:
    """Every value of a schedule as it and the policies set it; the same object where no policy sets any.

    Args:
        written: the schedule's own document.
        policies: all of them, in any order, no two of one name.
        previous: what this function last gave for the connection; values that are in conflict stay as they are there.
    """
    selecting = [policy for policy in policies if policy.defaults and policy.selects(written)]
    if not selecting:
        return written
    taken: dict[str, Setting] = {}
    conflicts: set[str] = set()
    for name in sorted({name for policy in selecting for name in policy.defaults} - written.origins.keys()):
        if (setting := _agreed(name, selecting) or _earlier(name, previous)) is not None:
            taken[name] = setting
        else:
            conflicts.add(name)
    for pair, fits in PAIRS:
        if not fits(settled(written, taken)) and (given := taken.keys() & pair):
            earlier = {name: setting for name in given if (setting := _earlier(name, previous)) is not None}
            others = {name: setting for name, setting in taken.items() if name not in given}
            if earlier.keys() == given and fits(settled(written, others | earlier)):
                taken = others | earlier
            else:
                taken = others
                conflicts.update(pair)
    found = settled(written, taken)
    if not conflicts:
        return found
    places = {
        f"{name}[{policy.name}]": policy.defaults[name].origin
        for policy in selecting
        for name in conflicts & policy.defaults.keys()
    }
    return replace(found, conflicts=tuple(sorted(conflicts)), origins={**found.origins, **places})


def _agreed(name: str, policies: Iterable[Policy]) -> Setting | None:
    """What the policies of the highest priority say, if they all say the same; the origin is that of the first by name."""
    rows = sorted(
        ((policy.priority, policy.name, policy.defaults[name]) for policy in policies if name in policy.defaults),
        key=lambda row: (-row[0], row[1], row[2].origin),
    )
    first = rows[0]
    same = name in UNSUPPORTED or all(row[2].value == first[2].value for row in rows if row[0] == first[0])
    return first[2] if same else None


def _earlier(name: str, previous: ScheduleSpec | None) -> Setting | None:
    """What was in force for a field because somebody had written it."""
    if previous is None or name not in previous.origins:
        return None
    attribute, part = PLACES[name]
    value = getattr(previous, attribute)
    return Setting(getattr(value, part) if part else value, previous.origins[name])


def _retry_fits(spec: ScheduleSpec) -> bool:
    return spec.retry is None or spec.retry.backoff <= spec.retry.max_backoff


def _alert_fits(spec: ScheduleSpec) -> bool:
    alert = spec.freshness_alert
    return (
        alert is None or alert.warn_after is None or alert.error_after is None or alert.warn_after <= alert.error_after
    )


def _dates_fit(spec: ScheduleSpec) -> bool:
    return spec.start_date is None or spec.end_date is None or spec.start_date < spec.end_date


PAIRS: Sequence[tuple[frozenset[str], Callable[[ScheduleSpec], bool]]] = (
    (frozenset({"retry.backoff", "retry.maxBackoff"}), _retry_fits),
    (frozenset({"freshnessAlert.warnAfter", "freshnessAlert.errorAfter"}), _alert_fits),
    (frozenset({"startDate", "endDate"}), _dates_fit),
)
"""Values that can make nonsense of each other when they come from different documents: that is a conflict of both."""


def with_additions(spec: ScheduleSpec, policies: Sequence[Policy]) -> ScheduleSpec:
    """A schedule with the windows and freezes that policies add to it; the same object where none does."""
    adding = sorted(
        (policy for policy in policies if (policy.windows or policy.freeze) and policy.selects(spec)),
        key=lambda policy: policy.name,
    )
    if not adding:
        return spec
    origins: dict[str, Origin] = {}
    for policy in adding:
        if policy.windows:
            origins[f"windows[{policy.name}]"] = policy.windows_origin or policy.origin
        if policy.freeze is not None:
            origins[f"freeze[{policy.name}]"] = policy.freeze_origin or policy.origin
    return replace(
        spec,
        windows=(*spec.windows, *(window for policy in adding for window in policy.windows)),
        freezes=(*spec.freezes, *(policy.freeze for policy in adding if policy.freeze is not None)),
        origins={**spec.origins, **origins},
    )
