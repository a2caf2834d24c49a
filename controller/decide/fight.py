"""When a correction is not made once more: somebody else sets the field back each time, or the platform has just been asked."""

from datetime import datetime, timedelta
from itertools import pairwise

from controller.model.drift import Correction, CorrectionStatus, DriftField, NotedDrift
from controller.model.plan import ConnectionFacts, PlatformFacts
from controller.model.record import Standing

HOUR = timedelta(hours=1)
CORRECTIONS_PER_HOUR = 5
"""More corrections of one field than this in an hour are a fight."""

LOOKS_IN_A_ROW = 4
"""So are corrections at so many looks in a row, where looks are rare and an hour has only a few."""

RARE_LOOKS = timedelta(minutes=5)
"""Connections that are looked at less often than this are judged by looks in a row as well."""

REFUSED_PAUSE = timedelta(minutes=1)
"""Pause after a correction that the platform refused; doubled for each further one, up to an hour."""

REFUSALS_DOUBLED_MAX = 6


def is_fighting(noted: NotedDrift, generation: int, now: datetime) -> bool:
    """Whether a fight goes on: the spec has not changed since, and the field has not been as desired for an hour."""
    if noted.fighting_since is None or noted.generation != generation:
        return False
    return noted.ended_at is None or now - noted.ended_at < HOUR


def is_fought(facts: ConnectionFacts, platform: PlatformFacts, field: DriftField, now: datetime) -> bool:
    """Whether the corrections of a field that differs again are too many to go on."""
    made = _made(facts.standing, field)
    if sum(now - correction.at < HOUR for correction in made) > CORRECTIONS_PER_HOUR:
        return True
    looked_every = platform.profile.quiet_poll * platform.connection_pages
    if looked_every <= RARE_LOOKS:
        return False
    return _is_row([*(correction.look for correction in made), facts.looks])


def _is_row(looks: list[int]) -> bool:
    """Whether the last looks before this one each found it differing again; ``looks`` are oldest first, this one last.

    A process counts its looks from 1, so the first one of a new process follows the last one of another.
    """
    distinct = [look for place, look in enumerate(looks) if place == 0 or look != looks[place - 1]]
    tail = distinct[-LOOKS_IN_A_ROW - 1 :]
    is_next = all(after == before + 1 or after <= 1 for before, after in pairwise(tail))
    return len(tail) > LOOKS_IN_A_ROW and is_next


def _made(standing: Standing, field: DriftField) -> list[Correction]:
    """Corrections of the field that the schedule in force asked for and that may have had an effect, oldest first."""
    made = (
        c
        for c in standing.corrections
        if c.field is field and c.generation == standing.generation and c.status is not CorrectionStatus.REFUSED
    )
    return sorted(made, key=lambda correction: correction.at)


def resting_until(facts: ConnectionFacts, platform: PlatformFacts, field: DriftField) -> datetime | None:
    """Before when the field is not corrected again: what was asked may still take effect, or was refused just now."""
    newest = sorted((c for c in facts.standing.corrections if c.field is field), key=lambda c: c.at, reverse=True)
    if not newest or newest[0].status is CorrectionStatus.TAKEN:
        return None
    if newest[0].status is CorrectionStatus.SENT:
        return newest[0].at + platform.profile.resolve_after
    refusals = next((n for n, c in enumerate(newest) if c.status is not CorrectionStatus.REFUSED), len(newest))
    doubled: int = 2 ** min(refusals - 1, REFUSALS_DOUBLED_MAX)
    return newest[0].at + min(REFUSED_PAUSE * doubled, HOUR)


def fight_text(standing: Standing, noted: NotedDrift) -> str:
    """What is fought about, and what ends it."""
    count = len(_made(standing, noted.field))
    since = f"{noted.fighting_since:%Y-%m-%d %H:%M:%SZ}" if noted.fighting_since is not None else "now"
    return (
        f"somebody else sets {noted.field} back to {noted.observed} each time; it was set to {noted.desired} {count} times and is left"
        f" alone since {since}: find who does that; corrections go on once it was {noted.desired} for an hour, or the spec changes"
    )
