"""What documents are judged by, and what all kinds of them have: a name, labels, platforms, a canonical text."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from controller.adapters.specs import scalars
from controller.adapters.specs.fields import Field
from controller.adapters.specs.yaml_tree import Node, plain, quoted
from controller.model.profile import PlatformProfile
from controller.model.schedule import Origin

CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Context:
    """What a document is judged by beside itself.

    Attributes:
        platforms: what the settings name; None = not known.
        year_start: the year that verdicts look at, so that what is valid today is valid tomorrow.
        warn_from: the instant from which on a warning looks a year ahead.
    """

    platforms: Mapping[str, PlatformProfile] | None
    year_start: int
    warn_from: int


@dataclass(frozen=True, slots=True)
class Metadata:
    """What names a document."""

    name: str
    labels: tuple[tuple[str, str], ...]
    name_origin: Origin


def canonical(root: Node) -> str:
    """The text of a parsed document, whatever its comments, order and style."""
    return CANONICAL.encode(plain(root))


def read_platform(field: Field, context: Context) -> str:
    """The name of a platform; where platforms are known, of one of them."""
    value = scalars.name(field)
    if context.platforms is not None and value not in context.platforms:
        advice = field.report.hints.instead_of(value, sorted(context.platforms))
        raise field.rejected("unknown-platform", f"the settings name no platform {quoted(value)}; {advice}")
    return value
