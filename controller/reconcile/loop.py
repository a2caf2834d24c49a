"""When to run a cycle: one loop, woken by the agenda, by answers, and by its own recurring work. An activation carries no information."""

import asyncio
from collections.abc import Coroutine
from datetime import datetime, timedelta

from controller.decide.blast_radius import is_bound
from controller.errors import Fenced, NotJournaled, PlatformError, SlotAlreadyClaimed, StoreUnavailable
from controller.model.event import Event, EventName
from controller.model.identity import ConnectionRef
from controller.model.plan import AcceptSchedule, CancelJob, ConnectionPlan, TriggerSync, Write
from controller.model.record import Reason
from controller.model.revision import held_text
from controller.reconcile import act, say
from controller.reconcile.aftermath import take_in, whom_it_concerns
from controller.reconcile.agenda import Agenda
from controller.reconcile.allowance import Allowance
from controller.reconcile.correct import correct
from controller.reconcile.cycle import run_cycle
from controller.reconcile.foresight import Foresight
from controller.reconcile.gather import Mind, all_refs_on, look, refs_on
from controller.reconcile.holding import Holding
from controller.reconcile.nap import NO_TIME, Nap
from controller.reconcile.observed import ObservedPlatform
from controller.reconcile.requests import Asking
from controller.reconcile.spec_watch import SpecWatch
from controller.reconcile.timekeeping import Timekeeper, read_clocks
from controller.reconcile.world import World

WORKING_SET_MAX = 2000
"""Connections planned at once; more go into the next cycles, so that answers are taken in between."""

FETCHING = "fetch the specs"
"""The name of the one task that does."""

AFTER_START = timedelta(seconds=2)
"""When a connection is judged again of whose start more is to be judged: nothing is urgent, and those that start together go together."""

AFTER_FAILURE = timedelta(seconds=1)
"""Pause after a cycle that the store failed; a full disk is not helped by trying faster."""


class Loop:
    """One controller's loop over its working set. All state that matters is in the store; what is here can be built again."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._mind = Mind(allowance=Allowance(world.limits), allow_resets=world.allow_resets, observe=world.observe)
        self._holding = Holding(world, self._mind, self.wake)
        self._timekeeper = Timekeeper(world, self._mind)
        self._asking = Asking(world, self._mind, self.wake)
        self._stirred: set[str] = set()
        self._agenda = Agenda()
        self._foresight = Foresight(self._mind, self._agenda)
        self._ready: set[ConnectionRef] = set()
        self._unexpected: set[ConnectionRef] = set()
        self._judged_in_flight: set[ConnectionRef] = set()
        self._nap = Nap(world.clock)
        self._look_at: datetime | None = None
        self._must_look = True
        self._tasks: dict[asyncio.Task[None], str] = {}
        self._specs = SpecWatch(world, self._mind, self.wake)
        self._has_asked = False
        self._must_resync = False
        self._must_prune = False

    @property
    def mind(self) -> Mind:
        """What the loop knows now."""
        return self._mind

    def wake(self) -> None:
        """Look again now."""
        self._nap.end()

    def fetch_soon(self) -> None:
        """Read the specs again at once (``SIGHUP``, a poll, a webhook)."""
        self._specs.fetch_soon()

    async def run(self, stop: asyncio.Event) -> None:
        """Reconcile until ``stop`` is set, then wait a bounded time for what is under way; syncs are left running."""
        await self._start()
        watcher = asyncio.create_task(self._wake_on(stop))
        try:
            while not stop.is_set():
                await self._step()
                await self._nap.take(self._pause())
        finally:
            watcher.cancel()
            await self._finish()

    async def once(self) -> str:
        """Fetch, list every platform, and cycle until nothing more is to be done now; returns what could not be done, or nothing."""
        await self._start()
        await self._step()
        while self._tasks:
            await asyncio.wait(tuple(self._tasks))
            await self._step()
        # Without specs nothing was asked for, and the trouble with them says so.
        not_held = self._holding.not_held() if self._mind.loaded else []
        await self._finish()
        troubles = [
            self._mind.source_trouble,
            held_text(self._mind.held),
            *(f"{name}: {p.trouble}" for name, p in self._mind.platforms.items() if p.trouble),
            *(f"{name}: another controller acts on it" for name in not_held),
            *self._timekeeper.troubles(),
        ]
        return "; ".join(trouble for trouble in troubles if trouble)

    async def _start(self) -> None:
        world, now = self._world, self._world.clock.now()
        fields: dict[str, say.Field] = {
            "version": world.version,
            "specs": world.specs_label,
            "platforms": ", ".join(world.platforms),
        }
        events = [Event(EventName.CONTROLLER_STARTED, now, fields)]
        if not await world.store.known_refs():
            events.append(Event(EventName.ACCOUNTING_STARTED, now, {"since": say.instant(now)}))
        self._mind.began_at = now
        await say.tell(world, events)
        # Many controllers that were started together must not ask one server at the same moment for ever.
        world.cadence.every(world.spec_poll, "poll the spec source", self.fetch_soon, jitter=world.spec_poll / 10)
        world.cadence.every(world.resync, "full resync", self._resync_soon)
        world.cadence.every(timedelta(hours=1), "prune the history", self._prune_soon)
        self._asking.begin()
        world.cadence.start()

    async def _ask_for_platforms(self) -> None:
        """Ask the election when it is time to; of a platform that is held anew everything is judged anew.

        Not before the specs are known: who has none to act by must not keep away another who has.
        """
        if not self._mind.loaded:
            return
        await self._holding.ask()
        # Before the specs are known everything would look as if it were gone from them; the first read asks about all of it.
        if gained := self._holding.gained:
            self._ready |= await all_refs_on(self._world.store, self._mind, gained)
            if self._has_asked:
                await self._specs.outdate(gained)
            gained.clear()
        self._has_asked = True

    async def _judge_anew_where_stirred(self) -> None:
        """Where the time came into doubt, or is in doubt no more, everything is judged anew."""
        if self._timekeeper.has_news:
            self._stirred |= await self._timekeeper.notice()
        if self._stirred and self._mind.loaded:
            # A look that ends meanwhile may stir another one.
            stirred = set(self._stirred)
            self._ready |= await all_refs_on(self._world.store, self._mind, stirred)
            self._stirred -= stirred

    def _resync_soon(self) -> None:
        self._must_resync = True
        self._nap.end()

    def _prune_soon(self) -> None:
        self._must_prune = True
        self._nap.end()

    async def _wake_on(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._nap.end()

    def _pause(self) -> timedelta:
        """How long nothing is due; no time where something is."""
        if self._ready or self._must_look:
            return NO_TIME
        now, pause = self._world.clock.now(), self._world.longest_nap
        for at in (self._agenda.next_at(), self._look_at):
            if at is not None and at - now < pause:
                pause = at - now
        return pause

    async def _step(self) -> None:
        """Everything that is due now; a store that fails leaves it due."""
        # Until it is known when to look next, that is at once.
        self._must_look = True
        try:
            await self._work()
        except Fenced as error:
            await self._holding.lose(error)
        except StoreUnavailable as error:
            await self._after_failure(str(error))
        except Exception as error:  # noqa: BLE001  the top of the loop: a controller that ends helps nobody
            await self._after_failure(f"{type(error).__name__}: {error}")

    async def _after_failure(self, message: str) -> None:
        self._world.telemetry.emit(Event(EventName.CYCLE_FAILED, self._world.clock.now(), {"message": message}))
        await self._world.clock.sleep(AFTER_FAILURE.total_seconds())

    async def _work(self) -> None:
        world = self._world
        if self._specs.has_work:
            await self._look_at_specs()
        await self._ask_for_platforms()
        now = read_clocks(world.clock, self._mind).wall
        await self._judge_anew_where_stirred()
        # By a clock that was set wrong all history may be too old.
        if self._must_prune and not self._mind.watch.is_frozen:
            await world.store.prune(now - world.keep_history)
            self._must_prune = False
        self._ready |= self._foresight.take_due(now)
        if self._asking.is_due:
            self._ready |= await self._asking.look()
        # Before the specs are known everything would look as if it were gone from them.
        if self._must_resync and self._mind.loaded:
            everything = self._mind.desired.specs.keys() | set(await world.store.known_refs())
            self._ready |= self._mind.allowance.renew()
            self._unexpected = everything - self._ready
            self._ready |= everything
            self._must_resync = False
        while self._ready:
            batch = set(sorted(self._ready)[:WORKING_SET_MAX])
            await self._cycle(batch)
            await self._judge_anew_where_stirred()
        self._look_at = self._begin_looks(world.clock.now())
        self._must_look = False

    def _begin_looks(self, now: datetime) -> datetime | None:
        """Begin the listings that are due; returns when the next one is, None where all are under way.

        Before any specs are known nothing is listed: to wait for it would be to wait for nothing, at full speed.
        """
        soonest: datetime | None = None
        if not self._mind.loaded:
            return None
        for platform in self._mind.platforms.values():
            if platform.listing_under_way or not self._holding.acts_on(platform):
                continue
            at = platform.next_listing_at(now)
            if at <= now:
                platform.listing_under_way = True
                self._spawn(self._list(platform), f"list {platform.name}")
            elif soonest is None or at < soonest:
                soonest = at
        return soonest

    async def _look_at_specs(self) -> None:
        # First what is there: a fetch that begins now is for those who are outdated now, and must not be taken for an older one.
        self._ready |= await self._specs.take()
        if self._specs.must_fetch and FETCHING not in self._tasks.values():
            self._spawn(await self._specs.begin(), FETCHING)
            # One that has nothing to wait for is done after this.
            await self._world.clock.sleep(0)
            self._ready |= await self._specs.take()

    async def _cycle(self, batch: set[ConnectionRef]) -> None:
        self._ready -= batch
        names = {ref.platform for ref in batch}
        # What another controller acts on is left to it; it is asked about when its platform is held again.
        left = {name for name in names if not self._holding.drives(name) or self._is_too_early(name)}
        if left:
            others = {ref for ref in batch if ref.platform in left}
            self._unexpected -= others
            batch -= others
        if not batch:
            return
        for platform in (self._mind.platforms[name] for name in names & self._mind.platforms.keys()):
            if platform.in_flight:
                self._judged_in_flight |= batch & refs_on(platform.name, platform.in_flight)
        try:
            result = await run_cycle(self._world, self._mind, batch, self._unexpected & batch)
        except Exception:
            self._ready |= batch
            raise
        self._unexpected -= batch
        for decided in result.plan.connections:
            self._note(decided)
        # What is left as it is, because its spec cannot be read back, must not stay in line.
        for ref in batch - {decided.ref for decided in result.plan.connections}:
            self._note(ConnectionPlan(ref))
        for write in result.writes:
            ref = write.claim.ref if isinstance(write, TriggerSync) else write.ref
            platform = self._mind.platforms[ref.platform]
            platform.in_flight.add(ref.connection_id)
            self._spawn(self._write(platform, ref, write), f"write to {ref}")
        # A permit that was kept for one that has no use for it any more goes to the next.
        for name in (names - left) & self._mind.platforms.keys():
            self._ready.update(self._mind.platforms[name].next_in_turn())

    def _is_too_early(self, name: str) -> bool:
        """Whether a platform was never looked at, or the specs not read, since it is held: then everything is judged after that.

        The first look also tells the platform's time, and by a wrong clock slots would be decided that have not come.
        """
        platform = self._mind.platforms.get(name)
        return self._specs.awaits(name) or (platform is not None and platform.is_unseen)

    def _note(self, decided: ConnectionPlan) -> None:
        """Take note of when a connection wants to be asked again, what it waits to see, and whether it waits for its turn."""
        self._agenda.put(decided.ref, decided.wake_at)
        self._foresight.note(decided)
        platform = self._mind.platforms.get(decided.ref.platform)
        if platform is None:
            return
        if decided.needs:
            platform.needs[decided.ref] = decided.needs
        else:
            platform.needs.pop(decided.ref, None)
        if decided.actions and any(isinstance(action, AcceptSchedule) for action in decided.actions):
            platform.successes_read.discard(decided.ref.connection_id)
        if decided.holds and any(hold.reason is Reason.AWAITING_TURN for hold in decided.holds):
            platform.waiting_turn.setdefault(decided.ref)
        else:
            platform.waiting_turn.pop(decided.ref, None)

    def _spawn(self, work: Coroutine[None, None, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks[task] = name
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.pop(task, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            message = f"{task.get_name()}: {type(error).__name__}: {error}"
            self._world.telemetry.emit(Event(EventName.CYCLE_FAILED, self._world.clock.now(), {"message": message}))
            self._nap.end()
        # A fetch that had nothing to wait for was taken in by the step that began it; the others have woken the loop themselves.
        if task.get_name() == FETCHING and self._specs.has_work:
            self._nap.end()

    async def _list(self, platform: ObservedPlatform) -> None:
        unseen, concerned = platform.is_unseen, set[ConnectionRef]()
        try:
            result = await look(self._mind, platform, self._world.clock)
            if self._holding.acts_on(platform):
                concerned = whom_it_concerns(self._mind, platform, result)
                await take_in(self._world, self._mind, platform, result, concerned)
        except Fenced as error:
            await self._holding.lose(error)
        finally:
            # Also where what was seen could not be kept: whom it concerns, and who waited for it, is judged on what is in memory.
            self._ready |= concerned | self._foresight.looked(platform)
            if unseen:
                self._stirred.add(platform.name)
            platform.listing_under_way = False
            self._nap.end()

    async def _write(self, platform: ObservedPlatform, ref: ConnectionRef, write: Write) -> None:
        is_started, is_sent = False, True
        try:
            # What was decided by a clock that was set since is not carried out.
            if not self._holding.acts_on(platform) or self._timekeeper.doubts(platform.name):
                is_sent = False
                return
            if isinstance(write, TriggerSync):
                is_started = await act.trigger(self._world, platform, write.claim)
            elif isinstance(write, CancelJob):
                is_sent = await act.cancel(self._world, platform, write)
            else:
                await correct(self._world, platform, write)
        except Fenced as error:
            await self._holding.lose(error)
        except NotJournaled as error:
            is_sent = False
            await self._after_failure(f"write to {ref}: {error}")
        except (StoreUnavailable, SlotAlreadyClaimed, PlatformError) as error:
            await self._after_failure(f"write to {ref}: {error}")
        finally:
            if not is_sent and is_bound(write):
                self._mind.allowance.give_back(platform.name)
            platform.in_flight.discard(ref.connection_id)
            self._ready.update(platform.next_in_turn())
            if not is_started or ref in self._judged_in_flight:
                self._ready.add(ref)
            elif not (isinstance(write, TriggerSync) and write.is_alone and platform.has_active(ref.connection_id)):
                self._agenda.put_by(ref, self._world.clock.now().replace(microsecond=0) + AFTER_START)
            self._judged_in_flight.discard(ref)
            self._nap.end()

    async def _finish(self) -> None:
        """Wait a bounded time for writes under way; what is unanswered then was recorded as in doubt."""
        world = self._world
        world.cadence.stop()
        writes = [task for task, name in self._tasks.items() if name.startswith("write")]
        for task, name in tuple(self._tasks.items()):
            if not name.startswith("write"):
                task.cancel()
        pending: set[asyncio.Task[None]] = set()
        if writes:
            _, pending = await asyncio.wait(writes, timeout=world.stop_grace.total_seconds())
        for task in pending:
            task.cancel()
        rest = tuple(self._tasks)
        if rest:
            await asyncio.wait(rest, timeout=1)
        await self._holding.release()
        stopped: dict[str, say.Field] = {"reason": "asked to stop", "unanswered": len(pending)}
        await say.tell(world, [Event(EventName.CONTROLLER_STOPPED, world.clock.now(), stopped)])
