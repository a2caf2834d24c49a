"""Each fault has happened in each state of the journal that it can meet."""

from functools import cache

from controller.simulation.run import Result, simulate
from tests.simulation.meetings import IMPOSSIBLE, faults, meetings, scene


@cache
def directed() -> Result:
    """Live through all meetings."""
    return simulate(scene(), sorted(faults()))


def test_every_fault_meets_every_state_of_the_journal() -> None:
    """In one scene made for it, all that can meet has met, and what cannot has not; `test_seeds` asks the latter of chance as well."""
    reached = {meeting for meeting, count in directed().hits.items() if count > 0}
    assert set(meetings()) - reached == set()
    assert reached & IMPOSSIBLE == set()


def test_no_meeting_breaks_a_promise() -> None:
    """Whatever meets whatever, the promises are kept."""
    assert directed().verdict.violations == ()
