"""Warnings about policies of equal priority that give one field of a schedule different values: only the whole tree shows them."""

from collections import defaultdict
from dataclasses import replace

from controller.decide.policies import settle
from controller.model.schedule import Origin
from controller.ports.spec_source import SpecError, SpecTree


def with_quarrels(tree: SpecTree) -> SpecTree:
    """The tree with a warning at every place that takes part in a quarrel."""
    schedules: dict[tuple[str, tuple[Origin, ...]], list[str]] = defaultdict(list)
    for written in tree.specs:
        found = settle(written, tree.policies, None)
        for name in found.conflicts:
            places = {place for key, place in found.origins.items() if key.startswith(f"{name}[")}
            schedules[name, tuple(sorted(places))].append(written.name)
    warnings = [
        SpecError(place, "policy-conflict", _told(name, place, places, names))
        for (name, places), names in schedules.items()
        for place in places
    ]
    return replace(tree, warnings=tuple(sorted((*tree.warnings, *warnings)))) if warnings else tree


def _told(name: str, place: Origin, places: tuple[Origin, ...], schedules: list[str]) -> str:
    others = ", ".join(f"{other.path}:{other.line}" for other in places if other != place)
    against = f" against {others}" if others else ""
    more = f" and {len(schedules) - 1} more" if len(schedules) > 1 else ""
    return (
        f"{name}{against} is a quarrel of policies about {schedules[0]}{more}, which is held where no earlier value is in force; "
        "give one policy a higher priority, or write the value in the schedule"
    )
