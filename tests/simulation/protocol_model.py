"""A model of how a slot is claimed, sent and settled, small enough that every interleaving of it can be tried.

Two controllers, one store, one platform and one due slot. Whatever may happen next is a step: a controller goes on, stalls, dies or comes
back, a request is carried out, refused or lost, an answer or a row of the list is late, a tick of time passes. `moves` lists the steps of
a state; `protocol_search.py` walks all of them. The rules are those of `docs/architecture.md`, "Claim, POST, record" and "In doubt"; each
can be switched off, to see what it is good for.

Times are ticks since something began, and stop growing once nothing depends on them any more, so that there are finitely many states.
"""

from collections.abc import Iterator
from typing import NamedTuple

from tests.simulation.protocol_state import (
    ATTEMPTS_MAX,
    CLAIMS_MAX,
    IDLE,
    LATE,
    NOBODY,
    NOTHING_OPEN,
    SEND_WITHIN,
    Claim,
    Controller,
    Outcome,
    Post,
    Sight,
    Stage,
    State,
    Status,
    Variant,
    in_order,
)


class Step(NamedTuple):
    """One thing that may happen, in words that no other step of its state has, and what is the case then."""

    label: str
    after: State


NAMES = "AB"


def moves(variant: Variant, state: State) -> Iterator[Step]:
    """Everything that may happen next; nothing once the slot is settled."""
    if state.is_settled:
        return
    for who in (0, 1):
        name = NAMES[who]
        for does, after in _controller_steps(variant, state, who):
            yield Step(f"{name} {does}", after)
        if state.controllers[who].stage is not Stage.IDLE:
            yield Step(f"{name} dies, and starts again knowing nothing", _now_at(_unheard(state, who), who, IDLE))
    yield from _platform_steps(state)
    if not state.is_over and state.outcome is Outcome.NONE:
        yield Step("the slot's window ends", state._replace(is_over=True))
    if _time_may_pass(variant, state) and (later := _later(variant, state)) != state:
        yield Step("a tick passes", later)


def _now_at(state: State, who: int, controller: Controller) -> State:
    first, second = state.controllers
    return state._replace(controllers=(controller, second) if who == 0 else (first, controller))


def _unheard(state: State, who: int) -> State:
    """Nobody waits for a controller's answer any more."""
    return state._replace(
        posts=in_order(post._replace(waiter=NOBODY) if post.waiter == who else post for post in state.posts)
    )


def _controller_steps(variant: Variant, state: State, who: int) -> Iterator[tuple[str, State]]:
    me = state.controllers[who]
    may_write = not variant.has_fence or state.holder == who
    if not may_write and (me.stage is Stage.IDLE or not variant.keeps_hold):
        yield "takes hold of the store", state._replace(holder=who)
    match me.stage:
        case Stage.IDLE if may_write:
            yield from _looks(variant, state, who)
        case Stage.LOOKED:
            yield from _judges(variant, state, who, may_write=may_write)
        case Stage.WRITING:
            yield _writes_claim(variant, state, who, may_write=may_write)
        case Stage.CLAIMED if variant.has_send_deadline and me.age > SEND_WITHIN:
            yield (
                "finds that its claim took too long to write, and sends nothing",
                _now_at(state, who, Controller(Stage.KNOWS_NONE, me.attempt)),
            )
        case Stage.CLAIMED:
            yield (
                "finds that its claim is fresh enough to be sent",
                _now_at(state, who, Controller(Stage.SENDING, me.attempt)),
            )
        case Stage.SENDING:
            post = Post(Sight.UNDER_WAY, me.age, who)
            sent = state._replace(posts=in_order((*state.posts, post)))
            yield f"sends the POST of claim {me.attempt + 1}", _now_at(sent, who, Controller(Stage.WAITING, me.attempt))
        case Stage.WAITING:
            yield from _stops_waiting(variant, state, who, may_write=may_write)
        case Stage.TOLD_MADE | Stage.KNOWS_NONE:
            yield _records(variant, state, who, may_write=may_write)


def _looks(variant: Variant, state: State, who: int) -> Iterator[tuple[str, State]]:
    """One complete listing, then what the store says: the same order as in a cycle."""
    if state.outcome is not Outcome.NONE and state.open_claim == NOTHING_OPEN:
        return
    number = state.open_claim
    is_old = number != NOTHING_OPEN and state.claims[number].age >= variant.resolve_after
    is_listed = any(post.sight is Sight.LISTED for post in state.posts)
    proves = number != NOTHING_OPEN and (is_old or not variant.waits_to_resolve)
    about = "no claim open" if number == NOTHING_OPEN else f"claim {number + 1} open"
    looked = Controller(Stage.LOOKED, number, 0, is_listed, proves and not is_listed)
    yield f"lists the jobs ({'one is new' if is_listed else 'none is new'}; {about})", _now_at(state, who, looked)
    if is_listed and not variant.listing_is_complete:
        missed = Controller(Stage.LOOKED, number, 0, proves_absence=proves)
        yield f"lists a part of the jobs (none is new; {about})", _now_at(state, who, missed)


def _judges(variant: Variant, state: State, who: int, *, may_write: bool) -> Iterator[tuple[str, State]]:
    """Adopt, close or keep waiting; with nothing open, count what is there or start a claim."""
    me, idle = state.controllers[who], _now_at(state, who, IDLE)
    if not may_write:
        yield "may not write any more, and looks again", idle
        return
    if me.attempt == NOTHING_OPEN:
        yield from _judges_due_slot(state, who)
    elif me.sees_job or not variant.adopts_by_id:
        # A job of the baseline that was created just before the claim passes for the claim's own where only times tell.
        job = "the new job" if me.sees_job else "a job that is older than the claim"
        yield f"adopts {job}", _settled(idle, me.attempt, Status.ADOPTED, Outcome.TRIGGERED)
    elif me.proves_absence:
        unknown = 1 + sum(claim.status is Status.ABSENT for claim in state.claims)
        if variant.retries and unknown < ATTEMPTS_MAX:
            yield "closes the claim as absent: the slot is due again", _settled(idle, me.attempt, Status.ABSENT)
        else:
            yield "gives up the claim: Skipped(InDoubt)", _settled(idle, me.attempt, Status.ABANDONED, Outcome.IN_DOUBT)
    else:
        yield "cannot tell yet, and looks again", idle


def _judges_due_slot(state: State, who: int) -> Iterator[tuple[str, State]]:
    idle = _now_at(state, who, IDLE)
    if state.controllers[who].sees_job:
        yield "counts the job for the slot", _recorded(idle, Outcome.COUNTED)
    elif state.is_over or len(state.claims) >= CLAIMS_MAX:
        yield "records the slot as missed", _recorded(idle, Outcome.MISSED)
    else:
        begun = Controller(Stage.WRITING, len(state.claims))
        yield f"begins to write claim {len(state.claims) + 1}", _now_at(state, who, begun)


def _writes_claim(variant: Variant, state: State, who: int, *, may_write: bool) -> tuple[str, State]:
    me = state.controllers[who]
    if not variant.is_written_ahead:
        return "puts its claim off until the answer", _now_at(state, who, me._replace(stage=Stage.CLAIMED))
    inserted = _inserted(variant, state, me, may_write=may_write)
    if inserted is None:
        return "is refused its claim, and sends nothing", _now_at(state, who, IDLE)
    claimed = Controller(Stage.CLAIMED, len(inserted.claims) - 1, me.age)
    return f"has claim {len(inserted.claims)} on disk", _now_at(inserted, who, claimed)


def _inserted(variant: Variant, state: State, me: Controller, *, may_write: bool) -> State | None:
    is_taken = me.attempt < len(state.claims) or state.open_claim != NOTHING_OPEN or state.outcome is not Outcome.NONE
    if not may_write or (variant.has_unique_key and is_taken):
        return None
    return state._replace(claims=(*state.claims, Claim(Status.OPEN, me.age)))


def _stops_waiting(variant: Variant, state: State, who: int, *, may_write: bool) -> Iterator[tuple[str, State]]:
    """The answer comes, or the wait for it ends without one; a process that waits judges nothing."""
    me, mine = state.controllers[who], next((post for post in state.posts if post.waiter == who), None)
    heard = _unheard(state, who)
    if mine is not None and mine.sight is not Sight.UNDER_WAY:
        yield "gets the answer: a job was made", _now_at(heard, who, me._replace(stage=Stage.TOLD_MADE))
    if mine is not None and mine.sight is Sight.UNDER_WAY:
        gone = state._replace(posts=tuple(post for post in state.posts if post is not mine))
        yield "gets the answer: certainly refused", _now_at(gone, who, me._replace(stage=Stage.KNOWS_NONE))
    if not variant.is_written_ahead:
        heard = _inserted(variant, heard, me, may_write=may_write) or heard
    yield "gets no answer: the claim is in doubt", _now_at(heard, who, IDLE)


def _records(variant: Variant, state: State, who: int, *, may_write: bool) -> tuple[str, State]:
    """Write what came of the POST; a claim that somebody settled meanwhile stays as it is."""
    me, idle = state.controllers[who], _now_at(state, who, IDLE)
    if not variant.is_written_ahead:
        return "records the answer", _recorded(idle, Outcome.TRIGGERED) if me.stage is Stage.TOLD_MADE else idle
    if not may_write or state.claims[me.attempt].status is not Status.OPEN:
        return "may not record the answer", idle
    if me.stage is Stage.TOLD_MADE:
        return "records the slot as triggered", _settled(idle, me.attempt, Status.CONFIRMED, Outcome.TRIGGERED)
    return "closes the claim: no job, the slot is due again", _settled(idle, me.attempt, Status.NO_JOB)


def _settled(state: State, attempt: int, status: Status, outcome: Outcome = Outcome.NONE) -> State:
    """Close a claim if it is still open, and write the record."""
    if state.claims[attempt].status is Status.OPEN:
        rows = list(state.claims)
        rows[attempt] = Claim(status, 0)
        state = state._replace(claims=tuple(rows))
    return _recorded(state, outcome)


def _recorded(state: State, outcome: Outcome) -> State:
    """A final record is never overwritten."""
    is_new = state.outcome is Outcome.NONE and outcome is not Outcome.NONE
    # Whether the window is over means nothing any more: one state less to tell apart.
    return state._replace(outcome=outcome, is_over=False) if is_new else state


def _platform_steps(state: State) -> Iterator[Step]:
    for place, post in enumerate(state.posts):
        if place and state.posts[place - 1] == post:
            continue
        whose = "the POST that nobody waits for" if post.waiter == NOBODY else f"{NAMES[post.waiter]}'s POST"
        rest, name = state.posts[:place] + state.posts[place + 1 :], f"{whose} (age {post.age})"
        if post.sight is Sight.UNDER_WAY:
            made = post._replace(sight=Sight.UNLISTED)
            yield Step(f"{name} is carried out: a job is made", state._replace(posts=in_order((*rest, made))))
            yield Step(f"{name} is lost", state._replace(posts=rest))
        elif post.sight is Sight.UNLISTED:
            shown = Post(Sight.LISTED, 0, post.waiter)
            yield Step(f"the job of {name} comes into view", state._replace(posts=in_order((*rest, shown))))


def _time_may_pass(variant: Variant, state: State) -> bool:
    """Whether nothing bounded is at its bound: it has to happen, or to be lost, before the next tick."""
    if variant.delay_is_bounded and any(post.sight is not Sight.LISTED and post.age >= LATE for post in state.posts):
        return False
    stalled = (each.age >= LATE for each in state.controllers if each.stage is Stage.SENDING)
    return not (variant.pause_is_bounded and any(stalled))


def _later(variant: Variant, state: State) -> State:
    limits = {Stage.WRITING: SEND_WITHIN + 1, Stage.CLAIMED: SEND_WITHIN + 1, Stage.SENDING: LATE}
    first, second = (
        each._replace(age=min(each.age + 1, limits[each.stage])) if each.stage in limits else each
        for each in state.controllers
    )
    claims = tuple(
        Claim(claim.status, min(claim.age + 1, variant.resolve_after)) if claim.status is Status.OPEN else claim
        for claim in state.claims
    )
    posts = in_order(
        post if post.sight is Sight.LISTED else post._replace(age=min(post.age + 1, LATE)) for post in state.posts
    )
    return state._replace(controllers=(first, second), claims=claims, posts=posts)
