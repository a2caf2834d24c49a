"""Every state of the model that can be reached, and the shortest way into one that must not be."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

from tests.simulation.protocol_model import moves
from tests.simulation.protocol_state import START, Outcome, State, Status, Variant, mirror


@dataclass(frozen=True)
class Finding:
    """What a search came to.

    Attributes:
        states: how many there are, two that differ only in the controllers' names counted once.
        outcomes: the final records that the slot can get.
        broken: the rules that some state breaks, each with the steps to the nearest such state.
    """

    states: int
    outcomes: frozenset[Outcome]
    broken: dict[str, tuple[str, ...]]


def two_jobs(state: State) -> bool:
    """At most one job is made for the slot."""
    return state.jobs > 1


def false_outcome(state: State) -> bool:
    """A record says what came of the slot: a job that was made, or none; in doubt only if some claim was never answered."""
    match state.outcome:
        case Outcome.TRIGGERED | Outcome.COUNTED:
            return state.jobs == 0
        case Outcome.MISSED:
            return bool(state.posts)
        case Outcome.IN_DOUBT:
            return not any(claim.status in (Status.ABSENT, Status.ABANDONED) for claim in state.claims)
        case _:
            return False


TWO_JOBS, FALSE_OUTCOME, TWO_OUTCOMES, NO_END = "two jobs", "false outcome", "two outcomes", "no way to an end"
RULES: dict[str, Callable[[State], bool]] = {TWO_JOBS: two_jobs, FALSE_OUTCOME: false_outcome}

CameFrom = dict[State, tuple[State, str] | None]
"""Each state that was reached, with the state before it and the step between the two."""


def search(variant: Variant) -> Finding:
    """Walk all interleavings, nearest states first, to the end or to the first state with two jobs."""
    came_from: CameFrom = {START: None}
    before: defaultdict[State, list[State]] = defaultdict(list)
    broken: dict[str, tuple[str, ...]] = {}
    queue = [START]
    for state in queue:
        for rule, breaks in RULES.items():
            if rule not in broken and breaks(state):
                broken[rule] = _trace(came_from, state)
        if TWO_JOBS in broken:
            break
        for label, after in moves(variant, state):
            if state.outcome not in (Outcome.NONE, after.outcome):
                broken.setdefault(TWO_OUTCOMES, (*_trace(came_from, state), label))
            same = after if after in came_from else mirror(after)
            if same not in came_from:
                same = after
                came_from[after] = (state, label)
                queue.append(after)
            before[same].append(state)
    else:
        if (trap := _nearest_trap(queue, before)) is not None:
            broken[NO_END] = _trace(came_from, trap)
    return Finding(len(queue), frozenset(state.outcome for state in queue), broken)


def _nearest_trap(states: list[State], before: dict[State, list[State]]) -> State | None:
    """The first state from which no settled one can be reached; a state without any next step that is not settled is one too."""
    hopeful = {state for state in states if state.is_settled}
    queue = list(hopeful)
    for state in queue:
        for earlier in before.get(state, ()):
            if earlier not in hopeful:
                hopeful.add(earlier)
                queue.append(earlier)
    return next((state for state in states if state not in hopeful), None)


def _trace(came_from: CameFrom, state: State) -> tuple[str, ...]:
    lines: list[str] = []
    step = came_from[state]
    while step is not None:
        state, label = step
        lines.append(label)
        step = came_from[state]
    return tuple(reversed(lines))


def replay(variant: Variant, trace: tuple[str, ...]) -> State:
    """Follow a trace, line by line.

    Raises:
        KeyError: a line is no step of the state it is said of.
    """
    state = START
    for label in trace:
        state = dict(moves(variant, state))[label]
    return state
