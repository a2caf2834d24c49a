"""Which starts an outage hit, and which waited because their schedule wants that."""

from dataclasses import replace

import pytest

from controller.simulation.chronicle import Trouble
from controller.simulation.faults import AFTERMATH, Fault, FaultKind
from controller.simulation.judge.evidence import Evidence
from controller.simulation.judge.lateness import FIGURES, UNAVAILABLE, Wait, waits_of
from controller.simulation.run import simulate
from controller.simulation.scene import Scene, aligned_scene
from tests.unit.simulation.evidence_kit import SLOTS, Story, seconds

EVERY = "  schedules: [{every: 15m}]\n"

OUTAGE_AT, OUTAGE_SECONDS = 890.0, 240.0
"""From shortly before the first slot of a scene, which begins a second after noon."""


def planted() -> Scene:
    """One connection for an hour."""
    return aligned_scene("lateness/outage", connections=1, days=1 / 24)


def waits_in(scene: Scene, *faults: Fault) -> list[Wait]:
    """Every start of a scene with some faults, in the order of their slots."""
    found = list[Wait]()

    def inspect(evidence: Evidence) -> None:
        found.extend(waits_of(evidence))

    assert simulate(scene, faults, inspect=inspect).verdict.violations == ()
    return found


def test_only_the_start_in_an_outage_is_hit_by_it() -> None:
    """The slot that fired in it starts when it is over; those after it do not count as hit, whatever is still felt."""
    first, *others = waits_in(planted(), Fault(OUTAGE_AT, FaultKind.OUTAGE, OUTAGE_SECONDS))

    assert first.hit_by == {FaultKind.OUTAGE}
    assert OUTAGE_SECONDS / 2 < first.seconds < OUTAGE_SECONDS + 60
    assert len(others) == 3
    assert all(wait.hit_by == frozenset() and wait.seconds < 2 for wait in others)
    late, since_over = first.seconds, first.seconds - (OUTAGE_AT + OUTAGE_SECONDS + 1 - 900)
    assert [figure.of(first) for figure in FIGURES] == [late, None, None, None, pytest.approx(since_over, abs=0.01)]
    assert {figure.of(others[0]) for figure in FIGURES} == {others[0].seconds}


def met(story: Story, kind: FaultKind, since: float, length: float) -> Wait:
    """The start of the second slot, which is ten seconds late, after a fault some seconds from when it fired."""
    begins = SLOTS[1] + seconds(since)
    story.chronicle.troubles.append(Trouble(kind, begins, begins + seconds(length) + AFTERMATH))
    return list(waits_of(story.evidence()))[1]


def late_story() -> Story:
    """Four starts, of which the second comes ten seconds late."""
    story = Story.calm(EVERY)
    story.forget(1)
    story.start(SLOTS[1], late=10)
    return story


@pytest.mark.parametrize(
    ("since", "length", "is_hit"),
    [(-50, 40, False), (-50, 55, True), (2, 3, True), (9, 500, True), (11, 500, False)],
    ids=["over before", "at first", "meanwhile", "at the end", "after the start"],
)
def test_a_start_is_hit_by_what_lasts_while_it_waits(since: float, length: float, *, is_hit: bool) -> None:
    """What was over when its slot fired did not hit it, though a back-off after it may."""
    assert bool(met(late_story(), FaultKind.OUTAGE, since, length).hit_by) is is_hit


@pytest.mark.parametrize("kind", FaultKind)
def test_what_is_an_outage_and_of_what(kind: FaultKind) -> None:
    """The platform's own outages, others, and what is none: a refusal, a doubt, a listing that lags."""
    wait = met(late_story(), kind, 2, 3)
    left_out = [figure.of(wait) is None for figure in FIGURES]

    assert left_out[1] == (kind in (FaultKind.OUTAGE, FaultKind.CUT_PLATFORM))
    assert left_out[2] == (kind in UNAVAILABLE)
    assert UNAVAILABLE.isdisjoint({FaultKind.LOST_REPLY, FaultKind.REFUSED, FaultKind.LIST_LAG, FaultKind.STORE_SLOW})


def test_a_wait_by_wish_is_left_out_of_one_figure() -> None:
    """Nobody calls it an outage."""
    story = late_story()
    story.add_job(SLOTS[1] - seconds(300), length=305)
    wait = list(waits_of(story.evidence()))[1]
    assert [figure.of(wait) is None for figure in FIGURES] == [False, False, False, True, False]


def test_of_several_outages_the_last_end_counts() -> None:
    """A start that comes while one of them still lasts is not late at all."""
    for length, left in ((5, 3.2), (500, 0.0)):
        story = late_story()
        met(story, FaultKind.OUTAGE, 1, 1)
        wait = met(story, FaultKind.PAUSE, 2, length)
        assert FIGURES[-1].of(wait) == pytest.approx(left)


def waited(story: Story) -> bool:
    """Whether the second start waited by wish."""
    return list(waits_of(story.evidence()))[1].by_wish


def test_a_start_behind_an_active_job_waits_by_wish() -> None:
    """A job of somebody else that ended before the slot fired, and one that ended after it."""
    for length, is_wish in ((100.0, False), (305.0, True)):
        story = late_story()
        story.add_job(SLOTS[1] - seconds(300), length=length)
        assert waited(story) is is_wish


def test_a_start_outside_its_windows_waits_by_wish() -> None:
    """A closed window until just after the slot, and one that was over before it."""
    for minute, is_wish in ((29, True), (20, False)):
        window = f'  windows: [{{deny: {{cron: "{minute} * * * *", duration: 65s}}}}]\n'
        story = Story.calm(EVERY + window)
        story.forget(1)
        story.start(SLOTS[1], late=10)
        assert waited(story) is is_wish


def test_a_start_too_close_to_another_waits_by_wish() -> None:
    """``minGap`` counts from the start before it."""
    for gap, is_wish in (("16m", True), ("10m", False)):
        story = Story.calm(EVERY + f"  minGap: {gap}\n")
        assert waited(story) is is_wish


def test_a_job_that_was_not_ours_is_no_start() -> None:
    """A slot that somebody else's job stands for has no lateness."""
    story = Story.calm(EVERY)
    story.change(1, job_id="job_0")
    story.chronicle.jobs["default/job_0"] = replace(story.chronicle.jobs["default/job_2"], job_id="job_0", post=None)
    assert len(list(waits_of(story.evidence()))) == len(SLOTS) - 1
