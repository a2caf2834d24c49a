"""How soon starts come once what kept them from coming is over: one fault in two calm hours, planted a little before a slot of all."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from controller.simulation.faults import Fault, FaultKind, Severity
from controller.simulation.judge.evidence import Evidence
from controller.simulation.judge.lateness import Wait, waits_of
from controller.simulation.run import simulate
from controller.simulation.scene import Scene, aligned_scene

K = FaultKind

HOURS = 2 / 24
SLOT = 3599.0
"""13:00, in seconds from the start of a scene."""

FIRST = 0.1
"""What a fault chooses to hit the first controller, or the first connection."""

GOOD_LISTING = 31.0
"""The longest pause after listings that failed, and the look itself."""


OUT_OF_STEP = Fault(1013.0, K.GRACEFUL_STOP, 27.0, 0.6)
"""A restart of the second controller, after which it does not look around just when slots are due."""


def pair() -> Scene:
    """Two controllers that look around seldom."""
    return replace(scene(controllers=2), lease=300.0, longest_nap=100.0)


def scene(controllers: int = 1) -> Scene:
    """Five connections, of which three may start outside all windows and gaps at once."""
    return aligned_scene("late/scene", days=HOURS, severity=Severity.NONE, controllers=controllers)


def late(seen: Scene, faults: Sequence[Fault]) -> list[float]:
    """The seconds by which the starts of the slot at 13:00 came late, ascending; no promise was broken."""
    found: list[Wait] = []

    def keep(evidence: Evidence) -> None:
        found.extend(waits_of(evidence))

    assert simulate(seen, faults, inspect=keep).verdict.violations == ()
    at = seen.start.timestamp() + SLOT
    return sorted(wait.seconds for wait in found if wait.start.fired == at)


@pytest.mark.parametrize(
    ("kind", "within"),
    [
        (K.CRASH, 8.0),
        (K.GRACEFUL_STOP, 3.0),
        (K.PAUSE, 3.0),
        (K.SUSPEND_MACHINE, 3.0),
        (K.STORE_DOWN, 3.0),
        (K.CUT_STORE, 3.0),
        (K.QUOTA, 3.0),
        (K.OUTAGE, GOOD_LISTING),
        (K.LIST_FAILS, GOOD_LISTING),
        (K.CUT_PLATFORM, GOOD_LISTING),
    ],
)
@pytest.mark.parametrize("seconds", [60.0, 300.0, 700.0])
def test_starts_come_soon_after_it_is_over(kind: FaultKind, within: float, seconds: float) -> None:
    """Nothing of the back-off grows with the length of the trouble, and a new process waits for nothing that it need not wait for."""
    found = late(scene(), [Fault(SLOT - 5, kind, seconds, FIRST)])
    assert len(found) >= 3
    assert found[-1] <= seconds - 5 + within


def test_one_doubt_keeps_no_other_connection_waiting() -> None:
    """A process dies between the claim and the POST: the next one starts all others at once, and that one when the doubt is over."""
    found = late(scene(), [Fault(SLOT - 5, K.CRASH_BEFORE_POST, 30, FIRST)])
    assert [seconds < 40 for seconds in found] == [True] * (len(found) - 1) + [False]


@pytest.mark.parametrize("before", [5.0, 60.0, 95.0, 140.0])
def test_a_planned_stop_hands_over_within_seconds(before: float) -> None:
    """The lease is freed, and whoever waits for it finds out, however long it would have lasted, and however seldom it looks around."""
    found = late(pair(), [OUT_OF_STEP, Fault(SLOT - before, K.GRACEFUL_STOP, 600, FIRST)])
    assert found[-1] <= max(12.0 - before, 0.0) + 3


def test_a_dead_holder_is_followed_once_its_lease_is_over() -> None:
    """Not only when the other one looks around next."""
    found = late(pair(), [OUT_OF_STEP, Fault(SLOT - 5, K.CRASH, 1200, FIRST)])
    assert found[-1] <= 300 - 5 + 12


@pytest.mark.parametrize("seen", [scene(), pair()], ids=["alone", "with another"])
@pytest.mark.parametrize("choice", [FIRST, 0.6])
def test_what_was_lost_is_taken_back_within_seconds(seen: Scene, choice: float) -> None:
    """Somebody takes a platform for a moment: its controller asks again soon, and not when it looks around next."""
    found = late(seen, [OUT_OF_STEP, Fault(SLOT - 10, K.ELECTION_LOST, 20, choice)])
    assert found[-1] <= 24


def test_who_takes_over_does_not_wait_for_a_spec_source_that_hangs() -> None:
    """Where the store says that what it read last is in force, that is what the one before acted by too."""
    faults = [Fault(SLOT - 20, K.FETCH_HANGS, 900, FIRST), Fault(SLOT - 10, K.GRACEFUL_STOP, 900, FIRST)]
    assert late(pair(), faults)[-1] <= 5


@pytest.mark.parametrize("before", [400.0, 1300.0])
@pytest.mark.parametrize("kind", [K.STATUS_SET, K.SCHEDULE_SET])
def test_what_a_person_undoes_is_seen_within_a_minute(kind: FaultKind, before: float) -> None:
    """A slot that waits for its connection starts soon after that is as it was, not with the next list of all connections."""
    over = 190.0
    starts = [
        late(scene(), [Fault(SLOT - before, kind, before + over, choice)]) for choice in (0.05, 0.25, 0.45, 0.65, 0.85)
    ]
    held = [found[-1] for found in starts if found[-1] > over]
    assert held
    assert max(held) <= over + 61
