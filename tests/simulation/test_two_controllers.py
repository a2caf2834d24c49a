"""Two controllers over one store, under faults: one acts, the other takes over, and together they keep what one promises."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import pytest

from controller.adapters.stores import sqlite_epochs
from controller.model.event import Event, EventName
from controller.simulation.faults import Fault, FaultKind, Severity
from controller.simulation.judge.evidence import Evidence
from controller.simulation.run import Result, simulate
from controller.simulation.scene import LEASES, Scene, aligned_scene, drawn_scene

FIRST, SECOND = 0.1, 0.6
"""What a fault chooses to hit the controller that begins first, which acts, or the other one."""

HOUR = 1 / 24


class Seen:
    """What a simulation told and left."""

    def __init__(self, scene: Scene, faults: Sequence[Fault] | None = None) -> None:
        self.events: list[Event] = []
        self.evidence: Evidence
        self.result: Result = simulate(scene, faults, self.events.append, inspect=self._keep)

    def _keep(self, evidence: Evidence) -> None:
        self.evidence = evidence

    @property
    def held(self) -> list[tuple[float, object]]:
        """Every takeover: how many seconds after the start, and under which epoch."""
        start = self.result.scene.start
        return [
            ((event.at - start).total_seconds(), event.fields["epoch"])
            for event in self.events
            if event.name is EventName.PLATFORM_HELD
        ]

    @property
    def epochs(self) -> list[int]:
        """The epochs of the writers, in the order of their commits."""
        return [epoch for _, epoch in self.evidence.chronicle.epochs]


def calm_hour(lease: float = 300.0) -> Scene:
    """Two controllers for an hour in which nothing goes wrong by itself."""
    scene = aligned_scene("pair", days=HOUR, severity=Severity.NONE, controllers=2)
    return replace(scene, lease=lease, longest_nap=lease / 3)


@pytest.mark.parametrize("number", range(4))
def test_two_controllers_keep_every_promise(number: int) -> None:
    """Whatever goes wrong, nothing is doubled and nothing is lost silently, and the writers' epochs only rise."""
    severity = (Severity.STANDARD, Severity.HEAVY)[number % 2]
    seen = Seen(drawn_scene(f"pair/{number}", days=0.25, severity=severity, controllers=2))
    assert seen.result.verdict.violations == ()
    assert all(before < after for before, after in pairwise(seen.epochs))
    assert len(seen.epochs) > 1


def test_short_leases_are_drawn_too() -> None:
    """A few seeds have leases as short as the product's, and every nap is short enough to keep the lease."""
    scenes = [drawn_scene(f"lease/{number}", controllers=2) for number in range(60)]
    assert {scene.lease for scene in scenes} == set(LEASES)
    assert all(scene.longest_nap <= scene.lease / 3 for scene in scenes)
    assert sum(scene.lease < 60 for scene in scenes) < 20


def test_thirty_connections() -> None:
    """Many connections on one platform, two controllers, and every fault of a heavy hour."""
    scene = drawn_scene("many", days=HOUR, severity=Severity.HEAVY, connections=30, controllers=2)
    verdict = simulate(scene).verdict
    assert verdict.violations == ()
    assert verdict.slots > 100


def test_without_faults_one_acts_all_the_time() -> None:
    """The standby takes nothing while the other one asks for its lease."""
    seen = Seen(calm_hour())
    assert (seen.epochs, seen.result.lives) == ([1], 2)
    assert seen.result.verdict.violations == ()


@pytest.mark.parametrize("lease", sorted(set(LEASES)))
@pytest.mark.parametrize("kind", [FaultKind.CRASH, FaultKind.PAUSE, FaultKind.CUT_STORE])
def test_the_other_one_takes_over(kind: FaultKind, lease: float) -> None:
    """Once the lease has run out and the standby has looked, it acts under a higher epoch; who comes back harms nothing."""
    seen = Seen(calm_hour(lease), [Fault(600, kind, 1500, FIRST)])
    assert [epoch for _, epoch in seen.held] == [1, 2]
    at = seen.held[1][0]
    assert 600 < at <= 600 + seen.result.scene.takeover
    assert seen.result.verdict.violations == ()
    assert seen.epochs == [1, 2]


def test_a_graceful_stop_hands_over() -> None:
    """The lease is freed, so the standby need not wait for its end."""
    seen = Seen(calm_hour(), [Fault(600, FaultKind.GRACEFUL_STOP, 1500, FIRST)])
    at, epoch = seen.held[1]
    assert epoch == 2
    assert at <= 600 + seen.result.scene.longest_nap
    assert seen.result.verdict.violations == ()


def test_what_befalls_the_standby_disturbs_nobody() -> None:
    """While it is paused, dead or cut off, the one that acts goes on, every start in time."""
    kinds = (FaultKind.PAUSE, FaultKind.CRASH, FaultKind.CUT_STORE, FaultKind.GRACEFUL_STOP)
    seen = Seen(calm_hour(), [Fault(300.0 + 700 * n, kind, 600, SECOND) for n, kind in enumerate(kinds)])
    assert seen.epochs == [1]
    assert seen.result.verdict.late(0.99) < 2
    assert seen.result.verdict.violations == ()


def test_one_that_is_cut_off_from_the_platform_alone_goes_on_holding_it() -> None:
    """Nobody acts in its place, and what was due meanwhile starts when it is reached again."""
    seen = Seen(calm_hour(), [Fault(850, FaultKind.CUT_PLATFORM, 300, FIRST)])
    assert seen.epochs == [1]
    assert 200 < seen.result.verdict.late(0.99) < 400
    assert seen.result.verdict.violations == ()


def test_a_lost_election_is_noticed_by_the_next_write() -> None:
    """Another process that took the platform in the store fences the one that acted; somebody takes it anew afterwards."""
    seen = Seen(calm_hour(), [Fault(600, FaultKind.ELECTION_LOST, 60, FIRST)])
    assert seen.epochs[:2] == [1, 2]
    assert seen.epochs == sorted(seen.epochs)
    assert any(event.name is EventName.PLATFORM_LOST for event in seen.events)
    assert seen.result.verdict.violations == ()


def test_writers_without_a_fence_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that lets the one that returns write under its old epoch is seen in the order of the commits."""
    # Paused while it waits for its claim, it comes back when the other one has the platform and has not settled that claim yet.
    scene = calm_hour(15.0)
    faults = [Fault(880, FaultKind.STORE_SLOW, 4), Fault(901, FaultKind.PAUSE, 60, FIRST)]
    assert simulate(scene, faults).verdict.violations == ()
    monkeypatch.setattr(sqlite_epochs, "expect", lambda *_: None)
    seen = Seen(scene, faults)
    assert seen.epochs != sorted(seen.epochs)
    assert any(text.startswith("S5") for text in seen.result.verdict.violations)


def test_the_same_seed_gives_the_same_trace() -> None:
    """Two controllers do not make chance of their turns."""
    scene = drawn_scene("again", days=0.1, severity=Severity.HEAVY, controllers=2)
    assert simulate(scene).trace == simulate(scene).trace


def test_who_takes_over_reads_the_specs_before_it_acts() -> None:
    """A schedule that the holder before had seen deleted is not started by one whose own last read is older."""
    faults = [
        Fault(10, FaultKind.CRASH, 50, FIRST),
        Fault(100, FaultKind.CRASH, 40, SECOND),
        Fault(150, FaultKind.CRASH, 510, FIRST),
        Fault(700, FaultKind.SPEC_DELETED, 3000, FIRST),
        Fault(760, FaultKind.CRASH, 1800, SECOND),
    ]
    seen = Seen(calm_hour(15.0), faults)
    sent = [post for post in seen.evidence.chronicle.posts if post.ref.connection_id == "conn_s0"]
    start = seen.result.scene.start
    assert seen.result.verdict.violations == ()
    assert [post for post in sent if (post.sent_at - start).total_seconds() > 700] == []
    assert len(seen.evidence.chronicle.posts) > len(sent)


def test_who_takes_over_waits_for_newer_specs_but_not_for_ever() -> None:
    """Another revision came into force that cannot be read now: it starts nothing, and goes on after a bounded time."""
    faults = [
        Fault(255, FaultKind.CRASH, 40, SECOND),
        Fault(1497, FaultKind.SPEC_EDITED, 1500, FIRST),
        Fault(1770, FaultKind.FETCH_HANGS, 200, FIRST),
        Fault(1772, FaultKind.CRASH, 1800, FIRST),
    ]
    taken_at, sent_at = _taken_over(faults)
    assert taken_at < 1799, "the slot of 12:30:00 comes after it"
    assert taken_at + 60 <= sent_at <= taken_at + 70


def test_who_takes_over_does_not_wait_for_specs_that_it_has() -> None:
    """The store says that what it read last is in force; a source that hangs keeps no slot waiting."""
    taken_at, sent_at = _taken_over(
        [Fault(1760, FaultKind.FETCH_HANGS, 200, FIRST), Fault(1772, FaultKind.CRASH, 1800, FIRST)]
    )
    assert taken_at < 1799 <= sent_at < 1801


def _taken_over(faults: Sequence[Fault]) -> tuple[float, float]:
    """When the other one took over from who died last, and when it sent its first POST."""
    seen = Seen(calm_hour(15.0), faults)
    start, died_at = seen.result.scene.start, faults[-1].at
    assert seen.result.verdict.violations == ()
    sent = [(post.sent_at - start).total_seconds() for post in seen.evidence.chronicle.posts]
    return next(at for at, _ in seen.held if at > died_at), min(at for at in sent if at > died_at)
