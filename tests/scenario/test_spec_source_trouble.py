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
from controller.reconcile.preview import preview
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
    slow: float = 0.0
    under_way: int = 0
    took: list[float] = field(default_factory=list)

    async def fetch(self, applied: str = "") -> SpecTree:  # noqa: ARG002
        """Refuse, fail, hang or answer with what was there at the beginning."""
        assert self.under_way == 0, "one fetch at a time"
        begun = self.clock.boottime()
        self.under_way += 1
        try:
            if self.hangs:
                await self.clock.sleep(TROUBLED.total_seconds())
            if self.trouble is not None:
                raise self.trouble
            tree = await self.inner.fetch()
            await self.clock.sleep(self.slow)
            return tree
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
    """Nothing that was in force is retired, all of it is driven, and it is told once; a stop does not wait for a fetch that hangs."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("shop", EVERY_30)
        await stage.start()
        await stage.run_for(31)
        await stage.stop()
        source = Troubled(stage.specs, stage.clock)
        begin(source)
        await stage.start(spec_source=source)
        await stage.run_for(151)
        assert stage.log.of(EventName.SCHEDULE_REMOVED) == []
        assert stage.log.of(EventName.SCHEDULE_CHANGED) == []
        # Until a fetch that hangs is given up nobody knows that it failed.
        missed = 1 if source.hangs else 0
        assert await stage.words(ref) == ["Triggered", *["Missed(Superseded)"] * missed, *["Triggered"] * (5 - missed)]
        (told,) = stage.log.of(EventName.SPECS_RESTORED)
        assert (told.fields["revision"], told.fields["schedules"]) == ("memory@1", 1)
        stopping_at = stage.clock.boottime()
        await stage.stop()
        assert stage.clock.boottime() - stopping_at <= 2

    play(scenario)


def test_without_specs_and_without_a_store_nothing_is_done() -> None:
    """Nobody knows what was in force, so no platform is asked for; the first good read is a first start."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("shop", EVERY_30)
        source = Troubled(stage.specs, stage.clock)
        refuse(source)
        await stage.start(spec_source=source)
        await stage.run_for(60)
        assert (stage.log.of(EventName.SPECS_RESTORED), stage.log.of(EventName.PLATFORM_HELD)) == ([], [])
        source.trouble = None
        await stage.run_for(36)
        assert await stage.words(ref) == ["Triggered"]

    play(scenario)


def test_what_is_read_at_last_is_compared_with_what_was_in_force() -> None:
    """An edit and a removal are taken in; a tree that has lost nearly everything is held, as it would be in any other moment."""

    async def scenario(stage: Stage) -> None:
        refs = [stage.schedule(f"s{number}", EVERY_30) for number in range(4)]
        await stage.start()
        await stage.run_for(31)
        await stage.stop()
        source = Troubled(stage.specs, stage.clock)
        refuse(source)
        await stage.start(spec_source=source)
        for number in range(3):
            stage.edit(f"s{number}", None)
        await stage.run_for(31)
        source.trouble = None
        await stage.run_for(31)
        assert len(stage.log.of(EventName.REVISION_HELD)) == 1
        assert stage.log.of(EventName.SCHEDULE_REMOVED) == []
        assert [await stage.words(ref) for ref in refs] == [["Triggered"] * 3] * 4
        stage.edit("s0", EVERY_30)
        stage.edit("s1", "schedules:\n  - every: 60s\n")
        await stage.run_for(8)
        assert [event.schedule for event in stage.log.of(EventName.SCHEDULE_REMOVED)] == ["s2"]
        assert [event.schedule for event in stage.log.of(EventName.SCHEDULE_CHANGED)] == ["s1"]

    play(scenario)


def test_the_same_revision_is_read_again_after_a_start_without_it() -> None:
    """What was restored stands in no file; from then on it is what the files say."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("shop", EVERY_30)
        await stage.start()
        await stage.run_for(5)
        await stage.stop()
        stage.specs.fail_next()
        await stage.start(spec_poll=timedelta(hours=1))
        await stage.run_for(2)
        assert stage.controller is not None
        assert str(stage.controller.mind.desired.specs[ref].origin) == "(from the store):1"
        await stage.run_for(5)
        assert str(stage.controller.mind.desired.specs[ref].origin) == "shop.yaml:1"
        assert [event.fields["revision"] for event in stage.log.of(EventName.SPECS_LOADED)] == ["memory@1"] * 2

    play(scenario)


def test_a_fetch_for_a_newer_commit_follows_one_that_is_under_way() -> None:
    """Who asks while a fetch is under way asks about what came after it began."""

    async def scenario(stage: Stage) -> None:
        stage.schedule("shop", EVERY_30)
        source = Troubled(stage.specs, stage.clock)
        await stage.start(spec_source=source, spec_poll=timedelta(hours=1))
        await stage.run_for(5)
        assert stage.controller is not None
        source.slow = 20.0
        stage.controller.fetch_soon()
        await stage.run_for(5)
        stage.edit("shop", "schedules:\n  - every: 60s\n")
        stage.controller.fetch_soon()
        await stage.run_for(16)
        assert stage.log.of(EventName.SCHEDULE_CHANGED) == []
        await stage.run_for(20)
        assert len(stage.log.of(EventName.SCHEDULE_CHANGED)) == 1
        assert len(source.took) == 3

    play(scenario)


def test_a_plan_without_a_readable_source_is_one_for_what_is_in_force() -> None:
    """The controller itself goes on by it, so the plan shows that, and says why; before anything was in force there is no plan."""

    async def scenario(stage: Stage) -> None:
        stage.schedule("shop", EVERY_30)
        source = Troubled(stage.specs, stage.clock)
        refuse(source)
        with pytest.raises(SpecSourceUnavailable, match="credentials"):
            await preview(stage.world(spec_source=source))
        await stage.start()
        await stage.run_for(10)
        await stage.stop()
        shown = await preview(stage.world(spec_source=source))
        assert [facts.spec is not None for facts in shown.known.connections] == [True]
        assert shown.trouble == "the remote does not accept the credentials"
        assert shown.known.held.startswith(shown.trouble)

    play(scenario)


def test_a_plan_names_the_files_that_are_rejected() -> None:
    """Else it looks as if the newest commit had been planned."""

    async def scenario(stage: Stage) -> None:
        stage.schedule("shop", EVERY_30)
        stage.specs.set_texts(stage.texts | {"bad.yaml": "kind: {"})
        assert (await preview(stage.world())).rejected[0].startswith("bad.yaml:1:")

    play(scenario)
