"""Two controllers of which one cannot read the specs: it neither undoes what the other put in force, nor keeps it away."""

import asyncio
from dataclasses import dataclass, replace

import pytest

from controller.adapters.election.memory import Leases
from controller.errors import SpecSourceUnavailable
from controller.model.event import EventName
from controller.ports.spec_source import SpecSource, SpecTree
from controller.reconcile.loop import Loop
from tests.scenario.stage import Stage, play
from tests.scenario.test_two_controllers import SHORT, TERM_SECONDS, Controller, begin, held, make, once_each

EVERY_60 = "schedules:\n  - every: 60s\n"


@dataclass
class Cut:
    """The way of one controller to a spec source that others reach."""

    inner: SpecSource
    is_cut: bool = False

    async def fetch(self, applied: str = "") -> SpecTree:
        """As the port says."""
        if self.is_cut:
            raise SpecSourceUnavailable("no route to the remote")
        return await self.inner.fetch(applied)


def begin_beside(stage: Stage, leases: Leases, source: Cut, confirmed_revision: str = "") -> Controller:
    """A second controller, with a way of its own to the specs."""
    loop, ice, log = make(stage, "second", leases, stage.store.beside())
    world = replace(loop._world, spec_source=source, confirmed_revision=confirmed_revision)
    loop, stop = Loop(world), asyncio.Event()
    return Controller(loop, ice, log, stop, asyncio.create_task(loop.run(stop)))


@pytest.mark.parametrize("cut_at_start", [True, False], ids=["from-its-start", "later"])
def test_one_that_cannot_read_goes_on_with_what_the_other_put_in_force(*, cut_at_start: bool) -> None:
    """What it knew before is older than what was acted by; an edit and a new schedule are not undone."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("shop", EVERY_60, SHORT)
        leases, source = Leases(TERM_SECONDS), Cut(stage.specs, cut_at_start)
        first = begin(stage, "first", leases, stage.store)
        await stage.run_for(5)
        second = begin_beside(stage, leases, source)
        await stage.run_for(10)
        source.is_cut = True
        stage.edit("shop", EVERY_60 + "maxDuration: 1h\n")
        await stage.run_for(50)
        assert len(first.log.of(EventName.SCHEDULE_CHANGED)) == 1
        await first.end()
        await stage.run_for(240)
        assert held(second) == [2]
        assert second.log.of(EventName.SCHEDULE_CHANGED) == []
        assert second.log.of(EventName.SPECS_RESTORED)[-1].fields["revision"] == "memory@2"
        await once_each(stage, ref)
        source.is_cut = False
        stage.edit("shop", EVERY_60)
        await stage.run_for(8)
        assert len(second.log.of(EventName.SCHEDULE_CHANGED)) == 1
        await second.end()

    play(scenario)


def test_one_that_can_read_takes_over_from_one_that_cannot() -> None:
    """When that one ends: with the edit that came meanwhile."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("shop", EVERY_60, SHORT)
        leases = Leases(TERM_SECONDS)
        before = begin(stage, "before", leases, stage.store)
        await stage.run_for(5)
        await before.end()
        blind = begin_beside(stage, leases, Cut(stage.specs, is_cut=True))
        await stage.run_for(5)
        stage.edit("shop", EVERY_60 + "maxDuration: 1h\n")
        seeing = begin(stage, "seeing", leases, stage.store.beside())
        await stage.run_for(170)
        assert (held(blind), held(seeing)) == ([2], [])
        assert blind.log.of(EventName.SCHEDULE_CHANGED) == []
        await blind.end()
        await stage.run_for(120)
        assert held(seeing) == [3]
        assert len(seeing.log.of(EventName.SCHEDULE_CHANGED)) == 1
        await once_each(stage, ref)
        await seeing.end()

    play(scenario)


def test_what_was_confirmed_to_one_is_confirmed_to_the_other() -> None:
    """The one that acts held the revision; the operator confirms it to the one that stands by, and both put it in force."""

    async def scenario(stage: Stage) -> None:
        for number in range(4):
            stage.schedule(f"s{number}", EVERY_60, SHORT)
        leases = Leases(TERM_SECONDS)
        first = begin(stage, "first", leases, stage.store)
        await stage.run_for(5)
        for number in range(3):
            stage.edit(f"s{number}", None)
        await stage.run_for(5)
        assert len(first.log.of(EventName.REVISION_HELD)) == 1
        second = begin_beside(stage, leases, Cut(stage.specs), confirmed_revision=f"memory@{stage.specs._revision}")
        await stage.run_for(5)
        assert len(second.log.of(EventName.REMOVALS_CONFIRMED)) == 1
        assert len(first.log.of(EventName.SCHEDULE_REMOVED)) == 3
        await second.end()
        await first.end()

    play(scenario)
