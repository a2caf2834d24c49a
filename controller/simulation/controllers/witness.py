"""A store that is watched: what is committed is noted, a dead life writes nothing, and faults happen before and after each write."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial
from typing import Any, cast

from controller.errors import StoreUnavailable
from controller.model.identity import ClaimKey, ConnectionRef
from controller.model.job import Job
from controller.model.record import Answer, Claim, SlotRecord
from controller.ports.clock import Clock
from controller.ports.store import Decisions, Store
from controller.simulation.chronicle import Chronicle, Claimed, Journal, Version
from controller.simulation.controllers.life import Life
from controller.simulation.faults import FaultKind
from controller.simulation.nemesis import Nemesis

JUDGED = ("claim", "confirm", "close_claim", "answered", "apply", "request_cancel", "save_jobs", "take")
"""The writes around which crashes and failures of the store happen."""


class Witness:
    """Stands between a life of the controller and its store; `of` makes one.

    It is dynamic, because it does the same about every method: a store port of its own would say nothing more.
    """

    def __init__(self, store: Store, life: Life, chronicle: Chronicle, nemesis: Nemesis, clock: Clock) -> None:
        self._store, self._life, self._chronicle, self._nemesis, self._clock = store, life, chronicle, nemesis, clock
        self._held: dict[str, int] = {}

    @classmethod
    def of(cls, store: Store, life: Life, chronicle: Chronicle, nemesis: Nemesis, clock: Clock) -> Store:
        """A store that is watched."""
        return cast("Store", cls(store, life, chronicle, nemesis, clock))

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        method = getattr(self._store, name)
        if name in JUDGED:

            def write(*given: Any, **more: Any) -> Awaitable[Any]:
                return self._write(name, partial(method, **more), given)

            self.__dict__[name] = write
            return write

        life = self._life

        async def pass_on(*given: Any, **more: Any) -> Any:
            life.breathe()
            if life.is_paused:
                await life.thaw()
            self._begin_call()
            result = await method(*given, **more)
            if life.is_paused:
                await life.thaw()
            return result

        self.__dict__[name] = pass_on
        return pass_on

    def _begin_call(self) -> None:
        if self._life.machine.is_cut(FaultKind.CUT_STORE):
            raise StoreUnavailable("no route to the store")
        if self._nemesis.standing(FaultKind.STORE_DOWN) is not None:
            raise StoreUnavailable("the store is not there")

    async def _write(self, name: str, method: Callable[..., Awaitable[Any]], given: tuple[Any, ...]) -> Any:
        self._life.breathe()
        if self._life.is_paused:
            await self._life.thaw()
        self._begin_call()
        ref = _ref_of(given)
        if (crash := self._nemesis.take((FaultKind.CRASH_BEFORE_WRITE,), ref)) is not None:
            self._life.die(crash.seconds)
        began_at = self._clock.now()
        if name == "claim" and (slow := self._nemesis.take((FaultKind.STORE_SLOW,), ref)) is not None:
            await self._clock.sleep(slow.seconds)
            self._life.breathe()
        # Who could not take a platform asks again when it looks around.
        lasts = self._nemesis.longest_nap if name == "take" else None
        if self._nemesis.take((FaultKind.STORE_FAILS,), ref, lasts) is not None:
            raise StoreUnavailable("the disk is full")
        result = await self._commit(name, method, given, began_at)
        self._committed(name, given, result)
        self._note(name, given, result, began_at)
        if (crash := self._nemesis.take((FaultKind.CRASH_AFTER_WRITE,), ref)) is not None:
            self._life.die(crash.seconds)
        if self._nemesis.take((FaultKind.STORE_ANSWER_LOST,), ref, lasts) is not None:
            raise StoreUnavailable("the disk did not answer")
        if self._life.is_paused:
            await self._life.thaw()
        return result

    async def _commit(
        self, name: str, method: Callable[..., Awaitable[Any]], given: tuple[Any, ...], began_at: datetime
    ) -> Any:
        try:
            return await method(*given)
        except asyncio.CancelledError:
            # A life that ends in the turn of its commit has written, and never hears of it.
            if (ref := _ref_of(given)) is not None:
                standing = (await self._store.standings({ref: ()}))[ref]
                is_open = standing.claim is not None and standing.claim.key == given[0].key
                is_written = is_open == (name == "claim") and name in ("claim", "confirm", "close_claim")
                if is_written:
                    self._committed(name, given, is_written)
                    self._note(name, given, is_written, began_at)
            raise

    def _note(self, name: str, given: tuple[Any, ...], result: Any, began_at: datetime) -> None:
        match name:
            case "take":
                self._held[given[0]] = result
                self._life.seen_active.get(given[0], {}).clear()
            case "claim":
                self._claimed(given[0], began_at)
            case "confirm":
                if result:
                    self._confirmed(*given)
            case "close_claim":
                self._closed(given[0])
            case "answered":
                self._answered(given[0], given[1])
            case "apply":
                self._applied(given[0])

    def _committed(self, name: str, given: tuple[Any, ...], result: Any) -> None:
        """Note under which epochs something was committed."""
        chronicle, now = self._chronicle, self._clock.boottime()
        if name == "take":
            chronicle.taken_at[given[0]] = now
            chronicle.note_epoch(given[0], result)
            return
        for platform in _platforms_of(name, given):
            # One that was committed just before somebody else took the platform is told of just after it.
            if chronicle.taken_at.get(platform) != now:
                chronicle.note_epoch(platform, self._held.get(platform, 0))

    def _claimed(self, claim: Claim, began_at: datetime) -> None:
        ref = claim.ref
        known = self._chronicle.open.get(ref)
        if known is not None:
            self._chronicle.broken.append(f"S9 {claim.key} was claimed while {known.claim.key} was open")
        claimed = Claimed(claim, self._life.number, began_at, self._clock.now())
        self._chronicle.claims.append(claimed)
        self._chronicle.open[ref], self._chronicle.states[ref] = claimed, Journal.CLAIMED

    def _confirmed(self, claim: Claim, job: Job, record: SlotRecord) -> None:
        del record
        self._chronicle.own(claim.ref.platform, job.job_id, claim.key)
        if job.job_id in claim.baseline:
            self._chronicle.broken.append(f"S6 {claim.key} was confirmed with {job.job_id}, which was known before")
        self._closed(claim)

    def _closed(self, claim: Claim) -> None:
        ref = claim.ref
        claimed = self._chronicle.open.pop(ref, None)
        if claimed is not None:
            claimed.closed_at = self._clock.now()
        self._chronicle.states.pop(ref, None)

    def _answered(self, claim: Claim, answer: Answer) -> None:
        if claim.ref in self._chronicle.open:
            self._chronicle.states[claim.ref] = Journal.BUSY if answer is Answer.BUSY else Journal.UNKNOWN

    def _applied(self, decisions: Decisions) -> None:
        now = self._clock.now()
        for accepted in decisions.accepted:
            self._chronicle.versions.setdefault(accepted.ref, []).append(Version(now, accepted.spec))
            if accepted.effective_since > now:
                self._chronicle.broken.append(
                    f"S8 {accepted.ref} is in force from {accepted.effective_since} on, at {now}"
                )
        for settled in decisions.settled:
            if settled.job is not None:
                self._chronicle.own(settled.claim.ref.platform, settled.job.job_id, settled.claim.key)
                if settled.job.job_id in settled.claim.baseline:
                    self._chronicle.broken.append(f"S6 {settled.claim.key} adopted {settled.job.job_id}, known before")
            self._closed(settled.claim)
        for record in decisions.records:
            if record.job_id is not None:
                self._chronicle.own(record.slot.ref.platform, record.job_id, ClaimKey(record.slot, 0))


def _ref_of(given: tuple[Any, ...]) -> ConnectionRef | None:
    first = given[0] if given else None
    return first.ref if isinstance(first, Claim) else None


def _platforms_of(name: str, given: tuple[Any, ...]) -> set[str]:
    """The platforms that a write is about."""
    if name == "save_jobs":
        return {given[0]}
    if name != "apply":
        return {given[0].ref.platform}
    written: Decisions = given[0]
    refs = [each.ref for each in written.accepted] + [each.ref for each in written.rearmed]
    refs += [answered.request.ref for answered in written.requests]
    refs += [record.slot.ref for record in written.records] + [settled.claim.ref for settled in written.settled]
    return {ref.platform for ref in refs}
