"""A spec source that refuses, fails in a way of its own, or hangs: what was read last stays in force, and keeps its times."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from controller.errors import SpecSourceUnavailable
from controller.model.event import EventName
from controller.ports.clock import Clock
from controller.ports.spec_source import SpecSource, SpecTree
from controller.reconcile.fetch import FETCH_SECONDS_MAX
from tests.scenario.stage import Stage, play

EVERY_30 = "schedules:\n  - every: 30s\n"
TROUBLED = timedelta(minutes=10)


@dataclass
class Troubled:
    """A spec source in front of another one, with trouble that a test switches on and off; it notes how long each fetch took."""

    inner: SpecSource
    clock: Clock
    trouble: Exception | None = None
    hangs: bool = False
    under_way: int = 0
    took: list[float] = field(default_factory=list)

    async def fetch(self, applied: str = "") -> SpecTree:  # noqa: ARG002
        """Refuse, fail, hang or answer."""
        assert self.under_way == 0, "one fetch at a time"
        begun = self.clock.boottime()
        self.under_way += 1
        try:
            if self.hangs:
                await self.clock.sleep(TROUBLED.total_seconds())
            if self.trouble is not None:
                raise self.trouble
            return await self.inner.fetch()
        finally:
            self.under_way -= 1
            self.took.append(self.clock.boottime() - begun)


def refuse(source: Troubled) -> None:
    """As a remote that is down, or that does not accept the credentials any more."""
    source.trouble = SpecSourceUnavailable("the remote does not accept the credentials")


def fail(source: Troubled) -> None:
    """A defect of an adapter."""
    source.trouble = ZeroDivisionError("a slip")


def hang(source: Troubled) -> None:
    """As a connection that nobody answers on."""
    source.hangs = True


@pytest.mark.parametrize(
    ("begin", "words"),
    [(refuse, "credentials"), (fail, "ZeroDivisionError"), (hang, "no answer within 60 s")],
    ids=["refuses", "fails", "hangs"],
)
def test_the_last_good_revision_keeps_running(begin: Callable[[Troubled], None], words: str) -> None:
    """Ten minutes of trouble: every slot starts on time, it is told once, and no fetch takes over a minute; then an edit is taken in."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("shop", EVERY_30)
        source = Troubled(stage.specs, stage.clock)
        await stage.start(spec_source=source)
        await stage.run_for(31)
        begin(source)
        stage.edit("shop", "schedules:\n  - every: 60s\n")
        await stage.run_for(TROUBLED.total_seconds())
        assert await stage.words(ref) == ["Triggered"] * 21
        assert max(source.took) <= FETCH_SECONDS_MAX
        (told,) = stage.log.of(EventName.SPEC_SOURCE_FAILED)
        assert words in str(told.fields["message"])
        assert told.fields["revision"] == "memory@1"
        source.hangs, source.trouble = False, None
        await stage.run_for(FETCH_SECONDS_MAX + 4)
        assert stage.log.of(EventName.SCHEDULE_CHANGED, "shop") != []

    stage = play(scenario)
    late = [event.fields["trigger_delay_seconds"] for event in stage.log.of(EventName.SYNC_TRIGGERED)]
    assert max(float(str(seconds)) for seconds in late) <= 2


@pytest.mark.parametrize("begin", [refuse, fail, hang])
def test_a_controller_that_starts_in_the_trouble_concludes_nothing(begin: Callable[[Troubled], None]) -> None:
    """Before the first good read nothing is in force, and nothing that was is retired; a stop does not wait for a fetch that hangs."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("shop", EVERY_30)
        await stage.start()
        await stage.run_for(31)
        await stage.stop()
        source = Troubled(stage.specs, stage.clock)
        begin(source)
        await stage.start(spec_source=source)
        await stage.run_for(120)
        assert stage.log.of(EventName.SCHEDULE_REMOVED) == []
        assert await stage.words(ref) == ["Triggered"]
        stopping_at = stage.clock.boottime()
        await stage.stop()
        assert stage.clock.boottime() - stopping_at <= 2

    play(scenario)
