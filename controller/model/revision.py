"""Revisions of the specs: the one in force, and those that are held for what they would remove."""

import re
from dataclasses import dataclass
from datetime import datetime

from controller.model.identity import ConnectionRef

HASH_DIGITS_MIN = 7
"""Fewest digits of a hash that name a revision: what Git itself shows, and few enough to be typed."""

_DIGITS = re.compile(rf"[0-9a-f]{{{HASH_DIGITS_MIN},64}}")


def is_named_by(revision: str, given: str) -> bool:
    """Whether somebody means this revision: by its whole name, by its hash, or by the hash's first digits."""
    return given == revision or (is_hash(given) and hash_of(revision).startswith(given.lower()))


def is_hash(given: str) -> bool:
    """Whether a text is a hash, or enough of its first digits."""
    return _DIGITS.fullmatch(given.lower()) is not None


def hash_of(revision: str) -> str:
    """The part of a revision's name that says what it holds; the whole name where there is no such part."""
    tail = revision.rpartition(":")[2]
    return tail if is_hash(tail) else revision


@dataclass(frozen=True, slots=True)
class AppliedRevision:
    """A revision that came into force. ``at``: aware UTC."""

    name: str
    at: datetime


@dataclass(frozen=True, slots=True)
class HeldRevision:
    """A revision that is not put in force before somebody confirms what it removes.

    Attributes:
        at: when it was first held, aware UTC.
        removed: the connections whose schedules it would take out of force.
        in_force: how many schedules were in force before it.
        message: why it is held, and how to confirm it.
    """

    name: str
    at: datetime
    removed: frozenset[ConnectionRef]
    in_force: int
    message: str


@dataclass(frozen=True, slots=True)
class Revisions:
    """What the store remembers of revisions.

    ``held``: those that were held since ``applied`` came into force, oldest first; the last one is what the specs hold now.
    """

    applied: AppliedRevision | None = None
    held: tuple[HeldRevision, ...] = ()

    def held_as(self, given: str) -> HeldRevision | None:
        """The newest held revision that somebody means."""
        return next((each for each in reversed(self.held) if is_named_by(each.name, given)), None)


def held_text(held: HeldRevision | None) -> str:
    """A held revision in a sentence; empty for none."""
    return "" if held is None else f"revision {held.name} is held: {held.message}"
