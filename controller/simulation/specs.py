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

REMEMBERED = 20
"""Revisions that a force-push may go back to."""


@dataclass(slots=True)
class SpecFiles:
    """The files as they are now; ``read`` parses them as the controller does."""

    files: dict[str, bytes]
    read: ReadTree
    revision: int = 1
    _pushed: int = field(default=1, init=False)
    _past: list[tuple[int, dict[str, bytes]]] = field(default_factory=list, init=False)
    _tree: SpecTree | None = field(default=None, init=False)

    def put(self, path: str, content: bytes | None) -> None:
        """Write a file anew, or delete it."""
        self.commit({path: content})

    def commit(self, changes: Mapping[str, bytes | None]) -> None:
        """Change several files in one revision; None deletes one."""
        self._past = [*self._past, (self.revision, dict(self.files))][-REMEMBERED:]
        for path, content in changes.items():
            if content is None:
                self.files.pop(path, None)
            else:
                self.files[path] = content
        self._pushed += 1
        self.revision = self._pushed
        self._tree = None

    def rewind(self, choice: float) -> bool:
        """Let the head be a revision that it was before, as after a force-push; False if there is none."""
        if not self._past:
            return False
        place = int(choice * len(self._past))
        self.revision, files = self._past[place]
        self.files, self._past = dict(files), self._past[:place]
        self._tree = None
        return True

    def tree(self) -> SpecTree:
        """The newest revision, parsed."""
        if self._tree is None:
            self._tree = self.read(self.files, f"sim@{self.revision}")
        return self._tree


class SimulatedSpecSource:
    """The spec source port for one life of a controller."""

    def __init__(self, files: SpecFiles, life: Life, nemesis: Nemesis, fetched: Callable[[SpecTree], None]) -> None:
        self._files, self._life, self._nemesis, self._fetched = files, life, nemesis, fetched
        self._clock = life.machine.clock

    async def fetch(self, applied: str = "") -> SpecTree:  # noqa: ARG002 - only a source with a history asks what came before
        """Read the newest revision."""
        self._life.breathe()
        if self._life.is_paused:
            await self._life.thaw()
        if (hanging := self._nemesis.standing(FaultKind.FETCH_HANGS)) is not None:
            await self._clock.sleep(hanging[1])
            self._life.breathe()
        if self._nemesis.standing(FaultKind.SOURCE_FAILS) is not None:
            raise SpecSourceUnavailable("the remote hung up")
        tree = self._files.tree()
        self._fetched(tree)
        return tree
