"""When the settings of a connection are read again that keep a slot from starting: a person may undo them, and nobody tells of it."""

from datetime import datetime, timedelta

from controller.decide.case import Case
from controller.decide.drift import policy_of
from controller.model.drift import DriftField
from controller.model.plan import ListingNeed, NeedKind
from controller.model.schedule import Drift

AGAIN, AGAIN_MAX = timedelta(minutes=1), timedelta(minutes=10)
"""Shortest and longest pause between two reads."""

PATIENCE = 60
"""The pause is this part of the time for which the settings have stood: what was switched off for months is not asked about each minute,
and one edit costs no more than some two hundred looks."""

MINUTE = timedelta(minutes=1)


def look_again(case: Case, field: DriftField) -> ListingNeed | None:
    """The next read of what stands against a slot; None where it is fought about, or nobody knows since when it may stand.

    It is when the slot falls due, and then at full minutes, so that one look serves all that wait.
    """
    facts, listing = case.facts, case.platform.listing
    stands_since, read_at = _stands_since(case, field), facts.connection_read_at
    if stands_since is None or read_at is None:
        return None
    pause = min(max((case.now - stands_since) // PATIENCE // MINUTE * MINUTE, AGAIN), AGAIN_MAX)
    at = max(_full_minute(read_at) + pause, case.due_at)
    if listing is not None and listing.begun_at >= at:
        # That look had too many others to read.
        at = _full_minute(listing.begun_at) + pause
    return ListingNeed(NeedKind.SETTINGS, case.due_at, at, read_connection=True)


def _stands_since(case: Case, field: DriftField) -> datetime | None:
    facts, spec = case.facts, case.spec
    noted = facts.standing.drifts.get(field)
    if noted is not None and noted.fighting_since is not None:
        return None
    if noted is not None and noted.stands:
        return noted.began_at
    if spec is None or facts.connection is None or policy_of(spec, field) is Drift.IGNORE:
        # Nobody takes note of it; it began after the last start.
        return facts.standing.last_triggered_at
    return case.now


def _full_minute(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0)
