"""Policies between a revision and what is in force: what a rejected file, a quarrel and a restart leave in place."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from controller.adapters.cadence import ApschedulerCadence
from controller.adapters.clock import StoppedClock
from controller.adapters.election.single import SingleNodeElection
from controller.adapters.specs.tree import parse_tree
from controller.adapters.stores.memory import MemoryStore
from controller.errors import StoreUnavailable
from controller.model.identity import ConnectionRef
from controller.model.plan import AcceptSchedule
from controller.model.policy import Policy
from controller.model.schedule import Mode, Overlap, ScheduleSpec
from controller.ports.store import Decisions, StoredPolicy
from controller.reconcile.fetch import fetch_specs, read_desired, take_specs
from controller.reconcile.gather import Mind
from controller.reconcile.restored import Restorers
from controller.reconcile.world import World
from tests.fakes.spec_source import MemorySpecSource, policy_text, schedule_text
from tests.scenario.stage import EventLog

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
REF = ConnectionRef("default", "conn_a")
QUEUE, REPLACE, SKIP = (f"  defaults: {{overlap: {word}}}\n" for word in ("Queue", "Replace", "Skip"))
FREEZE = "  freeze: {reason: incident}\n"
BROKEN = "a: ["


def restore(content: str) -> ScheduleSpec | None:
    """Read a spec back."""
    return next(iter(parse_tree({"(from the store)": content.encode()}, platforms=None).specs), None)


def restore_policy(stored: StoredPolicy) -> Policy | None:
    """Read a policy back."""
    tree = parse_tree({f"{stored.path} (from the store)": stored.content.encode()}, platforms=None)
    return next(iter(tree.policies), None)


async def fetch(controller: "Controller") -> set[ConnectionRef]:
    """Read the specs and put them in force, as the loop does."""
    return await take_specs(controller.world, controller.mind, await fetch_specs(controller.world))


@dataclass
class Controller:
    """What reads specs, on a store that outlives it."""

    store: MemoryStore = field(default_factory=MemoryStore)
    observe: bool = False
    source: MemorySpecSource = field(default_factory=MemorySpecSource)
    mind: Mind = field(default_factory=Mind)

    @property
    def world(self) -> World:
        """The ports that reading needs."""
        return World(
            clock=StoppedClock(NOW),
            cadence=ApschedulerCadence(),
            store=self.store,
            election=SingleNodeElection(self.store, StoppedClock(NOW), "test"),
            spec_source=self.source,
            telemetry=EventLog(),
            platforms={},
            restorers=Restorers(restore, restore_policy),
            version="test",
            specs_label="memory",
            observe=self.observe,
        )

    def read(self, **texts: str) -> ScheduleSpec:
        """Publish a tree and read it; returns what is in force for the schedule."""
        self.source.set_texts({f"{name}.yaml": text for name, text in texts.items()})
        asyncio.run(fetch(self))
        return self.mind.desired.specs[REF]

    def accept(self) -> None:
        """Put the schedule in force in the store, as a cycle does."""
        spec = self.mind.desired.specs[REF]
        asyncio.run(self.store.take(REF.platform, "test", NOW))
        asyncio.run(self.store.apply(Decisions(accepted=[AcceptSchedule(REF, spec, NOW, 1, "r", "a")])))

    def restarted(self) -> "Controller":
        """Another controller on the same store."""
        return Controller(self.store)

    @property
    def kept(self) -> list[tuple[str, str]]:
        """Names and paths of the policies for the next start."""
        return [(row.name, row.path) for row in asyncio.run(self.store.policies())]


A = schedule_text("a")


def test_a_rejected_policy_file_leaves_its_policy_in_force_across_a_restart() -> None:
    """A freeze is not lifted by a typo, whenever the controller starts."""
    before = Controller()
    assert [freeze.reason for freeze in before.read(a=A, p=policy_text("p", FREEZE)).freezes] == ["incident"]
    after = before.restarted()
    assert [freeze.reason for freeze in after.read(a=A, p=BROKEN).freezes] == ["incident"]
    assert str(after.mind.desired.specs[REF].origins["freeze[p]"]) == "p.yaml (from the store):1"
    assert [freeze.reason for freeze in after.read(a=A + "  jitter: 1s\n", p=BROKEN).freezes] == ["incident"]
    assert after.kept == [("p", "p.yaml")]


def test_a_policy_that_is_gone_after_a_restart_is_gone() -> None:
    """Where every file could be read its absence is believed, and nothing of it is kept."""
    before = Controller()
    before.read(a=A, p=policy_text("p", FREEZE))
    after = before.restarted()
    assert (after.read(a=A).freezes, after.kept) == ((), [])


def test_a_schedule_in_a_rejected_file_is_under_the_policies_after_a_restart() -> None:
    """What the store says was in force is under what is in force now."""
    before = Controller()
    before.read(a=A)
    before.accept()
    spec = before.restarted().read(a=BROKEN, p=policy_text("p", QUEUE))
    assert (spec.name, spec.overlap) == ("a", Overlap.QUEUE)


def test_a_file_that_was_restored_does_not_make_absence_believed() -> None:
    """A rejected file whose policy is known may have held a schedule too, which the next revision must not take for deleted."""
    before = Controller()
    before.read(both=f"{A}---\n{policy_text('p', QUEUE)}")
    before.accept()
    after = before.restarted()
    after.read(both=BROKEN)
    assert after.read(both=BROKEN + "1").name == "a"


def test_a_quarrel_across_a_restart_leaves_what_was_in_force() -> None:
    """The last set of policies that agreed decides, also when the quarrel was read before the restart."""
    before = Controller()
    assert before.read(a=A, p=policy_text("p", QUEUE)).overlap is Overlap.QUEUE
    quarrel = {"a": A, "p": policy_text("p", QUEUE), "q": policy_text("q", REPLACE)}
    assert before.read(**quarrel).overlap is Overlap.QUEUE
    assert before.kept == [("p", "p.yaml")]
    spec = before.restarted().read(**quarrel)
    assert (spec.overlap, spec.conflicts, str(spec.origins["overlap"])) == (
        Overlap.QUEUE,
        (),
        "p.yaml (from the store):1",
    )


def test_a_quarrel_that_is_over_is_kept_as_settled() -> None:
    """What the policies agree on after it is what the next start falls back on."""
    controller = Controller()
    controller.read(a=A, p=policy_text("p", QUEUE))
    controller.read(a=A, p=policy_text("p", QUEUE), q=policy_text("q", REPLACE))
    controller.read(a=A, p=policy_text("p", REPLACE), q=policy_text("q", REPLACE))
    assert controller.kept == [("p", "p.yaml"), ("q", "q.yaml")]


def test_a_quarrel_with_nothing_before_it_is_named() -> None:
    """Nobody decided, so the schedule is held; the policies are kept all the same, because there is nothing to lose."""
    controller = Controller()
    quarrel = {"a": A, "p": policy_text("p", QUEUE), "q": policy_text("q", SKIP)}
    assert controller.read(**quarrel).conflicts == ("overlap",)
    assert controller.restarted().read(**quarrel).conflicts == ("overlap",)
    assert controller.kept == [("p", "p.yaml"), ("q", "q.yaml")]


def test_two_documents_that_claim_a_policys_name_leave_the_kept_one_after_a_restart() -> None:
    """None of the new ones comes into force, and the kept one still knows its file."""
    before = Controller()
    before.read(a=A, p=policy_text("p", QUEUE))
    after = before.restarted()
    twins = {"q": policy_text("p", REPLACE), "r": policy_text("p", SKIP)}
    assert after.read(a=A, **twins).overlap is Overlap.QUEUE
    assert after.kept == [("p", "p.yaml")]


def test_a_policy_that_moved_is_kept_with_its_new_file() -> None:
    """The path is that of the revision in force."""
    controller = Controller()
    controller.read(a=A, p=policy_text("p", QUEUE))
    controller.read(a=A, elsewhere=policy_text("p", QUEUE))
    assert controller.kept == [("p", "elsewhere.yaml")]


def test_no_policy_makes_an_observing_controller_write() -> None:
    """Under ``--observe`` nothing writes, whatever a policy says the mode is."""
    controller = Controller(observe=True)
    spec = controller.read(a=A, p=policy_text("p", "  defaults: {mode: Enforce}\n"))
    assert spec.mode is Mode.OBSERVE


def test_a_preview_reads_as_a_controller_that_starts_does() -> None:
    """It shows kept policies in force, and keeps none itself."""
    before = Controller()
    before.read(a=A, p=policy_text("p", FREEZE))
    shown = before.restarted()
    shown.source.set_texts({"a.yaml": A, "p.yaml": BROKEN, "q.yaml": policy_text("q", QUEUE)})
    desired = asyncio.run(read_desired(shown.world)).desired
    assert ([policy.name for policy in desired.policies], shown.kept) == (["p", "q"], [("p", "p.yaml")])


def test_a_controller_that_cannot_read_policies_back_starts_without_them() -> None:
    """A kept text that does not parse any more is none."""
    before = Controller()
    asyncio.run(before.store.keep_policies([StoredPolicy("p", "p.yaml", "{}")]))
    assert before.read(a=A, p=BROKEN).freezes == ()


class FullStore(MemoryStore):
    """A store that takes no policies at first."""

    failures = 1

    async def keep_policies(self, policies: Sequence[StoredPolicy]) -> None:
        """Fail once."""
        if self.failures:
            self.failures -= 1
            raise StoreUnavailable("the disk is full")
        await super().keep_policies(policies)


def test_a_revision_whose_policies_could_not_be_kept_is_read_again() -> None:
    """Nothing of it is in force, and the next look finds all of it changed."""
    controller = Controller(FullStore())
    controller.source.set_texts({"a.yaml": A, "p.yaml": policy_text("p", FREEZE)})
    with pytest.raises(StoreUnavailable):
        asyncio.run(fetch(controller))
    assert controller.mind.desired.specs == {}
    assert asyncio.run(fetch(controller)) == {REF}
    assert controller.kept == [("p", "p.yaml")]
