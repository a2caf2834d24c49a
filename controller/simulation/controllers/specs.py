"""The spec tree of a simulation: real files, really parsed, which people edit, break, suspend and delete."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from controller.errors import SpecSourceUnavailable
from controller.ports.spec_source import SpecTree
from controller.simulation.controllers.life import Life
from controller.simulation.faults import FaultKind
from controller.simulation.lineage import descends
from controller.simulation.nemesis import Nemesis

ReadTree = Callable[[Mapping[str, bytes], str], SpecTree]

BROKEN = b"apiVersion: mainspring.dev/v1\nkind: SyncSchedule\nmetadata: {name: broken\n"

REMEMBERED = 20
"""Revisions that a force-push may go back to."""


@dataclass(slots=True)
class SpecFiles:
    """The files as they are now; ``read`` parses them as the controller does.

    ``forward_only``: a head that does not descend from the revision in force is refused, as by Git with ``fast_forward_only``.
    """

    files: dict[str, bytes]
    read: ReadTree
    revision: int = 1
    forward_only: bool = False
    parents: dict[str, tuple[str, ...]] = field(default_factory=dict, init=False)
    _pushed: int = field(default=1, init=False)
    _past: list[tuple[int, dict[str, bytes]]] = field(default_factory=list, init=False)
    _aside: list[str] = field(default_factory=list, init=False)
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
        before = self.name
        self._pushed += 1
        self.revision = self._pushed
        self.parents[self.name] = (before,)
        self._tree = None

    @property
    def name(self) -> str:
        """What the head is called."""
        return f"sim@{self.revision}"

    def merge(self) -> None:
        """Let a new head descend from all that force-pushes put aside, as a person does who is told that they are refused."""
        if self._aside:
            self.commit({})
            self.parents[self.name] += tuple(self._aside)
            self._aside.clear()

    def rewind(self, choice: float) -> bool:
        """Let the head be a revision that it was before, as after a force-push; False if there is none."""
        if not self._past:
            return False
        self._aside.append(self.name)
        place = int(choice * len(self._past))
        self.revision, files = self._past[place]
        self.files, self._past = dict(files), self._past[:place]
        self._tree = None
        return True

    def tree(self) -> SpecTree:
        """The newest revision, parsed."""
        if self._tree is None:
            self._tree = self.read(self.files, self.name)
        return self._tree


class SimulatedSpecSource:
    """The spec source port for one life of a controller."""

    def __init__(self, files: SpecFiles, life: Life, nemesis: Nemesis, fetched: Callable[[SpecTree], None]) -> None:
        self._files, self._life, self._nemesis, self._fetched = files, life, nemesis, fetched
        self._clock = life.machine.clock

    async def fetch(self, applied: str = "") -> SpecTree:
        """Read the newest revision."""
        self._life.breathe()
        if self._life.is_paused:
            await self._life.thaw()
        if (hanging := self._nemesis.standing(FaultKind.FETCH_HANGS)) is not None:
            await self._clock.sleep(hanging[1])
            self._life.breathe()
        if self._nemesis.standing(FaultKind.SOURCE_FAILS) is not None:
            raise SpecSourceUnavailable("the remote hung up")
        files = self._files
        if files.forward_only and applied and not descends(files.parents, files.name, applied):
            raise SpecSourceUnavailable(f"{files.name} does not descend from {applied}, which is in force")
        tree = files.tree()
        self._fetched(tree)
        return tree
