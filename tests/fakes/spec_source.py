"""A spec source in memory: a real one, which parses what it is given, whose next answer a test can make fail."""

from collections.abc import Mapping

from controller.adapters.specs.tree import TreeReader
from controller.errors import SpecSourceUnavailable
from controller.model.profile import PlatformProfile
from controller.model.schedule import ScheduleSpec
from controller.ports.spec_source import SpecTree

SCHEDULE = """\
apiVersion: mainspring.dev/v1
kind: SyncSchedule
metadata: {{name: {name}}}
spec:
  connectionId: conn_{name}
  schedules:
    - every: {every}
"""


def schedule_text(name: str, every: str = "6h", more: str = "") -> str:
    """A valid schedule; ``more`` is further lines below ``spec``, indented by two."""
    return SCHEDULE.format(name=name, every=every) + more


POLICY = """\
apiVersion: mainspring.dev/v1
kind: SyncPolicy
metadata: {{name: {name}}}
spec:
  selector: {{}}
"""


def policy_text(name: str, more: str = "") -> str:
    """A valid policy for every schedule; ``more`` is further lines below ``spec``, indented by two."""
    return POLICY.format(name=name) + more


class MemorySpecSource:
    """Holds files as texts, or specs that no file was written for; a change of either is a new revision.

    What it gets wrong: specs that were set directly are never checked for duplicates, and a revision is a number.
    """

    def __init__(self, platforms: Mapping[str, PlatformProfile] | None = None) -> None:
        self._reader = TreeReader(platforms)
        self._files: dict[str, bytes] = {}
        self._specs: tuple[ScheduleSpec, ...] = ()
        self._revision = 0
        self._failures: list[str] = []

    def set_texts(self, texts: Mapping[str, str | bytes]) -> None:
        """Replace the whole tree, text by path."""
        self._files = {path: text if isinstance(text, bytes) else text.encode() for path, text in texts.items()}
        self._specs = ()
        self._revision += 1

    def set_specs(self, *specs: ScheduleSpec) -> None:
        """Replace the whole tree by values; it holds no policies then."""
        self._files = {}
        self._specs = specs
        self._revision += 1

    def fail_next(self, reason: str = "the spec source is down", times: int = 1) -> None:
        """Make the next fetches fail."""
        self._failures += [reason] * times

    async def fetch(self, applied: str = "") -> SpecTree:  # noqa: ARG002
        """Read the newest revision."""
        if self._failures:
            raise SpecSourceUnavailable(self._failures.pop(0))
        if not self._specs:
            return self._reader.read(self._files, revision=f"memory@{self._revision}")
        specs = tuple(sorted(self._specs, key=lambda spec: spec.origin))
        return SpecTree(f"memory@{self._revision}", specs, files=len({spec.origin.path for spec in specs}))
