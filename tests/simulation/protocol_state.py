"""What there is in the model of the protocol: its rules as switches, and one frozen value for all that is the case at a moment."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

SEND_WITHIN, WRITE_TIMEOUT, SETTLE = 1, 1, 1
ATTEMPTS_MAX = 2
CLAIMS_MAX = 3
"""Claims of the slot, unsent and refused ones included, after which its window is over."""


@dataclass(frozen=True)
class Variant:
    """Which rules hold and what the world may do; the default is the whole protocol in the world that it is made for.

    Attributes:
        retries: ``whenInDoubt``: ``Retry``, or else ``Skip``.
        settle: settle time, in ticks.
        has_unique_key: a claim is refused beside an open one, under a taken key, and for a slot with a final record.
        has_fence: a write counts only while its controller has held the store ever since it read what it decided on.
        keeps_hold: a controller that lost the store takes it again only once it has put down what it read before.
        has_send_deadline: a claim that took too long to write is not sent.
        is_written_ahead: the claim is durable before its POST leaves.
        waits_to_resolve: absence is believed only from a listing begun at or after T_resolve.
        listing_is_complete: a listing shows every job that is in view.
        adopts_by_id: a job of the claim's baseline is never adopted; without it, creation times have to tell.
        delay_is_bounded: what passes between a POST's departure and its job's appearance is less than write timeout and settle time.
        pause_is_bounded: the same, counted from the look at the send deadline.
    """

    retries: bool = True
    settle: int = SETTLE
    has_unique_key: bool = True
    has_fence: bool = True
    keeps_hold: bool = True
    has_send_deadline: bool = True
    is_written_ahead: bool = True
    waits_to_resolve: bool = True
    listing_is_complete: bool = True
    adopts_by_id: bool = True
    delay_is_bounded: bool = True
    pause_is_bounded: bool = True

    @property
    def resolve_after(self) -> int:
        """T_resolve, in ticks since the claim."""
        return SEND_WITHIN + WRITE_TIMEOUT + self.settle


LATE = WRITE_TIMEOUT + SETTLE - 1
"""The longest time between the look at the send deadline and a job's appearance, where both are bounded. It does not follow the variant's
settle time: the world is as slow as it is, whatever the settings say."""


class Stage(IntEnum):
    """What a controller is doing about the slot; one that is idle may as well be dead: it knows nothing and need not go on."""

    IDLE = 0
    LOOKED = 1
    WRITING = 2
    CLAIMED = 3
    SENDING = 4
    WAITING = 5
    TOLD_MADE = 6
    KNOWS_NONE = 7


class Status(IntEnum):
    """What became of a claim; ``NO_JOB`` is both ``Refused`` and ``NotSent``: the sender knows that no job was made."""

    OPEN = 0
    CONFIRMED = 1
    ADOPTED = 2
    ABSENT = 3
    NO_JOB = 4
    ABANDONED = 5


class Sight(IntEnum):
    """Where a POST is: under way, carried out but in no list yet, in view."""

    UNDER_WAY = 0
    UNLISTED = 1
    LISTED = 2


class Outcome(IntEnum):
    """The final record of the slot."""

    NONE = 0
    TRIGGERED = 1
    COUNTED = 2
    IN_DOUBT = 3
    MISSED = 4


NOTHING_OPEN = -1
NOBODY = -1


class Claim(NamedTuple):
    """A row of the store; its attempt is its place. ``age`` counts from before its transaction, as long as it is open."""

    status: Status
    age: int


class Controller(NamedTuple):
    """One process. ``attempt``: the claim that it works on, or NOTHING_OPEN; ``age``: ticks that its work has taken."""

    stage: Stage
    attempt: int = NOTHING_OPEN
    age: int = 0
    sees_job: bool = False
    proves_absence: bool = False


class Post(NamedTuple):
    """A POST that left and was not lost. ``waiter``: the controller that still waits for its answer."""

    sight: Sight
    age: int
    waiter: int


class State(NamedTuple):
    """All there is at one moment. ``holder``: who holds the store (with a fence)."""

    controllers: tuple[Controller, Controller]
    claims: tuple[Claim, ...] = ()
    posts: tuple[Post, ...] = ()
    outcome: Outcome = Outcome.NONE
    holder: int = NOBODY
    is_over: bool = False

    @property
    def jobs(self) -> int:
        """How many jobs were made for the slot."""
        return sum(post.sight is not Sight.UNDER_WAY for post in self.posts)

    @property
    def open_claim(self) -> int:
        """The newest open claim."""
        found = (number for number, claim in enumerate(self.claims) if claim.status is Status.OPEN)
        return max(found, default=NOTHING_OPEN)

    @property
    def is_settled(self) -> bool:
        """Whether nothing about the slot is left to happen."""
        is_under_way = any(post.sight is not Sight.LISTED for post in self.posts)
        is_busy = any(each.stage > Stage.IDLE for each in self.controllers)
        return self.outcome is not Outcome.NONE and self.open_claim == NOTHING_OPEN and not is_under_way and not is_busy


IDLE = Controller(Stage.IDLE)
START = State((IDLE, IDLE))


def mirror(state: State) -> State:
    """The same with the two controllers' names exchanged: what can happen to one can happen to the other."""
    first, second = state.controllers
    posts = state.posts
    if any(post.waiter != NOBODY for post in posts):
        posts = in_order(post if post.waiter == NOBODY else post._replace(waiter=1 - post.waiter) for post in posts)
    holder = NOBODY if state.holder == NOBODY else 1 - state.holder
    return state._replace(controllers=(second, first), posts=posts, holder=holder)


def in_order(posts: Iterable[Post]) -> tuple[Post, ...]:
    """POSTs that left in another order are the same POSTs."""
    return tuple(sorted(posts))
