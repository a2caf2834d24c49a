"""What the last listing proves, and what it does not."""

from datetime import datetime, timedelta

from controller.model.identity import SlotKey
from controller.model.job import Job, JobKind
from controller.model.plan import ConnectionFacts, Listing, ListingNeed, NeedKind, PlatformFacts
from controller.model.record import Claim

CLOCK_TOLERANCE = timedelta(minutes=10)
"""How far a platform's clock may be off before a job's creation time is not believed to be older than a claim: a secondary filter
beside the baseline of ids, wide enough for one-second grain and for any skew that is not an alarm of its own."""

LOOKBACK_MAX = timedelta(hours=24)
"""No listing reads further back: no slot may start later than its window, and the default window is at most a day."""


def is_under_way(facts: ConnectionFacts) -> bool:
    """Whether this process is sending a request whose claim cannot be read yet, so that it is unknown which slot it is about."""
    return facts.in_flight and facts.standing.claim is None


def reaches_back(listing: Listing, instant: datetime) -> bool:
    """Whether a listing shows what was created since ``instant``, or as much of it as any listing shows."""
    since = listing.covers_since
    return since <= instant - CLOCK_TOLERANCE or since <= listing.begun_at - LOOKBACK_MAX


def is_fresh(platform: PlatformFacts, now: datetime, seen_at: datetime) -> bool:
    """Whether the last complete listing began at or after ``seen_at`` and is young enough to be acted on."""
    listing = platform.listing
    return (
        listing is not None and listing.begun_at >= seen_at and now - listing.begun_at <= platform.profile.view_age_max
    )


def proves_absence(platform: PlatformFacts, claim: Claim) -> bool:
    """Whether a claim without a job in the last listing has made none: the listing began after T_resolve and reaches back far enough."""
    listing = platform.listing
    return (
        listing is not None
        and listing.begun_at >= resolve_at(platform, claim)
        and listing.covers_since <= _earliest_creation(platform, claim)
    )


def is_out_of_sight(platform: PlatformFacts, claim: Claim) -> bool:
    """Whether a claim is so old that no listing reads back to it: what came of it can never be known."""
    listing = platform.listing
    return (
        listing is not None
        and listing.begun_at - claim.written_at > LOOKBACK_MAX
        and reaches_back(listing, claim.written_at)
    )


def resolve_at(platform: PlatformFacts, claim: Claim) -> datetime:
    """T_resolve of a claim: from then on a complete listing settles it.

    It is a time that must pass, so a clock that was set forward since the claim brings it no nearer.
    """
    written_at = claim.written_at if platform.jump is None else platform.jump.now_of(claim.written_at)
    return written_at + platform.profile.resolve_after


def set_back(platform: PlatformFacts, claim: Claim) -> timedelta:
    """How far the clock may have been ahead when a claim was written: its jobs are older than it by that much more."""
    jump = platform.jump
    return jump.set_back if jump is not None and jump.until <= claim.written_at <= jump.since else timedelta(0)


def _earliest_creation(platform: PlatformFacts, claim: Claim) -> datetime:
    return claim.written_at - CLOCK_TOLERANCE - set_back(platform, claim)


def candidates(claim: Claim, facts: ConnectionFacts, platform: PlatformFacts) -> tuple[Job, ...]:
    """Jobs that the claim's POST may have made, earliest first: new by id, of the kind asked for, and nobody else's."""
    oldest = _earliest_creation(platform, claim)
    found = (
        job
        for job in facts.jobs
        if job.kind is claim.kind
        and job.job_id not in claim.baseline
        and job.job_id not in facts.standing.attributed
        and job.created_at >= oldest
    )
    return tuple(sorted(found, key=lambda job: (job.created_at, job.job_id)))


def foreign_sync(facts: ConnectionFacts, since: datetime, until: datetime) -> Job | None:
    """The earliest sync of unknown origin that started in [since, until]."""
    attributed, earliest = facts.standing.attributed, None
    for job in facts.jobs:
        if job.kind is not JobKind.SYNC or not since <= job.created_at <= until or job.job_id in attributed:
            continue
        if earliest is None or (job.created_at, job.job_id) < (earliest.created_at, earliest.job_id):
            earliest = job
    return earliest


def listing_for(
    kind: NeedKind, since: datetime, slot: SlotKey | None = None, *, begun_after: datetime | None = None
) -> ListingNeed:
    """A need for a listing begun at or after ``begun_after`` (default ``since``) that shows what happened since the slot."""
    return ListingNeed(kind, since, begun_after or since, None if slot is None else slot.scheduled_at - CLOCK_TOLERANCE)
