"""Whether a revision takes out of force more than a person is likely to have meant: then it waits for somebody who confirms it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from controller.decide.desired import Desired
from controller.model.identity import ConnectionRef
from controller.model.request import DeclaredRequest, RequestAction
from controller.model.revision import HeldRevision, Revisions, hash_of, is_named_by
from controller.model.safety import SafetyLimits

NAMES_TOLD = 5
"""Schedules that a message names; the others are a number."""

HASH_TOLD = 12
"""Digits of a hash in an example command: enough to be the only one, and short enough to be read out."""


@dataclass(frozen=True, slots=True)
class Coming:
    """A revision that would come into force now.

    Attributes:
        removed: what would go out of force with it, by connection, with the name of the schedule.
        in_force: how many schedules are in force.
        is_empty: no schedule at all would be left.
        requests: those of the revision itself.
    """

    revision: str
    removed: Mapping[ConnectionRef, str]
    in_force: int
    is_empty: bool
    requests: tuple[DeclaredRequest, ...] = ()


@dataclass(frozen=True, slots=True)
class Ruling:
    """What becomes of a revision: ``held`` with the reason, or in force; ``confirmed_by`` says who confirmed it, where that was asked."""

    held: str = ""
    confirmed_by: str = ""


def coming(
    in_force: Mapping[ConnectionRef, str], desired: Desired, requests: tuple[DeclaredRequest, ...] = ()
) -> Coming:
    """What a revision would do to the schedules in force; ``desired`` holds what stays because nobody knows whether it is gone."""
    left = desired.written.keys() | desired.obstacles.keys()
    gone = in_force.keys() - left if desired.absence_believed else set[ConnectionRef]()
    removed = {ref: in_force[ref] for ref in sorted(gone)}
    return Coming(desired.revision, removed, len(in_force), not left, requests)


def coming_next(before: Desired, after: Desired, requests: tuple[DeclaredRequest, ...] = ()) -> Coming:
    """What a further revision would do to the schedules in force."""
    written = before.written
    # No algebra of keys: it walks all of them, however few are touched.
    refs: Iterable[ConnectionRef] = written if after.touched is None else filter(written.__contains__, after.touched)
    gone = (ref for ref in refs if ref not in after.written and ref not in after.obstacles)
    removed = {ref: written[ref].name for ref in sorted(gone)} if after.absence_believed else {}
    return Coming(after.revision, removed, len(written), not (after.written or after.obstacles), requests)


def judge_removals(change: Coming, known: Revisions, limits: SafetyLimits, confirmed: str, now: datetime) -> Ruling:
    """Let a revision come into force, or hold it as a whole.

    ``confirmed``: the revision that the operator confirmed when the controller was started. A revision that was in force before stays
    so: it was confirmed then, and what it removed may not all have been carried out.
    """
    is_too_much = limits.holds_removal(len(change.removed), change.in_force, is_empty=change.is_empty)
    if not is_too_much or (known.applied is not None and known.applied.name == change.revision):
        return Ruling()
    if confirmed and is_named_by(change.revision, confirmed):
        return Ruling(confirmed_by="--confirm-revision")
    against: list[str] = []
    for request in change.requests:
        if request.action is RequestAction.CONFIRM_REMOVALS:
            objection = _objection(request, change, known, now)
            if not objection:
                reason = f": {request.reason}" if request.reason else ""
                return Ruling(confirmed_by=f"{request.name} at {request.origin}{reason}")
            against.append(f"{request.name} at {request.origin} does not confirm that: {objection}")
    return Ruling(held=_message(change, against))


def hold(change: Coming, message: str, now: datetime) -> HeldRevision:
    """A revision as it is remembered while it is held."""
    return HeldRevision(change.revision, now, frozenset(change.removed), change.in_force, message)


def _objection(request: DeclaredRequest, change: Coming, known: Revisions, now: datetime) -> str:
    """Why a confirmation does not count; empty if it does. A removal that nobody was told of is confirmed by nobody."""
    held = known.held_as(request.revision)
    if held is None:
        newest = f"; {known.held[-1].name} is the newest that is" if known.held else ""
        return f"{request.revision} is not known to be held{newest}"
    if request.not_before is not None and now < request.not_before:
        return f"it waits until {request.not_before:%Y-%m-%d %H:%M:%SZ}"
    if request.expires_at is not None and request.expires_at <= now:
        return f"it expired at {request.expires_at:%Y-%m-%d %H:%M:%SZ}"
    more = [name for ref, name in change.removed.items() if ref not in held.removed]
    return f"this revision also removes {_listed(more)}" if more else ""


def _message(change: Coming, against: Iterable[str]) -> str:
    count = len(change.removed)
    what = f"it removes {count:,} of {change.in_force:,} schedules in force ({_listed(list(change.removed.values()))})"
    if change.is_empty:
        what = f"it holds no schedule at all, and {what}"
    name = hash_of(change.revision)
    name = name if name == change.revision else name[:HASH_TOLD]
    return (
        f"{'; '.join([what, *against])}; what was in force stays so. If this is meant, confirm it with mainspring run"
        f' --confirm-revision {name}, or with a commit that adds a SyncRequest with action: ConfirmRemovals and revision: "{name}"'
    )


def _listed(names: list[str]) -> str:
    more = len(names) - NAMES_TOLD
    return ", ".join(names[:NAMES_TOLD]) + (f" and {more:,} more" if more > 0 else "")
