"""The stage of a simulation: lives of a controller on one store, the platforms, the files, and the plan of what goes wrong."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from hashlib import blake2b

from controller.bootstrap import (
    ASKED_WITHIN_SECONDS,
    SimulatedPorts,
    simulated_controller,
    simulated_leases,
    simulated_store,
    spec_reader,
)
from controller.model.event import Event, EventName
from controller.model.identity import ConnectionRef
from controller.model.record import SlotRecord
from controller.ports.platform import Platform
from controller.ports.spec_source import SpecTree
from controller.reconcile.loop import Loop
from controller.simulation.chronicle import Chronicle, Trouble
from controller.simulation.controllers.life import Life
from controller.simulation.controllers.lives import Lives
from controller.simulation.controllers.reach import LifeClock, reached
from controller.simulation.controllers.specs import BROKEN, SimulatedSpecSource, SpecFiles
from controller.simulation.controllers.witness import Witness
from controller.simulation.faults import AFTERMATH, BY_HAND, ON_MACHINES, ON_SPECS, Fault, FaultKind
from controller.simulation.judge.evidence import Evidence, Fetched
from controller.simulation.nemesis import Nemesis
from controller.simulation.platforms.people import People
from controller.simulation.platforms.platform import SimulatedPlatform
from controller.simulation.platforms.view import PlatformView
from controller.simulation.scene import Scene
from controller.simulation.virtual_time import VirtualCadence, VirtualClock, VirtualTimeLoop

AFTER_CALM = timedelta(seconds=25)
"""What is still open this long after T_resolve, counted from the last fault, would stay open."""

ALL_RECORDS = 10_000_000

REQUEST = (
    "apiVersion: mainspring.dev/v1\nkind: SyncRequest\nmetadata: {{name: request-{number}}}\n"
    "spec: {{schedule: {schedule}, action: {action}}}\n"
)
RESETS = 0.25
"""How many of the documents ask for a reset."""

SOMEBODY_ELSE = "somebody else"
"""Who holds a platform that is given away."""

Seen = Callable[[SimulatedPlatform, Life], Platform]
"""What a life of a controller has of a platform: its port."""


class Stage:
    """One scene while it is lived through."""

    def __init__(
        self, scene: Scene, loop: VirtualTimeLoop, watch: Callable[[Event], None] | None, seen: Seen = PlatformView
    ) -> None:
        self.scene, self.loop, self._watch, self._seen = scene, loop, watch, seen
        self.clock, self.chronicle = VirtualClock(loop), Chronicle()
        self.digest = blake2b(digest_size=16)
        self.nemesis = Nemesis(self.chronicle, self.clock, scene.longest_nap)
        self.fetched: list[Fetched] = []
        self.restored: list[tuple[datetime, int]] = []
        self._last_fetched: dict[int, str] = {}
        self.evidence: Evidence
        self._store = simulated_store()
        self._files = SpecFiles(dict(scene.files), spec_reader(scene.profiles), forward_only=scene.forward_only)
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
        self._filed = 0
        names = {spec.ref: spec.name for spec in self._files.tree().specs}
        beside = self._store.beside()
        self._people = People(beside, self._platforms, names, self.clock, loop, self.chronicle)
        self._leases = simulated_leases(scene.lease) if scene.controllers > 1 else None
        self._lives = Lives(loop, self.chronicle, scene.controllers, scene.takeover, self._controller)

    async def through(self, plan: Sequence[Fault]) -> None:
        """Live through the faults, then through the calm after them, and take down what is found."""
        self._lives.begin()
        for fault in plan:
            await self._until(fault.at)
            await self._strike(fault)
        await self._until(self.scene.seconds)
        calm_at = self.clock.now()
        self._calm()
        await self._people.calm()
        longest = max(profile.resolve_after for profile in self.scene.profiles.values())
        await self._until(self.scene.seconds + self.scene.takeover + (longest + AFTER_CALM).total_seconds())
        self.evidence = await self._evidence(calm_at)
        await self._lives.end()

    @property
    def lives(self) -> int:
        """How many times a controller was started."""
        return self._lives.number

    async def _until(self, seconds: float) -> None:
        await self.clock.sleep(seconds - self.loop.time())
        await self._lives.bury()

    def _controller(self, life: Life) -> Loop:
        # The handle of a new process: it holds no platform yet, and those of dead lives are fenced off.
        store = Witness.of(self._store.beside(), life, self.chronicle, self.nemesis, self.clock)
        source = SimulatedSpecSource(self._files, life, self.nemesis, lambda tree: self._note_fetch(life, tree))
        ports = SimulatedPorts(
            clock=LifeClock(life),
            cadence=VirtualCadence(self.loop),
            store=store,
            spec_source=source,
            telemetry=_Digest(life, self),
            platforms={
                name: (reached(self._seen(each, life), life), each.profile) for name, each in self._platforms.items()
            },
            holder=f"life {life.number}",
            longest_nap=timedelta(seconds=self.scene.longest_nap),
            leases=self._leases,
        )
        return simulated_controller(ports)

    def _note_fetch(self, life: Life, tree: SpecTree) -> None:
        if self._last_fetched.get(life.number) != tree.revision:
            self._last_fetched[life.number] = tree.revision
            self.fetched.append(Fetched(self.clock.now(), life.number, tree))

    def note(self, life: Life, event: Event) -> None:
        """What a controller says about the specs that it acts by: what it read last may not be among them."""
        if event.name is EventName.REVISION_HELD:
            last = next((i for i, each in reversed([*enumerate(self.fetched)]) if each.life == life.number), None)
            if last is not None:
                del self.fetched[last]
        elif event.name is EventName.SPECS_RESTORED:
            self.restored.append((self.clock.now(), life.number))

    # Faults

    async def _strike(self, fault: Fault) -> None:
        match fault.kind:
            case FaultKind.FOREIGN_RUN:
                if self._place(fault).start_foreign(fault.choice):
                    self.chronicle.hit(fault.kind)
            case FaultKind.HISTORY_DELETED:
                if self._place(fault).delete_history():
                    self.chronicle.hit(fault.kind)
            case FaultKind.ELECTION_LOST:
                await self._give_away(fault)
            case kind if kind in BY_HAND:
                await self._people.strike(fault)
            case FaultKind.REQUEST_FILED:
                self._file_request(fault)
            case kind if kind in ON_SPECS or kind is FaultKind.BAD_FILE:
                self._change(fault)
            case kind if kind in ON_MACHINES or kind is FaultKind.CRASH:
                self._lives.strike(fault)
            case _:
                self.nemesis.strike(fault)

    async def _give_away(self, fault: Fault) -> None:
        """Somebody else holds a platform for a while, and may even have said so in the store."""
        name = sorted(self.scene.profiles)[int(fault.choice * 997 % len(self.scene.profiles))]
        self.nemesis.happens(fault, lasts=fault.seconds + max(self.scene.takeover, ASKED_WITHIN_SECONDS))
        if self._leases is not None:
            self._leases.rows[name] = (SOMEBODY_ELSE, self.loop.time() + fault.seconds)
        if self._leases is None or fault.choice < 0.5:
            epoch = await self._store.beside().take(name, SOMEBODY_ELSE, self.clock.now())
            self.chronicle.note_epoch(name, epoch)

    def _place(self, fault: Fault) -> SimulatedPlatform:
        rows = [each for each in self._platforms.values() if each.connection_ids]
        return rows[int(fault.choice * 997 % len(rows))]

    def _change(self, fault: Fault) -> None:
        """Change what is in the specs for a while, where it is as the scene has it."""
        paths = sorted(self.scene.files)
        one = paths[int(fault.choice * len(paths))]
        match fault.kind:
            case FaultKind.BAD_FILE:
                changes: dict[str, bytes | None] = {one: BROKEN}
            case FaultKind.BIG_COMMIT:
                edits = [(path, self.scene.edits.get(path, {})) for path in paths]
                changes = {
                    path: found[FaultKind.SPEC_EDITED] for path, found in edits if FaultKind.SPEC_EDITED in found
                }
            case FaultKind.FORCE_PUSH:
                self._push_back(fault)
                return
            case kind:
                changes = {one: self.scene.edits[one][kind]} if kind in self.scene.edits.get(one, {}) else {}
        changes = {path: content for path, content in changes.items() if path not in self._changed}
        if changes:
            self._files.commit(changes)
            self._restore_later(fault, changes)

    def _file_request(self, fault: Fault) -> None:
        """Commit a document that asks for a sync, or for a reset; it goes after a while."""
        self._filed += 1
        names = sorted(spec.name for spec in self._files.read(self.scene.files, "").specs)
        is_reset = fault.choice * 997 % 1 < RESETS
        action = 'Reset, expiresAt: "2030-01-01T00:00:00Z"' if is_reset else "Sync"
        text = REQUEST.format(number=self._filed, schedule=names[int(fault.choice * len(names))], action=action)
        path = f"request-{self._filed}.yaml"
        self._files.put(path, text.encode())
        self.chronicle.hit(fault.kind)
        self.loop.call_later(fault.seconds, self._files.put, path, None)

    def _push_back(self, fault: Fault) -> None:
        """Put the branch back to what it was some revisions ago; where that is refused, somebody merges it after a while."""
        if self._files.rewind(fault.choice):
            if self._files.forward_only:
                now = self.clock.now()
                until = now + timedelta(seconds=fault.seconds) + AFTERMATH
                self.chronicle.troubles.append(Trouble(fault.kind, now, until))
                self.loop.call_later(fault.seconds, self._files.merge)
            there, meant = self._files.files, self.scene.files
            self._restore_later(fault, [path for path in sorted(meant) if there.get(path) != meant[path]])

    def _restore_later(self, fault: Fault, paths: Iterable[str]) -> None:
        self.chronicle.hit(fault.kind)
        for path in paths:
            self._changed.add(path)
            self.loop.call_later(fault.seconds, self._restore, path)

    def _restore(self, path: str) -> None:
        if path in self._changed:
            self._changed.discard(path)
            self._files.put(path, self.scene.files[path])

    def _calm(self) -> None:
        self.nemesis.calm()
        self._files.merge()
        for path in sorted(self._changed):
            self._restore(path)
        self._lives.calm()
        if self._leases is not None:
            for name, (holder, _) in tuple(self._leases.rows.items()):
                if holder == SOMEBODY_ELSE:
                    self._leases.free(name)

    # What is found

    async def _evidence(self, calm_at: datetime) -> Evidence:
        await self._people.note_answers()
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
            restored=tuple(self.restored),
            parents=self._files.parents if self._files.forward_only else None,
        )


class _Digest:
    """Telemetry of which only a digest is kept."""

    def __init__(self, life: Life, stage: Stage) -> None:
        self._life, self._digest, self._watch, self._stage = life, stage.digest, stage._watch, stage  # noqa: SLF001

    def emit(self, event: Event) -> None:
        """Add an event."""
        if self._life.is_over:
            return
        self._stage.note(self._life, event)
        self._digest.update(f"{event.at} {event.name} {sorted(event.fields.items())}\n".encode())
        if self._watch is not None:
            self._watch(event)
