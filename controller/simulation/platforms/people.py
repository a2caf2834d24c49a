"""What people do beside the files: on a platform by hand, and by commands that leave their requests in the store."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from controller.model.asked import Asked, Request, RequestStatus, Source
from controller.model.connection import ConnectionStatus, PlatformScheduleKind
from controller.model.identity import ConnectionRef
from controller.ports.clock import Clock
from controller.ports.store import Store
from controller.simulation.chronicle import Asking, Chronicle, Trouble
from controller.simulation.faults import AFTERMATH, Fault, FaultKind
from controller.simulation.platforms.platform import SimulatedPlatform
from controller.simulation.virtual_time import VirtualTimeLoop

WAITS = timedelta(minutes=30)
"""How long what somebody asks for by hand may wait."""

OWN_SCHEDULES = (
    (PlatformScheduleKind.CRON, "0 7/20 * * * ?"),
    (PlatformScheduleKind.BASIC, "Every 20 MINUTES"),
)
"""Schedules of the platform's own, as they are shown."""

OWN_EVERY, TICKS_AT = 1200.0, 419.37
"""Seconds from one job of theirs to the next, and when the first one of a simulation would be."""

ACTIONS: Mapping[FaultKind, Asked] = {
    FaultKind.ASKED_TRIGGER: Asked.TRIGGER,
    FaultKind.ASKED_CANCEL: Asked.CANCEL,
    FaultKind.ASKED_SUSPEND: Asked.SUSPEND,
}


class People:
    """Those who do it. ``names``: the schedules that there are, by connection."""

    def __init__(
        self,
        store: Store,
        platforms: Mapping[str, SimulatedPlatform],
        names: Mapping[ConnectionRef, str],
        clock: Clock,
        loop: VirtualTimeLoop,
        chronicle: Chronicle,
    ) -> None:
        self._store, self._platforms, self._names = store, platforms, dict(names)
        self._clock, self._loop, self._chronicle = clock, loop, chronicle
        self._under_way: asyncio.Task[None] | None = None

    async def strike(self, fault: Fault) -> None:
        """Do one thing; what lasts is undone after its time, or when all is calm."""
        refs = sorted(self._names)
        ref = refs[int(fault.choice * len(refs))]
        self._chronicle.hit(fault.kind)
        if fault.kind not in ACTIONS:
            self._edit(ref, fault)
            return
        await self._ask(ref, ACTIONS[fault.kind])
        if fault.kind is FaultKind.ASKED_SUSPEND:
            self._loop.call_later(fault.seconds, self._resume, ref)

    async def calm(self) -> None:
        """Undo everything."""
        for platform in self._platforms.values():
            for name in platform.connection_ids:
                platform.restore(name)
        for ref in sorted({each.ref for each in self._chronicle.asked if each.action is Asked.SUSPEND}):
            await self._ask(ref, Asked.RESUME)

    async def note_answers(self) -> None:
        """Take down what was carried out."""
        for each in self._chronicle.asked:
            request = await self._store.request(each.key)
            if request is not None and request.status in (RequestStatus.DONE, RequestStatus.ENDED):
                each.done_at = request.decided_at

    def _resume(self, ref: ConnectionRef) -> None:
        self._under_way = self._loop.create_task(self._ask(ref, Asked.RESUME))

    async def _ask(self, ref: ConnectionRef, action: Asked) -> None:
        now, key = self._clock.now(), f"{action} {len(self._chronicle.asked)}"
        stays = action in (Asked.SUSPEND, Asked.RESUME)
        expires_at = None if stays else now + WAITS
        request = Request(key, ref, self._names[ref], action, Source.BY_HAND, now, "ana", expires_at=expires_at)
        self._chronicle.asked.append(Asking(ref, action, key, now))
        await self._store.ask([request])

    def _edit(self, ref: ConnectionRef, fault: Fault) -> None:
        platform, name = self._platforms[ref.platform], ref.connection_id
        connection = platform.connection(name)
        if connection is None:
            return
        if fault.kind is FaultKind.STATUS_SET:
            platform.set_connection(replace(connection, status=ConnectionStatus.INACTIVE))
        else:
            kind, expression = OWN_SCHEDULES[int(fault.choice * 997 % len(OWN_SCHEDULES))]
            platform.set_connection(replace(connection, schedule_kind=kind, expression=expression))
            # At no instant at which a controller may do something: nobody could say what came first.
            platform.run_itself(name, (TICKS_AT - self._loop.time()) % OWN_EVERY, OWN_EVERY)
        now = self._clock.now()
        until = now + timedelta(seconds=fault.seconds) + AFTERMATH
        self._chronicle.troubles.append(Trouble(fault.kind, now, until, name))
        self._loop.call_later(fault.seconds, platform.restore, name)
