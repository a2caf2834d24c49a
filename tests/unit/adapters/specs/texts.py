"""Short spec files, and what is read from them."""

from controller.adapters.specs.tree import parse_tree
from controller.model.schedule import ScheduleSpec
from controller.ports.spec_source import SpecTree

HEAD = "apiVersion: mainspring.dev/v1\nkind: SyncSchedule\nmetadata: {name: orders}\nspec:\n  connectionId: conn_1\n"
MINIMAL = HEAD + "  schedules: [{every: 6h}]\n"


def read(text: str) -> SpecTree:
    """Read one file without knowing any platform."""
    return parse_tree({"a.yaml": text.encode()}, platforms=None)


def spec_of(text: str) -> ScheduleSpec:
    """The one spec of a valid file."""
    tree = read(text)
    assert tree.errors == ()
    return tree.specs[0]


def other(kind: str, spec: str) -> str:
    """A document of another kind."""
    return f"apiVersion: mainspring.dev/v1\nkind: {kind}\nmetadata: {{name: finance}}\nspec: {spec}\n"
