"""The stage of a simulation: lives of a controller on one store, the platforms, the files, and the plan of what goes wrong."""

import asyncio
from collections.abc import Callable, Sequence
from contextvars import copy_context
from datetime import datetime, timedelta
from hashlib import blake2b

from controller.bootstrap import SimulatedPorts, simulated_controller, simulated_store, spec_reader
from controller.errors import StoreUnavailable
from controller.model.event import Event
from controller.model.identity import ConnectionRef
from controller.model.record import SlotRecord
from controller.ports.spec_source import SpecTree
from controller.simulation.chronicle import Chronicle
from controller.simulation.evidence import Evidence, Fetched
from controller.simulation.faults import Fault, FaultKind
from controller.simulation.life import Life
from controller.simulation.nemesis import Nemesis
from controller.simulation.platform import SimulatedPlatform
from controller.simulation.scene import Scene
from controller.simulation.specs import BROKEN, SimulatedSpecSource, SpecFiles
from controller.simulation.virtual_time import OWNER, VirtualCadence, VirtualClock, VirtualTimeLoop
from controller.simulation.witness import Witness

AFTER_CALM = timedelta(seconds=25)
"""What is still open this long after T_resolve, counted from the last fault, would stay open."""

SUPERVISED_SECONDS = 5.0
"""After how long a process that ended by itself is started again."""

ALL_RECORDS = 10_000_000


class Stage:
    """One scene while it is lived through."""

    def __init__(self, scene: Scene, loop: VirtualTimeLoop, watch: Callable[[Event], None] | None) -> None:
        self.scene, self.loop, self._watch = scene, loop, watch
        self.clock, self.chronicle = VirtualClock(loop), Chronicle()
        self.digest = blake2b(digest_size=16)
        self.nemesis = Nemesis(self.chronicle, self.clock)
        self.lives = 0
        self.fetched: list[Fetched] = []
        self.evidence: Evidence
        self._store = simulated_store()
        self._files = SpecFiles(dict(scene.files), spec_reader(scene.profiles))
        self._platforms = {
            name: SimulatedPlatform(
                name,
                profile,
                scene.tempers.get(name, {}),
                loop,
                self.clock,
                self.chronicle,
                self.nemesis,
                scene.seed,
            )
            for name, profile in scene.profiles.items()
        }
        self._changed: set[str] = set()
        self._stop = asyncio.Event()
        self._life: Life | None = None
        self._task: asyncio.Task[None] | None = None
        self._back: asyncio.TimerHandle | None = None
        self._dying: list[tuple[Life, asyncio.Task[None]]] = []

    async def through(self, plan: Sequence[Fault]) -> None:
        """Live through the faults, then through the calm after them, and take down what is found."""
        self._begin()
        for fault in plan:
            await self._until(fault.at)
            self._strike(fault)
        await self._until(self.scene.seconds)
        calm_at = self.clock.now()
        self._calm()
        longest = max(profile.resolve_after for profile in self.scene.profiles.values())
        await self._until(self.scene.seconds + (longest + AFTER_CALM).total_seconds())
        self.evidence = await self._evidence(calm_at)
        self._stop.set()
        if self._task is not None:
            await self._task

    async def _until(self, seconds: float) -> None:
        await self.clock.sleep(seconds - self.loop.time())
        await self._bury()
        if self._task is not None and self._task.done() and not self._task.cancelled():
            self._task.result()

    # Lives

    def _begin(self) -> None:
        self._back = None
        self.lives += 1
        life = Life(self.lives, self._ended)
        # The handle of a new process: it holds no platform yet, and those of dead lives are fenced off.
        store = Witness.of(self._store.beside(), life, self.chronicle, self.nemesis, self.clock)
        source = SimulatedSpecSource(self._files, life, self.nemesis, lambda tree: self._note_fetch(life, tree))
        ports = SimulatedPorts(
            clock=self.clock,
            cadence=VirtualCadence(self.loop),
            store=store,
            spec_source=source,
            telemetry=_Digest(life, self),
            platforms={name: (each.seen_by(life), each.profile) for name, each in self._platforms.items()},
            holder=f"life {life.number}",
            longest_nap=timedelta(seconds=self.scene.longest_nap),
        )
        context = copy_context()
        context.run(OWNER.set, life)
        controller = simulated_controller(ports)
        self._life = life
        self._task = context.run(asyncio.create_task, controller.run(self._stop))
        self._task.add_done_callback(lambda task: self._came_to_an_end(life, task))

    def _came_to_an_end(self, life: Life, task: asyncio.Task[None]) -> None:
        """A start that the store refuses ends the process; what supervises it starts it again."""
        if not task.cancelled() and isinstance(task.exception(), StoreUnavailable):
            life.kill(SUPERVISED_SECONDS)

    def _ended(self, dead: Life, back_after: float) -> None:
        """End every task of a life, and let the next one begin in time."""
        for task in self.loop.tasks_of(dead):
            task.cancel()
        assert self._task is not None  # noqa: S101 - a life has its task
        self._dying.append((dead, self._task))
        self._life, self._task = None, None
        self._back = self.loop.call_later(back_after, self._begin)

    async def _bury(self) -> None:
        """Wait until dead tasks have let go; some wait in their ``finally`` for others and are cancelled once more."""
        for dead, task in self._dying:
            while left := self.loop.tasks_of(dead):
                for each in left:
                    each.cancel()
                await self.clock.sleep(0)
            if task.done() and not task.cancelled():
                task.exception()
        self._dying.clear()

    def _note_fetch(self, life: Life, tree: SpecTree) -> None:
        last = self.fetched[-1] if self.fetched else None
        if last is None or last.life != life.number or last.tree.revision != tree.revision:
            self.fetched.append(Fetched(self.clock.now(), life.number, tree))

    # Faults

    def _strike(self, fault: Fault) -> None:
        match fault.kind:
            case FaultKind.CRASH:
                if self._life is not None:
                    self.nemesis.happens(fault)
                    self._life.kill(fault.seconds)
            case FaultKind.FOREIGN_RUN:
                if self._place(fault).start_foreign(fault.choice):
                    self.chronicle.hit(fault.kind)
            case FaultKind.HISTORY_DELETED:
                if self._place(fault).delete_history():
                    self.chronicle.hit(fault.kind)
            case FaultKind.SPEC_EDITED | FaultKind.SPEC_SUSPENDED | FaultKind.SPEC_DELETED | FaultKind.BAD_FILE:
                self._change(fault)
            case _:
                self.nemesis.strike(fault)

    def _place(self, fault: Fault) -> SimulatedPlatform:
        rows = [each for each in self._platforms.values() if each.connection_ids]
        return rows[int(fault.choice * 997 % len(rows))]

    def _change(self, fault: Fault) -> None:
        """Change one file for a while, unless it is changed already."""
        paths = sorted(self.scene.files)
        path = paths[int(fault.choice * len(paths))]
        edits = self.scene.edits.get(path, {})
        if path in self._changed or (fault.kind is not FaultKind.BAD_FILE and fault.kind not in edits):
            return
        self._changed.add(path)
        self.chronicle.hit(fault.kind)
        self._files.put(path, BROKEN if fault.kind is FaultKind.BAD_FILE else edits[fault.kind])
        self.loop.call_later(fault.seconds, self._restore, path)

    def _restore(self, path: str) -> None:
        if path in self._changed:
            self._changed.discard(path)
            self._files.put(path, self.scene.files[path])

    def _calm(self) -> None:
        self.nemesis.calm()
        for path in sorted(self._changed):
            self._restore(path)
        if self._back is not None:
            self._back.cancel()
            self._begin()

    # What is found

    async def _evidence(self, calm_at: datetime) -> Evidence:
        refs = {*self.chronicle.versions, *(claimed.claim.ref for claimed in self.chronicle.claims)}
        records: dict[ConnectionRef, tuple[SlotRecord, ...]] = {}
        for ref in sorted(refs):
            records[ref] = tuple(reversed(await self._store.slots(ref, ALL_RECORDS)))
        return Evidence(
            profiles=self.scene.profiles,
            chronicle=self.chronicle,
            records=records,
            fetched=tuple(self.fetched),
            calm_at=calm_at,
            read_at=self.clock.now(),
            connections={name: each.connection_ids for name, each in self._platforms.items()},
        )


class _Digest:
    """Telemetry of which only a digest is kept."""

    def __init__(self, life: Life, stage: Stage) -> None:
        self._life, self._digest, self._watch = life, stage.digest, stage._watch  # noqa: SLF001

    def emit(self, event: Event) -> None:
        """Add an event."""
        if self._life.is_over:
            return
        fields = sorted((name, str(value)) for name, value in event.fields.items())
        self._digest.update(f"{event.at.isoformat()} {event.name} {fields}\n".encode())
        if self._watch is not None:
            self._watch(event)
