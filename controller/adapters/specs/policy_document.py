"""The body of a ``SyncPolicy``, and the policy that it makes."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from controller.adapters.specs import scalars
from controller.adapters.specs.behaviour import behaviour, items, suspension, windows
from controller.adapters.specs.context import Context, Metadata, canonical, read_platform
from controller.adapters.specs.fields import Field, Fields, Report
from controller.adapters.specs.yaml_tree import Node
from controller.model.policy import Policy, Setting
from controller.model.schedule import Origin, Suspension
from controller.model.window import Window

PRIORITY_MAX = 1_000_000


@dataclass(frozen=True, slots=True)
class PolicyBody:
    """What stands below ``spec`` of a policy."""

    labels: tuple[tuple[str, str], ...]
    platforms: tuple[str, ...]
    priority: int
    defaults: Mapping[str, Setting]
    windows: tuple[Window, ...]
    windows_origin: Origin | None
    freeze: Suspension | None
    freeze_origin: Origin | None


def make_policy(metadata: Metadata, body: PolicyBody, report: Report, root: Node) -> Policy:
    """Put a valid policy together."""
    return Policy(
        name=metadata.name,
        origin=report.origin(root.mark),
        content=canonical(root),
        labels=body.labels,
        platforms=body.platforms,
        priority=body.priority,
        defaults=body.defaults,
        windows=body.windows,
        windows_origin=body.windows_origin,
        freeze=body.freeze,
        freeze_origin=body.freeze_origin,
    )


def read_policy(field: Field, context: Context) -> PolicyBody:
    """The body of a ``SyncPolicy``."""
    with Fields(field, prefix="") as keys:
        labels, platforms = keys.require("selector", partial(selector, context=context)) or ((), ())
        return PolicyBody(
            labels=labels,
            platforms=platforms,
            priority=keys.take("priority", scalars.whole_number(-PRIORITY_MAX, PRIORITY_MAX), 0),
            defaults=keys.take("defaults", defaults, {}),
            windows=keys.take("windows", windows, ()),
            windows_origin=keys.origin("windows") if keys.has("windows") else None,
            freeze=keys.take("freeze", suspension, None),
            freeze_origin=keys.origin("freeze") if keys.has("freeze") else None,
        )


def selector(field: Field, context: Context) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
    """Which schedules a policy is for, by labels and platforms; ``{}`` is all of them."""
    with Fields(field) as keys:
        labels = keys.take("labels", scalars.labels, ())
        platforms = keys.take("platforms", items(partial(read_platform, context=context)), ())
        return labels, platforms


def defaults(field: Field) -> Mapping[str, Setting]:
    """What a policy says for many schedules."""
    with Fields(field, prefix="") as keys:
        return behaviour(keys)
