"""A commit that changes a few files comes into force at their cost, and exactly as if all of the tree had been read anew."""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, NoReturn

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.adapters.cadence import ApschedulerCadence
from controller.adapters.clock import StoppedClock
from controller.adapters.election.single import SingleNodeElection
from controller.adapters.specs.tree import Names, TreeReader
from controller.adapters.stores.memory import MemoryStore
from controller.decide import desired
from controller.decide.desired import Desired
from controller.model.identity import ConnectionRef
from controller.model.schedule import Origin
from controller.ports.spec_source import SpecError, SpecTree
from controller.reconcile import judged
from controller.reconcile.fetch import take_specs
from controller.reconcile.gather import Mind
from controller.reconcile.restored import Restorers
from controller.reconcile.world import World
from tests.fakes.spec_source import policy_text, schedule_text
from tests.scenario.stage import EventLog
from tests.unit.reconcile.test_fetch import restore, restore_policy

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)

REQUEST = """\
apiVersion: mainspring.dev/v1
kind: SyncRequest
metadata: {name: once}
spec: {action: Sync, schedule: s1}
"""

TEXTS = (
    *(schedule_text(f"s{number}", every) for number in range(4) for every in ("6h", "7h")),
    schedule_text("s1").replace("conn_s1", "conn_s2"),
    schedule_text("s3").replace("{name: s3}", "{name: s3, labels: {tier: gold}}"),
    schedule_text("s4") + "---\n" + schedule_text("s5"),
    schedule_text("s4") + "---\n" + REQUEST,
    schedule_text("s5").replace("spec:", "spec:\n  platform: away"),
    schedule_text("s0", more="  nope: 1\n"),
    policy_text("p", "  defaults: {overlap: Queue}\n"),
    policy_text("q", "  defaults: {overlap: Replace}\n"),
    policy_text("p", "  freeze: {reason: incident}\n") + "---\n" + schedule_text("s0"),
    REQUEST,
    "a: [",
    "",
)
"""What a file may hold: schedules alone and in company, alike and in each other's way, policies, requests, and what is broken."""

Change = Mapping[str, str | None]

CHANGES = st.dictionaries(st.sampled_from("abcdefg"), st.none() | st.sampled_from(TEXTS), max_size=2)
COMMITS = st.lists(st.tuples(CHANGES, st.integers(0, 9)), min_size=1, max_size=12)


@dataclass
class Controller:
    """What takes in trees, and all that it says of them."""

    observe: bool = False
    mind: Mind = field(default_factory=Mind)
    store: MemoryStore = field(default_factory=MemoryStore)
    log: EventLog = field(default_factory=EventLog)

    def take(self, tree: SpecTree) -> set[ConnectionRef]:
        """Put a tree in force, as the loop does."""
        clock = StoppedClock(NOW)
        world = World(
            clock=clock,
            cadence=ApschedulerCadence(),
            store=self.store,
            election=SingleNodeElection(self.store, clock, "test"),
            spec_source=None,  # type: ignore[arg-type]  # nothing is fetched
            telemetry=self.log,
            platforms={"default": None, "away": None},  # type: ignore[dict-item]  # only their names are asked for
            restorers=Restorers(restore, restore_policy),
            version="test",
            specs_label="memory",
            observe=self.observe,
        )
        return asyncio.run(take_specs(world, self.mind, tree))

    def state(self) -> dict[str, Any]:
        """Everything that a revision leaves behind."""
        mind, store = self.mind, self.store
        return {
            "desired": mind.desired,
            "named": mind.desired.named,
            "held": mind.held,
            "requests": (mind.declared, mind.unplaced, asyncio.run(store.waiting_requests())),
            "kept": (asyncio.run(store.policies()), asyncio.run(store.revisions())),
            "budget": [(mind.allowance.writes_max(name), +mind.allowance._now) for name in ("default", "away")],
            "events": self.log.events,
        }


class Told:
    """Reads trees and knows what a commit changed, as a source does that has a history."""

    def __init__(self) -> None:
        self._reader = TreeReader(None)
        self._listing = ""

    def read(self, files: Mapping[str, str], changed: set[str], revision: str) -> SpecTree:
        """Read a tree; nothing but what changed is looked at."""
        blobs = {path: f"x{text.encode().hex()}" for path, text in files.items()}

        async def load(wanted: Any) -> dict[str, bytes]:
            return {blob: bytes.fromhex(blob[1:]) for blob in wanted}

        names = Names(revision, blobs, self._listing, changed)
        self._listing = revision
        return asyncio.run(self._reader.read_blobs(names, load, revision=revision))


@settings(max_examples=250, deadline=None)
@given(commits=COMMITS, observe=st.booleans(), by_name=st.booleans())
def test_a_commit_is_taken_in_as_if_all_was_read(
    commits: list[tuple[Change, int]], observe: bool, by_name: bool
) -> None:
    """Trees, what is in force, events, requests, budgets and whom to judge are the same, whatever is changed, broken, mended or held.

    Now and then a tree is read and not taken in, as where the store fails.
    """
    fast, slow = Controller(observe), Controller(observe)
    told, by_digest, files = Told(), TreeReader(None), dict[str, str]()
    is_clean = False
    for number, (change, luck) in enumerate(commits):
        for path, text in change.items():
            if text is None:
                files.pop(path, None)
            else:
                files[path] = text
        contents = {path: text.encode() for path, text in files.items()}
        revision = f"r{number}"
        tree = told.read(files, set(change), revision) if by_name else by_digest.read(contents, revision=revision)
        whole = TreeReader(None).read(contents, revision=revision)
        assert tree == whole
        assert whole.delta is None
        assert tree.delta is None or is_clean > bool(tree.errors)
        is_clean = not tree.errors
        if luck == 0:
            continue
        assert fast.take(tree) == slow.take(whole)
        assert fast.state() == slow.state()


class Unwalked(dict[Any, Any]):
    """A mapping that may be asked and copied (by its keys), and not be walked over."""

    def _refuse(self) -> NoReturn:
        raise AssertionError("all schedules are walked over")

    __iter__ = values = items = _refuse


class Closed(Unwalked):
    """One that is not copied either."""

    keys = Unwalked._refuse


class UnwalkedRow(tuple[Any, ...]):
    """The same of a tuple."""

    __slots__ = ()

    def __iter__(self) -> Iterator[Any]:
        raise AssertionError("all schedules are walked over")


@pytest.mark.parametrize("observe", [False, True])
def test_what_does_not_change_is_not_walked_over(monkeypatch: pytest.MonkeyPatch, observe: bool) -> None:
    """However many schedules there are, those are looked at that a commit touches, also where there are policies and requests."""
    controller, told = Controller(observe), Told()
    files = {f"{name}.yaml": schedule_text(name) for name in ("s0", "s1", "s2", "s3")}
    files |= {"p": policy_text("p", "  defaults: {overlap: Queue}\n"), "r": REQUEST}
    controller.take(told.read(files, set(), "r0"))
    mind = controller.mind

    def with_walls(found: Desired, kind: type[Unwalked]) -> Desired:
        walls: Any = {name: kind(getattr(found, name)) for name in ("specs", "written", "settled", "named")}
        return replace(found, **walls)

    def walled(*given: Any) -> Desired:
        # What only observes is a copy of what is asked for.
        return with_walls(desired.advance(*given), Unwalked if observe else Closed)

    mind.desired = with_walls(mind.desired, Unwalked)
    monkeypatch.setattr(judged, "advance", walled)
    files["s2.yaml"] = schedule_text("s2", "7h")
    files["s4.yaml"] = schedule_text("s4")
    del files["s3.yaml"]
    tree = told.read(files, {"s2.yaml", "s3.yaml", "s4.yaml"}, "r1")
    refs = controller.take(replace(tree, specs=UnwalkedRow(tree.specs)))
    # The one of the request is judged too.
    assert sorted(ref.connection_id for ref in refs) == ["conn_s1", "conn_s2", "conn_s3", "conn_s4"]
    assert len(mind.desired.specs) == 4


def test_a_plain_commit_is_not_merged(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is in force is carried on; after a tree that could not be taken in, all is merged again."""
    controller, told, merged = Controller(), Told(), list[str]()

    def counting(previous: Any, revision: str, *rest: Any) -> Any:
        merged.append(revision)
        return desired.merge(previous, revision, *rest)

    monkeypatch.setattr(judged, "merge", counting)
    files = {"a": schedule_text("s0")}
    controller.take(told.read(files, set(), "r0"))
    for number, path in enumerate("bcdef", 1):
        files[path] = schedule_text(f"s{number}")
        tree = told.read(files, {path}, f"r{number}")
        if path != "d":
            controller.take(tree)
    assert merged == ["r4"]
    files["b"] = "a: ["
    controller.take(told.read(files, {"b"}, "r6"))
    files["b"] = schedule_text("s1")
    controller.take(told.read(files, {"b"}, "r7"))
    files["b"] = schedule_text("s1", "7h")
    controller.take(told.read(files, {"b"}, "r8"))
    assert merged == ["r4", "r6", "r7"]


def test_what_is_not_whole_is_merged_although_the_revision_could_be_read_later() -> None:
    """A file that could not be read for a moment, of a revision with a name of its own, comes into force with the next commit.

    The second look at the same revision found no error, and was not taken in: what is in force is not what it would be advanced from.
    """
    controller, reader = Controller(), TreeReader(None)
    files = {name: schedule_text(name).encode() for name in ("s0", "s1", "s2")}
    error = SpecError(Origin("s1", 1), "unreadable", "the file cannot be read")
    some = {path: text for path, text in files.items() if path != "s1"}
    controller.take(reader.read(some, revision="r0", unreadable=[error]))
    controller.take(reader.read(files, revision="r0"))
    assert not controller.mind.desired.is_whole
    files["s2"] = schedule_text("s2", "7h").encode()
    tree = reader.read(files, revision="r1")
    assert tree.delta is not None
    controller.take(tree)
    assert sorted(controller.mind.desired.named) == ["s0", "s1", "s2"]
    assert controller.mind.desired.is_whole
