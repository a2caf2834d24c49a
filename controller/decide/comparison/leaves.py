"""The values of a schedule and of a policy one by one, by their documented names, and which of them differ."""

from collections.abc import Iterable, Mapping

from controller.decide.comparison.difference import FieldChange, Source
from controller.decide.policies import PLACES, UNSUPPORTED
from controller.model.policy import Policy
from controller.model.schedule import Origin, ScheduleSpec

WRITTEN = "written"
"""Stands for the value of a field that is valid and does nothing yet: no schedule holds what was written."""

_LISTS = ("windows", "freeze")
"""Values to which policies add, each addition with an origin of its own."""


def leaves(spec: ScheduleSpec) -> dict[str, object]:
    """Every value of a resolved schedule; what is off is None."""
    values: dict[str, object] = {
        "metadata.name": spec.name,
        "metadata.labels": tuple(sorted(spec.labels)),
        "file": spec.origin.path,
        "platform": spec.platform,
        "connectionId": spec.connection_id,
        "schedules": tuple(sorted(spec.entries, key=lambda entry: (entry.kind, entry.text, entry.time_zone))),
    }
    for name, (attribute, part) in PLACES.items():
        value = getattr(spec, attribute)
        values[name] = getattr(value, part) if part and value is not None else value
    for name in UNSUPPORTED - PLACES.keys():
        values[name] = WRITTEN if name in spec.origins else None
    values["freeze"] = spec.freezes
    return values


def policy_leaves(policy: Policy) -> dict[str, object]:
    """Every value that a policy says."""
    return {
        "selector.labels": tuple(sorted(policy.labels)),
        "selector.platforms": tuple(sorted(policy.platforms)),
        "priority": policy.priority,
        **{f"defaults.{name}": setting.value for name, setting in policy.defaults.items()},
        "windows": policy.windows,
        "freeze": () if policy.freeze is None else (policy.freeze,),
        "file": policy.origin.path,
    }


def differing(before: Mapping[str, object], after: Mapping[str, object]) -> list[tuple[str, object, object]]:
    """The names of values that are not equal, with both values; what is only on one side is None on the other."""
    names = dict.fromkeys((*before, *after))
    rows = ((name, before.get(name), after.get(name)) for name in names)
    return [row for row in rows if row[1] != row[2]]


def written_leaves(spec: ScheduleSpec) -> list[FieldChange]:
    """What a new schedule says that is not a default, but for what every list of schedules shows anyway."""
    bare = leaves(ScheduleSpec(spec.name, spec.platform, spec.connection_id, (), spec.origin, "", labels=spec.labels))
    return [FieldChange(name, None, after) for name, _, after in differing(bare, leaves(spec))]


def source_of(name: str, spec: ScheduleSpec, policies: Iterable[Policy]) -> Source:
    """Where a value of a resolved schedule comes from; for a list the first place that adds to it."""
    if name in ("metadata.name", "metadata.labels", "file"):
        return Source(spec.origin)
    origins = spec.origins
    found = origins.get(name)
    added = name if name in _LISTS else ""
    for key in sorted(origins):
        if added and key.startswith(f"{added}["):
            policy = key.removeprefix(f"{added}[").removesuffix("]")
            return Source(origins[key], policy)
    if found is None:
        group = origins.get(name.partition(".")[0]) if "." in name else None
        return Source(group)
    return Source(found, _policy_at(name, found, policies))


def _policy_at(name: str, origin: Origin, policies: Iterable[Policy]) -> str:
    for policy in policies:
        setting = policy.defaults.get(name)
        if setting is not None and setting.origin == origin:
            return policy.name
    return ""
