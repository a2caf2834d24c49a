"""Faults of the machine, of the store and of the specs' source, one at a time in an hour without others."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from controller.model.event import Event, EventName
from controller.ports.spec_source import SpecTree
from controller.simulation.controllers.specs import SpecFiles
from controller.simulation.faults import NOT_DRAWN, Fault, FaultKind, Severity
from controller.simulation.judge.evidence import Evidence
from controller.simulation.lineage import descends
from controller.simulation.run import Result, faults_of, simulate
from controller.simulation.scene import aligned_scene, drawn_scene
from controller.simulation.virtual_time import VirtualClock, VirtualTimeLoop, run_virtual

HOUR = 1 / 24

LASTING = (
    FaultKind.FETCH_HANGS,
    FaultKind.STORE_DOWN,
    FaultKind.GRACEFUL_STOP,
    FaultKind.PAUSE,
    FaultKind.SUSPEND_MACHINE,
    FaultKind.CUT_PLATFORM,
    FaultKind.CUT_STORE,
    FaultKind.ELECTION_LOST,
    FaultKind.CLOCK_STEP,
)


def hour(faults: Sequence[Fault], controllers: int = 1, events: list[Event] | None = None) -> Result:
    """An hour in which only this goes wrong."""
    scene = aligned_scene("hour", days=HOUR, severity=Severity.NONE, controllers=controllers)
    return simulate(scene, faults, None if events is None else events.append)


def kinds_hit(result: Result) -> set[FaultKind]:
    """The faults that happened."""
    return {kind for kind, _ in result.hits}


@pytest.mark.parametrize("controllers", [1, 2])
@pytest.mark.parametrize("kind", LASTING)
def test_a_fault_alone_breaks_no_promise(kind: FaultKind, controllers: int) -> None:
    """Across a quarter of the hour, each fault happens, makes nothing double, and leaves every slot an outcome with a reason."""
    result = hour([Fault(850, kind, 400, 0.1)], controllers)
    assert result.verdict.violations == ()
    assert kinds_hit(result) == {kind}
    assert result.verdict.outcomes["Triggered"] >= 10


@pytest.mark.parametrize("choice", [0.2, 0.7])
def test_a_machine_that_is_paused_starts_what_it_slept_through_once(choice: float) -> None:
    """Across one slot and most of its window: started late, once, when the machine goes on."""
    result = hour([Fault(890, FaultKind.SUSPEND_MACHINE, 600, choice)])
    assert result.verdict.violations == ()
    assert 580 < result.verdict.late(0.99) < 600
    assert not any(word.startswith("Missed(Superseded)") for word in result.verdict.outcomes)


def test_a_store_that_is_away_for_two_slots_misses_one() -> None:
    """What was due at first is superseded by what was due next; that one starts when the store is back."""
    result = hour([Fault(850, FaultKind.STORE_DOWN, 1200, 0.0)])
    assert result.verdict.violations == ()
    assert result.verdict.outcomes["Missed(Superseded)"] + result.verdict.outcomes["Missed(Deadline)"] >= 4


def test_a_clock_that_is_an_hour_wrong_freezes_and_starts_nothing_early() -> None:
    """Said as soon as the controller looks at its clocks, and everything goes on when the clock is right again."""
    for choice in (0.2, 0.55):
        events: list[Event] = []
        result = hour([Fault(600, FaultKind.CLOCK_STEP, 600, choice)], events=events)
        names = [event.name for event in events]
        assert result.verdict.violations == ()
        assert EventName.CLOCK_FROZEN in names
        assert EventName.CLOCK_AGREED in names


def test_a_start_by_a_clock_that_is_an_hour_wrong_decides_nothing() -> None:
    """A controller that begins by a wrong clock asks the platform first: no slot that has not come is decided."""
    scene = aligned_scene("clock", days=0.15, severity=Severity.NONE)
    result = simulate(scene, [Fault(3000, FaultKind.CLOCK_STEP, 500, 0.03), Fault(3100, FaultKind.CRASH, 30, 0.1)])
    assert result.verdict.violations == ()
    assert set(result.verdict.outcomes) == {"Triggered"}


@pytest.mark.parametrize("kind", [FaultKind.CLOCK_NUDGE, FaultKind.CLOCK_RATE])
def test_a_clock_that_is_a_little_wrong_moves_starts_by_as_much(kind: FaultKind) -> None:
    """Within what is tolerated nothing freezes, nothing is doubled or lost, and no start is further off than the clock."""
    result = hour([Fault(600, kind, 2000, 0.1)])
    assert kinds_hit(result) == {kind}
    assert (result.verdict.doubles, result.verdict.silent) == (0, 0)
    assert {text.split()[0] for text in result.verdict.violations} <= {"S2", "S7"}
    assert set(result.verdict.outcomes) == {"Triggered"}
    assert -26 < result.verdict.lateness[0] <= result.verdict.lateness[-1] < 28


def test_clocks_that_are_a_little_wrong_are_not_drawn() -> None:
    """What needs a checker of its own is in no plan."""
    plans = [faults_of(drawn_scene(f"plan/{n}", days=5, severity=Severity.HEAVY)) for n in range(12)]
    drawn = {fault.kind for plan in plans for fault in plan}
    assert drawn == set(FaultKind) - NOT_DRAWN


@pytest.mark.parametrize("kind", [FaultKind.BIG_COMMIT, FaultKind.FORCE_PUSH])
def test_many_files_that_change_at_once_start_nothing_in_the_past(kind: FaultKind) -> None:
    """Every schedule edited in one revision, or put back to an older one: no slot of before, and none twice."""
    scene = drawn_scene("commits", days=0.1, severity=Severity.NONE)
    faults = [Fault(500, FaultKind.SPEC_DELETED, 900, 0.1), Fault(2000, kind, 3000, 0.0)]
    result = simulate(scene, faults)
    assert result.verdict.violations == ()
    assert kind in kinds_hit(result)


def test_a_rewind_is_an_old_revision_under_its_old_name() -> None:
    """As with Git: whoever compares names sees that it is another one, and the next commit has a new name."""
    files = SpecFiles({"a.yaml": b"a"}, lambda _, revision: SpecTree(revision, ()))
    assert not files.rewind(0.0)
    files.put("a.yaml", b"b")
    files.commit({"a.yaml": None, "c.yaml": b"c"})
    assert files.rewind(0.0)
    assert (files.files, files.revision) == ({"a.yaml": b"a"}, 1)
    files.put("a.yaml", b"d")
    assert files.revision == 4


def test_a_clock_that_drifts_gains_its_share_until_it_is_corrected() -> None:
    """The clock that never steps is left alone."""
    start = datetime(2026, 3, 2, tzinfo=UTC)

    async def scenario(loop: VirtualTimeLoop) -> None:
        clock = VirtualClock(loop)
        clock.drift(0.001)
        await clock.sleep(1000)
        assert clock.now() == start + timedelta(seconds=1001)
        clock.drift(-0.001)
        await clock.sleep(500)
        assert (clock.now(), clock.boottime()) == (start + timedelta(seconds=1500.5), 1500)
        clock.correct()
        assert clock.now() == start + timedelta(seconds=1500)

    run_virtual(start, scenario)


def test_aligned_scenes_have_their_slots_on_the_quarters() -> None:
    """Every connection is due at once, and nothing of it is jittered."""
    found: list[Evidence] = []
    result = simulate(aligned_scene("quarters", days=HOUR, severity=Severity.NONE), inspect=found.append)
    slots = {record.slot.scheduled_at for rows in found[0].records.values() for record in rows}
    assert {(at.minute % 15, at.second) for at in slots} == {(0, 0)}
    assert result.verdict.late(0.99) < 2
    assert result.verdict.violations == ()


def test_a_head_that_was_put_aside_is_refused_until_somebody_merges_it() -> None:
    """A revision descends from itself, from what came before it, and through a merge from both sides."""
    files = SpecFiles({"a.yaml": b"a"}, lambda _, revision: SpecTree(revision, ()))
    files.put("a.yaml", b"b")
    files.put("a.yaml", b"c")
    assert descends(files.parents, "sim@3", "sim@3")
    assert descends(files.parents, "sim@3", "sim@1")
    files.rewind(0.9)
    files.put("a.yaml", b"d")
    assert (files.name, descends(files.parents, files.name, "sim@2")) == ("sim@4", True)
    assert not descends(files.parents, files.name, "sim@3")
    files.merge()
    files.merge()
    assert (files.name, files.files) == ("sim@5", {"a.yaml": b"d"})
    assert all(descends(files.parents, files.name, f"sim@{number}") for number in range(1, 6))


def test_what_is_refused_leaves_the_last_revision_in_force() -> None:
    """Where only descendants come into force, a force-push is told, acted on by nobody, and the merge after it is."""
    scene = replace(drawn_scene("commits", days=0.2, severity=Severity.NONE), forward_only=True)
    faults = [Fault(500, FaultKind.SPEC_EDITED, 9000, 0.1), Fault(2000, FaultKind.FORCE_PUSH, 3000, 0.0)]
    events, found = list[Event](), list[Evidence]()
    result = simulate(scene, faults, events.append, inspect=found.append)
    assert result.verdict.violations == ()
    claims = [(each.began_at - scene.start, each.claim.revision) for each in found[0].chronicle.claims]
    assert {revision for at, revision in claims if timedelta(seconds=2000) < at < timedelta(seconds=5000)} == {"sim@2"}
    assert {revision for at, revision in claims if at > timedelta(seconds=5400)} > {"sim@4"}
    told = [event for event in events if event.name is EventName.SPEC_SOURCE_FAILED]
    assert [str(event.fields["message"]) for event in told] == ["sim@1 does not descend from sim@2, which is in force"]
