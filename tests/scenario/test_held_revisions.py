"""A revision that removes too much: it is held as a whole, people see it, and they confirm it or push another one."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import timedelta

from controller.model.event import EventName
from controller.model.identity import ConnectionRef
from controller.model.profile import EMBEDDED
from controller.model.revision import AppliedRevision, Revisions
from controller.model.status import State
from controller.ports.spec_source import SpecTree
from controller.reconcile.loop import Loop
from controller.reconcile.preview import preview
from controller.reconcile.status import Reading, read_report
from tests.fakes.platform import Behaviour
from tests.fakes.spec_source import MemorySpecSource, schedule_text
from tests.scenario.stage import START, Stage, play

NUMBERS = range(8)
POLL = 3


def push(stage: Stage, numbers: Iterable[int], **more: str) -> str:
    """Publish a tree with these schedules and other files; returns its revision."""
    stage.texts = {f"s{number}.yaml": schedule_text(f"s{number}", "30s") for number in numbers}
    stage.texts |= {f"{name}.yaml": text for name, text in more.items()}
    stage.specs.set_texts(stage.texts)
    return f"memory@{stage.specs._revision}"


def confirmation(revision: str, more: str = "") -> str:
    """A document that confirms what a revision removes."""
    head = "apiVersion: mainspring.dev/v1\nkind: SyncRequest\nmetadata: {name: yes-please}\n"
    return f'{head}spec: {{action: ConfirmRemovals, revision: "{revision}", reason: the team has left{more}}}\n'


async def begin(stage: Stage) -> None:
    """Eight schedules are in force."""
    for number in NUMBERS:
        stage.platform.add_connection(f"conn_s{number}", Behaviour(timedelta(seconds=2)))
    push(stage, NUMBERS)
    await stage.start()
    await stage.run_for(POLL)


def removed(stage: Stage) -> list[str]:
    """Schedules that went out of force."""
    return sorted(event.schedule or "" for event in stage.log.of(EventName.SCHEDULE_REMOVED))


def controller(stage: Stage) -> Loop:
    """The one that runs."""
    assert stage.controller is not None
    return stage.controller


def test_a_held_revision_is_told_once_and_its_edits_wait_too() -> None:
    """What was in force keeps its times; the event says how many schedules would go, and how to confirm that."""

    async def scenario(stage: Stage) -> None:
        await begin(stage)
        held = push(stage, [0], s1=schedule_text("s1", "5s"))
        await stage.run_for(300)
        (told,) = stage.log.of(EventName.REVISION_HELD)
        assert (told.fields["revision"], told.fields["removed"], told.fields["in_force"]) == (held, 6, 8)
        assert f"--confirm-revision {held}" in str(told.fields["message"])
        assert await stage.words(ConnectionRef("default", "conn_s1")) == ["Triggered"] * 10
        known = await stage.store.revisions()
        assert known.applied is not None
        assert (known.applied.name, [each.name for each in known.held]) == ("memory@1", [held])
        assert len(known.held[0].removed) == 6

    play(scenario)


def test_whoever_asks_sees_it_beside_the_controller_and_without_one() -> None:
    """``get`` shows what is in force, marked as stale, and why; ``plan`` plans nothing of it."""

    async def scenario(stage: Stage) -> None:
        await begin(stage)
        held = push(stage, [0])
        world = controller(stage)._world
        reading = Reading(stage.store, stage.specs, world.restorers, {"default": EMBEDDED}, stage.clock.now())
        for is_running in (False, True):
            if is_running:
                await stage.run_for(POLL)
            report = await read_report(reading)
            assert {status.condition.state for status in report.schedules} == {State.STALE}
            assert len(report.schedules) == 8
            (trouble,) = report.trouble
            assert trouble.startswith(f"revision {held} is held: it removes 7 of 8 schedules in force")
            shown = await preview(world)
            known, plan = shown.known, shown.plan
            assert known.held == trouble
            assert plan.actions == ()
        stage.specs.fail_next()
        trouble, why = (await read_report(reading)).trouble
        assert "this is what the store holds" in trouble
        assert why == known.held

    play(scenario)


def test_a_commit_that_restores_the_files_counts_at_once() -> None:
    """With the edits in it; nothing is held any more. A newer one that is held as well takes the place of the older."""

    async def scenario(stage: Stage) -> None:
        await begin(stage)
        push(stage, [0])
        await stage.run_for(POLL)
        push(stage, [0, 1])
        await stage.run_for(POLL)
        assert len(stage.log.of(EventName.REVISION_HELD)) == 2
        push(stage, range(1, 8), s0=schedule_text("s0", "60s"))
        await stage.run_for(POLL)
        assert [event.schedule for event in stage.log.of(EventName.SCHEDULE_CHANGED)] == ["s0"]
        assert (await stage.store.revisions()).held == ()
        assert controller(stage).mind.held is None
        assert removed(stage) == []

    play(scenario)


def test_going_back_to_the_revision_in_force_lets_the_held_one_go() -> None:
    """As a force-push does: nothing is held any more, and the same bad revision is told again if it comes again."""

    async def scenario(stage: Stage) -> None:
        await begin(stage)
        push(stage, [0])
        await stage.run_for(POLL)
        push(stage, NUMBERS)
        stage.specs._revision = 1
        await stage.run_for(POLL)
        assert (await stage.store.revisions()).held == ()
        assert controller(stage).mind.held is None
        push(stage, [0])
        await stage.run_for(POLL)
        assert len(stage.log.of(EventName.REVISION_HELD)) == 2

    play(scenario)


def test_the_operator_confirms_a_revision_at_a_start() -> None:
    """A restart alone changes nothing; one with the word does."""

    async def scenario(stage: Stage) -> None:
        await begin(stage)
        held = push(stage, [0])
        await stage.run_for(POLL)
        await stage.stop()
        await stage.start()
        await stage.run_for(POLL)
        assert removed(stage) == []
        await stage.stop()
        await stage.start(confirmed_revision=held)
        await stage.run_for(POLL)
        (told,) = stage.log.of(EventName.REMOVALS_CONFIRMED)
        assert told.fields["confirmed_by"] == "--confirm-revision"
        assert removed(stage) == [f"s{number}" for number in range(1, 8)]

    play(scenario)


def test_a_revision_that_came_into_force_needs_no_second_word() -> None:
    """A crash between saying that it is in force and the first removal leaves it in force, without the flag."""

    async def scenario(stage: Stage) -> None:
        await begin(stage)
        held = push(stage, [0])
        await stage.run_for(POLL)
        await stage.crash()
        await stage.store.keep_revisions(Revisions(AppliedRevision(held, stage.clock.now())))
        await stage.start()
        await stage.run_for(POLL)
        assert len(removed(stage)) == 7

    play(scenario)


def test_a_commit_confirms_the_held_revision_across_a_restart() -> None:
    """What the held revision removes is remembered by the store; who confirmed it and why is told."""

    async def scenario(stage: Stage) -> None:
        await begin(stage)
        held = push(stage, [0])
        await stage.run_for(POLL)
        await stage.stop()
        push(stage, [0], yes=confirmation(held))
        await stage.start()
        await stage.run_for(POLL)
        (told,) = stage.log.of(EventName.REMOVALS_CONFIRMED)
        assert (told.fields["removed"], told.fields["confirmed_by"]) == (
            7,
            "yes-please at yes.yaml:3: the team has left",
        )
        assert len(removed(stage)) == 7

    play(scenario)


def test_a_confirmation_does_not_reach_further_than_what_was_held() -> None:
    """A commit that removes one schedule more is held in turn, and says which; confirming that one works."""

    async def scenario(stage: Stage) -> None:
        await begin(stage)
        held = push(stage, [0, 1])
        await stage.run_for(POLL)
        further = push(stage, [0], yes=confirmation(held))
        await stage.run_for(POLL)
        assert "this revision also removes s1" in str(stage.log.of(EventName.REVISION_HELD)[-1].fields["message"])
        assert removed(stage) == []
        push(stage, [0], yes=confirmation(further))
        await stage.run_for(POLL)
        assert len(removed(stage)) == 7

    play(scenario)


def test_a_confirmation_waits_for_its_time() -> None:
    """``notBefore`` is looked at again at every poll; after ``expiresAt`` it does not count."""

    async def scenario(stage: Stage) -> None:
        await begin(stage)
        held = push(stage, [0])
        await stage.run_for(POLL)
        late = (START + timedelta(minutes=5)).isoformat().replace("+00:00", "Z")
        push(stage, [0], yes=confirmation(held, f', expiresAt: "{START.isoformat()}"'))
        await stage.run_for(POLL)
        push(stage, [0], yes=confirmation(held, f', notBefore: "{late}"'))
        await stage.run_for(280)
        assert removed(stage) == []
        await stage.run_for(20)
        assert len(removed(stage)) == 7
        messages = [str(event.fields["message"]) for event in stage.log.of(EventName.REVISION_HELD)]
        assert ["expired at" in message for message in messages] == [False, True, False]
        assert "it waits until" in messages[2]

    play(scenario)


def test_without_knowing_what_was_held_nothing_is_confirmed() -> None:
    """The controller says so, and its own word for this revision can be confirmed by the next commit."""

    async def scenario(stage: Stage) -> None:
        await begin(stage)
        held = push(stage, [0])
        await stage.run_for(POLL)
        await stage.store.keep_revisions(Revisions())
        push(stage, [0], yes=confirmation(held))
        await stage.run_for(POLL)
        assert f"{held} is not known to be held" in str(stage.log.of(EventName.REVISION_HELD)[-1].fields["message"])
        assert removed(stage) == []

    play(scenario)


@dataclass
class Asked:
    """A spec source that notes which revision it is told to be in force."""

    inner: MemorySpecSource
    told: list[str] = field(default_factory=list)

    async def fetch(self, applied: str = "") -> SpecTree:
        """As the port says."""
        self.told.append(applied)
        return await self.inner.fetch()


def test_the_source_is_always_told_what_is_in_force() -> None:
    """Also by the first fetch after a restart; a held revision is not in force."""

    async def scenario(stage: Stage) -> None:
        source = Asked(stage.specs)
        push(stage, NUMBERS)
        await stage.start(spec_source=source)
        await stage.run_for(POLL)
        push(stage, [0])
        await stage.run_for(POLL)
        await stage.stop()
        assert source.told[0] == ""
        assert len(source.told) > 2
        assert set(source.told[1:]) == {"memory@1"}
        source.told.clear()
        await stage.start(spec_source=source)
        await stage.run_for(1)
        assert source.told == ["memory@1"]

    play(scenario)


def test_what_cannot_be_read_back_is_left_as_it_is() -> None:
    """A schedule that the store knows by a text of another version is not retired while nobody can say that it is gone."""

    async def scenario(stage: Stage) -> None:
        await begin(stage)
        world = controller(stage)._world
        await stage.stop()
        stage.specs.fail_next(times=10_000)
        restore = world.restorers.spec
        blind = replace(world.restorers, spec=lambda content: None if "s0" in content else restore(content))
        await stage.start(restorers=blind)
        await stage.run_for(60)
        assert removed(stage) == []
        assert await stage.words(ConnectionRef("default", "conn_s0")) == []
        assert await stage.words(ConnectionRef("default", "conn_s1")) == ["Triggered"] * 2

    play(scenario)
