"""What documents that ask for something once would do, and removals that nobody would believe at once."""

from collections.abc import Collection, Iterator
from datetime import datetime

from controller.decide.comparison.difference import Caution, Level
from controller.model.request import DeclaredRequest, RequestAction
from controller.model.safety import SafetyLimits


def held_for_removals(removed: int, schedules: int, limits: SafetyLimits, *, is_empty: bool) -> str:
    """Why a revision would not be applied at once; empty = it would."""
    if not limits.holds_removal(removed, schedules, is_empty=is_empty):
        return ""
    return f"it removes {removed:,} of {schedules:,} schedules, so the controller holds it until somebody confirms it"


def new_requests(
    before: Collection[DeclaredRequest], after: Collection[DeclaredRequest]
) -> tuple[DeclaredRequest, ...]:
    """Those that would be carried out; one whose reason or expiry alone was mended is the same."""
    known = {each.key for each in before}
    return tuple(each for each in after if each.key not in known)


def request_cautions(requests: Collection[DeclaredRequest], names: Collection[str], at: datetime) -> Iterator[Caution]:
    """What is dangerous or in vain about requests; ``names``: the schedules that there will be."""
    for each in requests:
        if each.expires_at is not None and each.expires_at <= at:
            yield _caution(each, Level.WARNING, "request-expired", "it has expired: nothing will happen")
        elif each.schedule and each.schedule not in names:
            yield _caution(each, Level.WARNING, "request-for-nothing", f"no schedule is called {each.schedule}")
        elif each.action is RequestAction.RESET:
            message = f"Reset clears the destination data of {each.schedule}"
            yield _caution(each, Level.DANGER, "reset", message)


def _caution(request: DeclaredRequest, level: Level, code: str, message: str) -> Caution:
    return Caution(level, code, message, request.name, request.origin)
