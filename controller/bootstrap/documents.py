"""Spec documents: read once, checked, read back from the store, and read from memory."""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from controller.adapters.clock import SystemClock
from controller.adapters.specs import json_schema
from controller.adapters.specs.directory import DirectorySpecSource, snapshot, validate_paths
from controller.adapters.specs.tree import TreeReader, parse_tree
from controller.model.policy import Policy
from controller.model.profile import PlatformProfile
from controller.model.schedule import ScheduleSpec
from controller.ports.spec_source import SpecTree
from controller.ports.store import StoredPolicy
from controller.reconcile.restored import Restorers
from controller.settings import Settings


async def read_specs(path: Path, profiles: Mapping[str, PlatformProfile]) -> SpecTree:
    """Read a spec tree once, without any platform.

    Raises:
        SpecSourceUnavailable: it could not be read whole.
    """
    return await DirectorySpecSource(path, profiles).fetch()


def check_specs(paths: Collection[Path], settings: Settings | None, at: datetime | None = None) -> SpecTree:
    """Validate files and directories; platform names are only checked where settings are given.

    What the next year's changes of the clock do to a schedule is told as seen from ``at``, else from now; whether it is valid never
    depends on the day.
    """
    profiles = settings.profiles if settings is not None else None
    return validate_paths(tuple(paths), profiles, warn_from=int((at or SystemClock().now()).timestamp()))


def _restore(content: str) -> ScheduleSpec | None:
    specs = parse_tree({"(from the store)": content.encode()}, platforms=None).specs
    return specs[0] if specs else None


def _restore_policy(stored: StoredPolicy) -> Policy | None:
    policies = parse_tree({f"{stored.path} (from the store)": stored.content.encode()}, platforms=None).policies
    return policies[0] if policies else None


RESTORERS = Restorers(_restore, _restore_policy)


def spec_reader(profiles: Mapping[str, PlatformProfile] | None) -> Callable[[Mapping[str, bytes], str], SpecTree]:
    """A reader of spec trees that are in memory, content by path, each with the name of its revision."""
    reader = TreeReader(profiles)
    return lambda files, revision: reader.read(files, revision=revision)


def spec_schema() -> dict[str, Any]:
    """The JSON Schema of the spec format."""
    return json_schema.spec_schema()


def read_spec_files(path: Path) -> dict[str, bytes]:
    """The spec files below a directory, content by path.

    Raises:
        SpecSourceUnavailable: it could not be read whole.
    """
    return snapshot(path)[1]
