"""The spec tree of a simulation: real files, really parsed, which people edit, break, suspend and delete."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from controller.errors import SpecSourceUnavailable
from controller.ports.spec_source import SpecTree
from controller.simulation.faults import FaultKind
from controller.simulation.life import Life
from controller.simulation.nemesis import Nemesis

ReadTree = Callable[[Mapping[str, bytes], str], SpecTree]

BROKEN = b"apiVersion: mainspring.dev/v1\nkind: SyncSchedule\nmetadata: {name: broken\n"


@dataclass(slots=True)
class SpecFiles:
    """The files as they are now; ``read`` parses them as the controller does."""

    files: dict[str, bytes]
    read: ReadTree
    revision: int = 1
    _tree: SpecTree | None = field(default=None, init=False)

    def put(self, path: str, content: bytes | None) -> None:
        """Write a file anew, or delete it."""
        if content is None:
            self.files.pop(path, None)
        else:
            self.files[path] = content
        self.revision += 1
        self._tree = None

    def tree(self) -> SpecTree:
        """The newest revision, parsed."""
        if self._tree is None:
            self._tree = self.read(self.files, f"sim@{self.revision}")
        return self._tree


class SimulatedSpecSource:
    """The spec source port for one life of a controller."""

    def __init__(self, files: SpecFiles, life: Life, nemesis: Nemesis, fetched: Callable[[SpecTree], None]) -> None:
        self._files, self._life, self._nemesis, self._fetched = files, life, nemesis, fetched

    async def fetch(self) -> SpecTree:
        """Read the newest revision."""
        self._life.breathe()
        if self._nemesis.standing(FaultKind.SOURCE_FAILS) is not None:
            raise SpecSourceUnavailable("the remote hung up")
        tree = self._files.tree()
        self._fetched(tree)
        return tree
